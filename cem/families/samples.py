"""Samples: checked before a fit, kept within the doubles after a draw."""

from __future__ import annotations

from typing import Any

import numpy as np

from cem.typing import Array, Batch, Vector


def elite(
    family: Any, x: Batch, weights: Vector, low: float = -np.inf, high: float = np.inf
) -> tuple[Array, Vector]:
    """The samples of positive weight, and their weights, summing to one.

    Raises ValueError if one does not lie strictly between ``low`` and ``high``.

    >>> elite("anything", [[2.0], [-3.0]], np.array([5.0, 0.0]), low=0.0)
    (array([[2.]]), array([1.]))
    """
    x, weights = np.asarray(x, dtype=float)[weights > 0], weights[weights > 0]
    bad = ~((x > low) & (x < high))  # true for NaN
    if bad.any():
        i, j = np.argwhere(bad)[0]
        raise ValueError(
            f"{type(family).__name__}.fit needs samples strictly between {low:g} and {high:g}; "
            f"got {x[i, j]:g} in coordinate {j}"
        )
    return x, weights / weights.sum()


def distinct(family: Any, x: Array) -> Array:
    """The samples, or ValueError if a coordinate is the same in all: no likelihood is largest.

    >>> distinct("anything", np.array([[2.0], [3.0]]))
    array([[2.], [3.]])
    """
    same = np.ptp(x, axis=0) == 0
    if same.any():
        j = int(same.argmax())
        raise ValueError(
            f"{type(family).__name__}.fit needs samples that differ in every coordinate; all "
            f"{len(x)} have {x[0, j]:g} in coordinate {j}, and the narrower the density, the "
            "likelier they are: raise n_samples or rho, or lower alpha"
        )
    return x


def in_range(x: Array) -> Array:
    """Positive numbers; what is too small or too large for a normal double is moved to the next.

    >>> in_range(np.array([0.0, 1.0, np.inf]))
    array([2.22507386e-308, 1.00000000e+000, 1.79769313e+308])
    """
    limits = np.finfo(float)
    return x.clip(limits.tiny, limits.max)
