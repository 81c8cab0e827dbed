"""Losses of predictions against labels of several classes: categorical, sparse, and log loss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cem.loss.activations import label_surprises, log_softmax_of_rows
from cem.loss.binary import binary_cross_entropy
from cem.loss.checks import check_rows, checked_clip
from cem.loss.lazy import LARGE, MOST_CLASSES, kernels
from cem.loss.reductions import reduced, weighted
from cem.loss.targets import Targets, classes_last, from_the_end
from cem.typing import Array, Vector

NOT_ONE = "divide by the sum, or pass logits with from_logits=True"


def categorical_cross_entropy(
    y: ArrayLike,
    p: ArrayLike,
    *,
    axis: int = -1,
    from_logits: bool = False,
    class_weight: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    label_smoothing: float = 0.0,
    mask: ArrayLike | None = None,
    clip: float | None = None,
    reduction: str = "mean",
) -> Any:
    """``-sum_c w_c y_c ln p_c``, for one-hot or soft targets ``y``, and its mean over the examples.

    Parameters
    ----------
    y : array_like, shape (..., C)
        Target probabilities, which sum to one along ``axis``; leading axes may be missing.
    p : array_like, shape (..., C)
        Predicted probabilities, which sum to one too, or logits.
    axis : int
        The axis of the classes.
    from_logits : bool
        ``p`` holds logits ``z``, and probabilities are ``softmax(z)``. Logits passed without
        saying so do not sum to one and are refused.
    class_weight : array_like, shape (C,), optional
        ``w_c``.
    sample_weight : array_like, shape (...), optional
        What each example counts; the mean is ``sum(loss) / sum(weight)``, where the weight of an
        example is ``sample_weight * sum_c w_c y_c``. An example of weight zero may hold anything.
    label_smoothing : float
        ``e`` in ``y (1 - e) + e / C``, in [0, 1).
    mask : array_like of bool, shape (C,) or (..., C), optional
        Which classes exist, for logits; the others leave the softmax and the smoothing.
    clip : float, optional
        Replace probabilities below it by it, and above ``1 - clip`` by that: what other libraries
        do unasked. Here a target on a class of probability zero costs ``inf``.
    reduction : {"mean", "sum", "none"}
        Mean and sum are float64; single losses keep the float type of ``p``.

    Raises
    ------
    ValueError, TypeError
        If an argument is not what is said above; the message names the row or the index.

    Examples
    --------
    >>> round(categorical_cross_entropy([0, 1, 0], [0.4, 0.4, 0.2]), 4)
    np.float64(0.9163)
    """
    predicted = classes_last(p, axis, "p")
    targets = Targets.of_shares(
        classes_last(y, from_the_end(axis, p), "y"),
        predicted.shape,
        class_weight=class_weight,
        sample_weight=sample_weight,
        label_smoothing=label_smoothing,
        mask=mask,
    )
    return _loss(targets, predicted, from_logits, clip, reduction)


def sparse_categorical_cross_entropy(
    labels: ArrayLike,
    p: ArrayLike,
    *,
    axis: int = -1,
    from_logits: bool = False,
    class_weight: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
    mask: ArrayLike | None = None,
    clip: float | None = None,
    reduction: str = "mean",
) -> Any:
    """``-w_k ln p_k`` for the label ``k``: `categorical_cross_entropy` of its one-hot row.

    ``labels`` are whole numbers ``0 .. C - 1``, shape ``(...)``: that of ``p`` without ``axis``, or
    less some leading axes. Examples labelled ``ignore_index`` do not count. The other arguments and
    the errors are those of `categorical_cross_entropy`; a label out of range is an IndexError.

    >>> round(sparse_categorical_cross_entropy([2, 0], [[0.1, 0.2, 0.7], [0.5, 0.3, 0.2]]), 4)
    np.float64(0.5249)
    """
    predicted = classes_last(p, axis, "p")
    targets = Targets.of_labels(
        labels,
        predicted.shape,
        class_weight=class_weight,
        sample_weight=sample_weight,
        label_smoothing=label_smoothing,
        ignore_index=ignore_index,
        mask=mask,
    )
    return _loss(targets, predicted, from_logits, clip, reduction)


def log_loss(
    y: ArrayLike,
    p: ArrayLike,
    *,
    labels: Sequence[Any] | None = None,
    sample_weight: ArrayLike | None = None,
    from_logits: bool = False,
    clip: float | None = None,
    reduction: str = "mean",
) -> Any:
    """The mean of ``-ln`` of the probability given to what was observed; ``y`` holds any labels.

    ``labels`` names the columns of ``p``, in their order as given; by default the sorted values of
    ``y``. A ``p`` of shape ``(n,)`` is the probability of the second of two labels. Other arguments
    and errors are those of `sparse_categorical_cross_entropy`.

    >>> y, p = ["spam", "ham"], [[0.9, 0.1], [0.2, 0.8]]
    >>> round(log_loss(y, p, labels=["spam", "ham"]), 4)
    np.float64(0.1643)
    """
    observed = np.asarray(y)
    if observed.ndim != 1 or observed.size == 0:
        raise ValueError(f"y must be one label per example, shape (n,); got {observed.shape}")
    try:
        values, which = np.unique(observed, return_inverse=True)
    except TypeError as error:
        raise TypeError("the labels in y must be of one kind, numbers or words") from error
    names = values.tolist() if labels is None else list(labels)
    predicted = classes_last(p, -1, "p")
    n_columns = 2 if predicted.ndim == 1 else predicted.shape[-1]
    if len(names) != n_columns or len(set(names)) != len(names):
        raise ValueError(
            f"p has columns for {n_columns} labels, and there are {len(set(names))} different "
            f"ones: {names}; pass labels= with one name per column, in the order of the columns"
        )
    column = {name: i for i, name in enumerate(names)}
    unknown = [value for value in values.tolist() if value not in column]
    if unknown:
        raise ValueError(f"y holds {unknown[0]!r}, which is not one of the labels {names}")
    k = np.array([column[value] for value in values.tolist()])[which]
    options: dict[str, Any] = {"sample_weight": sample_weight, "from_logits": from_logits}
    options |= {"clip": clip, "reduction": reduction}
    if predicted.ndim == 1:
        return binary_cross_entropy(k, predicted, **options)
    return sparse_categorical_cross_entropy(k, predicted, **options)


def _loss(targets: Targets, p: Array, from_logits: bool, clip: float | None, reduction: str) -> Any:
    if from_logits and clip is not None:
        raise ValueError("clip is for probabilities: a loss of logits needs no clipping")
    if targets.mask is not None and not from_logits:
        raise ValueError("mask is for logits: give excluded classes the probability 0 instead")
    matrix = p.reshape(-1, p.shape[-1])
    surprises = _of_logits if from_logits else partial(_of_probabilities, clip=checked_clip(clip))
    blocks = (
        (rows, *targets.weighted(rows, surprises(targets, matrix, rows))) for rows in targets.rows()
    )
    return reduced(blocks, p.shape[:-1], p.dtype, reduction)


def _of_logits(targets: Targets, z: Array, rows: slice) -> Vector:
    block, place = targets.masked(z, rows), targets.place(rows)
    if not targets.hard:
        return _soft(targets, log_softmax_of_rows(block, place), rows)
    labels = targets.labels(rows)
    if z.size >= LARGE and z.shape[1] <= MOST_CLASSES:
        loss = np.empty(len(labels))
        kernels().label_surprises(np.ascontiguousarray(block), labels, loss)
        if math.isfinite(loss.sum()):
            return loss
    return label_surprises(block, labels, place)


def _of_probabilities(targets: Targets, p: Array, rows: slice, clip: float | None) -> Vector:
    block = targets.in_use(p[rows], rows, 1 / targets.n_classes)
    check_rows(block, "p", place=targets.place(rows), remedy=NOT_ONE)
    if clip is not None:
        block = np.clip(block, clip, 1 - clip)
    if targets.hard:
        block = block[np.arange(len(block)), targets.labels(rows)]
    with np.errstate(divide="ignore"):
        log_p = np.log(block, dtype=np.float64)
    return 0.0 - log_p if targets.hard else _soft(targets, log_p, rows)


def _soft(targets: Targets, log_p: Array, rows: slice) -> Vector:
    y = targets.smoothed(rows)
    return np.asarray(0.0 - weighted(log_p, y).sum(axis=1))  # 0 ln 0 = 0
