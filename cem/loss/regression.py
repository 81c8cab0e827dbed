"""Losses of real-valued predictions: the normal density's, and the squared error it comes from."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cem.loss.checks import along, checked_weights, finite
from cem.loss.reductions import blocks_of, reduced, weighted
from cem.typing import Vector

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
    scale = finite(std, "std")
    if not scale.min() > 0:
        raise ValueError(f"std must be positive; got {scale.min():g}")
    scale = along(scale, a.shape, "std", "y")

    def loss(x: Vector, m: Vector, s: Vector) -> Vector:
        return 0.5 * ((x - m) / s) ** 2 + np.log(s) + HALF_LN_2PI

    return _reduced(loss, (a, b, scale), sample_weight, reduction)


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
    return _reduced(lambda x, m: (x - m) ** 2, _pair(y, mean), sample_weight, reduction)


def _pair(y: ArrayLike, mean: ArrayLike) -> tuple[Any, Any]:
    a, b = finite(y, "y"), finite(mean, "mean")
    if b.ndim == 0:  # one mean for all
        return a, np.broadcast_to(b, a.shape)
    return along(a, b.shape, "y", "the predictions"), b


def _reduced(
    loss: Callable[..., Vector],
    arrays: tuple[Any, ...],
    sample_weight: ArrayLike | None,
    reduction: str,
) -> Any:
    shape = arrays[0].shape
    weight = checked_weights(sample_weight, shape, "sample_weight")
    flat = [a.reshape(-1) for a in arrays]
    w = None if weight is None else weight.reshape(-1)

    def blocks() -> Iterator[tuple[slice, Vector, Vector | None]]:
        for rows in blocks_of(len(flat[0])):
            with np.errstate(over="ignore"):
                part = loss(*(a[rows].astype(np.float64, copy=False) for a in flat))
            yield (rows, part, None) if w is None else (rows, weighted(part, w[rows]), w[rows])

    return reduced(blocks(), shape, arrays[1].dtype, reduction)
