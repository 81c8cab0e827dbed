"""What every family gets for free: checked, frozen parameters and their arithmetic."""

from __future__ import annotations

import reprlib
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, Self

import numpy as np

from cem.loss.support import Support
from cem.typing import Array

ROUNDING = 1e-9  # what repeated averaging may add; anything more is the caller's mistake


def probability(a: Array) -> Array:
    """Numbers in [0, 1]."""
    return _within(a, 0.0, 1.0, "must lie in [0, 1]")


def positive(a: Array) -> Array:
    """Finite numbers above zero."""
    if a.min(initial=1.0) > 0 and a.max(initial=1.0) < np.inf:  # false for NaN
        return a
    raise _bad(a, (a > 0) & (a < np.inf), "must be positive and finite")


def non_negative(a: Array) -> Array:
    """Finite numbers, zero or above."""
    if a.min(initial=0.0) >= 0 and a.max(initial=0.0) < np.inf:
        return a
    raise _bad(a, (a >= 0) & (a < np.inf), "must be finite and not negative")


def real(a: Array) -> Array:
    """Finite numbers."""
    finite = np.isfinite(a)
    if np.count_nonzero(finite) == a.size:  # quicker than finite.all()
        return a
    raise _bad(a, finite, "must be finite")


def between_0_and_1(a: Array) -> Array:
    """Numbers in (0, 1)."""
    if a.min(initial=0.5) > 0 and a.max(initial=0.5) < 1:
        return a
    raise _bad(a, (a > 0) & (a < 1), "must lie strictly between 0 and 1")


def whole(low: int, high: int | None = None) -> Callable[[Array], Array]:
    """The constraint to whole numbers from ``low`` to ``high``, or from ``low`` on."""

    def constraint(a: Array) -> Array:
        most = np.finfo(float).max if high is None else high
        in_range = a.min() >= low and a.max() <= most  # false for NaN
        if in_range and (a.dtype.kind in "biu" or (a == np.floor(a)).all()):
            return a
        good = (a >= low) & (a <= most) & (a == np.floor(a))
        raise _bad(
            a, good, f"must be whole numbers from {low} {'on' if high is None else f'to {high}'}"
        )

    return constraint


def _within(a: Array, low: float, high: float, must: str) -> Array:
    least, most = a.min(initial=low), a.max(initial=low)
    if least >= low and most <= high:
        return a
    if least >= low - ROUNDING and most <= high + ROUNDING:
        return np.clip(a, low, high)
    raise _bad(a, (a >= low - ROUNDING) & (a <= high + ROUNDING), must)


def _bad(a: Array, good: Any, must: str) -> ValueError:
    where = tuple(np.argwhere(~good)[0].tolist())
    index = where[0] if len(where) == 1 else where
    return ValueError(f"{must}; got {a[where]:g} at index {index}")


def is_family(thing: Any) -> bool:
    """Whether it has what a search asks of a family.

    >>> from cem.families import Normal
    >>> is_family(Normal([0.0], [1.0])), is_family(Normal)
    (True, False)
    """
    asked = ("sample", "log_density", "fit", "smooth", "spread", "parameters", "replace")
    return not isinstance(thing, type) and all(hasattr(thing, name) for name in asked)


def inside_margin(p: Array, least: float, before: Array) -> Array:
    """Probabilities moved to ``[least, 1 - least]``, but those that were sure ``before``.

    >>> inside_margin(np.array([0.0, 0.0, 1.0]), 0.1, np.array([0.0, 0.5, 1.0]))
    array([0. , 0.1, 1. ])
    """
    return np.where((before > 0) & (before < 1), p.clip(least, 1 - least), p)


def parameter(constraint: Callable[[Array], Array], *, ndim: int = 1) -> Any:
    """Declare a field to be part of the reference parameter ``v``, tidied by ``constraint``."""
    return field(metadata={"constraint": constraint, "ndim": ndim, "fitted": True})


