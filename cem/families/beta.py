"""Independent beta coordinates: unknown shares and probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.random import Generator

from cem.families.differences import stirling
from cem.families.dirichlet import dirichlet_entropy, dirichlet_kl, fitted_concentration
from cem.families.parametric import Independent, between_0_and_1, parameter, positive
from cem.families.samples import checked_sample, distinct, rows
from cem.loss.registry import closed_form_entropy, closed_form_kl
from cem.loss.series import divergence_terms
from cem.loss.support import Support
from cem.typing import Array, Batch, Vector

SMALLEST, LARGEST = np.finfo(float).tiny, np.nextafter(1.0, 0.0)  # inside (0, 1)


@dataclass(frozen=True, eq=False, repr=False)
class Beta(Independent):
    """``f(x; a, b) = prod_j x_j^(a_j - 1) (1 - x_j)^(b_j - 1) / B(a_j, b_j)`` on ``0 < x < 1``.

    ``a`` and ``b`` have shape ``(d,)``, the mean is ``a / (a + b)``; samples are float arrays of
    shape ``(n, d)``.

    >>> f = Beta([1.0], [1.0]).fit(np.array([[0.2], [0.3], [0.6]]), np.ones(3))
    >>> f.a.round(3), f.b.round(3)
    (array([3.022]), array([5.16]))
    """

    a: Array = parameter(positive)
    b: Array = parameter(positive)

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` points strictly between 0 and 1, shape ``(n, d)``."""
        return rng.beta(self.a, self.b, (n, self.a.size)).clip(SMALLEST, LARGEST)

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i; a, b)``, shape ``(n,)``; ``-inf`` unless all lie strictly within (0, 1)."""
        x = rows(self, x, float)
        inside = (x > 0) & (x < 1)
        y, total = np.where(inside, x, 0.5), self.a + self.b
        p, q = self.a / total, self.b / total  # below, ln f in terms of y - p: nothing cancels
        excess = divergence_terms(p, y) + divergence_terms(q, 1 - y, p - y)
        log_f = stirling(self.a) + stirling(self.b) - stirling(total) - total * excess
        log_f = log_f - np.log(y) - np.log1p(-y)
        return np.where(inside.all(axis=1), log_f.sum(axis=1), -np.inf)

    def fit(self, x: Batch, weights: Vector) -> Self:
        """``psi(a) - psi(a + b)`` is the weighted mean of ``ln x``, and so for ``b`` and ``1 - x``.

        Raises ValueError for samples that are 0 or 1, or all equal.
        """
        x, w = checked_sample(self, x, weights, between_0_and_1)
        mean = w @ distinct(self, x)
        s = w @ divergence_terms(mean, x) / mean
        t = w @ divergence_terms(1 - mean, 1 - x, mean - x) / (1 - mean)
        fitted = fitted_concentration(np.stack([mean, 1 - mean], 1), np.stack([s, t], 1))
        return self.replace(a=fitted[:, 0], b=fitted[:, 1])

    def at_normal(self, u: Batch) -> Batch:
        """The points whose distribution functions are those of standard normal ``u``."""
        from scipy.special import betainccinv, betaincinv, ndtr

        u = np.asarray(u)
        tail = ndtr(-np.abs(u))
        return np.where(u < 0, betaincinv(self.a, self.b, tail), betainccinv(self.a, self.b, tail))

    def no_narrower_than(self, other: Self) -> Self:
        """Every ``a + b`` is lowered to the other's, and the mean kept."""
        share = np.minimum(1.0, (other.a + other.b) / (self.a + self.b))
        return self.replace(a=share * self.a, b=share * self.b)

    def spread(self) -> Array:
        """``sqrt(m_j (1 - m_j) / (a_j + b_j + 1))`` with the mean ``m``."""
        total = self.a + self.b
        return np.sqrt(self.a / total * (self.b / total) / (total + 1))

    def support(self) -> Support:
        """Between 0 and 1."""
        return Support(np.zeros_like(self.a), np.ones_like(self.a))


@closed_form_entropy(Beta, of_fits=True)
def _entropy(f: Beta) -> float:
    return float(dirichlet_entropy(np.stack([f.a, f.b], axis=1)).sum())


@closed_form_kl(Beta, Beta)
def _kl(f: Beta, g: Beta) -> float:
    a, b = np.stack([f.a, f.b], axis=1), np.stack([g.a, g.b], axis=1)
    return float(dirichlet_kl(a, b).sum())
