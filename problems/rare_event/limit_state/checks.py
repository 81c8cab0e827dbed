"""Marginals and correlations: what they must be, and errors that say what came instead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from cem.typing import Array

ROUNDING = 1e-10  # of a correlation


def checked_marginals(marginals: Iterable[Any]) -> tuple[Any, ...]:
    """Frozen univariate scipy.stats distributions with parameters that are numbers, as a tuple.

    >>> from scipy import stats
    >>> len(checked_marginals([stats.norm(0, 1)] * 3))
    3
    """
    if hasattr(marginals, "rvs") or not isinstance(marginals, Iterable):
        raise TypeError(
            "marginals must be a list of frozen scipy.stats distributions, such as "
            f"[stats.norm(0, 1)] * 2; got {_in_words(marginals)}"
        )
    checked = tuple(marginals)
    if not checked:
        raise ValueError("marginals must be at least one distribution; got none")
    for number, marginal in enumerate(checked, 1):
        _check_marginal(f"marginal {number} of {len(checked)}", marginal)
    return checked


def _check_marginal(which: str, marginal: Any) -> None:
    from scipy.stats import rv_continuous, rv_discrete

    if isinstance(marginal, rv_continuous | rv_discrete):
        raise TypeError(
            f"{which} must be a frozen scipy.stats distribution; got {marginal.name} without "
            "parameters: call it with them, as in stats.norm(0, 1)"
        )
    if not isinstance(getattr(marginal, "dist", None), rv_continuous | rv_discrete):
        several = hasattr(marginal, "dim") or hasattr(marginal, "cov")
        raise TypeError(
            f"{which} must be a frozen scipy.stats distribution of one variable; got "
            + _in_words(marginal)
            + ("; pass its marginals, and their correlation=" if several else "")
        )
    middle = np.asarray(marginal.ppf(0.5))
    if middle.shape != ():
        raise ValueError(
            f"{which} must be of one variable: expected parameters that are numbers, got arrays of "
            f"shape {middle.shape}; pass one distribution for each variable"
        )
    if not np.isfinite(middle):
        raise ValueError(
            f"{which} has no median: expected parameters that {marginal.dist.name} can have, got "
            f"{described(marginal)}; one is likely NaN, or a scale is not positive"
        )


def checked_correlation(correlation: Any, d: int) -> Array:
    """A correlation matrix of ``d`` variables: symmetric, ones on the diagonal, and definite.

    >>> checked_correlation([[1, 0.5], [0.5, 1]], 2)
    array([[1. , 0.5],
           [0.5, 1. ]])
    """
    r = np.array(correlation, dtype=float)
    if r.shape != (d, d):
        raise ValueError(
            f"correlation must have a row and a column for each of the {d} marginals: expected "
            f"shape ({d}, {d}), got {r.shape}"
        )
    if not np.isfinite(r).all():
        raise ValueError(f"correlation must be finite; got {r[~np.isfinite(r)][0]} in it")
    if (worst := np.abs(r - r.T)).max() > ROUNDING:
        i, j = np.unravel_index(worst.argmax(), r.shape)
        raise ValueError(
            f"correlation must be symmetric; got {r[i, j]:.6g} in row {i + 1}, column {j + 1}, but "
            f"{r[j, i]:.6g} in row {j + 1}, column {i + 1}"
        )
    if (worst := np.abs(np.diag(r) - 1)).max() > ROUNDING:
        i = worst.argmax()
        raise ValueError(
            f"correlation must have ones on its diagonal; got {r[i, i]:.6g} in row {i + 1}: it is "
            "likely a matrix of covariances"
        )
    if (least := np.linalg.eigvalsh(r)[0]) <= ROUNDING:
        raise ValueError(
            f"correlation must be positive definite; its smallest eigenvalue is {least:.4g}: the "
            "correlations of the pairs contradict one another, or some variables determine another"
        )
    return r


def is_continuous(marginal: Any) -> bool:
    """Whether a frozen distribution has a density."""
    return hasattr(marginal.dist, "pdf")


def check_continuous(marginals: Iterable[Any], what: str) -> None:
    """Refuse discrete marginals where there must be densities."""
    for number, marginal in enumerate(marginals, 1):
        if not is_continuous(marginal):
            raise TypeError(
                f"{what} needs continuous marginals; number {number}, {described(marginal)}, is "
                "discrete"
            )


def described(marginal: Any) -> str:
    """A frozen distribution in words, without an address.

    >>> from scipy import stats
    >>> described(stats.lognorm(0.5, scale=2.0))
    'lognorm(0.5, scale=2)'
    """
    given = [f"{value:.12g}" for value in marginal.args]
    given += [f"{name}={value:.12g}" for name, value in marginal.kwds.items()]
    return f"{marginal.dist.name or type(marginal.dist).__name__}({', '.join(given)})"


def _in_words(thing: Any) -> str:
    return f"one of type {type(thing).__name__}"
