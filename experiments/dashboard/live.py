"""The store as the page last saw it, so that only what has changed is read and sent."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from experiments.report import words
from experiments.report.rows import COLUMNS, Details, Row
from experiments.report.templating import part
from experiments.store import Store

PAUSE = 1.0  # seconds between two looks at the store, however many pages ask
ENDED = ("done", "no success", "failed")
WAITING = ("planned", "interrupted", "cut")


@dataclass(frozen=True)
class Progress:
    """How far a study is."""

    name: str
    rows: tuple[Row, ...]

    @property
    def runs(self) -> int:
        """How many there are."""
        return len(self.rows)

    @property
    def states(self) -> Counter[str]:
        """How many runs are in each state."""
        return Counter(row.state for row in self.rows)

    @property
    def ended(self) -> int:
        """How many need no more work."""
        return sum(self.states[state] for state in ENDED)

    @property
    def parts(self) -> list[tuple[str, int]]:
        """The bar: what it is made of, from the left."""
        n = self.states
        done = n["done"] + n["no success"]
        waiting = sum(n[state] for state in WAITING)
        bar = [("done", done), ("failed", n["failed"]), ("running", n["running"]), ("", waiting)]
        return [(state, n) for state, n in bar if n]

    @property
    def left(self) -> float | None:
        """Seconds until the end, if the rest takes what the ended runs took; None: not known."""
        took = [row.seconds for row in self.rows if row.state in ENDED]
        going = [row.seconds for row in self.rows if row.state == "running"]
        if not took or not going:
            return None
        each = sum(took) / len(took)
        waiting = sum(self.states[state] for state in WAITING)
        return (each * waiting + sum(max(0.0, each - spent) for spent in going)) / len(going)

    @property
    def sentence(self) -> str:
        """All of it in words."""
        said = [f"{self.ended:,} of {words.count(self.runs, 'run')} ended"]
        said += [
            f"{self.states[s]:,} {s}"
            for s in ("no success", "failed", "running", "cut")
            if self.states[s]
        ]
        if self.left is not None:
            said.append(f"about {words.time(max(1, round(self.left)))} left")
        return ", ".join(said)


class Live:
    """Looks at a store for many pages at once; every change has a number, and pages say theirs."""

    def __init__(self, url: str | None) -> None:
        self.url = url
        self.lock = threading.Lock()
        self.begun = secrets.token_hex(4)  # numbers of another dashboard mean nothing here
        self.looked = -PAUSE
        self.change = 0
        self.name = ""
        self.stamps: dict[int, Any] = {}
        self.rows: dict[int, Row] = {}
        self.changed: dict[int, int] = {}  # the number of a run's last change
        self.gone: dict[int, int] = {}

    def news(self, since: str) -> dict[str, Any]:
        """What is not known to a page that has seen ``since``; everything, if that is not ours."""
        with self.lock:
            self._look()
            begun, _, number = since.partition("-")
            ours = begun == self.begun and number.isdecimal()
            seen = int(number) if ours else -1
            new = [key for key, change in self.changed.items() if change > seen]
            return {
                "since": f"{self.begun}-{self.change}",
                "all": not ours,
                "rows": [part("body", self.rows[key], None, COLUMNS) for key in sorted(new)],
                "gone": [key for key, change in self.gone.items() if change > seen],
                "studies": "".join(self._studies()) if seen < self.change else None,
                "said": self._said(),
            }

    def details(self, key: int) -> str | None:
        """What is behind the row of that run; None if there is no such run."""
        with Store(self.url, create=False) as store:
            for run in store.runs(ids=[key]):
                history = store.history(run)
                row = Row.of(run, store.counts([key]).get(key, (0, 0)), store.busy)
                used = [name for name, value in run.settings.items() if value is not None]
                return part("details", Details.of(run, row, history, used))
        return None

    def _look(self) -> None:
        """Read what has changed since the last look, unless that was a moment ago."""
        if time.monotonic() - self.looked < PAUSE:
            return
        with Store(self.url, create=False) as store:
            self.name = store.name
            stamps = store.stamps()
            going = [key for key, row in self.rows.items() if row.state == "running"]
            fresh = [key for key, stamp in stamps.items() if self.stamps.get(key) != stamp]
            runs = store.runs(ids={*fresh, *going} & stamps.keys())
            counts = store.counts([run.id for run in runs])
            rows = {run.id: Row.of(run, counts.get(run.id, (0, 0)), store.busy) for run in runs}
        self._keep({key: row for key, row in rows.items() if self.rows.get(key) != row}, stamps)
        self.stamps, self.looked = stamps, time.monotonic()

    def _keep(self, rows: dict[int, Row], there: Iterable[int]) -> None:
        gone = self.rows.keys() - set(there)
        if rows or gone or not self.change:
            self.change += 1
        for key in gone:
            del self.rows[key], self.changed[key]
        for key in rows:
            self.gone.pop(key, None)
        self.gone |= dict.fromkeys(gone, self.change)
        self.rows |= rows
        self.changed |= dict.fromkeys(rows, self.change)

    def _studies(self) -> list[str]:
        """Those at which somebody is, and then the newest."""
        of_study: dict[str, list[Row]] = {}
        for _, row in sorted(self.rows.items()):
            if row.study:
                of_study.setdefault(row.study, []).append(row)
        newest = [Progress(name, tuple(rows)) for name, rows in reversed(of_study.items())]
        newest.sort(key=lambda study: not study.states["running"])
        return [part("progress", study) for study in newest]

    def _said(self) -> str:
        if not self.rows:
            return f"No runs yet in {self.name}."
        n = Counter(row.state for row in self.rows.values())
        states = ", ".join(
            f"{n[state]:,} {state}" for state in ("running", "planned", "failed") if n[state]
        )
        return (
            f"{words.count(len(self.rows), 'run')} in {self.name}{': ' + states if states else ''}."
        )
