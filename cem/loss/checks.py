"""What the losses accept: numbers, probabilities, distributions, weights. Nothing is repaired."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike

from cem.scores import real_number
from cem.typing import Array

UNITS = {"nats": 1.0, "bits": math.log(2), "hartleys": math.log(10)}  # in nats
REDUCTIONS = ("mean", "sum", "none")
ROUNDING = {"d": 1e-8, "f": 1e-6}  # of a sum that should be one

LOGITS = (
    "counts or scores need normalising, logits to be declared (from_logits=True) or turned into "
    "probabilities (softmax, sigmoid)"
)

_least, _most, _sum = np.minimum.reduce, np.maximum.reduce, np.add.reduce


def nats_in(unit: str) -> float:
    """How many nats one ``unit`` is."""
    if not isinstance(unit, str) or unit not in UNITS:
        raise ValueError(f"unit must be one of {', '.join(UNITS)}; got {unit!r}")
    return UNITS[unit]


def checked_reduction(reduction: str) -> str:
    """The reduction, if it is one."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction must be one of {', '.join(REDUCTIONS)}; got {reduction!r}")
    return reduction


def numbers(a: ArrayLike, name: str) -> Array:
    """A float array with at least one element; float32 stays float32. NaN is not looked for."""
    if isinstance(a, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array: fill it, or drop what is masked")
    array = np.asarray(a)
    if array.dtype.char not in "df" or not array.dtype.isnative:
        if array.dtype.kind not in "fiub" and array.size:
            raise TypeError(f"{name} must hold real numbers; got dtype {array.dtype}")
        array = array.astype(np.float32 if array.dtype.char == "f" else np.float64)
    if array.size == 0:
        raise ValueError(f"{name} is empty: expected at least one number")
    return array


def not_nan(a: ArrayLike, name: str) -> Array:
    """Numbers, infinite ones too."""
    array = numbers(a, name)
    if (nan := np.isnan(array)).any():
        raise ValueError(f"{name} must not be NaN; got NaN{_at(_first(nan))}")
    return array


def finite(a: ArrayLike, name: str) -> Array:
    """Finite numbers; float32 stays float32."""
    array = numbers(a, name)
    if not -np.inf < _least(array, axis=None) <= _most(array, axis=None) < np.inf:  # NaN too
        at = _first(~np.isfinite(array))
        raise ValueError(f"{name} must be finite; got {array[at]:g}{_at(at)}")
    return array


def probabilities(a: ArrayLike, name: str) -> Array:
    """Numbers in [0, 1]."""
    array = numbers(a, name)
    if not (_least(array, axis=None) >= 0 and _most(array, axis=None) <= 1):  # NaN too
        refuse_probabilities(array, name)
    return array


@dataclass(frozen=True)
class Place:
    """Where the rows of a block are in the caller's array, for messages.

    ``batch`` is the shape that was flattened into rows, ``start`` the first row of the block.

    >>> Place((2, 3)).words(4)
    ' in row (1, 1)'
    """

    batch: tuple[int, ...]
    start: int = 0

    def at(self, row: int) -> tuple[int, ...]:
        """The index of a row of the block."""
        if not self.batch:
            return ()
        return tuple(int(i) for i in np.unravel_index(self.start + row, self.batch))

    def words(self, row: int, of: str = "in row") -> str:
        """The same in words; nothing where there is only one row."""
        return _at(self.at(row), of)


def refuse_probabilities(
    array: Array,
    name: str,
    place: Place | None = None,
    most: float = 1.0,
    remedy: str = LOGITS,
) -> NoReturn:
    """Say which number is not a probability."""
    at = _first(~((array >= 0) & (array <= most)))
    where = at if place is None else (*place.at(at[0]), *at[1:])
    raise ValueError(
        f"{name} must hold probabilities in [0, 1]; got {array[at]:g}{_at(where)}: {remedy}"
    )


def outcomes_last(a: ArrayLike, name: str, axis: int = -1) -> Array:
    """Numbers whose last axis runs over the outcomes, not yet looked at."""
    array = numbers(a, name)
    if array.ndim == 0:
        raise ValueError(f"{name} must have an axis along which it sums to 1; got {array!r}")
    if isinstance(axis, bool) or not isinstance(axis, int | np.integer):
        raise TypeError(f"axis must be a whole number; got {axis!r}")
    return array if axis == -1 else np.moveaxis(array, axis, -1)


def distribution(array: Array, name: str, *, axis: int = -1, normalize: bool = False) -> Array:
    """The same in float64, checked to sum to one along the last axis; rescaled if asked."""
    if normalize:
        return _normalized(array, name)
    check_rows(array, name, axis=axis)
    return array if array.dtype.char == "d" else array.astype(np.float64)


def check_rows(
    array: Array,
    name: str,
    *,
    axis: int = -1,
    place: Place | None = None,
    remedy: str = "pass normalize=True to rescale, or divide by the sum",
) -> None:
    """Raise unless the last axis holds distributions."""
    total = _sum(array, axis=-1, dtype=np.float64)
    rounding = ROUNDING[array.dtype.char]
    off = abs(total - 1)
    worst = off if array.ndim == 1 else _most(off, axis=None)
    if worst <= rounding and _least(array, axis=None) >= 0:  # false for NaN
        return
    if not (_least(array, axis=None) >= 0 and _most(array, axis=None) <= 1 + rounding):
        refuse_probabilities(np.moveaxis(array, -1, axis), name, place, 1 + rounding)
    at = _first(np.atleast_1d(off > rounding))
    row = at if place is None else place.at(at[0])
    which = f" ({_at(row, 'row').strip()})" if array.ndim > 1 and row else ""
    raise ValueError(
        f"{name} must sum to 1 on axis {axis}; got {np.atleast_1d(total)[at]:.10g}{which}: {remedy}"
    )


def _normalized(array: Array, name: str) -> Array:
    with np.errstate(over="ignore"):
        total = array.sum(axis=-1, keepdims=True, dtype=np.float64)
    if not (_least(array, axis=None) >= 0 and np.isfinite(total).all() and (total > 0).all()):
        bad = ~(np.isfinite(array) & (array >= 0))
        if bad.any():
            why = f"{array[_first(bad)]:g}{_at(_first(bad))}"
        else:
            row = _first(~((total > 0) & np.isfinite(total)))[:-1]
            why = f"a sum of 0 or inf{_at(row, 'in row')}"
        raise ValueError(f"{name} cannot be normalised: expected non-negative numbers, got {why}")
    return np.asarray(array / total, dtype=np.float64)


def pair(p: ArrayLike, q: ArrayLike, axis: int = -1) -> tuple[Array, Array]:
    """Two arrays over the same outcomes, which run along the last axis of both; not looked at."""
    a, b = outcomes_last(p, "p", axis), outcomes_last(q, "q", axis)
    if a.shape[-1] != b.shape[-1]:
        raise ValueError(
            f"p has {a.shape[-1]} outcomes on axis {axis}, q has {b.shape[-1]}: they must be "
            "distributions over the same outcomes"
        )
    if a.shape != b.shape:
        try:
            np.broadcast_shapes(a.shape, b.shape)
        except ValueError as error:
            raise ValueError(
                f"the axes of p and q besides that of the outcomes must match; got {a.shape[:-1]} "
                f"and {b.shape[:-1]}"
            ) from error
    return a, b


def along(a: Array, shape: tuple[int, ...], name: str, of: str) -> Array:
    """``a`` for every index of ``shape``: equal in shape, or without some of the leading axes."""
    if a.shape == shape:
        return a
    if a.ndim < len(shape) and a.shape == shape[len(shape) - a.ndim :]:
        return np.broadcast_to(a, shape)
    raise ValueError(
        f"{name} must have the shape {shape} of {of}, or lack only leading axes of it; got "
        f"{a.shape}"
    )


def checked_weights(a: ArrayLike | None, shape: tuple[int, ...], name: str) -> Array | None:
    """Finite numbers, none negative, for every index of ``shape``."""
    if a is None:
        return None
    w = numbers(a, name)
    if not (_least(w, axis=None) >= 0 and _most(w, axis=None) < np.inf):
        at = _first(~((w >= 0) & (w < np.inf)))
        raise ValueError(f"{name} must be finite and not negative; got {w[at]:g}{_at(at)}")
    return along(w.astype(np.float64, copy=False), shape, name, "what is weighted")


def checked_pos_weight(value: float) -> float:
    """One positive number."""
    if not 0 < real_number("pos_weight", value) < math.inf:
        raise ValueError(f"pos_weight must be positive and finite; got {value!r}")
    return float(value)


def checked_smoothing(value: float) -> float:
    """A label smoothing in [0, 1)."""
    if not 0 <= real_number("label_smoothing", value) < 1:
        raise ValueError(f"label_smoothing must lie in [0, 1); got {value!r}")
    return float(value)


def checked_clip(value: float | None) -> float | None:
    """Where probabilities are clipped, in (0, 1/2), if they are."""
    if value is not None and not 0 < real_number("clip", value) < 0.5:
        raise ValueError(f"clip must lie between 0 and 0.5; got {value!r}")
    return value


def _first(bad: Any) -> tuple[int, ...]:
    return tuple(np.argwhere(bad)[0].tolist())


def _at(index: tuple[int, ...], of: str = "at index") -> str:
    """Where it is, if there is more than one place."""
    return f" {of} {index[0] if len(index) == 1 else index}" if index else ""
