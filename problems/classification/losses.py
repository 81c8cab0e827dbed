"""What a classifier is trained to make small: cross-entropy, squared error, or errors themselves.

Logits ``z`` have the shape ``(..., n, k)`` here: for each of ``n`` rows one logit per class, or, if
``k`` is 1, the log-odds of the second of two. ``labels``, shape ``(n,)``, number the classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cem.loss import (
    binary_cross_entropy,
    binary_cross_entropy_grad,
    sigmoid,
    softmax,
    sparse_categorical_cross_entropy,
    sparse_categorical_cross_entropy_grad,
)
from cem.typing import Array


@dataclass(frozen=True)
class Loss:
    """A loss of one row, averaged over the rows, and its gradient where it has one.

    ``value(labels, z)`` has the shape of the leading axes of ``z``; ``gradient(labels, z)`` is that
    of the mean over the rows and has the shape of ``z``. Both are defined at the top of a module,
    so that a problem can be sent to another process.

    >>> z = np.log([[[0.5, 0.25, 0.25], [0.25, 0.25, 0.5]]])
    >>> (LOSSES["cross-entropy"].value(np.array([0, 2]), z) / np.log(2)).round(12)
    array([1.])
    """

    name: str
    value: Callable[[Array, Array], Any]
    gradient: Callable[[Array, Array], Array] | None = None


def probabilities(z: Array) -> Array:
    """The probabilities of all classes, shape ``(..., n, n_classes)``.

    >>> probabilities(np.zeros((1, 1)))
    array([[0.5, 0.5]])
    """
    if z.shape[-1] > 1:
        return softmax(z)
    return np.concatenate([sigmoid(-z), sigmoid(z)], axis=-1)


def decisions(z: Array) -> Array:
    """The number of the likeliest class, shape ``(..., n)``; of several, the first.

    >>> decisions(np.array([[0.0, 0.0, -1.0], [1.0, 2.0, 0.0]]))
    array([0, 1])
    """
    return z.argmax(axis=-1) if z.shape[-1] > 1 else (z[..., 0] > 0).astype(np.intp)


def _cross_entropy(labels: Array, z: Array) -> Any:
    options = {"from_logits": True, "reduction": "none"}
    if z.shape[-1] > 1:
        loss = sparse_categorical_cross_entropy(labels, z, **options)
    else:
        loss = binary_cross_entropy(labels, z[..., 0], **options)
    return loss.mean(axis=-1)


def _cross_entropy_gradient(labels: Array, z: Array) -> Array:
    options = {"reduction": "none"}
    if z.shape[-1] > 1:
        return sparse_categorical_cross_entropy_grad(labels, z, **options) / z.shape[-2]
    return binary_cross_entropy_grad(labels[:, None], z, **options) / z.shape[-2]


def _squared_error(labels: Array, z: Array) -> Any:
    """Brier's score: squares summed over the classes, or of the second one of two only."""
    return np.square(_residuals(labels, z)).sum(axis=-1).mean(axis=-1)


def _squared_error_gradient(labels: Array, z: Array) -> Array:
    p, slope = _predicted(z), 2 * _residuals(labels, z) / z.shape[-2]
    if z.shape[-1] == 1:
        return slope * p * (1 - p)
    return p * (slope - (slope * p).sum(axis=-1, keepdims=True))


def _residuals(labels: Array, z: Array) -> Array:
    classes = np.arange(z.shape[-1]) if z.shape[-1] > 1 else 1
    return _predicted(z) - (labels[:, None] == classes)


def _predicted(z: Array) -> Array:
    return softmax(z) if z.shape[-1] > 1 else sigmoid(z)


def _zero_one(labels: Array, z: Array) -> Any:
    """The share of errors: a staircase in the parameters, the same for weights of any size.

    Many samples stand on one step. All that tie at the level are elite, and a run has converged
    once the whole elite stands on the same step for some iterations.
    """
    return (decisions(z) != labels).mean(axis=-1)


LOSSES = {
    loss.name: loss
    for loss in (
        Loss("cross-entropy", _cross_entropy, _cross_entropy_gradient),
        Loss("squared-error", _squared_error, _squared_error_gradient),
        Loss("zero-one", _zero_one),  # flat wherever it is continuous: no gradient leads anywhere
    )
}
