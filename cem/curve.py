"""The probability curve: P(S >= g) over a grid of levels g, from one weighted sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cem.diagnostics import ENOUGH
from cem.tally import Tally
from cem.typing import Array, Vector

COLUMNS = ("level", "probability", "std error", "low", "high", "ess", "reliable")


@dataclass(frozen=True, eq=False, repr=False)
class Curve:
    """``P(S >= g)`` for every level ``g``, with pointwise errors; all arrays of shape ``(k,)``.

    The figures of different levels rest on the same sample: their errors are correlated, and the
    intervals hold for one level at a time.

    Attributes
    ----------
    level : Vector
        The levels, rising.
    probability, std_error : Vector
        The estimates, and their standard errors: ``inf`` if nothing reached the level.
    low, high : Vector
        The ends of the intervals; see `cem.Estimate.confidence_interval`.
    ess, max_weight : Vector
        Effective samples at the level, and the largest share of a single one.
    n_below : Vector
        How many samples scored below the level.
    reliable : array of bool
        Whether the level may be trusted; see `curve`.
    """

    level: Vector
    probability: Vector
    std_error: Vector
    low: Vector
    high: Vector
    ess: Vector
    max_weight: Vector
    n_below: Vector
    reliable: Any

    def __len__(self) -> int:
        return len(self.level)

    def __repr__(self) -> str:
        numbers = zip(
            self.level, self.probability, self.std_error, self.low, self.high, self.ess, strict=True
        )
        rows = [
            [f"{number:.4g}" for number in row] + ["yes" if good else "no"]
            for row, good in zip(numbers, self.reliable, strict=True)
        ]
        return "\n".join("".join(f"{cell:>12}" for cell in row) for row in [COLUMNS, *rows])


def curve(
    score: Vector,
    log_w: Vector,
    levels: Sequence[float] | Vector,
    *,
    gamma: float,
    confidence: float = 0.95,
) -> Curve:
    """``P(S >= g)`` for every ``g`` in ``levels`` from scores and log-weights of one sample.

    Trust a level where ``reliable`` says so: 100 effective samples reached it (so that none carries
    more than a tenth of the estimate), and, below the level ``gamma`` that the sample was steered
    for, 100 samples fell below it. A density that was steered to ``gamma`` hardly looks
    below: there a few samples have huge weights, or what is missing was never sampled, and the
    estimate is too low with a small error. If all weights are one, only the first is asked.

    Raises ValueError for levels that are no finite numbers.

    >>> curve(np.array([1.0, 2.0, 3.0]), np.zeros(3), [2.0, 2.5], gamma=2.0).probability.round(3)
    array([0.667, 0.333])
    """
    level = _checked(levels)
    order = np.argsort(-score, kind="stable")
    ends = np.searchsorted(-score[order], -level[::-1], side="right")
    plain = not log_w.any()
    tallies, start = [Tally(n=float(len(score)), plain=float(plain))], 0
    for end in ends:  # from the highest level down, every sample is added once
        new = log_w[order[start:end]]
        tallies.append(tallies[-1].add(new[new > -np.inf], 0))
        start = end
    tallies = tallies[:0:-1]
    intervals = np.array([tally.interval(confidence) for tally in tallies])
    ess = np.array([tally.ess for tally in tallies])
    share = np.array([tally.max_weight for tally in tallies])
    n_below = (len(score) - ends[::-1]).astype(float)
    covered = plain | (level >= gamma) | (n_below >= ENOUGH)
    return Curve(
        level=level,
        probability=np.array([tally.probability for tally in tallies]),
        std_error=np.array([tally.std_error for tally in tallies]),
        low=intervals[:, 0],
        high=intervals[:, 1],
        ess=ess,
        max_weight=share,
        n_below=n_below,
        reliable=(ess >= ENOUGH) & covered,
    )


def even_levels(score: Vector, n: int = 25) -> Vector:
    """``n`` even steps from the tenth to the ninety-ninth percentile of the finite scores.

    >>> even_levels(np.arange(101.0), 3)
    array([10. , 54.5, 99. ])
    """
    low, high = np.quantile(score[np.isfinite(score)], [0.1, 0.99])
    return np.linspace(low, high, n)


def _checked(levels: Sequence[float] | Vector) -> Array:
    level = np.asarray(levels, dtype=float)
    if level.ndim != 1 or level.size == 0 or not np.isfinite(level).all():
        raise ValueError(
            f"levels must be one or more finite numbers in a row; got {levels!r} of shape "
            f"{np.shape(levels)}"
        )
    return np.sort(level)
