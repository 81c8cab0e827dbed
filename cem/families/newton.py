"""Newton's method for the likelihood equations of the families that have no closed fit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cem.typing import Array

MOST_STEPS = 200
CLOSE = 1e-13  # a last step as small as this leaves rounding only


def increasing_root(f: Callable[[Array], tuple[Array, Array]], start: Array) -> Array:
    """The ``t`` with ``f(t) = 0``, elementwise; ``f`` gives values and slopes, and increases.

    Newton's steps, and bisection where they leave the bracket known so far or are more than half
    of those before. Raises RuntimeError if that does not end, as for an ``f`` that is NaN.

    >>> increasing_root(lambda t: (np.expm1(t) - 1, np.exp(t)), np.array([-3.0, 5.0])) / np.log(2)
    array([1., 1.])
    """
    t, low, high = start, np.full_like(start, -np.inf), np.full_like(start, np.inf)
    step = high
    for _ in range(MOST_STEPS):
        value, slope = f(t)
        low, high = np.where(value <= 0, t, low), np.where(value >= 0, t, high)
        bracketed, last, step = np.isfinite(high - low), step, -value / slope
        good = (t + step >= low) & (t + step <= high) & (np.abs(step) <= 0.5 * np.abs(last))
        middle = np.where(bracketed, low, 0.0) / 2 + np.where(bracketed, high, 0.0) / 2
        step = np.where(bracketed & ~good, middle - t, step)
        t = t + step
        if (np.abs(step) <= CLOSE * np.maximum(1.0, np.abs(t))).all():
            return t
    raise RuntimeError(f"Newton's method found no root in {MOST_STEPS} steps; it was at {t}")
