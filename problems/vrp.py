"""Vehicle routing with stochastic demands: a tour planned before the demands are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from cem.families import Transitions
from cem.typing import Array, Batch, Vector
from problems import check_whole
from problems.orders import checked_orders, table_of
from problems.tsp.distances import euclidean


@dataclass(frozen=True, eq=False)
class StochasticRouting:
    """Score: the expected length of the way along a tour, with its returns to the depot; minimised.

    A vehicle that holds ``capacity`` leaves the depot, node 0, full, and visits the customers in
    the order of the tour. A demand is known on arrival. If it is more than is left, the vehicle
    goes to the depot, fills up and comes back. With ``restocking`` it may also fill up on its way
    from one customer to the next, and does where that is shorter on average. ``distance`` has shape
    ``(n + 1, n + 1)`` for ``n`` customers; ``demand[c - 1, k]``, shape ``(n, most + 1)``, is the
    probability that customer ``c`` wants ``k``, and ``most`` at most ``capacity``. Demands are
    independent. Exact, by the dynamic programme of Yang, Mathur and Ballou (2000).

    >>> line = [[0, 1, 2], [1, 0, 1], [2, 1, 0]]
    >>> one_or_two = [[0, 0.5, 0.5], [0, 0.5, 0.5]]
    >>> StochasticRouting(line, one_or_two, capacity=3)(np.array([[0, 1, 2]]))
    array([5.])
    """

    distance: Array
    demand: Array
    capacity: int
    restocking: bool = True

    def __post_init__(self) -> None:
        check_whole("capacity", self.capacity, 1)
        for name in ("distance", "demand"):
            object.__setattr__(self, name, table_of(name, getattr(self, name)))
        n, most = len(self.demand), self.demand.shape[1] - 1
        if self.distance.shape != (n + 1, n + 1):
            raise ValueError(
                f"expected distances of the depot and {n} customers, shape {(n + 1, n + 1)}; got "
                f"{self.distance.shape}"
            )
        if most > self.capacity:
            raise ValueError(
                f"a demand must be at most the capacity, {self.capacity}; got one of {most}: split "
                "it between two customers in one place"
            )
        total = self.demand.sum(axis=1)
        if (off := abs(total - 1) > 1e-9).any():
            c = int(off.argmax())
            raise ValueError(
                f"the probabilities of a demand must sum to 1; got {total[c]:g} for customer "
                f"{c + 1}, row {c}"
            )

    def __call__(self, x: Batch) -> Vector:
        """The expected lengths of tours ``x`` of shape ``(n_samples, n + 1)``, depot first."""
        return self._plan(self._tours(x))[0]

    def simulate(self, x: Batch, rng: Generator) -> Vector:
        """The length of one day on every tour, with demands drawn from ``rng``."""
        x, load = self._tours(x), np.full(len(x), self.capacity)
        u, every = rng.random((len(x), len(self.demand))), np.arange(len(x))
        cdf = self.demand.cumsum(axis=1)
        length, back = np.zeros(len(x)), self.distance[:, 0]
        for place, restock in enumerate(self._plan(x)[1], start=1):
            left, here = x[:, place - 1], x[:, place]
            fills = restock[every, load]
            load[fills] = self.capacity
            via = back[left] + self.distance[0, here]
            length += np.where(fills, via, self.distance[left, here])
            at_most = cdf[here - 1, :-1]  # rounding never asks for more than is possible
            load -= (at_most <= u[:, place - 1, None]).sum(axis=1)
            fails = load < 0
            load[fails] += self.capacity
            length += np.where(fails, back[here] + self.distance[0, here], 0.0)
        return length + back[x[:, -1]]

    def nominal(self) -> Transitions:
        """Every customer as likely as any other, after every one and after the depot."""
        n = len(self.distance)
        return Transitions((1 - np.eye(n)) / (n - 1))

    def _plan(self, x: Batch) -> tuple[Vector, list[NDArray[np.bool_]]]:
        """The expected lengths; and for every leg, whether to fill up on it, by tour and load.

        ``go`` is the expected length from a place on, shape ``(n_samples, capacity + 1)`` by load.
        """
        full, back, restock = self.capacity, self.distance[:, 0], []
        go = np.repeat(back[x[:, -1]][:, None], full + 1, axis=1)
        for place in range(x.shape[1] - 1, 0, -1):
            left, here = x[:, place - 1], x[:, place]
            arrived = self._served(here, go)
            direct = self.distance[left, here][:, None] + arrived
            via = (back[left] + self.distance[0, here] + arrived[:, full])[:, None]
            fills = (via < direct) & (self.restocking and place > 1)
            go = np.where(fills, via, direct)
            restock.append(fills)
        return go[:, full], restock[::-1]

    def _served(self, here: Batch, go: Array) -> Array:
        """The expected length from the arrival at customers ``here`` on, by load on arrival."""
        twice = (self.distance[here, 0] + self.distance[0, here])[:, None]
        total = np.zeros_like(go)
        for k, p in enumerate(self.demand.T):
            short = go[:, self.capacity - k : self.capacity] + twice
            total += p[here - 1][:, None] * np.hstack([short, go[:, : self.capacity + 1 - k]])
        return total

    def _tours(self, x: Batch) -> Batch:
        x = checked_orders(x, len(self.distance), "nodes")
        if (away := x[:, 0] != 0).any():
            i = int(away.argmax())
            raise ValueError(f"a tour begins at the depot, node 0; got node {x[i, 0]} at index {i}")
        return x


@dataclass(frozen=True, eq=False)
class Simulated:
    """Score: the length of one random day on a tour; the mean is that of the exact problem.

    >>> routing = scattered(n=3, seed=1)
    >>> tour = np.array([[0, 2, 1, 3]])
    >>> day = Simulated(routing).bind(np.random.default_rng(1))
    >>> bool(abs(day(np.repeat(tour, 10_000, axis=0)).mean() - routing(tour)[0]) < 1)
    True
    """

    exact_problem: StochasticRouting

    def bind(self, rng: Generator) -> Callable[[Batch], Vector]:
        """The problem with its demands drawn from ``rng``."""
        return lambda x: self.exact_problem.simulate(x, rng)

    def mean(self, x: Batch) -> Vector:
        """The expected lengths, shape ``(n_samples,)``."""
        return self.exact_problem(x)

    def nominal(self) -> Transitions:
        """That of the exact problem."""
        return self.exact_problem.nominal()

    def report(self, found: Any) -> dict[str, str]:
        """The expected length of the answer, and the interval that should hold it."""
        low, high = found.confidence_interval()
        true = float(self.mean(np.asarray(found.x)[None])[0])
        return {"interval": f"{low:.6g} to {high:.6g}", "expected length": f"{true:.6g}"}


def scattered(
    n: int = 12,
    *,
    capacity: int = 10,
    least: int = 1,
    most: int = 5,
    restocking: bool = True,
    seed: int = 0,
) -> StochasticRouting:
    """``n`` customers at random in a square of side 100, the depot in the middle of it.

    Every demand is uniform on the whole numbers from ``least`` to ``most``.

    >>> scattered(n=2, least=1, most=2).demand
    array([[0. , 0.5, 0.5],
           [0. , 0.5, 0.5]])
    """
    check_whole("n, the number of customers,", n, 1)
    check_whole("least, the least demand,", least, 0)
    check_whole("most, the largest demand,", most, least)
    rng = np.random.default_rng(seed)
    at = np.vstack([[50.0, 50.0], rng.uniform(0, 100, (n, 2))])
    distance = euclidean(at)
    demand = np.zeros((n, most + 1))
    demand[:, least:] = 1 / (most + 1 - least)
    return StochasticRouting(distance, demand, capacity, restocking)


def problem(
    n: int = 12,
    *,
    capacity: int = 10,
    least: int = 1,
    most: int = 5,
    restocking: bool = True,
    simulated: bool = False,
    map_seed: int = 0,
) -> StochasticRouting | Simulated:
    """`scattered` customers: the expected length itself, or days that are simulated.

    >>> type(problem(n=5, simulated=True)).__name__
    'Simulated'
    """
    routing = scattered(
        n, capacity=capacity, least=least, most=most, restocking=restocking, seed=map_seed
    )
    return Simulated(routing) if simulated else routing
