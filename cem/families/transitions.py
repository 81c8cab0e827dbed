"""Tours by transition: which node follows which, for travelling salesmen and other round trips."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

from cem.families.parametric import constant, parameter, whole
from cem.families.permutations import Permutations, square_distributions
from cem.families.samples import rows
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
    """``f(x; p) = prod_t p[x_(t-1), x_t] / sum_(k left) p[x_(t-1), k]`` for tours of ``n`` nodes.

    ``p``, of shape ``(n, n)`` with zeros on the diagonal, says how likely node ``j`` follows node
    ``i``. A tour begins with the node ``first``. From there on the next node is drawn from the row
    of the one before; nodes visited are left out, and the rest of the row renormalised. Where all
    the rest is zero, the nodes left are equally likely. A path that ends with another node,
    ``last``, is drawn in the same way, with that node left out until the end. A sample is the order
    of the nodes, int16 (int32 from 32769 nodes on); a batch has shape ``(n_samples, n)``.
    Algorithm 4.1 of de Boer et al. (2005).

    An edge of probability one is used wherever it can be. One of probability zero is used only
    where every node left is across such an edge; if the problem gives those tours a score that is
    not finite, they are never elite, and the edge has probability zero for good.

    >>> anywhere = Transitions((1 - np.eye(3)) / 2)
    >>> anywhere.fit(np.array([[0, 1, 2], [0, 2, 1]]), np.array([3.0, 1.0])).p
    array([[0.  , 0.75, 0.25],
           [0.25, 0.  , 0.75],
           [0.75, 0.25, 0.  ]])
    >>> Transitions((1 - np.eye(4)) / 3, first=1, last=2).sample(np.random.default_rng(0), 2)
    array([[1, 3, 0, 2],
           [1, 0, 3, 2]], dtype=int16)
    """

    p: Array = parameter(transition_matrix, ndim=2)
    first: Any = field(default=0, metadata=constant(whole(0), ndim=0).metadata)
    last: Any = field(default=None, metadata=constant(whole(0), ndim=0).metadata)  # or the first
    by_place: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.last is None:
            object.__setattr__(self, "last", self.first)
        super().__post_init__()
        for name, node in {"first": self.first, "last": self.last}.items():
            if node >= len(self.p):
                raise ValueError(
                    f"Transitions.{name} must be one of the nodes 0, ..., {len(self.p) - 1}; got "
                    f"{node:g}"
                )

    def fit(self, x: Batch, weights: Vector) -> Self:
        """``p[i, j]``: the weighted share of the tours that go from ``i`` to ``j``.

        The way back to the first node counts; of a path it says which node is the last, and it has
        no part in a draw. The update of the literature: the exact minimiser of the cross-entropy of
        another density, `log_density_with_replacement`, a Markov chain that may visit a node again.
        ``f`` itself often has none: for ``(0, 1, 2, 3, 4)`` and ``(0, 2, 1, 3, 4)`` its likelihood
        rises as ``p[1, 3]`` falls to zero, and is less at zero. Raises ValueError for samples that
        are no such tours.
        """
        return self.replace(p=self._shares(x, weights))

    def log_density_with_replacement(self, x: Batch) -> Vector:
        """``sum_t ln p[x_(t-1), x_t]`` and back to the first node, shape ``(n_samples,)``.

        A Markov chain. Batches of whole numbers from 0 to ``n - 1`` only.
        """
        x = np.asarray(rows(self, x), dtype=np.int64)
        with np.errstate(divide="ignore"):
            return np.log(self.p)[x, np.roll(x, -1, axis=1)].sum(axis=1)

    @property
    def _ends(self) -> tuple[int, int]:
        return int(self.first), -1 if self.last == self.first else int(self.last)
