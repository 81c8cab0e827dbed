"""Routing in a data network: split the traffic over paths so that packets arrive soon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from cem.families import Normal
from cem.typing import Array, Batch, Vector
from problems import check_every, check_whole

FULL = 1 - 1e-9  # of a capacity: the most that the exact solution loads


@dataclass(frozen=True, eq=False)
class Routing:
    """Score of a split of the traffic: the mean delay of a packet, to be minimised.

    Commodity ``k`` brings ``demand[k]`` packets per unit of time, and may take ``paths[k]``, each a
    sequence of link numbers. Link ``l`` sends ``capacity[l]`` packets per unit of time and is taken
    for an M/M/1 queue of its own, so that with load ``f_l`` the mean delay is
    ``sum_l f_l / (capacity_l - f_l) / sum_k demand_k``; it is infinite where a load reaches a
    capacity. The delay is a convex function of the shares that the paths have of their commodity.

    A sample holds a number for every path, the paths of the first commodity first. The share of a
    path is the square of its number over the sum of the squares of its commodity: so nothing is
    special about a share of zero, which the best split has for most of the long ways.

    >>> two_ways = Routing(capacity=[2.0, 2.0, 9.0], demand=[2.0], paths=[[[0, 2], [1, 2]]])
    >>> two_ways(np.array([[1.0, 1.0], [1.0, 0.0]])).round(4)
    array([1.1429,    inf])
    """

    capacity: Array
    demand: Array
    paths: Any

    def __post_init__(self) -> None:
        for name, where in (("capacity", "link"), ("demand", "commodity")):
            values = np.array(getattr(self, name), dtype=float)
            if values.ndim != 1 or not values.size:
                raise ValueError(
                    f"{name} must hold a number for every {where}; got shape {values.shape}"
                )
            good = (values > 0) & (values < np.inf)
            check_every(name, values, good, "positive and finite", where)
            values.setflags(write=False)
            object.__setattr__(self, name, values)
        paths = tuple(tuple(tuple(path) for path in several) for several in self.paths)
        if len(paths) != len(self.demand) or not all(paths):
            raise ValueError(
                f"expected a path or more for each of {len(self.demand)} commodities; got "
                f"{[len(several) for several in paths]} paths"
            )
        links = range(len(self.capacity))
        for path in (path for several in paths for path in several):
            if not path or len({*path}) < len(path) or not all(link in links for link in path):
                raise ValueError(
                    f"a path must hold link numbers from 0 to {len(links) - 1}, each once; got "
                    f"{list(path)}"
                )
        object.__setattr__(self, "paths", paths)

    @classmethod
    def of(cls, graph: Any, demand: Mapping[tuple[Any, Any], float], *, most: int = 4) -> Routing:
        """The network of a networkx graph, and the demand from node to node.

        An edge has an attribute ``capacity``; one without direction is two links, one each way, of
        that capacity. A commodity may take the ``most`` paths of the fewest links, or what there
        is. Raises ValueError where there is no path.

        >>> import networkx as nx
        >>> ring = nx.cycle_graph(4)
        >>> nx.set_edge_attributes(ring, 2.0, "capacity")
        >>> Routing.of(ring, {(0, 2): 1.0}).paths
        (((0, 3), (1, 6)),)
        """
        import networkx as nx

        check_whole("most, the paths of a commodity,", most, 1)
        if not isinstance(graph, nx.Graph) or graph.is_multigraph():
            raise TypeError(
                "a network needs a networkx.Graph or DiGraph, one link between two nodes; got "
                f"{type(graph).__name__}"
            )
        graph = graph.to_directed()
        number = {edge: i for i, edge in enumerate(graph.edges)}
        for i, j, about in graph.edges(data=True):
            if "capacity" not in about:
                raise ValueError(f"the edge from {i!r} to {j!r} has no attribute 'capacity'")

        def links(pair: tuple[Any, Any]) -> list[list[int]]:
            try:
                nodes = list(islice(nx.shortest_simple_paths(graph, *pair), most))
            except (nx.NetworkXNoPath, nx.NodeNotFound) as error:
                raise ValueError(f"no way from {pair[0]!r} to {pair[1]!r}: {error}") from error
            return [[number[edge] for edge in nx.utils.pairwise(path)] for path in nodes]

        capacity = [about["capacity"] for *_, about in graph.edges(data=True)]
        return cls(capacity, list(demand.values()), [links(pair) for pair in demand])

    def __call__(self, x: Batch) -> Vector:
        """The mean delays of records, shape ``(n_samples,)``; infinite for an overload."""
        return self._delay(self.load(x))

    def shares(self, x: Batch) -> Array:
        """What share of its commodity every path has, shape ``(n_samples, n_paths)``."""
        x, n = np.asarray(x, dtype=float), len(self._traffic)
        if x.ndim != 2 or x.shape[1] != n:
            raise ValueError(
                f"expected a number for each of {n} paths, (n_samples, {n}); got {x.shape}"
            )
        largest = np.maximum.reduceat(np.abs(x), self._first, axis=1)
        if not ((largest > 0) & (largest < np.inf)).all():
            raise ValueError(
                "the numbers of the paths of a commodity must be finite, and one of them not zero"
            )
        square = (x / (largest @ self._whole)) ** 2
        return square / (np.add.reduceat(square, self._first, axis=1) @ self._whole)

    def load(self, x: Batch) -> Array:
        """The packets per unit of time on every link, shape ``(n_samples, n_links)``."""
        return self.shares(x) @ self._traffic

    def constraints(self, x: Batch) -> Vector:
        """How much the loads exceed the capacities, in all: 0 for a split that can be carried."""
        return np.maximum(self.load(x) - self.capacity, 0).sum(axis=1)

    def nominal(self) -> Normal:
        """Normal numbers around equal shares. ValueError where no commodity has a choice."""
        n = len(self._traffic)
        if n == len(self.demand):
            raise ValueError("there is nothing to choose: every commodity has one path only")
        return Normal(np.ones(n), np.full(n, 0.5))

    def exact(self) -> float:
        """The least mean delay: that of `best`.

        >>> round(problem().exact(), 9)
        0.378126767
        """
        return float(self(self.best()[None])[0])

    def best(self) -> Vector:
        """The best split, as a sample, by sequential quadratic programming in the shares.

        Raises ValueError if the paths cannot carry the demand.

        >>> Routing([2.0, 2.0, 9.0], [2.0], [[[0, 2], [1, 2]]]).best().round(4)  # equal shares
        array([0.7071, 0.7071])
        """
        from scipy.optimize import minimize

        start, fullest = self._least_loaded()
        if fullest >= FULL:
            raise ValueError(
                "the demand is more than the paths can carry: in the best split a link is loaded "
                f"with {fullest:.4g} of its capacity"
            )
        found = minimize(
            lambda share: (self._delay(share @ self._traffic), self._slope(share)),
            start,
            jac=True,
            method="SLSQP",
            bounds=[(0.0, 1.0)] * len(start),
            constraints=[
                {
                    "type": "eq",
                    "fun": lambda share: self._whole @ share - 1,
                    "jac": lambda _: self._whole,
                },
                {
                    "type": "ineq",
                    "fun": lambda share: FULL * self.capacity - share @ self._traffic,
                    "jac": lambda _: -self._traffic.T,
                },
            ],
            options={"ftol": 1e-14, "maxiter": 1000},
        )
        return np.sqrt(np.maximum(found.x, 0.0))  # rounding may leave a bound

    def report(self, found: Any) -> dict[str, str]:
        """The shares of the paths of every commodity, and the link that is used most."""
        x = np.asarray(found.x)[None]
        use = self.load(x)[0] / self.capacity
        told = {"fullest link": f"number {use.argmax()}, {use.max():.4g} of its capacity"}
        for k, share in enumerate(np.split(self.shares(x)[0], self._first[1:])):
            told[f"shares of commodity {k}"] = " ".join(f"{part:.4f}" for part in share)
        return told

    @cached_property
    def _traffic(self) -> Array:
        """What the whole of a commodity on one path loads, shape ``(n_paths, n_links)``."""
        traffic = np.zeros((sum(map(len, self.paths)), len(self.capacity)))
        whole = zip(self.demand, self.paths, strict=True)
        for row, (demand, path) in enumerate((d, path) for d, several in whole for path in several):
            traffic[row, list(path)] = demand
        return traffic

    @cached_property
    def _whole(self) -> Array:
        """Which paths are whose, shape ``(n_commodities, n_paths)``."""
        n_paths = [len(several) for several in self.paths]
        return np.repeat(np.eye(len(n_paths)), n_paths, axis=1)

    @cached_property
    def _first(self) -> Batch:
        """The first path of every commodity."""
        return self._whole.argmax(axis=1)

    def _delay(self, load: Array) -> Any:
        free = self.capacity - load
        number = np.divide(load, free, out=np.full(free.shape, np.inf), where=free > 0)
        return number.sum(axis=-1) / self.demand.sum()

    def _slope(self, share: Vector) -> Vector:
        free = self.capacity - share @ self._traffic
        return self._traffic @ (self.capacity / free**2) / self.demand.sum()

    def _least_loaded(self) -> tuple[Vector, float]:
        """The shares whose fullest link is the least full, and how full it is: a linear program."""
        from scipy.optimize import linprog

        n = len(self._traffic)
        found = linprog(
            np.eye(n + 1)[-1],
            A_ub=np.column_stack([self._traffic.T, -self.capacity]),
            b_ub=np.zeros(len(self.capacity)),
            A_eq=np.pad(self._whole, ((0, 0), (0, 1))),
            b_eq=np.ones(len(self.demand)),
        )
        return found.x[:n], float(found.fun)


def problem(*, demand: float = 4.0, most: int = 4) -> Routing:
    """A small network of ours: six nodes in a ring with three chords, and four commodities.

    Links carry 10 packets per unit of time each way, the chords 6; each commodity has ``demand``
    and the ``most`` paths of the fewest links.

    >>> len(problem().capacity), [len(several) for several in problem().paths]
    (18, [4, 4, 4, 4])
    """
    import networkx as nx

    graph = nx.cycle_graph(6)
    nx.set_edge_attributes(graph, 10.0, "capacity")
    graph.add_edges_from([(0, 2), (1, 4), (3, 5)], capacity=6.0)
    pairs = [(0, 3), (1, 5), (2, 4), (5, 2)]
    return Routing.of(graph, dict.fromkeys(pairs, demand), most=most)
