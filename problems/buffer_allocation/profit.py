"""Buffer places that cost something: how many, and where, for the most profit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.random import Generator, SeedSequence

from cem.answer import Noise
from cem.families import Composition
from cem.paired import PairedRace
from cem.typing import Batch, Problem, Vector
from problems.buffer_allocation.line import ProductionLine
from problems.buffer_allocation.problem import INDIFFERENCE, BufferAllocation


@dataclass(frozen=True, eq=False)
class BufferProfit:
    """Score: ``value`` times the throughput less ``price`` times the places; noisy, maximised.

    ``x[i]`` places lie between machines ``i`` and ``i + 1``, and the last of ``x`` are not built.

    Parameters
    ----------
    line : ProductionLine
    capacity : int
        The most places there may be, at least 1.
    value, price : float
        Money for a job, and for a place in the unit of time.

    >>> profit = BufferProfit(ProductionLine([1.0, 1.0]), capacity=4, value=100.0, price=3.0)
    >>> profit.exact([2, 2])  # 2 places: 100 times 4/5 less 6
    74.0
    """

    line: ProductionLine
    capacity: int
    value: float = 1.0
    price: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.value < np.inf:
            raise ValueError(f"value must be positive and finite; got {self.value!r}")
        if not 0 <= self.price < np.inf:
            raise ValueError(f"price must be at least 0 and finite; got {self.price!r}")
        if self.throughput.capacity < 1:
            raise ValueError("capacity must be at least 1; got 0: there is nothing to choose")

    @cached_property
    def throughput(self) -> BufferAllocation:
        """What simulates the line."""
        return BufferAllocation(self.line, self.capacity)

    def __call__(self, x: Batch, /) -> Any:
        """Refused: without a generator there is no score."""
        del x
        raise TypeError(
            "the profit of a simulated line is random: give it a generator first, as in "
            "problem.bind(rng)(x)"
        )

    def bind(self, rng: Generator) -> Problem:
        """The profit by runs as long as those of the first iteration, times from ``rng``."""
        return Simulated(self, self.throughput.bind(rng))

    def bound_at(self, root: SeedSequence, t: int, start: int) -> Problem:
        """The profit by the times of iteration ``t``, the same for all samples."""
        return Simulated(self, self.throughput.bound_at(root, t, start))

    def nominal(self) -> Composition:
        """All ways to share out the places, some of them not built, about equally likely."""
        return Composition.even(self.line.n_buffers + 1, self.capacity)

    def neighbours(self, x: Vector) -> Batch:
        """All allocations that one place built, left out or moved makes of ``x``."""
        one = np.eye(len(x), dtype=np.int64)
        moves = (one[:, None] - one).reshape(-1, len(x))
        near = np.asarray(x, dtype=np.int64) + moves[moves.any(axis=1)]
        return near[near.min(axis=1) >= 0]

    def noise(self) -> Noise:
        """A race that goes on until no place built, left out or moved is better."""
        indifference = INDIFFERENCE * self.value * float(self.line.rates.min())
        return Noise(candidates=3, race=PairedRace(indifference, neighbours=self.neighbours))

    def exact(self, x: Any) -> float:
        """The profit of an allocation by the exact throughput of a line that is small enough."""
        built = np.asarray(x)[:-1]
        return float(self.value * self.line.exact_throughput(built) - self.price * built.sum())


@dataclass(frozen=True, eq=False)
class Simulated:
    """The profit of allocations by certain random times."""

    profit: BufferProfit
    throughput: Problem

    def __call__(self, x: Batch, /) -> Vector:
        """The profits, shape ``(len(x),)``."""
        built = x[:, :-1]
        return self.profit.value * self.throughput(built) - self.profit.price * built.sum(axis=1)
