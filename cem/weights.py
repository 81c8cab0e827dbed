"""Log-weights of a sample: what makes the loop estimate, and what lets it optimise."""

from __future__ import annotations

import math

import numpy as np

from cem.scores import in_a_line
from cem.typing import Batch, Family, Vector


def unit(u: Family, v: Family, x: Batch) -> Vector:  # noqa: ARG001 - one signature for all weights
    """``ln 1``: every sample counts the same. Optimisation.

    >>> unit(None, None, [1, 2, 3])
    array([0., 0., 0.])
    """
    return np.zeros(len(x))


def likelihood_ratio(u: Family, v: Family, x: Batch) -> Vector:
    """``ln W(x; u, v) = ln f(x; u) - ln f(x; v)``: keeps means under ``v`` unbiased for ``u``.

    >>> from cem.families import Exponential
    >>> likelihood_ratio(Exponential([1.0]), Exponential([2.0]), np.array([[2.0]])).round(4)
    array([-0.3069])
    """
    with np.errstate(invalid="ignore"):  # NaN is looked for below
        log_w = u.log_density(x) - v.log_density(x)
    if np.isnan(log_w).any():
        at = int(np.isnan(log_w).argmax())
        raise ValueError(
            f"the likelihood ratio of sample {at} is not a number: a log-density is NaN, or both "
            f"densities are infinite or zero there; sample: {in_a_line(x[at])}"
        )
    return log_w


def normalise(log_w: Vector) -> tuple[Vector, float]:
    """Weights that sum to one, and the logarithm of what they summed to; no overflow.

    >>> normalise(np.log([1.0, 3.0]) + 1000)[0]
    array([0.25, 0.75])
    """
    top = log_w.max(initial=-np.inf)
    if not np.isfinite(top):
        raise ValueError(
            "expected an elite sample that can occur under the nominal density; got "
            f"{len(log_w)} elite samples, every one with weight zero: the support of the sampling "
            "density is likely wider than the nominal one's"
        )
    w = np.exp(log_w - top)
    total = w.sum()
    w /= total
    return w, float(top) + math.log(total)


def effective_sample_size(w: Vector) -> float:
    """Kish's ``(sum w)^2 / sum w^2``.

    >>> effective_sample_size(np.array([0.5, 0.5, 0.0]))
    2.0
    """
    return float(w.sum() ** 2 / (w @ w))
