"""What stands between a problem and the search: its sign, and the box around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cem.scores import checked_scores
from cem.state import Record, State
from cem.typing import Array, Batch, Family, Problem, Vector
from cem.wrapping import AroundMethod, Wrapper

EDGE = 1 / 100  # of the width of a box: where it is bent, and how far it reaches outside


@dataclass(frozen=True)
class Negated(Wrapper):
    """``-f``: what is minimised, seen from inside."""

    problem: Problem

    def __call__(self, x: Batch) -> Vector:
        """The scores with their sign turned."""
        score = np.asarray(self.problem(x))
        return -score.astype(float) if score.dtype.kind in "biuf" else score  # refused as it is


class Unbounded:
    """What stands around a search without bounds: nothing. `Boxed` has the same methods."""

    def inside(self, x: Batch) -> Batch:
        """The samples as they are."""
        return x

    def around(self, method: Any) -> Any:
        """The method as it is."""
        return method


@dataclass(frozen=True, eq=False)
class Boxed(Wrapper, Unbounded):
    """A problem on a box, for samples from all of ``R^d``.

    A sample is its own point of the box but for the edges of it, `EDGE` of its width. There the
    point goes to the border as the square of a distance does to zero, so that a score that falls
    to the border has a smooth top there: an optimum in a corner is as easily found as inside. The
    border is reached `EDGE` of the width outside, and what is beyond that scores as the border;
    `Bounded` draws the search back. Compare the transformation of Hansen's pycma.
    """

    problem: Problem
    low: Array
    high: Array
    start: Callable[[Array, Array], Family]  # from the box to a density to begin with

    def __call__(self, x: Batch) -> Vector:
        """The scores of the points of the box."""
        return self.problem(self.inside(x))

    def inside(self, x: Batch) -> Batch:
        """The points of the box."""
        edge = EDGE * (self.high - self.low)
        x = self.within(x)
        below, above = np.minimum(x - self.low - edge, 0.0), np.maximum(x - self.high + edge, 0.0)
        x = x + below / edge * below / 4 - above / edge * above / 4
        return np.clip(x, self.low, self.high)  # rounding must not leave the box

    def within(self, x: Batch) -> Batch:
        """The nearest samples that differ from all others in their points."""
        edge = EDGE * (self.high - self.low)
        return np.clip(x, self.low - edge, self.high + edge)

    def around(self, method: Any) -> Bounded:
        """The method, kept to the box."""
        return Bounded(method, self.within)

    def nominal(self) -> Family:
        """The density that a search of the box begins with."""
        return self.start(self.low, self.high)


@dataclass(frozen=True, eq=False)
class Bounded(AroundMethod):
    """A method whose samples outside a box score less the further out they are.

    From the score of such a sample is taken the square of its distance, in standard deviations of
    the density, times the interquartile range of the scores of the batch (or all of their range,
    where that is zero): no number is to be chosen, and neither the scale of the scores nor that of
    ``x`` matters. So the density may lie across a border, where the optimum may be, and does not
    stray. Compare Hansen, Niederberger, Guzzella, Koumoutsakos (2009). The best sample is the best
    without that.
    """

    within: Callable[[Batch], Batch]  # the nearest samples of the box

    def tell(self, state: State, x: Batch, score: Vector) -> tuple[State, Record]:
        """The next state and record; a level counts the distances, the best does not."""
        score = checked_scores(score, len(x))
        finite = np.isfinite(score)
        told = score - self._price(state, x, score, finite)
        return self._learnt(state, x, told, np.where(finite, score, -np.inf))

    def _price(self, state: State, x: Batch, score: Vector, finite: Any) -> Vector:
        beyond, spread = np.abs(x - self.within(x)), state.v.spread()
        units = np.divide(beyond, spread, out=beyond.copy(), where=spread > 0)
        if not finite.any():
            return np.zeros(len(x))
        worst, low, high, best = np.percentile(score[finite], [0, 25, 75, 100])
        price: Vector = ((high - low) or (best - worst)) * np.square(units).sum(axis=1)
        return price


def box(bounds: Any) -> tuple[Array, Array]:
    """The least and largest value of every coordinate, from pairs or a `scipy.optimize.Bounds`.

    >>> box([(0, 1), (-2, 2)])
    (array([ 0., -2.]), array([1., 2.]))
    """
    pairs = np.stack([bounds.lb, bounds.ub], axis=-1) if hasattr(bounds, "lb") else bounds
    try:
        a = np.asarray(pairs, dtype=float)
    except (TypeError, ValueError) as error:
        raise TypeError(f"bounds must be pairs of numbers (low, high); got {bounds!r}") from error
    if a.ndim != 2 or a.shape[1] != 2 or len(a) == 0:
        raise ValueError(
            f"bounds must be one pair (low, high) per coordinate; got an array of shape {a.shape}"
        )
    with np.errstate(invalid="ignore", over="ignore"):
        width = a[:, 1] - a[:, 0]
    bad = ~(np.isfinite(width) & (width > 0))
    if bad.any():
        at = int(bad.argmax())
        low, high = a[at].tolist()
        raise ValueError(
            f"bounds must be finite with low < high; got {(low, high)} for coordinate {at}: "
            + (
                "a variable of one value is a constant; leave it out, and fill it in in the problem"
                if low == high
                else "for an unbounded variable pass a family, such as cem.Normal(mean, std)"
            )
        )
    return a[:, 0], a[:, 1]
