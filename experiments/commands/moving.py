"""Carry studies and runs from one store to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from experiments import completion
from experiments.app import AsJson, StoreUrl, app, examples


@app.command(
    epilog=examples(
        "cem archive --study rho -o rho.jsonl.gz",
        "cem archive bridge-0007 bridge-0008 -o two.jsonl",
        "cem archive -o all.jsonl.gz           # everything in the store",
    )
)
def archive(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN]...", help="Runs.", autocompletion=completion.runs),
    ] = None,
    *,
    study: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STUDY",
            help="A study and all its runs; may be repeated.",
            autocompletion=completion.studies,
        ),
    ] = None,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="FILE", help="A .jsonl or .jsonl.gz file."),
    ],
    all_checkpoints: Annotated[
        bool, typer.Option("--all-checkpoints", help="Also those of finished runs.")
    ] = False,
    store: StoreUrl = None,
    json: AsJson = False,
) -> None:
    """Write studies or runs to a file for 'cem import'.

    It holds everything about them, bit for bit, but for the checkpoints of finished runs, which
    nothing needs any more. Without a run or a study it is the whole store.
    """
    from experiments import exchange, show
    from experiments.store import Store

    with Store(store, create=False) as opened:
        if names or study:
            named = [opened.study(name).name for name in study or []]
            runs = [*map(opened.find, names or [])]
            runs += [run for name in named for run in opened.runs(name)]
        else:
            named, runs = [row.name for row in opened.studies()], opened.runs()
        runs = list({run.id: run for run in runs}.values())
        size = exchange.save(opened, output, runs, named, all_checkpoints=all_checkpoints)
    if json:
        said = {"file": str(output), "runs": [run.name for run in runs], "bytes": size}
        typer.echo(show.as_json(said))
    else:
        typer.echo(f"{output}: {len(runs):,} runs, {size:,} bytes")


@app.command(
    "import",
    epilog=examples(
        "cem import rho.jsonl.gz",
        "cem import rho.jsonl.gz --skip --store postgresql://me@db/cem",
    ),
)
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Made by 'cem archive'.")],
    *,
    skip: Annotated[
        bool, typer.Option("--skip", help="Leave runs that are there already as they are.")
    ] = False,
    store: StoreUrl = None,
    json: AsJson = False,
) -> None:
    """Add the studies and runs of a file to the store.

    All of it or nothing. A run that is there already (the same study, variation and seed) is an
    error, or is left out with --skip; one that is only planned gives way to one that was begun.
    """
    from experiments import exchange, show
    from experiments.store import Store

    with Store(store) as opened:
        found = exchange.load(opened, file, skip=skip)
    if json:
        typer.echo(show.as_json({"added": found.added, "skipped": found.skipped}))
    else:
        left = f", {len(found.skipped):,} left as they are" if found.skipped else ""
        typer.echo(f"{file}: {len(found.added):,} runs added{left}")
