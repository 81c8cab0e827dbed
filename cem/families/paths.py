"""Paths: a batch of random sequences that end at different times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cem.typing import Array, Vector


@dataclass(frozen=True, eq=False)
class Paths:
    """``n`` paths, one after the other: ``steps`` has a row per step, ``length`` one per path.

    The first axis of ``steps`` counts the steps; an array of records will do. A path has at least
    one step. ``x[i]`` is the array of the steps of path ``i``; a slice, a mask or an array of
    indices gives the `Paths` that it picks. Raises ValueError for lengths that are not those of the
    steps.

    >>> x = Paths(np.array([[1.0], [2.0], [4.0]]), np.array([2, 1]))
    >>> x[0].ravel(), len(x[1:]), x.total(x.steps[:, 0])
    (array([1., 2.]), 1, array([3., 4.]))
    """

    steps: Any  # (all steps, ...)
    length: Any  # (n,), whole numbers from 1 on

    def __post_init__(self) -> None:
        steps, length = np.asarray(self.steps), np.asarray(self.length, dtype=np.int64)
        if steps.ndim == 0 or length.ndim != 1 or (length < 1).any() or length.sum() != len(steps):
            raise ValueError(
                "Paths needs a row per step and one length per path, 1 or more, that sum to the "
                f"number of all steps; got shapes {steps.shape} and {length.shape}, and a sum "
                f"of {length.sum()}"
            )
        object.__setattr__(self, "steps", steps)
        object.__setattr__(self, "length", length)

    def __len__(self) -> int:
        return len(self.length)

    def __getitem__(self, which: Any) -> Any:
        if isinstance(which, int | np.integer):
            start = self.starts[which]
            return self.steps[start : start + self.length[which]]
        chosen = np.arange(len(self))[which]
        length = self.length[chosen]
        first = np.repeat(self.starts[chosen] - (length.cumsum() - length), length)
        return Paths(self.steps[first + np.arange(len(first))], length)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """The steps in a row for each path, and zeros after its end: ``(n, longest, ...)``."""
        return np.array(self.padded(self.steps), dtype=dtype, copy=copy)

    @property
    def starts(self) -> Any:
        """Where each path begins among all steps, shape ``(n,)``."""
        return self.length.cumsum() - self.length

    @property
    def ends(self) -> Any:
        """Where the last step of each path is, shape ``(n,)``."""
        return self.length.cumsum() - 1

    def padded(self, values: Array) -> Array:
        """One value per step as ``(n, longest, ...)``: a row per path, zeros after its end."""
        longest = int(self.length.max(initial=0))
        out = np.zeros((len(self), longest, *values.shape[1:]), dtype=values.dtype)
        out[np.arange(longest) < self.length[:, np.newaxis]] = values
        return out

    def total(self, values: Array) -> Vector:
        """The sum of one value per step along every path, shape ``(n,)``."""
        return self._along(np.add, values)

    def largest(self, values: Array) -> Vector:
        """The largest of one value per step along every path, shape ``(n,)``."""
        return self._along(np.maximum, values)

    def _along(self, operation: Any, values: Array) -> Vector:
        return np.asarray(operation.reduceat(values, self.starts) if len(self) else np.zeros(0))


def paths(family: Any, x: Any) -> Paths:
    """The batch if it is one of paths; else TypeError.

    >>> paths("anything", Paths(np.zeros((2, 1)), [2])).length
    array([2])
    """
    if not isinstance(x, Paths):
        raise TypeError(
            f"{type(family).__name__} needs a batch of cem.families.paths.Paths; got "
            f"{type(x).__name__}. A single path x is the batch Paths(x, [len(x)])"
        )
    return x


def weighted_paths(family: Any, x: Any, weights: Vector) -> tuple[Paths, Vector]:
    """The paths of positive weight, and for every step the weight of its path; these sum to one.

    Raises ValueError if there is none.

    >>> weighted_paths("anything", Paths(np.zeros((3, 1)), [2, 1]), np.array([1.0, 3.0]))[1]
    array([0.25, 0.25, 0.75])
    """
    weights = np.asarray(weights, dtype=float)
    counts = weights > 0
    if not counts.any():
        raise ValueError(
            f"{type(family).__name__}.fit needs a sample of positive weight; got none of "
            f"{counts.size}"
        )
    x = paths(family, x)[counts]
    return x, np.repeat(weights[counts] / weights[counts].sum(), x.length)
