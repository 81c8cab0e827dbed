"""Runs on paper: aligned tables for people, JSON and CSV for programs."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from textwrap import shorten
from typing import Any, TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from cem.state import History, Record
from experiments.catalogue import Experiment
from experiments.report import words
from experiments.runner import FIGURES, strict, summary
from experiments.store import Run
from experiments.task import is_estimated, word_of

OPTIMISED = ("t", "nfev", "gamma", "best", "n_elite", "ess", "max_weight", "entropy", "kl")
ESTIMATED = ("t", "nfev", "gamma", "n_hit", "ess", "max_weight", "variation", "kl")
ROWS = 20  # of iterations in a table; of more, the first and last ones
UNBOUNDED = 10_000  # columns
SHORTEST = 24  # that a result is cut to before a column is left out
COORDINATES = 12  # of x in a table
SPARED = ("created", "tags", "seconds", "iterations", "study", "variation")  # if it is narrow
FINAL = "final"  # what stands for t in the row of a final sample


def as_json(value: Any) -> str:
    """Strict JSON on one line."""
    return json.dumps(strict(value), allow_nan=False)


def in_own_sign(history: History, job: str) -> History:
    """The records with levels and scores in the user's sign: inside, ``-f`` is maximised."""
    if job != "minimize":
        return history
    return History(r._replace(gamma=-r.gamma, top=-r.top, best=-r.best) for r in history)


def result(run: Run, to: TextIO | None = None) -> None:
    """How a run ended, as an aligned table."""
    print_table(_pairs(_of_run(run)), to)


def details(run: Run, history: History, to: TextIO | None = None) -> None:
    """Everything about a run: how it ended, its settings, its iterations."""
    used = {key: value for key, value in run.settings.items() if value is not None}
    about = {
        "experiment": f"{run.experiment} ({run.job} {run.problem})",
        "created": run.created.replace("T", " ").replace("+00:00", " UTC"),
        "with": ", ".join(f"{name} {version}" for name, version in run.versions.items()),
        "settings": ", ".join(f"{key}={words.value(value)}" for key, value in used.items()),
        "seed": str(run.seed),
        **_marks(run),
    }
    print_table(_pairs(_of_run(run) | about), to)
    if history:
        names = ESTIMATED if is_estimated(run.job) else OPTIMISED
        print_table(_iterations(in_own_sign(history, run.job), names), to)


def listing(
    runs: Sequence[Run], counts: Mapping[int, tuple[int, int]], to: TextIO | None = None
) -> None:
    """One line per run; in a narrow terminal, without the columns that matter least."""
    columns = {
        "run": [run.name for run in runs],
        **{key: [_marks(run).get(key, "") for run in runs] for key in ("study", "variation")},
        "status": [run.status for run in runs],
        "created": [run.created[:16].replace("T", " ") for run in runs],
        "seconds": [f"{run.seconds:.1f}" for run in runs],
        "iterations": [f"{counts.get(run.id, (0, 0))[0]:,}" for run in runs],
        "evaluations": [f"{counts.get(run.id, (0, 0))[1]:,}" for run in runs],
        "tags": [_marks(run).get("tags", "") for run in runs],
        "result": [_in_short(run) for run in runs],
    }
    used = {name: cells for name, cells in columns.items() if any(cells) or name == "result"}
    console = console_of(to, unbounded=True)
    for name in (*SPARED, None):
        excess = _width(used) - console.width
        if excess <= _widest(used["result"]) - SHORTEST:
            break
        used.pop(name, None)
    console.print(_columns(used, excess))


def description(experiment: Experiment, to: TextIO | None = None) -> None:
    """An experiment: what it is about, and its settings."""
    from experiments import describe

    console = console_of(to)
    console.print(f"{experiment.name}: {experiment.description}")
    console.print(f"{experiment.job} {experiment.problem}, seed {experiment.seed}")
    if about := describe.about(experiment):
        console.print(f"\n{about}")
    found = describe.settings(experiment)
    for of in ("problem", "method"):
        rows = [setting for setting in found if setting.of == of]
        if rows:
            console.print()
            table = Table(box=None, pad_edge=False)
            table.add_column(f"of the {of}", no_wrap=True)
            table.add_column("value", overflow="fold")
            table.add_column("type")
            if of == "method":
                table.add_column("meaning")
            for row in rows:
                cells = (row.key, words.value(row.value), row.type, row.meaning)
                table.add_row(*cells[: len(table.columns)])
            console.print(table)


def export(run: Run, history: History, form: str) -> str:
    """The iterations of a run as text: ``csv``, or ``json`` with the run itself around them.

    In CSV a number that was not computed is ``nan``; in JSON, where it cannot be said, ``null``.
    """
    history = in_own_sign(history, run.job)
    if form == "json":
        iterations = [record._asdict() for record in history]
        return as_json(summary(run) | {"iterations": iterations}) + "\n"
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(Record._fields)
    rows.writerows([repr(number) for number in record] for record in history)
    return out.getvalue()


def _of_run(run: Run) -> dict[str, str]:
    found = summary(run)
    if run.status != "done":
        how = {
            "planned": "planned: begin with",
            "running": "running, or killed: if so, go on with",
            "interrupted": "interrupted: go on with",
            "failed": "failed: once the cause is removed, go on with",
        }[run.status]
        rows = {"run": run.name, "status": f"{how} cem resume {run.name}"}
        return rows | ({"error": run.error} if run.error else {})
    rows = {"run": run.name, "success": "yes" if found["success"] else "NO", **_figures(found)}
    rows |= found["report"]
    rows["message"] = found["message"]
    if is_estimated(run.job):
        rows["method"] = found["method"]
    rows |= {f"warning {i}": text for i, text in enumerate(found["warnings"], 1)}
    rows["evaluations"] = f"{found['nfev']:,} in {found['nit']:,} iterations"
    if is_estimated(run.job):
        rows["evaluations"] += ", the final sample included"
    return rows | {"time": f"{run.seconds:.2f} s"}


