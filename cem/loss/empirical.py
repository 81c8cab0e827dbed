"""Cross-entropies of samples: the objective of every fit, and estimates where no form is closed."""

from __future__ import annotations

import numpy as np

from cem.loss.checks import not_nan
from cem.loss.registry import find_entropy, find_entropy_of_fits, find_kl
from cem.typing import Batch, Family, Vector


def empirical_cross_entropy(log_q: Vector, weights: Vector | None = None) -> float:
    """``-sum_i w_i ln q(x_i) / sum_i w_i``: what `Family.fit` minimises, in nats.

    ``log_q`` and ``weights`` have shape ``(n,)``; samples of weight zero do not count, even where
    ``q`` is zero. Raises ValueError if the weights are negative or all zero.

    >>> round(empirical_cross_entropy(np.log([0.5, 0.25]), np.array([3.0, 1.0])), 4)
    0.8664
    """
    log_q = not_nan(log_q, "log_q")
    if weights is None:
        return float(-log_q.mean())
    weights = np.asarray(weights, dtype=float)
    if weights.shape != log_q.shape:
        raise ValueError(
            f"weights must have the shape of log_q, {log_q.shape}; got {weights.shape}"
        )
    total = weights.sum()
    if not 0 < total < np.inf or (weights < 0).any():
        raise ValueError("weights must be finite and non-negative, with a positive sum")
    if (weights == 0).any():
        log_q, weights = log_q[weights > 0], weights[weights > 0]
    return float(-(weights @ log_q) / total)


def fitted_cross_entropy(fit: Family, x: Batch, weights: Vector) -> float:
    """``-sum_i w_i ln f(x_i)`` for the fit to that very sample: closed where it is the entropy."""
    if (closed_form := find_entropy_of_fits(fit)) is not None:
        return closed_form(fit)
    return empirical_cross_entropy(fit.log_density(x), weights)


def entropy_or_estimate(new: Family, old: Family, x: Batch) -> float:
    """``H(new)``: the closed form, or an estimate from a batch ``x`` drawn from ``old``."""
    if (closed_form := find_entropy(new)) is not None:
        return closed_form(new)
    log_new = new.log_density(x)
    if np.isinf(log_new.max()):  # none of the batch is where it has collapsed to, or one is
        return -np.inf
    return empirical_cross_entropy(log_new, _ratio(log_new, old.log_density(x)))


def kl_or_estimate(new: Family, old: Family, x: Batch) -> float:
    """``D(new || old)``: the closed form, or an estimate from a batch ``x`` drawn from ``old``."""
    if (closed_form := find_kl(new, old)) is not None:
        return closed_form(new, old)
    log_new, log_old = new.log_density(x), old.log_density(x)
    if np.isinf(log_new.max()):
        return np.inf
    return empirical_cross_entropy(log_old - log_new, _ratio(log_new, log_old))


def _ratio(log_new: Vector, log_old: Vector) -> Vector:
    log_ratio = log_new - log_old
    ratio: Vector = np.exp(log_ratio - log_ratio.max())
    return ratio
