"""A normal density whose width follows the path of its mean: CMA-ES, seen as a smoothing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from cem.families.multivariate_normal import MultivariateNormal
from cem.families.normal import Normal
from cem.selection import by_rank
from cem.typing import Array, Batch, Family, Memory, Refit, Vector

if TYPE_CHECKING:
    from cem.state import State

FLOOR = 1e-13  # least eigenvalue of a matrix of correlations


@dataclass(frozen=True)
class EvolutionPath:
    """The mean moves to the elite's; the covariance is smoothed, and its scale set by a path.

    With batches of few samples a covariance is learnt over many iterations. To a share of the old
    one are added, with weights that depend only on ``d`` and the effective number of elite samples,

    - the elite's covariance about the *old* mean, which is wide in the direction of the step,
    - the square of a path, the fading sum of the steps of the mean,
    - with a negative sign, the covariance of the worst half of the batch (``active``).

    Then all is scaled up where successive steps agree, and down where they undo each other. The
    rules and constants are those of Hansen (2016), arXiv:1604.00772. A `cem.Normal` density of
    independent coordinates learns its variances only, ``(d + 2) / 3`` times as fast: Ros, Hansen
    (2008).

    It goes with `cem.Ranked` of half the samples, and ``N = 4 + 3 ln d`` or more of them.

    >>> import cem
    >>> method = cem.CrossEntropyMethod(
    ...     nominal=cem.MultivariateNormal([3.0] * 5, np.eye(5)),
    ...     n_samples=8, select=cem.Ranked(0.5), smooth=EvolutionPath(), rng=1,
    ... )
    >>> state = method.init()
    >>> while state.best.score < -1e-12:
    ...     x = method.ask(state)
    ...     state, record = method.tell(state, x, -(x**2) @ 10.0 ** np.arange(5))
    >>> record.nfev < 2000
    True
    """

    active: bool = True

    def __call__(self, state: State, refit: Refit) -> tuple[Any, Memory]:
        """``v_t``, and two paths of the mean: in units of the density, and as it is."""
        v, shape = state.v, _shape_of(state.v)
        d = len(v.mean)
        rates = Rates.of(d, 1 / float(refit.w @ refit.w), shape.speed(d))
        moves = refit.elite - v.mean
        step = refit.w @ moves
        still = np.zeros(d)

        scale_path = (1 - rates.scale) * state.memory.get("scale_path", still)
        scale_path = scale_path + rates.scale_step * shape.in_units(step[np.newaxis])[0]
        length = float(np.linalg.norm(scale_path)) / _mean_length(d)
        known = 1 - (1 - rates.scale) ** (2 * (state.age + 1))  # of the path's stationary variance
        steady = length / math.sqrt(known) < 1.4 + 2 / (d + 1)
        path = (1 - rates.path) * state.memory.get("path", still)
        path = path + (rates.path_step if steady else 0.0) * step

        worst, w_worst = self._worst(v, shape, refit, rates)
        w = np.concatenate([[rates.rank_one], rates.elite * refit.w, -rates.elite * w_worst])
        keep = 1 - rates.rank_one - rates.elite * (1 - w_worst.sum())
        if not steady:  # what the path has not brought
            keep += rates.rank_one * rates.path * (2 - rates.path)
        factor = math.exp(min(1.0, rates.scale / rates.damping * (length - 1)))
        rows = np.vstack([path, moves, worst])
        v_t = shape.moved(v.mean + step, keep, rows, w, factor)
        return v_t, {"scale_path": scale_path, "path": factor * path}

    def _worst(self, v: Any, shape: Shape, refit: Refit, rates: Rates) -> tuple[Batch, Vector]:
        """The moves of the worst half, of a length that does no harm, and their weights."""
        w = _weights_of_the_worst(refit.score)
        bad = np.flatnonzero(w)
        if not self.active or len(bad) == 0:
            return np.empty((0, len(v.mean))), np.empty(0)
        w, d = w[bad], len(v.mean)
        size = w.sum() ** 2 / (w @ w)
        most = min(
            1 + rates.rank_one / rates.elite,
            1 + 2 * size / (rates.n_elite + 2),
            (1 - rates.rank_one - rates.elite) / (d * rates.elite),
        )
        moves = refit.x[bad] - v.mean
        square = np.square(shape.in_units(moves)).sum(axis=1)
        stretch = np.sqrt(np.divide(d, square, out=np.zeros_like(square), where=square > 0))
        return moves * stretch[:, np.newaxis], most * w / w.sum()


class Rates(NamedTuple):
    """How fast what is learnt; from ``d`` and the effective number of elite samples."""

    n_elite: float  # effective
    scale: float  # forgetting of the path that sets the scale
    scale_step: float
    damping: float
    path: float  # forgetting of the path whose square is added
    path_step: float
    rank_one: float  # weight of that square
    elite: float  # weight of the elite's covariance

    @classmethod
    def of(cls, d: int, n_elite: float, speed: float) -> Rates:
        """The constants of Hansen (2016), table 1; ``speed`` multiplies those of the shape."""
        scale = (n_elite + 2) / (d + n_elite + 5)
        path = (4 + n_elite / d) / (d + 4 + 2 * n_elite / d)
        rank_one = min(0.5, speed * 2 / ((d + 1.3) ** 2 + n_elite))
        elite = speed * 2 * (0.25 + n_elite + 1 / n_elite - 2) / ((d + 2) ** 2 + n_elite)
        return cls(
            n_elite=n_elite,
            scale=scale,
            scale_step=math.sqrt(scale * (2 - scale) * n_elite),
            damping=1 + 2 * max(0.0, math.sqrt((n_elite - 1) / (d + 1)) - 1) + scale,
            path=path,
            path_step=math.sqrt(path * (2 - path) * n_elite),
            rank_one=rank_one,
            elite=min(1 - rank_one, elite),
        )


class Shape(Protocol):
    """What `EvolutionPath` needs to know of a width: to measure in its units, to change it."""

    def speed(self, d: int) -> float:
        """How many times as fast as a full covariance it is learnt."""

    def in_units(self, moves: Array) -> Array:
        """Moves, shape ``(n, d)``, as they would be under the standard normal density."""

    def moved(self, mean: Vector, keep: float, moves: Array, w: Vector, factor: float) -> Any:
        """The member with that mean and ``factor^2 (keep C + sum_i w_i y_i y_i')``."""


@dataclass(frozen=True)
class Full:
    """A covariance ``C = D R D``, measured by its root ``D R^(1/2)``, ``R`` the correlations.

    Of all roots such a one turns least while the covariance changes, so that a path of steps in its
    units keeps its direction. No eigenvalue of ``R`` is taken to be less than `FLOOR`.
    """

    v: MultivariateNormal

    def speed(self, d: int) -> float:  # noqa: ARG002 - the rates are made for it
        """As fast as that."""
        return 1.0

    def in_units(self, moves: Array) -> Array:
        """By the root of the covariance; where there is no width there was no move."""
        std, values, vectors = self._axes
        units: Array = moves / std @ vectors / np.sqrt(values) @ vectors.T
        return units

    def moved(self, mean: Vector, keep: float, moves: Array, w: Vector, factor: float) -> Any:
        """As a sum of outer products; where that is flat, it is given a little width."""
        cov = factor**2 * (keep * self.cov() + (moves.T * w) @ moves)
        v = self.v.replace(mean=mean, cov=(cov + cov.T) / 2)
        return v if v.root is not None else v.replace(cov=Full(v).cov())

    def cov(self) -> Array:
        """The covariance; where it is flat, with a little width."""
        _, values, vectors = self._axes
        if values[0] > FLOOR:
            return self.v.cov
        half = self.v.spread()[:, np.newaxis] * vectors * np.sqrt(values)
        return np.asarray(half @ half.T)

    @cached_property
    def _axes(self) -> tuple[Array, Array, Array]:
        """``D``, with a one for no width, and the eigenvalues and eigenvectors of ``R``."""
        std = self.v.spread()
        std[std == 0] = 1.0
        values, vectors = np.linalg.eigh(self.v.cov / std / std[:, np.newaxis])
        return std, np.maximum(values, FLOOR), vectors


@dataclass(frozen=True)
class Diagonal:
    """Standard deviations of independent coordinates."""

    v: Normal

    def speed(self, d: int) -> float:
        """There are fewer numbers to learn."""
        return (d + 2) / 3

    def in_units(self, moves: Array) -> Array:
        """By division; where there is no width there was no move."""
        std = self.v.std
        return np.divide(moves, std, out=np.zeros(moves.shape), where=std > 0)

    def moved(self, mean: Vector, keep: float, moves: Array, w: Vector, factor: float) -> Any:
        """In units of the old variances, so that none overflows."""
        ratio = keep + w @ np.square(self.in_units(moves))
        std = factor * self.v.std * np.sqrt(np.maximum(ratio, FLOOR))
        return self.v.replace(mean=mean, std=std)


def _shape_of(v: Family) -> Shape:
    if isinstance(v, MultivariateNormal):
        return Full(v)
    if isinstance(v, Normal):
        return Diagonal(v)
    raise TypeError(
        "EvolutionPath needs a Normal or MultivariateNormal density; got "
        f"{type(v).__name__} with {', '.join(v.parameters())}: use Constant or Dynamic"
    )


def _mean_length(d: int) -> float:
    """Of a standard normal vector, to a few parts in a thousand even for ``d = 1``."""
    return math.sqrt(d) * (1 - 1 / (4 * d) + 1 / (21 * d * d))


def _weights_of_the_worst(score: Vector) -> Vector:
    """``ln i - ln((N + 1) / 2)`` for the i-th best where positive; equal scores share the mean."""
    n = len(score)
    w = np.log(np.arange(1, n + 1)) - math.log((n + 1) / 2)
    return np.maximum(by_rank(score, w), 0.0)
