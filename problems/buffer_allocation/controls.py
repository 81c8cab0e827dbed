"""What an allocation is compared with: equal shares, and by how much it is better, measured."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cem.randomness import Purpose, branch, root_of
from cem.typing import Vector
from problems import check_whole
from problems.buffer_allocation.problem import BufferAllocation

LATE = 10  # an iteration with the longest runs


class Gap(NamedTuple):
    """By how much the throughput of one allocation is above another's, in jobs per unit of time."""

    mean: float
    standard_error: float
    replications: int

    def confidence_interval(self, level: float = 0.95) -> tuple[float, float]:
        """Student's interval."""
        if not 0 < level < 1:
            raise ValueError(f"level must lie strictly between 0 and 1; got {level!r}")
        from scipy.special import stdtrit

        half = float(stdtrit(self.replications - 1, (1 + level) / 2)) * self.standard_error
        return self.mean - half, self.mean + half


def gap(
    problem: BufferAllocation, x: Any, other: Any, *, rng: Any = None, replications: int = 100
) -> Gap:
    """By how much ``x`` is better than ``other``, from scores with the same random times for both.

    >>> from problems.buffer_allocation import ProductionLine
    >>> problem = BufferAllocation(ProductionLine([1.0] * 3), capacity=4)
    >>> low, high = gap(problem, [2, 2], [1, 3], rng=1).confidence_interval(0.99)
    >>> bool(low < 0.7340166721 - 0.7177677859 < high), high - low < 0.002
    (True, True)
    """
    check_whole("replications", replications, least=2)
    root, both = root_of(rng), np.array([x, other])
    roots = [branch(root, Purpose.REPLICATION, i) for i in range(replications)]
    score = np.array([problem.bound_at(each, LATE, 0)(both) for each in roots])
    better = score[:, 0] - score[:, 1]
    error = float(better.std(ddof=1)) / np.sqrt(replications)
    return Gap(float(better.mean()), float(error), replications)


def equal_shares(problem: BufferAllocation) -> Vector:
    """As many places for every buffer, those that are left over spread along the line.

    >>> from problems.buffer_allocation import ProductionLine
    >>> equal_shares(BufferAllocation(ProductionLine([1.0] * 5), capacity=10))
    array([2, 3, 2, 3])
    """
    n = problem.line.n_buffers
    return np.diff(np.arange(n + 1) * problem.capacity // n)
