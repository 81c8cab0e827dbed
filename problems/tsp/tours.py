"""Tours in files: the .tour format of TSPLIB 95, read and written."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np

from cem.families.permutations import are_permutations
from cem.typing import Batch
from problems.tsp.keywords import Keywords, whole


def read_tour(path: str | PathLike[str]) -> Batch:
    """The order of the nodes in a file of TYPE TOUR, numbered from 0, int64 of shape ``(n,)``.

    Raises ValueError, naming the line, for whatever is no tour: nodes that are missing or come
    twice, another number of them than DIMENSION says, an end without -1.
    """
    file = Keywords.read(path)
    file.choice("TYPE", ("TOUR",), {"TSP": "an instance: read it with read_tsplib"})
    nodes = np.array(file.until_minus_one("TOUR_SECTION"), dtype=object)
    where, n = file.where("TOUR_SECTION"), len(nodes)
    if "DIMENSION" in file.header:
        said = whole(file.where("DIMENSION"), file.value("DIMENSION"), 1)
        if said != n:
            raise ValueError(f"{where}: expected {said} nodes, as DIMENSION says; got {n}")
    if n == 0:
        raise ValueError(f"{where}: expected a tour; got no node")
    missing = sorted(set(range(1, n + 1)) - set(nodes.tolist()))
    if missing:
        raise ValueError(
            f"{where}: expected every node from 1 to {n} once; node {missing[0]} is missing"
        )
    return nodes.astype(np.int64) - 1


def write_tour(path: str | PathLike[str], x: Batch, *, comment: str = "") -> None:
    """Write a tour, nodes numbered from 0 in ``x`` and from 1 in the file, one in every line.

    Raises ValueError for what is no tour, or a comment of more than one line.
    """
    x = np.asarray(x)
    if x.ndim != 1 or x.dtype.kind not in "iu" or not are_permutations(x[None]).all():
        raise ValueError(f"expected one tour that holds every node from 0 on once; got {x}")
    if len(x) == 0 or not comment.isprintable():
        raise ValueError(f"expected at least one node and a comment of one line; got {comment!r}")
    path = Path(path)
    header = [f"NAME : {path.name}", "TYPE : TOUR", f"DIMENSION : {len(x)}"]
    header += [f"COMMENT : {comment}"] if comment else []
    lines = [*header, "TOUR_SECTION", *(str(node + 1) for node in x.tolist()), "-1", "EOF"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
