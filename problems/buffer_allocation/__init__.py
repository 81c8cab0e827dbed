"""Buffer allocation: production lines, exact and simulated, and where to put buffer places."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any

from problems.buffer_allocation.files import read_machines
from problems.buffer_allocation.line import ProductionLine
from problems.buffer_allocation.problem import BufferAllocation

__all__ = ["BufferAllocation", "ProductionLine", "problem", "read_machines"]

RATES = (1.0, 1.1, 1.2, 1.3, 1.4)


def problem(
    service: Sequence[float] = RATES,
    *,
    machines: str | PathLike[str] | None = None,
    capacity: int = 10,
    failure_rate: Any = None,
    repair_rate: Any = None,
    failures: str = "operation",
    lower: Any = 0,
    upper: Any = None,
    jobs: int = BufferAllocation.jobs,
    growth: float = BufferAllocation.growth,
    replications: int = BufferAllocation.replications,
) -> BufferAllocation:
    """The allocation of ``capacity`` places on a line of machines with these rates.

    ``machines`` is a file to read them from instead, see `read_machines`.

    >>> problem(capacity=6, failure_rate=0.05, repair_rate=0.5).line.rates.round(3)
    array([0.909, 1.   , 1.091, 1.182, 1.273])
    """
    if machines is None:
        line = ProductionLine(service, failure_rate, repair_rate, failures)
    elif service is RATES and failure_rate is None and repair_rate is None:
        line = read_machines(machines, failures).line
    else:
        raise ValueError(
            "service, failure_rate and repair_rate are those of machines without a file; got "
            f"machines={str(machines)!r} beside them"
        )
    return BufferAllocation(
        line,
        capacity,
        lower=lower,
        upper=upper,
        jobs=jobs,
        growth=growth,
        replications=replications,
    )
