"""Bessel functions of directions: the size and the mean of a von Mises-Fisher density."""

from __future__ import annotations

import math

import numpy as np

from cem.families.newton import increasing_root
from cem.typing import Array, Vector

MOST = 1e6  # the largest concentration of a fit: directions within a thousandth of a radian
SMALL = 1e-290  # below it the scaled Bessel function is about to underflow


def log_bessel(order: float, x: Vector) -> Vector:
    """``ln(Gamma(v + 1) (2 / x)^v I_v(x) e^(-x))`` for ``x >= 0``, elementwise; 0 at 0.

    >>> log_bessel(0.5, np.array([0.0, 1.0])).round(6)  # ln(sinh(1) / e)
    array([ 0.      , -0.838561])
    """
    from scipy.special import ive, xlogy

    scaled = ive(order, x)
    common = scaled > SMALL
    found = math.lgamma(order + 1) - xlogy(order, x / 2) + np.log(np.where(common, scaled, 1.0))
    for i in np.flatnonzero(~common):
        found[i] = _log_series(order, x[i]) - x[i]
    return np.asarray(found)


def _log_series(order: float, x: float) -> float:
    """``ln sum_j (x / 2)^(2j) / (j! (v + 1)_j)``: few terms matter where ``I_v(x)`` is tiny."""
    if x == 0:
        return 0.0
    z = x * x / 4
    largest = 2 * z / (order + math.hypot(order, x))  # the j of the largest term
    j = np.arange(1, int(2 * largest) + 60)  # beyond twice that, each is at most half the last
    terms = np.cumsum(np.log(z / (j * (order + j))))
    return float(np.logaddexp.reduce(terms, initial=0.0))


def mean_cosine(d: int, x: Vector) -> Vector:
    """``A(x) = I_{d/2}(x) / I_{d/2-1}(x)``: how far von Mises-Fisher directions agree.

    >>> mean_cosine(3, np.array([0.0, 1.0])).round(6)  # coth(1) - 1
    array([0.      , 0.313035])
    """
    from scipy.special import ive

    above, below = ive(d / 2, x), ive(d / 2 - 1, x)
    if (above > SMALL).all():
        return np.asarray(above / below)
    return np.exp(log_bessel(d / 2, x) - log_bessel(d / 2 - 1, x)) * x / d


def concentration_of(d: int, length: Vector) -> Vector:
    """The ``x`` with ``A(x) = length`` in [0, 1], elementwise, and at most 1e6.

    Newton's method from the approximation of Banerjee, Dhillon, Ghosh, Sra (2005).

    >>> concentration_of(3, np.array([0.0, 0.31303528549933135])).round(9)
    array([0., 1.])
    """
    r = np.minimum(length, mean_cosine(d, np.array([MOST]))[0])
    directed = r > np.finfo(float).tiny
    r = np.where(directed, r, 0.5)

    def equation(t: Array) -> tuple[Array, Array]:
        x = np.exp(t)
        a = mean_cosine(d, x)
        return np.log(a / r), (1 - a**2) * x / a - (d - 1)

    x = np.exp(increasing_root(equation, np.log(r * (d - r**2) / (1 - r**2))))
    return np.where(directed, np.minimum(x, MOST), 0.0)
