"""Tours by edge: which nodes are neighbours, for round trips that are as long either way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from cem.families.transitions import Transitions
from cem.typing import Array, Batch, Vector


@dataclass(frozen=True, eq=False, repr=False)
class SymmetricTransitions(Transitions):
    """`Transitions` whose fit counts an edge both ways, so that a tour and its reverse are one.

    For symmetric distances. `Transitions` has to choose a direction, and where it chooses one here
    and the other there, the edges between cannot be mended any more. A density that has settled on
    one tour has two neighbours of probability one half in every row.

    >>> anywhere = SymmetricTransitions((1 - np.eye(4)) / 3)
    >>> anywhere.fit(np.array([[0, 1, 2, 3]]), np.ones(1)).p
    array([[0. , 0.5, 0. , 0.5],
           [0.5, 0. , 0.5, 0. ],
           [0. , 0.5, 0. , 0.5],
           [0.5, 0. , 0.5, 0. ]])
    """

    def fit(self, x: Batch, weights: Vector) -> Self:
        """``p[i, j]``: half the weighted share of the tours in which ``i`` and ``j`` are next.

        The edge from the last node to the first one counts. The exact minimiser of the
        cross-entropy of `log_density_with_replacement`. Raises ValueError for samples that are no
        such tours.
        """
        mass = self._shares(x, weights)
        return self.replace(p=(mass + mass.T) / 2)

    def log_density_with_replacement(self, x: Batch) -> Vector:
        """The mean of the logarithms of `Transitions` for the tour and for its reverse."""
        there = super().log_density_with_replacement(x)
        back = super().log_density_with_replacement(np.asarray(x)[:, ::-1])
        return (there + back) / 2

    def spread(self) -> Array:
        """``sqrt(1 - p - q)``, with ``p`` and ``q`` the largest two of a row: 0 for one tour."""
        two = np.sort(self.p, axis=1)[:, -2:].sum(axis=1)
        return np.sqrt(np.maximum(0.0, 1 - two))
