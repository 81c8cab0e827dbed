"""Runs on paper: aligned tables for people, JSON and CSV for programs."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from textwrap import shorten
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table

from cem.state import History, Record
from experiments.runner import FIGURES, strict, summary
from experiments.store import Run

OPTIMISED = ("t", "nfev", "gamma", "best", "n_elite", "ess", "max_weight", "entropy", "kl")
ESTIMATED = ("t", "nfev", "gamma", "n_hit", "ess", "max_weight", "variation", "kl")
ROWS = 20  # of iterations in a table; of more, the first and last ones
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
    _print(_pairs(_of_run(run)), to)


def details(run: Run, history: History, to: TextIO | None = None) -> None:
    """Everything about a run: how it ended, its settings, its iterations."""
    used = {key: value for key, value in run.settings.items() if value is not None}
    about = {
        "experiment": f"{run.experiment} ({run.job} {run.problem})",
        "created": run.created.replace("T", " ").replace("+00:00", " UTC"),
        "with": ", ".join(f"{name} {version}" for name, version in run.versions.items()),
        "settings": ", ".join(f"{key}={value}" for key, value in used.items()),
        "seed": str(run.seed),
    }
    _print(_pairs(_of_run(run) | about), to)
    if history:
        names = ESTIMATED if _is_estimated(run.job) else OPTIMISED
        _print(_iterations(in_own_sign(history, run.job), names), to)


def listing(
    runs: Iterable[Run], counts: Mapping[int, tuple[int, int]], to: TextIO | None = None
) -> None:
    """One line per run."""
    table = Table(box=None, pad_edge=False)
    for name in ("run", "status", "created", "seconds", "iterations", "evaluations"):
        words = name in {"run", "status", "created"}
        table.add_column(name, justify="left" if words else "right", no_wrap=True)
    table.add_column("result")
    for run in runs:
        done, spent = counts.get(run.id, (0, 0))
        when = run.created[:16].replace("T", " ")
        row = (run.name, run.status, when, f"{run.seconds:.1f}", f"{done:,}", f"{spent:,}")
        table.add_row(*row, _in_short(run))
    _print(table, to)


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
            "running": "running, or killed: if so, go on with",
            "interrupted": "interrupted: go on with",
            "failed": "failed: once the cause is removed, go on with",
        }[run.status]
        rows = {"run": run.name, "status": f"{how} cem resume {run.name}"}
        return rows | ({"error": run.error} if run.error else {})
    rows = {"run": run.name, "success": "yes" if found["success"] else "NO", **_figures(found)}
    rows |= found["report"]
    rows["message"] = found["message"]
    if _is_estimated(run.job):
        rows["method"] = found["method"]
    rows |= {f"warning {i}": text for i, text in enumerate(found["warnings"], 1)}
    rows["evaluations"] = f"{found['nfev']:,} in {found['nit']:,} iterations"
    if _is_estimated(run.job):
        rows["evaluations"] += ", the final sample included"
    return rows | {"time": f"{run.seconds:.2f} s"}


def _figures(found: Mapping[str, Any]) -> dict[str, str]:
    known = found["known"]
    if _is_estimated(found["job"]):
        figure, *_ = FIGURES[found["job"]]
        low, high = found["confidence_interval"]
        rows = {
            figure: f"{found[figure]:.6g}",
            "std error": _error(found),
            "95 % interval": f"{low:.6g} to {high:.6g}",
        }
        return rows | ({} if known is None else {"exact": f"{known:.6g}"})
    x = found["x"]
    few = " ".join(f"{number:g}" for number in x[:12]) + (" ..." if len(x) > 12 else "")
    rows = {"best score": f"{found['fun']:.10g}", "x": f"{few} ({len(x)} coordinates)"}
    return rows | ({} if known is None else {"optimum": f"{known:.10g}"})


def _error(found: Mapping[str, Any]) -> str:
    if found["std_error"] is None:
        return "not known: no sample reached the level"
    return f"{found['std_error']:.3g} ({found['relative_error']:.2%})"


def _in_short(run: Run) -> str:
    if run.result is None:
        return shorten(run.error or "", 40, placeholder=" ...")
    failed = "" if run.result["success"] else ", no success"
    figure = run.result[FIGURES[run.job][0]]
    if _is_estimated(run.job):
        error = run.result["relative_error"]
        wide = "" if error is None else f" ± {error:.1%}"
        return f"{figure:.4g}{wide}{failed}"
    return f"{figure:.10g}{failed}"


def _is_estimated(job: str) -> bool:
    return "std_error" in FIGURES[job]


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


def _print(table: Table, to: TextIO | None) -> None:
    to = to or sys.stdout
    width, height = (None, None) if to.isatty() else (120, 50)
    Console(file=to, highlight=False, markup=False, width=width, height=height).print(table)


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
