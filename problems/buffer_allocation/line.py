"""A production line: machines in series, what they need for a job, and how they fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import Generator

from cem.typing import Batch, Vector
from problems import check_every

if TYPE_CHECKING:
    from problems.buffer_allocation.simulation import Throughput

MODES = ("operation", "time")


@dataclass(frozen=True)
class ProductionLine:
    """Machines in series, a buffer before each but the first, blocking after service.

    A machine takes the next job as soon as its last one has left. The first machine never lacks
    jobs; a finished job stays on its machine, and blocks it, until the buffer after it has a free
    place; from the last machine it leaves at once. An *allocation* is the number of places in every
    buffer, between machines ``i`` and ``i + 1``; the place on a machine is not counted.

    Parameters
    ----------
    service : sequence
        For every machine either the rate of exponential service times, in jobs per unit of time,
        or their distribution: a frozen one of `scipy.stats` on positive numbers.
    failure_rate, repair_rate : float or sequence, optional
        Of exponential times to failure and of repair, for all machines or for each. A failure rate
        of 0 is that of a machine that does not fail. The job on a failed machine is finished later.
    failures : "operation" or "time"
        Whether a machine fails only while it works, or at any time, starved and blocked too.

    Raises ValueError or TypeError, naming the machine, if a rate or a distribution cannot be that.

    >>> line = ProductionLine([1.0, 1.2, 1.4], failure_rate=0.05, repair_rate=0.5)
    >>> line.n_buffers, round(line.exact_throughput([7, 3]), 10)
    (2, 0.8274110614)
    """

    service: Sequence[Any]
    failure_rate: Any = None
    repair_rate: Any = None
    failures: str = "operation"

    def __post_init__(self) -> None:
        if isinstance(self.service, str) or not np.iterable(self.service):
            raise TypeError(
                "service must have a rate or a distribution for every machine; got "
                f"{self.service!r}"
            )
        service = tuple(_service(i, given) for i, given in enumerate(self.service))
        if len(service) < 2:
            raise ValueError(f"a line has at least two machines; got service of {len(service)}")
        object.__setattr__(self, "service", service)
        if self.failures not in MODES:
            raise ValueError(
                f"failures must be 'operation' or 'time', when machines fail; got {self.failures!r}"
            )
        if (self.failure_rate is None) != (self.repair_rate is None):
            given, missing = ("failure_rate", "repair_rate")[:: 1 if self.fails else -1]
            raise ValueError(f"machines that fail need both rates; got {given} without {missing}")
        if self.fails:
            beta = _of_every_machine("failure_rate", self.failure_rate, self.n_machines)
            r = _of_every_machine("repair_rate", self.repair_rate, self.n_machines)
            check_every("failure_rate", beta, (beta >= 0) & (beta < np.inf), "0 or more", "machine")
            check_every("repair_rate", r, (r > 0) & (r < np.inf), "positive", "machine")
            object.__setattr__(self, "failure_rate", tuple(beta.tolist()))
            object.__setattr__(self, "repair_rate", tuple(r.tolist()))

    @property
    def n_machines(self) -> int:
        """The number of machines."""
        return len(self.service)

    @property
    def n_buffers(self) -> int:
        """The number of buffers, one less than machines."""
        return self.n_machines - 1

    @property
    def fails(self) -> bool:
        """Whether machines fail."""
        return self.failure_rate is not None

    @property
    def exponential(self) -> bool:
        """Whether all service times are exponential."""
        return all(isinstance(service, float) for service in self.service)

    @property
    def rates(self) -> Vector:
        """Jobs per unit of time of every machine by itself, its repairs included, shape ``(m,)``.

        The throughput of the line is below the least of them.

        >>> ProductionLine([1.0, 1.2], failure_rate=0.1, repair_rate=0.4).rates
        array([0.8 , 0.96])
        """
        own = [s if isinstance(s, float) else 1 / float(s.mean()) for s in self.service]
        if not self.fails:
            return np.array(own)
        beta, r = np.array(self.failure_rate), np.array(self.repair_rate)
        return np.array(own) * r / (r + beta)

    def exact_throughput(self, allocation: Sequence[int]) -> float:
        """Jobs per unit of time in the long run, from the Markov chain of an exponential line.

        Raises ValueError if a service time is not exponential, or for more states than
        `problems.buffer_allocation.exact.MOST_STATES`: then `simulate`.

        >>> ProductionLine([1.0, 1.0]).exact_throughput([2])  # (b + 2) / (b + 3)
        0.8
        """
        from problems.buffer_allocation.exact import exact_throughput

        return exact_throughput(self, allocation)

    def simulate(self, allocations: Batch, rng: Generator, **lengths: Any) -> Throughput:
        """Throughput of every allocation, all with the same random numbers.

        ``lengths`` are those of `problems.buffer_allocation.simulation.simulate`.

        >>> line = ProductionLine([1.0, 1.0])
        >>> found = line.simulate([[0], [2]], np.random.default_rng(1), jobs=20_000)
        >>> found.mean.round(2)  # 2/3 and 4/5
        array([0.67, 0.8 ])
        """
        from problems.buffer_allocation.simulation import simulate

        return simulate(self, allocations, rng, **lengths)

    def checked(self, allocations: Any) -> Any:
        """The allocations, int64 of shape ``(n, n_buffers)``; ValueError for what is none."""
        x = np.asarray(allocations)
        if x.ndim != 2 or x.shape[1] != self.n_buffers:
            raise ValueError(
                f"allocations for {self.n_machines} machines have {self.n_buffers} buffers each: "
                f"expected shape (n, {self.n_buffers}), got {x.shape}"
            )
        if x.dtype.kind not in "iuf":
            raise TypeError(f"an allocation is of whole numbers; got {x.dtype} ones")
        if not (good := (x >= 0) & (x == np.floor(x)) & (x < np.inf)).all():
            row, buffer = np.argwhere(~good)[0]
            raise ValueError(
                "the places of a buffer must be a whole number from 0 on; got "
                f"{x[row, buffer]:g} for buffer {buffer} of allocation {row}"
            )
        return x.astype(np.int64)


def _service(machine: int, given: Any) -> Any:
    """A rate as a float, or a distribution on positive numbers."""
    if isinstance(given, int | float | np.number) and not isinstance(given, bool):
        if not 0 < given < np.inf:
            raise ValueError(
                "a rate of service must be positive and finite, in jobs per unit of time; got "
                f"{given:g} for machine {machine}"
            )
        return float(given)
    if not all(hasattr(given, name) for name in ("rvs", "support", "mean")):
        raise TypeError(
            "service must be a rate or a frozen distribution of scipy.stats for every machine; got "
            f"{given!r} for machine {machine}"
        )
    low, mean = float(given.support()[0]), float(given.mean())
    if not low >= 0 or not 0 < mean < np.inf:
        raise ValueError(
            "a service time must be positive with a finite mean; got a distribution from "
            f"{low:g} on with the mean {mean:g} for machine {machine}"
        )
    return given


def _of_every_machine(name: str, given: Any, n_machines: int) -> Vector:
    """A rate of every machine, be it one for all."""
    try:
        rates = np.array(given, dtype=float)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{name} must be a number or one for every machine; got {given!r}"
        ) from error
    if rates.shape not in {(), (n_machines,)}:
        raise ValueError(
            f"{name} must be a number or one for every of the {n_machines} machines; got shape "
            f"{rates.shape}"
        )
    return np.broadcast_to(rates, n_machines)
