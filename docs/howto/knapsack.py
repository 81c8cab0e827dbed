"""The knapsack problem: pack the most value without exceeding the capacity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cem.families import Bernoulli
from cem.typing import Batch, Vector


@dataclass(frozen=True)
class Knapsack:
    """Score of ``x`` in ``{0, 1}^d``: the value packed, or minus the weight in excess.

    >>> Knapsack(weight=(2, 3), value=(5, 6), capacity=4)(np.array([[0, 1], [1, 1]]))
    array([ 6., -1.])
    """

    weight: tuple[float, ...] = (23, 31, 29, 44, 53, 38, 63, 85, 89, 82)
    value: tuple[float, ...] = (92, 57, 49, 68, 60, 43, 67, 84, 87, 72)
    capacity: float = 165

    def __post_init__(self) -> None:
        if len(self.weight) != len(self.value):
            raise ValueError(
                "expected one weight and one value per item; "
                f"got {len(self.weight)} weights and {len(self.value)} values"
            )

    def __call__(self, x: Batch) -> Vector:
        """The scores of a batch of shape ``(n, d)``."""
        excess = x @ np.array(self.weight, dtype=float) - self.capacity
        return np.where(excess > 0, -excess, x @ np.array(self.value, dtype=float))

    def nominal(self) -> Bernoulli:
        """A fair coin for every item."""
        return Bernoulli(np.full(len(self.weight), 0.5))


problem = Knapsack


# ruff: noqa: INP001 - an example of the documentation, not a module of a package
