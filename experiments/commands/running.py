"""Run one experiment of the catalogue, or go on with a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments import completion
from experiments.app import (
    AsJson,
    EvaluationTimeout,
    ExperimentName,
    Quiet,
    RunName,
    StoreUrl,
    Verbose,
    Workers,
    app,
    command,
    examples,
)

if TYPE_CHECKING:
    from experiments.runner import Task
    from experiments.store import Run, Store


@app.command(
    epilog=examples(
        "cem run bridge",
        "cem run maxcut --set n=60 --set m=30 --seed 2   # other settings, seed",
        "cem run tsp --workers 4 -v                      # four processes, and a log",
        "cem run bridge --json > result.json             # for programs",
    )
)
def run(
    name: ExperimentName,
    *,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Change a setting; may be repeated. 'cem describe NAME' lists them.",
            autocompletion=completion.settings,
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Root of all randomness.")] = None,
    workers: Workers = 1,
    evaluation_timeout: EvaluationTimeout = None,
    store: StoreUrl = None,
    json: AsJson = False,
    quiet: Quiet = False,
    _verbose: Verbose = 0,
) -> None:
    """Run an experiment; every iteration goes into the store.

    Ctrl-C ends it after the current iteration, a second Ctrl-C at once; 'cem resume' goes on.
    """
    from experiments import catalogue, runner
    from experiments.store import Store

    experiment = catalogue.find(name).changed(settings or [], seed)
    with Store(store) as opened:
        new, task = runner.begin(experiment, opened)
        how = {"workers": workers, "evaluation_timeout": evaluation_timeout}
        _print(_go(new, opened, store, quiet=quiet, task=task, **how), json=json, quiet=quiet)


@app.command(
    epilog=examples(
        "cem resume bridge-0001",
        "cem resume last --workers 4   # the same bits with any number",
    )
)
def resume(
    run: RunName,
    *,
    workers: Workers = 1,
    evaluation_timeout: EvaluationTimeout = None,
    force: Annotated[
        bool, typer.Option("--force", help="Even if a process is at it; that one will stop.")
    ] = False,
    store: StoreUrl = None,
    json: AsJson = False,
    quiet: Quiet = False,
    _verbose: Verbose = 0,
) -> None:
    """Go on with a run that was cut, to the bits of an uncut one."""
    from experiments import runner
    from experiments.store import Store

    with Store(store, create=False) as opened:
        found = opened.find(run)
        if opened.busy(found) and not force:
            raise ValueError(f"a process is at {found.name}: end it first (Ctrl-C), or use --force")
        if warning := runner.other_versions(found):
            typer.echo(f"cem: {warning}", err=True)
        how = {"workers": workers, "evaluation_timeout": evaluation_timeout}
        _print(_go(found, opened, store, quiet=quiet, **how), json=json, quiet=quiet)


def _go(
    run: Run, opened: Store, store: str | None, *, quiet: bool, task: Task | None = None, **how: Any
) -> Run:
    """Run it, watched if somebody is looking; if it is interrupted, say how to go on."""
    from experiments import logs, runner
    from experiments.interrupt import gently
    from experiments.watch import watching

    with gently() as asked:
        try:
            with watching(run.name, run.job, quiet=quiet or logs.iterations()) as watch:
                return runner.go(run, opened, task, watch=[*watch, asked.check], **how)
        except KeyboardInterrupt as error:
            kept = getattr(error, "__notes__", [])
            again = f"go on with: {command('resume', run.name, store=store)}"
            typer.echo("; ".join(["cem: interrupted", *kept, again]), err=True)
            raise typer.Exit(asked.exit_status) from None


def _print(run: Run, *, json: bool, quiet: bool) -> None:
    """Print how a run ended."""
    from experiments import runner, show

    if json:
        typer.echo(show.as_json(runner.summary(run)))
    elif quiet:
        typer.echo(run.name)
    else:
        show.result(run)
