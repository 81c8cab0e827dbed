"""Graph files: the rudy format of the G-set and the Biq Mac library."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np

from problems.maxcut.problem import MaxCut

MOST_NODES = 10_000_000  # more than any graph in this format; a header beyond it is a mistake


def read_rudy(path: str | PathLike[str]) -> MaxCut:
    """Read a max-cut problem from a rudy file: ``n m``, then ``m`` lines ``i j [weight]``.

    Nodes count from 1 and keep these numbers as labels. Words after the first two of the header
    are ignored (G1 of the G-set has one), and so are blank lines at the end. Raises ValueError,
    naming the line, if the file does not keep to that.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8").rstrip().split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not a text file: expected a graph in rudy format") from error
    n, m = _header(path, lines[0])
    if len(lines) - 1 != m:
        raise ValueError(
            f"{path}: the header announces {m} edges, but {len(lines) - 1} lines follow it; the "
            "file is likely truncated or its header wrong"
        )
    ends, weight = np.empty((m, 2), dtype=np.int64), np.ones(m)
    for row, line in enumerate(lines[1:]):
        ends[row], weight[row] = _edge(f"{path}, line {row + 2}", line, n)
    seen = np.sort(ends, axis=1) @ np.array([n + 1, 1])
    first, count = np.unique(seen, return_counts=True)
    if (count > 1).any():
        i, j = divmod(int(first[count > 1][0]), n + 1)
        raise ValueError(f"{path}: the edge {i} {j} is listed more than once")
    return MaxCut(ends - 1, weight, n, tuple(range(1, n + 1)))


def _header(path: Path, line: str) -> tuple[int, int]:
    words = line.split()
    try:
        n, m = _whole(words[0]), _whole(words[1])
    except (IndexError, ValueError) as error:
        raise ValueError(
            f"{path}, line 1: expected the numbers of nodes and edges, such as '800 19176'; got "
            f"{line[:60]!r}"
        ) from error
    if not 1 <= n <= MOST_NODES or m < 1:
        raise ValueError(
            f"{path}, line 1: expected 1 to {MOST_NODES} nodes and at least one edge; got {n} "
            f"nodes and {m} edges"
        )
    return n, m


def _edge(where: str, line: str, n: int) -> tuple[tuple[int, int], float]:
    words = line.split()
    try:
        i, j, *rest = words
        ends, weight = (_whole(i), _whole(j)), float(*map(_ascii, rest)) if rest else 1.0
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}: expected 'i j weight'; got {line[:60]!r}") from error
    if not (1 <= ends[0] <= n and 1 <= ends[1] <= n):
        raise ValueError(f"{where}: nodes count from 1 to {n}; got {line[:60]!r}")
    if ends[0] == ends[1]:
        raise ValueError(f"{where}: a self-loop is never cut; got {line[:60]!r}")
    if not np.isfinite(weight):
        raise ValueError(f"{where}: a weight must be finite; got {line[:60]!r}")
    return ends, weight


def _ascii(word: str) -> str:
    """The word, unless Python would read more into it than the format does: ``1_0``."""
    if "_" in word or not word.isascii():
        raise ValueError(word)
    return word


def _whole(word: str) -> int:
    return int(_ascii(word))
