"""Mixtures of normal densities: several failure modes, several optima."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.random import Generator

from cem.families.expectation_maximisation import likeliest, seeded
from cem.families.gaussian import standard_normals
from cem.families.mixing import Mixture
from cem.families.multivariate_normal import MultivariateNormal, covariance
from cem.families.normal import LN_2PI, Normal
from cem.families.parametric import parameter, real
from cem.families.samples import centred, checked_sample
from cem.loss.support import Support
from cem.typing import Array, Batch, Vector

NARROWEST = 1e-6  # least variance in any direction, of the mean variance of the components
FLATTEST = 1e-7  # least width off a plane, of that along it


def covariances(a: Array) -> Array:
    """One covariance matrix for every component."""
    for j, matrix in enumerate(a):
        try:
            covariance(matrix)
        except ValueError as error:
            raise ValueError(f"{error}, in that of component {j}") from None
    return (a + a.transpose(0, 2, 1)) / 2


class Normals(NamedTuple):
    """The components: means ``(k, d)`` and covariance matrices ``(k, d, d)``."""

    mean: Array
    cov: Array

    def log_densities(self, x: Array) -> Array:
        """``ln f_j(x_i)``, shape ``(k, n)``."""
        try:
            root = np.linalg.cholesky(self.cov)
        except np.linalg.LinAlgError:  # one has collapsed to a plane
            return np.array([MultivariateNormal(*one).log_density(x) for one in self._each()])
        z = np.linalg.inv(root) @ (np.ascontiguousarray(x.T) - self.mean[:, :, None])
        log_size = np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
        square = np.einsum("kin,kin->kn", z, z)
        return -0.5 * square - (0.5 * x.shape[1] * LN_2PI + log_size)[:, None]

    def entropies(self) -> Vector:
        """``ln det(cov_j) / 2``: what is the same for all is left out."""
        values = np.linalg.eigvalsh(self.cov)
        return 0.5 * np.log(np.maximum(values, np.finfo(float).tiny)).sum(axis=1)

    def merged(self, i: Array, j: Array, share: Vector) -> Normals:
        """Pairs as one component each, with the mean and covariance that both have together."""
        s, gap = share[:, None], self.mean[i] - self.mean[j]
        between = (share * (1 - share))[:, None, None] * gap[:, :, None] * gap[:, None]
        cov = s[..., None] * self.cov[i] + (1 - s[..., None]) * self.cov[j] + between
        cov[:, *np.diag_indices(gap.shape[1])] *= 1 + FLATTEST**2  # two points make a line
        return Normals(s * self.mean[i] + (1 - s) * self.mean[j], cov)

    def _each(self) -> zip[tuple[Array, Array]]:
        return zip(self.mean, self.cov, strict=True)


@dataclass(frozen=True, eq=False, repr=False)
class GaussianMixture(Mixture):
    """``f(x) = sum_j weight_j N(x; mean_j, cov_j)`` on ``R^d``, with at most ``k`` components.

    ``weight`` has shape ``(k,)``, ``mean`` ``(k, d)``, ``cov`` ``(k, d, d)``; samples are float
    arrays of shape ``(n, d)``. Components of weight zero are idle: a fit may have fewer than there
    is room for, and the next one more. Entropy and divergence have no closed form.

    >>> x = np.concatenate([np.linspace(-9, -7, 30), np.linspace(7, 9, 10)])[:, None]
    >>> f = GaussianMixture.around([0.0], [5.0], k=3).fit(x, np.ones(40))
    >>> f.weight.round(4), f.mean[:2, 0].round(4)
    (array([0.75, 0.25, 0.  ]), array([-8.,  8.]))
    """

    kind: ClassVar[type[Normals]] = Normals

    mean: Array = parameter(real, ndim=2)
    cov: Array = parameter(covariances, ndim=3)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.cov.shape[1:] != 2 * self.mean.shape[1:]:
            raise ValueError(
                f"GaussianMixture.cov must have shape {(*self.mean.shape, self.mean.shape[1])} to "
                f"go with means of shape {self.mean.shape}; got {self.cov.shape}"
            )

    @classmethod
    def around(cls, mean: Array, std: Array, k: int) -> Self:
        """One normal density of independent coordinates, with room for ``k`` components.

        As the nominal density of an estimate it is that normal density exactly. ``mean`` and
        ``std`` have shape ``(d,)``.
        """
        one = Normal(mean, std)
        weight = np.zeros(k)
        weight[:1] = 1.0
        return cls(weight, np.tile(one.mean, (k, 1)), np.tile(np.diag(one.std**2), (k, 1, 1)))

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` points of ``R^d``, shape ``(n, d)``."""
        label, x = self._labels(rng, n), standard_normals(rng, n, self.n_coordinates)
        for j in np.flatnonzero(self.weight):
            at = np.flatnonzero(label == j)
            try:
                x[at] = self.mean[j] + x[at] @ np.linalg.cholesky(self.cov[j]).T
            except np.linalg.LinAlgError:  # it has collapsed to a plane
                x[at] = self._component(j).sample(rng, at.size)
        return x

    def fit(self, x: Batch, weights: Vector) -> Self:
        """A mixture of at most ``k`` components by EM, their number by BIC: see `likeliest`.

        It starts from the components of this member, and from seeds. A component has at least
        ``2 (d + 1)`` effective samples. Its variance is in no direction less than 1e-6 of the mean
        variance of the components there: Hathaway (1985) bounds such ratios, for without a bound
        the likelihood is infinite at any sample. Where all components lie on a plane they are
        given a width of 1e-7 of that along it.

        Raises ValueError for samples that are not finite, and for no more than coordinates.
        """
        x, w = checked_sample(self, x, weights, real)
        n, d = x.shape
        if n <= d:
            raise ValueError(
                f"GaussianMixture.fit needs at least {d + 1} samples of positive weight in {d} "
                f"coordinates, or they lie on a plane; got {n}: raise n_samples or rho"
            )
        whole = Normal(np.zeros(d), np.ones(d)).fit(x, w)
        scale = np.hypot(whole.std, FLATTEST * self.spread())
        scale = np.where(scale > 0, scale, 1.0)
        y = np.asfortranarray((x - whole.mean) / scale)
        starts = (self._log_joint(x), seeded(y, w, self.weight.size))
        weight, found = likeliest(
            y,
            w,
            [start for start in starts if np.isfinite(start).all()],
            _refit,
            cost=1 + d + d * (d + 1) // 2,
            least=2 * (d + 1),
        )
        cov = found.cov * np.multiply.outer(scale, scale)
        return self._of(weight, Normals(whole.mean + found.mean * scale, cov))

    def widened(self, factor: float) -> Self:
        """The variances of the components multiplied."""
        return self.replace(cov=factor * self.cov)

    def no_narrower_than(self, other: Self) -> Self:
        """Every component gets, in every direction, the largest variance of the other's."""
        raised = []
        for j in range(self.weight.size):
            one = self._component(j)
            for i in np.flatnonzero(other.weight):
                one = one.no_narrower_than(other._component(i))
            raised.append(one.cov)
        return self.replace(cov=np.stack(raised))

    def spread(self) -> Array:
        """The standard deviations of the coordinates."""
        _, gap = centred(self.mean, self.weight)
        return np.sqrt(self.weight @ (np.diagonal(self.cov, axis1=1, axis2=2) + gap**2))

    def support(self) -> Support | None:
        """All of ``R^d``; None if a component is singular, for a plane is no box."""
        works = np.flatnonzero(self.weight)
        if any(self._component(j).support() is None for j in works):
            return None
        return Support.everywhere(self.n_coordinates)

    def _component(self, j: Any) -> MultivariateNormal:
        return MultivariateNormal(self.mean[j], self.cov[j])


