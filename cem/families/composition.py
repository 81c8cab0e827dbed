"""Compositions: whole numbers with a fixed sum, such as buffer places shared out among machines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.random import Generator

from cem.families.parametric import (
    Parametric,
    inside_margin,
    parameter,
    probability,
    whole,
)
from cem.families.samples import checked_sample, rows
from cem.loss.registry import closed_form_entropy, closed_form_kl
from cem.loss.series import divergence_terms
from cem.typing import Array, Batch, Vector

NEVER = 64.0  # -ln of a chance below that of any uniform draw, which is 2^-53 at least


@dataclass(frozen=True, eq=False, repr=False)
class Composition(Parametric):
    """``x`` in ``{0, 1, ...}^n`` with the sum ``total``, one part after the other.

    Part ``i`` is offered all that is left, then one less, and so on, and takes ``k`` with
    probability ``p[i, k - 1]``, 0 if nothing else: what is at most ``r`` becomes ``k`` with
    probability ``p_k (1 - p_(k+1)) ... (1 - p_r)``. That is a row of probabilities of ``0, ...,
    total``, cut off at ``r`` and normalised again; every such row can be written so. The last part
    gets what is left.

    ``p`` has shape ``(n - 1, total)``; samples are int64 arrays of shape ``(n, number of parts)``.

    >>> f = Composition.even(3, 5)
    >>> f.sample(np.random.default_rng(0), 4).sum(axis=1)
    array([5, 5, 5, 5])
    """

    p: Array = parameter(probability, ndim=2)

    @classmethod
    def even(cls, n_parts: int, total: int) -> Self:
        """The member nearest to all compositions being equally likely: where to begin.

        The means of its parts are much alike: of 20 parts with the total 100, 4.5 to 6.1. Raises
        ValueError for less than two parts or a total below 1.

        >>> Composition.even(2, 2).p  # 1/3 for two; if not two, 1/2 for one
        array([[0.5       , 0.33333333]])
        """
        if n_parts < 2 or total < 1:
            raise ValueError(
                "Composition.even needs two parts or more and a total of 1 or more; got "
                f"{n_parts} parts and a total of {total}"
            )
        left = np.arange(total + 1)
        of_all = _log_number(total, n_parts)
        p = np.empty((n_parts - 1, total))
        for i, row in enumerate(p):
            before, after = _log_number(total - left, i), _log_number(left, n_parts - 1 - i)
            joint = np.exp(before[:, None] + after[left[:, None] - left] - of_all)
            row[:] = _decisions(np.tril(joint)).shares(row)
        return cls(p)

    @property
    def total(self) -> int:
        """The sum of the parts."""
        return self.p.shape[1]

    @property
    def n_coordinates(self) -> int:
        """The number of parts."""
        return len(self.p) + 1

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` compositions, int64, a row each, by inversion: a uniform number for each part."""
        log_u = np.log1p(-rng.random((len(self.p), n)))
        with np.errstate(divide="ignore"):
            steps = np.minimum(-np.log1p(-self.p), NEVER)
        x = np.empty((n, self.n_coordinates), dtype=np.int64)
        left = np.full(n, self.total)
        for part, depth, log_share in zip(
            x.T, _from_zero(steps).cumsum(axis=1), log_u, strict=False
        ):
            part[:] = np.searchsorted(depth, depth[left] + log_share)
            left -= part
        x[:, -1] = left
        return x

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i; p)``, shape ``(n,)``; ``-inf`` for what is no composition of the total."""
        x = rows(self, x)
        whole_parts = np.where((x >= 0) & (x <= self.total) & (x == np.floor(x)), x, -1)
        inside = (whole_parts >= 0).all(axis=1) & (whole_parts.sum(axis=1) == self.total)
        point = np.arange(self.n_coordinates) == 0
        k = np.where(inside[:, None], whole_parts, self.total * point).astype(np.int64)
        left, k, i = _left(k), k[:, :-1], np.arange(len(self.p))
        sure = self.p == 1
        with np.errstate(divide="ignore"):
            taken = _from_zero(np.log(self.p))[i, k]
        depth = _from_zero(-np.log1p(-np.where(sure, 0.0, self.p))).cumsum(axis=1)
        stops = _from_zero(sure).cumsum(axis=1)
        log_f = np.where(
            stops[i, left] > stops[i, k], -np.inf, taken + depth[i, k] - depth[i, left]
        )
        return np.where(inside, log_f.sum(axis=1), -np.inf)

    def fit(self, x: Batch, weights: Vector) -> Self:
        """``p[i, k - 1]``: the share ``x_i = k`` of what is at most ``k`` and had ``k`` to take.

        It is exact, for each decision to take or to decline is a coin of its own: the Lynden-Bell
        (product-limit) estimator for data cut off from above. What was never to be decided keeps
        its chance. Raises ValueError for samples that are no compositions of the total.
        """
        x, w = checked_sample(self, x, weights, compositions(self.total))
        k, size = x.astype(np.int64), self.total + 1
        cells = size * _left(k) + k[:, :-1]
        p = np.empty_like(self.p)
        for row, old, cell in zip(p, self.p, cells.T, strict=True):
            joint = np.bincount(cell, w, minlength=size * size).reshape(size, size)
            row[:] = _decisions(joint).shares(old)
        return self.replace(p=p)

    def within_margin(self, least: float, before: Self) -> Self:
        """No decision surer than ``1 - least``, but those that were sure ``before``."""
        return self.replace(p=inside_margin(self.p, least, before.p))

    def spread(self) -> Array:
        """The standard deviations of the parts."""
        k = np.arange(self.total + 1)
        share = self._laws.part
        mean = share @ k
        return np.sqrt((share * (k - mean[:, None]) ** 2).sum(axis=1))

    @cached_property
    def _laws(self) -> _Laws:
        """Exact, by recursion over what is left: of use to many, so kept."""
        r, k = np.indices((self.total + 1, self.total + 1))
        law: Any = np.zeros(self.total + 1)  # of what is left
        law[-1] = 1.0
        part, decisions = [], []
        for p in self.p:
            row = _from_zero(p, first=1.0)
            factors = np.where(r > k, 1 - row[:, None], np.where(r == k, row, 1.0))
            joint = law[:, None] * np.tril(factors.cumprod(axis=0))
            part.append(joint.sum(axis=0))
            decisions.append(_decisions(joint))
            law = np.bincount(np.maximum(r - k, 0).ravel(), joint.ravel())
        taken, declined = (np.stack(a) for a in zip(*decisions, strict=True))
        return _Laws(np.stack([*part, law]), _Decisions(taken, declined))


class _Decisions(NamedTuple):
    """How much was taken and declined of ``1, ..., total`` where no more was to be had."""

    taken: Array
    declined: Array

    @property
    def met(self) -> Array:
        """How often there was something to decide."""
        return self.taken + self.declined

    def shares(self, otherwise: Array) -> Array:
        """What share was taken; ``otherwise`` where there was nothing to decide."""
        return np.where(self.met > 0, self.taken / np.where(self.met > 0, self.met, 1.0), otherwise)


class _Laws(NamedTuple):
    part: Array  # (n, total + 1): the probability of every value of every part
    decisions: _Decisions  # (n - 1, total) each: their expected numbers


def _decisions(joint: Any) -> _Decisions:
    """From the weights of ``(what is left, what is taken)``, zero above the diagonal."""
    below = np.tril(joint.cumsum(axis=1)[:, :-1], -1).sum(axis=0)  # x < k <= what is left
    return _Decisions(joint[:, 1:].sum(axis=0), below)


def _left(k: Any) -> Any:
    """What is left for every part but the last, shape ``(n, parts - 1)``."""
    return k[:, ::-1].cumsum(axis=1)[:, :0:-1]


def _from_zero(a: Array, first: float = 0.0) -> Array:
    """With a column for the part that takes nothing, which is the last to be offered."""
    return np.insert(a, 0, first, axis=-1)


def _log_number(total: Any, parts: int) -> Array:
    """``ln`` of the number of compositions, elementwise."""
    from scipy.special import gammaln

    if parts == 0:
        return np.where(total == 0, 0.0, -np.inf)
    return np.asarray(gammaln(total + parts) - gammaln(total + 1) - gammaln(parts))


def compositions(total: int) -> Callable[[Array], Array]:
    """The constraint to rows of whole numbers from 0 that sum to ``total``."""

    def constraint(x: Array) -> Array:
        sums = whole(0, total)(x).sum(axis=1)
        if (off := sums != total).any():
            row = int(off.argmax())
            raise ValueError(f"must sum to {total}; got {sums[row]:g} in row {row}")
        return x

    return constraint


@closed_form_entropy(Composition)
def _entropy(f: Composition) -> float:
    """That of a coin for every decision, times the expected number of these."""
    from scipy.special import xlog1py, xlogy

    taken, declined = f._laws.decisions  # noqa: SLF001 - the closed forms belong to the class
    return -float((xlogy(taken, f.p) + xlog1py(declined, -f.p)).sum())


@closed_form_kl(Composition, Composition)
def _kl(f: Composition, g: Composition) -> float:
    if f.total != g.total:
        return np.inf
    met = f._laws.decisions.met  # noqa: SLF001
    coins = divergence_terms(f.p, g.p) + divergence_terms(1 - f.p, 1 - g.p, f.p - g.p)
    return float((met * np.where(met > 0, coins, 0.0)).sum())
