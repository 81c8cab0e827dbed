"""Standard normal space and physical space: marginals and a Gaussian copula between the two."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from cem.typing import Array, Batch, Vector
from problems.rare_event.limit_state.checks import (
    check_continuous,
    checked_correlation,
    checked_marginals,
    is_continuous,
)

FAR = 6.0  # standard deviations from which on whole numbers are looked for


@dataclass(frozen=True, eq=False)
class StandardSpace:
    """``x_j = F_j^-1(Phi(z_j))`` with ``z = L u``, ``L L' = correlation``, ``u`` standard normal.

    ``marginals`` are ``d`` frozen scipy.stats distributions, ``correlation`` is that of the
    Gaussian copula, shape ``(d, d)``; none means independence. Batches have shape ``(n, d)``. Both
    tails are accurate for ``|z|`` up to 37: the upper one goes through the survival function.

    >>> from scipy import stats
    >>> space = StandardSpace.of([stats.expon(), stats.norm(5, 2)])
    >>> space.to_physical(np.array([[10.0, 1.0]])).round(4)
    array([[53.2313,  7.    ]])
    """

    marginals: tuple[Any, ...]
    correlation: Array | None = None

    @classmethod
    def of(cls, marginals: Iterable[Any], correlation: Any = None) -> StandardSpace:
        """The space of these marginals, after a look at what was passed."""
        checked = checked_marginals(marginals)
        if correlation is None:
            return cls(checked)
        return cls(checked, checked_correlation(correlation, len(checked)))

    def to_physical(self, u: Batch) -> Array:
        """Points ``u`` of standard normal space in physical space, a new array."""
        z = u if self._root is None else u @ self._root.T
        return self._by_blocks(Block.from_normal, z)

    def to_standard(self, x: Batch) -> Array:
        """Points ``x`` of physical space in standard normal space; infinite off the support.

        Raises TypeError for discrete marginals, which have no inverse.
        """
        check_continuous(self.marginals, "to_standard")
        z = self._by_blocks(Block.to_normal, x)
        if self._root is None:
            return z
        inside = np.isfinite(z).all(axis=1)
        z[inside] = np.linalg.solve(self._root, z[inside].T).T
        return z

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i)`` of the joint density in physical space; ``-inf`` off the support.

        With a copula also ``-inf`` on the edge of the support, where its density has no value.
        Raises TypeError for discrete marginals, which have no density.
        """
        check_continuous(self.marginals, "log_density")
        log_f = self._by_blocks(Block.log_density, x).sum(axis=1)
        if self._root is None:
            return log_f
        z, u = self._by_blocks(Block.to_normal, x), self.to_standard(x)
        inside = np.isfinite(z).all(axis=1)
        square = np.square(z[inside]).sum(axis=1) - np.square(u[inside]).sum(axis=1)
        log_f[inside] += 0.5 * square - np.log(np.diag(self._root)).sum()
        log_f[~inside] = -np.inf
        return log_f

    @cached_property
    def _root(self) -> Array | None:
        """The Cholesky factor of the correlation."""
        return None if self.correlation is None else np.linalg.cholesky(self.correlation)

    @cached_property
    def _blocks(self) -> list[Block]:
        kinds: dict[Any, list[int]] = {}
        for j, marginal in enumerate(self.marginals):
            kinds.setdefault(_kind(marginal), []).append(j)
        return [Block.of(columns, self.marginals) for columns in kinds.values()]

    def _by_blocks(self, function: Callable[[Block, Array], Array], batch: Batch) -> Array:
        if len(self._blocks) == 1:
            return function(self._blocks[0], batch)
        done = np.empty(batch.shape)
        for block in self._blocks:
            done[:, block.columns] = function(block, batch[:, block.columns])
        return done


