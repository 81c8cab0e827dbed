"""Where a density is positive: a box of ``R^d``, or the whole numbers in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cem.typing import Array, Batch, Family


@dataclass(frozen=True, eq=False)
class Support:
    """The points ``low <= x <= high`` of ``R^d``; only the whole ones if ``discrete``.

    ``low`` and ``high`` have shape ``(d,)`` and may be infinite.

    >>> positive = Support(np.zeros(1), np.full(1, np.inf))
    >>> positive.within(Support(np.full(1, -np.inf), np.full(1, np.inf)))
    True
    """

    low: Array
    high: Array
    discrete: bool = False

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
