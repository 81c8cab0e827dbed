"""Compiled local search on tours: 2-opt and Or-opt, exchange of segments, kicks. Imported on use.

A tour is a row of the nodes ``0 .. n - 1`` that closes on itself, and comes with its inverse: where
each node stands. All costs are finite; a move is made if it saves more than ``least``. ``near[i]``
lists the nodes that are cheapest to reach from ``i``, the cheapest first. Nodes that may have a
move wait in a queue: at first all, then the ends of the edges that were made, as with the
don't-look bits of Bentley (1992).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from cem.families.xoshiro import next_below

KERNEL = {"error_model": "numpy", "nogil": True, "cache": True}
LONGEST = 3  # nodes of a segment that Or-opt moves


@njit(**KERNEL)
def refine(tours: Any, ways: Any, mirrored: bool, kick: Any, seed: Any) -> None:
    """Improve every tour, in place: descend; then kick it, descend, and keep that if no worse.

    ``tours`` int32, shape ``(n_samples, n)``; ``ways`` is ``(cost, near, least)``; ``mirrored`` if
    the costs are symmetric; ``kick`` is how often and how far at most, see `_kick`; ``seed``
    uint64, shape ``(n_samples, 4)``. With rounded costs and a ``least`` above zero, a kick must
    save as much to be kept.
    """
    kicks, reach = kick
    n = tours.shape[1]
    position, kept = np.empty(n, np.int32), np.empty(n, np.int32)
    todo = np.empty(n, np.int32), np.zeros(n, np.bool_), np.zeros(2, np.int64)
    for s in range(len(tours)):
        tour = tours[s]
        at = tour, position
        for i in range(n):
            position[tour[i]] = i
        saved = 1.0
        while saved > 0:  # until no node at all has a move: those that wait are not all that may
            for node in range(n):
                _push(todo, node)
            saved = _descend(at, ways, mirrored, todo)
        kept[:] = tour
        for _ in range(kicks):
            saved = _kick(at, ways[0], reach, seed[s], todo)
            saved += _descend(at, ways, mirrored, todo)
            if saved >= ways[2]:
                kept[:] = tour
            else:
                tour[:] = kept
                for i in range(n):
                    position[tour[i]] = i


@njit(**KERNEL)
def _descend(at: Any, ways: Any, mirrored: bool, todo: Any) -> float:
    """Make moves until no node waits; what they save."""
    queue, waiting, span = todo
    saved = 0.0
    while span[1] > 0:
        a = queue[span[0]]
        span[0] = (span[0] + 1) % queue.size
        span[1] -= 1
        waiting[a] = False
        saved += _two_opt(at, ways, a, todo) if mirrored else _three_opt(at, ways, a, todo)
    return saved


@njit(**KERNEL)
def _two_opt(at: Any, ways: Any, a: int, todo: Any) -> float:
    """Make the best move of all that replace an edge ``a b`` by one ``a c``; what it saves.

    2-opt and Or-opt, for symmetric costs.
    """
    cost, near, least = ways
    best, kind, move = least, 0, (a, a, a, a)
    for step in (1, -1):
        b = _beside(at, a, step)
        for k in range(near.shape[1]):
            c = near[a, k]
            first = cost[a, b] - cost[a, c]
            if first <= least:
                break
            d = _beside(at, c, step)
            gain = first + cost[c, d] - cost[b, d]
            if gain > best:
                best, kind, move = gain, step, (a, b, c, d)
            gain, found = _move_of_a(at, cost, (a, b, c), step)
            if gain > best:
                best, kind, move = gain, 0, found
            gain, found = _move_of_c(at, cost, (a, b, c))
            if gain > best:
                best, kind, move = gain, 0, found
    if best <= least:
        return 0.0
    _make(at, kind, move, todo)
    return best


@njit(**KERNEL)
def _move_of_a(at: Any, cost: Any, edges: Any, step: int) -> Any:
    """The best Or-opt move of up to three nodes that end with ``a`` to an edge of ``c``."""
    _, position = at
    a, b, c = edges
    n = position.size
    best, move, e = 0.0, (a, a, c, c), a
    away = (position[a] - position[c]) * step  # places from a on to c, the way that b is not
    away += n if away < 0 else 0
    for _ in range(min(LONGEST, n - 3, away)):
        f = _beside(at, e, -step)
        for side in (1, -1):
            d = _beside(at, c, side)
            saved = cost[a, b] + cost[e, f] + cost[c, d]
            gain = saved - cost[a, c] - cost[f, b] - cost[e, d]
            if gain > best and d != e:
                best, move = gain, (a, e, c, d)
        e = f
    return best, move


@njit(**KERNEL)
def _move_of_c(at: Any, cost: Any, edges: Any) -> Any:
    """The best Or-opt move of up to three nodes that end with ``c`` to the edge ``a b``."""
    a, b, c = edges
    n = at[0].size
    best, move = 0.0, (c, c, a, b)
    for side in (1, -1):
        d, e = _beside(at, c, -side), c
        for _ in range(min(LONGEST, n - 3)):
            if e in (a, b):
                break
            f = _beside(at, e, side)
            saved = cost[a, b] + cost[c, d] + cost[e, f]
            gain = saved - cost[a, c] - cost[d, f] - cost[e, b]
            if gain > best:
                best, move = gain, (c, e, a, b)
            e = f
    return best, move


@njit(**KERNEL)
def _make(at: Any, kind: int, move: Any, todo: Any) -> None:
    """Make the move: 2-opt if ``kind`` is a direction, else Or-opt; its edges' ends wait anew."""
    _, position = at
    p, q, r, s = move
    for node in move:
        _push(todo, node)
        if kind == 0:
            _push(todo, _beside(at, node, 1))
            _push(todo, _beside(at, node, -1))
    if kind == 0:
        _relocate(at, p, q, r, s)
    else:
        i, j = position[q], position[r]
        _flip(at, i if kind > 0 else j, j if kind > 0 else i)