class Block(NamedTuple):
    """Marginals of one kind, of which all columns are transformed in one call."""

    columns: list[int]
    distribution: Any
    parameters: tuple[Array, ...]  # of shape (k,) each: shapes, loc and scale
    name: str | None  # of a distribution with formulas of its own here

    @classmethod
    def of(cls, columns: list[int], marginals: tuple[Any, ...]) -> Block:
        """The block of the marginals with these numbers, which are all of one kind."""
        first = marginals[columns[0]]
        if not _is_scipys_own(first):
            return cls(columns, first, (), None)
        rows = [parameters_of(marginals[j]).values() for j in columns]
        parameters = tuple(np.array(column) for column in zip(*rows, strict=True))
        return cls(columns, first.dist, parameters, first.dist.name)

    def from_normal(self, z: Array) -> Array:
        """``F_j^-1(Phi(z_j))``, shape ``(n, k)``."""
        from scipy.special import ndtr

        if self.name in QUANTILES:
            return QUANTILES[self.name](z, *self.parameters)
        x = np.empty(z.shape)
        below = z < 0
        for part, inverse in ((below, self.distribution.ppf), (~below, self.distribution.isf)):
            column = np.nonzero(part)[1]
            with np.errstate(divide="ignore"):  # of a geometric one, far out
                x[part] = inverse(ndtr(-np.abs(z[part])), *(p[column] for p in self.parameters))
        far = z > FAR
        if far.any() and not hasattr(self.distribution, "pdf"):
            column = np.nonzero(far)[1]
            x[far] = self._far_out(z[far], [p[column] for p in self.parameters])
        return x

    def _far_out(self, z: Vector, parameters: list[Array]) -> Vector:
        """Whole numbers in the upper tail, of which SciPy's inverses are not sure: by bisection."""
        from scipy.special import log_ndtr, ndtr

        low = self.distribution.isf(np.full(len(z), ndtr(-FAR)), *parameters) - 1  # too low
        step, log_tail = np.ones(len(z)), log_ndtr(-z)
        while (beyond := self.distribution.logsf(low + step, *parameters) > log_tail).any():
            step[beyond] *= 2
        while (step > 1).any():
            step = np.ceil(step / 2)
            below = self.distribution.logsf(low + step, *parameters) > log_tail
            low = np.where(below, low + step, low)
        return low + 1

    def to_normal(self, x: Array) -> Array:
        """``Phi^-1(F_j(x_j))``, shape ``(n, k)``, from the tail that is nearer."""
        from scipy.special import ndtri_exp

        if self.name in SCORES:
            return SCORES[self.name](x, *self.parameters)
        below = self.distribution.logcdf(x, *self.parameters)
        above = self.distribution.logsf(x, *self.parameters)
        return np.where(below < above, ndtri_exp(below), -ndtri_exp(above))

    def log_density(self, x: Array) -> Array:
        """``ln f_j(x_j)``, shape ``(n, k)``."""
        return self.distribution.logpdf(x, *self.parameters)


def _kind(marginal: Any) -> Any:
    """What marginals of one block share."""
    return type(marginal.dist) if _is_scipys_own(marginal) else id(marginal)


def _is_scipys_own(marginal: Any) -> bool:
    """Whether it is one of the named distributions of scipy.stats, of which all else is known."""
    from scipy import stats

    return type(getattr(stats, marginal.dist.name or "", None)) is type(marginal.dist)


def parameters_of(marginal: Any) -> dict[str, float]:
    """Shapes, loc and, if it is continuous, scale: given or not.

    >>> from scipy import stats
    >>> parameters_of(stats.lognorm(0.5))
    {'s': 0.5, 'loc': 0.0, 'scale': 1.0}
    """
    shapes = marginal.dist.shapes.split(", ") if marginal.dist.shapes else []
    names = [*shapes, "loc", *(["scale"] if is_continuous(marginal) else [])]
    given = dict(zip(names, marginal.args, strict=False)) | marginal.kwds
    return {name: float(given.get(name, name == "scale")) for name in names}


def _normal(z: Array, loc: Array, scale: Array) -> Array:
    return loc + scale * z


def _lognormal(z: Array, s: Array, loc: Array, scale: Array) -> Array:
    return loc + scale * np.exp(s * z)


def _uniform(z: Array, loc: Array, scale: Array) -> Array:
    from scipy.special import ndtr

    from_edge = scale * ndtr(-np.abs(z))
    return np.where(z < 0, loc + from_edge, loc + scale - from_edge)


def _exponential(z: Array, loc: Array, scale: Array) -> Array:
    from scipy.special import log_ndtr

    return loc - scale * log_ndtr(-z)


def _score_of_normal(x: Array, loc: Array, scale: Array) -> Array:
    return (x - loc) / scale


def _score_of_lognormal(x: Array, s: Array, loc: Array, scale: Array) -> Array:
    y = (x - loc) / scale
    return np.log(y, out=np.full(y.shape, -np.inf), where=y > 0) / s


QUANTILES: dict[str | None, Callable[..., Array]] = {
    "norm": _normal,
    "lognorm": _lognormal,
    "uniform": _uniform,
    "expon": _exponential,
}
SCORES: dict[str | None, Callable[..., Array]] = {
    "norm": _score_of_normal,
    "lognorm": _score_of_lognormal,
}
