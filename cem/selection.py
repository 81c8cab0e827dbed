"""From scores to the level gamma_t and the log-weights of the elite."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from cem.scores import real_number
from cem.typing import Vector


@dataclass(frozen=True)
class Elite:
    """The best ``ceil(rho N)`` samples and all ties: de Boer et al. (2005).

    ``gamma_t`` is the ``ceil(rho N)``-th best score, an order statistic, and never above the level
    ``gamma`` asked for. A score of ``-inf`` (a failed evaluation) is never elite.

    >>> Elite(rho=0.5)(np.array([1.0, 4.0, 2.0, 2.0]), np.zeros(4), np.inf)
    (2.0, array([-inf,   0.,   0.,   0.]))
    """

    rho: float = 0.1

    def __post_init__(self) -> None:
        name = "rho, the share of the samples that is elite,"
        object.__setattr__(self, "rho", real_number(name, self.rho))
        if not 0 < self.rho < 1:
            raise ValueError(
                "rho, the share of the samples that is elite, must lie strictly between 0 and 1; "
                f"got {self.rho!r}"
            )

    def __call__(self, score: Vector, log_w: Vector, gamma: float) -> tuple[float, Vector]:
        """The level, and ``log_w`` with ``-inf`` for every sample that is not elite."""
        n = len(score)
        n_elite = math.ceil(self.rho * n - 1e-9)  # 0.07 * 100 is a little more than 7
        if self.rho * n < 1 - 1e-9:
            raise ValueError(
                f"rho * n_samples must be at least 1, or nothing is elite; got {self.rho:g} * {n} "
                f"= {self.rho * n:g}: raise n_samples or rho"
            )
        level = np.partition(score, n - n_elite)[n - n_elite]
        if level == -np.inf:  # fewer usable scores than elite places: all of them are elite
            level = score[score > -np.inf].min()
        gamma_t = min(float(level), gamma)
        return gamma_t, np.where(score >= gamma_t, log_w, -np.inf)
