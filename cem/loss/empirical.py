"""Cross-entropies of samples: the objective of every fit, and estimates where no form is closed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from cem.loss.checks import not_nan
from cem.loss.registry import find_entropy, find_entropy_of_fits, find_kl
from cem.typing import Batch, Family, Vector

LOOKED_AT = 300  # samples for an entropy or divergence without a closed form


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


def entropy_and_kl(
    new: Family, old: Family, stream: Callable[[], Generator], n: int = LOOKED_AT
) -> tuple[float, float]:
    """``H(new)`` and ``D(new || old)``: closed forms, or the means over ``n`` samples of ``new``.

    ``stream`` is called for the generator that draws them, if it takes any.

    >>> from cem.families import Bernoulli
    >>> coins = Bernoulli([0.5, 0.5])
    >>> entropy_and_kl(coins, coins, np.random.default_rng)
    (1.3862943611198906, 0.0)
    """
    entropy, kl = find_entropy(new), find_kl(new, old)
    if entropy is not None and kl is not None:
        return entropy(new), kl(new, old)
    x = new.sample(stream(), n)
    log_new = new.log_density(x)
    return (
        -_mean(log_new) if entropy is None else entropy(new),
        _mean(log_new - old.log_density(x)) if kl is None else kl(new, old),
    )


def _mean(log_f: Vector) -> float:
    """The mean; infinite if a density is."""
    return float(not_nan(log_f, "a log density").mean())
