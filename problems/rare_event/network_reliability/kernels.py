"""Compiled loops over repair orders and small graphs, one sample after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(error_model="numpy", nogil=True, cache=True)
def are_orders(x: Any) -> Any:
    """Which rows hold every number from 0 to ``m - 1`` once?"""
    n, m = x.shape
    out, seen = np.ones(n, np.bool_), np.zeros(m, np.int64)
    for i in range(n):
        for j in range(m):
            value = x[i, j]
            if not (value >= 0 and value < m) or value != np.floor(value):
                out[i] = False
                break
            if seen[int(value)] == i + 1:
                out[i] = False
                break
            seen[int(value)] = i + 1
    return out


@njit(error_model="numpy", nogil=True, cache=True)
def edges_to_connect(order: Any, ends: Any, terminal: Any) -> Any:
    """How many edges of every order, from the first on, it takes to connect all terminals.

    ``order`` has shape ``(n, m)``, ``ends`` ``(m, 2)``, ``terminal`` is a flag for every node. One
    more than there are edges if all of them do not.
    """
    n, m = order.shape
    n_nodes, wanted = terminal.size, terminal.sum()
    out = np.empty(n, np.int64)
    above, held = np.empty(n_nodes, np.int64), np.empty(n_nodes, np.int64)
    for i in range(n):
        for v in range(n_nodes):
            above[v], held[v] = v, terminal[v]
        out[i] = m + 1
        for j in range(m):
            a, b = ends[order[i, j], 0], ends[order[i, j], 1]
            while above[a] != a:
                above[a] = above[above[a]]
                a = above[a]
            while above[b] != b:
                above[b] = above[above[b]]
                b = above[b]
            if a != b:
                above[a] = b
                held[b] += held[a]
                if held[b] == wanted:
                    out[i] = j + 1
                    break
    return out


@njit(error_model="numpy", nogil=True, cache=True)
def edges_before(order: Any, start: Any, edge: Any) -> Any:
    """How many edges come before the first of every set, shape ``(n, k)``.

    Set ``c`` is ``edge[start[c] : start[c + 1]]``.
    """
    n, m = order.shape
    k = start.size - 1
    out = np.empty((n, k), np.int16)
    place = np.empty(m, np.int16)
    for i in range(n):
        for j in range(m):
            place[order[i, j]] = j
        for c in range(k):
            first = m
            for at in range(start[c], start[c + 1]):
                first = min(first, place[edge[at]])
            out[i, c] = first
    return out


@njit(error_model="numpy", nogil=True, cache=True)
def least_cut(ends: Any, capacity: Any, side: Any) -> Any:
    """The cut of least capacity between the nodes of side 1 and those of side 0, and its capacity.

    ``side`` is -1 where a node is free. Edmonds and Karp (1972): flow is pushed along shortest
    paths until there is none. What the last search reached is side 1 of the cut.
    """
    start, arc = arcs(ends, side.size)
    left = np.repeat(capacity, 2)  # of either direction of every edge
    tiny = 1e-12 * capacity.max()
    value = 0.0
    while True:
        came, end = search(ends, start, arc, left > tiny, side)
        if end < 0:
            return (came != -1).astype(np.int8), value
        push, v = np.inf, end
        while came[v] != -2:
            push = min(push, left[came[v]])
            v = ends[came[v] // 2, came[v] % 2]
        v = end
        while came[v] != -2:
            left[came[v]] -= push
            left[came[v] ^ 1] += push
            v = ends[came[v] // 2, came[v] % 2]
        value += push


@njit(error_model="numpy", nogil=True, cache=True)
def arcs(ends: Any, n_nodes: int) -> Any:
    """The arcs that leave node ``v``: ``arc[start[v] : start[v + 1]]``.

    Arc ``2 e + way`` is the edge ``e``, away from ``ends[e, way]``.
    """
    start = np.zeros(n_nodes + 1, np.int64)
    for e in range(len(ends)):
        for way in range(2):
            start[ends[e, way] + 1] += 1
    start = start.cumsum()
    arc, free = np.empty(2 * len(ends), np.int64), start[:-1].copy()
    for e in range(len(ends)):
        for way in range(2):
            v = ends[e, way]
            arc[free[v]] = 2 * e + way
            free[v] += 1
    return start, arc


@njit(error_model="numpy", nogil=True, cache=True)
def search(ends: Any, start: Any, arc: Any, is_open: Any, side: Any) -> Any:
    """In breadth, from all nodes of side 1, along open arcs, to one of side 0.

    The arc that each node was reached by, -1 if it was not and -2 on side 1; and the node of side
    0, or -1.
    """
    came = np.where(side == 1, -2, -1)
    queue = np.empty(side.size, np.int64)
    last = np.count_nonzero(side == 1)
    queue[:last] = np.flatnonzero(side == 1)
    head = 0
    while head < last:
        v = queue[head]
        head += 1
        for at in range(start[v], start[v + 1]):
            a = arc[at]
            w = ends[a // 2, 1 - a % 2]
            if came[w] == -1 and is_open[a]:
                came[w] = a
                if side[w] == 0:
                    return came, w
                queue[last] = w
                last += 1
    return came, -1
