"""Run one experiment of the catalogue, or go on with a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from experiments.app import AsJson, Quiet, RunName, StoreUrl, Workers, app

if TYPE_CHECKING:
    from experiments.runner import Task
    from experiments.store import Run, Store


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
