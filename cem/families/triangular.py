"""Lower triangular roots of covariance matrices, by LAPACK and BLAS without copies in between."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from cem.typing import Array

BLOCK = 128  # columns at a time, where all above the diagonal is zero


@cache
def _lapack() -> tuple[Any, Any]:
    from scipy.linalg import blas, lapack

    return blas, lapack


# Both libraries count along columns: what is lower triangular to NumPy is upper to them, and a
# batch of n rows is n columns.


def cholesky(a: Array) -> Array | None:
    """The lower triangular ``root`` with ``root @ root.T = a``; None unless ``a`` is positive.

    >>> cholesky(np.array([[4.0, 2.0], [2.0, 5.0]]))
    array([[2., 0.],
           [1., 2.]])
    """
    root, failed = _lapack()[1].dpotrf(a.T, lower=0, clean=1)
    return None if failed else np.asarray(root.T)


def times(root: Array, z: Array) -> Array:
    """``root @ z[i]`` for every row of ``z``, of shape ``(n, d)``.

    >>> times(np.array([[2.0, 0.0], [1.0, 2.0]]), np.array([[1.0, 1.0]]))
    array([[2., 3.]])
    """
    return np.asarray(_lapack()[0].dtrmm(1.0, root.T, z.T, trans_a=1).T)


def solve(root: Array, x: Array) -> Array:
    """The ``z`` with ``root @ z[i] = x[i]`` for every row of ``x``, of shape ``(n, d)``.

    >>> solve(np.array([[2.0, 0.0], [1.0, 2.0]]), np.array([[2.0, 3.0]]))
    array([[1., 1.]])
    """
    return np.asarray(_lapack()[0].dtrsm(1.0, root.T, x.T, trans_a=1).T)


def square_of_ratio(a: Array, b: Array) -> float:
    """The sum of the squares of ``inv(b) @ a``: ``tr(inv(b @ b.T) @ a @ a.T)``.

    >>> square_of_ratio(np.array([[6.0, 0.0], [3.0, 4.0]]), np.array([[2.0, 0.0], [1.0, 2.0]]))
    13.0
    """
    total = 0.0
    for j in range(0, len(a), BLOCK):  # a column is zero down to its own row
        ratio = solve(b[j:, j:], a[j:, j : j + BLOCK].T)
        total += float(np.vdot(ratio, ratio))
    return total
