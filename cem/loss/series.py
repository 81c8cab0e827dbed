"""``p ln(p / q) - p + q`` without cancellation: the terms of every divergence."""

from __future__ import annotations

from typing import Any

import numpy as np

from cem.loss.lazy import special
from cem.typing import Array

NEAR = 1 / 3  # the largest |s| = |p - q| / (p + q) for which R is fitted: p and q within a factor 2

# atanh(s) = s (1 + s^2 R(s^2)): R on [0, 0.1112], highest power first; Chebyshev's fit, to 4.6e-17
R = (
    0.08085593838070519,
    0.04398684935504952,
    0.06000866202229318,
    0.06657037425626894,
    0.07692787147721687,
    0.09090894642692367,
    0.1111111136021308,
    0.14285714283539555,
    0.20000000000007348,
    0.3333333333333333,
)


def divergence_terms(p: Any, q: Any, gap: Any = None) -> Array:
    """``p ln(p / q) - p + q`` of numbers ``>= 0``, elementwise; for distributions they sum to D.

    Unlike ``p ln(p / q)`` it is never negative, and for ``q`` near ``p`` it does not cancel.
    ``gap`` is ``q - p`` where that is known better than from two rounded numbers: that of ``1 - a``
    and ``1 - b`` is ``a - b``. It is ``bd0`` of Loader (2000).

    >>> divergence_terms(np.array([0.5, 0.5]), np.array([0.25, 0.75])).round(4)
    array([0.0966, 0.0473])
    >>> float(divergence_terms(1.0, 1.0 + 2**-30)) * 2**61
    0.999999999379...
    """
    gap = q - p if gap is None else gap
    total = p + q
    near = np.less(abs(gap), NEAR * total)
    n_near = np.count_nonzero(near)
    if n_near == near.size:
        return _near(p, gap, total)
    far: Array = special().rel_entr(p, q) + gap
    if n_near == 0:
        return far
    p = p[near] if np.shape(p) == near.shape else np.broadcast_to(p, near.shape)[near]
    far[near] = _near(p, np.broadcast_to(gap, near.shape)[near], total[near])
    return far


def _near(p: Any, gap: Any, total: Any) -> Array:
    """By ``ln(p / q) = 2 atanh(s)``: a sum of squares and what is small beside them."""
    s = gap / total
    z = s * s
    tail = R[0] * z + R[1]
    for coefficient in R[2:]:
        tail = tail * z + coefficient
    return np.asarray(z * (total - 2 * p * s * tail))
