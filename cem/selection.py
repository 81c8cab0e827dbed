"""From scores to the level gamma_t and the log-weights of the elite."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from cem.scores import real_number, rounded_up, whole_number
from cem.typing import Vector


@dataclass(frozen=True, repr=False)
class Elite:
    """The best ``ceil(rho N)`` samples and all ties: de Boer et al. (2005).

    ``gamma_t`` is the ``ceil(rho N)``-th best score, an order statistic, and never above the level
    ``gamma`` asked for. A score of ``-inf`` (a failed evaluation) is never elite.

    ``at_least`` and ``at_most`` bound the number ``ceil(rho N)``. Whoever ties with ``gamma_t`` is
    elite too, so a batch with ties, or one that has reached ``gamma``, may have more than
    ``at_most``. Without ``at_least`` a share of less than one sample is refused.

    >>> Elite(rho=0.5)(np.array([1.0, 4.0, 2.0, 2.0]), np.zeros(4), np.inf)
    (2.0, array([-inf,   0.,   0.,   0.]))
    >>> Elite(rho=0.5, at_most=1)(np.array([1.0, 4.0, 2.0, 2.0]), np.zeros(4), np.inf)
    (4.0, array([-inf,   0., -inf, -inf]))
    """

    rho: float = 0.1
    at_least: int | None = None
    at_most: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "rho", share(self.rho))
        for name in ("at_least", "at_most"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, whole_number(name, getattr(self, name)))
        if self.at_least and self.at_most and self.at_least > self.at_most:
            raise ValueError(
                "at_least must not exceed at_most, the bounds of the number of elite samples; got "
                f"{self.at_least} and {self.at_most}"
            )

    def __call__(self, score: Vector, log_w: Vector, gamma: float) -> tuple[float, Vector]:
        """The level, and ``log_w`` with ``-inf`` for every sample that is not elite."""
        gamma_t = min(_level(score, self._places(len(score))), gamma)
        return gamma_t, np.where(score >= gamma_t, log_w, -np.inf)

    def __repr__(self) -> str:
        """Without the bounds that are not set: a checkpoint holds this as its settings."""
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        words = (f"{name}={value!r}" for name, value in given.items() if value is not None)
        return f"{type(self).__name__}({', '.join(words)})"

    def _places(self, n: int) -> int:
        if self.at_least is None:
            places = _places(self.rho, n)
        elif self.at_least <= n:
            places = max(rounded_up(self.rho * n), self.at_least)
        else:
            raise ValueError(
                f"at_least, the least number of elite samples, must not exceed n_samples = {n}; "
                f"got {self.at_least}"
            )
        return places if self.at_most is None else min(places, self.at_most)


@dataclass(frozen=True, repr=False)
class Ranked(Elite):
    """`Elite` whose better samples weigh more: ``w_i ~ ln(N^e + 1/2) - ln i`` for the i-th best.

    The weights of CMA-ES: Hansen (2016), arXiv:1604.00772. ``N^e`` counts all elite samples, and
    samples of equal score share the mean of their weights. The weights have the mean one over the
    elite and multiply those that come in. They depend on the order of the scores only. For
    optimisation: with likelihood ratios they would aim beyond the density that is sought.

    >>> log_w = Ranked(rho=0.5)(np.array([5.0, 3.0, 1.0, 0.0]), np.zeros(4), np.inf)[1]
    >>> np.exp(log_w).round(4)
    array([1.6083, 0.3917, 0.    , 0.    ])
    """

    def __call__(self, score: Vector, log_w: Vector, gamma: float) -> tuple[float, Vector]:
        """The level, and ``log_w`` plus the log-weight of the rank; ``-inf`` if not elite."""
        gamma_t, log_w = super().__call__(score, log_w, gamma)
        elite = score >= gamma_t
        log_w[elite] += np.log(_rank_weights(score[elite]))
        return gamma_t, log_w


def _rank_weights(score: Vector) -> Vector:
    n = len(score)
    w: Vector = math.log(n + 0.5) - np.log(np.arange(1, n + 1))
    return by_rank(score, w / w.mean())


def by_rank(score: Vector, w: Vector) -> Vector:
    """``w[i]`` for the i-th best score; samples of equal score share the mean of their weights.

    >>> by_rank(np.array([1.0, 7.0, 1.0]), np.array([6.0, 3.0, 1.0]))
    array([2., 6., 2.])
    """
    order = np.argsort(-score, kind="stable")
    ordered = score[order]
    first = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1  # of every group but the best
    if len(first) < len(w) - 1:
        starts = np.concatenate([[0], first])
        size = np.diff(np.append(starts, len(w)))
        w = np.repeat(np.add.reduceat(w, starts) / size, size)
    shared = np.empty(len(w))
    shared[order] = w
    return shared


@dataclass(frozen=True)
class Boltzmann:
    """Every sample counts, the better the more: ``w_i = exp((S_i - S_max) / T)``.

    The temperature ``T`` is the one at which Kish's effective sample size of these weights is
    ``rho N``, so the scale of the scores does not matter, but their distances do. Where ``rho N``
    samples or more share the best score, the limit ``T -> 0`` is taken: only they count. Where no
    more than ``rho N`` scores are usable, all these weigh the same. A score above the level
    ``gamma`` asked for counts as ``gamma``; one of ``-inf`` (a failed evaluation) has no weight.
    The level is that of `Elite`, and samples below it have a weight too.

    >>> log_w = Boltzmann(rho=0.5)(np.array([3.0, 2.0, 1.0, 0.0]), np.zeros(4), np.inf)[1]
    >>> w = np.exp(log_w)
    >>> w.round(4), (w.sum() ** 2 / (w @ w)).round(4)
    (array([1.    , 0.346 , 0.1197, 0.0414]), np.float64(2.0))
    """

    rho: float = 0.1

    def __post_init__(self) -> None:
        object.__setattr__(self, "rho", share(self.rho))

    def __call__(self, score: Vector, log_w: Vector, gamma: float) -> tuple[float, Vector]:
        """The level, and ``log_w`` plus ``(S_i - S_max) / T``; ``-inf`` where that is no weight."""
        gamma_t = min(_level(score, _places(self.rho, len(score))), gamma)
        with np.errstate(divide="ignore"):  # the logarithm of no weight
            log_b = np.log(_boltzmann_weights(np.minimum(score, gamma), self.rho * len(score)))
        return gamma_t, log_w + log_b


def _boltzmann_weights(score: Vector, size: float) -> Vector:
    """``exp((S_i - S_max) / T)`` with the effective sample size ``size``, or as near as can be.

    That size falls with ``-ln T``, from all usable samples down to the best ones: it is bisected.
    """
    if score.max() == -np.inf:  # none is usable: all samples are alike
        return np.ones(len(score))
    gap = score.max() / 2 - score / 2  # halved, so that no difference overflows
    usable, best = gap < np.inf, gap == 0
    if usable.sum() <= size:
        return usable.astype(float)
    if best.sum() >= size - 1e-9:  # 0.07 * 100 again
        return best.astype(float)
    with np.errstate(divide="ignore", over="ignore"):  # -inf for the best; exp(-inf) is no weight
        log_gap = np.log(gap)
        between = log_gap[usable & ~best]
        hot, cold = -between.max() - 40, -between.min() + 7  # all weights one; all others' zero
        while hot < (middle := (hot + cold) / 2) < cold:
            w: Vector = np.exp(-np.exp(middle + log_gap))
            if w.sum() ** 2 > size * (w @ w):
                hot = middle
            else:
                cold = middle
    return w


def _level(score: Vector, places: int) -> float:
    """The score at the last of so many places."""
    n = len(score)
    level = np.partition(score, n - places)[n - places]
    if level == -np.inf:  # fewer usable scores than elite places: all of them are elite
        level = score[score > -np.inf].min(initial=np.inf)
        level = -np.inf if level == np.inf else level  # none: all samples are alike
    return float(level)


def _places(rho: float, n: int) -> int:
    """``ceil(rho N)``, if that is a share of at least one sample."""
    if rho * n < 1 - 1e-9:
        raise ValueError(
            f"rho * n_samples must be at least 1, or nothing is elite; got {rho:g} * {n} "
            f"= {rho * n:g}: raise n_samples or rho"
        )
    return rounded_up(rho * n)


def share(rho: Any) -> float:
    """The share of the samples that is elite, or an error."""
    name = "rho, the share of the samples that is elite,"
    value = real_number(name, rho)
    if not 0 < value < 1:
        raise ValueError(f"{name} must lie strictly between 0 and 1; got {rho!r}")
    return value
