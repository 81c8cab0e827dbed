"""Graphs of networkx with numbers on their edges: what the problems on them share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import networkx as nx


def weighted_edges(graph: nx.Graph, attribute: str, what: str) -> list[tuple[int, int, Any]]:
    """The edges ``(i, j, number)``, ``i`` the ``i``-th node; 1 for those without the attribute.

    Raises TypeError, naming the edge, for what is no real number; ``what`` they are in the message.

    >>> import networkx as nx
    >>> weighted_edges(nx.Graph([("a", "b"), ("b", "c", {"km": 2.5})]), "km", "lengths")
    [(0, 1, 1), (1, 2, 2.5)]
    """
    number = {node: i for i, node in enumerate(graph)}
    edges = []
    for u, v, value in graph.edges(data=attribute, default=1):
        if isinstance(value, str) or not np.isscalar(value) or np.iscomplexobj(value):
            raise TypeError(f"{what} must be real numbers; got {value!r} on edge ({u!r}, {v!r})")
        edges.append((number[u], number[v], value))
    return edges
