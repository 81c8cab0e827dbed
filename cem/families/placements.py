"""Permutations by placement: which node comes at which position, for schedules and orders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from cem.families.categorical import Categorical
from cem.families.permutations import Permutations
from cem.typing import Batch, Vector


@dataclass(frozen=True, eq=False, repr=False)
class Placements(Permutations):
    """``f(x; p) = prod_i p[i, x_i] / sum_(k left) p[i, k]`` for a permutation ``x`` of ``n`` nodes.

    ``p``, of shape ``(n, n)``, says how likely position ``i`` holds node ``k``. The positions are
    drawn in order; what has been placed is left out, and the rest of the row renormalised. Where
    all the rest is zero, the nodes left are equally likely. Samples are int16 arrays (int32 from
    32769 nodes on) of shape ``(n_samples, n)``. The algorithm of node placements of de Boer et al.
    (2005).

    >>> import numpy as np
    >>> f = Placements(np.full((3, 3), 1 / 3)).fit(np.array([[0, 1, 2], [0, 2, 1]]), np.ones(2))
    >>> f.p
    array([[1. , 0. , 0. ],
           [0. , 0.5, 0.5],
           [0. , 0.5, 0.5]])
    """

    by_place: ClassVar[bool] = True

    def fit(self, x: Batch, weights: Vector) -> Self:
        """``p[i, k]``: the weighted share of the samples that have node ``k`` at position ``i``.

        The update of the literature. It is the exact minimiser of the cross-entropy of another
        density, `log_density_with_replacement`, which draws the positions independently. ``f``
        itself often has none: for the samples ``(0, 1, 2)`` and ``(1, 2, 0)`` its likelihood rises
        as ``p[1, 2]`` falls to zero, and is less at zero. Raises ValueError for samples that are no
        permutations.
        """
        return self.replace(p=self._shares(x, weights))

    def log_density_with_replacement(self, x: Batch) -> Vector:
        """``sum_i ln p[i, x_i]``, shape ``(n_samples,)``: positions drawn independently."""
        return Categorical(self.p).log_density(x)
