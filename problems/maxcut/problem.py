"""Max-cut: split the nodes of a graph in two so that the most weight crosses."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cem.families.mirrored_bernoulli import MirroredBernoulli
from cem.families.packed import WORD, Bits, Words
from cem.typing import Array, Batch, Refine, Vector
from problems import check_whole
from problems.graphs import weighted_edges

if TYPE_CHECKING:
    import networkx as nx
    from scipy.sparse import csr_array

EXACT = 2**53  # up to here doubles hold all whole numbers
BLOCK = 1024  # edges at a time
MOST_NODES = 10_000_000


@dataclass(frozen=True, eq=False, repr=False)
class MaxCut:
    """Score of ``x`` in ``{0, 1}^d``: the weight of the edges whose ends lie on different sides.

    ``ends`` holds the node numbers of every edge, shape ``(m, 2)``; ``weight`` has shape ``(m,)``;
    ``labels`` names the nodes. Parallel edges add up. Raises ValueError for a graph without edges,
    self-loops, node numbers out of range, and weights that are not finite or whose sum is not.

    >>> triangle = MaxCut(ends=[[0, 1], [1, 2], [0, 2]], weight=[1.0, 2.0, 4.0], n_nodes=3)
    >>> triangle(np.array([[0, 0, 1], [0, 0, 0]]))
    array([6., 0.])
    """

    ends: Array
    weight: Array
    n_nodes: int
    labels: tuple[Hashable, ...] = ()
    optimum: float | None = None  # where it is known
    chunk_size: ClassVar[int] = 2**16  # samples to score at a time

    def __post_init__(self) -> None:
        check_whole("n_nodes", self.n_nodes, 0)
        if self.n_nodes > MOST_NODES:
            raise ValueError(f"expected {MOST_NODES:,} nodes at most; got {self.n_nodes:,}")
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
        with np.errstate(over="ignore"):
            if np.abs(weight).sum() == np.inf:
                raise ValueError("the edge weights add up to more than any double; scale them down")
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
        edges = weighted_edges(graph, weight, "edge weights")
        ends = [(i, j) for i, j, _ in edges]
        return cls(ends, [float(w) for *_, w in edges], len(graph), tuple(graph))

    def __call__(self, x: Batch) -> Vector:
        """The weight cut, for a batch of ``n`` samples: `Bits`, or an array of shape ``(n, d)``.

        Whole weights are counted 512 samples at a time and exact, unless their absolute values
        add up to ``2^53`` or more. Real weights that are cut are added up edge after edge, so that
        the rounding depends neither on the rest of the batch nor on which side is called 1.
        """
        words = np.ascontiguousarray(self._packed(x).words)
        if (classes := self._classes) is None:
            return self._added(words)[: len(x)]
        from problems.maxcut.kernels import count_cuts

        out = np.zeros(WORD * words.shape[1], dtype=np.int64)
        count_cuts(words, *classes, out)
        return out[: len(x)].astype(float)

    def nominal(self) -> MirroredBernoulli:
        """A fair coin for every node."""
        return MirroredBernoulli(np.full(self.n_nodes, 0.5))

    def refines(self) -> dict[str, Refine]:
        """The local searches by name; the first is the best one over all graphs of the G-set tried.

        >>> list(MaxCut([[0, 1]], [1.0], 2).refines())
        ['annealing', 'tabu', 'one-flip', 'iterated']
        """
        from problems.maxcut.local_search import Annealing, Iterated, OneFlip, Tabu

        annealing = Annealing(self)
        return {
            "annealing": annealing,
            "tabu": Tabu(self),
            "one-flip": OneFlip(self),
            "iterated": Iterated(annealing),
        }

    def nodes(self, x: Batch) -> Mapping[Any, int]:
        """The side of every node by its label, for one sample of shape ``(d,)``."""
        return {label: int(side) for label, side in zip(self.labels, x, strict=True)}

    def _packed(self, x: Batch) -> Bits:
        bits = x if isinstance(x, Bits) else Bits.of(x)
        if bits.shape[1] != self.n_nodes:
            raise ValueError(
                f"a cut of {self.n_nodes} nodes has a side for each of them: expected a batch of "
                f"shape (n, {self.n_nodes}), got {bits.shape}"
            )
        return bits

    def _added(self, words: Words) -> Vector:
        from cem.families.packed_kernels import add_over_rows

        cut = np.zeros(WORD * words.shape[1])
        for begin in range(0, len(self.ends), BLOCK):
            i, j = self.ends[begin : begin + BLOCK].T
            add_over_rows(words[i] ^ words[j], self.weight[begin : begin + BLOCK], cut)
        return cut

    def __repr__(self) -> str:
        known = "" if self.optimum is None else f", optimum {self.optimum:g}"
        return f"MaxCut({self.n_nodes} nodes, {len(self.ends)} edges{known})"

    @cached_property
    def adjacency(self) -> csr_array:
        """The symmetric matrix of the weights, shape ``(n_nodes, n_nodes)``; columns are sorted."""
        from scipy.sparse import csr_array

        ends = np.concatenate([self.ends, self.ends[:, ::-1]]).T
        return csr_array((np.tile(self.weight, 2), tuple(ends)), shape=(self.n_nodes,) * 2)

    @cached_property
    def heaviest(self) -> float:
        """The most that the edges of a node weigh in absolute value: no flip changes a cut more."""
        return float(np.bincount(self.ends.ravel(), np.repeat(np.abs(self.weight), 2)).max())

    @cached_property
    def whole(self) -> bool:
        """Whether all weights are whole numbers, and all cuts exact."""
        weight = self.weight
        return bool((weight == np.floor(weight)).all() and np.abs(weight).sum() < EXACT)

    @cached_property
    def _classes(self) -> tuple[Array, Array, Array] | None:
        """The edges by sign and binary digit of their weight, as `count_cuts` takes them.

        None for weights that are not `whole`.
        """
        from problems.maxcut.kernels import EDGES, WORDS

        if not self.whole:
            return None
        size = np.abs(self.weight)
        ends, values = [], []
        order = np.lexsort((self.ends.max(axis=1), self.ends.min(axis=1)))
        for sign in (1, -1):
            whole = np.where(np.sign(self.weight) == sign, size, 0)[order].astype(np.int64)
            for digit in range(int(whole.max()).bit_length()):
                edges = self.ends[order][(whole >> digit) & 1 == 1]
                edges = np.pad(edges, ((0, -len(edges) % EDGES), (0, 0)))  # loops cut nothing
                ends.append(edges.ravel() * WORDS)
                values.append(sign << digit)
        starts = np.cumsum([0, *map(len, ends)])
        flat = np.concatenate([np.empty(0, dtype=np.int64), *ends])
        return flat, starts, np.array(values, dtype=np.int64)


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
