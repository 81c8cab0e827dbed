"""Independent log-normal coordinates: positive variables that vary by factors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.random import Generator

from cem.families.normal import Normal, normal_entropy, normal_kl
from cem.families.parametric import Independent, non_negative, parameter, real
from cem.families.samples import elite, in_range
from cem.loss.registry import closed_form_entropy, closed_form_kl
from cem.loss.support import Support
from cem.typing import Array, Batch, Vector


@dataclass(frozen=True, eq=False, repr=False)
class LogNormal(Independent):
    """``ln X`` has the density ``Normal(mean, std)``; ``x > 0``.

    ``mean`` and ``std`` have shape ``(d,)``; samples are float arrays of shape ``(n, d)``. A
    ``std`` of zero is a coordinate collapsed to the point ``exp(mean)``.

    >>> f = LogNormal([0.0], [1.0]).fit(np.array([[1.0], [np.e**4]]), np.array([3.0, 1.0]))
    >>> f.mean, f.std.round(4)
    (array([1.]), array([1.7321]))
    """

    mean: Array = parameter(real)
    std: Array = parameter(non_negative)

    @property
    def log(self) -> Normal:
        """The density of ``ln X``."""
        return Normal(self.mean, self.std)

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` points with positive coordinates, shape ``(n, d)``."""
        with np.errstate(over="ignore"):
            return in_range(np.exp(self.log.sample(rng, n)))

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i; mean, std)``, shape ``(n,)``; ``-inf`` unless all coordinates are positive.

        A collapsed coordinate is infinitely dense at the one double that is sampled there.
        """
        x = np.asarray(x, dtype=float)
        log_x = np.log(np.where(x > 0, x, 1.0))
        point = (self.std == 0) & (x == self._median())
        log_f = self.log.log_density(np.where(point, self.mean, log_x)) - log_x.sum(axis=1)
        return np.where((x > 0).all(axis=1), log_f, -np.inf)

    def fit(self, x: Batch, weights: Vector) -> Self:
        """The weighted mean and standard deviation of ``ln x``.

        Samples that are all equal give a collapsed coordinate. Raises ValueError for samples that
        are not positive.
        """
        x, w = elite(self, x, weights, low=0.0)
        return self.replace(**self.log.fit(np.log(x), w).parameters())

    def no_narrower_than(self, other: Self) -> Self:
        """Every ``std`` is raised to the other's: likelihood ratios stay bounded."""
        return self.replace(std=np.maximum(self.std, other.std))

    def spread(self) -> Array:
        """The standard deviation of ``x``: ``exp(mean + std^2 / 2) sqrt(exp(std^2) - 1)``."""
        with np.errstate(over="ignore"):
            spread = np.exp(self.mean + self.std**2 / 2) * np.sqrt(np.expm1(self.std**2))
        return np.where(self.std > 0, in_range(spread), 0.0)

    def support(self) -> Support:
        """All that is positive; a collapsed coordinate is a point."""
        wide, point = self.std > 0, self._median()
        return Support(np.where(wide, 0.0, point), np.where(wide, np.inf, point))

    def _median(self) -> Array:
        with np.errstate(over="ignore"):
            return in_range(np.exp(self.mean))


@closed_form_entropy(LogNormal, of_fits=True)
def _entropy(f: LogNormal) -> float:
    return float(f.mean.sum()) + normal_entropy(f.log)


@closed_form_kl(LogNormal, LogNormal)
def _kl(f: LogNormal, g: LogNormal) -> float:
    return normal_kl(f.log, g.log)
