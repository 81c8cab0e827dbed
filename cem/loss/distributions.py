"""Information, entropy, cross-entropy and KL divergence of distributions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cem.loss.registry import find_entropy, find_kl
from cem.typing import Array

UNITS = {"nats": 1.0, "bits": 1 / np.log(2), "hartleys": 1 / np.log(10)}
SUMS_TO_ONE = 1e-8


def information(p: ArrayLike, *, unit: str = "nats") -> Any:
    """``h = -ln p``, the surprise at an outcome of probability ``p``; elementwise.

    ``information(0)`` is ``inf`` and ``information(1)`` is ``0``. Raises ValueError for anything
    outside [0, 1]. Source: Shannon (1948).

    >>> information([0.5, 1.0, 0.0], unit="bits")
    array([ 1.,  0., inf])
    """
    p = _probabilities(p, "p")
    with np.errstate(divide="ignore"):
        return (0.0 - np.log(p)) * _per_nat(unit)


def entropy(p: Any, *, axis: int = -1, unit: str = "nats", normalize: bool = False) -> Any:
    """``H(p) = -sum_k p_k ln p_k``, or the closed form for a family.

    ``p`` holds probabilities along ``axis``; the result has that axis removed. ``0 ln 0 = 0``.
    Raises ValueError where ``p`` is no distribution (``normalize=True`` rescales it to one), and
    TypeError for a family without a closed form.

    >>> float(entropy([0.5, 0.5], unit="bits"))
    1.0
    """
    if _is_density(p):
        if (closed_form := find_entropy(p)) is None:
            raise TypeError(f"no closed-form entropy is known for {type(p).__name__}")
        return closed_form(p) * _per_nat(unit)
    p = _distribution(p, "p", axis, normalize)
    return 0.0 - _p_ln_q(p, p).sum(axis=axis) * _per_nat(unit)


def cross_entropy(
    p: Any, q: Any, *, axis: int = -1, unit: str = "nats", normalize: bool = False
) -> Any:
    """``H(p, q) = -sum_k p_k ln q_k = H(p) + D(p || q)``, for vectors or families.

    Where ``p_k = 0`` the term is 0; where ``p_k > 0`` and ``q_k = 0`` the result is ``inf``.
    Arguments and errors are those of `entropy`; ``p`` and ``q`` must have equally many outcomes.

    >>> p, q = [0.10, 0.40, 0.50], [0.80, 0.15, 0.05]
    >>> round(float(cross_entropy(p, q, unit="bits")), 3)
    3.288
    """
    if _is_density(p):
        return entropy(p, unit=unit) + kl_divergence(p, q, unit=unit)
    p, q = _pair(p, q, axis, normalize)
    return 0.0 - _p_ln_q(p, q).sum(axis=axis) * _per_nat(unit)


def kl_divergence(
    p: Any, q: Any, *, axis: int = -1, unit: str = "nats", normalize: bool = False
) -> Any:
    """``D(p || q) = sum_k p_k ln(p_k / q_k)``, never negative, for vectors or families.

    Arguments and errors are those of `cross_entropy`. Source: Kullback and Leibler (1951).

    >>> round(float(kl_divergence([0.10, 0.40, 0.50], [0.80, 0.15, 0.05], unit="bits")), 3)
    1.927
    """
    if _is_density(p):
        if (closed_form := find_kl(p, q)) is None:
            raise TypeError(
                f"no closed-form KL divergence is known from {type(p).__name__} to "
                f"{type(q).__name__}"
            )
        return closed_form(p, q) * _per_nat(unit)
    p, q = _pair(p, q, axis, normalize)
    return divergence_terms(p, q).sum(axis=axis) * _per_nat(unit)


def divergence_terms(p: Array, q: Array) -> Array:
    """``p ln(p / q) - p + q``, elementwise; over distributions these sum to the divergence.

    Unlike ``p ln(p / q)`` it is never negative, and for ``q`` near ``p`` it does not cancel.

    >>> divergence_terms(np.array([0.5, 0.5]), np.array([0.25, 0.75])).round(4)
    array([0.0966, 0.0473])
    """
    near = np.abs(q - p) < 0.5 * p
    r = (q - p) / np.where(near, p, 1.0)
    surplus = np.maximum(0.0, r - np.log1p(r, where=near, out=np.zeros_like(r)))
    return np.where(near, p * surplus, _p_ln_q(p, p) - _p_ln_q(p, q) - p + q)


def _p_ln_q(p: Array, q: Array) -> Array:
    from scipy.special import xlogy

    return np.asarray(xlogy(p, q))


def _is_density(p: Any) -> bool:
    return hasattr(p, "log_density")


def _per_nat(unit: str) -> float:
    if unit not in UNITS:
        raise ValueError(f"unit must be one of {', '.join(UNITS)}; got {unit!r}")
    return float(UNITS[unit])


def _probabilities(p: ArrayLike, name: str) -> Array:
    a = np.asarray(p, dtype=float)
    if a.size == 0:
        raise ValueError(f"{name} is empty: expected at least one probability")
    bad = ~((a >= 0) & (a <= 1))  # catches NaN too
    if bad.any():
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(
            f"{name} must hold probabilities in [0, 1]; got {a[at]:g} at index {at}: "
            "counts or scores need normalize=True, logits a softmax first"
        )
    return a


def _distribution(p: ArrayLike, name: str, axis: int, normalize: bool) -> Array:
    a = np.asarray(p, dtype=float)
    if a.ndim == 0:
        raise ValueError(f"{name} must have at least one axis, along which it sums to 1; got {a!r}")
    if normalize and a.size:
        total = a.sum(axis=axis, keepdims=True)
        if (a < 0).any() or not (np.isfinite(total) & (total > 0)).all():
            raise ValueError(f"{name} cannot be normalised: it is negative somewhere or sums to 0")
        return np.asarray(a / total)
    a = _probabilities(a, name)
    total = a.sum(axis=axis)
    off = np.abs(total - 1) > SUMS_TO_ONE
    if np.any(off):
        at = tuple(int(i) for i in np.argwhere(off)[0])
        where = f" (row {at[0] if len(at) == 1 else at})" if at else ""
        raise ValueError(
            f"{name} must sum to 1 on axis {axis}; got {np.asarray(total)[at]:g}{where}: pass "
            "normalize=True to rescale"
        )
    return a


def _pair(p: ArrayLike, q: ArrayLike, axis: int, normalize: bool) -> tuple[Array, Array]:
    a, b = _distribution(p, "p", axis, normalize), _distribution(q, "q", axis, normalize)
    if a.shape[axis] != b.shape[axis]:
        raise ValueError(
            f"p has {a.shape[axis]} outcomes on axis {axis}, q has {b.shape[axis]}: they must be "
            "distributions over the same outcomes"
        )
    return a, b
