"""Independent Pareto coordinates: sizes with a heavy tail above a least one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.random import Generator

from cem.families.differences import log_ratio
from cem.families.parametric import Independent, parameter, positive
from cem.families.samples import checked_sample, distinct, in_range, rows
from cem.loss.registry import closed_form_entropy, closed_form_kl
from cem.loss.series import divergence_terms
from cem.loss.support import Support
from cem.typing import Array, Batch, Vector


@dataclass(frozen=True, eq=False, repr=False)
class Pareto(Independent):
    """``f(x; m, a) = prod_j a_j / x_j (m_j / x_j)^a_j`` on ``x >= m``.

    ``minimum`` (``m``) and ``shape`` (``a``) have shape ``(d,)``; samples are float arrays of shape
    ``(n, d)``.

    >>> f = Pareto([1.0], [1.0]).fit(np.array([[2.0], [2.0 * np.e**3]]), np.array([2.0, 1.0]))
    >>> f.minimum, f.shape.round(12)
    (array([2.]), array([1.]))
    """

    minimum: Array = parameter(positive)
    shape: Array = parameter(positive)

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` points, none below ``minimum``, shape ``(n, d)``."""
        log_x = rng.standard_exponential((n, self.shape.size)) / self.shape
        with np.errstate(over="ignore"):
            return in_range(self.minimum * np.exp(log_x))

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i; m, a)``, shape ``(n,)``; ``-inf`` if a coordinate is below the minimum."""
        x = rows(self, x, float)
        inside = (x >= self.minimum) & (x < np.inf)
        y = np.where(inside, x, self.minimum)
        log_f = np.log(self.shape) - np.log(y) - self.shape * log_ratio(y, self.minimum)
        return np.where(inside.all(axis=1), log_f.sum(axis=1), -np.inf)

    def fit(self, x: Batch, weights: Vector) -> Self:
        """``m_j``: the least sample; ``1 / a_j``: the weighted mean of ``ln(x_j / m_j)``.

        Raises ValueError for samples that are not positive, or all equal.
        """
        x, w = checked_sample(self, x, weights, positive)
        minimum = distinct(self, x).min(axis=0)
        return self.replace(minimum=minimum, shape=1 / (w @ log_ratio(x, minimum)))

    def at_normal(self, u: Batch) -> Batch:
        """The points whose distribution functions are those of standard normal ``u``."""
        from scipy.special import log_ndtr

        return self.minimum * np.exp(-log_ndtr(-np.asarray(u)) / self.shape)

    def no_narrower_than(self, other: Self) -> Self:
        """Minima and shapes are lowered to the other's: as much support, as heavy a tail.

        Where the minimum is lowered, the shape is too: the mean of ``ln x`` is kept.
        """
        minimum = np.minimum(self.minimum, other.minimum)
        shape = 1 / (1 / self.shape + log_ratio(self.minimum, minimum))
        return self.replace(minimum=minimum, shape=np.minimum(shape, other.shape))

    def spread(self) -> Array:
        """The interquartile range: the standard deviation is infinite for ``a <= 2``."""
        lower, upper = np.log([4 / 3, 4.0])[:, None] / self.shape
        with np.errstate(over="ignore"):
            return in_range(self.minimum * np.exp(lower) * np.expm1(upper - lower))

    def support(self) -> Support:
        """From the minimum on."""
        return Support(self.minimum, np.full_like(self.minimum, np.inf))


@closed_form_entropy(Pareto, of_fits=True)
def _entropy(f: Pareto) -> float:
    return float((np.log(f.minimum) - np.log(f.shape) + 1 + 1 / f.shape).sum())


@closed_form_kl(Pareto, Pareto)
def _kl(f: Pareto, g: Pareto) -> float:
    if (f.minimum < g.minimum).any():
        return np.inf
    tails = divergence_terms(f.shape, g.shape) / f.shape
    return float((tails + g.shape * log_ratio(f.minimum, g.minimum)).sum())
