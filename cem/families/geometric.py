"""Independent geometric coordinates: how many trials it takes to succeed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.random import Generator

from cem.families.bernoulli import coin_divergence
from cem.families.parametric import Independent, parameter, positive, probability, whole
from cem.families.samples import checked_sample, rows
from cem.loss.registry import closed_form_entropy, closed_form_kl
from cem.loss.support import Support
from cem.typing import Array, Batch, Vector


def chance(p: Array) -> Array:
    """Numbers in (0, 1]."""
    return positive(probability(p))


@dataclass(frozen=True, eq=False, repr=False)
class Geometric(Independent):
    """``f(x; p) = prod_j p_j (1 - p_j)^(x_j - 1)`` on ``{1, 2, ...}^d``; the mean is ``1 / p``.

    ``p`` has shape ``(d,)``; samples are int64 arrays of shape ``(n, d)``. Where ``p`` is one the
    first trial always succeeds.

    >>> Geometric([0.5]).fit(np.array([[1], [5]]), np.array([3.0, 1.0])).p
    array([0.5])
    """

    p: Array = parameter(chance)

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` points of ``{1, 2, ...}^d``, int64, shape ``(n, d)``."""
        return rng.geometric(self.p, (n, self.p.size))

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i; p)``, shape ``(n,)``; ``-inf`` off the whole numbers from 1."""
        from scipy.special import xlog1py

        x = rows(self, x)
        inside = (x >= 1) & (x == np.floor(x)) & (x < np.inf)
        log_f = xlog1py(np.where(inside, x - 1, 0), -self.p)
        return np.where(inside.all(axis=1), log_f.sum(axis=1) + np.log(self.p).sum(), -np.inf)

    def fit(self, x: Batch, weights: Vector) -> Self:
        """``1 / p_j``: the weighted mean. Samples that are all 1 give ``p_j = 1``.

        Raises ValueError for samples off ``{1, 2, ...}^d``.
        """
        x, w = checked_sample(self, x, weights, whole(1))
        return self.replace(p=1 / (w @ x))

    def spread(self) -> Array:
        """``sqrt(1 - p_j) / p_j``."""
        return np.sqrt(1 - self.p) / self.p

    def support(self) -> Support:
        """The whole numbers from 1; 1 alone where ``p`` is one."""
        low = np.ones_like(self.p)
        return Support(low, np.where(self.p < 1, np.inf, low), discrete=True)


@closed_form_entropy(Geometric, of_fits=True)
def _entropy(f: Geometric) -> float:
    from scipy.special import xlog1py

    return float((0.0 - np.log(f.p) - xlog1py(1 - f.p, -f.p) / f.p).sum())


@closed_form_kl(Geometric, Geometric)
def _kl(f: Geometric, g: Geometric) -> float:
    return float((coin_divergence(f.p, g.p) / f.p).sum())  # 1 / p tosses of a coin
