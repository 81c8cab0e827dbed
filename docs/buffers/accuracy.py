"""The tables of the page on accuracy: intervals beside exact values, and common random numbers.

python docs/buffers/accuracy.py
"""
# ruff: noqa: INP001, T201 - a script of the documentation, whose tables are printed

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from cem.typing import Array
from problems.buffer_allocation import BufferAllocation, ProductionLine
from problems.buffer_allocation.simulation import Throughput

RISING = (1.0, 1.1, 1.2, 1.3, 1.4)
FAIL = {"failure_rate": 0.05, "repair_rate": 0.5}
LINES = {
    "2 machines, rates 1": (ProductionLine([1.0, 1.0]), (2,)),
    "3 machines, no buffers": (ProductionLine([1.0] * 3), (0, 0)),
    "3 machines, 1 to 1.4": (ProductionLine([1.0, 1.2, 1.4]), (7, 3)),
    "5 machines, rates 1": (ProductionLine([1.0] * 5), (2, 3, 3, 2)),
    "5 machines, 1 to 1.4": (ProductionLine(RISING), (4, 3, 2, 1)),
    "7 machines, rates 1": (ProductionLine([1.0] * 7), (1, 2, 2, 2, 2, 1)),
    "5 that fail at work": (ProductionLine(RISING, **FAIL), (3, 3, 3, 1)),
    "5 that fail any time": (ProductionLine(RISING, **FAIL, failures="time"), (3, 3, 3, 1)),
}
RUNS = 1000


def intervals() -> None:
    """How often the intervals of a simulation, with default settings, hold the exact throughput."""
    generators = np.random.default_rng(1).spawn(len(LINES))
    for (name, (line, x)), rng in zip(LINES.items(), generators, strict=True):
        known = line.exact_throughput(x)
        found = [line.simulate([x], rng) for _ in range(RUNS)]
        mean = np.array([run.mean[0] for run in found])
        error = mean.std(ddof=1) / known
        print(
            f"{name:24}{known:.6f}  {mean.mean() / known - 1:+.3%} +- {error / np.sqrt(RUNS):.3%}"
            f"  {error:.2%}  {covered(found, known, 0.95):.1%}  {covered(found, known, 0.99):.1%}"
        )


def covered(found: Sequence[Throughput], known: float, level: float) -> float:
    """The share of intervals that hold what is known."""
    ends = np.array([run.confidence_interval(level) for run in found])[:, :, 0]
    return float(np.mean((ends[:, 0] < known) & (known < ends[:, 1])))


def common_numbers() -> None:
    """Variances of the differences to all neighbours: independent times over common ones."""
    for name, (line, x) in LINES.items():
        if any(x) and line.n_buffers > 1:
            near = BufferAllocation(line, sum(x)).neighbours(np.array(x))
            ratio = variance_ratio(line, np.vstack([x, near]), np.random.default_rng(2))
            print(f"{name:24}{np.median(ratio):6.1f}  {ratio.min():6.1f} {ratio.max():6.1f}")


def variance_ratio(line: ProductionLine, x: Array, rng: Generator, runs: int = 400) -> Array:
    """Of the difference of every allocation to the first, shape ``(len(x) - 1,)``."""
    scores = np.array([line.simulate(x, rng).mean for _ in range(runs)])
    variance = scores.var(axis=0, ddof=1)
    common = (scores[:, 1:] - scores[:, :1]).var(axis=0, ddof=1)
    return (variance[1:] + variance[0]) / common


if __name__ == "__main__":
    intervals()
    common_numbers()
