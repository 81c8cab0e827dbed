"""Standard functions seen through Gaussian noise; what is found can be compared with the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator

from cem.typing import Batch, Vector
from problems import binary, continuous, nearest


@dataclass(frozen=True)
class Noisy:
    """Score: that of ``exact_problem`` plus normal noise with standard deviation ``sd_at``.

    The standard deviation is ``sd + relative |S(x)|``: with ``relative`` above 0 it depends on
    where ``x`` is. The mean score of ``x`` is that of the exact problem.

    >>> noisy = Noisy(binary.OneMax(4), sd=0.5, relative=0.1)
    >>> x = np.array([[1, 0, 1, 1]])
    >>> noisy.mean(x), noisy.sd_at(x)
    (array([3.]), array([0.8]))
    >>> noisy.bind(np.random.default_rng(1))(x).round(3)
    array([3.276])
    """

    exact_problem: Any
    sd: float = 1.0
    relative: float = 0.0

    def __post_init__(self) -> None:
        for name in ("sd", "relative"):
            value = getattr(self, name)
            if not 0 <= value < np.inf:
                raise ValueError(f"{name} must be at least 0 and finite; got {value!r}")

    def bind(self, rng: Generator) -> Callable[[Batch], Vector]:
        """The problem with its noise from ``rng``, one number per sample."""

        def score(x: Batch) -> Vector:
            return self.mean(x) + self.sd_at(x) * rng.standard_normal(len(x))

        return score

    def mean(self, x: Batch) -> Vector:
        """The mean scores, shape ``(len(x),)``."""
        return self.exact_problem(x)

    def sd_at(self, x: Batch) -> Vector:
        """The standard deviations of the scores, shape ``(len(x),)``."""
        return self.sd + self.relative * np.abs(self.mean(x))

    def nominal(self) -> Any:
        """That of the exact problem."""
        return self.exact_problem.nominal()

    def exact(self) -> float | None:
        """The best mean score, where it is known."""
        least = getattr(self.exact_problem, "minimum", None)
        return getattr(self.exact_problem, "optimum", None) if least is None else least

    def report(self, found: Any) -> dict[str, str]:
        """What the mean of the answer really is, and the interval that should hold it."""
        low, high = found.confidence_interval()
        true = float(self.mean(np.asarray(found.x)[None])[0])
        return {"interval": f"{low:.6g} to {high:.6g}", "true mean": f"{true:.6g}"}


def problem(
    function: str = "sphere", *, d: int = 10, sd: float = 1.0, relative: float = 0.0
) -> Noisy:
    """The continuous or binary function of that name in ``d`` coordinates, with noise.

    Continuous functions are to be minimised, binary ones maximised.

    >>> problem("onemax", d=6, sd=2.0).exact()
    6.0
    """
    bits = [name for name in binary.NAMES if name != "knapsack"]
    if function in continuous.FUNCTIONS:
        return Noisy(continuous.Continuous(function, d), sd, relative)
    if function in bits:
        return Noisy(binary.problem(function, n=d), sd, relative)
    raise ValueError(
        f"there is no function {function!r}" + nearest(function, [*continuous.FUNCTIONS, *bits])
    )
