"""The normal density with a full covariance matrix: variables that move together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.random import Generator

from cem.families.gaussian import standard_normals
from cem.families.normal import LN_2PI
from cem.families.parametric import ROUNDING, Parametric, parameter, real
from cem.families.samples import centred, checked_sample, difference, rows
from cem.families.totals import Totals, from_totals
from cem.families.triangular import cholesky, solve, square_of_ratio, times
from cem.loss.registry import closed_form_entropy, closed_form_kl
from cem.loss.series import divergence_terms
from cem.loss.support import Support
from cem.typing import Array, Batch, Vector

NULL = 1e-14  # of the largest eigenvalue: what rounding makes of a zero one
OFF = 1e-6  # of the width: what sampling and rounding put between a sample and its plane
NEAR = 0.1  # nats: below it a divergence is no difference of large numbers any more


def covariance(a: Array) -> Array:
    """Symmetric, no negative variance; what rounding did to the symmetry is taken out."""
    a = real(a)
    if a.shape[0] != a.shape[1]:
        raise ValueError(f"must be square; got shape {a.shape}")
    if not (a == a.T).all():
        if np.abs(a - a.T).max() > ROUNDING * np.abs(a).max():
            raise ValueError("must be symmetric; got a matrix that differs from its transpose")
        a = (a + a.T) / 2
    if a.diagonal().min() < 0:
        raise ValueError(f"must have no negative variance; got {a.diagonal().min():g}")
    return a


@dataclass(frozen=True, eq=False, repr=False)
class MultivariateNormal(Parametric):
    """``f(x; mean, cov)`` on ``R^d``, with any covariance matrix.

    ``mean`` has shape ``(d,)``, ``cov`` ``(d, d)``; samples are float arrays of shape ``(n, d)``. A
    singular ``cov`` (fewer elite samples than coordinates) can be sampled; its density is infinite
    on the plane it has collapsed to. A matrix with a negative eigenvalue is refused when used.

    >>> f = MultivariateNormal([0.0, 0.0], [[1.0, 0.5], [0.5, 1.0]])
    >>> f.log_density(np.zeros((1, 2))).round(4)
    array([-1.694])
    """

    mean: Array = parameter(real)
    cov: Array = parameter(covariance, ndim=2)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.cov.shape != (self.mean.size, self.mean.size):
            raise ValueError(
                f"MultivariateNormal.cov must have shape {(self.mean.size, self.mean.size)} to go "
                f"with a mean of shape {self.mean.shape}; got {self.cov.shape}"
            )

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` points of ``R^d``, shape ``(n, d)``."""
        z = standard_normals(rng, n, self.mean.size)
        root = self.root
        x = z @ self._singular_root().T if root is None else times(root, z)
        x += self.mean
        return x

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i; mean, cov)``, shape ``(n,)``."""
        x, root = rows(self, x), self.root
        if root is None:
            return self._log_density_on_the_plane(x)
        z = solve(root, x - self.mean)
        square = np.einsum("ij,ij->i", z, z)
        log_f = -0.5 * (square + self.mean.size * LN_2PI) - np.log(root.diagonal()).sum()
        return np.fmax(log_f, -np.inf)  # NaN is nowhere

    @from_totals
    def fit(self, x: Batch, weights: Vector) -> Self:
        """The weighted mean and covariance (population form, about the new mean).

        Raises ValueError for samples that are not finite.
        """
        x, w = checked_sample(self, x, weights, real)
        mean, z = centred(x, w)
        cov = (z.T * w) @ z
        return self.replace(mean=mean, cov=(cov + cov.T) / 2)

    def statistics(self, x: Batch, weights: Vector) -> Totals:
        """Sums of ``z = x - mean`` and of ``z z'``, which cancel less than those of ``x``."""
        z = x - self.mean
        return {"mass": weights.sum(), "z": weights @ z, "square": (z.T * weights) @ z}

    def from_statistics(self, total: Totals) -> Self:
        """The weighted mean and covariance from the sums."""
        z, square = total["z"] / total["mass"], total["square"] / total["mass"]
        wide = difference(square.diagonal(), z * z) > 0
        cov = np.where(np.outer(wide, wide), square - np.outer(z, z), 0.0)
        return self.replace(mean=self.mean + z, cov=(cov + cov.T) / 2)

    def at_normal(self, u: Batch) -> Batch:
        """The points ``mean + root u`` of standard normal ``u``."""
        if self.root is None:
            raise ValueError("MultivariateNormal.cov is singular: its points lie on a plane")
        return self.mean + np.asarray(u) @ self.root.T

    def no_narrower_than(self, other: Self) -> Self:
        """In every direction the variance is raised to the other's."""
        root = other.root
        if root is None:
            return self
        inverse = np.linalg.inv(root)
        values, vectors = np.linalg.eigh(inverse @ self.cov @ inverse.T)
        axes = root @ vectors
        return self.replace(cov=(axes * np.maximum(values, 1.0)) @ axes.T)

    def spread(self) -> Array:
        """The standard deviations of the coordinates."""
        return np.sqrt(self.cov.diagonal())

    def support(self) -> Support | None:
        """All of ``R^d``; None if singular, for a plane is no box."""
        if self.root is None:
            return None
        return Support.everywhere(self.n_coordinates)

    @cached_property
    def root(self) -> Array | None:
        """The lower root of ``cov``, or None where it is singular: of use to many, so kept."""
        root = cholesky(self.cov)
        if root is None:
            return None
        root.setflags(write=False)
        tiny = root.diagonal() <= 1e-8 * self.spread()  # a root of rounding: 1e-16 of the variance
        return None if tiny.any() else root

    def _eigen(self) -> tuple[Array, Array]:
        values, vectors = np.linalg.eigh(self.cov)
        if values[0] < -ROUNDING * max(values[-1], 0.0):
            raise ValueError(
                "MultivariateNormal.cov must not have negative eigenvalues; the smallest is "
                f"{values[0]:g}, the largest {values[-1]:g}"
            )
        return np.where(values > NULL * values[-1], values, 0.0), vectors

    def _singular_root(self) -> Array:
        values, vectors = self._eigen()
        return np.asarray(vectors * np.sqrt(values))

    def _log_density_on_the_plane(self, x: Array) -> Vector:
        values, vectors = self._eigen()
        finite = np.isfinite(x)
        z = np.where(finite, x, 0.0) - self.mean
        off = np.abs(z @ vectors[:, values == 0]).max(axis=1, initial=0.0)
        width = math.sqrt(values[-1]) + np.abs(self.mean).max()
        return np.where(finite.all(axis=1) & (off <= OFF * width), np.inf, -np.inf)


