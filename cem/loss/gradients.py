"""Gradients of the losses of labels with respect to the logits: softmax(z) - y, weighted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cem.loss.activations import sigmoid, softmax_of_rows
from cem.loss.binary import binary_pair, refuse_nan, smoothed
from cem.loss.checks import (
    Place,
    checked_pos_weight,
    checked_reduction,
    checked_smoothing,
    checked_weights,
)
from cem.loss.reductions import blocks_of, total_weight
from cem.loss.targets import Targets, classes_last, from_the_end
from cem.typing import Array


def binary_cross_entropy_grad(
    y: ArrayLike,
    z: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    pos_weight: float = 1.0,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
) -> Any:
    """``d binary_cross_entropy(y, z, from_logits=True, ...) / dz``, shape of ``z``.

    One element is ``sigmoid(z) - y``, times its weight and divided by their sum for a mean; with
    ``reduction="none"`` each is the derivative of its own loss. Arguments and errors are those of
    `binary_cross_entropy`.

    >>> binary_cross_entropy_grad([1, 0], [0.0, 0.0])
    array([-0.25,  0.25])
    """
    target, logits = binary_pair(y, z)
    weight = checked_weights(sample_weight, logits.shape, "sample_weight")
    checked_smoothing(label_smoothing)
    checked_pos_weight(pos_weight)
    checked_reduction(reduction)
    flat, flat_y = logits.reshape(-1), target.reshape(-1)
    w = np.ones(1) if weight is None else weight.reshape(-1)
    if reduction != "none":
        total = total_weight([flat.size if weight is None else float(w.sum())])
        w = w / (total if reduction == "mean" else 1.0)
    out = np.empty(flat.shape, dtype=logits.dtype)
    for rows in blocks_of(flat.size):
        place = Place(logits.shape, rows.start)
        one, x = flat_y[rows], flat[rows].astype(np.float64)
        if weight is not None:
            one, x = np.where(w[rows] > 0, one, 0), np.where(w[rows] > 0, x, 0.0)
        one = smoothed(one, label_smoothing, place)
        refuse_nan(x, place)
        slope = (1 - one) * sigmoid(x) - pos_weight * one * sigmoid(-x)
        with np.errstate(over="ignore"):  # of a slope beyond float32, which is inf there
            out[rows] = slope * (w if weight is None else w[rows])
    return out.reshape(logits.shape)


def categorical_cross_entropy_grad(
    y: ArrayLike,
    z: ArrayLike,
    *,
    axis: int = -1,
    class_weight: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    label_smoothing: float = 0.0,
    mask: ArrayLike | None = None,
    reduction: str = "mean",
) -> Any:
    """``d categorical_cross_entropy(y, z, from_logits=True, ...) / dz``, shape of ``z``.

    One row is ``softmax(z) - y``. Arguments and errors are those of `categorical_cross_entropy`.

    >>> categorical_cross_entropy_grad([0, 1], [0.0, 0.0])
    array([ 0.5, -0.5])
    """
    logits = classes_last(z, axis, "z")
    targets = Targets.of_shares(
        classes_last(y, from_the_end(axis, z), "y"),
        logits.shape,
        class_weight=class_weight,
        sample_weight=sample_weight,
        label_smoothing=label_smoothing,
        mask=mask,
    )
    return np.moveaxis(_grad(targets, logits, reduction), -1, axis)


def sparse_categorical_cross_entropy_grad(
    labels: ArrayLike,
    z: ArrayLike,
    *,
    axis: int = -1,
    class_weight: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
    mask: ArrayLike | None = None,
    reduction: str = "mean",
) -> Any:
    """``d sparse_categorical_cross_entropy(labels, z, from_logits=True, ...) / dz``.

    One row is ``softmax(z)`` with one less at the label. Arguments and errors are those of
    `sparse_categorical_cross_entropy`; an ignored row has gradient zero.

    >>> sparse_categorical_cross_entropy_grad([1], [[0.0, 0.0]])
    array([[ 0.5, -0.5]])
    """
    logits = classes_last(z, axis, "z")
    targets = Targets.of_labels(
        labels,
        logits.shape,
        class_weight=class_weight,
        sample_weight=sample_weight,
        label_smoothing=label_smoothing,
        ignore_index=ignore_index,
        mask=mask,
    )
    return np.moveaxis(_grad(targets, logits, reduction), -1, axis)


def _grad(targets: Targets, logits: Array, reduction: str) -> Array:
    checked_reduction(reduction)
    z = logits.reshape(-1, logits.shape[-1])
    out = np.empty(z.shape, dtype=z.dtype)
    counts = []
    for rows in targets.rows():
        part, count = _of_rows(targets, z, rows)
        with np.errstate(over="ignore"):  # of a slope beyond float32, which is inf there
            out[rows] = part
        counts.append(float(count.sum()))
    if reduction != "none":
        total = total_weight(counts)
        out /= out.dtype.type(total if reduction == "mean" else 1.0)
    return out.reshape(logits.shape)


def _of_rows(targets: Targets, z: Array, rows: slice) -> tuple[Array, Array]:
    p = np.ascontiguousarray(softmax_of_rows(targets.masked(z, rows), targets.place(rows)))
    if targets.hard:
        at = np.arange(len(p)), targets.labels(rows)
        p[at] = 0.0
        p[at] = -p.sum(axis=1)  # p - 1, exact where p is nearly one
        slope = p
    else:
        y = targets.smoothed(rows)
        top = np.arange(len(p)), p.argmax(axis=1)
        others = 1 - p
        rest = p.copy()
        rest[top] = 0.0
        others[top] = rest.sum(axis=1)  # 1 - p, exact where p is nearly one
        slope = p * (y.sum(axis=1, keepdims=True) - y) - y * others
    factor, count = targets.weighted(rows, np.ones(len(p)))
    return slope * factor[:, None], factor if count is None else count
