"""The static report: everything about some runs on one page that needs no network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from cem.state import History
from experiments.report import words
from experiments.report.compared import compared
from experiments.report.rows import Busy, Details, Row, columns, differing, shared
from experiments.report.templating import page
from experiments.report.troubles import troubles
from experiments.store import Run


def report(
    runs: Sequence[Run],
    histories: Mapping[int, History],
    *,
    title: str,
    busy: Busy,
    plan: Mapping[str, Any] | None = None,
) -> str:
    """The page, as HTML; the same runs give the same bytes.

    ``histories`` by the run's number; ``busy`` says whether a process is at work on a run; ``plan``
    is that of a study, from which all the runs are.
    """
    rows = [Row.of(run, _counted(histories[run.id]), busy) for run in runs]
    differ = differing(runs)
    details = [
        Details.of(run, row, histories[run.id], differ) for run, row in zip(runs, rows, strict=True)
    ]
    study = plan or {}
    return page(
        "report.html",
        "table.js",
        kicker="The cross-entropy method",
        title=title,
        description=study.get("description", ""),
        asked=words.asked(runs, plan),
        made=_made(runs),
        troubles=troubles(rows),
        compared=compared(runs, histories, plan),
        runs=list(zip(rows, details, strict=True)),
        columns=columns(rows),
        provenance=_provenance(runs),
        shared=shared(runs),
        text=study.get("text", ""),
        settings_title="Settings that differ",
    )


def _counted(history: History) -> tuple[int, int]:
    """Iterations and evaluations."""
    return len(history), int(history[-1].nfev) if history else 0


def _made(runs: Sequence[Run]) -> str:
    first, last = min(run.created for run in runs), max(run.touched for run in runs)
    spent = words.time(sum(run.seconds for run in runs))
    between = f"begun {words.moment(first)}, last touched {words.moment(last)}"
    return f"{words.count(len(runs), 'run')}, {between}, {spent} of computing."


def _provenance(runs: Sequence[Run]) -> dict[str, str]:
    """What the runs were made with, and how to make them again."""
    facts = {}
    for name in dict.fromkeys(name for run in runs for name in run.versions):
        seen = Counter(run.versions.get(name, "not known") for run in runs)
        some = [f"{value} ({words.count(n, 'run')})" for value, n in seen.most_common()]
        facts[name] = next(iter(seen)) if len(seen) == 1 else "; ".join(some)
    return facts | {"seeds": words.seeds(run.seed for run in runs)}
