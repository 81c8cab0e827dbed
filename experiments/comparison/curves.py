"""Curves over seeds: how far runs are after so many evaluations, and how many have arrived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cem.typing import Array
from experiments.comparison.judging import quantile
from experiments.comparison.outcomes import Outcome

POINTS = 200  # of a band


@dataclass(frozen=True, eq=False)
class Band:
    """Median and quartiles over ``of`` runs after so many evaluations, shapes ``(POINTS,)``.

    Every run is a step function; before its first record it has nothing, which is infinitely bad,
    and after its end it keeps its last value.
    """

    evaluations: Array
    lower: Array
    median: Array
    upper: Array
    of: int


@dataclass(frozen=True, eq=False)
class Profile:
    """The run lengths to a target: the evaluations of those that reached it, sorted, of ``of``.

    ``end`` is the most that any run spent. The share that has arrived after ``evaluations[k]`` is
    ``(k + 1) / of``; those that never arrive keep it below one.
    """

    target: float
    evaluations: Array
    of: int
    end: float

    def share(self, evaluations: float) -> float:
        """The share of the runs that have reached the target after so many evaluations.

        >>> Profile(0.1, np.array([10.0, 20.0]), 4, 100.0).share(20.0)
        0.5
        """
        return float(np.searchsorted(self.evaluations, evaluations, side="right") / self.of)


def band(found: Sequence[Outcome], sign: float) -> Band | None:
    """The band of all runs that have a history; None if none has."""
    some = [one for one in found if one.evaluations.size]
    if not some:
        return None
    first = min(one.evaluations[0] for one in some)
    last = max(one.evaluations[-1] for one in some)
    grid = np.linspace(first, last, POINTS)
    values = np.array([_at(one, grid, sign) for one in some]).T
    lower, median, upper = (quantile(values, q) for q in (0.25, 0.5, 0.75))
    return Band(grid, lower, median, upper, len(some))


def profile(found: Sequence[Outcome], target: float, sign: float) -> Profile | None:
    """The profile of all runs; None if there is no run."""
    if not found:
        return None
    length = np.sort([one.length(target, sign) for one in found])
    end = max(one.spent for one in found)
    return Profile(target, length[np.isfinite(length)], len(found), end)


def _at(one: Outcome, grid: Array, sign: float) -> Array:
    """The step function of a run on the grid."""
    at = np.searchsorted(one.evaluations, grid, side="right")
    return np.concatenate([[-sign * np.inf], one.course])[at]
