"""What a number may be: scores, one per sample, what becomes of NaN, and plain settings."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cem.typing import Vector

NOTHING = -1e300  # the logarithm of 0, as a number


def checked_scores(score: Any, n: int) -> Vector:
    """One real number per sample as a float vector, or an error that says what came instead.

    >>> checked_scores([1, 2], 2)
    array([1., 2.])
    """
    try:
        a = np.asarray(score)
    except ValueError as error:
        raise ValueError(
            f"a problem must return one score per sample: expected shape ({n},), got rows of "
            "different lengths"
        ) from error
    if a.shape != (n,):
        hint = (
            "a function of one point must be wrapped: cem.each(f)"
            if a.ndim == 0
            else "reduce over the coordinates only, for example with .sum(axis=1)"
        )
        raise ValueError(
            f"a problem must return one score per sample: expected shape ({n},), got {a.shape}; "
            + hint
        )
    if a.dtype.kind not in "fiub":
        raise TypeError(
            f"a problem must return real numbers: expected a float or integer array, got dtype "
            f"{a.dtype}" + ("; take the real part or the modulus" if a.dtype.kind == "c" else "")
        )
    return a.astype(float, copy=False)


def real_number(name: str, value: Any) -> float:
    """The value as a float or an error that names it."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise TypeError(f"{name} must be a number; got {value!r} of type {type(value).__name__}")
    return float(value)


def whole_number(name: str, value: Any, least: int = 1) -> int:
    """The value as an int of at least ``least``, or an error that names it."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be an int; got {value!r} of type {type(value).__name__}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}; got {value}")
    return int(value)


def rounded_up(number: float) -> int:
    """The next whole number; where rounding has put the number just above one, that one.

    >>> math.ceil(0.07 * 100), rounded_up(0.07 * 100)
    (8, 7)
    """
    return math.ceil(number - 1e-9)


def positive_number(name: str, value: Any) -> float:
    """The value as a finite float above zero, or an error that names it."""
    number = real_number(name, value)
    if not 0 < number < np.inf:
        raise ValueError(f"{name} must be positive and finite; got {value!r}")
    return number


def in_a_line(sample: Any) -> str:
    """A sample in words, for messages."""
    return np.array2string(np.asarray(sample), threshold=12, max_line_width=10**6)


def finite_or_worst(score: Vector, t: int, *, hopeless: bool = True) -> tuple[Vector, int]:
    """The scores with ``-inf`` for those that are NaN or infinite, and how many these are.

    Raises ValueError if that is all of them and it is ``hopeless``: if none ever was finite.

    >>> finite_or_worst(np.array([1.0, np.nan, np.inf]), t=1)
    (array([  1., -inf, -inf]), 2)
    """
    finite = np.isfinite(score)
    n_bad = len(score) - int(np.count_nonzero(finite))
    if n_bad == 0:
        return score, 0
    if n_bad == len(score) and hopeless:
        n_nan = int(np.isnan(score).sum())
        raise ValueError(
            f"expected at least one finite score; got {n_nan} NaN and {n_bad - n_nan} infinite "
            f"scores of {n_bad} in iteration {t}: the problem fails on everything that is sampled"
        )
    return np.where(finite, score, -np.inf), n_bad
