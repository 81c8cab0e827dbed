"""Independent Weibull coordinates: lifetimes, strengths, wind speeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.random import Generator

from cem.families.differences import exp_excess, log_gamma_bregman, log_ratio
from cem.families.newton import increasing_root
from cem.families.parametric import Independent, parameter, positive
from cem.families.samples import checked_sample, distinct, in_range, rows
from cem.loss.registry import closed_form_entropy, closed_form_kl
from cem.loss.series import divergence_terms
from cem.loss.support import Support
from cem.typing import Array, Batch, Vector


@dataclass(frozen=True, eq=False, repr=False)
class Weibull(Independent):
    """``f(x; k, l) = prod_j k_j / x_j (x_j / l_j)^k_j exp(-(x_j / l_j)^k_j)`` on ``x > 0``.

    ``shape`` (``k``) and ``scale`` (``l``) have shape ``(d,)``; samples are float arrays of shape
    ``(n, d)``. Shape 1 is the exponential density with mean ``l``.

    >>> f = Weibull([1.0], [1.0]).fit(np.array([[1.0], [2.0], [3.0]]), np.ones(3))
    >>> f.shape.round(4), f.scale.round(4)
    (array([2.7386]), array([2.2586]))
    """

    shape: Array = parameter(positive)
    scale: Array = parameter(positive)

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` points with positive coordinates, shape ``(n, d)``."""
        power = rng.standard_exponential((n, self.shape.size))
        with np.errstate(over="ignore"):
            return in_range(self.scale * power ** (1 / self.shape))

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i; k, l)``, shape ``(n,)``; ``-inf`` unless all coordinates are positive."""
        x = rows(self, x, float)
        inside = (x > 0) & (x < np.inf)
        y = np.where(inside, x, 1.0)
        log_power = self.shape * log_ratio(y, self.scale)
        with np.errstate(over="ignore"):  # far out the density is zero
            log_f = np.log(self.shape) - np.log(y) + log_power - np.exp(log_power)
        return np.where(inside.all(axis=1), log_f.sum(axis=1), -np.inf)

    def fit(self, x: Batch, weights: Vector) -> Self:
        """``1 / k`` is the mean of ``ln x`` under weights ``w x^k`` less that under ``w``.

        ``l^k`` is the weighted mean of ``x^k``. Raises ValueError for samples that are not
        positive, or all equal.
        """
        x, w = checked_sample(self, x, weights, positive)
        top = distinct(self, x).max(axis=0)
        y = log_ratio(x, top)  # <= 0: no power overflows
        mean = w @ y

        def equation(t: Array) -> tuple[Array, Array]:
            k = np.exp(t)
            power = np.exp(k * y)
            share = w[:, None] * power / (w @ power)
            lead = w @ ((y - mean) * (power - np.exp(k * mean))) / (w @ power)  # no term below 0
            variance = (share * (y - mean - lead) ** 2).sum(axis=0)
            return t + np.log(lead), 1 + k * variance / lead

        k = np.exp(increasing_root(equation, -0.5 * np.log(w @ (y - mean) ** 2)))
        return self.replace(shape=k, scale=top * (w @ np.exp(k * y)) ** (1 / k))

    def at_normal(self, u: Batch) -> Batch:
        """The points whose distribution functions are those of standard normal ``u``."""
        from scipy.special import log_ndtr

        return self.scale * (-log_ndtr(-np.asarray(u))) ** (1 / self.shape)

    def no_narrower_than(self, other: Self) -> Self:
        """Every shape is lowered to the other's, and the mean of ``x^k`` kept for the new ``k``."""
        from scipy.special import gamma

        shape = np.minimum(self.shape, other.shape)
        scale = self.scale * gamma(1 + shape / self.shape) ** (1 / shape)
        return self.replace(shape=shape, scale=scale)

    def spread(self) -> Array:
        """``l sqrt(G(1 + 2 / k) - G(1 + 1 / k)^2)``, the standard deviation; ``G`` is Gamma."""
        from scipy.special import gamma

        u = 1 / self.shape
        one = np.ones_like(u)
        rise = log_gamma_bregman(one, 1 + 2 * u, 2 * u) - 2 * log_gamma_bregman(one, 1 + u, u)
        with np.errstate(over="ignore"):
            return in_range(self.scale * gamma(1 + u) * np.sqrt(np.expm1(rise)))

    def support(self) -> Support:
        """All that is positive."""
        return Support.positive(self.n_coordinates)


@closed_form_entropy(Weibull)
def _entropy(f: Weibull) -> float:
    terms = np.euler_gamma * (1 - 1 / f.shape) + np.log(f.scale) - np.log(f.shape) + 1
    return float(terms.sum())


@closed_form_kl(Weibull, Weibull)
def weibull_kl(f: Weibull, g: Weibull) -> float:
    """Bauckhage (2013), in three terms, none negative; ``w`` is ``ln E_f (x / l_g)^k_g``."""
    rise = (g.shape - f.shape) / f.shape
    bend = log_gamma_bregman(np.full_like(rise, 2.0), 2 + rise, rise)
    w = g.shape * log_ratio(f.scale, g.scale) + rise * (1 - np.euler_gamma) + bend
    return float((exp_excess(w) + bend + divergence_terms(f.shape, g.shape) / f.shape).sum())
