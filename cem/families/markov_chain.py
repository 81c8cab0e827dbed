"""Markov chains that stop: the family for queues, games and whatever moves from event to event."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.random import Generator

from cem.families.categorical import Choices, distributions
from cem.families.parametric import constant, parameter, real, whole
from cem.families.paths import Paths, paths, weighted_paths
from cem.typing import Array, Batch, Vector

FAINTEST = 0.05  # of the probability in another member: what an event keeps to be no fainter
LONGEST = 10_000_000  # steps of a path beyond which it is said to have no end


@dataclass(frozen=True, eq=False, repr=False)
class MarkovChain(Choices):
    """``f(x; p, top) = prod_t p[row[s_t], e_t]`` up to the first time that the chain is at ``top``.

    In state ``s`` event ``e`` leads to ``after[s, e]``. A path begins in state 0 and ends when it
    leaves the states ``0, ..., m - 1`` that have a row: numbers from ``m`` on say where to.
    ``row``, shape ``(m,)``, says which row of ``p`` a state uses: one each, or one that several
    share, so that they are tilted alike. ``height[s]``, also of the ends, says how near a state is
    to the event. From the first state of height ``top`` or more on, the rows are those of ``rest``,
    by default the ``p`` that is given first: the event is reached, and what follows is left as it
    was. ``p`` and ``rest`` have shape ``(n_rows, k)``, ``after`` has ``(m, k)``, and ``top`` is one
    number, by default the largest height. An event that cannot be has probability zero.

    A batch is `Paths` whose steps are pairs of a state and an event, int32. If every state has its
    own row, the nominal chain given that it reaches a height is a member, so that the best change
    of measure is within reach: de Boer and Nicola (2002).

    A gambler with 1 coin who wins 3 times in 10, and those who get to 3 coins before none:

    >>> coin = MarkovChain([[0.7, 0.3], [0.7, 0.3]], [[2, 1], [0, 3]], [0, 1], [1, 2, 0, 3])
    >>> x = coin.sample(np.random.default_rng(0), 10_000)
    >>> coin.fit(x, (coin.highest(x) == 3).astype(float)).p.round(1)
    array([[0. , 1. ],
           [0.2, 0.8]])
    """

    p: Array = parameter(distributions, ndim=2)
    after: Array = constant(whole(0), ndim=2)
    row: Array = constant(whole(0))
    height: Array = constant(real)
    top: Any = field(default=None, metadata=parameter(real).metadata)
    rest: Any = field(default=None, metadata=constant(distributions, ndim=2).metadata)

    def __post_init__(self) -> None:
        if self.top is None:
            object.__setattr__(self, "top", [np.max(self.height)])
        if self.rest is None:
            object.__setattr__(self, "rest", self.p)
        super().__post_init__()
        (n_rows, k), m = self.p.shape, self.row.size
        ends = self.after.max() + 1
        for name, shape in {
            "after": (m, k),
            "rest": (n_rows, k),
            "height": (max(m, int(ends)),),
            "top": (1,),
        }.items():
            if getattr(self, name).shape != shape:
                raise ValueError(
                    f"MarkovChain.{name} must have shape {shape} for {m} states with a row, "
                    f"{k} events, {n_rows} rows and ends up to {ends - 1:g}; got shape "
                    f"{getattr(self, name).shape}"
                )
        if self.row.max() >= n_rows:
            raise ValueError(
                f"MarkovChain.row must be below {n_rows}, the number of rows of p; got "
                f"{self.row.max():g}"
            )

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` paths, event by event; each is drawn to its end before the next begins.

        Raises ValueError for a path of ten million steps, which likely has no end.
        """
        from cem.families.kernels import walk_the_chain

        tables = np.stack([_cumulative(self.p)[self._row], _cumulative(self.rest)[self._row]])
        at_top = self.height >= self.top
        steps, length = walk_the_chain(rng, n, tables, self._after, at_top, LONGEST)
        if n and length[-1] >= LONGEST:
            raise ValueError(
                f"MarkovChain.sample: a path has not ended after {LONGEST} steps; expected a chain "
                "that leaves the states with a row: p likely keeps it among some of them"
            )
        return Paths(steps, length)

    def log_density(self, x: Batch) -> Vector:
        """The sum of ``ln p`` up to ``top`` and of ``ln rest`` from there, shape ``(n,)``.

        ``-inf`` for what is no path from state 0 to an end.
        """
        x = self._events(x)
        good = self._is_path(x)
        if not good.all():
            log_f = np.full(len(x), -np.inf)
            log_f[good] = self.log_density(x[good])
            return log_f
        state, event = x.steps.T
        at_top = self._rank_before(x) >= np.searchsorted(self._levels, self.top)
        with np.errstate(divide="ignore"):
            log_p = np.log(np.stack([self.p, self.rest]))[
                at_top.astype(int), self._row[state], event
            ]
        return x.total(log_p)

    def fit(self, x: Batch, weights: Vector) -> Self:
        """The likeliest ``top`` of all heights, and the shares of the events before it.

        ``p[i, e]`` is the share of event ``e`` in the weighted visits to the states of row ``i``; a
        row that was not visited stays as it is. Raises ValueError for what is no path, and if no
        weight is positive.
        """
        x, w = weighted_paths(self, x, weights)
        if not (good := self._is_path(self._events(x))).all():
            raise ValueError(
                "MarkovChain.fit: samples of positive weight must be paths from state 0 to an end; "
                f"got {x[int(good.argmin())].tolist()}"
            )
        state, event = x.steps.T
        shape = (self._levels.size, *self.p.shape)
        cell = np.ravel_multi_index((self._rank_before(x), self._row[state], event), shape)
        mass = np.bincount(cell, w, np.prod(shape)).reshape(shape)
        tilted = mass.cumsum(axis=0)  # element k: with the top just above height k
        visits = tilted.sum(axis=2, keepdims=True)
        share = np.divide(tilted, visits, out=np.zeros(shape), where=visits > 0)
        loss = -_plogp(tilted, share) - _plogp(tilted[-1] - tilted, self.rest)
        best = int(loss.sum(axis=(1, 2)).argmin())
        top = self._levels[min(best + 1, shape[0] - 1)]
        return self.replace(p=np.where(visits[best] > 0, share[best], self.p), top=np.array([top]))

    def smooth(self, towards: Self, alpha: float) -> Self:
        """Rows ``alpha * towards + (1 - alpha) * self`` up to the ``top`` of ``towards``."""
        if alpha == 0:
            return self
        p = alpha * towards.p + (1 - alpha) * self.p
        return self.replace(p=p, top=towards.top)

    def no_narrower_than(self, other: Self) -> Self:
        """No event is less than 0.05 times as likely, but for rounding, as it is in the other.

        So every path that the other may take stays possible, and an event that a small sample has
        missed is soon seen again.
        """
        p = np.maximum(self.p, FAINTEST * other.p)
        return self.replace(p=p / p.sum(axis=1, keepdims=True))

    def highest(self, x: Batch) -> Vector:
        """The largest height along every path, shape ``(n,)``."""
        state, event = self._events(x).steps.T
        return np.maximum(x.largest(self.height[self._after[state, event]]), self.height[0])

    @cached_property
    def _after(self) -> Any:
        return self.after.astype(np.int64)

    @cached_property
    def _row(self) -> Any:
        return self.row.astype(np.int64)

    @cached_property
    def _levels(self) -> Any:
        return np.unique(self.height)

    def _rank_before(self, x: Paths) -> Any:
        """The largest height up to the state of a step, as its place among all heights."""
        rank = np.searchsorted(self._levels, self.height)[x.steps[:, 0]]
        floor = np.repeat(np.arange(len(x)) * self._levels.size, x.length)
        return np.maximum.accumulate(rank + floor) - floor

    def _is_path(self, x: Paths) -> Any:
        """Which ones go from state 0, event by event, to an end."""
        state, event = x.steps.T
        m, k = self.after.shape
        known = (state >= 0) & (state < m) & (event >= 0) & (event < k)
        if not known.all():
            good = x.total(~known) == 0
            good[good] = self._is_path(x[good])
            return good
        to = self._after[state, event]
        comes_from = np.roll(to, 1)
        comes_from[x.starts] = 0
        goes_on = np.ones(len(to), dtype=bool)
        goes_on[x.ends] = False
        return x.total((comes_from != state) | ((to < m) != goes_on)) == 0

    def _events(self, x: Any) -> Paths:
        """The batch if its steps are pairs of a state and an event."""
        x = paths(self, x)
        if x.steps.shape[1:] != (2,):
            raise ValueError(
                "MarkovChain needs a state and an event per step, shape (all steps, 2); got shape "
                f"{x.steps.shape}"
            )
        return x


def _cumulative(p: Array) -> Array:
    cdf: Array = p.cumsum(axis=1)
    cdf[cdf >= cdf[:, -1:]] = 1.0  # u < 1 never passes the last event that can be
    return cdf


def _plogp(mass: Array, p: Array) -> Array:
    """``mass ln p``, zero where there is no mass."""
    with np.errstate(divide="ignore"):
        log_p = np.log(np.broadcast_to(p, mass.shape))
    return np.where(mass > 0, mass * np.where(mass > 0, log_p, 0.0), 0.0)
