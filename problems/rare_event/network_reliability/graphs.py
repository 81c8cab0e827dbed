"""Networks by name, from a file, or from networkx."""

from __future__ import annotations

import re
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import networkx as nx

NAMES = "bridge, dodecahedron, petersen, K5 (any complete graph), grid3x3 (any grid)"


def network(graph: str | PathLike[str] | Any) -> nx.Graph:
    """The networkx graph of that name or in that file; a graph is returned as it is.

    A grid is numbered row by row from 0. In a file every line is an edge, ``i j`` or ``i j q``, and
    what follows ``#`` is a comment.

    >>> sorted(network("bridge").edges)
    [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3)]
    """
    if not isinstance(graph, str | PathLike):
        return graph
    named = _named(str(graph))
    return read_edges(graph) if named is None else named


def read_edges(path: str | PathLike[str]) -> nx.MultiGraph:
    """The graph of an edge list; a third number on a line is the attribute ``q`` of that edge.

    Nodes whose names are whole numbers are numbers. Raises ValueError, naming the line, if the file
    does not keep to that, or is not there and has no known name either.
    """
    import networkx as nx

    path = Path(path)
    if not path.is_file():
        raise ValueError(f"there is no graph file {str(path)!r}, nor a graph of that name: {NAMES}")
    graph = nx.MultiGraph()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        try:
            i, j, *rest = words
            given = {"q": float(*rest)} if rest else {}
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{path}, line {number}: expected 'i j' or 'i j q'; got {line[:60]!r}"
            ) from error
        graph.add_edge(_label(i), _label(j), **given)
    return graph


def _label(word: str) -> int | str:
    return int(word) if word.isascii() and word.isdigit() else word


def _named(name: str) -> nx.Graph | None:
    import networkx as nx

    if name == "bridge":
        return nx.Graph([(0, 1), (0, 2), (1, 2), (1, 3), (2, 3)])
    if name == "dodecahedron":
        return nx.dodecahedral_graph()
    if name == "petersen":
        return nx.petersen_graph()
    if complete := re.fullmatch(r"K(\d{1,3})", name):
        return nx.complete_graph(int(complete[1]))
    if grid := re.fullmatch(r"grid(\d{1,3})x(\d{1,3})", name):
        return nx.convert_node_labels_to_integers(nx.grid_2d_graph(int(grid[1]), int(grid[2])))
    return None
