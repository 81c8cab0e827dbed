"""The least number of buffer places that a target throughput takes, and where they go."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.random import SeedSequence

from cem.randomness import Purpose, root_of, stream
from cem.typing import Vector
from problems import check_whole
from problems.buffer_allocation.line import ProductionLine

LEVEL = 0.999  # of the intervals that a throughput is judged by
FIRST, LAST = 8, 512  # simulations at the first judgement, and at the last


class Judged(NamedTuple):
    """An allocation, its throughput with an interval, and whether that reaches the target."""

    allocation: Vector
    throughput: float
    low: float
    high: float
    enough: bool

    @property
    def places(self) -> int:
        """How many there are in all buffers."""
        return int(self.allocation.sum())


class Least(NamedTuple):
    """The allocation with the fewest places that are enough, and the best with one less."""

    found: Judged
    one_less: Judged | None  # None if no places are enough


@dataclass(frozen=True)
class LeastBuffers:
    """The fewest places with which a line reaches a throughput of ``target``.

    Of two allocations with as many places the one with more throughput is better, and the best of
    more places has more throughput. So this is a search for the best allocation of every number of
    places that bisection asks about, and a judgement: is that enough? A price of shortfall in one
    score would not do, for the noise alone makes half of the scores fall short at the target.

    A throughput is judged by simulations of its own, twice as many until the target lies outside
    their 99.9 % interval; if it does not after 512, of 32 000 jobs each, then by their mean. So the
    target may lie between the ends of the interval of what was found, which says how near it is.

    Parameters
    ----------
    line : ProductionLine
    target : float
        Jobs per unit of time, below what the slowest machine does by itself.
    most : int
        Places that there may be.

    >>> least = LeastBuffers(ProductionLine([1.0, 1.0]), target=0.84)
    >>> found, one_less = least.search(lambda places: [places], rng=1)
    >>> found.places, bool(found.low < 6 / 7 < found.high)  # (b + 2) / (b + 3)
    (4, True)
    """

    line: ProductionLine
    target: float
    most: int = 1000

    def __post_init__(self) -> None:
        if not isinstance(self.line, ProductionLine):
            raise TypeError(f"line must be a ProductionLine; got {self.line!r}")
        slowest = float(self.line.rates.min())
        if not 0 < self.target < slowest:
            raise ValueError(
                f"target must lie between 0 and {slowest:g}, the throughput of the slowest machine "
                f"by itself, which no buffers reach; got {self.target!r}"
            )
        check_whole("most", self.most, least=0)

    def search(self, best: Callable[[int], Any], *, rng: Any = None) -> Least:
        """Bisect; ``best`` finds the best allocation of a number of places, 1 or more.

        That is ``lambda n: cem.maximize(BufferAllocation(line, n), rng=0).x`` for a line of three
        machines or more. It is asked about at most twice the logarithm to base 2 of the answer,
        plus two. Raises ValueError if ``most`` places are not enough.
        """
        root = root_of(rng)

        def tried(places: int) -> Judged:
            allocation = np.asarray(best(places))
            if allocation.sum() != places:
                raise ValueError(f"best must share out {places} places; got {allocation.tolist()}")
            return self._judged(allocation, root)

        few, found, places = None, self._judged(np.zeros(self.line.n_buffers, int), root), 0
        while not found.enough:
            if places == self.most:
                raise ValueError(
                    f"{self.most} places, the most that there may be, are not enough for the "
                    f"target {self.target:g}: they have a throughput of {found.throughput:g}"
                )
            places = min(2 * places or 1, self.most)
            few, found = found, tried(places)
        while few is not None and found.places - few.places > 1:
            middle = tried((found.places + few.places) // 2)
            few, found = (few, middle) if middle.enough else (middle, found)
        return Least(found, few)

    def _judged(self, allocation: Any, root: SeedSequence) -> Judged:
        """By simulations, twice as many until it is clear."""
        from scipy.special import stdtrit

        x, scores, clear = self.line.checked([allocation]), np.empty(0), False
        while not clear and len(scores) < LAST:
            n = max(2 * len(scores), FIRST)
            rng = (stream(root, Purpose.REPLICATION, *x[0], i) for i in range(len(scores), n))
            scores = np.append(scores, [self.line.simulate(x, each).mean[0] for each in rng])
            mean, error = float(scores.mean()), float(scores.std(ddof=1)) / math.sqrt(n)
            half = float(stdtrit(n - 1, (1 + LEVEL) / 2)) * error
            clear = abs(mean - self.target) > half
        return Judged(x[0], mean, mean - half, mean + half, mean >= self.target)
