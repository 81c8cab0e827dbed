"""The ``cem`` command. Everything heavy is imported by the command that needs it."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from experiments.runner import Task
    from experiments.store import Run, Store

app = typer.Typer(
    help="The cross-entropy method: estimate rare events and optimise, with one loop.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

StoreUrl = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        help="Database URL or SQLite file; default: the variable CEM_STORE, then cem-runs.db here.",
    ),
]
RunName = Annotated[
    str, typer.Argument(metavar="RUN", help="As 'cem runs' lists it, its beginning, or 'last'.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print strict JSON, and nothing else.")]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress; print the name of the run only.")
]
Workers = Annotated[
    int, typer.Option(min=-1, help="Processes that score; -1: all cores. The same bits with any.")
]


class Format(StrEnum):
    """What a run can be exported as."""

    CSV = "csv"
    JSON = "json"


@app.command("list")
def list_() -> None:
    """List the experiments of the catalogue."""
    from experiments import catalogue

    names = catalogue.names()
    width = max(map(len, names), default=0)
    for name in names:
        typer.echo(f"{name:{width}}  {catalogue.find(name).description}")


@app.command()
def run(
    name: Annotated[str, typer.Argument(metavar="NAME", help="An experiment of 'cem list'.")],
    *,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting; may be repeated."),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Root of all randomness.")] = None,
    workers: Workers = 1,
    store: StoreUrl = None,
    json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Run an experiment; every iteration goes into the store."""
    from experiments import catalogue, runner
    from experiments.store import Store

    experiment = catalogue.find(name).changed(settings or [], seed)
    with Store(store) as opened:
        new, task = runner.begin(experiment, opened)
        _go(new, opened, task, workers=workers, json=json, quiet=quiet)


@app.command()
def resume(
    run: RunName,
    *,
    workers: Workers = 1,
    store: StoreUrl = None,
    json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Go on with a run that was cut; the result has the same bits as if it had not been."""
    from experiments import runner
    from experiments.store import Store

    with Store(store, create=False) as opened:
        found = opened.find(run)
        if warning := runner.other_versions(found):
            typer.echo(f"cem: {warning}", err=True)
        _go(found, opened, workers=workers, json=json, quiet=quiet)


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


def main(arguments: list[str] | None = None) -> None:
    """Run the command; an error is one line, and exit status 1."""
    try:
        app(arguments, prog_name="cem")
    except (ValueError, TypeError, OSError) as error:
        from experiments.runner import one_line

        notes = getattr(error, "__notes__", [])
        typer.echo("; ".join([f"cem: error: {one_line(error)}", *notes]), err=True)
        sys.exit(1)


def _go(
    run: Run,
    store: Store,
    task: Task | None = None,
    *,
    workers: int,
    json: bool,
    quiet: bool,
) -> None:
    """Run it, watched if somebody is looking, and print how it ended."""
    from experiments import runner, show
    from experiments.database import DEFAULT
    from experiments.watch import watching

    try:
        with watching(run.name, run.job, quiet=quiet) as watch:
            run = runner.go(run, store, task, workers=workers, watch=watch)
    except KeyboardInterrupt:
        elsewhere = "" if store.name == DEFAULT else f" --store {store.name}"
        typer.echo(f"cem: interrupted; go on with: cem resume {run.name}{elsewhere}", err=True)
        raise typer.Exit(130) from None
    if json:
        typer.echo(show.as_json(runner.summary(run)))
    elif quiet:
        typer.echo(run.name)
    else:
        show.result(run)
