"""Dependent bits: every bit hangs on one other, along the tree of the most informative pairs."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from cem.families.bernoulli import coin_divergence
from cem.families.parametric import (
    ROUNDING,
    Parametric,
    constant,
    inside_margin,
    non_negative,
    parameter,
    probability,
    whole,
)
from cem.families.samples import checked_sample, rows
from cem.loss.registry import closed_form_entropy, closed_form_kl
from cem.loss.series import divergence_terms
from cem.loss.support import Support
from cem.typing import Array, Batch, Vector

Whole = NDArray[np.intp]
DIGITS = 12  # of a mutual information: pairs that agree in them tie, and zero is no edge


def pair_probabilities(a: Array) -> Array:
    """Square, symmetric, and every pair of bits possible; what rounding did is taken out."""
    a = probability(a)
    if a.shape[0] != a.shape[1]:
        raise ValueError(f"must be square; got shape {a.shape}")
    if np.abs(a - a.T).max() > ROUNDING:
        raise ValueError("must be symmetric; got a matrix that differs from its transpose")
    p = np.diag(a)
    least = np.maximum(0.0, np.add.outer(p, p) - 1)
    most = np.minimum.outer(p, p)
    if (bad := (a < least - ROUNDING) | (a > most + ROUNDING)).any():
        i, j = (int(k) for k in np.argwhere(bad)[0])
        raise ValueError(
            f"must lie in [{least[i, j]:g}, {most[i, j]:g}] for bits that are 1 with probability "
            f"{p[i]:g} and {p[j]:g}; got {a[i, j]:g} at index {(i, j)}"
        )
    return ((a + a.T) / 2).clip(least, most)


class Tree(NamedTuple):
    """A density as a tree: which bit each hangs on, and how.

    ``parent`` is -1 for a root; ``p0`` and ``p1``, the probability of a one if the parent is 0 or
    1, are the same there. ``order`` has parents before children, ``depth`` counts from the roots.
    """

    parent: Whole
    p0: Array
    p1: Array
    order: Whole
    depth: Whole


@dataclass(frozen=True, eq=False, repr=False)
class DependencyTree(Parametric):
    """``f(x) = prod_j f(x_j | x_parent(j))`` on ``{0, 1}^d``: Chow and Liu (1968).

    ``pair[i, j]``, of shape ``(d, d)``, is the probability that the bits ``i`` and ``j`` are both
    1, and ``pair[j, j]`` that ``j`` is. Of all trees, the one with the most mutual information
    along its edges makes the density, and has these probabilities along its edges; a bit that
    tells nothing of any other is a root. `smooth` averages the probabilities of all pairs, not
    only those of the tree: what was sampled before still tells which pairs depend, and the tree
    need be neither one nor the other. Samples are int8 arrays of shape ``(n, d)``.

    ``threshold`` is the price of an edge, in nats: pairs that tell less of each other have none,
    and a fit minimises the loss plus that price. In small samples independent bits seem to depend:
    without a price such edges are sampled, selected and fitted again.

    >>> f = DependencyTree([[0.5, 0.4], [0.4, 0.5]])
    >>> np.exp(f.log_density([[0, 0], [0, 1], [1, 0], [1, 1]]))
    array([0.4, 0.1, 0.1, 0.4])
    """

    pair: Array = parameter(pair_probabilities, ndim=2)
    threshold: Any = field(default=0.0, metadata=constant(non_negative, ndim=0).metadata)

    @classmethod
    def independent(cls, p: ArrayLike, threshold: float = 0.0) -> Self:
        """Bits that are 1 with probability ``p``, shape ``(d,)``, and know nothing of each other.

        >>> DependencyTree.independent([0.5, 0.2]).pair
        array([[0.5, 0.1], [0.1, 0.2]])
        """
        p = np.asarray(p, dtype=float)
        pair = np.multiply.outer(p, p)
        np.fill_diagonal(pair, p)
        return cls(pair, threshold)

    @property
    def p(self) -> Array:
        """The probability that each bit is 1, shape ``(d,)``."""
        return np.diag(self.pair)

    @cached_property
    def tree(self) -> Tree:
        """The tree of most mutual information; of several the one found first from bit 0 on."""
        information = _mutual_information(self.pair).round(DIGITS)
        parent, order, depth = _spanning(np.where(information > self.threshold, information, 0.0))
        return Tree(parent, *_conditionals(self.pair, parent), order, depth)

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` points of ``{0, 1}^d``, int8, shape ``(n, d)``: from the roots down, by depth."""
        tree = self.tree
        u, x = rng.random((self.n_coordinates, n)), np.zeros((self.n_coordinates, n), dtype=bool)
        for depth in range(tree.depth.max() + 1):
            (at,) = np.nonzero(tree.depth == depth)
            on = x[tree.parent[at]]
            x[at] = u[at] < np.where(on, tree.p1[at, None], tree.p0[at, None])
        return np.ascontiguousarray(x.T).view(np.int8)

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i)``, shape ``(n,)``; ``-inf`` off ``{0, 1}^d`` and where ``pair`` forbids."""
        x, tree = rows(self, x), self.tree
        one = x == 1
        with np.errstate(divide="ignore"):
            log_p = np.log([[1 - tree.p0, tree.p0], [1 - tree.p1, tree.p1]])
        given = one[:, tree.parent].astype(np.intp)
        log_f = log_p[given, one.astype(np.intp), np.arange(self.n_coordinates)].sum(axis=1)
        return np.where((~one & (x != 0)).any(axis=1), -np.inf, log_f)

    def fit(self, x: Batch, weights: Vector) -> Self:
        """``pair[i, j]``: the weighted share of samples in which the bits ``i`` and ``j`` are 1.

        No tree, with whatever probabilities, has a larger weighted likelihood, the price of its
        edges taken off. Raises ValueError for samples off ``{0, 1}^d``.
        """
        x, w = checked_sample(self, x, weights, whole(0, 1))
        return self.replace(pair=(w[:, None] * x).T @ x)

    def within_margin(self, least: float, before: Self) -> Self:
        """The same tree with no surprise rarer than ``least``: ``p0`` and ``p1`` are moved inside.

        Bits that were sure ``before`` stay so.

        What the bits below a bit owe to it they keep: where it is turned, they turn with it. Off
        the tree ``pair`` is then what the tree makes of it.
        """
        tree = self.tree
        p0, p1 = (inside_margin(p, least, before.p) for p in (tree.p0, tree.p1))
        if (p0 == tree.p0).all() and (p1 == tree.p1).all():
            return self
        return self.replace(pair=_joint(tree._replace(p0=p0, p1=p1)))

    def spread(self) -> Array:
        """``sqrt(p_j (1 - p_j))``."""
        return np.sqrt(self.p * (1 - self.p))

    def support(self) -> Support | None:
        """0 and 1; the one of them that is sure, where one is. None if some bits must agree."""
        for p in (self.tree.p0, self.tree.p1):
            if (((p == 0) & (self.p > 0)) | ((p == 1) & (self.p < 1))).any():
                return None
        return Support((self.p == 1).astype(float), (self.p > 0).astype(float), discrete=True)


def _mutual_information(pair: Array) -> Array:
    """``I(x_i; x_j)`` in nats, shape ``(d, d)``: the divergence from independent bits."""
    p, q = np.diag(pair), 1 - np.diag(pair)
    gap = np.multiply.outer(p, p) - pair
    both = divergence_terms(pair, np.multiply.outer(p, p), gap)
    one = divergence_terms(np.maximum(p - pair, 0), np.multiply.outer(q, p), -gap)
    none = divergence_terms(
        np.maximum(np.subtract.outer(q, p) + pair, 0), np.multiply.outer(q, q), gap
    )
    return both + one + one.T + none


def _spanning(weight: Array) -> tuple[Whole, Whole, Whole]:
    """Parents, order and depth in the maximum spanning forest of positive weights, by Prim."""
    d = len(weight)
    parent, depth = np.full(d, -1), np.zeros(d, dtype=np.intp)
    best, outside, order = np.zeros(d), np.ones(d, dtype=bool), []
    for _ in range(d):
        j = int(np.where(outside, best, -1.0).argmax())
        order.append(j)
        outside[j] = False
        nearer = outside & (weight[j] > best)
        best[nearer] = weight[j, nearer]
        parent[nearer], depth[nearer] = j, depth[j] + 1
    return parent, np.array(order), depth


def _conditionals(pair: Array, parent: Whole) -> tuple[Array, Array]:
    """``p0`` and ``p1`` of every bit; its own probability where it has no, or no such, parent."""
    p = np.diag(pair)
    given, both = p[parent], pair[np.arange(len(p)), parent]
    p0, p1 = p.copy(), p.copy()
    np.divide(p - both, 1 - given, out=p0, where=(parent >= 0) & (given < 1))
    np.divide(both, given, out=p1, where=(parent >= 0) & (given > 0))
    return p0.clip(0, 1), p1.clip(0, 1)


def _joint(tree: Tree) -> Array:
    """The probability that two bits are both 1, of all pairs, shape ``(d, d)``."""
    d = len(tree.order)
    pair, p = np.zeros((d, d)), np.zeros(d)
    for j in tree.order:
        i, p0, rise = tree.parent[j], tree.p0[j], tree.p1[j] - tree.p0[j]
        pair[j] = pair[:, j] = p0 * p + rise * pair[i]
        p[j] = pair[j, j] = p0 + rise * p[i]
    return pair


def _entropy_along(p: Array, parent: Whole, p0: Array, p1: Array) -> float:
    """The entropy of every bit given its parent, summed."""
    from scipy.special import entr

    given = p[parent]  # of a root, whatever it is, for p0 = p1
    of_coins = given * (entr(p1) + entr(1 - p1)) + (1 - given) * (entr(p0) + entr(1 - p0))
    return float(of_coins.sum())


@closed_form_entropy(DependencyTree, of_fits=True)
def _entropy(f: DependencyTree) -> float:
    return _entropy_along(f.p, f.tree.parent, f.tree.p0, f.tree.p1)


@closed_form_kl(DependencyTree, DependencyTree)
def _kl(f: DependencyTree, g: DependencyTree) -> float:
    """From ``f`` to the nearest member with the tree of ``g``, and from there to ``g``."""
    parent = g.tree.parent
    pair = f.pair if np.array_equal(parent, f.tree.parent) else _joint(f.tree)
    p, (p0, p1) = np.diag(pair), _conditionals(pair, parent)
    lost = _entropy_along(p, parent, p0, p1) - _entropy(f)  # by dropping edges: never negative
    on, off = p[parent], 1 - p[parent]
    along = on * np.where(on > 0, coin_divergence(p1, g.tree.p1), 0)
    along += off * np.where(off > 0, coin_divergence(p0, g.tree.p0), 0)
    return max(0.0, lost) + float(along.sum())
