"""Max-cut: split the nodes of a graph in two so that the most weight crosses."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from cem.families import Bernoulli
from cem.typing import Array, Batch, Vector

if TYPE_CHECKING:
    import networkx as nx
    from scipy.sparse import csr_array

EXACT_IN_FLOAT32 = 2**24


@dataclass(frozen=True, eq=False)
class MaxCut:
    """Score of ``x`` in ``{0, 1}^d``: the weight of the edges whose ends lie on different sides.

    ``ends`` holds the node numbers of every edge, shape ``(m, 2)``; ``weight`` has shape ``(m,)``;
    ``labels`` names the nodes. Parallel edges add up. Raises ValueError for a graph without edges,
    self-loops, node numbers out of range, and weights that are not finite.

    >>> triangle = MaxCut(ends=[[0, 1], [1, 2], [0, 2]], weight=[1.0, 2.0, 4.0], n_nodes=3)
    >>> triangle(np.array([[0, 0, 1], [0, 0, 0]]))
    array([6., 0.])
    """

    ends: Array
    weight: Array
    n_nodes: int
    labels: tuple[Hashable, ...] = field(default=(), repr=False)
    optimum: float | None = None  # where it is known

    def __post_init__(self) -> None:
        ends = _pairs(self.ends)
        if self.labels and len(self.labels) != self.n_nodes:
            raise ValueError(
                f"expected {self.n_nodes} labels, one per node; got {len(self.labels)}"
            )
        weight = np.array(self.weight, dtype=float)
        if len(ends) == 0:
            raise ValueError("a cut needs edges: expected at least one, got a graph with none")
        if weight.shape != (len(ends),):
            raise ValueError(
                f"expected one weight per edge, shape ({len(ends)},); got shape {weight.shape}"
            )
        if (off := (ends < 0) | (ends >= self.n_nodes)).any():
            raise ValueError(f"node numbers must lie in 0..{self.n_nodes - 1}; got {ends[off][0]}")
        if (loop := ends[:, 0] == ends[:, 1]).any():
            at = self._label(ends[loop.argmax(), 0])
            raise ValueError(f"a self-loop is never cut: got one at node {at!r}; remove it")
        if (bad := ~np.isfinite(weight)).any():
            i, j = (self._label(node) for node in ends[bad.argmax()])
            raise ValueError(
                f"edge weights must be finite numbers; got {weight[bad][0]} on edge ({i!r}, {j!r})"
            )
        for name, array in (("ends", ends), ("weight", weight)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        object.__setattr__(self, "labels", tuple(self.labels) or tuple(range(self.n_nodes)))

    def _label(self, node: int) -> Hashable:
        return self.labels[node] if self.labels else int(node)

    @classmethod
    def of(cls, graph: nx.Graph, *, weight: str = "weight") -> MaxCut:
        """The max-cut problem of a networkx graph; edges without the attribute count 1.

        Node labels may be anything; node ``i`` of a solution is the ``i``-th node of the graph.

        >>> import networkx as nx
        >>> MaxCut.of(nx.path_graph("abc")).nodes([0, 1, 0])
        {'a': 0, 'b': 1, 'c': 0}
        """
        if graph.is_directed():
            raise ValueError("a cut is of an undirected graph; pass graph.to_undirected()")
        number = {node: i for i, node in enumerate(graph)}
        edges = [(number[u], number[v], w) for u, v, w in graph.edges(data=weight, default=1.0)]
        for u, v, w in edges:
            if isinstance(w, str) or not np.isscalar(w) or np.iscomplexobj(w):
                names = list(graph)
                raise TypeError(
                    f"edge weights must be real numbers; got {w!r} on edge "
                    f"({names[u]!r}, {names[v]!r})"
                )
        ends = [(u, v) for u, v, _ in edges]
        return cls(ends, [float(w) for *_, w in edges], len(number), tuple(graph))

    def __call__(self, x: Batch) -> Vector:
        """The weight cut, for a batch of shape ``(n, d)``: one sparse product.

        Whole weights: ``x'g - 2 x'Ux`` with the degrees ``g`` and every edge once in ``U``, exact.
        Real weights: ``x'A(1 - x)`` with both directions in ``A``, so that only weights that are
        cut are added up and nothing cancels.
        """
        matrix, degree = self._matrix
        sides = np.ascontiguousarray(np.asarray(x).T, dtype=matrix.dtype)
        if degree is None:
            return np.einsum("ij,ij->j", sides, matrix @ (1 - sides))
        inner = np.einsum("ij,ij->j", sides, matrix @ sides, dtype=float)
        return degree @ sides - 2 * inner

    def nominal(self) -> Bernoulli:
        """A fair coin for every node."""
        return Bernoulli(np.full(self.n_nodes, 0.5))

    def nodes(self, x: Batch) -> Mapping[Any, int]:
        """The side of every node by its label, for one sample of shape ``(d,)``."""
        return {label: int(side) for label, side in zip(self.labels, x, strict=True)}

    @cached_property
    def _matrix(self) -> tuple[csr_array, Array | None]:
        """Every edge once and the degrees, exact in float32; for real weights both directions."""
        from scipy.sparse import csr_array

        low, high = self.ends.min(axis=1), self.ends.max(axis=1)
        shape = (self.n_nodes, self.n_nodes)
        matrix = csr_array((self.weight, (low, high)), shape=shape)
        whole = (self.weight == np.floor(self.weight)).all()
        if not whole or np.bincount(low, abs(self.weight)).max() >= EXACT_IN_FLOAT32:
            return matrix + matrix.T.tocsr(), None
        degree = np.bincount(low, self.weight, self.n_nodes)
        return matrix.astype(np.float32), degree + np.bincount(high, self.weight, self.n_nodes)


def _pairs(ends: Any) -> Array:
    """Whole numbers of shape ``(m, 2)``."""
    a = np.array(ends)
    if a.size == 0:
        return np.empty((0, 2), dtype=np.int64)
    if a.dtype.kind not in "iu":
        raise TypeError(f"node numbers must be whole numbers; got dtype {a.dtype}")
    if a.ndim != 2 or a.shape[1] != 2:
        raise ValueError(f"ends must have shape (m, 2), one row per edge; got shape {a.shape}")
    return a.astype(np.int64)
