"""Compiled permutations: fast exact draws without replacement, and their log-densities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from cem.families.xoshiro import next_double, next_word

TOGETHER = 64  # samples drawn side by side, so that the processor works on many at a time
PLACE, NODE, NODES = np.uint64(48), np.uint64(16), np.uint64(2**16 - 1)  # the bits of a cell
SCAN, OF_A_NODE = 2.0, 0.15  # what a scan costs, and every node in it, in draws from a table


@njit(error_model="numpy", nogil=True, cache=True)
def alias_tables(p: Any) -> Any:
    """Every row of ``p``, for fewer than 2^16 nodes, as ``n`` cells of equal mass, uint64.

    Cell ``k`` holds two nodes: ``k`` itself and another, in its last 16 bits; the first 48 say
    which share of the cell is ``k``'s own. Source: Vose (1991), A linear algorithm for generating
    random numbers with a given distribution.
    """
    n = p.shape[1]
    table = np.empty(p.shape, dtype=np.uint64)
    mass, small, large = np.empty(n), np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    for i in range(len(p)):
        n_small, n_large = 0, 0
        for k in range(n):
            table[i, k] = k  # for those that are left over: their mass is one, but for rounding
            mass[k] = n * p[i, k]
            if mass[k] < 1:
                small[n_small] = k
                n_small += 1
            else:
                large[n_large] = k
                n_large += 1
        while n_small > 0 and n_large > 0:
            n_small -= 1
            k, other = small[n_small], large[n_large - 1]
            table[i, k] = (np.uint64(mass[k] * 2.0**48) << NODE) | np.uint64(other)
            mass[other] -= 1 - mass[k]
            if mass[other] < 1:
                n_large -= 1
                small[n_small] = other
                n_small += 1
    return table


@njit(error_model="numpy", nogil=True, cache=True)
def draw(p: Any, by_place: Any, first: Any, last: Any, state: Any, x: Any) -> None:  # noqa: PLR0917
    """Fill the rows of ``x`` with permutations drawn place by place, without replacement.

    The node is drawn from an alias table, and again if it is no longer left: that gives the law of
    the rows of ``p`` renormalised, since a node that is left is as likely as it is in the row.
    Those that find none are drawn by a scan of what is left, once that costs less than what their
    next tries save. ``first`` and ``last`` are in their places beforehand, unless negative.
    """
    n_samples, n = x.shape
    table = alias_tables(p)
    # The first n_left of left[s] are the nodes left to sample s; where[s] says where they are.
    left, where = np.empty((TOGETHER, n), dtype=x.dtype), np.empty((TOGETHER, n), dtype=x.dtype)
    pending = np.empty(TOGETHER, dtype=np.int64)
    for start in range(0, n_samples, TOGETHER):
        batch = x[start : start + TOGETHER]
        n_left = begin(left, where, first, last)
        if first >= 0:
            batch[:, 0] = first
        if last >= 0:
            batch[:, n - 1] = last
        for place in range(first >= 0, n - (last >= 0)):
            n_pending = len(batch)
            for s in range(n_pending):
                pending[s] = s
            worth_it = True
            while worth_it:
                tried, n_pending = n_pending, 0
                for i in range(tried):
                    s = pending[i]
                    row = place if by_place else batch[s, place - 1]
                    at = (next_word(state) >> NODE) * np.uint64(n)  # of n 2^48 points, 2^48 a cell
                    cell = at >> PLACE
                    two = table[row, cell]
                    node = cell if at << NODE < two & ~NODES else two & NODES
                    batch[s, place] = node
                    pending[n_pending] = s
                    n_pending += where[s, node] >= n_left
                worth_it = (tried - n_pending) * (SCAN + OF_A_NODE * n_left) > tried
            for i in range(n_pending):
                s = pending[i]
                row = place if by_place else batch[s, place - 1]
                batch[s, place] = scan(p, row, left, s, n_left, next_double(state))
            n_left -= 1
            for s in range(len(batch)):
                take(left, where, s, batch[s, place], n_left)


@njit(error_model="numpy", nogil=True, cache=True)
def begin(left: Any, where: Any, first: Any, last: Any) -> Any:
    """All nodes are left but the first and the last one, if these are given: how many?"""
    n_left = left.shape[1]
    left[:] = where[:] = np.arange(n_left)
    for node in (first, last):
        if node >= 0:
            n_left -= 1
            for s in range(len(left)):
                take(left, where, s, node, n_left)
    return n_left


@njit(error_model="numpy", nogil=True, cache=True)
def take(left: Any, where: Any, s: Any, node: Any, n_left: Any) -> None:
    """Move a node behind the ``n_left`` others that are left."""
    at, other = where[s, node], left[s, n_left]
    left[s, at], where[s, other] = other, at
    left[s, n_left], where[s, node] = node, n_left


@njit(error_model="numpy", nogil=True, cache=True)
def mass_left(p: Any, row: Any, left: Any, s: Any, n_left: Any) -> Any:
    """The sum of a row over the nodes that are left."""
    total = 0.0
    for k in range(n_left):
        total += p[row, left[s, k]]
    return total


@njit(error_model="numpy", nogil=True, cache=True)
def scan(p: Any, row: Any, left: Any, s: Any, n_left: Any, u: Any) -> Any:  # noqa: PLR0917
    """The node left that ``u`` falls on, by inversion; none of probability zero if another has."""
    total = mass_left(p, row, left, s, n_left)
    if total == 0:
        return left[s, int(u * n_left)]
    above, k = u * total, -1
    while above >= 0 and k < n_left - 1:
        k += 1
        above -= p[row, left[s, k]]
    while p[row, left[s, k]] == 0:  # rounding has passed the end
        k -= 1
    return left[s, k]


@njit(error_model="numpy", nogil=True, cache=True)
def log_densities(  # noqa: PLR0917 - compiled functions know no keywords
    p: Any, by_place: Any, first: Any, last: Any, x: Any, log_f: Any
) -> None:
    """``log_f[i]`` of the permutation in every row of ``x`` that begins and ends as it should."""
    n_samples, n = x.shape
    left, where = np.empty((1, n), dtype=x.dtype), np.empty((1, n), dtype=x.dtype)
    for i in range(n_samples):
        n_left = begin(left, where, first, last)
        log_f[i] = 0.0
        for place in range(first >= 0, n - (last >= 0)):
            row = place if by_place else x[i, place - 1]
            total = mass_left(p, row, left, 0, n_left)
            log_f[i] += np.log(p[row, x[i, place]] / total if total > 0 else 1 / n_left)
            n_left -= 1
            take(left, where, 0, x[i, place], n_left)
