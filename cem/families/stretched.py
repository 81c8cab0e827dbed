"""A normal density stretched by several scales at once: to explore near and far together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.random import Generator

from cem.families.expectation_maximisation import CLOSE, log_total
from cem.families.gaussian import normals
from cem.families.mixing import proportions
from cem.families.normal import LN_2PI
from cem.families.parametric import Parametric, constant, parameter, positive, real
from cem.families.samples import checked_sample, rows
from cem.loss.support import Support
from cem.typing import Array, Batch, Vector

MOST_STEPS = 2000  # EM is slow where the scales are near


@dataclass(frozen=True, eq=False, repr=False)
class Stretched(Parametric):
    """``f(x) = sum_j weight_j N(x; mean, scale_j^2 diag(std^2))`` on ``R^d``.

    A defensive density in the sense of Hesterberg (1995): with a scale of one its likelihood ratio
    to the normal density itself is bounded by one over that weight, and the larger scales reach
    events which that would not. Only the ``weight`` is fitted, shape ``(k,)``; ``scale`` ``(k,)``
    and ``mean`` and ``std`` ``(d,)`` stay. Samples are float arrays of shape ``(n, d)``; to weigh
    them takes ``O(n (d + k))``. Entropy and divergence have no closed form.

    >>> f = Stretched([0.0, 0.0], [1.0, 1.0], [1.0, 3.0], [0.9, 0.1])
    >>> f.log_density(np.array([[0.0, 0.0], [6.0, 0.0]])).round(4)
    array([-1.931 , -8.3377])
    """

    mean: Array = constant(real)
    std: Array = constant(positive)
    scale: Array = constant(positive)
    weight: Array = parameter(proportions)

    def __post_init__(self) -> None:
        super().__post_init__()
        for one, other in (("std", "mean"), ("weight", "scale")):
            found, expected = getattr(self, one).shape, getattr(self, other).shape
            if found != expected:
                raise ValueError(
                    f"Stretched.{one} must have shape {expected} to go with Stretched.{other}; got "
                    f"shape {found}"
                )

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` points of ``R^d``, shape ``(n, d)``."""
        label = rng.choice(self.weight.size, n, p=self.weight / self.weight.sum())
        x = normals(rng, n, np.zeros_like(self.std), self.std)
        x *= self.scale[label][:, None]
        x += self.mean
        return x

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i)``, shape ``(n,)``."""
        works = self.weight > 0
        log_f = self._log_densities(rows(self, x), self.scale[works])
        log_f += np.log(self.weight[works])[:, None]
        return log_total(log_f)

    def fit(self, x: Batch, weights: Vector) -> Self:
        """The likeliest weights of the scales, by EM from equal ones: there is no other maximum.

        A step that lowers the loss by less than 1e-12 nats ends it, and so do 2000 of them. Raises
        ValueError for samples that are not finite.
        """
        x, w = checked_sample(self, x, weights, real)
        log_f = self._log_densities(x, self.scale)
        highest = log_f.max(axis=0)
        f = np.exp(log_f - highest)
        weight, before = np.full(self.scale.size, 1 / self.scale.size), -np.inf
        for _ in range(MOST_STEPS):
            total = weight @ f
            weight, gain = weight * (f @ (w / total)), float(w @ np.log(total))
            if gain - before < CLOSE:
                break
            before = gain
        return self.replace(weight=weight / weight.sum())

    def spread(self) -> Array:
        """The standard deviations of the coordinates."""
        return self.std * np.sqrt(self.weight @ self.scale**2)

    def support(self) -> Support:
        """All of ``R^d``."""
        return Support.everywhere(self.n_coordinates)

    def _log_densities(self, x: Array, scale: Array) -> Array:
        """``ln N(x_i; mean, scale_j^2 diag(std^2))``, shape ``(k, n)``."""
        with np.errstate(over="ignore"):
            z = x - self.mean
            z /= self.std
            square = np.einsum("ij,ij->i", z, z)
        log_size = self.std.size * (0.5 * LN_2PI + np.log(scale)) + np.log(self.std).sum()
        square = np.fmin(square, np.inf)  # NaN is nowhere
        return -0.5 * np.multiply.outer(scale**-2.0, square) - log_size[:, None]
