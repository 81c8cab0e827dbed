"""Independent gamma coordinates: waiting times for several arrivals, positive loads."""

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
from cem.families.parametric import Independent, parameter, positive
from cem.families.samples import checked_sample, distinct, in_range, rows
from cem.loss.registry import closed_form_entropy, closed_form_kl
from cem.loss.series import divergence_terms
from cem.loss.support import Support
from cem.typing import Array, Batch, Vector


@dataclass(frozen=True, eq=False, repr=False)
class Gamma(Independent):
    """``f(x; a, b) = prod_j b_j^a_j x_j^(a_j - 1) exp(-b_j x_j) / Gamma(a_j)`` on ``x > 0``.

    ``shape`` (``a``) and ``rate`` (``b``) have shape ``(d,)``, the mean is ``a / b``; samples are
    float arrays of shape ``(n, d)``.

    >>> f = Gamma([1.0], [1.0]).fit(np.array([[1.0], [2.0], [3.0]]), np.ones(3))
    >>> f.shape.round(4), (f.shape / f.rate).round(12)
    (array([5.3752]), array([2.]))
    """

    shape: Array = parameter(positive)
    rate: Array = parameter(positive)

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` points with positive coordinates, shape ``(n, d)``."""
        return in_range(rng.standard_gamma(self.shape, (n, self.shape.size)) / self.rate)

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i; a, b)``, shape ``(n,)``; ``-inf`` unless all coordinates are positive."""
        x = rows(self, x, float)
        inside = (x > 0) & (x < np.inf)
        y = np.where(inside, x, 1.0)  # below, ln f in terms of x / mean: nothing large cancels
        log_f = stirling(self.shape) - self.rate * divergence_terms(self.shape / self.rate, y)
        return np.where(inside.all(axis=1), (log_f - np.log(y)).sum(axis=1), -np.inf)

    def fit(self, x: Batch, weights: Vector) -> Self:
        """The mean is the weighted one, and ``ln a - psi(a) = ln(mean) - mean of ln x``.

        Raises ValueError for samples that are not positive, or all equal.
        """
        x, w = checked_sample(self, x, weights, positive)
        mean = w @ distinct(self, x)
        shape = fitted_shape(w @ divergence_terms(mean, x) / mean)
        return self.replace(shape=shape, rate=shape / mean)

    def at_normal(self, u: Batch) -> Batch:
        """The points whose distribution functions are those of standard normal ``u``."""
        from scipy.special import gammainccinv, gammaincinv, ndtr

        u = np.asarray(u)
        tail = ndtr(-np.abs(u))
        return np.where(u < 0, gammaincinv(self.shape, tail), gammainccinv(self.shape, tail)) / (
            self.rate
        )

    def no_narrower_than(self, other: Self) -> Self:
        """Every shape is lowered to the other's, and the mean kept."""
        shape = np.minimum(self.shape, other.shape)
        return self.replace(shape=shape, rate=self.rate * (shape / self.shape))

    def spread(self) -> Array:
        """``sqrt(a_j) / b_j``."""
        return np.sqrt(self.shape) / self.rate

    def support(self) -> Support:
        """All that is positive."""
        return Support.positive(self.n_coordinates)


def fitted_shape(s: Array) -> Array:
    """The ``a`` with ``ln a - psi(a) = s > 0``, elementwise."""

    def equation(t: Array) -> tuple[Array, Array]:
        a = np.exp(t)
        slope = stirling_slope(a)
        return log_ratio(s, slope), a * stirling_bend(a) / slope

    return np.exp(increasing_root(equation, -np.log(s)))


@closed_form_entropy(Gamma, of_fits=True)
def _entropy(f: Gamma) -> float:
    log_mean = np.log(f.shape) - np.log(f.rate)
    return float((log_mean + (f.shape - 1) * stirling_slope(f.shape) - stirling(f.shape)).sum())


@closed_form_kl(Gamma, Gamma)
def gamma_kl(f: Gamma, g: Gamma) -> float:
    """The divergence of the means at the shape of ``g``, and that of the shapes."""
    unit = -np.frexp(g.rate)[1]  # of two a power, so that products of the rates are doubles
    a, b = np.ldexp(f.rate, unit), np.ldexp(g.rate, unit)
    gap = cross_gap(f.shape, a, g.shape, b)
    means = divergence_terms(a * g.shape, f.shape * b, gap) / a
    return float((means + stirling_bregman(f.shape, g.shape)).sum())
