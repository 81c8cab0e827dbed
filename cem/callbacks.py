"""Callbacks: they watch a run, they never steer it. Any ``f(state, record)`` is one.

One that tells scores to people has a method ``turned()``, which `cem.minimize` calls: inside,
higher is always better, and what it returns turns the sign back.
"""

from __future__ import annotations

import os
import sys
import time
from copy import copy
from typing import Any, TextIO

from cem import checkpoint
from cem.state import History, Record, State


class Progress:
    """Write a line about the run every ``seconds``, and no more.

    >>> import cem
    >>> best = cem.maximize(
    ...     lambda x: x.sum(axis=1), cem.Bernoulli([0.5] * 4), n_samples=50, rng=1,
    ...     callback=Progress(seconds=0, to=sys.stdout), max_iterations=1,
    ... )
    iteration 1: level 3, best 4, 50 evaluations, ... s
    """

    def __init__(self, seconds: float = 1.0, to: TextIO | None = None) -> None:
        self.seconds = seconds
        self.to = to
        self.started = self.written = time.monotonic()
        self.sign = 1

    def turned(self) -> Progress:
        """The same for a search whose scores have their sign turned."""
        other = copy(self)
        other.sign = -self.sign
        return other

    def __call__(self, state: State, record: Record) -> None:
        """Write the line if it is time."""
        now = time.monotonic()
        if state.t > 1 and now - self.written < self.seconds:
            return
        self.written = now
        line = (
            f"iteration {record.t}: level {self.sign * record.gamma:g}, "
            f"best {self.sign * record.best:g}, "
            f"{record.nfev} evaluations, {now - self.started:.1f} s\n"
        )
        (self.to or sys.stderr).write(line)


class Checkpoint:
    """Save the run to a file after every iteration, whole or not at all.

    ``history`` is what was done before, if the run is resumed.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        settings: dict[str, Any],
        history: History | None = None,
    ) -> None:
        self.path = path
        self.settings = settings
        self.history = history or History()

    def __call__(self, state: State, record: Record) -> None:
        """Save it."""
        self.history = self.history.append(record)
        checkpoint.save(self.path, state, self.history, self.settings)
