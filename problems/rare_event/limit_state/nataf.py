"""Nataf: the correlation of normal variables behind others with a given correlation."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from cem.typing import Array, Vector
from problems.rare_event.limit_state.checks import (
    check_continuous,
    checked_correlation,
    checked_marginals,
)
from problems.rare_event.limit_state.space import StandardSpace

NODES = 128  # of Gauss-Hermite quadrature
TERMS = 64  # of a Hermite series
VARIANCE_RTOL = 1e-4  # of the quadrature


def nataf_correlation(marginals: Iterable[Any], linear: Any) -> Array:
    """The correlation of the Gaussian copula with which variables have the correlation ``linear``.

    With ``x_j = T_j(z_j)`` and ``a_jk`` the coefficients of ``T_j`` in normalised Hermite
    polynomials, ``z_i`` and ``z_j`` of correlation ``r`` give ``x_i`` and ``x_j`` the covariance
    ``sum_k a_ik a_jk r^k`` (Mehler's formula), in which ``r`` is found for each pair by itself.
    Source: Liu and Der Kiureghian, Probabilistic Engineering Mechanics 1 (1986), 105-112.

    ``marginals`` are ``d`` frozen continuous scipy.stats distributions, ``linear`` is the matrix of
    the correlations of the physical variables, shape ``(d, d)``, and so is what is returned.

    Raises ValueError for a correlation that no such copula gives these marginals, for one that is
    none, and for a variance that is infinite, or too far out for the quadrature.

    >>> from scipy import stats
    >>> nataf_correlation([stats.uniform()] * 2, [[1, 0.5], [0.5, 1]]).round(6)
    array([[1.      , 0.517638],
           [0.517638, 1.      ]])
    """
    checked = checked_marginals(marginals)
    check_continuous(checked, "nataf_correlation")
    wanted = checked_correlation(linear, len(checked))
    series = [_hermite_series(j, marginal) for j, marginal in enumerate(checked, 1)]
    found = np.eye(len(checked))
    for i in range(len(checked)):
        for j in range(i):
            of_powers = np.concatenate([[0.0], series[i] * series[j]])
            found[i, j] = found[j, i] = _root(of_powers, wanted[i, j], f"{j + 1} and {i + 1}")
    return checked_correlation(found, len(checked))


def _hermite_series(number: int, marginal: Any) -> Vector:
    """``E[T(Z) He_k(Z)] / sqrt(k! Var T(Z))`` for ``k = 1, ..., TERMS``."""
    z, w = np.polynomial.hermite_e.hermegauss(NODES)
    w /= w.sum()
    space = StandardSpace.of([marginal])
    x = space.to_physical(z[:, None])[:, 0]
    centred = x - w @ x
    variance, exact = w @ np.square(centred), marginal.var()
    if not abs(variance / exact - 1) <= VARIANCE_RTOL:
        raise ValueError(
            f"marginal {number} must have a variance that its middle decides; its variance is "
            f"{exact:.6g}, of which quadrature finds {variance:.6g}: its tails are too heavy"
        )
    polynomials = [np.ones(NODES), z]
    for k in range(1, TERMS):  # normalised: sqrt(k + 1) h_k+1 = z h_k - sqrt(k) h_k-1
        rise = z * polynomials[k] - math.sqrt(k) * polynomials[k - 1]
        polynomials.append(rise / math.sqrt(k + 1))
    return np.array(polynomials[1:]) @ (w * centred) / math.sqrt(exact)


def _root(of_powers: Vector, wanted: float, pair: str) -> float:
    """The ``r`` in ``[-1, 1]`` at which a series is what is wanted."""
    from scipy.optimize import brentq

    def series(r: float) -> float:
        return float(np.polynomial.polynomial.polyval(r, of_powers))

    low, high = series(-1.0), series(1.0)
    if not low < wanted < high:
        raise ValueError(
            f"the variables {pair} cannot have the correlation {wanted:.6g}: with a Gaussian "
            f"copula their marginals allow {low:.6g} to {high:.6g}"
        )
    return float(brentq(lambda r: series(r) - wanted, -1, 1, xtol=1e-14))
