"""The loss of predictions of two classes: one probability, or one logit, for class 1."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cem.loss.checks import (
    Place,
    along,
    checked_clip,
    checked_pos_weight,
    checked_smoothing,
    checked_weights,
    numbers,
    refuse_probabilities,
)
from cem.loss.lazy import LARGE, kernels, special
from cem.loss.reductions import blocks_of, reduced, weighted
from cem.typing import Array, Vector

TARGETS = "a target is the probability of class 1, and names go to log_loss"


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
    weight = checked_weights(sample_weight, predicted.shape, "sample_weight")
    if from_logits and checked_clip(clip) is not None:
        raise ValueError("clip is for probabilities: a loss of logits needs no clipping")
    of_rows = partial(
        _of_logits if from_logits else partial(_of_probabilities, clip=checked_clip(clip)),
        pos_weight=checked_pos_weight(pos_weight),
        label_smoothing=checked_smoothing(label_smoothing),
    )
    blocks = _blocks(of_rows, target, predicted, weight)
    return reduced(blocks, predicted.shape, predicted.dtype, reduction)


def _blocks(
    of_rows: Callable[..., Vector], y: Any, p: Array, weight: Array | None
) -> Iterator[tuple[slice, Vector, Vector | None]]:
    w = None if weight is None else weight.reshape(-1)
    flat_y, flat = y.reshape(-1), p.reshape(-1)
    for rows in blocks_of(p.size):
        one, x = flat_y[rows], flat[rows]
        if w is not None and not w[rows].all():  # what counts for nothing may hold anything
            one, x = np.where(w[rows] > 0, one, 0), np.where(w[rows] > 0, x, x.dtype.type(0.5))
        loss = of_rows(one, x, Place(p.shape, rows.start), large=p.size >= LARGE)
        yield (rows, loss, None) if w is None else (rows, weighted(loss, w[rows]), w[rows])


def binary_pair(y: ArrayLike, p: ArrayLike) -> tuple[Any, Array]:
    """Targets, not yet looked at, for every prediction, and the predictions."""
    predicted, target = numbers(p, "p"), np.asarray(y)
    if target.dtype.kind not in "fiub":
        raise TypeError(
            f"y must hold numbers in [0, 1]; got dtype {target.dtype}: names go to log_loss"
        )
    return along(target, predicted.shape, "y", "the predictions"), predicted


def smoothed(y: Any, label_smoothing: float, place: Place) -> Vector:
    """``y (1 - e) + e / 2`` in float64, checked."""
    one = y.astype(np.float64, copy=False)
    if not (np.minimum.reduce(one) >= 0 and np.maximum.reduce(one) <= 1):
        refuse_probabilities(one, "y", place, remedy=TARGETS)
    return one * (1 - label_smoothing) + label_smoothing / 2 if label_smoothing else one


def refuse_nan(z: Any, place: Place) -> None:
    """Raise for the first NaN."""
    for i in np.flatnonzero(np.isnan(z))[:1].tolist():
        where = place.words(i, "at index")
        raise ValueError(f"logits must not be NaN; got NaN{where}")


def _of_logits(
    y: Any, z: Any, place: Place, *, large: bool, pos_weight: float, label_smoothing: float
) -> Vector:
    """``c1 ln(1 + e^-z) + c0 ln(1 + e^z)``: every term is positive, so nothing cancels."""
    if large and pos_weight == 1 and label_smoothing == 0:
        loss = _compiled(y, z, place)
        if math.isfinite(loss.sum()):
            return loss
    one = smoothed(y, label_smoothing, place)
    c1, c0 = pos_weight * one, 1 - one
    size = np.abs(z, dtype=np.float64)
    linear = weighted(size, np.where(z > 0, c0, c1))
    loss = linear + (c1 + c0) * np.log1p(np.exp(-size))
    if np.isnan(loss.sum()):
        refuse_nan(z, place)
    return loss


def _compiled(y: Any, z: Any, place: Place) -> Vector:
    loss = np.empty(len(z))
    y = y if y.dtype.char in "df" and y.dtype.isnative else y.astype(np.float64)
    if not kernels().binary_surprises(y, z, loss):
        refuse_probabilities(y, "y", place, remedy=TARGETS)
    return loss


def _of_probabilities(
    y: Any,
    p: Any,
    place: Place,
    *,
    large: bool,  # noqa: ARG001 - as of logits
    pos_weight: float,
    label_smoothing: float,
    clip: float | None,
) -> Vector:
    one = smoothed(y, label_smoothing, place)
    if not (np.minimum.reduce(p) >= 0 and np.maximum.reduce(p) <= 1):
        refuse_probabilities(p, "p", place)
    p = p.astype(np.float64, copy=False)
    if clip is not None:
        p = np.clip(p, clip, 1 - clip)
    hit = special().xlogy(pos_weight * one, p)
    return np.asarray(0.0 - hit - special().xlog1py(1 - one, -p))
