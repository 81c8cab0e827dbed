"""From logits to probabilities: softmax, its logarithm, and the sigmoid, without loss of digits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cem.loss.checks import Place, not_nan, numbers
from cem.loss.lazy import BLOCK, special
from cem.typing import Array

FEW = 64  # classes that are summed one by one, for all rows at once; more are summed pairwise


def softmax(z: ArrayLike, *, axis: int = -1) -> Any:
    """``e^z_c / sum_k e^z_k`` along ``axis``, in the shape and the float type of ``z``.

    A logit of ``-inf`` has probability zero; one of ``+inf`` takes all. Raises ValueError where
    ``z`` is NaN, or a row is ``-inf`` throughout or ``+inf`` twice.

    >>> softmax([0.0, np.log(3)]).round(12)
    array([0.25, 0.75])
    """
    return _along(softmax_of_rows, z, axis)


def log_softmax(z: ArrayLike, *, axis: int = -1) -> Any:
    """``z_c - ln sum_k e^z_k`` along ``axis``, exact where the probability is nearly one too.

    Arguments and errors are those of `softmax`.

    >>> float(log_softmax([40.0, 0.0, 0.0])[0])
    -8.496708510583178e-18
    """
    return _along(log_softmax_of_rows, z, axis)


def sigmoid(z: ArrayLike) -> Any:
    """``1 / (1 + e^-z)``, elementwise: the probability of class 1 of two. NaN is refused.

    >>> sigmoid([0.0, np.log(3), -np.inf])
    array([0.5 , 0.75, 0.  ])
    """
    return special().expit(not_nan(z, "z"))


def log_softmax_of_rows(z: Array, place: Place) -> Array:
    """`log_softmax` of a matrix along its rows, in float64."""
    below, rest = _shifted(z, place)
    return np.asarray(below - np.log1p(rest)).T


def softmax_of_rows(z: Array, place: Place) -> Array:
    """`softmax` of a matrix along its rows, in float64."""
    below, rest = _shifted(z, place)
    return np.asarray(np.exp(below) / (1 + rest)).T


def label_surprises(z: Array, labels: Any, place: Place) -> Array:
    """``-log_softmax(z)[i, labels[i]]`` for the rows of a matrix, in float64."""
    below, rest = _shifted(z, place)
    return np.asarray(np.log1p(rest) - below[labels, np.arange(len(z))])


def _shifted(z: Array, place: Place) -> tuple[Array, Array]:
    """``z`` less the largest of its row, by class, and the sum of the other exponentials.

    What the others add to the 1 of the largest is kept apart, where it is not lost.
    """
    by_class = np.array(z.T, dtype=np.float64, order="C" if z.shape[1] <= FEW else "K")
    top = by_class.max(axis=0)
    if not np.isfinite(top).all():
        by_class = _limit(by_class, top, place)
        top = by_class.max(axis=0)
    with np.errstate(over="ignore"):
        below = by_class - top
    lower = below < 0
    others = np.exp(below) * lower
    return below, others.sum(axis=0) + (len(below) - 1 - np.count_nonzero(lower, axis=0))


def _limit(z: Array, top: Array, place: Place) -> Array:
    """Columns with one logit of ``+inf`` in their limit; all others as they are, or an error."""
    for row, k in np.argwhere(np.isnan(z.T))[:1].tolist():
        raise ValueError(f"logits must not be NaN; got NaN{place.words(row)}, class {k}")
    for row in np.flatnonzero(top == -np.inf)[:1].tolist():
        raise ValueError(f"logits must not all be -inf; they are{place.words(row)}")
    certain = z == np.inf
    for row in np.flatnonzero(certain.sum(axis=0) > 1)[:1].tolist():
        raise ValueError(f"at most one logit may be +inf; got more{place.words(row)}")
    return np.where(certain.any(axis=0), np.where(certain, 0.0, -np.inf), z)


def _along(of_rows: Any, z: ArrayLike, axis: int) -> Any:
    array = numbers(z, "logits")
    if array.ndim == 0:
        raise ValueError(f"logits must have an axis that runs over the classes; got {array!r}")
    last = np.moveaxis(array, axis, -1)
    matrix = last.reshape(-1, last.shape[-1])
    out = np.empty(matrix.shape, dtype=array.dtype)
    step = max(1, BLOCK // matrix.shape[1])
    for start in range(0, len(matrix), step):
        out[start : start + step] = of_rows(
            matrix[start : start + step], Place(last.shape[:-1], start)
        )
    return np.moveaxis(out.reshape(last.shape), -1, axis)
