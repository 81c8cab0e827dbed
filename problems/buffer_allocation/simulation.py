"""Simulating a production line: departures from random times that all allocations share.

Job ``k`` leaves machine ``i``, before a buffer of ``b_i`` places, at

    D[i, k] = max(max(D[i-1, k], D[i, k-1]) + C[i, k], D[i+1, k - b_i - 1]):

it begins when it is there and the machine is free, takes the time ``C``, and waits until there is
room. ``C`` is the service time and the repairs during it, whose number is Poisson. A machine that
fails at any time is up when it has finished a job; whether it is down when the next one begins
depends on how long it stood, by its two-state Markov chain, and if so the rest of the repair is
exponential again. So everything random can be drawn before, and is the same for all allocations:
common random numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.random import Generator

from cem.typing import Array, Batch, Vector
from problems import check_whole

if TYPE_CHECKING:
    from problems.buffer_allocation.line import ProductionLine

MOST_NUMBERS = 2**27  # random times in memory at once: 1 GiB


class Times(NamedTuple):
    """Random times, shape ``(jobs, machines, replications)`` each.

    ``work`` is how long a job occupies a machine. If machines also fail while they stand, one that
    has stood for longer than its ``patience`` is down when the job comes, for the time ``away``.
    """

    work: Array
    patience: Array | None = None
    away: Array | None = None

    @classmethod
    def draw(cls, line: ProductionLine, rng: Generator, jobs: int, replications: int) -> Times:
        """The times of so many jobs: services and the repairs during them, machine by machine."""
        if (numbers := jobs * line.n_machines * replications) > MOST_NUMBERS:
            raise ValueError(
                f"{jobs} jobs in {replications} replications of {line.n_machines} machines take "
                f"{numbers} random times, more than the {MOST_NUMBERS} that are held at once: "
                "simulate several times with less, and average"
            )
        work = np.empty((jobs, line.n_machines, replications))
        for i, service in enumerate(line.service):
            size = (jobs, replications)
            if isinstance(service, float):
                work[:, i] = rng.standard_exponential(size) / service
            else:
                work[:, i] = service.rvs(size, random_state=rng)
        if not line.fails:
            return cls(work)
        beta, r = np.array(line.failure_rate)[:, None], np.array(line.repair_rate)[:, None]
        repairs = rng.poisson(beta * work)
        some = repairs > 0
        work[some] += rng.standard_gamma(repairs[some]) / np.broadcast_to(r, work.shape)[some]
        if line.failures == "operation":
            return cls(work)
        u, down = rng.random(work.shape), np.broadcast_to(beta / (beta + r), work.shape)
        soon = u < down  # P(down after t) = down (1 - e^(-(beta + r) t)) exceeds u from patience on
        patience = np.full(work.shape, np.inf)
        patience[soon] = -np.log1p(-u[soon] / down[soon])
        return cls(work, patience / (beta + r), rng.standard_exponential(work.shape) / r)

    def elapsed(self, allocations: Any, warm_up: int) -> Array:
        """How long the jobs after the first ``warm_up`` take, shape ``(n, replications)``."""
        from problems.buffer_allocation.kernels import departures

        once, row = np.unique(allocations, axis=0, return_inverse=True)
        elapsed = np.empty((len(once), self.work.shape[2]))
        departures(self.work, self.patience, self.away, once, warm_up, elapsed)
        return elapsed[row.ravel()]

    def throughput(self, allocations: Any, warm_up: int) -> tuple[Vector, Vector]:
        """Jobs per unit of time after the first ``warm_up``, and the standard errors.

        The jobs over the time they take on average, less the first-order bias of that ratio: the
        squared relative error.
        """
        elapsed = self.elapsed(allocations, warm_up)
        jobs, _, n = self.work.shape
        relative = elapsed.std(axis=1, ddof=1) / elapsed.mean(axis=1) / math.sqrt(n)
        mean = (jobs - warm_up) / elapsed.mean(axis=1) * (1 - relative**2)
        return mean, mean * relative


@dataclass(frozen=True, eq=False)
class Throughput:
    """Jobs per unit of time of every allocation, and what that was found from.

    Attributes
    ----------
    mean : Vector
        The number of jobs over the time they took, in all replications together; its first-order
        bias is removed.
    standard_error : Vector
        Of ``mean``, from the variance between the replications.
    jobs, warm_up : int
        How many were counted, and dropped before, in every replication.
    replications : int
    """

    mean: Vector
    standard_error: Vector
    jobs: int
    warm_up: int
    replications: int

    def confidence_interval(self, level: float = 0.95) -> tuple[Vector, Vector]:
        """Student's interval for every allocation, lower and upper ends."""
        if not 0 < level < 1:
            raise ValueError(f"level must lie strictly between 0 and 1; got {level!r}")
        from scipy.special import stdtrit

        half = stdtrit(self.replications - 1, (1 + level) / 2) * self.standard_error
        return self.mean - half, self.mean + half


def simulate(
    line: ProductionLine,
    allocations: Batch,
    rng: Generator,
    *,
    jobs: int = 2000,
    warm_up: int | None = None,
    replications: int = 16,
) -> Throughput:
    """Simulate all allocations with the same random numbers; equal ones are simulated once.

    In each of the ``replications`` the line starts empty, the first ``warm_up`` jobs are dropped
    (default: `warm_up_of`) and ``jobs`` are counted.

    >>> from problems.buffer_allocation.line import ProductionLine
    >>> found = simulate(ProductionLine([1.0, 1.0]), [[1]], np.random.default_rng(1))
    >>> low, high = found.confidence_interval(0.99)
    >>> bool(low[0] < 3 / 4 < high[0]), found.jobs, found.warm_up
    (True, 2000, 15)
    """
    x = line.checked(allocations)
    if warm_up is None:
        warm_up = warm_up_of(line, x)
    for name, value, least in (("jobs", jobs, 1), ("warm_up", warm_up, 0)):
        check_whole(name, value, least)
    check_whole("replications", replications, least=2)
    times = Times.draw(line, rng, warm_up + jobs, replications)
    return Throughput(*times.throughput(x, warm_up), jobs, warm_up, replications)


def warm_up_of(line: ProductionLine, allocations: Any) -> int:
    """How many jobs to drop: five times as many as the line has places, machines included.

    Of the jobs by which a line that began empty is behind for ever, less than a fifth is then still
    to come: measured on lines of three to seven machines, balanced or not, reliable or not. Long
    buffers between machines that are as fast fill by diffusion, so that it is no less than the
    square of the places of a buffer, on average.
    """
    places = int(np.max(np.sum(allocations, axis=1), initial=0))
    of_a_buffer = -(-places // max(1, line.n_machines - 1))
    return max(5 * (line.n_machines + places), of_a_buffer**2)
