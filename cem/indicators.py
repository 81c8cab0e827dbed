"""Selections that weigh every sample: smooth indicators of an event, powers of an integrand."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cem.scores import NOTHING, positive_number
from cem.selection import share
from cem.typing import Vector

MOST_STEPS = 64  # from the sharpest indicator to one that is nearly constant
NEGLIGIBLE = 20.7  # nats: a billionth


@dataclass(frozen=True)
class SmoothIndicator:
    """Every sample counts by a smooth indicator: ``w_i = W_i Phi((S_i - gamma) / sigma)``.

    The improved cross-entropy method (iCE) of Papaioannou, Geyer, Straub (2019), to estimate the
    probability of ``S >= gamma``: instead of a level that rises, ``sigma`` falls, and no sample is
    thrown away. ``sigma`` is the smallest at which the weights have a coefficient of variation of
    ``cv``; where none is small enough, the one with the least variation. Once the variation of
    ``1{S_i >= gamma} / Phi((S_i - gamma) / sigma)`` is no larger than ``cv`` either (about a share
    of ``1 / (1 + cv^2)`` of the samples hits), the indicator itself takes over.

    From then on the level is ``gamma``. Before, it is ``gamma - sigma``, where the smooth indicator
    is ``Phi(-1) = 0.16``: it rises as ``sigma`` falls. A family that cannot come near the smooth
    event has weights that vary by more than ``cv`` whatever its parameters; then ``sigma`` cannot
    fall, and the level is stuck. So 1.5 does for normal densities; independent exponential times,
    say, need 5. Raises ValueError without a finite ``gamma``.

    >>> score, log_w = np.array([1.0, 0.0, 0.0, 0.0]), np.zeros(4)
    >>> level, log_w = SmoothIndicator(cv=1.5)(score, log_w, 2.0)
    >>> w = np.exp(log_w)
    >>> round(level, 4), (w.std() / w.mean()).round(4)
    (1.2658, np.float64(1.5))
    """

    cv: float = 1.5

    def __post_init__(self) -> None:
        name = "cv, the coefficient of variation of the weights,"
        object.__setattr__(self, "cv", positive_number(name, self.cv))

    def __call__(self, score: Vector, log_w: Vector, gamma: float) -> tuple[float, Vector]:
        """The level, and ``log_w`` plus the logarithm of the indicator, smooth or not."""
        gap = _gap(score, gamma, "SmoothIndicator")
        hit = gap >= 0
        sharp = np.where(hit, log_w, -np.inf)
        if hit.all() or _variation(sharp) <= self.cv:
            return gamma, sharp
        level, log_indicator = _softened(gap, log_w, gamma, self.cv)
        if _variation(np.where(hit, -log_indicator, -np.inf)) <= self.cv:
            return gamma, sharp
        return level, log_w + log_indicator


@dataclass(frozen=True)
class Sharpened:
    """Every sample counts by the sharpest smooth indicator that leaves ``ess`` effective samples.

    ``w_i = W_i Phi((S_i - gamma) / sigma)`` as in `SmoothIndicator`, with the smallest ``sigma`` at
    which Kish's effective number of samples is ``ess``, or where it is always smaller, the one at
    which it is largest. Once ``ess`` samples that have reached ``gamma`` are among them, only these
    count. For `cem.pooling.Pooled`, whose effective samples grow in number as it goes on. The level
    is as in `SmoothIndicator`; ValueError without a finite ``gamma``. A weight of less than 1e-9 of
    the largest is none.

    >>> score, log_w = np.array([1.0, 0.0, 0.0, 0.0]), np.zeros(4)
    >>> level, log_w = Sharpened(ess=2.0)(score, log_w, 2.0)
    >>> w = np.exp(log_w)
    >>> round(level, 4), (w.sum() ** 2 / (w @ w)).round(4)
    (0.9756, np.float64(2.0))
    """

    ess: float = 150.0

    def __post_init__(self) -> None:
        name = "ess, the effective number of samples,"
        object.__setattr__(self, "ess", positive_number(name, self.ess))

    def __call__(self, score: Vector, log_w: Vector, gamma: float) -> tuple[float, Vector]:
        """The level, and ``log_w`` plus the logarithm of the indicator, smooth or not."""
        gap = _gap(score, gamma, "Sharpened")
        sharp = np.where(gap >= 0, log_w, -np.inf)
        cv = math.sqrt(max(0.0, len(score) / self.ess - 1))
        if _variation(sharp) <= cv:
            return gamma, sharp
        level, log_indicator = _softened(gap, log_w, gamma, cv)
        log_w = log_w + log_indicator
        log_w[log_w < log_w.max() - NEGLIGIBLE] = -np.inf
        return level, log_w


@dataclass(frozen=True)
class Tempered:
    """Every sample counts by a power of what is averaged: ``w_i = W_i H_i^beta``, ``S = ln H``.

    To estimate ``E[H(X)]``: ``beta`` is the largest up to one at which Kish's effective number of
    samples is ``rho N``, and where it is always smaller, the one at which it is largest. The level
    is ``beta``, and the one to reach is one.

    >>> level, log_w = Tempered(rho=0.5)(np.array([0.0, 0.0, 4.0, 0.0]), np.zeros(4), 1.0)
    >>> w = np.exp(log_w)
    >>> round(level, 4), (w.sum() ** 2 / (w @ w)).round(4)
    (0.4666, np.float64(2.0))
    """

    rho: float = 0.1

    def __post_init__(self) -> None:
        object.__setattr__(self, "rho", share(self.rho))

    def __call__(self, score: Vector, log_w: Vector, gamma: float) -> tuple[float, Vector]:
        """``beta``, and ``log_w`` plus ``beta S_i``."""
        cv = math.sqrt(1 / self.rho - 1)

        if (score <= NOTHING).all():
            return 0.0, log_w  # nothing to go by

        def tempered(beta: float) -> Vector:
            return np.where(score <= NOTHING, -np.inf, log_w + beta * score)

        powers = gamma * 2.0 ** -np.arange(0.0, 41.0)
        tried = np.array([_variation(tempered(beta)) for beta in powers])
        if not (tried <= cv).any():
            beta = float(powers[tried.argmin()])
        elif tried[0] <= cv:
            beta = gamma
        else:
            low = float(powers[(tried <= cv).argmax()])
            high = 2 * low
            for _ in range(20):  # to a millionth
                middle = (low + high) / 2
                low, high = (middle, high) if _variation(tempered(middle)) <= cv else (low, middle)
            beta = low
        return beta, tempered(beta)


def _gap(score: Vector, gamma: float, by: str) -> Vector:
    if not math.isfinite(gamma):
        raise ValueError(
            f"{by} needs a level gamma to end at; got {gamma}: use it with cem.estimate, and "
            "Ranked or Boltzmann to optimise"
        )
    with np.errstate(over="ignore"):  # a gap of inf has the weight of its limit
        return score - gamma


def _softened(gap: Vector, log_w: Vector, gamma: float, cv: float) -> tuple[float, Vector]:
    """The level, below ``gamma``, and the logarithm of the smooth indicator."""
    from scipy.special import log_ndtr

    sigma = _softness(gap, log_w, cv)
    with np.errstate(over="ignore"):
        log_indicator: Vector = log_ndtr(gap / sigma)
    return min(gamma - sigma, math.nextafter(gamma, -math.inf)), log_indicator


def _softness(gap: Vector, log_w: Vector, cv: float) -> float:
    """The smallest ``sigma`` at which the weights vary by ``cv``, or else the least."""
    from scipy.special import log_ndtr

    def variation(sigma: float) -> float:
        with np.errstate(over="ignore"):
            return _variation(log_w + log_ndtr(gap / sigma))

    size = np.abs(gap[np.isfinite(gap)])
    if not size.any():
        return 1.0  # all score the same: any width will do
    sigma, soft = float(size[size > 0].min()) / 8, float(size.max()) * 8  # sharp; nearly constant
    sigma = max(sigma, np.finfo(float).tiny)
    step = max(2.0, math.exp((math.log(soft) - math.log(sigma)) / MOST_STEPS))
    tried = {sigma: variation(sigma)}
    before = sigma
    while tried[sigma] > cv and sigma < soft:
        before, sigma = sigma, sigma * step
        tried[sigma] = variation(sigma)
    if len(tried) == 1 or tried[sigma] > cv:
        return min(tried, key=tried.__getitem__)
    return _crossing(variation, cv, (before, tried[before]), (sigma, tried[sigma]))


def _crossing(
    f: Callable[[float], float],
    level: float,
    above: tuple[float, float],
    below: tuple[float, float],
) -> float:
    """Where ``f`` has come down to a level, or less by a millionth: false position, in logarithms.

    Between two points and their values, by the Illinois rule of Dowell and Jarratt (1971).
    """
    low, high = above[0], below[0]
    over, under = (_log_ratio(value, level) for value in (above[1], below[1]))
    side = 0
    while under < -1e-6 and high - low > 1e-6 * high:
        middle = low * (high / low) ** (over / (over - under))
        value = _log_ratio(f(middle), level)
        if value > 0:
            low, over, under, side = middle, value, under / 2 if side > 0 else under, 1
        else:
            high, under, over, side = middle, value, over / 2 if side < 0 else over, -1
    return high


def _log_ratio(value: float, level: float) -> float:
    return math.log(min(max(value, 1e-300), 1e300) / level) if level else math.inf


def _variation(log_w: Vector) -> float:
    """The coefficient of variation of weights; infinite if all are zero."""
    top = log_w.max()
    if top == -np.inf:
        return math.inf
    w = np.exp(log_w - top)
    return math.sqrt(max(0.0, len(w) * float(w @ w) / float(w.sum()) ** 2 - 1))
