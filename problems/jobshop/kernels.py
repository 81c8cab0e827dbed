"""Compiled schedules of the job shop, and swaps on their critical paths."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(error_model="numpy", nogil=True, cache=True)
def schedule(jobs: Any, machine: Any, times: Any, start: Any, before: Any) -> Any:
    """Fill in when every operation starts, and the one before it on its machine (-1: none).

    ``jobs`` is a sequence of jobs; ``start`` and ``before`` have a place for every operation, the
    ``m`` of job 0 first. Returns the makespan.
    """
    n, m = machine.shape
    done, last = np.zeros(n, np.int64), np.full(m, -1)
    of_job, of_machine, makespan = np.zeros(n), np.zeros(m), 0.0
    for j in jobs:
        k = done[j]
        i, operation = machine[j, k], j * m + k
        begin = max(of_job[j], of_machine[i])
        start[operation], before[operation] = begin, last[i]
        of_job[j] = of_machine[i] = begin + times[j, k]
        makespan = max(makespan, of_job[j])
        done[j], last[i] = k + 1, operation
    return makespan


@njit(error_model="numpy", nogil=True, cache=True)
def makespans(jobs: Any, machine: Any, times: Any) -> Any:
    """The makespans of sequences of jobs, shape ``(n_samples, n_operations)``."""
    out = np.empty(len(jobs))
    start, before = np.empty(times.size), np.empty(times.size, np.int64)
    for s in range(len(jobs)):
        out[s] = schedule(jobs[s], machine, times, start, before)
    return out


@njit(error_model="numpy", nogil=True, cache=True)
def critical_path(  # noqa: PLR0917 - compiled functions know no keywords
    makespan: Any, start: Any, before: Any, end: Any, m: Any, path: Any
) -> Any:
    """Operations from first to last that follow each other without a break; how many they are."""
    operation = 0
    while end[operation] != makespan:
        operation += 1
    n = 0
    while operation >= 0:
        path[n] = operation
        n += 1
        if before[operation] >= 0 and end[before[operation]] == start[operation]:
            operation = before[operation]
        elif operation % m and end[operation - 1] == start[operation]:
            operation -= 1
        else:
            operation = -1
    path[:n] = path[:n][::-1].copy()
    return n


@njit(error_model="numpy", nogil=True, cache=True)
def swapped(  # noqa: PLR0917 - compiled functions know no keywords
    by_start: Any, start: Any, first: Any, second: Any, m: Any, jobs: Any
) -> None:
    """The jobs in order of ``start``, but operation ``second`` before the critical ``first``.

    ``second`` starts as ``first`` ends, so what comes before ``second`` has started before that,
    and what waits for ``first`` has not; times are positive.
    """
    at, waiting = 0, True
    for operation in by_start:
        if waiting and start[operation] >= start[second]:
            jobs[at], jobs[at + 1] = second // m, first // m
            at, waiting = at + 2, False
        if operation not in (first, second):
            jobs[at] = operation // m
            at += 1


@njit(error_model="numpy", nogil=True, cache=True)
def descend_all(sequences: Any, machine: Any, times: Any) -> None:
    """The best swap at the border of a critical block until none helps, for every row, in place."""
    m, d = machine.shape[1], times.size
    start, before, path = np.empty(d), np.empty(d, np.int64), np.empty(d, np.int64)
    trial_start, trial_before = np.empty(d), np.empty(d, np.int64)
    trial, best_jobs = np.empty(d, np.int64), np.empty(d, np.int64)
    of, time = machine.ravel(), times.ravel()
    for jobs in sequences:
        while True:
            makespan = schedule(jobs, machine, times, start, before)
            n = critical_path(makespan, start, before, start + time, m, path)
            by_start, best = np.argsort(start), makespan
            for k in range(n - 1):
                u, v = path[k], path[k + 1]
                begins = k > 0 and of[path[k - 1]] != of[u]  # a block, not the first one
                ends = k + 2 < n and of[path[k + 2]] != of[v]  # a block, not the last one
                if of[u] == of[v] and (begins or ends):
                    swapped(by_start, start, u, v, m, trial)
                    value = schedule(trial, machine, times, trial_start, trial_before)
                    if value < best:
                        best = value
                        best_jobs[:] = trial
            if best == makespan:
                break
            jobs[:] = best_jobs
