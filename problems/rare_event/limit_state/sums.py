"""Named limit states of positive variables: sums with light and heavy tails, and a bridge."""

from __future__ import annotations

import math
from typing import Any

from cem.typing import Batch, Vector
from problems.rare_event.bridge import MEAN_LENGTH, Bridge
from problems.rare_event.limit_state.cases import (
    Case,
    case_of,
    exponential,
    integral,
    normal_density,
    normal_tail,
    sum_of,
)

CASES: dict[str, Case] = {}


def _gamma_below(n: int, level: float) -> float:
    from scipy.special import gammainc

    return float(gammainc(n, level))


def _gamma_above(n: int, level: float) -> float:
    from scipy.special import gammaincc

    return float(gammaincc(n, level))


def _exponentials(n: int) -> list[Any]:
    return [exponential(1.0)] * n


@case_of(CASES, lambda: _exponentials(20), lambda: _gamma_below(20, 8.951))
def rp54(x: Batch) -> Vector:
    """A sum of 20 exponential variables that is small: all must be. RPRepo."""
    return sum_of(x) - 8.951


@case_of(CASES, _exponentials, _gamma_above, n=10, level=30.0)
def gammasum(x: Batch, level: float) -> Vector:
    """A sum of exponential variables above the level: curved in standard normal space."""
    return level - sum_of(x)


@case_of(
    CASES,
    lambda: [exponential(mean) for mean in MEAN_LENGTH],
    lambda level: Bridge(level).exact(),
    level=2.0,
)
def bridge5_exp(x: Batch, level: float) -> Vector:
    """The shortest way across the bridge of the CE tutorial, in standard normal space."""
    return level - Bridge()(x)


def _weibulls() -> list[Any]:
    from scipy import stats

    return [stats.weibull_min(0.5)] * 2


def _weibull_sum(level: float) -> float:
    # X = E^2 with E exponential: P(E1^2 + E2^2 > level) in polar coordinates of (E1, E2)
    root = math.sqrt(level)

    def beyond(angle: float) -> float:
        c = math.cos(angle) + math.sin(angle)
        return math.exp(-root * c) * (1 + root * c) / c**2

    return integral(beyond, 0, math.pi / 2)


@case_of(CASES, _weibulls, _weibull_sum, level=100.0)
def weibull_sum(x: Batch, level: float) -> Vector:
    """A sum of two heavy-tailed Weibull variables of shape 1/2: one of them is large, either."""
    return level - sum_of(x)


def _lognormals() -> list[Any]:
    from scipy import stats

    return [stats.lognorm(1.0)] * 2


def _lognormal_sum(level: float) -> float:
    def smaller_one_too_large(z: float) -> float:  # the larger one is e^z
        rest = level - math.exp(z)
        least = math.log(rest) if rest > 0 else -math.inf
        return normal_density(z) * (normal_tail(-z) - normal_tail(-least))

    low, high = math.log(level / 2), math.log(level)
    tail = normal_tail(high)
    return 2 * integral(smaller_one_too_large, low, high) + tail * (2 - tail)


@case_of(CASES, _lognormals, _lognormal_sum, level=100.0)
def lognormal_sum(x: Batch, level: float) -> Vector:
    """A sum of two lognormal variables: one of them is large, either of them."""
    return level - sum_of(x)
