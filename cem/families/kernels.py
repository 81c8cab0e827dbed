"""Compiled sampling for large batches: NumPy's own numbers, from the caller's generator."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(error_model="numpy", nogil=True, cache=True)
def fill_with_normals(rng: Any, mean: Any, std: Any, out: Any) -> None:
    """``out[i, j] = mean[j] + std[j] * rng.standard_normal()``, row by row."""
    n, d = out.shape
    for i in range(n):
        for j in range(d):
            out[i, j] = mean[j] + std[j] * rng.standard_normal()


@njit(error_model="numpy", nogil=True, cache=True)
def walk_the_chain(  # noqa: PLR0917 - compiled functions know no keywords
    rng: Any, n: Any, tables: Any, after: Any, at_top: Any, longest: Any
) -> Any:
    """``n`` paths from state 0 until ``after`` leaves the table: their steps and their lengths.

    ``tables[0, s, e]`` is the probability of an event up to ``e`` in state ``s``, and
    ``tables[1, s, e]`` that from the first state on that is ``at_top``. A path of ``longest`` steps
    is the last.
    """
    steps = np.empty((64 * n + 64, 2), dtype=np.int32)
    length = np.empty(n, dtype=np.int64)
    at = 0
    for i in range(n):
        state, table, began = 0, 0, at
        while state < len(after) and at - began < longest:
            if at == len(steps):
                wider = np.empty((2 * at, 2), dtype=np.int32)
                wider[:at] = steps
                steps = wider
            if at_top[state]:
                table = 1
            u, event = rng.random(), 0
            while u >= tables[table, state, event]:
                event += 1
            steps[at, 0], steps[at, 1] = state, event
            state = after[state, event]
            at += 1
        length[i] = at - began
        if length[i] >= longest:
            return steps[:at], length[: i + 1]
    return steps[:at].copy(), length
