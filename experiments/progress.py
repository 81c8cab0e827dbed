"""How far a sweep is: a page that is rewritten on a terminal, else a line now and then."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any, Self

from rich.console import Console, Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from experiments.rewriting import Rewritten
from experiments.store import Run
from experiments.study import Study
from experiments.task import FIGURES, word_of

ELSEWHERE = "elsewhere"  # the status, here only, of a run at which another process is
COLUMNS = ("done", "running", "failed", "left")
EVERY = {True: 0.2, False: 10.0}  # seconds between two pages on a terminal, between two lines
WIDTH = 60  # of the bar
AROUND = 6  # lines of a page besides those of its variations


@dataclass(frozen=True)
class Row:
    """Where one variation is; `figure` is the median of the runs that are done."""

    name: str
    done: int
    running: int
    failed: int
    left: int
    figure: float | None


class Standing:
    """The status of every run of a study, and how fast they end."""

    def __init__(self, study: Study, runs: Iterable[Run]) -> None:
        self.study = study
        self.runs = {run.id: run for run in runs}
        self.since = time.monotonic()
        self.ended = 0  # runs, since then
        self.worked = 0.0  # seconds of slices, since then
        self.is_staffed = True  # whether anybody is there to work

    def now(self, run: Run) -> None:
        """What has become of a run."""
        self.ended += run.status in {"done", "failed"}
        self.runs[run.id] = run

    def count(self, *statuses: str) -> int:
        """How many runs have one of these statuses."""
        return sum(run.status in statuses for run in self.runs.values())

    def rows(self) -> list[Row]:
        """One per variation, in the order of the file."""
        of: dict[str, list[Run]] = {v.name: [] for v in self.study.variations}
        for run in self.runs.values():
            of[str(run.variation)].append(run)
        return [self._row(name, runs) for name, runs in of.items()]

    def per_minute(self) -> float:
        """Runs that ended, in a minute."""
        return 60 * self.ended / max(time.monotonic() - self.since, 1e-9)

    def seconds_left(self) -> float | None:
        """A guess: that the others take as long as those of their variation took that are done."""
        seconds: dict[str | None, list[float]] = {}
        for run in self.runs.values():
            if run.status == "done":
                seconds.setdefault(run.variation, []).append(run.seconds)
        if not seconds or not self.worked:
            return None
        means = {name: sum(some) / len(some) for name, some in seconds.items()}
        usual = sum(means.values()) / len(means)
        ahead = (
            max(means.get(run.variation, usual) - run.seconds, 0.0)
            for run in self.runs.values()
            if run.status not in {"done", "failed", ELSEWHERE}
        )
        return sum(ahead) * (time.monotonic() - self.since) / self.worked

    def line(self) -> str:
        """Everything in one line."""
        words = [f"{self.study.name}: {self.count('done'):,} of {len(self.runs):,} runs done"]
        words += [] if self.is_staffed else ["waiting for a worker to come"]
        words += [f"{n:,} failed"] if (n := self.count("failed")) else []
        words += [f"{n:,} are another process's"] if (n := self.count(ELSEWHERE)) else []
        words += [f"{rate:,.3g} runs a minute"] if 0 < (rate := self.per_minute()) < 100 else []
        words += [f"{rate:,.0f} runs a minute"] if rate >= 100 else []
        if (left := self.seconds_left()) is not None:
            words.append(f"about {duration(left)} left, if the others take as long")
        return ", ".join(words)

    def is_unfinished(self) -> bool:
        """Whether there are runs that have not come to an end."""
        return self.count("done", "failed") < len(self.runs)

    def failures(self) -> list[Run]:
        """The runs that failed."""
        return [run for run in self.runs.values() if run.status == "failed"]

    def as_dict(self) -> dict[str, Any]:
        """All of it for programs."""
        failures = [
            {"run": r.name, "variation": r.variation, "seed": r.seed, "error": r.error}
            for r in self.failures()
        ]
        return {
            "study": self.study.name,
            "problem": self.study.problem,
            "job": self.study.job,
            "runs": len(self.runs),
            "done": self.count("done"),
            "failed": len(failures),
            "seconds": time.monotonic() - self.since,
            "variations": [vars(row) for row in self.rows()],
            "failures": failures,
        }

    def _row(self, name: str, runs: list[Run]) -> Row:
        counts = {
            status: sum(run.status == status for run in runs) for status in ("done", "failed")
        }
        running = sum(run.status in {"running", ELSEWHERE} for run in runs)
        figures = [figure for run in runs if (figure := figure_of(run)) is not None]
        left = len(runs) - running - sum(counts.values())
        return Row(name, running=running, left=left, figure=_median(figures), **counts)


class Page(Rewritten):
    """What the terminal shows of a `Standing`; a context manager."""

    def __init__(self, standing: Standing, *, quiet: bool, console: Console | None = None) -> None:
        console = console or Console(stderr=True)
        every = EVERY[console.is_terminal]
        super().__init__(console, every, at_once=False)  # what is done at once needs no page
        self.standing = standing
        self.quiet = quiet

    def __enter__(self) -> Self:
        return self if self.quiet else super().__enter__()

    def now(self, run: Run) -> None:
        """Take note of what has become of a run."""
        self.standing.now(run)

    def worked(self, seconds: float) -> None:
        """Take note of the work that was done."""
        self.standing.worked += seconds

    def staffed(self, is_staffed: bool) -> None:
        """Take note of whether anybody is there to work."""
        self.standing.is_staffed = is_staffed

    def show(self) -> None:
        """Show it, if it is time."""
        if self.quiet or not self.is_time():
            return
        if self.console.is_terminal:
            self.write(self._page())
        else:
            self.console.print(
                f"cem: {self.standing.line()}", soft_wrap=True, markup=False, highlight=False
            )

    def _page(self) -> Group:
        at = self.standing
        ended = at.count("done", "failed")
        bar = Table.grid()
        bar.add_row(ProgressBar(total=max(len(at.runs), 1), completed=ended, width=WIDTH))
        rows = at.rows()
        room = max(self.console.height - AROUND, 1)
        if len(rows) > room:  # those at which somebody is, then those that are not done
            rows = sorted(rows, key=lambda row: (not row.running, not row.left))[:room]
        line = Text(at.line(), no_wrap=True, overflow="ellipsis")
        return Group(table(rows, at.study.job), bar, line)


def table(rows: Iterable[Row], job: str) -> Table:
    """One line per variation."""
    out = Table(box=None, pad_edge=False)
    out.add_column("variation", overflow="ellipsis", no_wrap=True)
    for name in (*COLUMNS, f"median {word_of(job)}"):
        out.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        counts = [f"{getattr(row, name):,}" for name in COLUMNS]
        out.add_row(Text(row.name), *counts, "-" if row.figure is None else f"{row.figure:.6g}")
    return out


def figure_of(run: Run) -> float | None:
    """The figure that a run was for, if it is done and has one."""
    return None if run.result is None else run.result[FIGURES[run.job][0]]


def duration(seconds: float) -> str:
    """Seconds in words, roughly.

    >>> duration(42.3), duration(200), duration(9000)
    ('43 s', '4 min', '2.5 h')
    """
    if seconds < 100:
        return f"{math.ceil(seconds)} s"
    return f"{math.ceil(seconds / 60)} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def _median(figures: list[Any]) -> float | None:
    return median(figures) if figures else None
