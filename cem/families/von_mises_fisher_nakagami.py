"""Mixtures of von Mises-Fisher directions and Nakagami distances, for many dimensions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Self

import numpy as np
from numpy.random import Generator

from cem.families.bessel import concentration_of, log_bessel, mean_cosine
from cem.families.differences import log_ratio, stirling, stirling_slope
from cem.families.expectation_maximisation import likeliest, seeded
from cem.families.gamma import fitted_shape
from cem.families.mixing import Mixture
from cem.families.parametric import ROUNDING, non_negative, parameter, positive, real
from cem.families.samples import checked_sample, in_range
from cem.loss.series import divergence_terms
from cem.loss.support import Support
from cem.typing import Array, Batch, Vector

LEAST = 5.0  # effective samples of a component
NARROWEST = 1e-12  # least ln E r^2 - E ln r^2 of the distances in a fit: a width of 1e-6 of them


def unit_vectors(a: Array) -> Array:
    """At least two coordinates, and rows of length one."""
    if a.shape[1] < 2:
        raise ValueError(f"must have two coordinates or more; got {a.shape[1]}")
    length = np.sqrt((real(a) ** 2).sum(axis=1))
    off = np.abs(length - 1) > ROUNDING
    if off.any():
        row = int(off.argmax())
        raise ValueError(f"must hold rows of length 1; got length {length[row]:g} in row {row}")
    return a


def off_the_origin(x: Array) -> Array:
    """Finite numbers, not all zero in a row."""
    zero = ~real(x).any(axis=1)
    if zero.any():
        raise ValueError(f"must have a direction; got the origin in row {int(zero.argmax())}")
    return x


class Polar(NamedTuple):
    """Points of ``R^d`` as directions ``(n, d)`` and squared distances ``(n,)`` from the origin."""

    direction: Array
    square: Vector

    @classmethod
    def of(cls, x: Array) -> Polar:
        """Infinite points count as far away, those with a NaN too; they have no direction."""
        largest = np.abs(x).max(axis=1, keepdims=True)
        scale = np.where((largest > 0) & (largest < np.inf), largest, 1.0)
        y = x / scale
        length = np.sqrt(np.einsum("ij,ij->i", y, y))[:, None]
        with np.errstate(over="ignore", invalid="ignore"):
            square = (length * scale)[:, 0] ** 2
            direction = y / np.where(length > 0, length, 1.0)
        direction[~np.isfinite(square)] = 0.0
        return cls(direction, square)


class Rays(NamedTuple):
    """The components: ``direction`` has shape ``(k, d)``, the rest ``(k,)``."""

    direction: Array
    concentration: Array
    shape: Array
    scale: Array

    def log_densities(self, x: Polar) -> Array:
        """``ln f_j(x_i)`` with respect to the volume, shape ``(k, n)``."""
        d, kappa, m = self.direction.shape[1], self.concentration, self.shape
        inside = np.isfinite(x.square)
        y = in_range(np.where(inside, x.square, 1.0))
        cosine = self.direction @ x.direction.T
        log_size = log_bessel(d / 2 - 1, kappa) - stirling(m) - math.lgamma(d / 2)
        log_f = kappa[:, None] * (cosine - 1) - 0.5 * d * np.log(math.pi * y)
        log_f -= (m / self.scale)[:, None] * divergence_terms(self.scale[:, None], y)
        return np.where(inside, log_f - log_size[:, None], -np.inf)

    def entropies(self) -> Vector:
        """Of direction and squared distance; what is the same for all is left out."""
        d, kappa, m = self.direction.shape[1], self.concentration, self.shape
        direction = log_bessel(d / 2 - 1, kappa) + kappa * (1 - mean_cosine(d, kappa))
        return direction + np.log(self.scale) + (m - 1) * stirling_slope(m) - stirling(m)

    def merged(self, i: Array, j: Array, share: Vector) -> Rays:
        """Pairs as one component each, with the means of ``a``, ``r^2`` and ``ln r^2`` of both."""
        mean = mean_cosine(self.direction.shape[1], self.concentration)[:, None] * self.direction
        scale = share * self.scale[i] + (1 - share) * self.scale[j]
        depth = [stirling_slope(self.shape[q]) + log_ratio(scale, self.scale[q]) for q in (i, j)]
        both = share[:, None] * mean[i] + (1 - share[:, None]) * mean[j]
        return _of_means(both, scale, share * depth[0] + (1 - share) * depth[1])


@dataclass(frozen=True, eq=False, repr=False)
class VonMisesFisherNakagami(Mixture):
    """``x = r a``: mixed densities of a direction and a distance, on ``R^d`` with ``d > 1``.

    Component ``j`` has ``a`` of density ``C_d(kappa) exp(kappa mu . a)`` on the sphere
    (von Mises-Fisher: ``direction`` ``mu``, ``concentration`` ``kappa >= 0``) and, independent of
    it, ``r`` of density ``2 (m / omega)^m r^(2m - 1) exp(-m r^2 / omega) / Gamma(m)`` (Nakagami:
    ``shape`` ``m``, ``scale`` ``omega = E r^2``). Papaioannou, Geyer, Straub (2019). The density
    of ``x`` is with respect to the volume, so it can be weighed against any other on ``R^d``.

    ``direction`` has shape ``(k, d)``, the other parameters ``(k,)``; samples are float arrays of
    shape ``(n, d)``. Components of weight zero are idle. A component has ``d + 2`` parameters,
    where a normal one has of the order ``d^2``.

    >>> f = VonMisesFisherNakagami.standard_normal(100, k=2)
    >>> f.log_density(np.ones((1, 100))) / (-50 * np.log(2 * np.pi) - 50)
    array([1.])
    """

    kind: ClassVar[type[Rays]] = Rays

    direction: Array = parameter(unit_vectors, ndim=2)
    concentration: Array = parameter(non_negative)
    shape: Array = parameter(positive)
    scale: Array = parameter(positive)

    @classmethod
    def standard_normal(cls, d: int, k: int) -> Self:
        """The standard normal density on ``R^d``, exactly, with room for ``k`` components.

        Directions without concentration, distances of shape ``d / 2`` and scale ``d``: the nominal
        density of an estimate in standard normal variables.
        """
        weight, ones, direction = np.zeros(k), np.ones(k), np.zeros((k, d))
        weight[:1] = direction[:, :1] = 1.0
        return cls(weight, direction, 0 * ones, d / 2 * ones, float(d) * ones)

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` points of ``R^d``, shape ``(n, d)``."""
        label, d = self._labels(rng, n), self.n_coordinates
        cosine, gap = _cosines(rng, d, self.concentration[label])
        mean = self.direction[label]
        side = rng.standard_normal((n, d))
        side -= np.einsum("ij,ij->i", side, mean)[:, None] * mean
        side *= np.sqrt(gap * (1 + cosine) / np.einsum("ij,ij->i", side, side))[:, None]
        shape = self.shape[label]
        square = in_range(rng.standard_gamma(shape) / shape * self.scale[label])
        return np.asarray((cosine[:, None] * mean + side) * np.sqrt(square)[:, None])

    def fit(self, x: Batch, weights: Vector) -> Self:
        """A mixture of at most ``k`` components by EM, their number by BIC: see `likeliest`.

        It starts from the components of this member, and from seeds. A component has at least five
        effective samples, its distances a width of at least 1e-6 of themselves, and its directions
        a concentration of 1e6 at most. Raises ValueError for samples that are not finite, and for
        the origin, which has no direction.
        """
        x, w = checked_sample(self, x, weights, off_the_origin)
        y = Polar.of(x)
        starts = [seeded(y.direction, w, self.weight.size), self._log_joint(y)]
        cost = self.n_coordinates + 3
        return self._of(*likeliest(y, w, starts, _refit, cost=cost, least=LEAST))

    def no_narrower_than(self, other: Self) -> Self:
        """Far out no component falls faster than any of the other's: every shape is lowered.

        The mean square of the distance is kept.
        """
        slowest = (other.shape / other.scale)[other.weight > 0].min()
        return self.replace(shape=np.minimum(self.shape, self.scale * slowest))

    def spread(self) -> Array:
        """The standard deviations of the coordinates."""
        d, kappa, m = self.n_coordinates, self.concentration, self.shape
        cosine = mean_cosine(d, kappa)
        distance = np.sqrt(self.scale) * _root_mean(m)
        mean = (self.weight * distance * cosine) @ self.direction
        across = np.where(kappa > 0, cosine / np.where(kappa > 0, kappa, 1.0), 1 / d)
        along = (1 - d * across)[:, None] * self.direction**2
        square = (self.weight * self.scale) @ (across[:, None] + along)
        return np.sqrt(np.maximum(square - mean**2, 0.0))

    def support(self) -> Support:
        """All of ``R^d``."""
        return Support.everywhere(self.n_coordinates)

    def _read(self, x: Array) -> Polar:
        return Polar.of(x)