def _refit(y: Array, r: Array) -> Normals:
    """Weighted means and covariances, in a scale where the whole has mean 0 and variances 1."""
    weight = r.sum(axis=1)
    mean = r @ y / weight[:, None]
    gap = y.T - mean[:, :, None]
    cov = (gap * r[:, None]) @ gap.transpose(0, 2, 1)
    cov = (cov + cov.transpose(0, 2, 1)) / (2 * weight[:, None, None])
    return Normals(mean, _not_flat(weight, cov))


def _not_flat(weight: Vector, cov: Array) -> Array:
    """Covariances with the least width of all directions: see `GaussianMixture.fit`."""
    d = cov.shape[1]
    within = (weight @ cov.reshape(-1, d * d)).reshape(d, d)
    width = FLATTEST**2 * (within.trace() / d + FLATTEST**2)
    least = NARROWEST * within + width * np.eye(d)
    try:
        np.linalg.cholesky(cov - least)
    except np.linalg.LinAlgError:
        root = np.linalg.cholesky(least)
        inverse = np.linalg.inv(root)
        values, vectors = np.linalg.eigh(inverse @ cov @ inverse.T)
        axes = root @ vectors
        cov = (axes * np.maximum(values, 1.0)[:, None]) @ axes.transpose(0, 2, 1)
        cov = (cov + cov.transpose(0, 2, 1)) / 2
    return cov
