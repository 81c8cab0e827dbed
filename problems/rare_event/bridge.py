"""The five-edge bridge of the CE tutorial: is the shortest way across longer than gamma?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cem.families import Exponential
from cem.typing import Batch, Vector

MEAN_LENGTH = (0.25, 0.4, 0.1, 0.3, 0.2)  # de Boer et al. (2005), section 2


@dataclass(frozen=True)
class Bridge:
    """Score: the length of the shortest path from A to B; the event is ``S >= gamma``.

    The edges 1 and 2 leave A, 4 and 5 arrive at B, and 3 is the bridge between the two ways. Their
    lengths are independent exponentials with means 0.25, 0.4, 0.1, 0.3 and 0.2. Source: de Boer,
    Kroese, Mannor and Rubinstein, Annals of Operations Research 134 (2005).

    >>> Bridge()(np.array([[1.0, 2.0, 0.25, 3.0, 0.5]]))
    array([1.75])
    """

    gamma: float = 2.0

    def __call__(self, x: Batch) -> Vector:
        """Shortest path length for edge lengths ``x`` of shape ``(n, 5)``."""
        a, b, c, d, e = x.T
        return np.minimum(np.minimum(a + d, b + e), c + np.minimum(a + e, b + d))

    def nominal(self) -> Exponential:
        """Independent exponential lengths with the tutorial's means."""
        return Exponential(MEAN_LENGTH)

    def exact(self) -> float:
        """``P(S >= gamma)``: the first passage of a four-state phase-type chain, in closed form.

        >>> round(Bridge(2.0).exact() * 1e5, 10)
        1.3424597498
        """
        rates = np.array([19.0, 13 / 2, 25 / 3, 95 / 6])
        return float(np.array([1 / 16, 468 / 77, -955 / 176, 2 / 7]) @ np.exp(-rates * self.gamma))


problem = Bridge
