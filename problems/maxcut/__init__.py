"""Max-cut: the problem, its files and a family of graphs with a known optimum."""

from __future__ import annotations

from os import PathLike
from typing import Any

from problems.maxcut.files import read_rudy
from problems.maxcut.problem import MaxCut
from problems.maxcut.synthetic import two_blocks

__all__ = ["MaxCut", "problem", "read_rudy", "two_blocks"]


def problem(
    graph: str | PathLike[str] | Any = None,
    *,
    n: int = 400,
    m: int = 200,
    low: float = 0.0,
    high: float = 1.0,
    between: float = 1.0,
    graph_seed: int = 0,
) -> MaxCut:
    """Max-cut of a graph file (rudy, G-set) or a networkx graph; by default of `two_blocks`.

    >>> problem(n=10, m=5).optimum
    25.0
    """
    if graph is None:
        return two_blocks(n, m, low=low, high=high, between=between, seed=graph_seed)
    if isinstance(graph, str | PathLike):
        return read_rudy(graph)
    return MaxCut.of(graph)