def _refit(x: Polar, r: Array) -> Rays:
    share = r / r.sum(axis=1)[:, None]
    scale = share @ x.square
    depth = (share * divergence_terms(scale[:, None], x.square)).sum(axis=1) / scale
    return _of_means(share @ x.direction, scale, depth)


def _of_means(mean: Array, scale: Vector, depth: Vector) -> Rays:
    """The components with these ``E a``, ``E r^2`` and ``ln E r^2 - E ln r^2``."""
    length = np.sqrt((mean**2).sum(axis=1))
    no_direction = np.eye(1, mean.shape[1])
    direction = np.where(length[:, None] > 0, mean, no_direction)
    direction /= np.where(length > 0, length, 1.0)[:, None]
    shape = fitted_shape(np.maximum(depth, NARROWEST))
    return Rays(direction, concentration_of(mean.shape[1], length), shape, scale)


def _cosines(rng: Generator, d: int, kappa: Vector) -> tuple[Vector, Vector]:
    """``mu . a`` for von Mises-Fisher directions, and one minus that, by rejection: Wood (1994)."""
    b = (d - 1) / (2 * kappa + np.sqrt(4 * kappa**2 + (d - 1) ** 2))
    gap, open_ = np.empty_like(kappa), np.arange(kappa.size)
    while open_.size:
        c, z = b[open_], rng.beta((d - 1) / 2, (d - 1) / 2, open_.size)
        stretch = 1 - (1 - c) * z
        tried = 2 * c * z / stretch
        least = 2 * c / (1 + c)  # one minus Wood's x_0
        log_ratio_ = kappa[open_] * (least - tried) + (d - 1) * np.log((1 + c) / (2 * stretch))
        good = log_ratio_ >= -rng.standard_exponential(open_.size)
        gap[open_[good]] = tried[good]
        open_ = open_[~good]
    return 1 - gap, gap


def _root_mean(m: Array) -> Array:
    """``Gamma(m + 1/2) / (Gamma(m) sqrt(m))``: the mean distance, in root mean squares."""
    return np.exp(stirling(m) - stirling(m + 0.5) + (m + 0.5) * np.log1p(0.5 / m) - 0.5)
