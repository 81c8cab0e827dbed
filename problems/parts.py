"""Parts of ``n`` things, numbered from 0: what the problems on partitions share."""

from __future__ import annotations

import numpy as np

from cem.families import Categorical
from cem.typing import Batch


def checked_parts(x: Batch, n: int, k: int, part: str, of: str) -> Batch:
    """The batch as a new int64 array of shape ``(n_samples, n)``, of numbers from 0 to ``k - 1``.

    Raises ValueError for anything else; the message calls the parts ``part`` and the things ``of``.

    >>> checked_parts([[2.0, 0.0]], 2, 3, "cluster", "points")
    array([[2, 0]])
    """
    x = np.asarray(x)
    if x.ndim != 2 or x.shape[1] != n:
        raise ValueError(
            f"expected a {part} for each of {n} {of}, shape (n_samples, {n}); got {x.shape}"
        )
    if (bad := ~np.isin(x, np.arange(k))).any():
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(f"expected {part}s from 0 to {k - 1}; got {x[at]} at index {at}")
    return x.astype(np.int64)


def any_partition(n: int, k: int) -> Categorical:
    """Every part as likely as any other, but thing ``j`` lies in one of ``0, ..., j``.

    That loses no partition, whose parts can be numbered as `by_first` does, and most renumberings
    are impossible from the start.

    >>> any_partition(3, 2).p.tolist()
    [[1.0, 0.0], [0.5, 0.5], [0.5, 0.5]]
    """
    possible = np.tri(n, k)
    return Categorical(possible / possible.sum(axis=1, keepdims=True))


def by_first(x: Batch) -> Batch:
    """The same parts, numbered in the order of the first things in them.

    >>> by_first(np.array([[2, 0, 2, 1], [1, 1, 0, 0]]))
    array([[0, 1, 0, 2],
           [0, 0, 1, 1]])
    """
    k, n = x.max(initial=0) + 1, x.shape[1]
    member = x[:, None] == np.arange(k)[:, None]
    first = np.where(member.any(axis=2), member.argmax(axis=2), n)
    rank = first.argsort(axis=1, kind="stable").argsort(axis=1)
    return np.take_along_axis(rank, x, axis=1)
