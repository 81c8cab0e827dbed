"""The normal density with a few common factors: thousands of variables that move together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.random import Generator

from cem.families.gaussian import normals
from cem.families.normal import LN_2PI
from cem.families.parametric import Parametric, non_negative, parameter, real
from cem.families.samples import centred, checked_sample, rows
from cem.loss.registry import closed_form_entropy, closed_form_kl
from cem.loss.support import Support
from cem.typing import Array, Batch, Vector

OWN = 0.005  # of its variance a coordinate has to itself at least: as in R's `factanal`
MOST_STEPS = 1000


@dataclass(frozen=True, eq=False, repr=False)
class LowRankNormal(Parametric):
    """``f(x; mean, std, factor)``: normal, of covariance ``diag(std^2) + factor factor^T``.

    That of ``mean + std * z + factor y`` with standard normal ``z`` and ``y``. ``mean`` and
    ``std``, the coordinates' own deviations, have shape ``(d,)``, ``factor`` has shape ``(d, k)``
    with a column for each of ``k`` directions in which all move together: zeros to begin with.
    Samples are float arrays of shape ``(n, d)``. Nothing of the size ``d^2`` is ever made: to
    sample ``n`` points or weigh them takes ``O(n d k)``. A coordinate whose ``std`` is zero has
    collapsed to a point, and its row of ``factor`` is zero too.

    >>> f = LowRankNormal([0.0, 0.0], [1.0, 1.0], [[3.0], [4.0]])
    >>> f.spread().round(4), f.log_density(np.zeros((1, 2))).round(4)
    (array([3.1623, 4.1231]), array([-3.4669]))
    """

    mean: Array = parameter(real)
    std: Array = parameter(non_negative)
    factor: Array = parameter(real, ndim=2)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not len(self.factor) == self.std.size == self.mean.size:
            raise ValueError(
                "LowRankNormal.std and LowRankNormal.factor must have a number and a row for each "
                f"coordinate of the mean, of shape {self.mean.shape}; got shapes {self.std.shape} "
                f"and {self.factor.shape}"
            )
        if (bad := (self.std == 0) & self.factor.any(axis=1)).any():
            raise ValueError(
                "LowRankNormal.std must be positive where the factor is not zero, for else the "
                f"covariance may be singular; got 0 at index {int(bad.argmax())}"
            )

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` points of ``R^d``, shape ``(n, d)``."""
        x = normals(rng, n, self.mean, self.std)
        x += rng.standard_normal((n, self.factor.shape[1])) @ self.factor.T
        return x

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i; mean, std, factor)``, shape ``(n,)``."""
        x = rows(self, x)
        if not self.std.all():
            there = (x[:, point := self.std == 0] == self.mean[point]).all(axis=1)
            return np.where(there & np.isfinite(x).all(axis=1), np.inf, -np.inf)
        z = x - self.mean
        z /= self.std
        with np.errstate(invalid="ignore"):  # NaN, at an infinite point too,
            square = self._woodbury.square(z)
        log_f = -0.5 * (square + self._woodbury.log_det + self.mean.size * LN_2PI)
        return np.fmax(log_f - np.log(self.std).sum(), -np.inf)  # is nowhere

    def fit(self, x: Batch, weights: Vector) -> Self:
        """Factor analysis: the weighted mean, and ``std`` and ``factor`` of the largest likelihood.

        The likeliest ``factor`` for a given ``std`` is known (Joreskog 1967); the rest is a search
        over ``std``, from half of the variance, for a local maximum. Every ``std_j^2`` is held at
        ``0.005`` of the coordinate's weighted variance at least, without which a likelihood may
        have no maximum: so it has for ever so few samples. The columns of ``factor``, whose order
        and direction say nothing, are turned to lie as near as can be to those before, so that
        smoothing between the two makes sense. A step takes ``O(m^2 d)`` for the smaller of ``n``
        and ``d`` as ``m``. Coordinates that are the same in all samples collapse. Raises
        ValueError for samples that are not finite.
        """
        x, w = checked_sample(self, x, weights, real)
        mean, z = centred(x, w)
        z = np.sqrt(w)[:, None] * z
        largest = np.abs(z).max(axis=0)
        wide = largest > 0
        z = z[:, wide] / largest[wide]
        norm = np.sqrt((z * z).sum(axis=0))
        std, factor = np.zeros_like(self.std), np.zeros_like(self.factor)
        if wide.any():
            share, loading = _likeliest(z / norm, factor.shape[1])
            scale = norm * largest[wide]
            std[wide], factor[wide] = scale * np.sqrt(share), scale[:, None] * loading
        return self.replace(mean=mean, std=std, factor=_turned(factor, self.factor))

    def no_narrower_than(self, other: Self) -> Self:
        """Every ``std`` is raised to the other's.

        That is in every direction the other's variance if it has no ``factor``, as the nominal
        density of independent coordinates; in the directions of a ``factor`` it may be less.
        """
        return self.replace(std=np.maximum(self.std, other.std))

    def spread(self) -> Array:
        """The standard deviations: ``sqrt(std_j^2 + sum_k factor[j, k]^2)``."""
        return np.hypot.reduce(np.column_stack([self.std, self.factor]), axis=1)

    def support(self) -> Support:
        """All of ``R^d``; a collapsed coordinate is a point."""
        wide = self.std > 0
        return Support(np.where(wide, -np.inf, self.mean), np.where(wide, np.inf, self.mean))

    @cached_property
    def _woodbury(self) -> _Woodbury:
        """The covariance of ``(x - mean) / std``; for no collapsed one. Of use to many, so kept."""
        a = self.factor / self.std[:, None]
        inner = a.T @ a
        inner[np.diag_indices_from(inner)] += 1
        inverse = np.asarray(np.linalg.inv(inner), dtype=float)
        return _Woodbury(a, inverse, float(np.linalg.slogdet(inner)[1]))


class _Woodbury(NamedTuple):
    """``C = 1 + a a^T`` by a matrix of the size of its rank: Woodbury's formula."""

    a: Array  # (d, k)
    inverse: Array  # (k, k): of 1 + a^T a
    log_det: float  # of C, and of 1 + a^T a

    def square(self, z: Array) -> Vector:
        """``z_i^T C^-1 z_i = min_y |z_i - a y|^2 + |y|^2``, shape ``(n,)``: nothing cancels."""
        y = z @ self.a @ self.inverse
        rest = y @ self.a.T
        rest -= z
        return np.einsum("ij,ij->i", rest, rest) + np.einsum("ij,ij->i", y, y)


