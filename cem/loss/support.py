"""Where the samples of a density fall: a box of ``R^d``, or the whole numbers in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from cem.typing import Array, Batch, Family


@dataclass(frozen=True, eq=False)
class Support:
    """The closed box ``low <= x <= high`` that no sample leaves; its whole points if ``discrete``.

    ``low`` and ``high`` have shape ``(d,)`` and may be infinite. At an end the density may be zero:
    that of a gamma variable is, at 0.

    >>> Support.positive(1).within(Support.everywhere(1))
    True
    """

    low: Array
    high: Array
    discrete: bool = False

    @classmethod
    def everywhere(cls, d: int) -> Self:
        """All of ``R^d``."""
        return cls(np.full(d, -np.inf), np.full(d, np.inf))

    @classmethod
    def positive(cls, d: int) -> Self:
        """From zero on, in all of ``d`` coordinates."""
        return cls(np.zeros(d), np.full(d, np.inf))

    def holds(self, x: Batch) -> Any:
        """Which points of a batch ``(n, d)`` are in it? A single point ``(d,)`` is one."""
        x = np.asarray(x)
        inside = (x >= self.low) & (x <= self.high) & np.isfinite(x)
        return (inside & (np.floor(x) == x) if self.discrete else inside).all(axis=-1)

    def within(self, other: Support) -> bool:
        """Does a density with this support have no mass where one with the other has none?"""
        inside = (self.low >= other.low).all() and (self.high <= other.high).all()
        return bool(inside) and self.discrete == other.discrete


def support_of(f: Family) -> Support | None:
    """What the family says of its support, if it does: not every family needs to."""
    of: Any = getattr(f, "support", None)
    return None if of is None else of()