@closed_form_entropy(MultivariateNormal, of_fits=True)
def _entropy(f: MultivariateNormal) -> float:
    root = f.root
    if root is None:
        return -math.inf
    return float(0.5 * f.mean.size * (1 + LN_2PI) + np.log(root.diagonal()).sum())


@closed_form_kl(MultivariateNormal, MultivariateNormal)
def multivariate_normal_kl(f: MultivariateNormal, g: MultivariateNormal) -> float:
    """Half of ``tr(R) - d - ln det(R) + shift^2``, ``R`` the ratio of the covariances.

    Gil, Alajaji, Linder (2013). For near members, where that cancels, ``sum_j r_j - ln(1 + r_j)``
    over the eigenvalues ``1 + r`` of ``R``.
    """
    a, b = f.root, g.root
    if a is None or b is None:
        same = np.array_equal(f.cov, g.cov) and np.array_equal(f.mean, g.mean)
        return 0.0 if same else math.inf
    shift = solve(b, (f.mean - g.mean)[None])[0]
    half_log_det = np.log(a.diagonal() / b.diagonal()).sum()
    surplus = square_of_ratio(a, b) - f.mean.size - 2 * half_log_det
    if surplus < NEAR:
        rise = np.linalg.eigvalsh(solve(b, solve(b, f.cov - g.cov).T))
        surplus = divergence_terms(1.0, 1.0 + rise, rise).sum()
    return 0.5 * float(surplus + shift @ shift)
