"""What a categorical loss is taken against: labels or soft targets, and what each row counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cem.loss.checks import Place, along, check_rows, checked_smoothing, checked_weights, numbers
from cem.loss.lazy import BLOCK
from cem.loss.reductions import blocks_of, weighted
from cem.typing import Array, Vector

LANES = 128  # rows that a compiled kernel takes at a time


@dataclass(frozen=True, eq=False)
class Targets:
    """One row per example, looked at in blocks; ``y``: labels ``(n,)`` or shares ``(n, C)``."""

    y: Any
    batch: tuple[int, ...]  # of which the rows are made
    n_classes: int
    class_weight: Array | None
    sample_weight: Vector | None
    label_smoothing: float
    ignore_index: int | None
    mask: Any

    @classmethod
    def of_labels(
        cls, labels: ArrayLike, shape: tuple[int, ...], *, ignore_index: Any = None, **options: Any
    ) -> Targets:
        """Whole numbers for predictions of ``shape``, whose last axis runs over the classes."""
        if ignore_index is not None and not isinstance(ignore_index, int | np.integer):
            raise TypeError(f"ignore_index must be a whole number; got {ignore_index!r}")
        y = along(_whole_numbers(labels), shape[:-1], "labels", "the predictions")
        return cls._of(y.reshape(-1), shape, ignore_index, **options)

    @classmethod
    def of_shares(cls, y: Array, shape: tuple[int, ...], **options: Any) -> Targets:
        """Target probabilities for predictions of ``shape``, classes last."""
        return cls._of(
            along(y, shape, "y", "the predictions").reshape(-1, shape[-1]), shape, **options
        )

    @classmethod
    def _of(
        cls,
        y: Any,
        shape: tuple[int, ...],
        ignore_index: Any = None,
        *,
        class_weight: ArrayLike | None,
        sample_weight: ArrayLike | None,
        label_smoothing: float,
        mask: ArrayLike | None,
    ) -> Targets:
        n_classes, batch = shape[-1], shape[:-1]
        w = checked_weights(sample_weight, batch, "sample_weight")
        return cls(
            y,
            batch,
            n_classes,
            checked_weights(class_weight, (n_classes,), "class_weight"),
            None if w is None else w.reshape(-1),
            checked_smoothing(label_smoothing),
            ignore_index,
            None if mask is None else _mask(mask, shape).reshape(-1, n_classes),
        )

    @property
    def hard(self) -> bool:
        """Is the loss of a row the surprise at its label, and nothing else?"""
        return self.y.ndim == 1 and self.label_smoothing == 0 and self.mask is None

    def labels(self, rows: slice) -> Any:
        """The labels of some rows, checked; 0 where they are ignored."""
        labels = self.y[rows]
        if self.ignore_index is not None:
            labels = np.where(labels == self.ignore_index, 0, labels)
        low, high = np.minimum.reduce(labels), np.maximum.reduce(labels)
        if low < 0 or high >= self.n_classes:
            self.refuse(rows)
        return labels

    def refuse(self, rows: slice) -> None:
        """Raise for the first label out of range."""
        outside = (self.y[rows] < 0) | (self.y[rows] >= self.n_classes)
        if self.ignore_index is not None:
            outside &= self.y[rows] != self.ignore_index
        for row in np.flatnonzero(outside)[:1].tolist():
            raise IndexError(
                f"labels must be whole numbers from 0 to {self.n_classes - 1}; got "
                f"{self.y[rows][row]}{self.place(rows).words(row)}: negative ones do not count "
                "from the end, and rows are left out by ignore_index"
            )

    def shares(self, rows: slice) -> Array:
        """The target probabilities ``(m, C)`` of some rows, not yet smoothed."""
        if self.y.ndim == 1:
            one_hot = np.zeros((rows.stop - rows.start, self.n_classes))
            one_hot[np.arange(len(one_hot)), self.labels(rows)] = 1.0
            return one_hot
        y = self.in_use(self.y[rows], rows, 1 / self.n_classes)
        check_rows(y, "y", place=self.place(rows), remedy="divide by the sum")
        return np.asarray(y, dtype=np.float64)

    def smoothed(self, rows: slice) -> Array:
        """``w_c (y_c (1 - e) + e / C)``; a mask takes classes out of ``C``."""
        y, e = self.shares(rows), self.label_smoothing
        if e == 0 and self.mask is None:
            return y if self.class_weight is None else y * self.class_weight
        there = np.ones(self.n_classes, dtype=bool) if self.mask is None else self.mask[rows]
        excluded = ((y > 0) & ~there).any(axis=1)
        w = self._of_samples(rows)
        if w is not None:
            excluded &= w > 0
        if excluded.any():
            where = self.place(rows).words(int(excluded.argmax()))
            raise ValueError(f"the target{where} is a class that the mask excludes")
        y = np.where(there, y * (1 - e) + e / there.sum(axis=-1, keepdims=True), 0.0)
        return y if self.class_weight is None else y * self.class_weight

    def weighted(self, rows: slice, loss: Vector) -> tuple[Vector, Vector | None]:
        """The losses of some rows times their weights, and what each counts in a mean.

        A row that counts for nothing costs nothing, even where its loss is infinite.
        """
        w = self._of_samples(rows)
        if w is None and self.class_weight is None:
            return loss, None
        w = np.ones(len(loss)) if w is None else w
        count = w if self.class_weight is None else w * self._of_classes(rows)
        factor = count if self.hard else w  # a soft loss has the weights of its classes in it
        return weighted(loss, factor), count

    def _of_samples(self, rows: slice) -> Vector | None:
        w = None if self.sample_weight is None else self.sample_weight[rows]
        if self.ignore_index is None:
            return w
        return np.where(self.y[rows] == self.ignore_index, 0.0, 1.0 if w is None else w)

    def _of_classes(self, rows: slice) -> Vector:
        if self.class_weight is None:
            return np.ones(len(self.y[rows]))
        if self.y.ndim == 1:
            return np.asarray(self.class_weight[self.labels(rows)], dtype=np.float64)
        return np.asarray(self.shares(rows) @ self.class_weight)

    def in_use(self, block: Array, rows: slice, instead: float) -> Array:
        """A block with another number in the rows that count for nothing: padding may be NaN."""
        w = self._of_samples(rows)
        if w is None or (w > 0).all():
            return block
        return np.where((w > 0)[:, None], block, block.dtype.type(instead))

    def masked(self, z: Array, rows: slice) -> Array:
        """Some rows of the logits, ``-inf`` where a class does not exist."""
        if self.mask is None:
            return self.in_use(z[rows], rows, 0.0)
        for row in np.flatnonzero(~self.mask[rows].any(axis=1))[:1].tolist():
            raise ValueError(f"the mask leaves no class{self.place(rows).words(row)}")
        return np.where(self.mask[rows], self.in_use(z[rows], rows, 0.0), -np.inf)

    def place(self, rows: slice) -> Place:
        """Where some rows are in the caller's array."""
        return Place(self.batch, rows.start)

    def rows(self) -> list[slice]:
        """The blocks."""
        step = max(1, BLOCK // self.n_classes)
        return blocks_of(len(self.y), step - (step % LANES if step > LANES else 0))


def _whole_numbers(labels: ArrayLike) -> Any:
    array = np.asarray(labels)
    if array.size == 0:
        raise ValueError("labels are empty: expected at least one")
    if array.dtype.kind == "b":
        return array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise TypeError(
            f"labels must be whole numbers of an integer type; got dtype {array.dtype}: names go "
            "to log_loss(y, p, labels=...), one-hot rows to categorical_cross_entropy"
        )
    return array if array.dtype.isnative else array.astype(np.int64)


def _mask(mask: ArrayLike, shape: tuple[int, ...]) -> Any:
    array = np.asarray(mask)
    if array.dtype.kind != "b":
        raise TypeError(f"mask must hold True and False; got dtype {array.dtype}")
    return along(array, shape, "mask", "the predictions")


def classes_last(p: ArrayLike, axis: int, name: str) -> Array:
    """Predictions with their classes along the last axis."""
    array = numbers(p, name)
    if array.ndim == 0:
        raise ValueError(f"{name} must have an axis that runs over the classes; got {array!r}")
    return array if axis == -1 else np.moveaxis(array, axis, -1)


def from_the_end(axis: int, p: ArrayLike) -> int:
    """The axis of ``p`` counted from its end, for targets that lack leading axes."""
    return axis if axis < 0 else axis - np.ndim(p)
