"""Independent exponential coordinates: lifetimes, edge lengths, service times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.random import Generator

from cem.families.parametric import Independent, non_negative, parameter, positive
from cem.families.samples import checked_sample, rows
from cem.families.totals import Totals, from_totals
from cem.loss.registry import closed_form_entropy, closed_form_kl
from cem.loss.series import divergence_terms
from cem.loss.support import Support
from cem.typing import Array, Batch, Vector


@dataclass(frozen=True, eq=False, repr=False)
class Exponential(Independent):
    """``f(x; v) = prod_j exp(-x_j / v_j) / v_j`` on ``x >= 0``; ``v`` is the mean.

    ``mean`` has shape ``(d,)``; samples are float arrays of shape ``(n, d)``.

    >>> Exponential([1.0]).fit(np.array([[2.0], [6.0]]), np.array([3.0, 1.0])).mean
    array([3.])
    """

    mean: Array = parameter(positive)

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` points with positive coordinates, shape ``(n, d)``."""
        x = rng.standard_exponential((n, self.mean.size))
        x *= self.mean
        return x

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i; v)``, shape ``(n,)``; ``-inf`` where a coordinate is negative."""
        x = rows(self, x)
        with np.errstate(invalid="ignore"):  # inf - inf lies outside
            log_f = -(x @ (1 / self.mean)) - np.log(self.mean).sum()
        return np.where(x.min(axis=1) >= 0, log_f, -np.inf)

    @from_totals
    def fit(self, x: Batch, weights: Vector) -> Self:
        """``v_j``: the weighted mean; de Boer et al. (2005).

        Raises ValueError for samples that are negative.
        """
        x, w = checked_sample(self, x, weights, non_negative)
        return self.replace(mean=w @ x)

    def statistics(self, x: Batch, weights: Vector) -> Totals:
        """The weight, and the weighted sum."""
        return {"mass": weights.sum(), "x": weights @ x}

    def from_statistics(self, total: Totals) -> Self:
        """``v_j``: the weighted mean."""
        return self.replace(mean=total["x"] / total["mass"])

    def at_normal(self, u: Batch) -> Batch:
        """The points whose distribution functions are those of standard normal ``u``."""
        from scipy.special import log_ndtr

        return -self.mean * log_ndtr(-np.asarray(u))

    def spread(self) -> Array:
        """The standard deviation of an exponential is its mean."""
        return self.mean

    def support(self) -> Support:
        """From zero on."""
        return Support.positive(self.n_coordinates)


@closed_form_entropy(Exponential, of_fits=True)
def _entropy(f: Exponential) -> float:
    return float((1 + np.log(f.mean)).sum())


@closed_form_kl(Exponential, Exponential)
def _kl(f: Exponential, g: Exponential) -> float:
    return float((divergence_terms(g.mean, f.mean) / g.mean).sum())