@njit(**KERNEL)
def _three_opt(at: Any, ways: Any, a: int, todo: Any) -> float:
    """Make the best exchange of two segments that lets a near node follow ``a``; what it saves.

    After ``a`` come the segments ``b .. d`` and ``c .. e``, then ``f``; they become ``a``,
    ``c .. e``, ``b .. d``, ``f``. No segment is reversed, so costs need not be symmetric.
    """
    cost, near, least = ways
    _, position = at
    n = position.size
    best, move = least, (a, a, a)
    b = _beside(at, a, 1)
    for k in range(near.shape[1]):
        c = near[a, k]
        first = cost[a, b] - cost[a, c]
        if first <= least:
            break
        d = _beside(at, c, -1)
        past = (position[c] - position[b]) % n
        for j in range(near.shape[1]):
            f = near[d, j]
            second = first + cost[d, c] - cost[d, f]
            if second <= least:
                break
            e = _beside(at, f, -1)
            gain = second + cost[e, f] - cost[e, b]
            if gain > best and (position[f] - position[b]) % n > past:
                best, move = gain, (b, c, f)
    if best <= least:
        return 0.0
    for node in move:
        _push(todo, node)
        _push(todo, _beside(at, node, -1))
    _exchange_at(at, position[move[0]], position[move[1]], position[move[2]])
    return best


@njit(**KERNEL)
def _kick(at: Any, cost: Any, reach: int, seed: Any, todo: Any) -> float:
    """Reverse the order of three short segments in a row, a double bridge; what it saves.

    Martin, Otto and Felten (1991), kept local: each segment has 1 to ``reach`` nodes.
    """
    tour, _ = at
    n = tour.size
    i = next_below(seed, n)
    x = 1 + next_below(seed, reach)
    y = 1 + next_below(seed, reach)
    z = 1 + next_below(seed, reach)
    starts = i, (i + x) % n, (i + x + y) % n, (i + x + y + z) % n
    saved = 0.0
    for start in starts:
        saved += cost[tour[start - 1], tour[start]]
        _push(todo, tour[start - 1])
        _push(todo, tour[start])
    _reverse(at, i, x + y + z)
    _reverse(at, i, z)
    _reverse(at, (i + z) % n, y)
    _reverse(at, (i + z + y) % n, x)
    for start in (i, (i + z) % n, (i + z + y) % n, (i + z + y + x) % n):
        saved -= cost[tour[start - 1], tour[start]]
    return saved


@njit(**KERNEL)
def _flip(at: Any, i: int, j: int) -> None:
    """Reverse the places from ``i`` to ``j``, or all others, which gives the same round trip."""
    n = at[0].size
    length = (j - i) % n + 1
    if 2 * length > n:
        i, length = (j + 1) % n, n - length
    _reverse(at, i, length)


@njit(**KERNEL)
def _relocate(at: Any, p: int, q: int, r: int, s: int) -> None:
    """Move the segment with the ends ``p`` and ``q`` between ``r`` and ``s``: ``r p .. q s``."""
    tour, position = at
    n = tour.size
    length = (position[q] - position[p]) % n + 1
    forward = length <= LONGEST
    if not forward:
        length = n - length + 2
    i = position[p] if forward else position[q]
    after = _beside(at, r, 1) == s
    gap = (position[r if after else s] - i - length + 1) % n
    if 2 * gap <= n - length:
        start, first, second = i, length, gap
        i = (i + gap) % n
    else:
        i = (i + length + gap) % n
        start, first, second = i, n - length - gap, length
    _exchange(at, start, first, second)
    if forward != after:
        _reverse(at, i, length)


@njit(**KERNEL)
def _exchange_at(at: Any, i: int, j: int, k: int) -> None:
    """Of three segments that start at the places ``i``, ``j`` and ``k``, swap the two shorter."""
    n = at[0].size
    x, y, z = (j - i) % n, (k - j) % n, (i - k) % n
    if x >= max(y, z):
        i, x, y = j, y, z
    elif y >= z:
        i, x, y = k, z, x
    _exchange(at, i, x, y)


@njit(**KERNEL)
def _exchange(at: Any, i: int, first: int, second: int) -> None:
    """Swap two segments in a row, of those many places from place ``i`` on."""
    _reverse(at, i, first + second)
    _reverse(at, i, second)
    _reverse(at, (i + second) % at[0].size, first)


@njit(**KERNEL)
def _reverse(at: Any, i: int, length: int) -> None:
    """Reverse ``length`` places from place ``i`` on, past the end of the row if need be."""
    tour, position = at
    n = tour.size
    j = (i + length - 1) % n
    for _ in range(length // 2):
        u, v = tour[i], tour[j]
        tour[i], tour[j] = v, u
        position[v], position[u] = i, j
        i = i + 1 if i + 1 < n else 0
        j = j - 1 if j > 0 else n - 1


@njit(**KERNEL)
def _beside(at: Any, node: int, step: int) -> int:
    """The next node of the tour (``step`` 1), or the one before (-1)."""
    tour, position = at
    i = position[node] + step
    n = tour.size
    return tour[i - n if i >= n else i + n if i < 0 else i]


@njit(**KERNEL)
def _push(todo: Any, node: int) -> None:
    """Put a node into the queue, unless it waits there."""
    queue, waiting, span = todo
    if not waiting[node]:
        waiting[node] = True
        i = span[0] + span[1]
        queue[i - queue.size if i >= queue.size else i] = node
        span[1] += 1
