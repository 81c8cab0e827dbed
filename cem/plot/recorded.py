"""A problem that keeps what it was asked: for pictures of the samples of a run."""

from __future__ import annotations

from typing import Any

import numpy as np

from cem.state import History
from cem.typing import Array, Batch, Vector
from cem.wrapping import Around


class Recorded(Around):
    """The problem, and all samples that it has scored in this process, in their order.

    For one run, without ``workers``: those are scored by other processes, where nothing is kept.

    >>> import cem
    >>> problem = Recorded(lambda x: x.sum(axis=1))
    >>> best = cem.maximize(problem, cem.Bernoulli([0.5] * 4), n_samples=20, rng=1)
    >>> [batch.shape for batch in problem.batches(best.history)[:2]]
    [(20, 4), (20, 4)]
    """

    def __init__(self, problem: Any) -> None:
        self.problem = problem
        self.parts: list[Batch] = []

    def __call__(self, x: Batch) -> Vector:
        """The scores of the problem; the samples are kept."""
        self.parts.append(x.copy())
        return self.problem(x)

    @property
    def gamma(self) -> float:
        """The problem's level."""
        return self.problem.gamma

    def batches(self, history: History) -> list[Array]:
        """The samples of every iteration of a run.

        Raises ValueError if others were scored than those of this run.
        """
        sizes = history.column("n").astype(int)
        n = sum(map(len, self.parts))
        if n != sizes.sum():
            raise ValueError(
                f"expected the {sizes.sum()} samples of the run; got {n} that the problem has "
                "recorded: record one whole run with one problem, and score it here (workers=1)"
            )
        return np.split(np.concatenate(self.parts), np.cumsum(sizes)[:-1])
