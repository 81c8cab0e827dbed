"""A run as the page shows it: a row of the table, and what is behind it when it is opened."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from cem.state import History
from experiments.report import words
from experiments.report.plots import sketches
from experiments.report.sketch import Sketch
from experiments.runner import FIGURES, summary
from experiments.store import Run
from experiments.task import is_estimated, word_of

STATES = ("done", "no success", "running", "cut", "interrupted", "failed", "planned")
COLUMNS = {  # of the table of runs, and what is in them
    "run": "text",
    "status": "text",
    "study": "text",
    "variation": "text",
    "seed": "number",
    "result": "number",
    "± error": "number",
    "evaluations": "number",
    "iterations": "number",
    "seconds": "number",
    "notes": "text",
}
Busy = Callable[[Run], bool]


@dataclass(frozen=True)
class Row:
    """The line of a run in the table; a number that is not known is None."""

    id: int
    name: str
    study: str
    variation: str
    seed: int
    state: str  # one of STATES
    result: float | None
    error: float | None  # relative, of an estimate
    evaluations: int
    iterations: int
    seconds: float
    warnings: tuple[str, ...]
    trouble: str  # why it failed, or has no success
    note: str
    tags: tuple[str, ...]

    @property
    def shown(self) -> str:
        """The result on paper: an estimate with its order of magnitude, a score as it is."""
        if self.result is None:
            return ""
        return f"{self.result:.7g}" if self.error is None else f"{self.result:.3e}"

    @classmethod
    def of(cls, run: Run, counted: tuple[int, int], busy: Busy) -> Row:
        """``counted``: the iterations and evaluations in the store."""
        found = run.result or {}
        iterations, evaluations = counted
        state = _state(run, busy)
        trouble = found.get("message") if state == "no success" else run.error
        return cls(
            id=run.id,
            name=run.name,
            study=run.study or "",
            variation=run.variation or "",
            seed=run.seed,
            state=state,
            result=found.get(FIGURES[run.job][0]),
            error=found.get("relative_error"),
            evaluations=found.get("nfev") or evaluations,
            iterations=found.get("nit") or iterations,
            seconds=run.seconds,
            warnings=tuple(found.get("warnings") or ()),
            trouble=trouble or "",
            note=run.note,
            tags=tuple(run.tags),
        )


@dataclass(frozen=True)
class Details:
    """What is behind a row; ``changed`` are the settings in which the runs shown differ."""

    row: Row
    facts: Mapping[str, str]
    changed: Mapping[str, str]
    sketches: Sequence[Sketch]
    provenance: Mapping[str, str]
    command: str | None

    @classmethod
    def of(cls, run: Run, row: Row, history: History, differ: Iterable[str]) -> Details:
        """``differ``: the names of the settings to show."""
        used = {key: words.value(run.settings[key]) for key in differ if key in run.settings}
        return cls(
            row=row,
            facts={"job": f"{run.job} {run.problem}", **_facts(run)},
            changed=used,
            sketches=sketches(run, history),
            provenance=_provenance(run),
            command=words.command(run),
        )


def columns(rows: Iterable[Row]) -> dict[str, str]:
    """The columns of the table in which any of these rows has something to say."""
    said = set(COLUMNS) - {"study", "variation", "± error", "notes"}
    for row in rows:
        said |= {"variation"} if row.variation else set()
        said |= {"± error"} if row.error is not None else set()
        said |= {"notes"} if row.note or row.tags or row.trouble else set()
    return {name: kind for name, kind in COLUMNS.items() if name in said}


def differing(runs: Sequence[Run]) -> list[str]:
    """The names of the settings that are not the same in all runs of the same problem."""
    kinds: dict[str, dict[str, set[str]]] = {}
    for run in runs:
        of_problem = kinds.setdefault(run.problem, {})
        for key, value in run.settings.items():
            of_problem.setdefault(key, set()).add(json.dumps(value))
    found = [key for values in kinds.values() for key, seen in values.items() if len(seen) > 1]
    return list(dict.fromkeys(found))


def shared(runs: Sequence[Run]) -> dict[str, dict[str, str]]:
    """By problem, the settings that all its runs have in common; unset ones are left out."""
    varying = set(differing(runs))
    return {
        run.problem: {
            key: words.value(value)
            for key, value in run.settings.items()
            if key not in varying and value is not None
        }
        for run in runs
    }


def _state(run: Run, busy: Busy) -> str:
    if run.status == "done":
        return "done" if (run.result or {}).get("success") else "no success"
    return "cut" if run.status == "running" and not busy(run) else run.status


def _facts(run: Run) -> dict[str, str]:
    found = summary(run)
    if run.result is None:
        return {"error": run.error} if run.error else {}
    facts = {word_of(run.job): words.number(found[FIGURES[run.job][0]])}
    if is_estimated(run.job):
        low, high = found["confidence_interval"] or (None, None)
        facts |= {
            "standard error": words.number(found["std_error"]),
            "95 % interval": f"{words.number(low)} to {words.number(high)}",
            "exact": words.number(found["known"]),
            "method": found["method"] or "",
        }
    else:
        facts["known optimum"] = words.number(found["known"])
    facts |= {str(key): str(value) for key, value in found["report"].items()}
    return {k: v for k, v in facts.items() if v} | {"it ended because": found["message"] or ""}


def _provenance(run: Run) -> dict[str, str]:
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    ended = words.moment(run.touched)
    return {
        "seed": str(run.seed),
        "made": f"{words.moment(run.created)}, last touched {ended}, {words.time(run.seconds)}",
        "with": versions,
    }
