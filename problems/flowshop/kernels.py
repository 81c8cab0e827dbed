"""Compiled insertion moves of the flow shop, one order after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

ROUNDING = 1e-12  # less than that is no progress: times are real numbers


@njit(error_model="numpy", nogil=True, cache=True)
def best_place(  # noqa: PLR0917 - compiled functions know no keywords
    order: Any, n: Any, job: Any, times: Any, heads: Any, tails: Any
) -> Any:
    """Where among the first ``n`` jobs of ``order`` to insert ``job``, and the makespan then.

    ``heads[k, i + 1]`` is when the ``k``-th job leaves machine ``i``, ``tails[k, i]`` how long it
    takes from the ``k``-th job's begin on machine ``i`` to the end; both are overwritten. They have
    one more row than jobs and one more column than machines, of zeros.
    """
    m = times.shape[1]
    for k in range(n):
        for i in range(m):
            heads[k + 1, i + 1] = max(heads[k + 1, i], heads[k, i + 1]) + times[order[k], i]
    for i in range(m):
        tails[n, i] = 0.0
    for k in range(n - 1, -1, -1):
        for i in range(m - 1, -1, -1):
            tails[k, i] = max(tails[k + 1, i], tails[k, i + 1]) + times[order[k], i]
    at, least = 0, np.inf
    for k in range(n + 1):
        done, makespan = 0.0, 0.0
        for i in range(m):
            done = max(done, heads[k, i + 1]) + times[job, i]
            makespan = max(makespan, done + tails[k, i])
        if makespan < least:
            at, least = k, makespan
    return at, least


@njit(error_model="numpy", nogil=True, cache=True)
def take_out(order: Any, n: Any, at: Any) -> Any:
    """Close the gap that the job at place ``at`` of ``n`` leaves; return the job."""
    job = order[at]
    for k in range(at, n - 1):
        order[k] = order[k + 1]
    return job


@njit(error_model="numpy", nogil=True, cache=True)
def put_in(order: Any, n: Any, at: Any, job: Any) -> None:
    """Insert a job before place ``at`` of ``n``."""
    for k in range(n, at, -1):
        order[k] = order[k - 1]
    order[at] = job


@njit(error_model="numpy", nogil=True, cache=True)
def descend(  # noqa: PLR0917 - compiled functions know no keywords
    order: Any, times: Any, turn: Any, heads: Any, tails: Any, rng: Any
) -> Any:
    """Best insertions in random turn until all jobs have had theirs in vain; the makespan."""
    n = len(order)
    best, failed = np.inf, 0
    while failed < n:
        for k in range(n - 1, 0, -1):
            other = int(rng.random() * (k + 1))
            turn[k], turn[other] = turn[other], turn[k]
        for job in turn:
            was = 0
            while order[was] != job:
                was += 1
            take_out(order, n, was)
            at, makespan = best_place(order, n - 1, job, times, heads, tails)
            put_in(order, n - 1, at, job)
            failed += 1
            if makespan < best * (1 - ROUNDING):
                best, failed = makespan, 0
            if failed == n:
                break
    return best


@njit(error_model="numpy", nogil=True, cache=True)
def descend_all(orders: Any, times: Any, rng: Any) -> None:
    """`descend` from every row of ``orders``, in place."""
    n, m = times.shape
    turn = np.arange(n)
    heads, tails = np.zeros((n + 1, m + 1)), np.zeros((n + 1, m + 1))
    for order in orders:
        descend(order, times, turn, heads, tails, rng)


@njit(error_model="numpy", nogil=True, cache=True)
def iterate_all(  # noqa: PLR0917 - compiled functions know no keywords
    orders: Any, times: Any, kicks: Any, out: Any, temperature: Any, rng: Any
) -> None:
    """The iterated greedy search from every row of ``orders``, in place."""
    n, m = times.shape
    turn, removed = np.arange(n), np.empty(out, np.int64)
    heads, tails = np.zeros((n + 1, m + 1)), np.zeros((n + 1, m + 1))
    for order in orders:
        now = order.copy()
        value = best = descend(now, times, turn, heads, tails, rng)
        order[:] = now
        for _ in range(kicks):
            new = now.copy()
            for k in range(out):
                removed[k] = take_out(new, n - k, int(rng.random() * (n - k)))
            for k in range(out - 1, -1, -1):
                at, _ = best_place(new, n - 1 - k, removed[k], times, heads, tails)
                put_in(new, n - 1 - k, at, removed[k])
            makespan = descend(new, times, turn, heads, tails, rng)
            if makespan <= value or rng.random() < np.exp((value - makespan) / temperature):
                now, value = new, makespan
            if makespan < best * (1 - ROUNDING):
                best = makespan
                order[:] = new
