"""Jackson queues in tandem: does the total population reach a level before the system is empty?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from cem.families.markov_chain import MarkovChain
from cem.typing import Batch, Vector
from problems import check_whole


@dataclass(frozen=True)
class Tandem:
    """Score of a path: the largest total population; the event is that it reaches ``level``.

    Customers arrive at the first queue with rate ``arrival`` and are served by one queue after the
    other, at the rates ``services``; all times are exponential. A path is the sequence of arrivals
    and services from one customer in the first queue until the system is empty or holds ``level``
    customers. The times between the events do not matter.

    ``layers`` says which states are tilted alike. ``b > 0``: those with equal ``min(jobs, b)`` in
    every queue, the boundary layers of de Boer and Nicola (2002). None: every state has a row of
    probabilities of its own, so that the best change of measure is within reach, but only with
    samples enough to visit them all. 0: one row for all states, the textbook's tilting, where a
    service at an empty queue is an event that changes nothing. It fails where service rates are
    equal: Glasserman and Kou (1995).

    >>> Tandem(1.0, (4.0, 2.0), level=20).exact()
    1.907347021...e-06
    """

    arrival: float = 1.0
    services: Sequence[float] = (4.0, 2.0)
    level: int = 20
    layers: int | None = 2

    def __post_init__(self) -> None:
        object.__setattr__(self, "services", tuple(self.services))
        if not self.services or not all(0 < r < np.inf for r in self._rates):
            raise ValueError(
                "arrival and services must be positive rates, one of service for every queue; got "
                f"{self.arrival} and {list(self.services)}"
            )
        check_whole("level", self.level, least=2)
        if self.layers is not None:
            check_whole("layers", self.layers, least=0)

    def __call__(self, x: Batch) -> Vector:
        """The largest population along each of the `cem.families.paths.Paths`, shape ``(n,)``."""
        return self._chain.highest(x)

    @property
    def gamma(self) -> float:
        """The level."""
        return float(self.level)

    def nominal(self) -> MarkovChain:
        """The chain of the events: each is as likely as its share of the rates at work."""
        return self._chain

    def exact(self) -> float:
        """``P(S >= level)``: the equations of first passage, one per state, solved."""
        from scipy.sparse import coo_array, eye_array
        from scipy.sparse.linalg import spsolve

        chain, (m, k) = self._chain, self._after.shape
        p = chain.p[chain.row.astype(int)]
        where, stays = self._after, self._after < m
        state = np.broadcast_to(np.arange(m)[:, np.newaxis], (m, k))
        moves = coo_array((p[stays], (state[stays], where[stays])), (m, m))
        hits = np.where(where == m + 1, p, 0.0).sum(axis=1)
        return float(spsolve((eye_array(m) - moves).tocsc(), hits)[0])

    @property
    def _rates(self) -> tuple[float, ...]:
        return (self.arrival, *self.services)

    @cached_property
    def _chain(self) -> MarkovChain:
        jobs = self._states if self.layers is None else np.minimum(self._states, self.layers)
        kinds, row = np.unique(jobs, axis=0, return_inverse=True)
        idle = (kinds == 0) & (self.layers != 0)
        rate = np.where(np.insert(idle, 0, False, axis=1), 0.0, self._rates)
        height = np.append(self._states.sum(axis=1), [0, self.level])
        return MarkovChain(rate / rate.sum(axis=1, keepdims=True), self._after, row.ravel(), height)

    @cached_property
    def _states(self) -> Any:
        """The jobs in each queue, one row per state; the first is where paths begin."""
        d = len(self.services)
        every = np.array(
            [s for s in product(range(self.level), repeat=d) if 0 < sum(s) < self.level]
        )
        start = np.eye(1, d, dtype=int)
        return np.vstack([start, every[(every != start).any(axis=1)]])

    @cached_property
    def _after(self) -> Any:
        """The state after each event: past the last, that is when it is empty; then, overflow."""
        d, m = len(self.services), len(self._states)
        number = {tuple(s): i for i, s in enumerate(self._states.tolist())}
        number[(0,) * d] = m
        moves = np.eye(d + 1, d, dtype=int) - np.eye(d + 1, d, k=-1, dtype=int)
        after = np.empty((m, d + 1), dtype=np.int64)
        for i, s in enumerate(self._states):
            for e, move in enumerate(moves):
                to = tuple((s + move).tolist())
                after[i, e] = i if min(to) < 0 else number.get(to, m + 1)
        return after


problem = Tandem
