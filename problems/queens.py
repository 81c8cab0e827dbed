"""The n queens: one in every column of a chessboard, no two on a line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cem.families import Categorical
from cem.typing import Array, Batch, Vector
from problems import check_whole


@dataclass(frozen=True)
class NQueens:
    """Score: minus the number of pairs of queens in one row or diagonal; 0 is the ``optimum``.

    ``x[j]``, from 0 to ``n - 1``, is the row of the queen in column ``j``. A pair attacks even
    if a third queen stands between the two. On 2 by 2 and 3 by 3 boards there is no solution.

    >>> NQueens(4)(np.array([[1, 3, 0, 2], [0, 1, 2, 2]]))
    array([ 0., -4.])
    """

    n: int = 8

    optimum = 0.0

    def __post_init__(self) -> None:
        check_whole("n, the number of queens,", self.n, 4)

    def __call__(self, x: Batch) -> Vector:
        """The scores of boards ``x`` of shape ``(n_samples, n)``."""
        x, column = self._checked(x), np.arange(self.n)
        falling, rising = x - column + self.n - 1, x + column
        return 0.0 - _pairs(x) - _pairs(falling) - _pairs(rising)

    def nominal(self) -> Categorical:
        """Every row as likely as any other, in every column."""
        return Categorical(np.full((self.n, self.n), 1 / self.n))

    def _checked(self, x: Batch) -> Array:
        x = np.asarray(x)
        if x.ndim != 2 or x.shape[1] != self.n:
            raise ValueError(f"expected boards of shape (n_samples, {self.n}); got {x.shape}")
        row = x.astype(np.int64)
        if (bad := (row != x) | (row < 0) | (row >= self.n)).any():
            i, j = (int(k) for k in np.argwhere(bad)[0])
            raise ValueError(
                f"expected whole numbers of rows from 0 to {self.n - 1}; got {x[i, j]} at index "
                f"{(i, j)}"
            )
        return row


problem = NQueens


def _pairs(line: Array) -> Vector:
    """How many pairs of every board share a line, for the number of each queen's line."""
    n, width = len(line), 2 * line.shape[1] - 1
    cell = line + width * np.arange(n)[:, None]
    queens = np.bincount(cell.ravel(), minlength=n * width).reshape(n, width)
    return (queens * (queens - 1) / 2).sum(axis=1)
