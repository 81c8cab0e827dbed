"""Buffer allocation: production lines, exact and simulated, and where to put buffer places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from problems.buffer_allocation.line import ProductionLine
from problems.buffer_allocation.problem import BufferAllocation

__all__ = ["BufferAllocation", "ProductionLine", "problem"]


def problem(
    service: Sequence[float] = (1.0, 1.1, 1.2, 1.3, 1.4),
    *,
    capacity: int = 10,
    failure_rate: Any = None,
    repair_rate: Any = None,
    failures: str = "operation",
    lower: Any = 0,
    upper: Any = None,
    jobs: int = 150,
    growth: float = 0.2,
    replications: int = 8,
) -> BufferAllocation:
    """The allocation of ``capacity`` places on a line of machines with these rates.

    >>> problem(capacity=6, failure_rate=0.05, repair_rate=0.5).line.rates.round(3)
    array([0.909, 1.   , 1.091, 1.182, 1.273])
    """
    line = ProductionLine(service, failure_rate, repair_rate, failures)
    return BufferAllocation(
        line,
        capacity,
        lower=lower,
        upper=upper,
        jobs=jobs,
        growth=growth,
        replications=replications,
    )
