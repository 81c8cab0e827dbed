"""Independent uniform coordinates: a box, and nothing known but its sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.random import Generator

from cem.families.parametric import Independent, parameter, real
from cem.families.samples import checked_sample, distinct, rows
from cem.loss.registry import closed_form_entropy, closed_form_kl
from cem.loss.support import Support
from cem.typing import Array, Batch, Vector


@dataclass(frozen=True, eq=False, repr=False)
class Uniform(Independent):
    """``f(x; low, high) = prod_j 1 / (high_j - low_j)`` on ``low <= x <= high``.

    ``low`` and ``high`` have shape ``(d,)``; samples are float arrays of shape ``(n, d)``.

    >>> Uniform([0.0], [9.0]).fit(np.array([[2.0], [3.0], [5.0]]), np.ones(3))
    Uniform(low=[2.], high=[5.])
    """

    low: Array = parameter(real)
    high: Array = parameter(real)

    def __post_init__(self) -> None:
        super().__post_init__()
        with np.errstate(over="ignore"):
            width = self.high - self.low
        bad = (width <= 0) | (width == np.inf)
        if bad.any():
            j = int(bad.argmax())
            raise ValueError(
                "Uniform.low must be below Uniform.high, at a distance that is a finite double; "
                f"got {self.low[j]:g} and {self.high[j]:g} at index {j}"
            )

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` points of the box, shape ``(n, d)``."""
        return rng.uniform(self.low, self.high, (n, self.low.size))

    def log_density(self, x: Batch) -> Vector:
        """``-ln`` of the volume of the box, shape ``(n,)``; ``-inf`` outside it."""
        x = rows(self, x)
        inside = ((x >= self.low) & (x <= self.high)).all(axis=1)
        return np.where(inside, -_entropy(self), -np.inf)

    def fit(self, x: Batch, weights: Vector) -> Self:
        """The smallest box around the samples of positive weight.

        Raises ValueError for samples that are all equal.
        """
        x, _ = checked_sample(self, x, weights, real)
        return self.replace(low=distinct(self, x).min(axis=0), high=x.max(axis=0))

    def at_normal(self, u: Batch) -> Batch:
        """The points whose distribution functions are those of standard normal ``u``."""
        from scipy.special import ndtr

        u, width = np.asarray(u), self.high - self.low
        near = width * ndtr(-np.abs(u))  # from the nearer end
        return np.where(u < 0, self.low + near, self.high - near)

    def no_narrower_than(self, other: Self) -> Self:
        """The smallest box around both."""
        return self.replace(
            low=np.minimum(self.low, other.low), high=np.maximum(self.high, other.high)
        )

    def spread(self) -> Array:
        """The standard deviations, ``(high_j - low_j) / sqrt(12)``."""
        return (self.high - self.low) / np.sqrt(12)

    def support(self) -> Support:
        """The box."""
        return Support(self.low, self.high)


@closed_form_entropy(Uniform, of_fits=True)
def _entropy(f: Uniform) -> float:
    return float(np.log(f.high - f.low).sum())


@closed_form_kl(Uniform, Uniform)
def _kl(f: Uniform, g: Uniform) -> float:
    below, above = f.low - g.low, g.high - f.high
    if (below < 0).any() or (above < 0).any():
        return np.inf
    return float(np.log1p((below + above) / (f.high - f.low)).sum())
