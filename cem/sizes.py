"""How many samples an iteration draws: a number, or a function of the iterations done."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cem.scores import real_number, rounded_up, whole_number
from cem.typing import SampleSize


@dataclass(frozen=True)
class Decaying:
    """``N_t = max(n / factor^t, least)``, rounded up, ``t`` from 0.

    A wide search needs more samples than a narrow one: Pinneri et al. (2020), arXiv:2008.06389,
    there with ``factor = 1.25`` and twice the number of elite samples as ``least``.

    >>> [Decaying(40, factor=2.0, least=15)(t) for t in range(3)]
    [40, 20, 15]
    """

    n: int
    factor: float = 1.25
    least: int = 1

    def __post_init__(self) -> None:
        n = whole_number("n, the samples of the first iteration,", self.n)
        least = whole_number("least, the samples of the last iterations,", self.least)
        factor = real_number("factor, by which N falls,", self.factor)
        if not 1 <= factor < math.inf:
            raise ValueError(f"factor, by which N falls, must be at least 1; got {self.factor!r}")
        for name, value in {"n": n, "factor": factor, "least": least}.items():
            object.__setattr__(self, name, value)

    def __call__(self, t: int) -> int:
        """``N`` of the iteration after ``t`` others."""
        return max(math.ceil(self.n * self.factor**-t), self.least)


@dataclass(frozen=True)
class Multiplied:
    """``factor`` times the samples of another rule, rounded up: what a restart makes of it.

    >>> [Multiplied(Decaying(40, factor=2.0, least=15), 1.5)(t) for t in range(3)]
    [60, 30, 23]
    """

    of: SampleSize
    factor: float

    def __call__(self, t: int) -> int:
        """``N`` of the iteration after ``t`` others."""
        return rounded_up(self.factor * size_of(self.of, t))


def size_of(n_samples: SampleSize, t: int) -> int:
    """``N`` after ``t`` iterations, of a number or a rule.

    >>> size_of(100, 5), size_of(lambda t: 10 * t, 5)
    (100, 50)
    """
    return whole_number("n_samples", n_samples(t) if callable(n_samples) else n_samples)
