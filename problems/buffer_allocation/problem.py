"""The buffer allocation problem: share out places among the buffers of a line for throughput."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.random import Generator, SeedSequence

from cem.answer import Noise
from cem.families import Composition
from cem.paired import PairedRace
from cem.randomness import Purpose, stream
from cem.typing import Batch, Vector
from problems import check_whole
from problems.buffer_allocation.exact import MOST_STATES, n_states
from problems.buffer_allocation.line import ProductionLine
from problems.buffer_allocation.simulation import Times, warm_up_of

MOST_LISTED = 300  # allocations, to be enumerated
MOST_REPORTED = 50_000  # states, to be solved for the sake of a report
INDIFFERENCE = 1e-4  # of the slowest machine's rate
LONGEST = 8  # times as many jobs as in the first iteration


@dataclass(frozen=True, eq=False)
class BufferAllocation:
    """Score of an allocation: the throughput of the line, by simulation; noisy, to be maximised.

    ``x[i]`` places lie between machines ``i`` and ``i + 1``, ``capacity`` in all. All samples of an
    iteration are simulated with the same random times (common random numbers), equal ones once.

    Parameters
    ----------
    line : ProductionLine
    capacity : int
        The places in all buffers together.
    lower, upper : int or sequence, optional
        The least and the most places of a buffer, for all or for each; an equal pair fixes one.
    jobs : int
        Jobs that are counted in each replication of the first iteration; what is dropped before is
        `problems.buffer_allocation.simulation.warm_up_of`.
    growth : float
        By what share runs grow longer with every iteration, up to eight times ``jobs``: the later,
        the fewer different allocations there are to be simulated.
    replications : int
        Independent ones within a score, each from an empty line.

    >>> problem = BufferAllocation(ProductionLine([1.0, 1.2, 1.4]), capacity=10)
    >>> score = problem.bind(np.random.default_rng(1))
    >>> score(np.array([[7, 3], [0, 10]])).round(1)  # 0.943 and 0.725
    array([0.9, 0.7])
    """

    line: ProductionLine
    capacity: int
    lower: Any = 0
    upper: Any = None
    jobs: int = 100
    growth: float = 1.0
    replications: int = 4

    def __post_init__(self) -> None:
        if not isinstance(self.line, ProductionLine):
            raise TypeError(f"line must be a ProductionLine; got {self.line!r}")
        check_whole("capacity", self.capacity, least=0)
        for name, least in (("jobs", 1), ("replications", 2)):
            check_whole(name, getattr(self, name), least)
        if not 0 <= self.growth < math.inf:
            raise ValueError(f"growth must be at least 0 and finite; got {self.growth!r}")
        low = _of_every_buffer("lower", self.lower, self.line.n_buffers)
        high = self.capacity if self.upper is None else self.upper
        high = _of_every_buffer("upper", high, self.line.n_buffers)
        if (low > high).any():
            at = int((low > high).argmax())
            raise ValueError(
                f"lower must not exceed upper; got {low[at]} and {high[at]} for buffer {at}"
            )
        if not low.sum() <= self.capacity <= high.sum():
            raise ValueError(
                f"capacity must lie between the sums of the bounds, {low.sum()} and {high.sum()}; "
                f"got {self.capacity}"
            )
        object.__setattr__(self, "lower", tuple(low.tolist()))
        object.__setattr__(self, "upper", tuple(high.tolist()))

    def __call__(self, x: Batch, /) -> Any:
        """Refused: without a generator there is no score."""
        del x
        raise TypeError(
            "the throughput of a simulated line is random: give it a generator first, as in "
            "problem.bind(rng)(x), or ask for problem.line.exact_throughput(allocation)"
        )

    def bind(self, rng: Generator) -> Simulated:
        """The throughput by runs as long as those of the first iteration, times from ``rng``."""
        return self._bound(rng, 0)

    def bound_at(self, root: SeedSequence, t: int, start: int) -> Simulated:
        """The throughput by the times of iteration ``t``, the same for all samples."""
        del start
        return self._bound(stream(root, Purpose.NOISE, t), t)

    def jobs_at(self, t: int) -> int:
        """How many jobs are counted in each replication of iteration ``t``."""
        return int(self.jobs * min((1 + self.growth) ** t, LONGEST))

    def nominal(self) -> Composition:
        """All allocations about equally likely.

        Raises ValueError if there is but one, with a single buffer or without places.
        """
        if self.line.n_buffers == 1 or self.capacity == 0:
            raise ValueError(
                f"there is nothing to choose with {self.capacity} places for "
                f"{self.line.n_buffers} buffer(s): simulate the line"
            )
        return Composition.even(self.line.n_buffers, self.capacity)

    @property
    def constraints(self) -> Any:
        """How far the buffers are out of their bounds; None if they have none."""
        if not any(self.lower) and min(self.upper) >= self.capacity:
            return None
        return self._outside

    def neighbours(self, x: Vector) -> Batch:
        """All allocations that one place moved makes of ``x``, within the bounds."""
        moved = np.eye(len(x), dtype=np.int64)
        moves = (moved[:, None] - moved).reshape(-1, len(x))
        near = np.asarray(x, dtype=np.int64) + moves[moves.any(axis=1)]
        return near[self._outside(near) == 0]

    def near(self, x: Vector) -> Batch:
        """All allocations that a place moved to the next buffer makes of ``x``, and equal shares.

        Of a long line, which has too many `neighbours` for a race.
        """
        moved = np.diff(np.eye(len(x), dtype=np.int64), axis=0)
        near = np.asarray(x, dtype=np.int64) + np.concatenate([moved, -moved])
        near = np.concatenate([near, [shared(self.capacity, len(x))]])
        return near[self._outside(near) == 0]

    @property
    def indifference(self) -> float:
        """The difference of throughputs that the race takes for none."""
        return INDIFFERENCE * float(self.line.rates.min())

    def noise(self) -> Noise:
        """What to do about the noise: a race that goes on until no move of one place is better."""
        n, race = self.line.n_buffers, PairedRace(self.indifference, neighbours=self.neighbours)
        if 4 * n * (n - 1) * race.first > race.most:  # few leaders could show all their neighbours
            race = PairedRace(self.indifference, neighbours=self.near, most=200 * n)
        return Noise(candidates=3, race=race)

    def exact(self) -> float | None:
        """The largest throughput, by enumeration; None if there is too much to enumerate.

        >>> round(BufferAllocation(ProductionLine([1.0, 1.2, 1.4]), capacity=10).exact(), 10)
        0.9428995379
        """
        n = self.line.n_buffers
        if not self.line.exponential or math.comb(self.capacity + n - 1, n - 1) > MOST_LISTED:
            return None
        bars = combinations(range(self.capacity + n - 1), n - 1)
        edges = np.array([(-1, *bar, self.capacity + n - 1) for bar in bars])
        x = np.diff(edges, axis=1) - 1
        x = x[self._outside(x) == 0]
        if sum(n_states(self.line, allocation) for allocation in x) > MOST_STATES:
            return None
        return max(self.line.exact_throughput(allocation) for allocation in x)

    def report(self, found: Any) -> dict[str, str]:
        """The interval of the answer, and its exact throughput where the line is small enough."""
        low, high = found.confidence_interval()
        told = {"interval": f"{low:.6g} to {high:.6g}"}
        if self.line.exponential and n_states(self.line, found.x) <= MOST_REPORTED:
            told["exact throughput"] = f"{self.line.exact_throughput(found.x):.6g}"
        return told

    def _outside(self, x: Batch) -> Vector:
        return (np.maximum(self.lower - x, 0) + np.maximum(x - self.upper, 0)).sum(axis=1)

    def _bound(self, rng: Generator, t: int) -> Simulated:
        warm_up = warm_up_of(self.line, [[self.capacity]])
        times = Times.draw(self.line, rng, warm_up + self.jobs_at(t), self.replications)
        return Simulated(self.line, times, warm_up)


@dataclass(frozen=True, eq=False)
class Simulated:
    """The throughput of allocations by certain random times."""

    line: ProductionLine
    times: Times
    warm_up: int

    def __call__(self, x: Batch) -> Vector:
        """The throughputs, shape ``(len(x),)``."""
        mean, _ = self.times.throughput(self.line.checked(x), self.warm_up)
        return mean


def _of_every_buffer(name: str, given: Any, n_buffers: int) -> Any:
    """A bound of every buffer, be it one for all."""
    bound = np.asarray(given)
    if bound.dtype.kind not in "iu":
        raise TypeError(f"{name} must be of whole numbers; got {given!r}")
    if bound.shape not in {(), (n_buffers,)}:
        raise ValueError(
            f"{name} must be a number or one for every of the {n_buffers} buffers; got {given!r}"
        )
    if bound.min(initial=0) < 0:
        raise ValueError(f"{name} must not be negative; got {given!r}")
    return np.broadcast_to(bound, n_buffers).astype(np.int64)


def shared(places: int, n: int) -> Vector:
    """As many places for each of ``n`` buffers, those that are left over spread along the line.

    >>> shared(10, 4)
    array([2, 3, 2, 3])
    """
    return np.diff(np.arange(n + 1) * places // n)
