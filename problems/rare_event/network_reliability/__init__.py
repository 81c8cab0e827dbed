"""Network reliability: exactly for small networks, by permutation Monte Carlo for others."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from os import PathLike
from typing import Any

from problems.rare_event.network_reliability.exact import unreliability
from problems.rare_event.network_reliability.graphs import network, read_edges
from problems.rare_event.network_reliability.orders import RepairOrders
from problems.rare_event.network_reliability.problem import NetworkReliability, RepairTimes

__all__ = [
    "NetworkReliability",
    "RepairOrders",
    "RepairTimes",
    "problem",
    "read_edges",
    "unreliability",
]


def problem(
    graph: str | PathLike[str] | Any = "dodecahedron",
    *,
    terminals: str | Iterable[Hashable] = "all",
    q: float | Iterable[float] | None = None,
) -> NetworkReliability:
    """Network reliability of a graph by name, in a file, or of networkx.

    ``terminals`` are node labels, in a list or in a text with commas, or "all"; ``q`` is one
    failure probability or one for every edge. Without it edges have their own, or all 1e-3.

    >>> problem("bridge", terminals="0,3", q=0.1).exact().__round__(12)
    0.02152
    """
    found = network(graph)
    if isinstance(terminals, str) and terminals != "all":
        label = {str(node): node for node in found}
        terminals = [label.get(word.strip(), word.strip()) for word in terminals.split(",")]
    if q is None and not any("q" in data for *_, data in found.edges(data=True)):
        q = 1e-3
    return NetworkReliability.of(found, terminals, q)
