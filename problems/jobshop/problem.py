"""The job shop: every job has its own way through the machines, to be done as soon as possible."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cem.families import Placements
from cem.families.permutations import are_permutations
from cem.typing import Array, Batch, Refine, Vector
from problems.orders import checked_orders, table_of


@dataclass(frozen=True, eq=False)
class JobShop:
    """Score: the makespan of the schedule that a sequence of operations stands for, minimised.

    Operation ``j m + k`` is the ``k``-th of job ``j``: it occupies machine ``machine[j, k]`` for
    ``times[j, k]``, which is positive. Both have shape ``(n_jobs, m)``, and every job visits each
    of the ``m`` machines once. A sample is a permutation of the operations, of which the jobs alone
    count: the ``k``-th of a job stands for its ``k``-th operation (permutation with repetition).
    One after the other begins as soon as its job and its machine are free: a semi-active schedule,
    and there is a sequence for every such schedule, an optimal one among them. Whole numbers up to
    ``2^53`` in all are added exactly.

    >>> shop = JobShop(machine=[[0, 1], [1, 0]], times=[[3, 2], [2, 4]])
    >>> shop(np.array([[0, 2, 3, 1], [0, 1, 2, 3]]))
    array([ 7., 11.])
    """

    machine: Batch
    times: Array
    optimum: float | None = None  # where it is known

    def __post_init__(self) -> None:
        times, machine = table_of("times", self.times, positive=True), np.array(self.machine)
        if machine.shape != times.shape or machine.dtype.kind not in "iu":
            raise ValueError(
                f"expected whole numbers of machines, shape {times.shape} as of the times; got "
                f"shape {machine.shape} of {machine.dtype}"
            )
        if (bad := ~are_permutations(machine)).any():
            j = int(bad.argmax())
            raise ValueError(
                f"every job must visit each machine 0, ..., {times.shape[1] - 1} once; got "
                f"{machine[j]} for job {j}"
            )
        machine = machine.astype(np.int64)
        machine.setflags(write=False)
        object.__setattr__(self, "machine", machine)
        object.__setattr__(self, "times", times)

    @property
    def n_operations(self) -> int:
        """How many operations there are to put in sequence."""
        return self.times.size

    def __call__(self, x: Batch) -> Vector:
        """The makespans of sequences ``x`` of shape ``(n_samples, n_operations)``."""
        from problems.jobshop.kernels import makespans

        return makespans(self.jobs(x), self.machine, self.times)

    def jobs(self, x: Batch) -> Batch:
        """The job of every operation of the sequences, a new int64 array of the shape of ``x``."""
        return checked_orders(x, self.n_operations, "operations") // self.times.shape[1]

    def nominal(self) -> Placements:
        """Every operation as likely as any other, at every place."""
        d = self.n_operations
        return Placements(np.full((d, d), 1 / d))

    def lower_bound(self) -> float:
        """A makespan that no schedule is below: the load of a machine, or the length of a job.

        >>> JobShop([[0, 1], [1, 0]], [[3, 2], [2, 4]]).lower_bound()
        7.0
        """
        load = np.bincount(self.machine.ravel(), self.times.ravel())
        return float(max(load.max(), self.times.sum(axis=1).max()))

    def refines(self) -> dict[str, Refine]:
        """The local searches by name, the default one first."""
        from problems.jobshop.local_search import CriticalSwaps

        return {"critical-swaps": CriticalSwaps(self)}
