"""QAPLIB: its file format, and nug12 typed in as facts."""

from __future__ import annotations

from os import PathLike

import numpy as np

from problems.qap.problem import QAP
from problems.tables import Numbers

MOST = 1000  # facilities; a header beyond it is a mistake

# C. E. Nugent, T. E. Vollmann, J. Ruml, An experimental comparison of techniques for the assignment
# of facilities to locations, Operations Research 16 (1968) 150-173: the flows between 12
# facilities. The locations are the cells of a grid, 3 by 4, and distances are walked along it.
NUG12 = """
    0 5 2 4 1 0 0 6 2 1 1 1
    5 0 3 0 2 2 2 0 4 5 0 0
    2 3 0 0 0 0 0 5 5 2 2 2
    4 0 0 0 5 2 2 10 0 0 5 5
    1 2 0 5 0 10 0 0 0 5 1 1
    0 2 0 2 10 0 5 1 1 5 4 0
    0 2 0 2 0 5 0 10 5 2 3 3
    6 0 5 10 0 1 10 0 0 0 5 0
    2 4 5 0 0 1 5 0 0 0 10 10
    1 5 2 0 5 5 2 0 0 0 5 0
    1 0 2 5 1 4 3 5 10 5 0 2
    1 0 2 5 1 0 3 0 10 0 2 0
"""


def nug12() -> QAP:
    """Twelve facilities on a grid of 3 rows and 4 columns; the least cost is 578.

    >>> nug12().distance[0].tolist()
    [0.0, 1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 4.0, 2.0, 3.0, 4.0, 5.0]
    """
    row, column = np.divmod(np.arange(12), 4)
    distance = np.abs(row[:, None] - row) + np.abs(column[:, None] - column)
    return QAP(Numbers("nug12", NUG12).table(12, 12), distance, 578.0)


def read_qaplib(path: str | PathLike[str]) -> QAP:
    """Read a QAPLIB file: ``n``, then two tables of ``n`` by ``n`` numbers.

    The first is taken as the flow and the second as the distance; the other way round the costs
    are the same, but an assignment is the inverse permutation. Raises ValueError, naming the file,
    if it does not keep to that.
    """
    numbers = Numbers.of_file(path)
    n = numbers.size("n, the number of facilities", 1, MOST)
    flow, distance = numbers.table(n, n), numbers.table(n, n)
    numbers.end()
    try:
        return QAP(flow, distance)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
