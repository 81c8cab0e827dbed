"""Local searches of quadratic assignment: exchanges of two locations, and a tabu search of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from numpy.random import Generator

from cem.typing import Batch
from problems import check_whole
from problems.orders import checked_orders, never_worse
from problems.qap.problem import QAP


@dataclass(frozen=True)
class Exchange:
    """The best exchange of the locations of two facilities, until none helps.

    A table holds what every exchange would change, and is kept up to date.

    >>> import numpy as np
    >>> qap = QAP([[0, 3, 1], [3, 0, 0], [1, 0, 0]], [[0, 1, 5], [1, 0, 2], [5, 2, 0]])
    >>> Exchange(qap)(np.array([[0, 1, 2]]), np.random.default_rng(1))
    array([[1, 0, 2]])
    """

    qap: QAP

    def __call__(self, x: Batch, rng: Generator) -> Batch:
        """A local optimum for each of ``x``, shape ``(n_samples, n)``; never a worse one."""
        del rng  # the steepest descent has nothing to choose
        from problems.qap.kernels import descend_all

        location = checked_orders(x, self.qap.n, "locations")
        descend_all(location, self.qap.flow, self.qap.distance)
        return never_worse(self.qap, x, location)


@dataclass(frozen=True)
class RobustTabu:
    """The best exchange that is not tabu, ``steps`` times; the best assignment met is returned.

    For some ``n`` steps, drawn at random again and again, a facility may not go back to where it
    has been, unless that gives the best assignment so far. E. Taillard, Robust taboo search for
    the quadratic assignment problem, Parallel Computing 17 (1991); without its long-term rule.

    >>> import numpy as np
    >>> qap = QAP([[0, 3, 1], [3, 0, 0], [1, 0, 0]], [[0, 1, 5], [1, 0, 2], [5, 2, 0]])
    >>> RobustTabu(qap, steps=9)(np.array([[0, 1, 2]]), np.random.default_rng(1))
    array([[1, 0, 2]])
    """

    leaves: ClassVar[bool] = True  # local optima
    qap: QAP
    steps: int = 200

    def __post_init__(self) -> None:
        check_whole("steps", self.steps, 0)

    def __call__(self, x: Batch, rng: Generator) -> Batch:
        """The best assignment found from each of ``x``, ``(n_samples, n)``; never a worse one."""
        from problems.qap.kernels import tabu_all

        location = checked_orders(x, self.qap.n, "locations")
        tabu_all(location, self.qap.flow, self.qap.distance, self.steps, rng)
        return never_worse(self.qap, x, location)
