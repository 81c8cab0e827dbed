"""Continuous, whole and categorical variables that depend on each other, to be minimised."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from cem.families import Categorical, Normal
from cem.families.product import Product
from cem.families.rounded_normal import RoundedNormal
from cem.typing import Batch, Vector
from problems import check_whole

LARGEST, MIDDLE = 10, 5.0  # a count is 0, 1, ..., LARGEST
STD = 2.5  # of the positions at the start, around 0


@dataclass(frozen=True)
class Mixed:
    """Score: a sum of squares over positions, counts and kinds; 0, the least, at one point only.

    A sample is a record with the fields ``position`` (floats), ``count`` (0 to 10) and ``kind``
    (0 to ``n_kinds - 1``, in no order), of as many coordinates as ``positions``, ``counts`` and
    ``kinds`` say. With ``e = 1`` for a wrong kind and 0 for the right one, ``m = count - best`` and
    ``u = position - best - e`` the value is

    ``sum_i (1 + |m|) u_i^2 + 4 sum_j (1 + e) m_j^2 + 20 sum_l e_l``

    where the ``e`` and ``m`` beside a variable of another sort are those at its index, modulo how
    many there are: a wrong kind moves the best position, and whatever is wrong weighs down others.

    >>> f = Mixed()
    >>> f.x_best["count"], f.x_best["kind"]
    (array([3, 4, 5]), array([1, 2, 3]))
    >>> f(np.array([f.x_best]))
    array([0.])
    """

    positions: int = 5
    counts: int = 3
    kinds: int = 3
    n_kinds: int = 4

    def __post_init__(self) -> None:
        for field in fields(self):
            least = 2 if field.name == "n_kinds" else 1
            check_whole(field.name, getattr(self, field.name), least)

    def __call__(self, x: Batch) -> Vector:
        """The values of a batch of records, shape ``(n,)``."""
        x, best = self._checked(x), self.x_best
        wrong = (x["kind"] != best["kind"]).astype(float)
        off = x["count"] - best["count"]
        far = x["position"] - best["position"] - _cycled(wrong, self.positions)
        positions = (1 + np.abs(_cycled(off, self.positions))) * np.square(far)
        counts = (1 + _cycled(wrong, self.counts)) * np.square(off)
        return positions.sum(axis=1) + 4 * counts.sum(axis=1) + 20 * wrong.sum(axis=1)

    def nominal(self) -> Product:
        """Positions normal around 0, counts around the middle of their range; any kind alike."""
        return Product(
            position=Normal(np.zeros(self.positions), np.full(self.positions, STD)),
            count=RoundedNormal(
                np.full(self.counts, MIDDLE), np.full(self.counts, MIDDLE), low=0, high=LARGEST
            ),
            kind=Categorical(np.full((self.kinds, self.n_kinds), 1 / self.n_kinds)),
        )

    @property
    def x_best(self) -> Any:
        """Where the least value is taken, and nowhere else: a record."""
        # positions -1.7, ..., 2.3, counts 3, ..., 7 and kinds 1, 2, ..., 0, over and over again
        best = np.zeros(1, self._dtype)
        best["position"] = np.arange(self.positions) % 5 - 1.7
        best["count"] = 3 + np.arange(self.counts) % 5
        best["kind"] = (1 + np.arange(self.kinds)) % self.n_kinds
        return best[0]

    def exact(self) -> float:
        """The known answer to compare a result with: the least value."""
        return 0.0

    @property
    def _dtype(self) -> np.dtype[Any]:
        return np.dtype(
            [
                ("position", float, (self.positions,)),
                ("count", np.int64, (self.counts,)),
                ("kind", np.int64, (self.kinds,)),
            ]
        )

    def _checked(self, x: Batch) -> Batch:
        if np.ndim(x) != 1 or getattr(x, "dtype", None) != self._dtype:
            raise ValueError(
                f"expected records of shape (n,) with position, count and kind, {self._dtype}; got "
                f"shape {np.shape(x)} of {getattr(x, 'dtype', type(x).__name__)}"
            )
        return x


def _cycled(x: Batch, n: int) -> Batch:
    """``n`` columns: those of ``x`` over and over again."""
    return x[:, np.arange(n) % x.shape[1]]


problem = Mixed
