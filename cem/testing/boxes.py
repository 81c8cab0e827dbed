"""Boxes in the space of the samples: what the family contract weighs a density with."""

from __future__ import annotations

import numpy as np

from cem.typing import Array


def random_box(other: Array, share: float, x: Array) -> tuple[Array, Array, float]:
    """Uniform points of a box with this share of every column, those of ``x`` in it, ln size.

    ``other`` and ``x`` have shape ``(n, d)``, the box is that of ``other``; whole numbers are
    boxed by the most frequent ones.

    >>> column = np.arange(4.0)[:, None]
    >>> random_box(column, 1.0, column)[1:]
    (array([ True,  True,  True, False]), 1.0986122886681098)
    """
    rng = np.random.default_rng(11)
    u, inside, log_size = np.empty_like(x), np.ones(len(x), dtype=bool), 0.0
    for j, column in enumerate(other.T):
        if x.dtype.kind == "f":
            low, high = np.quantile(column, [(1 - share) / 2, (1 + share) / 2])
            u[:, j] = rng.uniform(low, high, len(x))
            inside &= (x[:, j] >= low) & (x[:, j] < high)
            log_size += float(np.log(high - low))
        else:
            values, counts = np.unique(column, return_counts=True)
            values, counts = values[(-counts).argsort()], np.sort(counts)[::-1]
            values = values[: 1 + np.count_nonzero(counts.cumsum() < share * len(column))]
            u[:, j] = rng.choice(values, len(x))
            inside &= np.isin(x[:, j], values)
            log_size += float(np.log(len(values)))
    return u, inside, log_size
