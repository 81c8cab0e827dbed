"""Max-cut: the problem, its files, its local searches and graphs with a known optimum."""

from __future__ import annotations

from os import PathLike
from typing import Any

from problems.maxcut.files import of_matrix, read_dimacs, read_edges, read_graph, read_rudy
from problems.maxcut.local_search import Annealing, Iterated, OneFlip, Tabu
from problems.maxcut.problem import MaxCut
from problems.maxcut.synthetic import two_blocks

__all__ = [
    "Annealing",
    "Iterated",
    "MaxCut",
    "OneFlip",
    "Tabu",
    "of_matrix",
    "problem",
    "read_dimacs",
    "read_edges",
    "read_graph",
    "read_rudy",
    "two_blocks",
]


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
    """Max-cut of a graph file, a networkx graph or a matrix; by default of `two_blocks`.

    >>> problem(n=10, m=5).optimum
    25.0
    """
    if graph is None:
        return two_blocks(n, m, low=low, high=high, between=between, seed=graph_seed)
    if isinstance(graph, str | PathLike):
        return read_graph(graph)
    return MaxCut.of(graph) if hasattr(graph, "is_directed") else of_matrix(graph)
