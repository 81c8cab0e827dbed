"""The files of TSPLIB 95: instances of the symmetric and asymmetric travelling salesman problem.

Source: Reinelt, TSPLIB 95 (1995). Nothing is allocated by what a header says before the file has
been seen to hold it.
"""

from __future__ import annotations

from os import PathLike

import numpy as np

from cem.typing import Array
from problems.tsp.distances import DIMENSIONS, METRICS, as_map, between
from problems.tsp.keywords import Keywords, count, number, whole
from problems.tsp.problem import TSP

MOST_NODES = 5000  # their distances fill 200 MB
COMPUTED = sorted(name for name in METRICS if name.isupper())
ELSEWHERE = {  # known to the standard, but of no use here: why
    "CVRP": "a problem of vehicles",
    "SOP": "a problem with precedences",
    "HCP": "a problem without distances",
    "TOUR": "a tour: read it with read_tour",
}
NOT_COMPUTED = {
    "SPECIAL": "its distances are documented outside the file",
    "XRAY1": "its distances are those of one machine",
    "XRAY2": "its distances are those of one machine",
}
KINDS = {  # words on coordinates and pictures; which there are, the sections say
    "NODE_COORD_TYPE": ("TWOD_COORDS", "THREED_COORDS", "NO_COORDS"),
    "DISPLAY_DATA_TYPE": ("COORD_DISPLAY", "TWOD_DISPLAY", "NO_DISPLAY"),
}
LAYOUTS = {  # how an explicit matrix is written: as which triangle, by rows, with its diagonal
    "UPPER_ROW": ("upper", 1),
    "LOWER_ROW": ("lower", 1),
    "UPPER_DIAG_ROW": ("upper", 0),
    "LOWER_DIAG_ROW": ("lower", 0),
    "UPPER_COL": ("lower", 1),  # the upper triangle by columns is the lower one by rows
    "LOWER_COL": ("upper", 1),
    "UPPER_DIAG_COL": ("lower", 0),
    "LOWER_DIAG_COL": ("upper", 0),
}


def read_tsplib(path: str | PathLike[str]) -> TSP:
    """Read a file of TSPLIB 95 of TYPE TSP or ATSP.

    Nodes keep their numbers, from 1, as labels. Fixed edges of a symmetric problem are turned into
    one direction, so they must make one chain. The pictures' coordinates are the nodes' own or
    those of DISPLAY_DATA_SECTION; of GEO, longitude and latitude in degrees. Raises ValueError,
    naming the line, for whatever does not keep to the standard: unknown or repeated keywords,
    counts that differ from DIMENSION, numbers that are none; and for more than `MOST_NODES` nodes.
    """
    file = Keywords.read(path)
    kind = file.choice("TYPE", ("TSP", "ATSP"), ELSEWHERE)
    file.refuse(("CAPACITY", "EDGE_DATA_FORMAT", "DEPOT_SECTION", "DEMAND_SECTION"), kind)
    file.refuse(("EDGE_DATA_SECTION", "TOUR_SECTION"), kind)
    for key, known in KINDS.items():
        if key in file.header:
            file.choice(key, known, {})
    n = whole(file.where("DIMENSION"), file.value("DIMENSION"), 2, MOST_NODES)
    metric = file.choice("EDGE_WEIGHT_TYPE", ("EXPLICIT", *COMPUTED), NOT_COMPUTED)
    d, points = _explicit(file, n, kind) if metric == "EXPLICIT" else _computed(file, n, metric)
    display = _points(file, "DISPLAY_DATA_SECTION", n, 2)
    fixed = _fixed(file, n, directed=kind == "ATSP")
    coordinates, axes = display, ("x", "y")
    if display is None and points is not None:
        coordinates, axes = as_map(points, metric)
    try:
        return TSP(d, tuple(range(1, n + 1)), coordinates, fixed=fixed, axes=axes)
    except ValueError as error:
        raise ValueError(f"{file.path}: {error}") from error


def _computed(file: Keywords, n: int, metric: str) -> tuple[Array, Array | None]:
    """The distances by coordinates, and these."""
    file.refuse(("EDGE_WEIGHT_SECTION",), f"EDGE_WEIGHT_TYPE {metric}")
    if "EDGE_WEIGHT_FORMAT" in file.header:
        file.choice("EDGE_WEIGHT_FORMAT", ("FUNCTION",), {})
    file.lines("NODE_COORD_SECTION")
    points = _points(file, "NODE_COORD_SECTION", n, DIMENSIONS[metric])
    try:
        return between(points, metric), points
    except ValueError as error:
        raise ValueError(f"{file.where('NODE_COORD_SECTION')}: {error}") from error


