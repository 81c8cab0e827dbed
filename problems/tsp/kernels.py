"""Compiled lengths of tours: what the NumPy lines of `problems.tsp.problem` add up, faster.

Imported on first use, as numba is heavy.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from cem.typing import Array, Batch, Vector


@njit(error_model="numpy", nogil=True, cache=True)
def lengths(distance: Array, x: Batch, out: Vector) -> int:
    """Write the length of every round trip, added up in order; or say which is none, else -1."""
    n = len(distance)
    seen_in = np.full(n, -1)
    for i in range(len(x)):
        for t in range(n):
            node = x[i, t]
            if node < 0 or node >= n or seen_in[node] == i:
                return i
            seen_in[node] = i
        total = distance[x[i, 0], x[i, 1]]
        for t in range(2, n):
            total += distance[x[i, t - 1], x[i, t]]
        out[i] = total + distance[x[i, n - 1], x[i, 0]]
    return -1
