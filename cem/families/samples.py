"""Batches and samples: checked before they are used, kept within the doubles after a draw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cem.typing import Array, Batch, Vector


def rows(family: Any, x: Batch, dtype: Any = None) -> Array:
    """The batch as an array ``(n, d)``: a row per sample, a column per coordinate of the family.

    Raises ValueError for a batch of another shape, which would broadcast to a wrong density.

    >>> from cem.families import Normal
    >>> rows(Normal([0.0, 0.0], [1.0, 1.0]), [[1.0, 2.0]])
    array([[1., 2.]])
    """
    x = np.asarray(x, dtype)
    if x.ndim != 2 or x.shape[1] != family.n_coordinates:
        raise ValueError(
            f"{type(family).__name__} needs a batch of shape (n, {family.n_coordinates}), a row "
            f"per sample and a column per coordinate; got shape {x.shape}. A single point x is "
            "the batch [x]"
        )
    return x


def checked_sample(
    family: Any, x: Batch, weights: Vector, constraint: Callable[[Array], Array]
) -> tuple[Array, Vector]:
    """The rows of positive weight, as floats, and their weights, summing to one.

    Raises ValueError for a batch of another width, for samples that violate the ``constraint`` of
    the family's support, and if no weight is positive.

    >>> from cem.families import Gamma
    >>> from cem.families.parametric import positive
    >>> x, weights = np.array([[2.0], [-3.0]]), np.array([5.0, 0.0])
    >>> checked_sample(Gamma([1.0], [1.0]), x, weights, positive)
    (array([[2.]]), array([1.]))
    """
    x, counts = rows(family, x), weights > 0
    if np.count_nonzero(counts) < counts.size:
        x, weights = x[counts], weights[counts]
    if len(x) == 0:
        raise ValueError(
            f"{type(family).__name__}.fit needs a sample of positive weight; got none of "
            f"{counts.size}"
        )
    try:
        x = constraint(x)
    except ValueError as error:
        kind = type(family).__name__
        raise ValueError(f"{kind}.fit: samples of positive weight {error}") from None
    return np.asarray(x, dtype=float), weights / weights.sum()


def distinct(family: Any, x: Array) -> Array:
    """The samples, or ValueError if a coordinate is the same in all: no likelihood is largest.

    >>> distinct("anything", np.array([[2.0], [3.0]]))
    array([[2.], [3.]])
    """
    same = x.min(axis=0) == x.max(axis=0)
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