def _explicit(file: Keywords, n: int, kind: str) -> tuple[Array, Array | None]:
    """The matrix of distances as it is written, and coordinates if there are."""
    layout = file.choice("EDGE_WEIGHT_FORMAT", ("FULL_MATRIX", *LAYOUTS), {})
    written = sum(len(text.split()) for _, text in file.lines("EDGE_WEIGHT_SECTION"))
    expected = _size(layout, n)
    if written != expected:
        fitting = [name for name in ("FULL_MATRIX", *LAYOUTS) if _size(name, n) == written]
        cause = f"likely {fitting[0]}" if fitting else "the file or its header is likely damaged"
        raise ValueError(
            f"{file.where('EDGE_WEIGHT_SECTION')}: expected {expected} numbers, {layout} of {n} "
            f"nodes; got {written}: {cause}"
        )
    numbers = np.array(list(file.numbers("EDGE_WEIGHT_SECTION")))
    points = _points(file, "NODE_COORD_SECTION", n, 2)
    if layout != "FULL_MATRIX":
        triangle, offset = LAYOUTS[layout]
        at = np.triu_indices(n, offset) if triangle == "upper" else np.tril_indices(n, -offset)
        d = np.zeros((n, n), dtype=numbers.dtype)
        d[at] = numbers
        d.T[at] = numbers
        return d, points
    d = numbers.reshape(n, n)
    if kind == "TSP" and (odd := d != d.T).any():
        i, j = (int(k) for k in np.argwhere(odd)[0])
        raise ValueError(
            f"{file.where('EDGE_WEIGHT_SECTION')}: a TSP has the same distance both ways; got "
            f"{d[i, j]} from {i + 1} to {j + 1}, {d[j, i]} back: TYPE should likely be ATSP"
        )
    return d, points


def _size(layout: str, n: int) -> int:
    if layout == "FULL_MATRIX":
        return n * n
    return n * (n - 1) // 2 if LAYOUTS[layout][1] else n * (n + 1) // 2


def _points(file: Keywords, section: str, n: int, d: int) -> Array | None:
    """A node number and ``d`` coordinates in every line of a section; None if it is not there."""
    if section not in file.sections:
        return None
    lines = file.lines(section)
    if len(lines) != n:
        raise ValueError(
            f"{file.where(section)}: expected {n} lines, one per node as DIMENSION says; got "
            f"{len(lines)}: {'lines are missing' if len(lines) < n else 'DIMENSION is too small'}"
        )
    points, seen = np.empty((n, d)), np.zeros(n, dtype=bool)
    for line, text in lines:
        where, words = file.at(line), text.split()
        if len(words) != d + 1:
            raise ValueError(f"{where}: expected a node and {d} coordinates; got {text[:60]!r}")
        node = whole(where, words[0], 1, n) - 1
        if seen[node]:
            raise ValueError(f"{where}: node {node + 1} is listed more than once")
        seen[node] = True
        points[node] = [number(where, word) for word in words[1:]]
    return points


def _fixed(file: Keywords, n: int, *, directed: bool) -> list[tuple[int, int]]:
    """The fixed edges by numbers from 0, in the direction in which they are to be travelled."""
    if "FIXED_EDGES_SECTION" not in file.sections:
        return []
    nodes = [node - 1 for node in file.until_minus_one("FIXED_EDGES_SECTION", n)]
    where = file.where("FIXED_EDGES_SECTION")
    if len(nodes) % 2:
        raise ValueError(f"{where}: expected pairs of nodes; got {count(len(nodes), 'node')}")
    edges = list(zip(nodes[::2], nodes[1::2], strict=True))
    if loops := [i for i, j in edges if i == j]:
        raise ValueError(f"{where}: node {loops[0] + 1} cannot follow itself")
    return edges if directed else _one_way(edges, where)


def _one_way(edges: list[tuple[int, int]], where: str) -> list[tuple[int, int]]:
    """The edges of a chain from one of its ends to the other; of a ring, around it."""
    beside: dict[int, set[int]] = {}
    for i, j in edges:
        beside.setdefault(i, set()).add(j)
        beside.setdefault(j, set()).add(i)
    if crossing := [i for i, near in beside.items() if len(near) > 2]:
        raise ValueError(f"{where}: node {crossing[0] + 1} has more than two fixed edges")
    ends = [i for i, near in beside.items() if len(near) == 1]
    node = start = min(ends or beside, default=0)
    chain: list[tuple[int, int]] = []
    left = {frozenset(edge) for edge in edges}
    while onward := sorted(k for k in beside.get(node, ()) if frozenset((node, k)) in left):
        chain.append((node, onward[0]))
        left.remove(frozenset(chain[-1]))
        node = onward[0]
    if left:
        i, j = sorted(next(iter(left)))
        raise ValueError(
            f"{where}: fixed edges of a symmetric problem must make one chain, for edges are fixed "
            f"here in one direction; {i + 1} {j + 1} is not on the chain of {start + 1}"
        )
    return chain
