"""Information, entropy, cross-entropy and KL divergence: one definition each, used everywhere.

On probability vectors the last axis runs over the outcomes. On families the closed forms are used.
"""

from cem.loss.distributions import cross_entropy, entropy, information, kl_divergence
from cem.loss.empirical import (
    empirical_cross_entropy,
    entropy_or_estimate,
    fitted_cross_entropy,
    kl_or_estimate,
)
from cem.loss.registry import closed_form_entropy, closed_form_kl

__all__ = [
    "closed_form_entropy",
    "closed_form_kl",
    "cross_entropy",
    "empirical_cross_entropy",
    "entropy",
    "entropy_or_estimate",
    "fitted_cross_entropy",
    "information",
    "kl_divergence",
    "kl_or_estimate",
]
