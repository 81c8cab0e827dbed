"""Independent Laplace coordinates: errors with heavier tails than the normal ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.random import Generator

from cem.families.differences import exp_excess
from cem.families.parametric import ROUNDING, Independent, parameter, positive, real
from cem.families.samples import checked_sample, distinct, rows
from cem.loss.registry import closed_form_entropy, closed_form_kl
from cem.loss.series import divergence_terms
from cem.loss.support import Support
from cem.typing import Array, Batch, Vector


@dataclass(frozen=True, eq=False, repr=False)
class Laplace(Independent):
    """``f(x; m, b) = prod_j exp(-|x_j - m_j| / b_j) / (2 b_j)`` on ``R^d``.

    ``mean`` (``m``) and ``scale`` (``b``) have shape ``(d,)``; samples are float arrays of shape
    ``(n, d)``.

    >>> f = Laplace([0.0], [1.0]).fit(np.array([[0.0], [1.0], [5.0]]), np.ones(3))
    >>> f.mean, f.scale.round(4)
    (array([1.]), array([1.6667]))
    """

    mean: Array = parameter(real)
    scale: Array = parameter(positive)

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` points of ``R^d``, shape ``(n, d)``."""
        return rng.laplace(self.mean, self.scale, (n, self.mean.size))

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i; m, b)``, shape ``(n,)``."""
        distance = np.abs(rows(self, x) - self.mean) @ (1 / self.scale)
        return np.fmax(-distance - np.log(2 * self.scale).sum(), -np.inf)  # NaN is nowhere

    def fit(self, x: Batch, weights: Vector) -> Self:
        """``m_j``: the weighted median, the lower of two; ``b_j``: the mean distance from it.

        Raises ValueError for samples that are all equal.
        """
        x, w = checked_sample(self, x, weights, real)
        order = distinct(self, x).argsort(axis=0, kind="stable")
        middle = (w[order].cumsum(axis=0) >= 0.5 - ROUNDING).argmax(axis=0)
        columns = np.arange(x.shape[1])
        mean = x[order[middle, columns], columns]
        return self.replace(mean=mean, scale=w @ np.abs(x - mean))

    def at_normal(self, u: Batch) -> Batch:
        """The points whose distribution functions are those of standard normal ``u``."""
        from scipy.special import log_ndtr

        u = np.asarray(u)
        return self.mean - np.sign(u) * self.scale * (math.log(2) + log_ndtr(-np.abs(u)))

    def no_narrower_than(self, other: Self) -> Self:
        """Every scale is raised to the other's: likelihood ratios stay bounded."""
        return self.replace(scale=np.maximum(self.scale, other.scale))

    def spread(self) -> Array:
        """The standard deviations, ``sqrt(2) b_j``."""
        return np.sqrt(2) * self.scale

    def support(self) -> Support:
        """All of ``R^d``."""
        return Support.everywhere(self.n_coordinates)


@closed_form_entropy(Laplace, of_fits=True)
def _entropy(f: Laplace) -> float:
    return float((1 + np.log(2 * f.scale)).sum())


@closed_form_kl(Laplace, Laplace)
def _kl(f: Laplace, g: Laplace) -> float:
    shift = f.scale / g.scale * exp_excess(-np.abs(f.mean - g.mean) / f.scale)
    return float((divergence_terms(g.scale, f.scale) / g.scale + shift).sum())
