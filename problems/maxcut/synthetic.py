"""Graphs with a known best cut: two blocks, joined more strongly than they hold together."""

from __future__ import annotations

import numpy as np

from problems.maxcut.problem import MaxCut


def two_blocks(
    n: int = 400,
    m: int = 200,
    *,
    low: float = 0.0,
    high: float = 1.0,
    between: float = 1.0,
    seed: int = 0,
) -> MaxCut:
    """``m`` and ``n - m`` nodes; weights U(low, high) inside the blocks, ``between`` across.

    If ``between`` is at least ``high`` times the ratio of the larger block to the smaller one, the
    best cut separates the blocks and weighs ``between * m * (n - m)``; else no optimum is stated.
    Source: Rubinstein and Kroese, The Cross-Entropy Method (2004).

    >>> two_blocks(6, 3).optimum
    9.0
    """
    if not 1 <= m < n:
        raise ValueError(f"expected 1 <= m < n, both blocks with a node; got n={n}, m={m}")
    if not 0 <= low <= high:
        raise ValueError(f"expected 0 <= low <= high; got low={low}, high={high}")
    i, j = np.triu_indices(n, 1)
    inside = (i < m) == (j < m)
    weight = np.full(len(i), float(between))
    rng = np.random.default_rng(seed)
    weight[inside] = rng.uniform(low, high, int(inside.sum()))
    known = between >= high * max(m, n - m) / min(m, n - m)
    optimum = between * m * (n - m) if known else None
    return MaxCut(np.stack([i, j], axis=1), weight, n, optimum=optimum)
