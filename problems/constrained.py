"""Standard functions to be minimised under constraints, with known optima."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cem.families import MultivariateNormal
from cem.typing import Array, Batch, Vector
from problems import nearest

TOLERANCE = 1e-4  # of an equality, as in the report that the functions are from


class Case(NamedTuple):
    """A function, what must not be positive, a box that must not be left, and the optimum."""

    value: Callable[[Batch], Vector]
    excess: Callable[[Batch], Array]  # (n, m): feasible where none is positive
    low: tuple[float, ...]
    high: tuple[float, ...]
    minimum: float
    at: tuple[float, ...]  # one place where it is taken


@dataclass(frozen=True)
class ConstrainedFunction:
    """Score: a standard function at points ``x`` of shape ``(n, d)``, to be minimised.

    ``constraints`` is the violation, which `cem.minimize` takes as ``constraints=``: what each
    constraint is exceeded by and how far the point is outside of its box, in all.

    - ``halfspace``: the sphere in ``R^5`` where ``sum_i x_i >= 5``; the optimum is a projection.
    - ``g06``: a cubic on a thin crescent between two circles; the optimum is one of its horns.
    - ``g08``: waves in a small region, the optimum inside of it.
    - ``g11``: a parabola as a constraint, an equality to within 1e-4.
    - ``g24``: a linear function on a region of two parts.

    Those with a ``g`` are from Liang et al. (2006), Problem Definitions and Evaluation Criteria for
    the CEC 2006 Special Session on Constrained Real-Parameter Optimization.

    >>> f = ConstrainedFunction("halfspace")
    >>> f(f.x_best[None]), f.constraints(np.zeros((1, 5)))
    (array([5.]), array([5.]))
    """

    function: str = "g06"

    def __post_init__(self) -> None:
        if self.function not in CASES:
            raise ValueError(
                f"there is no function {self.function!r}" + nearest(self.function, list(CASES))
            )

    def __call__(self, x: Batch) -> Vector:
        """The values of the points, whether they are feasible or not."""
        return self._case.value(self._checked(x))

    def constraints(self, x: Batch) -> Vector:
        """By how much the points violate the constraints, shape ``(n,)``; 0 if they do not."""
        x, case = self._checked(x), self._case
        excess = np.maximum(case.excess(x), 0).sum(axis=1)
        outside = np.maximum(np.array(case.low) - x, 0) + np.maximum(x - np.array(case.high), 0)
        return excess + outside.sum(axis=1)

    def nominal(self) -> MultivariateNormal:
        """Normal at the middle of the box, its standard deviation a third of the width."""
        low, high = np.array(self._case.low), np.array(self._case.high)
        return MultivariateNormal((low + high) / 2, np.diag(np.square((high - low) / 3)))

    @property
    def x_best(self) -> Vector:
        """A place where the least feasible value is taken."""
        return np.array(self._case.at)

    def exact(self) -> float:
        """The known answer to compare a result with: the least feasible value."""
        return self._case.minimum

    @property
    def _case(self) -> Case:
        return CASES[self.function]

    def _checked(self, x: Batch) -> Array:
        x, d = np.asarray(x, dtype=float), len(self._case.low)
        if x.ndim != 2 or x.shape[1] != d:
            raise ValueError(f"expected points of shape (n, {d}); got {x.shape}")
        return x


def _sphere(x: Batch) -> Vector:
    return np.square(x).sum(axis=1)


def _below_the_plane(x: Batch) -> Array:
    return 5 - x.sum(axis=1, keepdims=True)


def _cubic(x: Batch) -> Vector:
    return (x[:, 0] - 10) ** 3 + (x[:, 1] - 20) ** 3


def _beside_the_crescent(x: Batch) -> Array:
    up = np.square(x[:, 1] - 5)
    return np.stack([100 - np.square(x[:, 0] - 5) - up, np.square(x[:, 0] - 6) + up - 82.81], 1)


def _waves(x: Batch) -> Vector:
    """The quotient of g08; where its denominator is zero there is none, and NaN is returned."""
    a, b = x.T
    down = a**3 * (a + b)
    up = -(np.sin(2 * np.pi * a) ** 3) * np.sin(2 * np.pi * b)
    return np.divide(up, down, out=np.full(len(x), np.nan), where=down != 0)


def _beside_the_lens(x: Batch) -> Array:
    a, b = x.T
    return np.stack([a**2 - b + 1, 1 - a + (b - 4) ** 2], axis=1)


def _distance_to_0_1(x: Batch) -> Vector:
    return np.square(x[:, 0]) + np.square(x[:, 1] - 1)


def _off_the_parabola(x: Batch) -> Array:
    return np.abs(x[:, 1:] - np.square(x[:, :1])) - TOLERANCE


def _minus_the_sum(x: Batch) -> Vector:
    return -x.sum(axis=1)


def _above_the_quartics(x: Batch) -> Array:
    a, b = x.T
    one = -2 * a**4 + 8 * a**3 - 8 * a**2 + b - 2
    return np.stack([one, -4 * a**4 + 32 * a**3 - 88 * a**2 + 96 * a + b - 36], axis=1)


HORN = (14.095, 5 - (100 - 9.095**2) ** 0.5)  # where the circles of g06 meet

CASES = {
    "halfspace": Case(_sphere, _below_the_plane, (-5.0,) * 5, (5.0,) * 5, 5.0, (1.0,) * 5),
    "g06": Case(
        _cubic,
        _beside_the_crescent,
        (13.0, 0.0),
        (100.0, 100.0),
        (HORN[0] - 10) ** 3 + (HORN[1] - 20) ** 3,
        HORN,
    ),
    "g08": Case(
        _waves,
        _beside_the_lens,
        (0.0, 0.0),
        (10.0, 10.0),
        -0.0958250414180359,
        (1.22797135260752599, 4.24537336612274885),
    ),
    "g11": Case(
        _distance_to_0_1,
        _off_the_parabola,
        (-1.0, -1.0),
        (1.0, 1.0),
        0.75 - TOLERANCE,
        ((0.5 - TOLERANCE) ** 0.5, 0.5),
    ),
    "g24": Case(
        _minus_the_sum,
        _above_the_quartics,
        (0.0, 0.0),
        (3.0, 4.0),
        -5.50801327159536,
        (2.32952019747762, 3.17849307411774),
    ),
}

problem = ConstrainedFunction
