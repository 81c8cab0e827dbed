"""Mixtures of normal densities whose covariances follow their means, for many dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Self

import numpy as np
from numpy.random import Generator

from cem.families.expectation_maximisation import likeliest, seeded
from cem.families.gaussian import standard_normals
from cem.families.mixing import Mixture
from cem.families.normal import LN_2PI
from cem.families.parametric import parameter, positive, real
from cem.families.samples import centred, checked_sample
from cem.loss.support import Support
from cem.typing import Array, Batch, Vector

LEAST = 5.0  # effective samples of a component
NARROWEST = 1e-6  # least width of a component, of the root mean square of its coordinates
CANCELS = 1e-4  # of the largest squared distance: below it the difference of two has lost digits
ENOUGH = 0.75  # of the nominal width
TINY = 1e-100  # and of one at the origin


def points(a: Array) -> Array:
    """Finite numbers, two coordinates or more."""
    if a.shape[1] < 2:
        raise ValueError(f"must have two coordinates or more; got {a.shape[1]}")
    return real(a)


class Aligned(NamedTuple):
    """The components: ``mean`` has shape ``(k, d)``, the rest ``(k,)``."""

    mean: Array
    across: Array
    along: Array

    def log_densities(self, x: Array) -> Array:
        """``ln f_j(x_i)``, shape ``(k, n)``."""
        d = self.mean.shape[1]
        with np.errstate(over="ignore", invalid="ignore"):
            axes = _axes(self.mean)
            place, square = axes @ x.T, np.einsum("ij,ij->i", x, x)
            if self.across.min() ** 2 > CANCELS * square.max(initial=0.0):  # false for NaN
                rest = np.maximum(square - place**2, 0.0)
                step = place - np.einsum("ij,ij->i", axes, self.mean)[:, None]
            else:
                step, rest = _parts(x, self.mean)
            z = (step / self.along[:, None]) ** 2 + rest / self.across[:, None] ** 2
        log_size = np.log(self.along) + (d - 1) * np.log(self.across)
        return np.fmax(-0.5 * (z + d * LN_2PI) - log_size[:, None], -np.inf)  # NaN is nowhere

    def entropies(self) -> Vector:
        """Half the log-determinants: what is the same for all is left out."""
        return np.log(self.along) + (self.mean.shape[1] - 1) * np.log(self.across)

    def merged(self, i: Array, j: Array, share: Vector) -> Aligned:
        """Pairs as one component each, with the mean of both and their variances about it."""
        d, pair = self.mean.shape[1], ((share, i), (1 - share, j))
        mean = sum(s[:, None] * self.mean[q] for s, q in pair)
        axis, along, total = _axes(mean), np.zeros(len(share)), np.zeros(len(share))
        for s, q in pair:
            gap, across = self.mean[q] - mean, self.across[q] ** 2
            excess = self.along[q] ** 2 - across
            cosine = np.einsum("ij,ij->i", axis, _axes(self.mean[q]))
            step = np.einsum("ij,ij->i", axis, gap)
            along += s * (across + excess * cosine**2 + step**2)
            total += s * (d * across + excess + np.einsum("ij,ij->i", gap, gap))
        return _of_moments(mean, along, np.maximum(total - along, 0.0))


@dataclass(frozen=True, eq=False, repr=False)
class AlignedNormals(Mixture):
    """``f(x) = sum_j weight_j N(x; mean_j, C_j)`` on ``R^d``, ``d > 1``, at most ``k`` components.

    ``C_j = across_j^2 (I - a a^T) + along_j^2 a a^T`` with ``a = mean_j / |mean_j|``: one standard
    deviation towards the origin and away from it, one for all other directions. El Masri, Morio,
    Simatos (2021) project on the direction of the mean, for many dimensions. A component has
    ``d + 2`` parameters, where that of a `GaussianMixture` has of the order ``d^2``; to sample
    ``n`` points or weigh them takes ``O(n k d)``. A mean of zero has no direction, and its
    ``along`` is the same as ``across``.

    ``mean`` has shape ``(k, d)``, the other parameters ``(k,)``; samples are float arrays of shape
    ``(n, d)``. Components of weight zero are idle. Entropy and divergence have no closed form.

    >>> f = AlignedNormals([1.0], [[3.0, 4.0]], [1.0], [2.0])
    >>> np.exp(-f.log_density(np.array([[3.0, 4.0]]))) / (2 * np.pi)
    array([2.])
    """

    kind: ClassVar[type[Aligned]] = Aligned

    mean: Array = parameter(points, ndim=2)
    across: Array = parameter(positive)
    along: Array = parameter(positive)

    def __post_init__(self) -> None:
        super().__post_init__()
        if (bad := ~self.mean.any(axis=1) & (self.along != self.across)).any():
            j = int(bad.argmax())
            raise ValueError(
                "AlignedNormals.along must be the same as across where the mean is zero, which has "
                f"no direction; got {self.along[j]:g} and {self.across[j]:g} in component {j}"
            )

    @classmethod
    def standard_normal(cls, d: int, k: int) -> Self:
        """The standard normal density on ``R^d``, exactly, with room for ``k`` components."""
        weight = np.zeros(k)
        weight[:1] = 1.0
        return cls(weight, np.zeros((k, d)), np.ones(k), np.ones(k))

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` points of ``R^d``, shape ``(n, d)``."""
        label = self._labels(rng, n)
        z = standard_normals(rng, n, self.n_coordinates)
        for j in np.flatnonzero(self.weight):
            at = np.flatnonzero(label == j)
            axis = _axes(self.mean[[j]])[0]
            own = z[at]
            step = (self.along[j] - self.across[j]) * (own @ axis)
            z[at] = self.mean[j] + self.across[j] * own + np.multiply.outer(step, axis)
        return z

    def fit(self, x: Batch, weights: Vector) -> Self:
        """A mixture of at most ``k`` components by EM, their number by BIC: see `likeliest`.

        A step takes the weighted mean, and the weighted variances along it and across. Given the
        direction of the mean these are the likeliest; the direction itself would be, were ``along``
        and ``across`` the same. Where they are not, a likelier one has no closed form, and for no
        more samples than coordinates no largest likelihood: all could have the same ``a . x``.

        It starts from the components of this member, and from seeds. A component has at least five
        effective samples, and a width of at least 1e-6 of the root mean square of its coordinates.
        Raises ValueError for samples that are not finite.
        """
        x, w = checked_sample(self, x, weights, real)
        _, y = centred(x, w)
        width = np.sqrt(w @ np.einsum("ij,ij->i", y, y) / x.shape[1])
        starts = [self._log_joint(x), seeded(y / (width or 1.0), w, self.weight.size)]
        finite = [start for start in starts if np.isfinite(start).all()]
        return self._of(*likeliest(x, w, finite, _refit, cost=x.shape[1] + 3, least=LEAST))

    def widened(self, factor: float) -> Self:
        """The variances along the means multiplied: those across are too many to be changed."""
        has_direction = self.mean.any(axis=1)
        return self.replace(along=np.where(has_direction, factor**0.5, 1.0) * self.along)

    def no_narrower_than(self, other: Self) -> Self:
        """No width is less than 0.75 of the largest of the other's.

        From ``sqrt(1/2)`` on the likelihood ratio of the other's component has a finite variance.
        All of it would be too much: an event near the origin is found by a smaller ``across`` only.
        """
        works = other.weight > 0
        least = ENOUGH * max(other.across[works].max(), other.along[works].max())
        return self.replace(
            across=np.maximum(self.across, least), along=np.maximum(self.along, least)
        )

    def spread(self) -> Array:
        """The standard deviations of the coordinates."""
        _, gap = centred(self.mean, self.weight)
        excess = (self.along**2 - self.across**2)[:, None] * _axes(self.mean) ** 2
        return np.sqrt(self.weight @ (self.across[:, None] ** 2 + excess + gap**2))

    def support(self) -> Support:
        """All of ``R^d``."""
        return Support.everywhere(self.n_coordinates)


