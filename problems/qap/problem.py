"""Quadratic assignment: place facilities so that what flows between them has not far to go."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cem.families import Placements
from cem.typing import Array, Batch, Refine, Vector
from problems.orders import checked_orders, table_of


@dataclass(frozen=True, eq=False)
class QAP:
    """Score: ``sum_ij flow[i, j] distance[x_i, x_j]``, to be minimised.

    ``x_i`` is the location of facility ``i``; ``flow`` and ``distance`` have shape ``(n, n)`` and
    need not be symmetric. Whole numbers up to ``2^53`` in all are added exactly.

    >>> qap = QAP([[0, 3, 1], [3, 0, 0], [1, 0, 0]], [[0, 1, 5], [1, 0, 2], [5, 2, 0]])
    >>> qap(np.array([[0, 1, 2], [1, 0, 2]]))
    array([16., 10.])
    """

    flow: Array
    distance: Array
    optimum: float | None = None  # where it is known

    def __post_init__(self) -> None:
        for name in ("flow", "distance"):
            table = table_of(name, getattr(self, name))
            if table.shape[0] != table.shape[1]:
                raise ValueError(f"{name} must be square, shape (n, n); got {table.shape}")
            object.__setattr__(self, name, table)
        if self.flow.shape != self.distance.shape:
            raise ValueError(
                "expected as many locations as facilities; got a flow of shape "
                f"{self.flow.shape} and a distance of shape {self.distance.shape}"
            )

    @property
    def n(self) -> int:
        """How many facilities there are, and how many locations."""
        return len(self.flow)

    def __call__(self, x: Batch) -> Vector:
        """The costs of assignments ``x`` of shape ``(n_samples, n)``."""
        x = checked_orders(x, self.n, "locations")
        cost = np.zeros(len(x))
        for flow, location in zip(self.flow, x.T, strict=True):
            cost += (self.distance[location[:, None], x] * flow).sum(axis=1)
        return cost

    def nominal(self) -> Placements:
        """Every location as likely as any other, for every facility."""
        return Placements(np.full((self.n, self.n), 1 / self.n))

    def refines(self) -> dict[str, Refine]:
        """The local searches by name, the default one first."""
        from problems.qap.local_search import Exchange, RobustTabu

        return {"exchange": Exchange(self), "tabu": RobustTabu(self)}
