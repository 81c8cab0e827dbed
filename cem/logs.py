"""The library's log: a line per iteration, for whoever attaches a handler, and for nobody else."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from cem.borders import Negated
from cem.state import Record, State
from cem.wrapping import Wrapper

LOGGER = logging.getLogger("cem")
LOGGER.addHandler(logging.NullHandler())


@dataclass(frozen=True)
class Logged:
    """A callback that logs every iteration as INFO; ``sign`` turns scores to the user's own.

    >>> import sys, cem
    >>> handler = logging.StreamHandler(sys.stdout)
    >>> LOGGER.addHandler(handler); LOGGER.setLevel("INFO")
    >>> best = cem.minimize(
    ...     lambda x: x.sum(axis=1), cem.Bernoulli([0.5] * 4), n_samples=50, rng=1, max_iterations=1
    ... )
    iteration 1: level 1, best 0, 50 evaluations
    >>> LOGGER.removeHandler(handler); LOGGER.setLevel("NOTSET")
    """

    sign: float = 1.0

    def __call__(self, _: State, record: Record) -> None:
        """Log it."""
        level, best = self.sign * record.gamma, self.sign * record.best
        numbers = (record.t, level, best, record.nfev)
        LOGGER.info("iteration %d: level %g, best %g, %d evaluations", *numbers)


def logged(problem: Any) -> Logged:
    """What logs a run of the problem, perhaps with others around it."""
    sign = 1.0
    while isinstance(problem, Wrapper):
        sign = -sign if isinstance(problem, Negated) else sign
        problem = problem.problem
    return Logged(sign)
