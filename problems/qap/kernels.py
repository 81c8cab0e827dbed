"""Compiled exchanges of two locations, one assignment after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

ROUNDING = 1e-12  # of the largest cost there might be: less than that is no progress


@njit(error_model="numpy", nogil=True, cache=True)
def change(flow: Any, distance: Any, x: Any, r: Any, s: Any) -> Any:
    """By how much the cost grows if facilities ``r`` and ``s`` exchange their locations.

    Taillard (1991), eq. for matrices that need not be symmetric; ``O(n)``.
    """
    f, d, a, b = flow, distance, x[r], x[s]
    total = (f[r, r] - f[s, s]) * (d[b, b] - d[a, a]) + (f[r, s] - f[s, r]) * (d[b, a] - d[a, b])
    for k in range(len(x)):
        if k not in (r, s):
            c = x[k]
            total += (f[k, r] - f[k, s]) * (d[c, b] - d[c, a])
            total += (f[r, k] - f[s, k]) * (d[b, c] - d[a, c])
    return total


@njit(error_model="numpy", nogil=True, cache=True)
def fill(flow: Any, distance: Any, x: Any, table: Any) -> None:
    """``table[u, v]``, ``u < v``: the `change` by every exchange."""
    for u in range(len(x)):
        for v in range(u + 1, len(x)):
            table[u, v] = change(flow, distance, x, u, v)


@njit(error_model="numpy", nogil=True, cache=True)
def exchange(  # noqa: PLR0917 - compiled functions know no keywords
    flow: Any, distance: Any, x: Any, table: Any, r: Any, s: Any
) -> None:
    """Exchange the locations of ``r`` and ``s``, and renew the table: ``O(1)`` for most pairs."""
    f, d = flow, distance
    x[r], x[s] = x[s], x[r]
    a, b = x[r], x[s]
    for u in range(len(x)):
        for v in range(u + 1, len(x)):
            if u in (r, s) or v in (r, s):
                table[u, v] = change(f, d, x, u, v)
            else:
                p, q = x[u], x[v]
                into = (f[r, u] - f[r, v]) + (f[s, v] - f[s, u])
                out = (f[u, r] - f[v, r]) + (f[v, s] - f[u, s])
                table[u, v] += into * ((d[b, p] - d[b, q]) + (d[a, q] - d[a, p]))
                table[u, v] += out * ((d[p, b] - d[q, b]) + (d[q, a] - d[p, a]))


@njit(error_model="numpy", nogil=True, cache=True)
def descend_all(xs: Any, flow: Any, distance: Any) -> None:
    """The best exchange until none helps, from every row of ``xs``, in place."""
    n = len(flow)
    table = np.zeros((n, n))
    least = -ROUNDING * flow.sum() * distance.max()
    for x in xs:
        fill(flow, distance, x, table)
        while True:
            r, s, best = 0, 0, least
            for u in range(n):
                for v in range(u + 1, n):
                    if table[u, v] < best:
                        r, s, best = u, v, table[u, v]
            if r == s:
                break
            exchange(flow, distance, x, table, r, s)


@njit(error_model="numpy", nogil=True, cache=True)
def tabu_all(xs: Any, flow: Any, distance: Any, steps: Any, rng: Any) -> None:
    """A robust tabu search from every row of ``xs``, which becomes the best it has met."""
    n = len(flow)
    table, until = np.zeros((n, n)), np.empty((n, n))
    least = ROUNDING * flow.sum() * distance.max()
    for best_x in xs:
        x, now, best = best_x.copy(), 0.0, 0.0  # costs, as differences from the start
        fill(flow, distance, x, table)
        until[:] = -1.0  # the step up to which facility u may not go back to location a
        for step in range(steps):
            r, s, found = 0, 0, np.inf
            for u in range(n):
                for v in range(u + 1, n):
                    tabu = until[u, x[v]] >= step and until[v, x[u]] >= step
                    aspired = now + table[u, v] < best - least
                    if (not tabu or aspired) and table[u, v] < found:
                        r, s, found = u, v, table[u, v]
            if r == s:
                continue
            until[r, x[r]] = step + n * (0.9 + 0.2 * rng.random())
            until[s, x[s]] = step + n * (0.9 + 0.2 * rng.random())
            exchange(flow, distance, x, table, r, s)
            now += found
            if now < best - least:
                best = now
                best_x[:] = x
