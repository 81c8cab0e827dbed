"""Batches and samples: checked before they are used, kept within the doubles after a draw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cem.typing import Array, Batch, Vector

CLOSE = 1e-12  # of the mean: a deviation as small may be rounding
EPS = np.finfo(float).eps
SQUARABLE = 1e150  # the square of what is larger, or of the inverse, may be no double


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


def centred(x: Array, w: Vector) -> tuple[Array, Array]:
    """The weighted mean, and the samples less that; equal ones are zero, whatever rounding does.

    >>> x, w = np.full((20, 1), 7.0), np.full(20, 1 / 20)
    >>> (w @ x).item() == 7.0, centred(x, w)[1].any().item()
    (False, False)
    """
    mean = (w @ x).clip(x.min(axis=0), x.max(axis=0))
    return mean, x - mean


def deviation(z: Array, w: Vector) -> Array:
    """``sqrt(sum_i w_i z_i^2)`` for every column, also where the squares are no doubles.

    >>> deviation(np.array([[3e-200, 3e200], [4e-200, 4e200]]), np.array([1.0, 1.0]))
    array([5.e-200, 5.e+200])
    """
    size = np.maximum(z.max(axis=0), -z.min(axis=0))
    odd = (size > SQUARABLE) | (size < 1 / SQUARABLE) & (size > 0)
    unit = np.where(odd, size, 1.0)
    z = z / unit if odd.any() else z
    return np.asarray(unit * np.sqrt(w @ (z * z)))


def mean_and_deviation(x: Array, w: Vector) -> tuple[Array, Array]:
    """`centred` and `deviation`, at a quarter of the cost where neither has anything to do.

    >>> mean_and_deviation(np.array([[1.0, 7.0], [5.0, 7.0]]), np.array([0.5, 0.5]))
    (array([3., 7.]), array([2., 0.]))
    """
    mean = w @ x
    with np.errstate(over="ignore"):
        z = x - mean
        z *= z
        std = np.sqrt(w @ z)
    if ((std > CLOSE * np.abs(mean)) & (std > 1 / SQUARABLE) & (std < SQUARABLE)).all():
        return mean, std
    mean, z = centred(x, w)
    return mean, deviation(z, w)


def difference(square: Array, of_mean: Array) -> Array:
    """A mean square less the square of the mean; zero where no more than rounding is left.

    >>> difference(np.array([2.0, 1.0 + 2e-16]), np.array([1.0, 1.0]))
    array([1., 0.])
    """
    left = square - of_mean
    return np.where(left > 8 * EPS * square, left, 0.0)


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
