"""From constraints of all kinds to one number per sample: by how much it violates them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from cem.typing import Array, Batch, Vector


def _as_it_is(x: Batch) -> Batch:
    return x


@dataclass(frozen=True, eq=False)
class Feasibility:
    """``violation(x) >= 0``, zero where all constraints hold: the sum over the constraints.

    Made by `Feasibility.of` from one constraint or several, each of them

    - a `scipy.optimize.LinearConstraint`: the distance to the half-spaces ``lb <= A x <= ub``, an
      equality for whole numbers only,
    - a `scipy.optimize.NonlinearConstraint`: how far ``fun`` of one point is outside ``lb, ub``,
    - a `scipy.optimize.Bounds`: how far the coordinates are outside,
    - a function of a batch that returns ``n`` violations, zero for a feasible sample,
    - a predicate, a function of a batch that returns ``n`` booleans, true for a feasible sample.

    A violation that is NaN counts as infinite. Violations of several constraints are added, so
    they should be of one size: scale a constraint in millimetres that stands beside one in metres.

    >>> hold = Feasibility.of([lambda x: x[:, 0] >= 0, lambda x: np.maximum(x.sum(axis=1) - 1, 0)])
    >>> hold.violation(np.array([[0.5, 0.5], [-1.0, 0.0], [2.0, 3.0]]))
    array([0., 1., 4.])
    """

    parts: tuple[Callable[[Batch], Vector], ...]
    view: Callable[[Batch], Batch] = field(default=_as_it_is)  # what of a sample they look at

    @classmethod
    def of(cls, constraints: Any) -> Self:
        """From one constraint or an iterable of them; itself from one that is made already."""
        if isinstance(constraints, cls):
            return constraints
        several = isinstance(constraints, Iterable) and not isinstance(constraints, str | dict)
        return cls(tuple(map(_part, constraints if several else [constraints])))

    def through(self, view: Callable[[Batch], Batch]) -> Self:
        """The same constraints on ``view(x)``, such as the point of a box that ``x`` stands for."""
        return replace(self, view=view)

    def violation(self, x: Batch) -> Vector:
        """By how much each sample violates the constraints, shape ``(n,)``; 0 for a feasible one.

        Raises ValueError for a function that returns another shape or a negative violation.
        """
        seen, total = self.view(x), np.zeros(len(x))
        with np.errstate(over="ignore"):  # too much to say is infinite
            for part in self.parts:
                total = total + part(seen)
        return total


@dataclass(frozen=True, eq=False)
class Within:
    """``low <= value(x) <= high`` for ``m`` values; the violation is in units of ``unit``."""

    value: Callable[[Batch], Array]  # (n, ...) -> (n, m)
    low: Array
    high: Array
    unit: Array | float = 1.0

    def __call__(self, x: Batch) -> Vector:
        """The sum of what the values are outside by."""
        value = self.value(x)
        if (m := max(self.low.size, self.high.size)) not in {1, value.shape[1]}:
            raise ValueError(
                f"a constraint with {m} limits must have as many values; got {value.shape[1]}"
            )
        with np.errstate(invalid="ignore", over="ignore"):  # NaN is looked for
            outside = np.maximum(self.low - value, 0) + np.maximum(value - self.high, 0)
            total: Vector = (outside / self.unit).sum(axis=1)
        return np.where(np.isnan(total), np.inf, total)


@dataclass(frozen=True, eq=False)
class Rows:
    """``A x`` of every sample, to the same bits in any batch: no matrix product does that."""

    matrix: Array  # (m, d)
    equal: bool  # whether a row may have one value only

    def __call__(self, x: Batch) -> Array:
        """The values, shape ``(n, m)``."""
        if self.equal and np.asarray(x).dtype.kind == "f":
            raise ValueError(
                "a linear equality, lb == ub, between real numbers is met by rounding errors only: "
                "give it some width, lb < ub, or solve it for one of the variables"
            )
        x = points(x, self.matrix.shape[1])
        return np.stack([(x * row).sum(axis=1) for row in self.matrix], axis=1)


@dataclass(frozen=True, eq=False)
class EachPoint:
    """The values of a function of one point, which may be several, of every sample."""

    function: Any

    def __call__(self, x: Batch) -> Array:
        """One call per sample, in order; shape ``(n, m)``."""
        return np.array([np.atleast_1d(self.function(point)) for point in x], dtype=float)


@dataclass(frozen=True, eq=False)
class Stated:
    """What a function of a batch says: violations, or whether the samples are feasible."""

    function: Any

    def __call__(self, x: Batch) -> Vector:
        """Its violations; of what is not feasible 1."""
        said = np.asarray(self.function(x))
        if said.shape != (len(x),) or said.dtype.kind not in "biuf":
            raise ValueError(
                "a constraint must return one violation, or one boolean, per sample: expected shape"
                f" ({len(x)},), got {said.shape} of {said.dtype}; for a function of one point use "
                "scipy.optimize.NonlinearConstraint"
            )
        if said.dtype.kind == "b":
            return (~said).astype(float)
        said = np.where(np.isnan(said), np.inf, said.astype(float))
        if (said < 0).any():
            raise ValueError(
                f"a violation must be at least 0, and 0 for a feasible sample; got {said.min():g}: "
                "for a constraint g(x) <= 0 return np.maximum(g(x), 0)"
            )
        return said


def points(x: Batch, d: int | None) -> Array:
    """The batch as points of ``R^d``, or an error that says what came instead."""
    if np.ndim(x) != 2 or d not in {None, np.shape(x)[1]}:
        raise ValueError(
            f"a linear constraint or a bound needs samples of shape (n, {d or 'd'}); got "
            f"{np.shape(x)}: for other samples pass a function of the batch"
        )
    return np.ascontiguousarray(x, dtype=float)


@dataclass(frozen=True)
class Coordinates:
    """The coordinates themselves."""

    d: int | None  # None: any number of them

    def __call__(self, x: Batch) -> Array:
        """The batch."""
        return points(x, self.d)


def _part(constraint: Any) -> Callable[[Batch], Vector]:
    if hasattr(constraint, "lb") and hasattr(constraint, "ub"):
        low, high = _limits(constraint)
        if hasattr(constraint, "A"):
            given = constraint.A
            dense = given.toarray() if hasattr(given, "toarray") else given
            matrix = np.atleast_2d(np.asarray(dense, dtype=float))
            if not np.isfinite(matrix).all():
                raise ValueError("the matrix of a linear constraint must be finite; got NaN or inf")
            length = np.linalg.norm(matrix, axis=1)
            rows = Rows(matrix, equal=bool((low == high).any()))
            return Within(rows, low, high, np.where(length > 0, length, 1.0))
        if hasattr(constraint, "fun"):
            return Within(EachPoint(constraint.fun), low, high)
        d = max(low.size, high.size)
        return Within(Coordinates(d if d > 1 else None), low, high)
    if callable(constraint):
        return Stated(constraint)
    raise TypeError(
        "a constraint must be a function of a batch, or a LinearConstraint, NonlinearConstraint or "
        f"Bounds of scipy.optimize; got {constraint!r} of type {type(constraint).__name__}"
    )


def _limits(constraint: Any) -> tuple[Array, Array]:
    low, high = (np.atleast_1d(np.asarray(a, dtype=float)) for a in (constraint.lb, constraint.ub))
    if not (low <= high).all():  # nor if one is NaN
        raise ValueError(f"a constraint needs lb <= ub; got {low.tolist()} and {high.tolist()}")
    return low, high
