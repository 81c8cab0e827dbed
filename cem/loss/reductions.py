"""From one loss per example to a mean or a sum: block by block, in float64."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from cem.loss.checks import checked_reduction
from cem.loss.lazy import BLOCK
from cem.typing import Vector


def blocks_of(n: int, step: int = BLOCK) -> list[slice]:
    """``n`` rows, some at a time.

    >>> blocks_of(5, 2)
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    return [slice(start, min(start + step, n)) for start in range(0, n, step)]


def reduced(
    blocks: Iterable[tuple[slice, Vector, Vector | None]],
    shape: tuple[int, ...],
    dtype: Any,
    reduction: str,
) -> Any:
    """The weighted losses themselves, their sum, or ``sum(loss) / sum(count)``.

    A block is where it goes, its weighted losses, and what each counts in a mean (None: one).
    """
    if checked_reduction(reduction) == "none":
        out = np.empty(math.prod(shape), dtype=dtype)
        with np.errstate(over="ignore"):  # of a loss beyond float32, which is inf there
            for rows, loss, _ in blocks:
                out[rows] = loss
        return out.reshape(shape)
    sums, counts = [], []
    for _, loss, count in blocks:
        sums.append(float(loss.sum()))
        counts.append(float(len(loss) if count is None else count.sum()))
    total = total_weight(counts)
    return np.float64(_sum(sums) / (total if reduction == "mean" else 1.0))


def weighted(loss: Vector, weight: Vector) -> Vector:
    """The losses times their weights; what counts for nothing costs nothing, even ``inf``."""
    return np.multiply(loss, weight, where=weight > 0, out=np.zeros(weight.shape))


def total_weight(parts: Iterable[float]) -> float:
    """The sum of the weights, which may not be zero."""
    total = math.fsum(parts)
    if total == 0:
        raise ValueError(
            "the weights sum to zero: expected at least one example that counts, but every row is "
            "ignored or has weight zero"
        )
    return total


def _sum(parts: list[float]) -> float:
    return math.fsum(parts) if all(map(math.isfinite, parts)) else sum(parts)
