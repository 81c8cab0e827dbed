"""Live progress of a run on one line of the terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from cem.state import Record, State
from cem.tally import Tally
from experiments.rewriting import Rewritten


class Watch(Rewritten):
    """A callback that rewrites one line, at most every ``seconds``; a context manager."""

    def __init__(self, name: str, job: str, *, console: Console, seconds: float = 0.1) -> None:
        super().__init__(console, seconds, at_once=True)
        self.name = name
        self.sign = -1.0 if job == "minimize" else 1.0
        self.since = time.monotonic()

    def __call__(self, state: State, record: Record) -> None:
        """Rewrite the line if it is time."""
        if self.is_time():
            spent = f"{time.monotonic() - self.since:.1f} s"
            words = [*self.words(state, record), spent, self.name]
            self.write(Text("  ".join(words), no_wrap=True, overflow="ellipsis"))

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
