"""Graph files for max-cut: rudy (G-set, Biq Mac), DIMACS, and tables of edges."""

from __future__ import annotations

import csv
from collections.abc import Callable, Hashable, Iterable
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from problems.maxcut.problem import MaxCut
from problems.tables import read_text

MOST_NODES = 1_000_000  # a header beyond it is a mistake
MOST_BYTES = 2**30
HEADS = ("i", "u", "from", "source", "node1", "node_1")  # of a first column without weights
SUFFIXES = (".csv", ".tsv")

Edge = tuple[Any, Any, float]  # as written
Labels = tuple[Hashable, ...]
Line = tuple[str, list[str]]  # where it stands, its words


def read_graph(path: str | PathLike[str]) -> MaxCut:
    """Read a graph file in whatever of the formats it is in.

    A table of edges is known by its name, ``.csv`` or ``.tsv``; DIMACS by a first line that begins
    with ``c``, ``p`` or ``MAX-CUT``; all else is rudy. Raises ValueError as these readers do.
    """
    path = Path(path)
    if path.suffix.lower() in SUFFIXES:
        return read_edges(path)
    with path.open("rb") as file:
        first = file.read(80).split()[:1]
    dimacs = bool(first) and first[0].lower() in {b"c", b"p", b"max-cut"}
    return read_dimacs(path) if dimacs else read_rudy(path)


def read_rudy(path: str | PathLike[str]) -> MaxCut:
    """Read a max-cut problem from a rudy file: ``n m``, then ``m`` lines ``i j [weight]``.

    Nodes count from 1 and keep these numbers as labels. Words after the first two of the header
    are ignored (G1 of the G-set has one), and so are blank lines at the end. Raises ValueError,
    naming the line, if the file does not keep to that.
    """
    path = Path(path)
    lines = read_text(path, "a graph in rudy format", MOST_BYTES).rstrip().split("\n")
    n, m = _header(path, 1, lines[0], lines[0].split())
    body = [(f"{path}, line {row}", line.split()) for row, line in enumerate(lines[1:], start=2)]
    return _numbered(path, n, m, body)


def read_dimacs(path: str | PathLike[str]) -> MaxCut:
    """Read a DIMACS graph: ``p edge n m``, then ``m`` lines ``e i j [weight]``; ``c`` comments.

    The second word of the header may also be ``col`` or another. The max-cut variant is read too:
    ``MAX-CUT n m`` and lines ``i j [weight]``. Nodes count from 1. Raises ValueError, naming the
    line, for what does not keep to that, and for an edge listed more than once, also turned round.
    """
    path = Path(path)
    lines = read_text(path, "a graph in DIMACS format", MOST_BYTES).split("\n")
    kept = [(row, line) for row, line in enumerate(lines, start=1) if line.split()[:1] != ["c"]]
    kept = [(row, line) for row, line in kept if line.strip()]
    if not kept:
        raise ValueError(f"{path}: expected a line 'p edge n m'; got comments only")
    row, head = kept[0]
    words = head.split()
    bare = words[0].lower() == "max-cut"
    if not bare and words[0] != "p":
        raise ValueError(f"{path}, line {row}: expected 'p edge n m' first; got {head[:60]!r}")
    n, m = _header(path, row, head, words[1:] if bare else words[2:])
    body = []
    for row, line in kept[1:]:
        where, words = f"{path}, line {row}", line.split()
        if not bare and words[0] != "e":
            raise ValueError(f"{where}: expected 'e i j weight'; got {line[:60]!r}")
        body.append((where, words if bare else words[1:]))
    return _numbered(path, n, m, body)


