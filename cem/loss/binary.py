"""The loss of predictions of two classes: one probability, or one logit, for class 1."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cem.loss.checks import along, clipping, numbers, refuse_probabilities, smoothing, weights
from cem.loss.lazy import LARGE, kernels, special
from cem.loss.reductions import reduced
from cem.loss.targets import BLOCK
from cem.scores import real_number
from cem.typing import Array, Vector


def binary_cross_entropy(
    y: ArrayLike,
    p: ArrayLike,
    *,
    from_logits: bool = False,
    sample_weight: ArrayLike | None = None,
    pos_weight: float = 1.0,
    label_smoothing: float = 0.0,
    clip: float | None = None,
    reduction: str = "mean",
) -> Any:
    """``-y ln p - (1 - y) ln(1 - p)``, elementwise, and its mean; ``p`` is that of class 1.

    Parameters
    ----------
    y : array_like, shape (...)
        Targets in [0, 1], hard or soft: the probability of class 1. Leading axes may be missing.
    p : array_like, shape (...)
        Predicted probabilities of class 1, or logits.
    from_logits : bool
        ``p`` holds logits ``z``, and probabilities are ``sigmoid(z)``.
    sample_weight : array_like, shape (...), optional
        What each element counts; the mean is ``sum(w loss) / sum(w)``.
    pos_weight : float
        Factor of the term of class 1.
    label_smoothing : float
        ``e`` in ``y (1 - e) + e / 2``, in [0, 1).
    clip : float, optional
        Replace probabilities below it by it, and above ``1 - clip`` by that: what other libraries
        do unasked. Here a certain mistake costs ``inf``.
    reduction : {"mean", "sum", "none"}
        Mean and sum are float64; single losses keep the float type of ``p``.

    Raises
    ------
    ValueError, TypeError
        If an argument is not what is said above; the message names the index.

    Examples
    --------
    >>> y = [1, 1, 1, 1, 1, 0, 0, 0, 0, 0]
    >>> p = [0.8, 0.9, 0.9, 0.6, 0.8, 0.1, 0.4, 0.2, 0.1, 0.3]
    >>> round(binary_cross_entropy(y, p), 3)
    np.float64(0.247)
    """
    target, predicted = binary_pair(y, p)
    w = weights(sample_weight, predicted.shape, "sample_weight")
    positive_weight(pos_weight)
    smoothing(label_smoothing)
    clipping(clip)
    if from_logits and clip is not None:
        raise ValueError("clip is for probabilities: a loss of logits needs no clipping")

    def loss(rows: slice) -> Vector:
        one, x = flat_target[rows], flat[rows]
        if from_logits and pos_weight == 1 and label_smoothing == 0 and flat.size >= LARGE:
            return _compiled(one, x, rows.start)
        one = smoothed(one, label_smoothing, rows.start)
        if from_logits:
            return of_logits(pos_weight * one, 1 - one, x, rows.start)
        return _of_probabilities(pos_weight * one, 1 - one, x, clip, rows.start)

    def blocks() -> Iterator[tuple[slice, Vector, Vector | None]]:
        for rows in binary_blocks(flat.size):
            count = None if flat_w is None else flat_w[rows]
            part = loss(rows)
            if count is not None:
                part = np.multiply(part, count, where=count > 0, out=np.zeros(len(part)))
            yield rows, part, count

    flat, flat_target = predicted.reshape(-1), target.reshape(-1)
    flat_w = None if w is None else w.reshape(-1)
    return reduced(blocks(), predicted.shape, predicted.dtype, reduction)


def binary_pair(y: ArrayLike, p: ArrayLike) -> tuple[Any, Array]:
    """Targets, not yet looked at, for every prediction, and the predictions."""
    predicted, target = numbers(p, "p"), np.asarray(y)
    if target.dtype.kind not in "fiub":
        raise TypeError(
            f"y must hold numbers in [0, 1]; got dtype {target.dtype}: names go to log_loss"
        )
    return along(target, predicted.shape, "y", "the predictions"), predicted


def positive_weight(value: float) -> None:
    """Raise unless it is one positive number."""
    if not 0 < real_number("pos_weight", value) < math.inf:
        raise ValueError(f"pos_weight must be positive and finite; got {value!r}")


def binary_blocks(n: int) -> list[slice]:
    """Where the blocks are."""
    return [slice(start, min(start + BLOCK, n)) for start in range(0, n, BLOCK)]


def smoothed(y: Any, label_smoothing: float, first: int) -> Vector:
    """``y (1 - e) + e / 2`` in float64, checked."""
    one = y.astype(np.float64, copy=False)
    if not (np.minimum.reduce(one) >= 0 and np.maximum.reduce(one) <= 1):
        refuse_probabilities(one, "y", first)
    return one * (1 - label_smoothing) + label_smoothing / 2 if label_smoothing else one


def of_logits(c1: Vector, c0: Vector, z: Any, first: int) -> Vector:
    """``c1 ln(1 + e^-z) + c0 ln(1 + e^z)``: every term is positive, so nothing cancels."""
    size = np.abs(z, dtype=np.float64)
    wrong = np.where(z > 0, c0, c1)
    linear = np.multiply(wrong, size, where=wrong > 0, out=np.zeros(len(size)))
    loss = linear + (c1 + c0) * np.log1p(np.exp(-size))
    if np.isnan(loss.sum()):
        refuse_nan(z, first)
    return loss


def refuse_nan(z: Any, first: int) -> None:
    """Raise for the first NaN."""
    for i in np.flatnonzero(np.isnan(z))[:1].tolist():
        raise ValueError(f"logits must not be NaN; got NaN at index {first + i}")


def _of_probabilities(c1: Vector, c0: Vector, p: Any, clip: float | None, first: int) -> Vector:
    if not (np.minimum.reduce(p) >= 0 and np.maximum.reduce(p) <= 1):
        refuse_probabilities(p, "p", first)
    p = p.astype(np.float64, copy=False)
    if clip is not None:
        p = np.clip(p, clip, 1 - clip)
    return np.asarray(0.0 - special().xlogy(c1, p) - special().xlog1py(c0, -p))


def _compiled(y: Any, z: Any, first: int) -> Vector:
    loss = np.empty(len(z))
    y = y if y.dtype.char in "df" and y.dtype.isnative else y.astype(np.float64)
    if not kernels().binary_surprises(y, z, loss):
        refuse_probabilities(y, "y", first)
    if not math.isfinite(loss.sum()):
        one = smoothed(y, 0.0, first)
        return of_logits(one, 1 - one, z, first)
    return loss
