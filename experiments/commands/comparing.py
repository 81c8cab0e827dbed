"""Compare the variations of a study, or loose runs, and say what can be told from them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from experiments import completion
from experiments.app import AsJson, StoreUrl, app, examples


@app.command(
    epilog=examples(
        "cem compare mine --target 11500 --plot mine.png",
        "cem compare mine --variation rho=0.1 --variation rho=0.2",
        "cem compare mine other --json",
        "cem compare bridge --by rho   # all runs of an experiment",
    )
)
def compare(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="STUDY|RUN...",
            help="Studies, experiments (all their runs that are in no study), or runs.",
            autocompletion=completion.studies,
        ),
    ],
    *,
    variation: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only these variations; may be repeated."),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(metavar="SETTING", help="Group loose runs by it; default: all that differ."),
    ] = None,
    target: Annotated[
        list[float] | None,
        typer.Option(
            metavar="X",
            help="Score or relative error to reach; of several the first is judged by.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE", help="Draw bands and run lengths: png, svg or pdf."),
    ] = None,
    store: StoreUrl = None,
    json: AsJson = False,
) -> None:
    """Compare the variations of a study, and say which is better.

    Each line under the tables is one decision between two variations. "No difference can be told"
    is not "there is none": more seeds may tell.
    """
    from textwrap import fill

    from experiments import comparison, show
    from experiments.comparison.gathering import gather
    from experiments.store import Store

    with Store(store, create=False) as opened:
        runs, plan = gather(opened, names, only=variation or (), by=by or ())
        found = comparison.of(runs, opened.histories(runs), plan, target=target or None)
    if json:
        typer.echo(show.as_json(found.as_dict()))
    else:
        for table in comparison.tables(found):
            typer.echo(f"{table.title}:")
            typer.echo(comparison.aligned(table) + "\n")
        for sentence in comparison.sentences(found):
            typer.echo(fill(sentence, comparison.WIDTH, subsequent_indent="  "))
    if output is not None:
        from experiments import figures

        figures.both(found).savefig(output)
        typer.echo(f"{output}: {len(found.variations)} variations", err=True)
