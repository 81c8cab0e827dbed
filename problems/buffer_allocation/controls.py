"""What an allocation is compared with, and by how much it is better, measured."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cem.randomness import Purpose, branch, root_of
from cem.typing import Vector
from problems import check_whole
from problems.buffer_allocation.line import ProductionLine
from problems.buffer_allocation.problem import BufferAllocation, shared

LATE = 10  # an iteration with the longest runs
TOLERANCE = 1e-10  # of the slowest rate: by how much the pairs of a decomposition may differ
MOST_SWEEPS = 10_000


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

    Raises ValueError if the buffers have bounds, which the shares might not keep to.

    >>> from problems.buffer_allocation import ProductionLine
    >>> equal_shares(BufferAllocation(ProductionLine([1.0] * 5), capacity=10))
    array([2, 3, 2, 3])
    """
    if problem.constraints is not None:
        raise ValueError(
            "equal shares are for buffers without bounds; got lower="
            f"{problem.lower} and upper={problem.upper}"
        )
    return shared(problem.capacity, problem.line.n_buffers)


def by_decomposition(problem: BufferAllocation) -> Vector:
    """The allocation that no move of one place betters in the decomposition, from equal shares.

    >>> by_decomposition(BufferAllocation(ProductionLine([1.0, 1.2, 1.4]), capacity=10))
    array([7, 3])
    """
    x = equal_shares(problem)
    while True:
        tried = np.vstack([x, problem.neighbours(x)])
        found = decomposed(problem.line, tried)
        if found.max() - found[0] <= 2 * TOLERANCE * min(problem.line.service):
            return x
        x = tried[found.argmax()]


def decomposed(line: ProductionLine, allocations: Any) -> Vector:
    """About the throughputs of an exponential line without failures, from pairs of machines.

    Before buffer ``i`` stands a machine in place of all before it, after it one in place of all
    after it, both exponential: a pair is a queue M/M/1/K with ``K = places + 2``. A job takes the
    first machine of a pair its own time and, if it leaves the pair before empty, the time until
    something comes from there; the second one likewise with blocking. In the end all pairs have the
    same throughput: the symmetrical approach of Dallery and Frein, Operations Research 41 (1993),
    who prove that it converges. On balanced lines of three to seven machines it is below the exact
    throughput by 1.2 to 2.6 % with two places in every buffer and by 0.5 % with five (of five
    machines); on three without places by 3 %.

    Raises ValueError for other lines.

    >>> decomposed(ProductionLine([1.0, 1.0]), [[2]]).round(10)  # one pair is exact
    array([0.8])
    >>> line = ProductionLine([1.0] * 5)
    >>> decomposed(line, [[5] * 4]).round(4), round(line.exact_throughput([5] * 4), 4)
    (array([0.7895]), 0.7934)
    """
    if not line.exponential or line.fails:
        raise ValueError(
            "only exponential lines whose machines do not fail are decomposed here; got "
            f"{line!r}: simulate"
        )
    size, mean = line.checked(allocations).T + 2, 1 / np.array(line.service)[:, None]
    up, down = np.broadcast_arrays(1 / mean[:-1], 1 / mean[1:], size)[:2]
    up, down = up.copy(), down.copy()  # the rates of both machines of every pair
    for _ in range(MOST_SWEEPS):
        for i in range(1, len(size)):
            before = _Pair.of(up[i - 1], down[i - 1], size[i - 1])
            up[i] = 1 / (mean[i] + before.starved / up[i - 1])
        for i in range(len(size) - 2, -1, -1):
            after = _Pair.of(up[i + 1], down[i + 1], size[i + 1])
            down[i] = 1 / (mean[i + 1] + after.blocked / down[i + 1])
        passed = [_Pair.of(*pair).throughput for pair in zip(up, down, size, strict=True)]
        if np.ptp(passed, axis=0).max() <= TOLERANCE * min(line.service):
            return passed[0]
    raise ValueError(
        f"the pairs of machines did not agree on a throughput in {MOST_SWEEPS} sweeps: the rates "
        "likely lie too far apart; simulate"
    )


class _Pair(NamedTuple):
    throughput: Vector
    starved: Vector  # the chance that a job that leaves is the only one
    blocked: Vector  # the chance that a job that comes is the last to find room

    @classmethod
    def of(cls, up: Vector, down: Vector, size: Any) -> _Pair:
        """From the steady states of queues M/M/1/K."""
        k, row = np.arange(size.max() + 1), np.arange(len(size))
        log_p = np.where(k <= size[:, None], k * np.log(up / down)[:, None], -np.inf)
        p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        throughput = down * p[:, 1:].sum(axis=1)
        return cls(throughput, p[:, 1] * down / throughput, p[row, size - 1] * up / throughput)
