"""Run a study: many runs, of several variations and seeds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.app import (
    AsJson,
    EvaluationTimeout,
    Quiet,
    StoreUrl,
    Verbose,
    app,
    command,
    examples,
    some,
)

if TYPE_CHECKING:
    from experiments.crew import Crew
    from experiments.interrupt import Asked
    from experiments.progress import Page, Standing


@app.command(
    epilog=examples(
        "cem sweep rho.toml --dry-run      # what it would run",
        "cem sweep rho.toml --workers -1   # on all cores; the same again goes on",
        "cem sweep rho.toml --store postgresql://host/db",
        "cem sweep rho.toml --cluster tcp://10.0.0.1:8786",
    )
)
def sweep(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A study: a TOML file.", exists=True, dir_okay=False),
    ],
    *,
    workers: Annotated[
        int,
        typer.Option(
            min=-1,
            callback=some,
            help="Processes that run; -1: all cores. The same bits with any.",
        ),
    ] = 1,
    cluster: Annotated[
        str | None,
        typer.Option(metavar="URL", help="A Dask scheduler whose workers run, such as tcp://..."),
    ] = None,
    evaluation_timeout: EvaluationTimeout = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be run.")] = False,
    store: StoreUrl = None,
    json: AsJson = False,
    quiet: Quiet = False,
    _verbose: Verbose = 0,
) -> None:
    """Run a study: every variation with every seed.

    Each is a run in the store. Runs that are done are skipped and those that were cut go on, so
    the same command goes on with a study that was interrupted or killed, or whose file has got
    more variations or seeds. Every run has the bits that 'cem run' gives it. Ctrl-C ends after the
    current iterations.
    """
    from experiments import logs, study
    from experiments import sweep as sweeping
    from experiments.progress import Page, Standing
    from experiments.store import Store

    if cluster is not None and workers != 1:
        raise typer.BadParameter("expected --workers or --cluster; got both")
    found = study.read(file)
    with Store(store, create=not dry_run) as opened:
        for sentence in sweeping.no_more_in(found, opened.runs(found.name)):
            typer.echo(f"cem: {sentence}", err=True)
        if dry_run:
            standing = Standing(found, sweeping.foreseen(found, opened))
        else:
            standing = Standing(found, sweeping.plan(found, opened))
            with Page(standing, quiet=quiet or json or logs.iterations()) as page:
                how = ["--workers", str(workers)] if workers != 1 else []
                how += ["--cluster", cluster] if cluster else []
                if evaluation_timeout is not None:
                    how += ["--evaluation-timeout", f"{evaluation_timeout:g}"]
                again = command("sweep", str(file), *how, store=store)
                with _gently(page, again) as asked, _crew(workers, cluster) as crew:
                    sweeping.Sweep(opened, crew, page, asked, evaluation_timeout).go()
        _print(standing, json=json, quiet=quiet)
    if standing.count("failed") and not dry_run:
        raise typer.Exit(1)
    if not (json or quiet or dry_run):
        words = [command("compare", found.name, store=store)]
        words.append(command("report", found.name, "-o", f"{found.name}.html", store=store))
        typer.echo(f"cem: next: {', or '.join(words)}", err=True)


@contextmanager
def _gently(page: Page, again: str) -> Iterator[Asked]:
    """A sweep that can be interrupted, and then says how to go on."""
    from experiments.interrupt import gently

    with gently() as asked:
        try:
            yield asked
            if page.standing.is_unfinished():
                asked.check()
        except KeyboardInterrupt:
            line = page.standing.line()
            typer.echo(f"cem: interrupted: {line}; go on with: {again}", err=True)
            raise typer.Exit(asked.exit_status) from None


def _crew(workers: int, cluster: str | None) -> AbstractContextManager[Crew]:
    from experiments import crew

    return crew.local(workers) if cluster is None else crew.cluster(cluster)


def _print(standing: Standing, *, json: bool, quiet: bool) -> None:
    """Print where a study is."""
    from experiments import progress, show

    if json:
        typer.echo(show.as_json(standing.as_dict()))
    elif quiet:
        typer.echo(standing.study.name)
    else:
        show.print_table(progress.table(standing.rows(), standing.study.job))
        for run in standing.failures():
            words = f"{run.name} ({run.variation}, seed {run.seed}) failed: {run.error}"
            typer.echo(f"cem: {words}", err=True)
