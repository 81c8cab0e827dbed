"""Live progress of a run on one line of the terminal."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from cem.state import Record, State
from cem.tally import Tally


class Watch:
    """A callback that rewrites one line, at most every ``seconds``; a context manager."""

    def __init__(self, name: str, job: str, *, console: Console, seconds: float = 0.1) -> None:
        self.name = name
        self.sign = -1.0 if job == "minimize" else 1.0
        self.seconds = seconds
        self.since = time.monotonic()
        self.written = -math.inf
        self.live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        self.live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.live.__exit__(kind, value, traceback)

    def __call__(self, state: State, record: Record) -> None:
        """Rewrite the line if it is time."""
        now = time.monotonic()
        if now - self.written >= self.seconds:
            self.written = now
            words = [*self.words(state, record), f"{now - self.since:.1f} s", self.name]
            line = Text("  ".join(words), no_wrap=True, overflow="ellipsis")
            self.live.update(line, refresh=True)

    def words(self, state: State, record: Record) -> list[str]:
        """What the line says of an iteration."""
        if "tally" in state.memory:
            tally = Tally.from_array(state.memory["tally"])
            error = f" ± {tally.relative_error:.2%}" if tally.hits > 1 else ""
            figures = [f"final sample {int(tally.n):,}", f"estimate {tally.probability:.4g}{error}"]
        else:
            level, best = self.sign * record.gamma, self.sign * record.best
            figures = [f"iteration {record.t}", f"level {level:.6g}", f"best {best:.6g}"]
        return [*figures, f"{record.nfev:,} evaluations"]


@contextmanager
def watching(name: str, job: str, *, quiet: bool) -> Iterator[tuple[Watch, ...]]:
    """A `Watch` on standard error if that is a terminal, else nothing."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield ()
    else:
        with Watch(name, job, console=console) as watch:
            yield (watch,)
