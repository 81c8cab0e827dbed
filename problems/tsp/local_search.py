"""Local search on tours: 2-opt with Or-opt, exchange of segments, and both iterated by kicks."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.random import Generator

from cem.typing import Array, Batch
from problems import check_whole
from problems.tsp.checks import EXACT
from problems.tsp.problem import TSP

REACH = 30  # nodes at most in each of the three segments of a kick


@dataclass(frozen=True, eq=False)
class Descent:
    """Moves that shorten a tour are made until none is left: what the searches here share.

    Called with tours of shape ``(n_samples, n)``, whole numbers of any type, and a generator, it
    returns tours of that shape and type, none longer than the one it came from, and each with the
    same first node; the last one too, if the problem fixes it. Of the two ways round a closed tour
    with symmetric distances it takes the one whose second node is less than the last, so that
    samples of one tour agree. ``neighbours`` is how many of the cheapest edges out of a node are
    tried. To be rid of a forbidden edge is worth any length.

    Raises ValueError and TypeError for what is no tour, as the problem does.
    """

    tsp: TSP
    neighbours: int = field(default=10, kw_only=True)

    def __post_init__(self) -> None:
        check_whole("neighbours, the edges tried out of a node,", self.neighbours, 1)

    @property
    def reverses(self) -> bool:
        """Whether moves may turn a segment round."""
        return can_reverse(self.tsp)

    @property
    def n_kicks(self) -> int:
        """How often a local optimum is left again."""
        return 0

    def __call__(self, x: Batch, rng: Generator) -> Batch:
        """The improved tours; those given are left as they are."""
        from cem.families.xoshiro import seeds
        from problems.tsp.search_kernels import refine

        x = np.asarray(x)
        before = self.tsp(x)  # refuses what is no tour
        trips = self._trips
        tours = trips.of(x)
        reach = min(REACH, (tours.shape[1] - 1) // 3)  # besides the segments, a node must stay
        kicks = self.n_kicks if reach > 0 else 0
        ways = trips.cost, trips.near, trips.least
        refine(tours, ways, trips.mirrored, (kicks, reach), seeds(rng, len(x)))
        y = trips.back(tours, x)
        longer = self.tsp(y) > before  # by a rounding, as of the same tour the other way round
        y[longer] = x[longer]
        return y

    @cached_property
    def _trips(self) -> RoundTrips:
        return RoundTrips.between(self.tsp, self.neighbours, mirrored=self.reverses)


@dataclass(frozen=True, eq=False)
class TwoOpt(Descent):
    """2-opt and Or-opt for symmetric distances: a segment turns round, or up to three nodes move.

    With neighbour lists and don't-look bits: Bentley (1992), Fast algorithms for geometric
    traveling salesman problems. An open tour may have no forbidden edges.

    >>> corners = TSP.of_points([[0, 0], [1, 1], [1, 0], [0, 1]])
    >>> TwoOpt(corners)(np.array([[0, 1, 2, 3]]), np.random.default_rng(0))
    array([[0, 2, 1, 3]])
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if not can_reverse(self.tsp):
            raise ValueError(
                "2-opt turns segments round: it needs distances that are the same both ways and, "
                f"for an open tour, no forbidden edge; got {self.tsp!r}. Use OrOpt or Iterated"
            )


@dataclass(frozen=True, eq=False)
class OrOpt(Descent):
    """Two segments in a row change places, of any length and as they are: for any distances.

    Or-opt without a limit to the length: all moves of 3-opt that keep the direction of travel,
    along neighbour lists, as long as each partial sum of savings is positive.

    >>> one_way = TSP([[0, 9, 1, 9], [1, 0, 9, 9], [9, 9, 0, 1], [9, 1, 9, 0]])
    >>> OrOpt(one_way)(np.array([[0, 1, 2, 3]]), np.random.default_rng(0))
    array([[0, 2, 3, 1]])
    """

    @property
    def reverses(self) -> bool:
        """No."""
        return False