def read_edges(path: str | PathLike[str]) -> MaxCut:
    """Read a table of edges: a row ``i,j[,weight]`` each, with or without a row of headings.

    The separator is the comma, or the tab if the name ends in ``.tsv``. Labels may be words; where
    all are whole numbers they are read as such. Nodes are in the order in which they come up. The
    first row is taken as headings if its weight is no number or its first word is one of ``i``,
    ``u``, ``from``, ``source`` and ``node1``. Raises ValueError, naming the line, for bad rows, and
    for an edge listed more than once.
    """
    path = Path(path)
    text = read_text(path, "a table of edges", MOST_BYTES).removeprefix("\ufeff").split("\n")
    reader = csv.reader(text, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
    try:
        rows = [(reader.line_num, [word.strip() for word in row]) for row in reader]
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: {error}") from error
    rows = [(at, words) for at, words in rows if any(words)]
    if rows and _is_heading(rows[0][1]):
        del rows[0]
    edges = [_edge(f"{path}, line {at}", words, str) for at, words in rows]
    names = dict.fromkeys(name for i, j, _ in edges for name in (i, j))
    whole = all(_is(_whole, name) for name in names)
    labels: Labels = tuple(int(name) if whole else name for name in names)
    if len(set(labels)) < len(labels):
        raise ValueError(f"{path}: a node is written in two ways, such as 1 and 01")
    number = {name: k for k, name in enumerate(names)}
    return _graph(path, [(number[i], number[j]) for i, j, _ in edges], edges, labels)


def of_matrix(matrix: Any) -> MaxCut:
    """The max-cut problem of a symmetric matrix of weights, dense or of `scipy.sparse`.

    What stands at ``(i, j)`` and at ``(j, i)`` is the weight of that edge, once; zeros are none.
    Raises ValueError for what is not square, symmetric and finite, or has a diagonal.

    >>> of_matrix([[0, 2, 0], [2, 0, 3], [0, 3, 0]]).ends
    array([[0, 1], [1, 2]])
    """
    from scipy.sparse import coo_array, triu

    weights = coo_array(matrix)
    if weights.ndim != 2 or weights.shape[0] != weights.shape[1]:
        raise ValueError(f"expected a square matrix of weights; got shape {weights.shape}")
    if weights.dtype.kind not in "biuf":
        raise TypeError(f"weights must be real numbers; got dtype {weights.dtype}")
    weights = weights.astype(float)
    if not np.isfinite(weights.data).all():
        raise ValueError("weights must be finite; got NaN or infinity in the matrix")
    if (difference := weights - weights.T).count_nonzero():
        i, j = (int(k[0]) for k in difference.nonzero())
        raise ValueError(
            f"expected a symmetric matrix, every edge in both places; got different weights at "
            f"({i}, {j}) and ({j}, {i})"
        )
    if (loops := weights.diagonal()).any():
        raise ValueError(
            f"a self-loop is never cut: got {loops[loops != 0][0]:g} on the diagonal at node "
            f"{int(np.flatnonzero(loops)[0])}; set the diagonal to zero"
        )
    upper = triu(weights.tocsr(), format="coo")
    upper.eliminate_zeros()
    return MaxCut(np.stack([upper.row, upper.col], axis=1), upper.data, weights.shape[0])


def _header(path: Path, row: int, line: str, words: list[str]) -> tuple[int, int]:
    try:
        n, m = _whole(words[0]), _whole(words[1])
    except (IndexError, ValueError) as error:
        raise ValueError(
            f"{path}, line {row}: expected the numbers of nodes and edges, such as '800 19176'; "
            f"got {line[:60]!r}"
        ) from error
    if not 1 <= n <= MOST_NODES or m < 1:
        raise ValueError(
            f"{path}, line {row}: expected 1 to {MOST_NODES} nodes and at least one edge; got "
            f"{n} nodes and {m} edges"
        )
    return n, m


def _numbered(path: Path, n: int, m: int, body: list[Line]) -> MaxCut:
    """The graph of a header and lines of edges between nodes from 1 to ``n``."""
    if len(body) != m:
        raise ValueError(
            f"{path}: the header announces {m} edges, but {len(body)} lines follow it; the file is "
            "likely truncated or its header wrong"
        )
    edges = [_edge(where, words, _whole) for where, words in body]
    for (where, words), (i, j, _) in zip(body, edges, strict=True):
        if not (1 <= i <= n and 1 <= j <= n):
            raise ValueError(f"{where}: nodes count from 1 to {n}; got {_quoted(words)}")
    return _graph(path, [(i - 1, j - 1) for i, j, _ in edges], edges, tuple(range(1, n + 1)))


def _edge(where: str, words: list[str], name: Callable[[str], Any]) -> Edge:
    try:
        first, second, *rest = words
        i, j = name(first), name(second)
        weight = float(*map(_ascii, rest)) if rest else 1.0
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}: expected 'i j weight'; got {_quoted(words)}") from error
    if i == "" or j == "":
        raise ValueError(f"{where}: a node has no label; got {_quoted(words)}")
    if i == j:
        raise ValueError(f"{where}: a self-loop is never cut; got {_quoted(words)}")
    if not np.isfinite(weight):
        raise ValueError(f"{where}: a weight must be finite; got {_quoted(words)}")
    return i, j, weight


def _graph(path: Path, ends: list[tuple[int, int]], edges: list[Edge], labels: Labels) -> MaxCut:
    """The graph of these edges between nodes numbered from 0, none twice."""
    if not edges:
        raise ValueError(f"{path}: a cut needs edges; got none")
    pairs, weight = np.array(ends, dtype=np.int64), np.array([w for *_, w in edges])
    key = np.sort(pairs, axis=1) @ np.array([len(labels), 1])
    first, count = np.unique(key, return_counts=True)
    if (count > 1).any():
        i, j = (labels[k] for k in divmod(int(first[count > 1][0]), len(labels)))
        raise ValueError(f"{path}: the edge {i} {j} is listed more than once")
    return MaxCut(pairs, weight, len(labels), labels)


def _is_heading(words: list[str]) -> bool:
    weight = words[2] if len(words) == 3 else ""
    return words[0].lower() in HEADS or bool(weight and not _is(float, weight))


def _is(kind: Callable[[str], Any], word: str) -> bool:
    try:
        kind(word)
    except ValueError:
        return False
    return True


def _ascii(word: str) -> str:
    """The word, unless Python would read more into it than the format does: ``1_0``."""
    if "_" in word or not word.isascii():
        raise ValueError(word)
    return word


def _whole(word: str) -> int:
    return int(_ascii(word))


def _quoted(words: Iterable[str]) -> str:
    return repr(" ".join(words)[:60])
