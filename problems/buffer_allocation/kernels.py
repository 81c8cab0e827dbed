"""Compiled loops of the production line: departures job by job, and a chain's steady state."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(error_model="numpy", nogil=True, cache=True)
def departures(  # noqa: PLR0917 - compiled functions know no keywords
    work: Any, patience: Any, away: Any, allocations: Any, warm_up: Any, elapsed: Any
) -> None:
    """For every allocation, how long after the first ``warm_up`` jobs the last one leaves.

    ``work[k, i, r]`` is how long job ``k`` occupies machine ``i`` in replication ``r``, and
    ``elapsed`` has shape ``(n_allocations, n_replications)``. A machine that has stood for longer
    than its ``patience`` is down when the job comes, and will be for the time ``away``; both are
    None, or have the shape of ``work``.
    """
    n_jobs, m, n_replications = work.shape
    for c in range(len(allocations)):
        places = allocations[c] + 1  # those of the buffer, and the one on the machine after it
        end = places.cumsum()
        begin = end - places
        slot = begin.copy()  # of the departure that makes room for the next job of a machine
        past = np.zeros((places.sum(), n_replications))
        done = np.zeros((m, n_replications))  # when every machine finished its last job
        left = np.zeros((m, n_replications))  # and when that job left it
        ready = np.zeros(n_replications)  # when the job at hand left the machine before
        elapsed[c] = 0.0
        for k in range(n_jobs):
            ready[:] = 0.0
            for i in range(m):
                _not_before(ready, left[i])
                if patience is not None:
                    _wait_for_repair(ready, done[i], work[k, i], patience[k, i], away[k, i])
                for r in range(n_replications):
                    ready[r] += work[k, i, r]
                if i < m - 1:
                    _not_before(ready, past[slot[i]])
                if i > 0:
                    past[slot[i - 1]] = ready
                    slot[i - 1] += 1
                    if slot[i - 1] == end[i - 1]:
                        slot[i - 1] = begin[i - 1]
                left[i] = ready
            if k == warm_up - 1:
                elapsed[c] = -ready
        elapsed[c] += ready


@njit(error_model="numpy", nogil=True, cache=True)
def _not_before(ready: Any, other: Any) -> None:
    for r in range(len(ready)):
        ready[r] = max(ready[r], other[r])


@njit(error_model="numpy", nogil=True, cache=True)
def _wait_for_repair(ready: Any, done: Any, work: Any, patience: Any, away: Any) -> None:
    for r in range(len(ready)):
        stood = ready[r] - done[r]
        ready[r] += away[r] if stood > patience[r] else 0.0
        done[r] = ready[r] + work[r]


@njit(error_model="numpy", nogil=True, cache=True)
def settle(  # noqa: PLR0917 - compiled functions know no keywords
    start: Any, source: Any, rate: Any, out: Any, p: Any, tolerance: Any, most: Any
) -> Any:
    """Gauss-Seidel sweeps, forth and back, until the probabilities ``p`` stand still; how many.

    State ``j`` is entered from ``source[e]`` at ``rate[e]`` for ``e`` from ``start[j]`` to
    ``start[j + 1]``, and left at the rate ``out[j]``. It is -1 if ``most`` sweeps do not do.
    """
    n = len(out)
    for sweep in range(most):
        change = 0.0
        for at in range(2 * n):
            j = at if at < n else 2 * n - 1 - at
            flow = 0.0
            for e in range(start[j], start[j + 1]):
                flow += rate[e] * p[source[e]]
            change += abs(flow / out[j] - p[j])
            p[j] = flow / out[j]
        total = p.sum()
        p /= total
        if change <= tolerance * total:
            return sweep + 1
    return -1
