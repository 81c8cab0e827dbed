"""Orders in which the edges of a network are repaired, some of its cuts late."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import lgamma
from typing import Self

import numpy as np
from numpy.random import Generator

from cem.families.expectation_maximisation import log_total
from cem.families.mixing import proportions
from cem.families.parametric import Parametric, between_0_and_1, constant, parameter
from cem.families.samples import checked_sample, rows
from cem.typing import Array, Batch, Vector
from problems.rare_event.network_reliability.weighting import best_shares

DEFENSIVE = 0.1  # share of the nominal order that every fit keeps: no weight is above ten
PRIOR = 0.4  # share of the cuts by their own probabilities
BLOCK = 4096  # samples at once


def flags(a: Array) -> Array:
    """Zeros and ones, at least a one in every row."""
    if not np.isin(a, (0, 1)).all() or not a.any(axis=1).all():
        raise ValueError("must hold zeros and ones, at least a one in every row: a cut has edges")
    return a


def edge_orders(a: Array) -> Array:
    """Every edge once in every row."""
    from problems.rare_event.network_reliability.kernels import are_orders

    good = are_orders(a)
    if not good.all():
        i = int(good.argmin())
        raise ValueError(
            f"must be orders of the edges 0, ..., {a.shape[1] - 1}; got "
            f"{np.array2string(a[i], threshold=12)} at index {i}"
        )
    return a


@dataclass(frozen=True, eq=False, repr=False)
class RepairOrders(Parametric):
    """The order in which edges are repaired: independently, ``q_e`` is the chance to be late.

    ``f(x) = sum_c weight_c f_c(x)``. ``f_0`` is the order of times that are uniform in (1, 2) with
    probability ``q_e``, and otherwise uniform in (0, 1). ``f_c`` is the order given that all edges
    of the cut ``c``, a row of ``cuts``, are late. ``weight`` has shape ``(1 + k,)``, ``q``
    ``(m,)``, ``cuts`` ``(k, m)``; samples are int16 arrays of shape ``(n, m)``, the edge repaired
    first in front. The densities come from what an order says about who is late, `at_most`, for
    ``f_c(x) / f_0(x) = P(all of c are late | x) / P(all of c are late)``.

    >>> one = RepairOrders([0.0, 1.0], q=[0.5, 0.5, 0.5], cuts=[[0, 0, 1]])
    >>> np.exp(one.log_density(np.array([[0, 1, 2], [2, 0, 1]]))).round(4)
    array([0.2917, 0.0417])
    """

    weight: Array = parameter(proportions)
    q: Array = constant(between_0_and_1)
    cuts: Array = constant(flags, ndim=2)

    def __post_init__(self) -> None:
        super().__post_init__()
        k, m = self.weight.size - 1, self.q.size
        if self.cuts.shape != (k, m):
            raise ValueError(
                f"RepairOrders.cuts must have shape {(k, m)}, for {k + 1} weights and {m} edges; "
                f"got {self.cuts.shape}"
            )

    @property
    def n_coordinates(self) -> int:
        """``m``, the number of edges."""
        return self.q.size

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` orders, int16, shape ``(n, m)``."""
        label = rng.choice(self.weight.size, n, p=self.weight / self.weight.sum())
        shape = (n, self.q.size)
        late = rng.random(shape) < self.q
        given = label > 0
        late[given] |= self.cuts[label[given] - 1] > 0
        return (rng.random(shape) + late).argsort(axis=1).astype(np.int16)

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i)``, shape ``(n,)``; ``-inf`` for what is no order of the edges."""
        from problems.rare_event.network_reliability.kernels import are_orders

        x = rows(self, x)
        if len(x) == 0:
            return np.empty(0)
        inside = are_orders(x)
        x = np.where(inside[:, None], x, np.arange(x.shape[1])).astype(np.int16)
        blocks = [self._log_density(x[i : i + BLOCK]) for i in range(0, len(x), BLOCK)]
        return np.where(inside, np.concatenate(blocks), -np.inf)

    def fit(self, x: Batch, weights: Vector) -> Self:
        """The weights of least cross-entropy among those that keep the defensive shares.

        These are a tenth for the nominal order, and four tenths for the cuts in proportion to their
        probabilities of being late. The problem is convex: see `best_shares`. Raises ValueError for
        samples that are no orders of the edges.
        """
        x, w = checked_sample(self, x, weights, edge_orders)
        every = np.arange(len(self.cuts))
        ratio = np.column_stack([np.ones(len(x)), self._ratios(x.astype(np.int16), every)])
        return self.replace(weight=best_shares(ratio, w, self._least))

    def spread(self) -> Array:
        """The standard deviation of a place in a uniform order, for every edge: never zero."""
        m = self.q.size
        return np.full(m, np.sqrt((m * m - 1) / 12))

    @cached_property
    def _least(self) -> Vector:
        """The defensive shares."""
        late = self._all_late(self.cuts)
        return np.concatenate([[DEFENSIVE], PRIOR * late / late.sum()])

    def _all_late(self, cuts: Array) -> Vector:
        return np.exp(cuts @ np.log(self.q))

    def _log_density(self, x: Batch) -> Vector:
        works = np.flatnonzero(self.weight[1:])
        ratio = self.weight[0] + self._ratios(x, works) @ self.weight[1 + works]
        with np.errstate(divide="ignore"):  # too small a number, and no nominal share
            log_ratio = np.log(ratio)
        return np.asarray(log_ratio + log_total(log_terms(x, self.q).T) - lgamma(self.q.size + 1))

    def _ratios(self, x: Batch, which: Array) -> Array:
        """``f_c(x_i) / f_0(x_i)`` for these cuts, shape ``(n, k)``."""
        from problems.rare_event.network_reliability.kernels import edges_before

        cuts = self.cuts[which]
        start = np.concatenate([[0], cuts.sum(axis=1).cumsum()]).astype(np.int64)
        before = edges_before(x, start, np.nonzero(cuts)[1])
        return at_most(x, self.q, before) / self._all_late(cuts)


def log_terms(x: Batch, q: Vector) -> Array:
    """``ln`` of ``P(exactly the first j are in time)`` over ``P(x | that)``, and ``m!``.

    Shape ``(n, m + 1)`` for ``j`` from 0 on. Those in time come first, in any order, and the late
    ones last, in any order. So ``P(x | the first j are in time) = 1 / (j! (m - j)!)``, and the sum
    of the terms is ``m! f_0(x)``. Where all ``q`` are the same the order says nothing: one row
    stands for all.

    >>> np.exp(log_terms(np.array([[1, 0]]), np.array([0.1, 0.2])))
    array([[0.02, 0.16, 0.72]])
    """
    m = q.size
    log_choices = [lgamma(m + 1) - lgamma(j + 1) - lgamma(m - j + 1) for j in range(m + 1)]
    same = bool((q == q[0]).all())
    gain = (np.log1p(-q) - np.log(q))[np.arange(m)[None] if same else x]
    sums = np.concatenate([np.zeros((len(gain), 1)), gain.cumsum(axis=1)], axis=1)
    return np.asarray(sums + log_choices + np.log(q).sum())


def at_most(x: Batch, q: Vector, j: Array) -> Array:
    """``P(at most j edges are in time | x_i)`` for every number of row ``i`` of ``j``.

    Sums of positive terms: the smallest have their digits. Where all ``q`` are the same it is a
    binomial probability.

    >>> at_most(np.array([[1, 0]]), np.array([0.1, 0.2]), np.array([[0, 1]])).round(4)
    array([[0.0222, 0.2   ]])
    """
    log_p = log_terms(x, q)
    table = np.exp(log_p - log_total(log_p.T)[:, None]).cumsum(axis=1)
    if len(table) == 1:
        return np.asarray(table[0][j])
    flat = j.reshape(len(x), -1).astype(np.int64)
    return np.take_along_axis(table, flat, axis=1).reshape(j.shape)
