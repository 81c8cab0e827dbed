"""Independent Bernoulli coordinates: the family for subsets, cuts and 0/1 designs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.random import Generator

from cem.families.parametric import (
    Independent,
    inside_margin,
    parameter,
    probability,
    whole,
)
from cem.families.samples import checked_sample, rows
from cem.families.totals import Totals, from_totals
from cem.loss.registry import closed_form_entropy, closed_form_kl
from cem.loss.series import divergence_terms
from cem.loss.support import Support
from cem.typing import Array, Batch, Vector


@dataclass(frozen=True, eq=False, repr=False)
class Bernoulli(Independent):
    """``f(x; p) = prod_j p_j^x_j (1 - p_j)^(1 - x_j)`` on ``{0, 1}^d``.

    ``p`` has shape ``(d,)``; samples are int8 arrays of shape ``(n, d)``.

    >>> Bernoulli([0.5, 0.5]).fit(np.array([[1, 0], [1, 1]]), np.array([3.0, 1.0])).p
    array([1.  , 0.25])
    """

    p: Array = parameter(probability)

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` points of ``{0, 1}^d``, int8, shape ``(n, d)``."""
        return (rng.random((n, self.p.size)) < self.p).view(np.int8)

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i; p)``, shape ``(n,)``; ``-inf`` off ``{0, 1}^d`` and where ``p`` forbids."""
        x = rows(self, x)
        one = x == 1
        with np.errstate(divide="ignore"):
            ln_p, ln_q = np.log(self.p), np.log1p(-self.p)
        sure = np.isinf(ln_p) | np.isinf(ln_q)  # 0 * inf would spoil the product below
        odds = np.where(sure, 0.0, ln_p) - np.where(sure, 0.0, ln_q)
        log_f = one @ odds + ln_q[~sure].sum()
        outside = (~one & (x != 0)).any(axis=1)
        if sure.any():
            outside |= (one[:, sure] != (self.p[sure] == 1)).any(axis=1)
        return np.where(outside, -np.inf, log_f)

    @from_totals
    def fit(self, x: Batch, weights: Vector) -> Self:
        """``p_j``: the weighted share of ones; de Boer et al. (2005).

        Raises ValueError for samples off ``{0, 1}^d``.
        """
        x, w = checked_sample(self, x, weights, whole(0, 1))
        return self.replace(p=np.where(x.all(axis=0), 1.0, w @ x))  # which rounds

    def statistics(self, x: Batch, weights: Vector) -> Totals:
        """The weight of ones and that of zeros in every coordinate."""
        return {"ones": weights @ x, "zeros": weights @ (1 - x)}

    def from_statistics(self, total: Totals) -> Self:
        """``p_j``: the share of ones, exactly 1 where there is no zero."""
        return self.replace(p=total["ones"] / (total["ones"] + total["zeros"]))

    def within_margin(self, least: float, before: Self) -> Self:
        """No bit surer than ``1 - least``, but those that were sure ``before``."""
        return self.replace(p=inside_margin(self.p, least, before.p))

    def spread(self) -> Array:
        """``sqrt(p_j (1 - p_j))``."""
        return np.sqrt(self.p * (1 - self.p))

    def support(self) -> Support:
        """0 and 1; the one of them that is sure, where one is."""
        return Support((self.p == 1).astype(float), (self.p > 0).astype(float), discrete=True)


@closed_form_entropy(Bernoulli, of_fits=True)
def _entropy(f: Bernoulli) -> float:
    from scipy.special import entr

    return float(entr(f.p).sum() + entr(1 - f.p).sum())


@closed_form_kl(Bernoulli, Bernoulli)
def _kl(f: Bernoulli, g: Bernoulli) -> float:
    return float(coin_divergence(f.p, g.p).sum())


def coin_divergence(p: Array, q: Array) -> Array:
    """``D`` from the coin ``p`` to the coin ``q``, elementwise."""
    return divergence_terms(p, q) + divergence_terms(1 - p, 1 - q, p - q)
