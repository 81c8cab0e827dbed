"""Differences that do not cancel: of logarithms, and of the gamma function and its kin."""

from __future__ import annotations

from typing import Any

import numpy as np

from cem.loss.series import divergence_terms
from cem.typing import Array

BERNOULLI = np.array([1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730])  # B_2, B_4, ...
ORDER = 2.0 * np.arange(1, 7)  # 2, 4, ...: the orders of those
LARGE = 16.0  # from here on the series in B_2, B_4, ... are exact to rounding
NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(14)


def log_ratio(x: Any, y: Any) -> Array:
    """``ln(x / y)`` of positive numbers, elementwise.

    >>> float(log_ratio(1.0 + 2**-30, 1.0)) * 2**31
    1.99999999906...
    """
    near = np.abs(x - y) < 0.5 * np.minimum(x, y)  # there x - y is exact
    return np.where(near, np.log1p(np.where(near, x - y, 0.0) / y), np.log(x) - np.log(y))


def cross_gap(a: Any, b: Any, c: Any, d: Any, rise: Any = None) -> Array:
    """``a d - b c``, elementwise, exact to rounding for ``(c, d)`` near ``(a, b)``.

    ``rise`` is ``d - b`` where that is known better than from two rounded numbers.

    >>> float(cross_gap(0.1, 0.3, 0.1 + 2**-40, 0.3)) * 2**40
    -0.3
    """
    rise = d - b if rise is None else rise
    near = (np.abs(c - a) < 0.5 * a) & (np.abs(rise) < 0.5 * b)
    return np.where(near, a * rise - b * (c - a), a * d - b * c)


def exp_excess(w: Any) -> Array:
    """``e^w - 1 - w``, elementwise: never negative; ``inf`` where it is too large for a double.

    >>> float(exp_excess(2.0**-30)) * 2**61
    1.00000000031...
    """
    with np.errstate(over="ignore"):
        r = np.expm1(w)
    near = np.abs(w) < 0.2  # further out r - w loses a digit at most
    small = np.where(near, r, 0.0)
    return np.where(near, divergence_terms(1.0, 1.0 + small, small), r - w)


def stirling(z: Any) -> Array:
    """``z ln z - z - ln Gamma(z)`` for ``z > 0``, elementwise: ``ln(z / 2 pi) / 2`` nearly.

    >>> stirling(np.array([1.0, 1e30])).round(4)
    array([-1.    , 33.6198])
    """
    from scipy.special import gammaln, xlogy

    low, high = np.minimum(z, LARGE), np.maximum(z, LARGE)
    series = 0.5 * np.log(high / (2 * np.pi)) - _bernoulli(high, 1 / ORDER / (ORDER - 1), 1)
    return np.where(z < LARGE, xlogy(low, low) - low - gammaln(low), series)


def stirling_slope(z: Any) -> Array:
    """``ln z - psi(z)``, the derivative of `stirling`: positive, falling, ``1 / (2 z)`` nearly.

    >>> float(stirling_slope(1e20)) * 1e20
    0.5
    """
    from scipy.special import digamma

    low, high = np.minimum(z, LARGE), np.maximum(z, LARGE)
    series = 0.5 / high + _bernoulli(high, 1 / ORDER, 0)
    return np.where(z < LARGE, np.log(low) - digamma(low), series)


def stirling_bend(z: Any) -> Array:
    """``psi'(z) - 1 / z``, minus the second derivative of `stirling`: ``1 / (2 z^2)`` nearly.

    >>> float(stirling_bend(1e20)) * 1e40
    0.5
    """
    from scipy.special import zeta

    low, high = np.minimum(z, LARGE), np.maximum(z, LARGE)
    series = 0.5 / high / high + _bernoulli(high, np.ones(6), -1)
    return np.where(z < LARGE, zeta(2, low) - 1 / low, series)


def _bernoulli(z: Any, factor: Array, shift: int) -> Array:
    """``sum_n factor_n B_2n / z^(2n - shift)``."""
    return np.asarray(np.power(1 / np.asarray(z)[..., None], ORDER - shift) @ (factor * BERNOULLI))


def stirling_bregman(a: Any, c: Any, gap: Any = None) -> Array:
    """How far `stirling` at ``c`` lies below its tangent at ``a``; ``gap`` is ``c - a``.

    ``(c - a)^2 int_0^1 (1 - t) (psi'(z) - 1 / z) dt`` with ``z = a + t (c - a)``.

    >>> float(stirling_bregman(2.0, 2.0 + 2**-30)) * 2**60
    0.0724...
    """
    gap = c - a if gap is None else gap
    near = np.abs(gap) <= 0.5 * np.minimum(a, c)
    t = (1 + NODES) / 2
    bend = stirling_bend(np.asarray(a)[..., None] + t * np.where(near, gap, 0.0)[..., None])
    far = stirling(a) - stirling(c) + gap * stirling_slope(a)
    return np.where(near, gap**2 * (bend @ (NODE_WEIGHTS * (1 - t) / 2)), far)


def log_gamma_bregman(a: Any, c: Any, gap: Any = None) -> Array:
    """``ln Gamma(c) - ln Gamma(a) - (c - a) psi(a)``, elementwise; ``gap`` is ``c - a``.

    >>> round(float(log_gamma_bregman(1.0, 3.0)), 12)  # ln 2 + 2 * 0.5772...
    1.847578510363
    """
    gap = c - a if gap is None else gap
    return divergence_terms(c, a, -gap) + stirling_bregman(a, c, gap)
