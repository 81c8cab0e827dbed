"""What stands between a problem and the search: its sign, and the box around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cem.noise import Wrapper
from cem.typing import Array, Batch, Family, Problem, Vector


@dataclass(frozen=True)
class Negated(Wrapper):
    """``-f``: what is minimised, seen from inside."""

    problem: Problem

    def __call__(self, x: Batch) -> Vector:
        """The scores with their sign turned."""
        score = np.asarray(self.problem(x))
        return -score.astype(float) if score.dtype.kind in "biuf" else score  # refused as it is


@dataclass(frozen=True, eq=False)
class Reflected(Wrapper):
    """A problem on a box, for samples from all of ``R^d``: what falls outside is mirrored in."""

    problem: Problem
    low: Array
    high: Array
    start: Callable[[Array, Array], Family]  # from the box to a density to begin with

    def __call__(self, x: Batch) -> Vector:
        """The scores of the mirrored samples."""
        return self.problem(self.inside(x))

    def inside(self, x: Batch) -> Batch:
        """``x`` mirrored at the faces of the box as often as it takes."""
        width = self.high - self.low
        inside = self.low + width - np.abs((x - self.low) % (2 * width) - width)
        return np.clip(inside, self.low, self.high)  # rounding must not leave the box

    def nominal(self) -> Family:
        """The density that a search of the box begins with."""
        return self.start(self.low, self.high)


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
        raise ValueError(
            f"bounds must be finite with low < high; got {tuple(a[at].tolist())} for coordinate "
            f"{at}: for an unbounded variable pass a family, such as cem.Normal(mean, std)"
        )
    return a[:, 0], a[:, 1]
