"""The local search of the job shop: swaps of two operations on a critical path."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from cem.typing import Batch
from problems.jobshop.problem import JobShop
from problems.orders import never_worse


@dataclass(frozen=True)
class CriticalSwaps:
    """The best swap of the two first or two last operations of a critical block, until none helps.

    A block is a row of operations of a critical path on one machine. Swaps inside it, at the begin
    of the first one or at the end of the last one cannot help: neighbourhood N5 of Nowicki and
    Smutnicki, A fast taboo search algorithm for the job shop problem, Management Science 42 (1996).

    >>> shop = JobShop(machine=[[0, 1], [1, 0]], times=[[3, 2], [2, 4]])
    >>> CriticalSwaps(shop)(np.array([[0, 1, 2, 3]]), np.random.default_rng(1))
    array([[0, 2, 1, 3]])
    """

    shop: JobShop

    def __call__(self, x: Batch, rng: Generator) -> Batch:
        """A local optimum for each sequence of ``x``, ``(n_samples, n_operations)``; never a worse.

        The operations of a job are in order in what is returned.
        """
        del rng  # the steepest descent has nothing to choose
        from problems.jobshop.kernels import descend_all

        jobs = self.shop.jobs(x)
        descend_all(jobs, self.shop.machine, self.shop.times)
        return never_worse(self.shop, x, self._operations(jobs))

    def _operations(self, jobs: Batch) -> Batch:
        """The ``k``-th of a job as its ``k``-th operation: ranks in a stable sort by job."""
        x = np.empty_like(jobs)
        np.put_along_axis(x, np.argsort(jobs, axis=1, kind="stable"), np.arange(jobs.shape[1]), 1)
        return x
