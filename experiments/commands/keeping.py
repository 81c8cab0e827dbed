"""Keep a store in order: studies, notes and tags, and what is to be deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from experiments import completion
from experiments.app import AsJson, RunName, StoreUrl, app, examples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.store import Run

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command(epilog=examples("cem studies", "cem studies --json"))
def studies(*, store: StoreUrl = None, json: AsJson = False) -> None:
    """List the studies in the store, oldest first."""
    from experiments import show
    from experiments.store import Store

    with Store(store, create=False) as opened:
        found, tallies = opened.studies(), opened.tallies()
        rows = [
            {
                "name": study.name,
                "created": study.created,
                "description": study.plan.get("description", ""),
                "runs": sum(tallies.get(study.name, {}).values()),
                **{status: tallies.get(study.name, {}).get(status, 0) for status in STATUSES},
            }
            for study in found
        ]
        if json:
            typer.echo(show.as_json(rows))
        elif rows:
            _table(rows)
        else:
            typer.echo(f"no studies yet in {opened.name}", err=True)


STATUSES = ("planned", "running", "interrupted", "failed", "done")


@app.command(
    epilog=examples(
        'cem note last "the one in the paper"',
        'cem note bridge-0007 ""               # none any more',
    )
)
def note(
    run: RunName,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="Takes the place of what is there.")],
    *,
    store: StoreUrl = None,
    json: AsJson = False,
) -> None:
    """Write a note on a run."""
    from experiments.store import Store

    with Store(store, create=False) as opened:
        _marked(opened.note(opened.find(run), text.strip()), json=json)


@app.command(
    epilog=examples(
        "cem tag bridge-0007 paper figure-2",
        "cem tag bridge-0007 paper --remove",
        "cem runs --tag paper",
    )
)
def tag(
    run: RunName,
    words: Annotated[list[str], typer.Argument(metavar="WORD...", help="Tags: single words.")],
    *,
    remove: Annotated[bool, typer.Option("--remove", help="Take these away.")] = False,
    store: StoreUrl = None,
    json: AsJson = False,
) -> None:
    """Give a run tags, by which 'cem runs --tag' finds it."""
    from experiments.store import Store

    if wrong := [word for word in words if word.split() != [word]]:
        raise ValueError(f"a tag must be one word: expected such as paper; got {wrong[0]!r}")
    with Store(store, create=False) as opened:
        found = opened.find(run)
        if missing := sorted(set(words).difference(found.tags)) if remove else []:
            there = ", ".join(found.tags) or "none"
            raise ValueError(f"run {found.name} has no tag {missing[0]!r}; its tags: {there}")
        tags = set(found.tags).difference(words) if remove else set(found.tags).union(words)
        _marked(opened.tag(found, tags), json=json)


@app.command(
    epilog=examples(
        "cem delete bridge-0007 maxcut-0008",
        "cem delete --study rho --yes          # a study with all its runs",
    )
)
def delete(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN]...", help="Runs.", autocompletion=completion.runs),
    ] = None,
    *,
    study: Annotated[
        str | None,
        typer.Option(
            metavar="STUDY", help="A study and all its runs.", autocompletion=completion.studies
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Even runs that a process is at; it will stop.")
    ] = False,
    yes: Yes = False,
    store: StoreUrl = None,
    json: AsJson = False,
) -> None:
    """Delete runs, or a study with all its runs, for good."""
    from experiments import show
    from experiments.store import Store

    if bool(names) == (study is not None):
        raise typer.BadParameter("name runs, or a study with --study")
    with Store(store, create=False) as opened:
        if study is None:
            found = list({run.id: run for run in map(opened.find, names or [])}.values())
        else:
            found = opened.runs(opened.study(study).name)
        busy = [run.name for run in found if opened.busy(run)]
        if busy and not force:
            many = f" and {len(busy) - 1} more" if len(busy) > 1 else ""
            raise ValueError(
                f"a process is at {busy[0]}{many}: end it first (Ctrl-C), or use --force"
            )
        done = sum(nit for nit, _ in opened.counts([run.id for run in found]).values())
        what = f"the study {study} with {_many(len(found))}" if study else _these(found)
        _ask(f"Delete {what} ({done:,} iterations) from {opened.name}?", yes=yes, json=json)
        opened.delete(found, study=study)
    if json:
        typer.echo(show.as_json({"deleted": [run.name for run in found], "study": study}))
    else:
        typer.echo(f"deleted: {what}")


@app.command(
    epilog=examples(
        "cem prune --dry-run                   # what would be deleted",
        "cem prune --older-than 7 --yes",
    )
)
def prune(
    *,
    older_than: Annotated[
        float,
        typer.Option(metavar="DAYS", min=0, help="Runs that nobody went on with for so long."),
    ] = 30,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be.")] = False,
    yes: Yes = False,
    store: StoreUrl = None,
    json: AsJson = False,
) -> None:
    """Delete what is only in the way, and make the store small.

    That is: runs that are planned, failed, interrupted or killed and that nobody went on with for a
    while; and the checkpoints of finished runs, which nothing needs any more.
    """
    from experiments import pruning, show
    from experiments.store import Store

    with Store(store, create=False) as opened:
        found = pruning.prunable(opened, older_than)
        said = {
            "store": opened.name,
            "runs": [run.name for run in found.runs],
            "checkpoints": found.checkpoints,
            "bytes_before": opened.database.size(),
        }
        if not json:
            typer.echo(f"unfinished and untouched for {older_than:g} days: {_these(found.runs)}")
            typer.echo(f"finished, with a checkpoint: {_many(found.checkpoints)}")
            before = _size(said["bytes_before"])
            typer.echo(f"all these checkpoints: {_size(found.n_bytes)}; the store: {before}")
        if found and not dry_run:
            _ask(f"Delete them from {opened.name}?", yes=yes, json=json)
            pruning.prune(opened, found)
            after = opened.database.size()
            said |= {"bytes_after": after}
            if not json:
                typer.echo(f"deleted; the store: {_size(after)}")
        if json:
            typer.echo(show.as_json(said))


def _ask(question: str, *, yes: bool, json: bool) -> None:
    """Let somebody confirm it; otherwise nothing more is done."""
    if json and not yes:
        raise typer.BadParameter("--json asks nobody: say --yes, too")
    if not yes:
        typer.confirm(question, abort=True, err=True)


def _marked(run: Run, *, json: bool) -> None:
    """Say what a run has now."""
    from experiments import show

    if json:
        typer.echo(show.as_json({"run": run.name, "note": run.note, "tags": run.tags}))
    else:
        typer.echo(f"{run.name}: {run.note or '(no note)'} [{', '.join(run.tags) or 'no tags'}]")


def _these(found: Sequence[Run]) -> str:
    """Runs, in few words.

    >>> _these([])
    'none'
    """
    if len(found) <= 3:
        return ", ".join(run.name for run in found) or "none"
    return f"{_many(len(found))} ({found[0].name} to {found[-1].name})"


def _many(n: int) -> str:
    return "1 run" if n == 1 else f"{n:,} runs" if n else "none"


def _size(n_bytes: int) -> str:
    """Bytes for people.

    >>> _size(999), _size(1_234_567)
    ('999 bytes', '1.2 MB')
    """
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= size:
            return f"{n_bytes / size:.1f} {unit}"
    return f"{n_bytes} bytes"


def _table(rows: Sequence[dict[str, object]]) -> None:
    from rich.table import Table

    from experiments import show

    table = Table(box=None, pad_edge=False)
    for name in ("study", "done", "created", "description"):
        table.add_column(name, no_wrap=name != "description")
    for row in rows:
        when = str(row["created"])[:16].replace("T", " ")
        table.add_row(row["name"], f"{row['done']}/{row['runs']}", when, row["description"])
    show.print_table(table)