def _figures(found: Mapping[str, Any]) -> dict[str, str]:
    known = found["known"]
    if is_estimated(found["job"]):
        figure, *_ = FIGURES[found["job"]]
        low, high = found["confidence_interval"]
        rows = {
            figure: f"{found[figure]:.6g}",
            "std error": _error(found),
            "95 % interval": f"{low:.6g} to {high:.6g}",
        }
        return rows | ({} if known is None else {"exact": f"{known:.6g}"})
    x = found["x"]
    few = " ".join(f"{number:g}" for number in x[:COORDINATES])
    left = len(x) - COORDINATES
    size = f"... ({left} more of {len(x)}: --json)" if left > 0 else f"({len(x)} coordinates)"
    rows = {word_of(found["job"]): f"{found['fun']:.10g}", "x": f"{few} {size}"}
    return rows | ({} if known is None else {"optimum": f"{known:.10g}"})


def _marks(run: Run) -> dict[str, str]:
    """What people and studies have attached to a run, if anything."""
    marks = {
        "study": run.study,
        "variation": run.variation,
        "tags": ", ".join(run.tags),
        "note": run.note,
    }
    return {key: text for key, text in marks.items() if text}


def _error(found: Mapping[str, Any]) -> str:
    if found["std_error"] is None:
        return "not known: no sample reached the level"
    return f"{found['std_error']:.3g} ({found['relative_error']:.2%})"


def _in_short(run: Run) -> str:
    if run.result is None:
        return shorten(run.error or "", 40, placeholder=" ...")
    failed = "" if run.result["success"] else ", no success"
    figure = run.result[FIGURES[run.job][0]]
    if is_estimated(run.job):
        error = run.result["relative_error"]
        wide = "" if error is None else f" ± {error:.1%}"
        return f"{figure:.4g}{wide}{failed}"
    return f"{figure:.10g}{failed}"


def _iterations(history: History, names: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(name, justify="right")
    final = [record for record in history if math.isnan(record.loss)]
    rows = [_cells(record, names) for record in history[: len(history) - len(final)]]
    half = ROWS // 2
    for row in [*rows[:half], ["..."] * len(names), *rows[-half:]] if len(rows) > ROWS else rows:
        table.add_row(*row)
    if final:  # its numbers are those of all blocks so far, but for those of n_hit
        whole = final[-1]._replace(n_hit=sum(record.n_hit for record in final))
        table.add_row(FINAL, *_cells(whole, names)[1:])
    return table


def _cells(record: Record, names: Sequence[str]) -> list[str]:
    numbers = [getattr(record, name) for name in names]
    return [
        f"{n:,}" if isinstance(n, int) else "-" if math.isnan(n) else f"{n:.5g}" for n in numbers
    ]


def _pairs(rows: Mapping[str, str]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(justify="right", style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows.items():
        table.add_row(name, str(value))
    return table


def _widest(cells: Iterable[str]) -> int:
    return max(map(cell_len, cells))


def _width(columns: Mapping[str, Sequence[str]]) -> int:
    return sum(_widest([name, *cells]) + 2 for name, cells in columns.items()) - 2


def _columns(columns: Mapping[str, Sequence[str]], excess: int) -> Table:
    """The columns as a table; if there is an excess of width, the results are cut by it."""
    table = Table(box=None, pad_edge=False)
    for name in columns:
        numbers = name in {"seconds", "iterations", "evaluations"}
        table.add_column(name, justify="right" if numbers else "left", no_wrap=True)
    if excess > 0:
        table.columns[-1].max_width = max(_widest(columns["result"]) - excess, 1)
    for row in zip(*columns.values(), strict=True):
        table.add_row(*row)
    return table


def console_of(to: TextIO | None = None, *, unbounded: bool = False) -> Console:
    """What tables are printed on: 120 columns or ``unbounded`` where nobody looks, never coloured.

    On a terminal it is as wide as that; with the variable NO_COLOR nothing is emphasised.
    """
    to = to or sys.stdout
    if to.isatty():
        plain = {"color_system": None} if os.environ.get("NO_COLOR") else {}
        return Console(file=to, highlight=False, markup=False, **plain)
    width = UNBOUNDED if unbounded else 120
    return Console(
        file=to, highlight=False, markup=False, width=width, height=50, color_system=None
    )


def print_table(table: Table, to: TextIO | None = None) -> None:
    """Print a table, plainly where nobody looks."""
    console_of(to).print(table)


def picture(run: Run, history: History, path: Path) -> None:
    """Draw a run into a file; its suffix says how."""
    from cem.plot import overview

    if not history:
        raise ValueError(f"run {run.name} has nothing to draw: no iteration of it is in the store")
    known = run.result["known"] if run.result else None
    ended = run.status if run.result is None else "" if run.result["success"] else "no success"
    title = f"{run.name}: {run.job} {run.problem}" + (f" ({ended})" if ended else "")
    level = run.settings.get("gamma") if run.job == "estimate" else None
    figure = overview(in_own_sign(history, run.job), title=title, level=level, known=known)
    figure.savefig(path)