def _axes(mean: Array) -> Array:
    """``mean_j / |mean_j|``; zero where that is."""
    largest = np.abs(mean).max(axis=1, keepdims=True)
    a = mean / np.where(largest > 0, largest, 1.0)
    length = np.sqrt(np.einsum("ij,ij->i", a, a))[:, None]
    return np.asarray(a / np.where(length > 0, length, 1.0))


def _parts(x: Array, mean: Array) -> tuple[Array, Array]:
    """``x_i - mean_j`` along the mean, and the squared length of the rest: both ``(k, n)``."""
    axes = _axes(mean)
    step, rest = np.empty((len(mean), len(x))), np.empty((len(mean), len(x)))
    for j, centre in enumerate(mean):
        gap = x - centre
        step[j] = gap @ axes[j]
        rest[j] = np.maximum(np.einsum("ij,ij->i", gap, gap) - step[j] ** 2, 0.0)
    return step, rest


def _refit(x: Array, r: Array) -> Aligned:
    share = r / r.sum(axis=1)[:, None]
    mean = share @ x
    axes = _axes(mean)
    step = axes @ x.T - np.einsum("ij,ij->i", axes, mean)[:, None]
    along = np.einsum("ij,ij->i", share * step, step)
    whole = share @ np.einsum("ij,ij->i", x, x)
    rest = whole - np.einsum("ij,ij->i", mean, mean) - along
    if not (rest > CANCELS * whole).all():
        step, far = _parts(x, mean)
        along, rest = (np.einsum("ij,ij->i", share, a) for a in (step**2, far))
    return _of_moments(mean, along, rest)


def _of_moments(mean: Array, along: Vector, rest: Vector) -> Aligned:
    """The components with these means, variances along them and sums of those across."""
    d, directed = mean.shape[1], mean.any(axis=1)
    square = along + rest + np.einsum("ij,ij->i", mean, mean)
    narrowest = NARROWEST * np.sqrt(square / d) + TINY
    across = np.where(directed, rest / (d - 1), (along + rest) / d)
    along = np.where(directed, along, across)
    return Aligned(mean, *(np.maximum(np.sqrt(v), narrowest) for v in (across, along)))
