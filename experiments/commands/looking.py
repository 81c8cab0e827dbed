"""Look at runs: list, show, draw and export them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from experiments.app import AsJson, RunName, StoreUrl, app


class Format(StrEnum):
    """What a run can be exported as."""

    CSV = "csv"
    JSON = "json"


@app.command()
def runs(*, store: StoreUrl = None, json: AsJson = False) -> None:
    """List the runs in the store."""
    from experiments import runner, show
    from experiments.store import Store

    with Store(store, create=False) as opened:
        found = opened.runs()
        if json:
            typer.echo(show.as_json([runner.summary(run) for run in found]))
        elif found:
            show.listing(found, opened.counts())
        else:
            typer.echo(f"no runs yet in {opened.name}", err=True)


@app.command("show")
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


@app.command()
def plot(
    run: RunName,
    *,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="A .png, .svg or .pdf file.")
    ],
    store: StoreUrl = None,
) -> None:
    """Draw a run: levels and best, the density's entropy, the weights, the estimate."""
    from experiments import show
    from experiments.store import Store

    with Store(store, create=False) as opened:
        found = opened.find(run)
        show.picture(found, opened.history(found), output)
    typer.echo(f"{output}: {found.name}", err=True)


@app.command()
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
    """Write the iterations of a run as CSV, or with all about the run as JSON."""
    from experiments import show
    from experiments.store import Store

    with Store(store, create=False) as opened:
        found = opened.find(run)
        text = show.export(found, opened.history(found), form)
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")
