"""Orders of ``n`` things: what the problems and local searches on permutations share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cem.families.permutations import are_permutations
from cem.typing import Array, Batch, Vector


def checked_orders(x: Batch, n: int, of: str) -> Batch:
    """The batch as a new int64 array of shape ``(n_samples, n)``, every row a permutation.

    Raises ValueError for anything else; ``of`` says in the message what is ordered.

    >>> checked_orders([[2.0, 0.0, 1.0]], 3, "jobs")
    array([[2, 0, 1]])
    """
    x = np.asarray(x)
    if x.ndim != 2 or x.shape[1] != n:
        raise ValueError(f"expected orders of {n} {of}, shape (n_samples, {n}); got {x.shape}")
    bad = ~are_permutations(x)
    if bad.any():
        i = int(bad.argmax())
        raise ValueError(
            f"expected permutations of the {of} 0, ..., {n - 1}; got "
            f"{np.array2string(x[i], threshold=12)} at index {i}"
        )
    return x.astype(np.int64)


def never_worse(score: Callable[[Batch], Vector], before: Batch, after: Batch) -> Batch:
    """``after``, but ``before`` where that scores less: a score is to be minimised.

    It is a new array, of the type of ``before``. Rounding can let a local search of real numbers
    believe in progress that there is not.

    >>> never_worse(lambda x: x[:, 0], np.array([[1, 2], [2, 1]]), np.array([[2, 1], [1, 2]]))
    array([[1, 2],
           [1, 2]])
    """
    worse = score(after) > score(before)
    return np.where(worse[:, None], before, after).astype(np.asarray(before).dtype)


def table_of(name: str, values: Batch, *, positive: bool = False) -> Array:
    """A new read-only array of two axes, none of them empty, of finite numbers from 0 on.

    Raises ValueError for anything else; with ``positive``, for a zero too.

    >>> table_of("times", [[1, 2]]).tolist()
    [[1.0, 2.0]]
    """
    table = np.array(values, dtype=float)
    if table.ndim != 2 or table.size == 0:
        raise ValueError(f"{name} must have two axes and a number at least; got {table.shape}")
    good = (table > 0 if positive else table >= 0) & (table < np.inf)
    if not good.all():
        at = tuple(int(k) for k in np.argwhere(~good)[0])
        least = "positive" if positive else "at least 0"
        raise ValueError(f"{name} must be {least} and finite; got {table[at]:g} at index {at}")
    table.setflags(write=False)
    return table
