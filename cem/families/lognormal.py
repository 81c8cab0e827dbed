"""Independent log-normal coordinates: positive variables that vary by factors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.random import Generator

from cem.families.normal import Normal, normal_entropy, normal_kl
from cem.families.parametric import Independent, non_negative, parameter, positive, real
from cem.families.samples import checked_sample, in_range, rows
from cem.loss.registry import closed_form_entropy, closed_form_kl
from cem.loss.support import Support
from cem.typing import Array, Batch, Vector


@dataclass(frozen=True, eq=False, repr=False)
class LogNormal(Independent):
    """``ln X`` has the density ``Normal(log_mean, log_std)``; ``x > 0``.

    ``log_mean`` and ``log_std`` have shape ``(d,)``; samples are float arrays of shape ``(n, d)``.
    A ``log_std`` of zero is a coordinate collapsed to the point ``exp(log_mean)``.

    >>> f = LogNormal([0.0], [1.0]).fit(np.array([[1.0], [np.e**4]]), np.array([3.0, 1.0]))
    >>> f.log_mean, f.log_std.round(4)
    (array([1.]), array([1.7321]))
    """

    log_mean: Array = parameter(real)
    log_std: Array = parameter(non_negative)

    @property
    def log(self) -> Normal:
        """The density of ``ln X``."""
        return Normal(self.log_mean, self.log_std)

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` points with positive coordinates, shape ``(n, d)``."""
        with np.errstate(over="ignore"):
            return in_range(np.exp(self.log.sample(rng, n)))

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i; log_mean, log_std)``, shape ``(n,)``; ``-inf`` unless all are positive.

        A collapsed coordinate is infinitely dense at the one double that is sampled there.
        """
        x = rows(self, x, float)
        log_x = np.log(np.where(x > 0, x, 1.0))
        point = (self.log_std == 0) & (x == self._median())
        log_f = self.log.log_density(np.where(point, self.log_mean, log_x)) - log_x.sum(axis=1)
        return np.where((x > 0).all(axis=1), log_f, -np.inf)

    def fit(self, x: Batch, weights: Vector) -> Self:
        """The weighted mean and standard deviation of ``ln x``.

        Samples that are all equal give a collapsed coordinate. Raises ValueError for samples that
        are not positive.
        """
        x, w = checked_sample(self, x, weights, positive)
        log = self.log.fit(np.log(x), w)
        return self.replace(log_mean=log.mean, log_std=log.std)

    def at_normal(self, u: Batch) -> Batch:
        """The points whose distribution functions are those of standard normal ``u``."""
        return np.exp(self.log_mean + self.log_std * np.asarray(u))

    def no_narrower_than(self, other: Self) -> Self:
        """Every ``log_std`` is raised to the other's: likelihood ratios stay bounded."""
        return self.replace(log_std=np.maximum(self.log_std, other.log_std))

    def spread(self) -> Array:
        """The standard deviation of ``x``: ``exp(m + s^2 / 2) sqrt(exp(s^2) - 1)``."""
        with np.errstate(over="ignore"):
            spread = np.exp(self.log_mean + self.log_std**2 / 2) * np.sqrt(
                np.expm1(self.log_std**2)
            )
        return np.where(self.log_std > 0, in_range(spread), 0.0)

    def support(self) -> Support:
        """All that is positive; a collapsed coordinate is a point."""
        wide, point = self.log_std > 0, self._median()
        return Support(np.where(wide, 0.0, point), np.where(wide, np.inf, point))

    def _median(self) -> Array:
        with np.errstate(over="ignore"):
            return in_range(np.exp(self.log_mean))


@closed_form_entropy(LogNormal, of_fits=True)
def _entropy(f: LogNormal) -> float:
    return float(f.log_mean.sum()) + normal_entropy(f.log)


@closed_form_kl(LogNormal, LogNormal)
def _kl(f: LogNormal, g: LogNormal) -> float:
    return normal_kl(f.log, g.log)
