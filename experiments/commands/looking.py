"""Look at runs: list, show, draw and export them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from experiments import completion
from experiments.app import AsJson, RunName, StoreUrl, app, examples


class Format(StrEnum):
    """What a run can be exported as."""

    CSV = "csv"
    JSON = "json"


class Status(StrEnum):
    """Where a run can be."""

    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@app.command(
    epilog=examples(
        "cem runs",
        "cem runs --status failed --limit 10   # the last ten that failed",
        "cem runs --tag good --json",
    )
)
def runs(
    *,
    study: Annotated[
        str | None,
        typer.Option(
            metavar="STUDY", help="Only those of a study.", autocompletion=completion.studies
        ),
    ] = None,
    status: Annotated[
        list[Status] | None, typer.Option(help="Only those that are so; may be repeated.")
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(metavar="TAG", help="Only those with the tag; of several, with all."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only that many, the last.")] = None,
    store: StoreUrl = None,
    json: AsJson = False,
) -> None:
    """List the runs in the store, oldest first.

    A narrow terminal leaves out some columns; --json has everything.
    """
    from experiments import runner, show
    from experiments.store import Store

    with Store(store, create=False) as opened:
        all_ = opened.runs(study=study and opened.study(study).name)  # an unknown one is an error
        found = [
            run
            for run in all_
            if (not status or run.status in status) and set(tag or []) <= set(run.tags)
        ][-(limit or 0) :]
        if json:
            typer.echo(show.as_json([runner.summary(run) for run in found]))
        elif found:
            show.listing(found, opened.counts())
        elif all_:
            typer.echo(f"none of the {len(all_)} runs in {opened.name} is like that", err=True)
        else:
            typer.echo(f"no runs yet in {opened.name}", err=True)


@app.command("show", epilog=examples("cem show bridge-0001", "cem show last --json"))
def show_(run: RunName, *, store: StoreUrl = None, json: AsJson = False) -> None:
    """Show a run: how it ended, its settings, its iterations."""
    from experiments import runner, show
    from experiments.store import Store

    with Store(store, create=False) as opened:
        found = opened.find(run)
        if json:
            typer.echo(show.as_json(runner.summary(found)))
        else:
            show.details(found, opened.history(found))


@app.command(epilog=examples("cem plot bridge-0001 -o bridge.png", "cem plot last -o run.svg"))
def plot(
    run: RunName,
    *,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="A .png, .svg or .pdf file.")
    ],
    store: StoreUrl = None,
    json: AsJson = False,
) -> None:
    """Draw a run: levels, best, entropy, weights, estimate."""
    from experiments import show
    from experiments.store import Store

    with Store(store, create=False) as opened:
        found = opened.find(run)
        show.picture(found, opened.history(found), output)
    if json:
        typer.echo(show.as_json({"run": found.name, "file": str(output.absolute())}))
    else:
        typer.echo(f"{output}: {found.name}", err=True)


@app.command(
    epilog=examples(
        "cem export bridge-0001",
        "cem export last --format json -o last.json   # the run itself, too",
    )
)
def export(
    run: RunName,
    *,
    form: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.CSV,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Default: standard output."),
    ] = None,
    store: StoreUrl = None,
) -> None:
    """Write the iterations of a run as CSV, or all about it as JSON."""
    from experiments import show
    from experiments.store import Store

    with Store(store, create=False) as opened:
        found = opened.find(run)
        text = show.export(found, opened.history(found), form)
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")