@dataclass(frozen=True, eq=False)
class Iterated(Descent):
    """Iterated local search: a local optimum is kicked, and the next one kept unless it is longer.

    It begins with the tour given and makes ``kicks`` kicks, by default one per node: a double
    bridge of three short segments in a row, Martin, Otto and Felten (1991), after which only the
    nodes touched are looked at. The moves are those of `TwoOpt` where it applies, else of `OrOpt`.

    >>> angle = np.arange(0, 44, 2)
    >>> ring = TSP.of_points(np.stack([np.cos(angle), np.sin(angle)], axis=1))
    >>> ring(Iterated(ring)(np.arange(22)[None], np.random.default_rng(0))).round(3)
    array([6.262])
    """

    leaves: ClassVar[bool] = True  # local optima
    kicks: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kicks is not None:
            check_whole("kicks", self.kicks, 0)

    @property
    def n_kicks(self) -> int:
        """``kicks``, or one per node."""
        return self.tsp.n if self.kicks is None else self.kicks


def can_reverse(tsp: TSP) -> bool:
    """Whether any segment is as long the other way, and no edge of an open tour forbidden."""
    return tsp.symmetric and (tsp.closed or bool(np.isfinite(tsp.distance).all()))


@dataclass(frozen=True, eq=False)
class RoundTrips:
    """A problem as the compiled search knows it: closed tours, finite costs.

    A forbidden edge costs more than any allowed tour. An open tour whose distances are symmetric
    remains so with one more node: free to reach from ``first`` and ``last``, as dear as a forbidden
    edge from all others, so that it stays between the ends. Lengths that are not whole are in units
    of the longest edge; then a move must save more than what rounding may feign.
    """

    cost: Array  # (m, m), m the number of nodes, or one more
    near: Array  # (m, k) the nodes cheapest to reach, int32
    least: float
    mirrored: bool

    @classmethod
    def between(cls, tsp: TSP, neighbours: int, *, mirrored: bool) -> RoundTrips:
        """The round trips of a problem; ``mirrored`` if they are as long the other way round."""
        added = mirrored and not tsp.closed
        d = np.asarray(tsp.distance if added else tsp.round_trip, dtype=float)
        n, longest = len(d), d.max(where=np.isfinite(d), initial=0)
        dear = n * longest + 1
        finite = d[np.isfinite(d)]
        whole = bool((finite == np.floor(finite)).all()) and n * dear < EXACT
        if not whole:
            d, dear = d / longest, n + 1.0
        if added:
            free = np.isin(np.arange(n), [tsp.first, tsp.last])
            ends = np.where(free, 0.0, dear)
            d = np.block([[d, ends[:, None]], [ends[None, :], np.zeros((1, 1))]])
        cost = np.where(np.isfinite(d), d, dear)
        others = cost + np.where(np.eye(len(cost)) > 0, np.inf, 0)
        near = others.argsort(axis=1, kind="stable")[:, : min(neighbours, len(cost) - 1)]
        least = 0.0 if whole else (n + 1) * 2.0**-47
        return cls(cost, np.ascontiguousarray(near, dtype=np.int32), least, mirrored)

    def of(self, x: Batch) -> Array:
        """The tours as round trips, int32; ours to change."""
        more = len(self.cost) - x.shape[1]
        return np.pad(x.astype(np.int32), ((0, 0), (0, more)), constant_values=x.shape[1])

    def back(self, tours: Array, x: Batch) -> Batch:
        """The round trips as tours that begin where those of ``x`` do, and of their type."""
        m = tours.shape[1]
        start = (tours == x[:, :1]).argmax(axis=1)[:, None]
        step = np.arange(m)[None]
        if self.mirrored:  # an added node is the greatest, and comes last
            beside = np.take_along_axis(tours, (start + np.array([1, -1])) % m, axis=1)
            step = np.where(beside[:, :1] < beside[:, 1:], step, -step)
        tours = np.take_along_axis(tours, (start + step) % m, axis=1)
        return tours[:, : x.shape[1]].astype(x.dtype)
