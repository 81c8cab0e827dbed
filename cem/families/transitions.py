"""Tours by transition: which node follows which, for travelling salesmen and other round trips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from cem.families.parametric import parameter
from cem.families.permutations import Permutations, square_distributions
from cem.families.samples import checked_sample, rows
from cem.typing import Array, Batch, Vector


def transition_matrix(p: Array) -> Array:
    """A square matrix with rows that sum to one and a diagonal of zeros."""
    p = square_distributions(p)
    if np.diag(p).any():
        i = int(np.diag(p).argmax())
        raise ValueError(
            f"must be zero on the diagonal, for no node follows itself; got {p[i, i]:g} at index "
            f"{(i, i)}"
        )
    return p


@dataclass(frozen=True, eq=False, repr=False)
class Transitions(Permutations):
    """``f(x; p) = prod_t p[x_(t-1), x_t] / sum_(k left) p[x_(t-1), k]`` for tours from node 0.

    ``p``, of shape ``(n, n)`` with zeros on the diagonal, says how likely node ``j`` follows node
    ``i``. From node 0 on the next node is drawn from the row of the last one; nodes visited are
    left out, and the rest of the row renormalised. Where all the rest is zero, the nodes left are
    equally likely. A sample is the order of the nodes, int64; a batch has shape
    ``(n_samples, n)``, and its first column is 0. Algorithm 4.1 of de Boer et al. (2005).

    >>> anywhere = Transitions((1 - np.eye(3)) / 2)
    >>> anywhere.fit(np.array([[0, 1, 2], [0, 2, 1]]), np.array([3.0, 1.0])).p
    array([[0.  , 0.75, 0.25],
           [0.25, 0.  , 0.75],
           [0.75, 0.25, 0.  ]])
    """

    p: Array = parameter(transition_matrix, ndim=2)
    fixed: ClassVar[int] = 1

    def fit(self, x: Batch, weights: Vector) -> Self:
        """``p[i, j]``: the weighted share of the tours that go from ``i`` to ``j``.

        The way back to node 0 counts. The update of the literature: the exact minimiser of the
        cross-entropy of another density, `log_density_with_replacement`, a Markov chain that may
        visit a node again. ``f`` itself often has none: for ``(0, 1, 2, 3, 4)`` and
        ``(0, 2, 1, 3, 4)`` its likelihood rises as ``p[1, 3]`` falls to zero, and is less at zero.
        Raises ValueError for samples that are no tours from node 0.
        """
        x, w = checked_sample(self, x, weights, self._permutations)
        n = x.shape[1]
        edge = (n * x + np.roll(x, -1, axis=1)).astype(np.int64)
        mass = np.bincount(edge.ravel(), np.repeat(w, n), minlength=n * n)
        return self.replace(p=np.asarray(mass.reshape(n, n), dtype=float))

    def log_density_with_replacement(self, x: Batch) -> Vector:
        """``sum_t ln p[x_(t-1), x_t]`` and back to node 0, shape ``(n_samples,)``: a Markov chain.

        Batches of whole numbers from 0 to ``n - 1`` only.
        """
        x = np.asarray(rows(self, x), dtype=np.int64)
        with np.errstate(divide="ignore"):
            return np.log(self.p)[x, np.roll(x, -1, axis=1)].sum(axis=1)

    def _rows(self, x: Batch, place: int) -> Array:
        return self.p[x[:, place - 1]]