def _likeliest(z: Array, k: int) -> tuple[Array, Array]:
    """``share`` and ``loading`` of the likeliest ``diag(share) + loading loading^T`` for ``z^T z``.

    Shapes ``(d,)``, ``(d, k)`` and ``(n, d)``; the columns of ``z`` have length one.
    """
    from scipy.optimize import minimize

    if len(z) > z.shape[1]:
        root: Any = np.linalg.qr(z, mode="r")
        z = root

    def loss(log_share: Array) -> tuple[float, Array]:
        """Minus the likelihood and its gradient: R's `factanal` has the same."""
        share = np.exp(log_share)
        loading, top = _best_loading(z, share, k)
        surplus = 1 / share - 1  # of the trace, and of the log-determinant, less that of factors
        value = (log_share + surplus).sum() + (np.log1p(top) - top).sum()
        return 0.5 * float(value), 0.5 * (share + (loading**2).sum(axis=1) - 1) / share

    found = minimize(
        loss,
        np.full(z.shape[1], math.log(0.5)),
        jac=True,
        method="L-BFGS-B",
        bounds=[(math.log(OWN), 0.0)] * z.shape[1],
        options={"maxiter": MOST_STEPS, "ftol": 1e-12, "gtol": 1e-7, "maxcor": 20},
    )
    share = np.exp(found.x)
    return share, _best_loading(z, share, k)[0]


def _best_loading(z: Array, share: Array, k: int) -> tuple[Array, Array]:
    """The likeliest loading for given shares, and by how much its ``k`` eigenvalues exceed one."""
    y = z / np.sqrt(share)
    values, vectors = np.linalg.eigh(y @ y.T)
    top = np.maximum(values[: -k - 1 : -1] - 1, 0.0)
    direction = y.T @ vectors[:, : -k - 1 : -1] / np.sqrt(top + 1)
    loading = np.sqrt(share)[:, None] * direction * np.sqrt(top)
    return np.pad(loading, ((0, 0), (0, k - len(top)))), top


def _turned(factor: Array, towards: Array) -> Array:
    """The columns turned, which changes no density, to lie as near to others as can be."""
    largest = np.abs(factor).argmax(axis=0)
    factor = factor * np.where(factor[largest, np.arange(len(largest))] < 0, -1.0, 1.0)
    with_it, at_it = (a / (np.abs(a).max() or 1.0) for a in (factor, towards))
    u, _, v = np.linalg.svd(with_it.T @ at_it)  # the orthogonal Procrustes problem
    return np.asarray(factor @ (u @ v))


@closed_form_entropy(LowRankNormal)
def _entropy(f: LowRankNormal) -> float:
    if not f.std.all():
        return -math.inf
    inner = f._woodbury.log_det  # noqa: SLF001 - the closed forms belong to the class
    return float(0.5 * (f.mean.size * (1 + LN_2PI) + inner) + np.log(f.std).sum())


@closed_form_kl(LowRankNormal, LowRankNormal)
def _kl(f: LowRankNormal, g: LowRankNormal) -> float:
    """Gil, Alajaji, Linder (2013): half of ``tr(R) - d - ln det(R) + shift^2``, never negative."""
    if not (f.std.all() and g.std.all()):
        same = all(np.array_equal(a, g.parameters()[name]) for name, a in f.parameters().items())
        return 0.0 if same else math.inf
    inner = g._woodbury  # noqa: SLF001
    ratio = f.std / g.std
    shift = inner.square(((f.mean - g.mean) / g.std)[None])[0]
    # the trace of C^-1 for the coordinates' own parts, and of that with the factors
    own = ratio**2 * (1 - np.einsum("ij,jk,ik->i", inner.a, inner.inverse, inner.a))
    common = inner.square((f.factor / g.std[:, None]).T).sum()
    log_det = 2 * np.log(ratio).sum() + f._woodbury.log_det - inner.log_det  # noqa: SLF001
    surplus = own.sum() + common - f.mean.size - log_det
    return 0.5 * float(max(0.0, surplus) + shift)
