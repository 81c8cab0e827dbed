"""Independent negative binomial coordinates: counts that vary more than Poisson's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.random import Generator

from cem.families.differences import stirling, stirling_bend, stirling_slope
from cem.families.newton import increasing_root
from cem.families.parametric import Independent, non_negative, parameter, positive, whole
from cem.families.samples import checked_sample, rows
from cem.loss.series import divergence_terms
from cem.loss.support import Support
from cem.typing import Array, Batch, Vector

MOST = 1e6  # successes: the variance is then the mean but for a millionth of its square
LEAST = 1e-100  # where the search for them ends on the other side
TINY = np.finfo(float).tiny


def successes_in_range(a: Array) -> Array:
    """Positive numbers up to `MOST`, give or take what averaging adds."""
    if (positive(a) <= MOST * (1 + 1e-9)).all():
        return a
    raise ValueError(
        f"must be at most {MOST:g}, for with more the density is Poisson's; got {a.max():g}"
    )


@dataclass(frozen=True, eq=False, repr=False)
class NegativeBinomial(Independent):
    """``f(x; r, m) = prod_j C(x_j + r_j - 1, x_j) p_j^r_j (1 - p_j)^x_j``, ``p = r / (r + m)``.

    On ``{0, 1, ...}^d``: failures before ``r`` successes of chance ``p``, with the mean ``m`` and
    the variance ``m + m^2 / r``. ``successes`` (``r``, not only whole numbers) and ``mean`` have
    shape ``(d,)``; samples are int64 arrays of shape ``(n, d)``. ``r`` is at most a million, where
    the density is nearly Poisson's. A mean of zero is the point 0.

    >>> f = NegativeBinomial([1.0], [1.0]).fit(np.array([[0], [1], [5]]), np.ones(3))
    >>> f.successes.round(4), f.mean.round(12)
    (array([0.9743]), array([2.]))
    """

    successes: Array = parameter(successes_in_range)
    mean: Array = parameter(non_negative)

    @property
    def p(self) -> Array:
        """The chance of a success, shape ``(d,)``."""
        return self.successes / (self.successes + self.mean)

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` points of ``{0, 1, ...}^d``, int64, shape ``(n, d)``: Poisson, of a gamma rate."""
        rate = rng.standard_gamma(self.successes, (n, self.mean.size)) / self.successes
        return rng.poisson(rate * self.mean)

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i; r, m)``, shape ``(n,)``; ``-inf`` off the whole numbers from 0."""
        x = rows(self, x)
        inside = (x >= 0) & (x == np.floor(x)) & (x < np.inf)
        log_f = _log_density(np.where(inside, x, 0), self.successes, self.mean).sum(axis=1)
        return np.where(inside.all(axis=1), log_f, -np.inf)

    def fit(self, x: Batch, weights: Vector) -> Self:
        """The mean is the weighted one, and ``E[psi(x + r) - psi(r)] = ln(1 + mean / r)``.

        Samples that vary no more than Poisson counts have no likeliest ``r``: they get the largest
        that is allowed, a million. Samples that are all 0 give the point 0 and keep ``r_j``.
        Raises ValueError for samples off ``{0, 1, ...}^d``.
        """
        x, w = checked_sample(self, x, weights, whole(0))
        mean, successes = w @ x, self.successes.copy()
        some = mean > 0
        successes[some] = _likeliest(x[:, some], w, mean[some])
        return self.replace(successes=successes, mean=mean)

    def spread(self) -> Array:
        """``sqrt(m_j + m_j^2 / r_j)``."""
        return np.sqrt(self.mean * (1 + self.mean / self.successes))

    def support(self) -> Support:
        """The whole numbers from 0; 0 alone where the mean is zero."""
        low = np.zeros_like(self.mean)
        return Support(low, np.where(self.mean > 0, np.inf, low), discrete=True)


def _log_density(x: Array, r: Array, mean: Array) -> Array:
    """Elementwise, without cancellation: a binomial density in the form of Loader (2000)."""
    count, n = np.maximum(x, 1), x + r
    ways = stirling(count) - np.log(count) + stirling(r) - stirling(n)
    gap, share = r * ((x - mean) / (r + mean)), n / (r + mean)
    gaps = divergence_terms(r, r * share, gap) + divergence_terms(x, mean * share, -gap)
    return np.where(x > 0, ways, 0.0) - gaps


def _likeliest(x: Array, w: Vector, mean: Array) -> Array:
    """The root in ``r`` of the derivative of the likelihood; `MOST` if it is larger, or none."""

    def minus_slope(r: Array) -> tuple[Array, Array]:
        """Minus the derivative, times ``r (r + mean)`` so that it increases, and its slope."""
        logs = np.log1p(mean / r) - w @ np.log1p(x / r)
        value = logs - stirling_slope(r) + w @ stirling_slope(x + r)
        shares = w @ (x / (x + r)) - mean / (mean + r)
        bend = shares / r + stirling_bend(r) - w @ stirling_bend(x + r)
        scale = r * (r + mean)
        return scale * value, (2 * r + mean) * value + scale * bend

    def equation(t: Array) -> tuple[Array, Array]:
        """For ``r = exp(t)``; goes on as a line where Newton's step leaves what is allowed."""
        inside = t.clip(np.log(LEAST), np.log(MOST))
        value, slope = minus_slope(np.exp(inside))
        up = np.maximum(np.exp(inside) * slope, 1e-3 * abs(value) + TINY)  # where rounding hides it
        return value + (t - inside), np.where(t == inside, up, 1.0)

    most = np.full_like(mean, MOST)
    finite = minus_slope(most)[0] > 0
    excess = np.maximum(w @ (x - mean) ** 2 - mean, mean**2 / MOST)
    root = increasing_root(equation, np.log(mean**2 / excess))
    return np.where(finite, np.exp(np.minimum(root, np.log(MOST))), most)
