"""What a named limit state is made of: a function, marginals, a probability, and settings."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from cem.typing import Batch, Vector

Function = Callable[..., Vector]


class Case(NamedTuple):
    """A limit state function and all that belongs to it.

    ``marginals`` takes the setting ``n`` if there is one, ``g`` takes the others after the batch,
    and ``probability``, where it is no number, takes all of them by name.
    """

    g: Function
    marginals: Callable[..., list[Any]]
    probability: float | Callable[..., float]
    defaults: dict[str, Any]


def case_of(
    cases: dict[str, Case],
    marginals: Callable[..., list[Any]],
    probability: float | Callable[..., float],
    **defaults: float,
) -> Callable[[Function], Function]:
    """A decorator that puts a limit state function among the ``cases``, by its name."""

    def put(g: Function) -> Function:
        cases[g.__name__] = Case(g, marginals, probability, defaults)
        return g

    return put


def plane() -> list[Any]:
    """Two standard normal variables."""
    return standard_normals(2)


def standard_normals(n: int) -> list[Any]:
    """``n`` standard normal variables."""
    return [normal(0, 1)] * n


def normal(mean: float, std: float) -> Any:
    """A normal variable."""
    from scipy import stats

    return stats.norm(mean, std)


def lognormal(mean: float, std: float) -> Any:
    """A lognormal variable with this mean and standard deviation: its own, not of its logarithm.

    >>> x = lognormal(120, 12)
    >>> round(float(x.mean()), 9), round(float(x.std()), 9)
    (120.0, 12.0)
    """
    from scipy import stats

    square = math.log1p((std / mean) ** 2)
    return stats.lognorm(math.sqrt(square), scale=mean * math.exp(-square / 2))


def gumbel(mean: float, std: float) -> Any:
    """A Gumbel variable, for the largest of many, with this mean and standard deviation.

    >>> x = gumbel(1500, 350)
    >>> round(float(x.mean()), 9), round(float(x.std()), 9)
    (1500.0, 350.0)
    """
    from numpy import euler_gamma
    from scipy import stats

    scale = std * math.sqrt(6) / math.pi
    return stats.gumbel_r(mean - euler_gamma * scale, scale)


def exponential(mean: float) -> Any:
    """An exponential variable."""
    from scipy import stats

    return stats.expon(scale=mean)


def uniform(low: float, high: float) -> Any:
    """A uniform variable."""
    from scipy import stats

    return stats.uniform(low, high - low)


def normal_density(z: float) -> float:
    """The density of a standard normal variable."""
    return math.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def normal_tail(beta: float) -> float:
    """``P(Z > beta)`` of a standard normal variable."""
    return 0.5 * math.erfc(beta / math.sqrt(2))


def radial_tail(n: int, r: float) -> float:
    """``P(|Z| > r)`` of ``n`` standard normal variables."""
    from scipy.special import gammaincc

    return float(gammaincc(n / 2, r * r / 2))


def integral(f: Callable[[float], float], low: float, high: float) -> float:
    """Adaptive quadrature to all digits."""
    from scipy.integrate import quad

    return float(quad(f, low, high, epsabs=0, epsrel=1e-12, limit=200)[0])


def sum_of(x: Batch) -> Vector:
    """The sums of the points' coordinates."""
    return x.sum(axis=1)
