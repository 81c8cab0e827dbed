"""The Dirichlet density: shares of a whole, mixing proportions, probability vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.random import Generator

from cem.families.differences import (
    cross_gap,
    log_ratio,
    stirling,
    stirling_bend,
    stirling_bregman,
    stirling_slope,
)
from cem.families.newton import increasing_root
from cem.families.parametric import ROUNDING, Parametric, parameter, positive
from cem.families.samples import checked_sample, distinct, in_range, rows
from cem.loss.registry import closed_form_entropy, closed_form_kl
from cem.loss.series import divergence_terms
from cem.typing import Array, Batch, Vector


def concentrations(a: Array) -> Array:
    """At least two finite numbers above zero."""
    if a.size < 2:
        raise ValueError(f"must hold two numbers or more, one per share; got {a.size}")
    return positive(a)


def shares(x: Array) -> Array:
    """Rows of positive numbers that sum to one."""
    total = positive(x).sum(axis=1)
    off = np.abs(total - 1) > ROUNDING
    if off.any():
        row = int(off.argmax())
        raise ValueError(f"must sum to 1; got {total[row]:g} in row {row}")
    return x


@dataclass(frozen=True, eq=False, repr=False)
class Dirichlet(Parametric):
    """``f(x; a) = Gamma(A) prod_j x_j^(a_j - 1) / Gamma(a_j)``, ``A = sum_j a_j``, on the simplex.

    ``concentration`` (``a``) has shape ``(k,)``, the mean is ``a / A``; samples are float arrays
    of shape ``(n, k)``, positive rows that sum to one. Density and entropy are those of the first
    ``k - 1`` shares.

    >>> x = np.array([[0.2, 0.3, 0.5], [0.1, 0.3, 0.6], [0.2, 0.4, 0.4]])
    >>> Dirichlet([1.0, 1.0, 1.0]).fit(x, np.ones(3)).concentration.round(3)
    array([ 9.332, 18.879, 27.956])
    """

    concentration: Array = parameter(concentrations)

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` points of the simplex, shape ``(n, k)``."""
        a = self.concentration
        log_x = np.log(rng.standard_gamma(a + 1, (n, a.size)))
        log_x -= rng.standard_exponential((n, a.size)) / a  # now the log of a gamma variable, a
        x = np.exp(log_x - log_x.max(axis=1, keepdims=True))
        return in_range(x / x.sum(axis=1, keepdims=True))

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i; a)``, shape ``(n,)``; ``-inf`` unless all shares are positive with sum 1."""
        x = rows(self, x, float)
        possible = ((x > 0) & (x <= 1)).all(axis=1)
        y = np.where(possible[:, None], x, 1.0)
        inside = possible & (np.abs(y.sum(axis=1) - 1) <= ROUNDING)
        total = self.concentration.sum()
        log_f = -np.log(y) - total * divergence_terms(self.concentration / total, y)
        constant = stirling(self.concentration).sum() - stirling(total)
        return np.where(inside, log_f.sum(axis=1) + constant, -np.inf)

    def fit(self, x: Batch, weights: Vector) -> Self:
        """``psi(a_j) - psi(A)`` is the weighted mean of ``ln x_j``.

        Source: Minka (2000). Raises ValueError for samples off the simplex or on its boundary, and
        for samples that have a share in common.
        """
        x, w = checked_sample(self, x, weights, shares)
        mean = w @ distinct(self, x)
        s = w @ divergence_terms(mean, x) / mean
        return self.replace(concentration=fitted_concentration(mean[None], s[None])[0])

    def no_narrower_than(self, other: Self) -> Self:
        """The sum of the concentrations is lowered to the other's, and the mean kept."""
        share = other.concentration.sum() / self.concentration.sum()
        return self.replace(concentration=self.concentration * min(1.0, share))

    def spread(self) -> Array:
        """``sqrt(m_j (1 - m_j) / (A + 1))`` with the mean ``m``."""
        total = self.concentration.sum()
        mean = self.concentration / total
        return np.sqrt(mean * (1 - mean) / (total + 1))


def fitted_concentration(mean: Array, s: Array) -> Array:
    """The ``a`` with ``psi(a_j) - psi(A) = ln(mean_j) - s_j``, for every row of ``mean`` and ``s``.

    In terms of ``delta_j = ln(a_j / (A mean_j))``, which the larger ``A``, the smaller is, and
    of ``A``, for which ``sum_j mean_j e^delta_j = 1``.
    """
    expected = (mean * s).sum(axis=1)

    def equation(t: Array) -> tuple[Array, Array]:
        total = np.exp(t)[:, None]
        delta = _delta(mean, s, total)
        a = total * mean * np.exp(delta)
        bend, bend_of_total = a * stirling_bend(a), total * stirling_bend(total)
        found = (mean * (np.expm1(delta) + s)).sum(axis=1)
        fall = (a / total * (bend - bend_of_total) / (1 + bend)).sum(axis=1)
        return log_ratio(expected, found), fall / found

    start = np.log((mean.shape[1] - 1) / (2 * expected))
    total = np.exp(increasing_root(equation, start))[:, None]
    return total * mean * np.exp(_delta(mean, s, total))


def _delta(mean: Array, s: Array, total: Array) -> Array:
    """``ln(a / (total mean))`` for the ``a`` with ``psi(a) = psi(total) + ln(mean) - s``."""
    from scipy.special import digamma, zeta

    target = np.log(total * mean) - s - stirling_slope(total)
    # Minka (2000): psi(a) is near ln(a - 1/2) above -2.22, and near -1 / a + psi(1) below
    a = np.where(target > -2.22, np.exp(target) + 0.5, -1 / (target - digamma(1.0)))
    for _ in range(4):  # Newton's steps: each doubles the digits
        a = a - (digamma(a) - target) / zeta(2, a)
    delta = log_ratio(a, total * mean)
    for _ in range(2):  # and what is left of it, relative to delta, not to ln(a)
        a = total * mean * np.exp(delta)
        miss = delta - stirling_slope(a) + stirling_slope(total) + s
        delta = delta - miss / (1 + a * stirling_bend(a))
    return delta


@closed_form_entropy(Dirichlet, of_fits=True)
def _entropy(f: Dirichlet) -> float:
    return float(dirichlet_entropy(f.concentration))


@closed_form_kl(Dirichlet, Dirichlet)
def _kl(f: Dirichlet, g: Dirichlet) -> float:
    return float(dirichlet_kl(f.concentration, g.concentration))


def dirichlet_entropy(a: Array) -> Array:
    """``H`` of the Dirichlet density with concentration ``a`` along the last axis."""
    total = a.sum(axis=-1, keepdims=True)
    slope = stirling_slope(a) - stirling_slope(total)
    terms = np.log(a / total) + (a - 1) * slope - stirling(a)
    return terms.sum(axis=-1) + stirling(total)[..., 0]


def dirichlet_kl(a: Array, b: Array) -> Array:
    """``D`` from the Dirichlet density ``a`` to ``b``, along the last axis.

    Gil, Alajaji, Linder (2013), as the divergence of the means, and that of the concentrations less
    what is common to them.
    """
    total, other = a.sum(axis=-1, keepdims=True), b.sum(axis=-1, keepdims=True)
    rise = (b - a).sum(axis=-1, keepdims=True)
    gap = cross_gap(a, total, b, other, rise) / (total * other)
    means = other * divergence_terms(b / other, a / total, gap)
    bends = stirling_bregman(a, b).sum(axis=-1) - stirling_bregman(total, other, rise)[..., 0]
    return np.maximum(0.0, means.sum(axis=-1) + bends)  # what rounding takes below zero
