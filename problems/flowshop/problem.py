"""The permutation flow shop: one order of jobs for all machines, to be done as soon as possible."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cem.families import Placements
from cem.typing import Array, Batch, Refine, Vector
from problems.orders import checked_orders, table_of


@dataclass(frozen=True, eq=False)
class FlowShop:
    """Score: the makespan of an order of the jobs, to be minimised.

    Every job visits all machines in the same order, and all machines take the jobs in the same
    order, ``x[0]`` first. ``times[j, i]``, shape ``(n_jobs, n_machines)``, is how long job ``j``
    occupies machine ``i``; whole numbers up to ``2^53`` in all are added exactly.

    >>> shop = FlowShop([[3, 2], [1, 4]])
    >>> shop(np.array([[0, 1], [1, 0]]))
    array([9., 7.])
    """

    times: Array
    optimum: float | None = None  # where it is known

    def __post_init__(self) -> None:
        object.__setattr__(self, "times", table_of("times", self.times))

    @property
    def n_jobs(self) -> int:
        """How many jobs there are to order."""
        return len(self.times)

    def __call__(self, x: Batch) -> Vector:
        """The makespans of orders ``x`` of shape ``(n_samples, n_jobs)``."""
        x = checked_orders(x, self.n_jobs, "jobs")
        done = np.zeros((self.times.shape[1], len(x)))  # when every machine is
        for place in x.T:
            done[0] += self.times[place, 0]
            for i in range(1, len(done)):
                done[i] = np.maximum(done[i], done[i - 1]) + self.times[place, i]
        return done[-1].copy()

    def nominal(self) -> Placements:
        """Every job as likely as any other, at every place."""
        return Placements(np.full((self.n_jobs, self.n_jobs), 1 / self.n_jobs))

    def lower_bound(self) -> float:
        """A makespan that no order is below: the load of a machine, or the length of a job.

        A machine waits until the first job can reach it, and the last one has still to leave:
        Taillard (1993).

        >>> FlowShop([[3, 2], [1, 4]]).lower_bound()
        7.0
        """
        before = np.cumsum(self.times, axis=1) - self.times
        after = self.times.sum(axis=1, keepdims=True) - before - self.times
        load = before.min(axis=0) + self.times.sum(axis=0) + after.min(axis=0)
        return float(max(load.max(), self.times.sum(axis=1).max()))

    def refines(self) -> dict[str, Refine]:
        """The local searches by name, the default one first."""
        from problems.flowshop.local_search import Insertion, IteratedGreedy

        return {"insertion": Insertion(self), "iterated-greedy": IteratedGreedy(self)}
