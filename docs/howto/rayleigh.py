"""Independent Rayleigh coordinates: wave heights, wind speeds, amplitudes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.random import Generator

from cem.families.parametric import Independent, parameter, positive
from cem.families.samples import checked_sample, rows
from cem.loss import closed_form_entropy, closed_form_kl
from cem.typing import Array, Batch, Vector


@dataclass(frozen=True, eq=False, repr=False)
class Rayleigh(Independent):
    """``f(x; s) = prod_j x_j / s_j^2 exp(-x_j^2 / (2 s_j^2))`` on ``x > 0``.

    ``scale`` has shape ``(d,)``; samples are float arrays of shape ``(n, d)``.

    >>> Rayleigh([1.0]).fit(np.array([[1.0], [3.0]]), np.array([3.0, 1.0])).scale.round(4)
    array([1.2247])
    """

    scale: Array = parameter(positive)

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` points with positive coordinates, shape ``(n, d)``."""
        return rng.rayleigh(self.scale, (n, self.scale.size))

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i; s)``, shape ``(n,)``; ``-inf`` where a coordinate is not positive."""
        z = np.fmax(rows(self, x), 0) / self.scale  # NaN lies outside, too
        with np.errstate(divide="ignore"):
            return (np.log(z / self.scale) - z**2 / 2).sum(axis=1)

    def fit(self, x: Batch, weights: Vector) -> Self:
        """``s_j^2``: half the weighted mean of the squares.

        Raises ValueError for samples that are not positive.
        """
        x, w = checked_sample(self, x, weights, positive)
        return self.replace(scale=np.sqrt(w @ x**2 / 2))

    def spread(self) -> Array:
        """The standard deviations."""
        return self.scale * math.sqrt(2 - math.pi / 2)


@closed_form_entropy(Rayleigh)
def _entropy(f: Rayleigh) -> float:
    return float((1 + np.log(f.scale / math.sqrt(2)) + np.euler_gamma / 2).sum())


@closed_form_kl(Rayleigh, Rayleigh)
def _kl(f: Rayleigh, g: Rayleigh) -> float:
    excess = (f.scale - g.scale) * (f.scale + g.scale) / g.scale**2  # (s/t)^2 - 1
    return float(np.maximum(0.0, excess - np.log1p(excess)).sum())


# ruff: noqa: INP001 - an example of the documentation, not a module of a package
