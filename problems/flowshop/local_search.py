"""Local searches of the flow shop: insertion moves, alone and within an iterated greedy search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from numpy.random import Generator

from cem.typing import Batch
from problems import check_whole
from problems.flowshop.problem import FlowShop
from problems.orders import checked_orders, never_worse


@dataclass(frozen=True)
class Insertion:
    """Take out one job after the other and put it where the makespan is least, until none helps.

    The jobs come in random turn. All places of a job are compared in the time of a few makespans:
    Taillard, Some efficient heuristic methods for the flow shop sequencing problem, European
    Journal of Operational Research 47 (1990).

    >>> import numpy as np
    >>> shop = FlowShop([[3, 2], [1, 4]])
    >>> Insertion(shop)(np.array([[0, 1]]), np.random.default_rng(1))
    array([[1, 0]])
    """

    shop: FlowShop

    def __call__(self, x: Batch, rng: Generator) -> Batch:
        """A local optimum for each order of ``x``, ``(n_samples, n_jobs)``; never a worse one."""
        from problems.flowshop.kernels import descend_all

        order = checked_orders(x, self.shop.n_jobs, "jobs")
        descend_all(order, self.shop.times, rng)
        return never_worse(self.shop, x, order)


@dataclass(frozen=True)
class IteratedGreedy:
    """Take ``out`` random jobs out, put each back at its best place, descend; ``kicks`` times.

    What is worse is gone on from with probability ``exp(-worse / T)``, where ``T`` is ``heat``
    times a tenth of the mean processing time; the best order is returned. Ruiz and Stuetzle, A
    simple and effective iterated greedy algorithm for the permutation flowshop scheduling problem,
    European Journal of Operational Research 177 (2007).

    >>> import numpy as np
    >>> shop = FlowShop([[3, 2], [1, 4]])
    >>> IteratedGreedy(shop, kicks=2)(np.array([[0, 1]]), np.random.default_rng(1))
    array([[1, 0]])
    """

    leaves: ClassVar[bool] = True  # local optima
    shop: FlowShop
    kicks: int = 20
    out: int = 4
    heat: float = 0.4

    def __post_init__(self) -> None:
        check_whole("kicks", self.kicks, 0)
        check_whole("out, the jobs that are taken out,", self.out, 1)
        if not self.heat > 0:
            raise ValueError(f"heat must be positive; got {self.heat!r}")

    def __call__(self, x: Batch, rng: Generator) -> Batch:
        """The best order found from each of ``x``, shape ``(n_samples, n_jobs)``; never a worse."""
        from problems.flowshop.kernels import iterate_all

        order, times = checked_orders(x, self.shop.n_jobs, "jobs"), self.shop.times
        out = min(self.out, self.shop.n_jobs)
        iterate_all(order, times, self.kicks, out, self.heat * times.mean() / 10, rng)
        return never_worse(self.shop, x, order)
