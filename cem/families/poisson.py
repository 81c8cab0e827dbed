"""Independent Poisson coordinates: counts of arrivals, failures, claims."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.random import Generator

from cem.families.differences import stirling
from cem.families.parametric import Independent, non_negative, parameter, whole
from cem.families.samples import checked_sample, rows
from cem.loss.registry import closed_form_entropy, closed_form_kl
from cem.loss.series import divergence_terms
from cem.loss.support import Support
from cem.typing import Array, Batch, Vector

LARGE = 100.0  # from this rate on the asymptotic series of the entropy is exact to rounding
SERIES = (  # in 1 / rate, from integrating dH / d rate = E ln(X + 1) - ln(rate) term by term
    *(0.0, -1 / 12, -1 / 24, -19 / 360, -9 / 80),
    *(-863 / 2520, -1375 / 1008, -33953 / 5040, -57281 / 1440),
)


@dataclass(frozen=True, eq=False, repr=False)
class Poisson(Independent):
    """``f(x; rate) = prod_j rate_j^x_j exp(-rate_j) / x_j!`` on ``{0, 1, ...}^d``.

    ``rate``, the mean, has shape ``(d,)``; samples are int64 arrays of shape ``(n, d)``. Where the
    rate is zero nothing ever arrives.

    >>> Poisson([1.0]).fit(np.array([[2], [6]]), np.array([3.0, 1.0])).rate
    array([3.])
    """

    rate: Array = parameter(non_negative)

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` points of ``{0, 1, ...}^d``, int64, shape ``(n, d)``."""
        return rng.poisson(self.rate, (n, self.rate.size))

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i; rate)``, shape ``(n,)``; ``-inf`` off the whole numbers from 0."""
        x = rows(self, x)
        inside = (x >= 0) & (x == np.floor(x)) & (x < np.inf)
        log_f = _log_density(np.where(inside, x, 0), self.rate).sum(axis=1)
        return np.where(inside.all(axis=1), log_f, -np.inf)

    def fit(self, x: Batch, weights: Vector) -> Self:
        """``rate_j``: the weighted mean. Samples that are all 0 give a rate of zero.

        Raises ValueError for samples off ``{0, 1, ...}^d``.
        """
        x, w = checked_sample(self, x, weights, whole(0))
        return self.replace(rate=w @ x)

    def spread(self) -> Array:
        """``sqrt(rate_j)``."""
        return np.sqrt(self.rate)

    def support(self) -> Support:
        """The whole numbers from 0; 0 alone where the rate is zero."""
        low = np.zeros_like(self.rate)
        return Support(low, np.where(self.rate > 0, np.inf, low), discrete=True)


def _log_density(x: Array, rate: Array) -> Array:
    """``x ln(rate) - rate - ln x!``, elementwise, without cancellation: Loader (2000)."""
    count = np.maximum(x, 1)
    return np.where(x > 0, stirling(count) - np.log(count), 0.0) - divergence_terms(x, rate)


@closed_form_entropy(Poisson)
def _entropy(f: Poisson) -> float:
    """The sum of ``-f ln f`` where it is short, else its asymptotic series."""
    rate = np.minimum(f.rate, LARGE)[:, None]
    log_f = _log_density(np.arange(3 * LARGE), rate)  # the rest has probability below 1e-50
    finite = np.where(log_f > -np.inf, log_f, 0.0)
    series = 0.5 * np.log(2 * np.pi * np.e * np.maximum(f.rate, LARGE))
    series += np.polynomial.polynomial.polyval(1 / np.maximum(f.rate, LARGE), SERIES)
    return float(np.where(f.rate < LARGE, -(np.exp(log_f) * finite).sum(axis=1), series).sum())


@closed_form_kl(Poisson, Poisson)
def _kl(f: Poisson, g: Poisson) -> float:
    return float(divergence_terms(f.rate, g.rate).sum())
