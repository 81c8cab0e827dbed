"""What is asked of distances and of fixed edges, so that there can be a tour at all."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from cem.typing import Array

EXACT = 2.0**53  # up to here every whole number is a float64
Pairs = Sequence[tuple[int, int]]


def checked_distances(distance: Any, labels: Sequence[Hashable]) -> Array:
    """A copy of the matrix, int64 if whole by its type and else float64, with a diagonal of zeros.

    Raises TypeError for what are no real numbers; ValueError for another shape, NaN, negative
    distances, and lengths that may not be exact (whole numbers) or finite (others).

    >>> checked_distances([[9, 1], [2, 9]], "ab")
    array([[0, 1],
           [2, 0]])
    """
    d = np.array(distance)
    if d.ndim != 2 or d.shape[0] != d.shape[1] or len(d) < 2:
        raise ValueError(
            "distances must have shape (n, n) with n >= 2, from every node (row) to every other "
            f"(column); got shape {d.shape}"
        )
    if d.dtype.kind == "O" and all(isinstance(number, int) for number in d.flat):
        raise ValueError(f"whole distances must be less than 2**53; got {max(d.flat, key=abs)}")
    if d.dtype.kind not in "iuf":
        raise TypeError(f"distances must be real numbers; got dtype {d.dtype}")
    np.fill_diagonal(d, 0)  # no node follows itself
    if (bad := ~(d >= 0)).any():
        i, j = (int(k) for k in np.argwhere(bad)[0])
        raise ValueError(
            f"distances must not be negative or NaN; got {d[i, j]} from {labels[i]!r} to "
            f"{labels[j]!r}. For an edge that is missing say inf; for negative costs add a "
            "constant to every edge: it adds the same to every tour"
        )
    _refuse_overflow(d)
    return d.astype(np.int64 if d.dtype.kind in "iu" else float)


def _refuse_overflow(d: Array) -> None:
    """Refuse distances of which n together may be too large."""
    largest = d.max(where=np.isfinite(d), initial=0)
    whole = d.dtype.kind in "iu"
    with np.errstate(over="ignore"):
        total = float(largest) * len(d)
    if total >= (EXACT if whole else np.inf):
        limit = "2**53, up to where whole numbers are exact" if whole else "the largest float"
        raise ValueError(
            f"a tour of {len(d)} edges as long as the longest, {largest}, would exceed {limit}: "
            "use a larger unit of length"
        )


def with_fixed(distance: Array, fixed: Pairs, labels: Sequence[Hashable]) -> Array:
    """The distances where ``j`` must follow ``i`` for every fixed ``(i, j)``: all else forbidden.

    Raises ValueError for edges that contradict each other: two successors or predecessors of one
    node, a ring that leaves other nodes out, an edge that is forbidden.

    >>> with_fixed(np.array([[0, 1, 2], [1, 0, 3], [2, 3, 0]]), [(0, 2)], "abc")
    array([[ 0., inf,  2.],
           [ 1.,  0., inf],
           [ 2.,  3.,  0.]])
    """
    if not fixed:
        return distance
    following = _successors(distance, fixed, labels)
    for start in following:
        ring, node = [start], following[start]
        while node in following and node != start:
            ring.append(node)
            node = following[node]
        if node == start and len(ring) < len(distance):
            names = ", ".join(repr(labels[k]) for k in [*ring[:9], start])
            raise ValueError(f"the fixed edges close a tour that leaves other nodes out: {names}")
    d = distance.astype(float)
    for i, j in following.items():
        length = d[i, j]
        d[i], d[:, j] = np.inf, np.inf
        d[i, j] = length
    np.fill_diagonal(d, 0)
    return d


def _successors(distance: Array, fixed: Pairs, labels: Sequence[Hashable]) -> dict[int, int]:
    """Which node follows which, each at most one and each after at most one."""
    following: dict[int, int] = {}
    before: dict[int, int] = {}
    for i, j in fixed:
        check_node("a node of a fixed edge", i, len(distance))
        check_node("a node of a fixed edge", j, len(distance))
        a, b = labels[i], labels[j]
        if following.get(i, j) != j:
            other = labels[following[i]]
            raise ValueError(f"fixed edges contradict: {a!r} is followed by {other!r} and by {b!r}")
        if before.get(j, i) != i:
            other = labels[before[j]]
            raise ValueError(f"fixed edges contradict: {b!r} comes after {other!r} and after {a!r}")
        if i == j or not np.isfinite(distance[i, j]):
            raise ValueError(f"a fixed edge is forbidden: from {a!r} to {b!r} there is no way")
        following[i], before[j] = j, i
    return following


def check_node(name: str, node: Any, n: int) -> None:
    """Refuse what is no number of a node."""
    if isinstance(node, bool) or not isinstance(node, int | np.integer):
        raise TypeError(f"{name} must be a whole number; got {node!r}")
    if not 0 <= node < n:
        raise ValueError(f"{name} must lie in 0..{n - 1}; got {node}")


def refuse_disconnected(distance: Array, labels: Sequence[Hashable]) -> None:
    """Refuse distances with nodes that no way leads to or from: there can be no round trip."""
    allowed = np.isfinite(distance)
    if allowed.all():
        return
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import breadth_first_order, connected_components

    graph = csr_array(allowed)
    n_parts, part = connected_components(graph, directed=True, connection="strong")
    if n_parts > 1:
        a, b = 0, int((part != part[0]).argmax())
        if b in breadth_first_order(graph, a, return_predecessors=False):
            a, b = b, a
        raise ValueError(
            f"there is no tour: no way leads from {labels[a]!r} to {labels[b]!r} (the allowed "
            f"edges make {n_parts} parts that are not connected both ways)"
        )
