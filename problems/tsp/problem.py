"""The travelling salesman problem: the shortest tour through all nodes, any distances."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from cem.families import Placements, SymmetricTransitions, Transitions
from cem.families.permutations import are_permutations
from cem.typing import Array, Batch, Refine, Vector
from problems.graphs import weighted_edges
from problems.tsp.checks import check_node, checked_distances, refuse_disconnected, with_fixed
from problems.tsp.distances import as_map, between

if TYPE_CHECKING:
    import networkx as nx

LARGE = 1 << 15  # numbers in a batch from which on it pays to load the compiled kernel


@dataclass(frozen=True, eq=False, repr=False)
class TSP:
    """Score of a tour ``x``, an order of the nodes: ``sum_t d[x_(t-1), x_t]``, to be minimised.

    ``distance``, of shape ``(n, n)``, says how far it is from node ``i`` to node ``j``, in any
    unit; it need not be symmetric, its diagonal is not used, and ``inf`` forbids an edge. Whole
    numbers are added exactly. A closed tour returns to where it began; an open one begins at
    ``first`` and ends at ``last``, or anywhere. ``fixed`` holds pairs ``(i, j)`` where ``j`` must
    come right after ``i``: all other edges out of ``i`` and into ``j`` are forbidden. A tour with a
    forbidden edge has length ``inf``, which the method counts as failed and never learns from.

    Raises ValueError for distances that are negative, NaN or too large to be added, for nodes that
    no tour can reach, and for fixed edges that contradict each other.

    >>> square = TSP([[0, 1, 2, 1], [1, 0, 1, 2], [2, 1, 0, 1], [1, 2, 1, 0]], labels="abcd")
    >>> square(np.array([[0, 1, 2, 3], [0, 2, 1, 3]]))
    array([4., 6.])
    >>> square.route([0, 1, 2, 3])
    ('a', 'b', 'c', 'd')
    """

    distance: Array
    labels: Sequence[Hashable] = ()
    coordinates: Array | None = None  # (n, 2) or (n, 3), for pictures
    optimum: float | None = None  # where it is known
    closed: bool = True
    first: int = 0
    last: int | None = None
    fixed: Sequence[tuple[int, int]] = ()
    axes: tuple[str, str] = field(default=("x", "y"), kw_only=True)  # of the coordinates, and units

    def __post_init__(self) -> None:
        n = len(self.distance) if np.ndim(self.distance) else 0
        labels = tuple(self.labels) or tuple(range(n))
        if len(labels) != n:
            raise ValueError(f"expected {n} labels, one per node; got {len(labels)}")
        distance = checked_distances(self.distance, labels)
        fixed = tuple(tuple(edge) for edge in self.fixed)
        self._check_ends(n, fixed)
        distance = with_fixed(distance, fixed, labels)
        coordinates = None if self.coordinates is None else _points(self.coordinates, n)
        for array in (distance, coordinates):
            if array is not None:
                array.setflags(write=False)
        for name, value in (
            ("distance", distance),
            ("labels", labels),
            ("coordinates", coordinates),
            ("fixed", fixed),
        ):
            object.__setattr__(self, name, value)
        refuse_disconnected(self.round_trip, labels)

    def _check_ends(self, n: int, fixed: Sequence[tuple[int, int]]) -> None:
        check_node("first", self.first, n)
        if self.last is None:
            ends: tuple[int, ...] = ()
        elif self.closed:
            raise ValueError("a closed tour ends where it began: for a last node say closed=False")
        else:
            check_node("last", self.last, n)
            ends = (self.last,)
        if self.last == self.first:
            raise ValueError(f"an open tour cannot begin and end at one node; got {self.first}")
        if not self.closed and any(j == self.first or i in ends for i, j in fixed):
            raise ValueError(
                "a fixed edge leads to the first node or away from the last one of an open tour"
            )

    @classmethod
    def of(cls, graph: nx.Graph, *, weight: str = "weight", missing: float = np.inf) -> TSP:
        """The problem of a networkx graph, directed or not; edges without the attribute count 1.

        Edges that the graph lacks are forbidden, or as long as ``missing``: a large number helps
        the method to find its first tours in a sparse graph. Of parallel edges the shortest counts.

        >>> import networkx as nx
        >>> TSP.of(nx.cycle_graph("abcd"))
        TSP(4 nodes, 4 of 12 edges forbidden)
        """
        labels = tuple(graph)
        lengths: dict[tuple[int, int], Any] = {}
        for i, j, length in weighted_edges(graph, weight, "lengths"):
            if np.isnan(length):
                raise ValueError(
                    f"lengths must be real numbers; got nan on edge ({labels[i]!r}, {labels[j]!r})"
                )
            for edge in ((i, j),) if graph.is_directed() else ((i, j), (j, i)):
                lengths[edge] = min(length, lengths.get(edge, length))
        n = len(labels)
        rows = [[lengths.get((i, j), missing) for j in range(n)] for i in range(n)]
        for i, row in enumerate(rows):
            row[i] = 0
        return cls(rows, labels)

    @classmethod
    def of_points(
        cls,
        points: Any,
        metric: str | Callable[[Array], Array] = "euclidean",
        *,
        labels: Sequence[Hashable] = (),
        **settings: Any,
    ) -> TSP:
        """The problem of points ``(n, 2)`` or ``(n, 3)``; the metrics are `problems.tsp.METRICS`.

        >>> TSP.of_points([[0, 0], [3, 0], [3, 4]])(np.array([[0, 1, 2]]))
        array([12.])
        """
        distance, (coordinates, axes) = between(points, metric), as_map(points, metric)
        return cls(distance, labels, coordinates, axes=axes, **settings)

    def __call__(self, x: Batch) -> Vector:
        """The lengths of the tours ``x``, whole numbers of shape ``(n_samples, n)``.

        Raises ValueError for rows that do not hold every node once, and for open tours that do not
        begin at ``first``.
        """
        x, n = np.asarray(x), self.n
        if x.ndim != 2 or x.shape[1] != n:
            raise ValueError(f"expected tours of shape (n_samples, {n}); got {x.shape}")
        if x.dtype.kind not in "iu":
            raise TypeError(f"expected tours of whole numbers, the nodes; got dtype {x.dtype}")
        if not self.closed and (astray := x[:, 0] != self.first).any():
            i = int(astray.argmax())
            raise ValueError(f"open tours begin at node {self.first}; got {x[i]} at index {i}")
        if x.size >= LARGE:
            return self._compiled(x)
        if (bad := ~are_permutations(x)).any():
            self._refuse(x, int(bad.argmax()))
        steps = self.round_trip[x, np.roll(x, -1, axis=1)]
        return steps.cumsum(axis=1)[:, -1].astype(float)  # added up in order

    def _compiled(self, x: Batch) -> Vector:
        from problems.tsp.kernels import lengths

        out = np.empty(len(x))
        kind = np.int16 if x.dtype == np.int16 else np.int64
        x = np.ascontiguousarray(x, dtype=kind)
        if (bad := lengths(self.round_trip, x, out)) >= 0:
            self._refuse(x, bad)
        return out

    def _refuse(self, x: Batch, i: int) -> None:
        raise ValueError(
            f"expected tours that hold every node from 0 to {self.n - 1} once; got {x[i]} at "
            f"index {i}"
        )

    def nominal(self) -> Transitions:
        """All allowed edges out of a node as likely; a forbidden one has the probability zero.

        Where a tour is as long the other way round, edges are learnt both ways.
        """
        allowed = np.isfinite(self.round_trip)
        np.fill_diagonal(allowed, val=False)
        p = allowed / allowed.sum(axis=1, keepdims=True)
        if self.closed and self.symmetric:
            return SymmetricTransitions(p, first=self.first)
        return Transitions(p, first=self.first, last=self.last)

    def placements(self) -> Placements:
        """Every node as likely at every position, after ``first`` and before ``last``."""
        p = np.ones((self.n, self.n))
        for place, node in ((0, self.first), (-1, self.last)):
            if node is not None:
                p[place], p[:, node] = 0, 0
                p[place, node] = 1
        return Placements(p / p.sum(axis=1, keepdims=True))

    def refines(self) -> dict[str, Refine]:
        """The local searches that suit the distances by name; the first is the one to take.

        >>> list(TSP([[0, 1, 2], [1, 0, 2], [2, 2, 0]]).refines())
        ['iterated', 'two-opt', 'or-opt', 'lkh']
        """
        from problems.tsp.lkh import LKH
        from problems.tsp.local_search import Iterated, OrOpt, TwoOpt, can_reverse

        two_opt = {"two-opt": TwoOpt(self)} if can_reverse(self) else {}
        lkh = {"lkh": LKH(self)} if self.round_trip.dtype.kind == "i" else {}
        return {"iterated": Iterated(self), **two_opt, "or-opt": OrOpt(self), **lkh}

    def route(self, x: Batch) -> tuple[Hashable, ...]:
        """The labels of one tour, in its order."""
        return tuple(self.labels[int(node)] for node in x)

    @property
    def n(self) -> int:
        """The number of nodes."""
        return len(self.distance)

    @cached_property
    def symmetric(self) -> bool:
        """Whether it is as far from ``j`` to ``i`` as from ``i`` to ``j``."""
        return bool((self.distance == self.distance.T).all())

    @cached_property
    def round_trip(self) -> Array:
        """The distances of the closed tours that are as long as ours.

        An open tour is closed by an edge back to ``first``, of length 0 from where it may end.
        """
        if self.closed:
            return self.distance
        ends = np.ones(self.n, dtype=bool) if self.last is None else np.arange(self.n) == self.last
        ends[[i for i, _ in self.fixed]] = False
        ends[self.first] = True  # the diagonal
        d = self.distance if ends.all() else self.distance.astype(float)
        d = d.copy()
        d[:, self.first] = 0 if ends.all() else np.where(ends, 0, np.inf)
        d.setflags(write=False)
        return d

    def __repr__(self) -> str:
        n = self.n
        forbidden = int(np.isinf(self.distance).sum())
        words = [f"{n} nodes"]
        words += [] if self.symmetric else ["asymmetric"]
        words += [] if self.closed else [f"open from {self.labels[self.first]!r}"]
        words += [] if self.last is None else [f"to {self.labels[self.last]!r}"]
        words += [f"{forbidden} of {n * (n - 1)} edges forbidden"] if forbidden else []
        words += [] if self.optimum is None else [f"optimum {self.optimum:g}"]
        return f"TSP({', '.join(words)})"


def _points(coordinates: Any, n: int) -> Array:
    points = np.array(coordinates, dtype=float)
    if points.ndim != 2 or len(points) != n or points.shape[1] not in {2, 3}:
        raise ValueError(
            f"expected coordinates of shape ({n}, 2) or ({n}, 3), a row per node; got shape "
            f"{points.shape}"
        )
    if not np.isfinite(points).all():
        raise ValueError("coordinates must be finite numbers; got NaN or inf")
    return points
