"""Losses of real-valued predictions: the normal density's, and the squared error it comes from."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cem.loss.checks import along, checked_weights, finite, numbers
from cem.loss.reductions import reduced, weighted

HALF_LN_2PI = 0.5 * math.log(2 * math.pi)


def gaussian_nll(
    y: ArrayLike,
    mean: ArrayLike,
    std: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    reduction: str = "mean",
) -> Any:
    """``(y - mean)^2 / (2 std^2) + ln std + ln(2 pi) / 2``: minus the log of a normal density.

    ``y`` and ``mean`` have one shape; ``std`` is positive, of that shape or less leading axes. At
    one fixed ``std`` the mean is ``mean_squared_error / (2 std^2) + ln(std sqrt(2 pi))``, so both
    have the same minimiser. May be negative, for it is that of a density. Raises ValueError
    for what is not finite, and for a ``std`` that is not positive.

    >>> round(gaussian_nll([0.0], [0.0], 1.0), 6)
    np.float64(0.918939)
    """
    a, b = _pair(y, mean)
    scale = along(finite(std, "std"), a.shape, "std", "y")
    if not (scale > 0).all():
        raise ValueError(f"std must be positive; got {scale.min():g}")
    with np.errstate(over="ignore"):
        loss = 0.5 * ((a - b) / scale) ** 2 + np.log(scale) + HALF_LN_2PI
    return _reduced(loss, mean, sample_weight, reduction)


def mean_squared_error(
    y: ArrayLike,
    mean: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    reduction: str = "mean",
) -> Any:
    """``(y - mean)^2`` and its mean; of labels and probabilities it is the Brier score.

    Arguments and errors are those of `gaussian_nll`.

    >>> mean_squared_error([1.0, 0.0], [0.5, 0.0])
    np.float64(0.125)
    """
    a, b = _pair(y, mean)
    with np.errstate(over="ignore"):
        loss = (a - b) ** 2
    return _reduced(loss, mean, sample_weight, reduction)


def _pair(y: ArrayLike, mean: ArrayLike) -> tuple[Any, Any]:
    predicted = finite(mean, "mean")
    return along(finite(y, "y"), predicted.shape, "y", "the predictions"), predicted


def _reduced(loss: Any, mean: ArrayLike, sample_weight: ArrayLike | None, reduction: str) -> Any:
    weight = checked_weights(sample_weight, loss.shape, "sample_weight")
    flat, w = loss.reshape(-1), None if weight is None else weight.reshape(-1)
    part = flat if w is None else weighted(flat, w)
    dtype = numbers(mean, "mean").dtype
    return reduced([(slice(0, flat.size), part, w)], loss.shape, dtype, reduction)
