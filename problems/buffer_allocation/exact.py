"""The exact throughput of an exponential line: the steady state of its Markov chain.

The state counts, for every machine but the last, the jobs that it has finished and the next one has
not: those in the buffer, the one on the next machine and the finished one that blocks it. Beside
them are the machines that are down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from cem.typing import Vector
from problems.buffer_allocation.line import ProductionLine

MOST_STATES = 500_000
TOLERANCE = 1e-14  # of what one sweep may still move, the probabilities summing to 1
MOST_SWEEPS = 100_000
MOST_ELIMINATED = 50_000


def exact_throughput(line: ProductionLine, allocation: Sequence[int]) -> float:
    """Jobs per unit of time in the long run; see `ProductionLine.exact_throughput`.

    >>> line = ProductionLine([1.0, 1.0, 1.0])
    >>> round(exact_throughput(line, [0, 0]) * 39, 10)  # Hunt (1956): 22/39
    22.0
    """
    from problems.buffer_allocation.kernels import settle

    if general := [i for i, s in enumerate(line.service) if not isinstance(s, float)]:
        raise ValueError(
            f"only exponential lines have an exact throughput here; machine {general[0]} has "
            f"{line.service[general[0]]!r}: simulate"
        )
    if (n := n_states(line, allocation)) > MOST_STATES:
        raise ValueError(
            f"the Markov chain has {n} states, more than the {MOST_STATES} that are solved exactly:"
            " take fewer places or machines, or simulate"
        )
    chain = _Chain(line, line.checked([allocation])[0])
    start, source, rate, out = chain.equations
    p = np.full(len(out), 1 / len(out))
    if settle(start, source, rate, out, p, TOLERANCE, MOST_SWEEPS) < 0:
        p = _eliminated(start, source, rate, out, int(p.argmax()))
    return float(p @ chain.works[:, -1]) * line.service[-1]


def _eliminated(start: Any, source: Any, rate: Vector, out: Vector, likely: int) -> Vector:
    """The steady state by elimination, for a chain in which sweeps spread news too slowly.

    The equation of one state that is not unlikely follows from the others, and is left out.
    """
    from scipy.sparse import csr_array, diags_array
    from scipy.sparse.linalg import splu

    n = len(out)
    if n > MOST_ELIMINATED:
        raise ValueError(
            f"the steady state of {n} states was not found in {MOST_SWEEPS} sweeps, and it takes "
            f"at most {MOST_ELIMINATED} states to eliminate them: take fewer places, or simulate"
        )
    balance = (csr_array((rate, source, start), (n, n)) - diags_array(out)).tocsc()
    others = np.delete(np.arange(n), likely)
    p = np.ones(n)
    inflow = -balance[:, [likely]].toarray()[others, 0]
    p[others] = splu(balance[others][:, others]).solve(inflow)
    return p / p.sum()


def n_states(line: ProductionLine, allocation: Sequence[int]) -> int:
    """The number of states of the Markov chain, counted without listing them.

    >>> n_states(ProductionLine([1.0, 1.0, 1.0]), [0, 0])
    8
    """
    at_work = 2 if line.fails and line.failures == "operation" else 1  # up, or down
    free, blocked = 1, 0  # of the line from the machine at hand on
    for places in line.checked([allocation])[0, ::-1].tolist():
        not_full = 1 + at_work * (places + 1)  # states of the buffer before a free machine
        free, blocked = not_full * free + (places + 1) * blocked, at_work * free + blocked
    of_line = at_work * free + blocked
    return of_line * 2**line.n_machines if line.fails and line.failures == "time" else of_line


@dataclass(frozen=True, eq=False)
class _Chain:
    """The states and the rates between them; the first axis of all tables counts the states."""

    line: ProductionLine
    allocation: Any

    @cached_property
    def _states(self) -> tuple[Any, Any, Any]:
        """The jobs, shape ``(n, m - 1)``, and which machines have work and are down, ``(n, m)``."""
        jobs, free = np.empty((1, 0), dtype=int), np.ones((1, 1), dtype=bool)
        for places in self.allocation[::-1]:
            most = places + 1 + free[:, 0]  # it blocks the machine before
            row = np.repeat(np.arange(len(jobs)), most + 1)
            finished = np.concatenate([np.arange(high + 1) for high in most])
            jobs = np.column_stack([finished, jobs[row]])
            free = np.column_stack([finished < most[row], free[row]])
        has_work = free & np.insert(jobs > 0, 0, True, axis=1)
        down = np.zeros((len(jobs), 0), dtype=bool)
        for i in range(self.line.n_machines):
            may = has_work[:, i] | (self.line.failures == "time")
            also = np.flatnonzero(may & self.line.fails)
            row = np.append(np.arange(len(jobs)), also)
            down = np.column_stack([down[row], np.arange(len(row)) >= len(jobs)])
            jobs, has_work = jobs[row], has_work[row]
        return jobs, has_work, down

    @property
    def works(self) -> Any:
        """Which machines work, shape ``(n, m)``."""
        _, has_work, down = self._states
        return has_work & ~down

    @property
    def equations(self) -> tuple[Any, Any, Any, Vector]:
        """The rates as `problems.buffer_allocation.kernels.settle` takes them."""
        from scipy.sparse import coo_array

        jobs, _, down = self._states
        n, m = down.shape
        step = np.cumprod([1, *(self.allocation + 3), *[2] * (m - 1)])  # one number per state
        name = np.column_stack([jobs, down]) @ step
        order = name.argsort()
        finish = np.append(step[: m - 1], 0) - np.append(0, step[: m - 1])
        moves = [*zip(self.works.T, finish, self.line.service, strict=True)]
        if self.line.fails:
            may_fail = self.works if self.line.failures == "operation" else ~down
            moves += zip(may_fail.T, step[m - 1 :], self.line.failure_rate, strict=True)
            moves += zip(down.T, -step[m - 1 :], self.line.repair_rate, strict=True)
        source = [np.flatnonzero(when) for when, _, _ in moves]
        after = [name[s] + by for s, (_, by, _) in zip(source, moves, strict=True)]
        rate = np.repeat([rate for _, _, rate in moves], [len(s) for s in source])
        source = np.concatenate(source)
        target = order[np.searchsorted(name, np.concatenate(after), sorter=order)]
        flows = coo_array((rate, (target, source)), (n, n)).tocsr()
        return flows.indptr, flows.indices, flows.data, np.bincount(source, rate, n)