def constant(constraint: Callable[[Array], Array], *, ndim: int = 1) -> Any:
    """Declare a field that every member made from this one keeps: it is no part of ``v``."""
    return field(metadata={"constraint": constraint, "ndim": ndim, "fitted": False})


@cache
def _declared_by(family: Any) -> tuple[tuple[str, int, Callable[[Array], Array]], ...]:
    """Name, number of axes and constraint of every field of a family."""
    return tuple((f.name, f.metadata["ndim"], f.metadata["constraint"]) for f in fields(family))


@cache
def _parameters_of(family: Any) -> tuple[str, ...]:
    return tuple(f.name for f in fields(family) if f.metadata["fitted"])


@dataclass(frozen=True, eq=False)
class Parametric:
    """Base of the families: subclasses declare `parameter` fields and four methods.

    The first axis of the first parameter counts the coordinates of a sample.
    """

    def __post_init__(self) -> None:
        for field_name, ndim, constraint in self._declared():
            given = getattr(self, field_name)
            try:
                array = np.array(given, dtype=float)
            except (TypeError, ValueError) as error:
                raise TypeError(
                    f"{type(self).__name__}.{field_name} must be an array of numbers; got "
                    f"{reprlib.repr(given)}"
                ) from error
            if array.ndim != ndim or array.size == 0:
                raise ValueError(
                    f"{type(self).__name__}.{field_name} must have {ndim} axes and at least one "
                    f"element; got shape {array.shape}"
                )
            try:
                array = constraint(array)
            except ValueError as error:
                raise ValueError(f"{type(self).__name__}.{field_name} {error}") from None
            array.setflags(write=False)
            object.__setattr__(self, field_name, array)

    def _declared(self) -> tuple[tuple[str, int, Callable[[Array], Array]], ...]:
        family: Any = type(self)
        return _declared_by(family)

    @property
    def n_coordinates(self) -> int:
        """``d``, the number of coordinates of a sample."""
        return len(getattr(self, self._declared()[0][0]))

    def parameters(self) -> dict[str, Array]:
        """The reference parameter ``v`` as named arrays."""
        family: Any = type(self)
        return {name: getattr(self, name) for name in _parameters_of(family)}

    def _all(self) -> dict[str, Array]:
        return {name: getattr(self, name) for name, _, _ in self._declared()}

    def replace(self, **parameters: Array) -> Self:
        """The same family at other parameters."""
        return type(self)(**{**self._all(), **parameters})

    def smooth(self, towards: Self, alpha: float) -> Self:
        """The member with parameters ``alpha * towards + (1 - alpha) * self``."""
        old, new = self.parameters(), towards.parameters()
        return self.replace(**{k: alpha * new[k] + (1 - alpha) * old[k] for k in old})

    def no_narrower_than(self, other: Self) -> Self:  # noqa: ARG002 - for families with a width
        """The member nearest to this one whose tails are no lighter than the other's."""
        return self

    def widened(self, factor: float) -> Self:  # noqa: ARG002 - for families with variances
        """The member with its variances multiplied; itself where no parameter stands for one."""
        return self

    def support(self) -> Support | None:
        """The smallest box that no sample leaves; None if it is not a box, or not known."""
        return None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(self._all().values())  # a copy from a pickle is frozen too

    def __repr__(self) -> str:
        shapes = (f"{k}={np.array2string(a, threshold=6)}" for k, a in self._all().items())
        return f"{type(self).__name__}({', '.join(shapes)})"


@dataclass(frozen=True, eq=False, repr=False)
class Independent(Parametric):
    """Base of densities of independent coordinates: every parameter has the shape ``(d,)``."""

    def __post_init__(self) -> None:
        super().__post_init__()
        shapes = {name: array.shape for name, array in self.parameters().items()}
        if len(set(shapes.values())) > 1:
            kind = type(self).__name__
            raise ValueError(
                f"{' and '.join(f'{kind}.{name}' for name in shapes)} must have the same shape, "
                f"one number per coordinate; got {' and '.join(map(str, shapes.values()))}"
            )
