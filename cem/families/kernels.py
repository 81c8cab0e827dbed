"""Compiled sampling for large batches: NumPy's own numbers, from the caller's generator."""

from __future__ import annotations

from typing import Any

from numba import njit


@njit(error_model="numpy", nogil=True, cache=True)
def fill_with_normals(rng: Any, mean: Any, std: Any, out: Any) -> None:
    """``out[i, j] = mean[j] + std[j] * rng.standard_normal()``, row by row."""
    n, d = out.shape
    for i in range(n):
        for j in range(d):
            out[i, j] = mean[j] + std[j] * rng.standard_normal()
