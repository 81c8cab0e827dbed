"""Information, entropy, cross-entropy and divergences: one definition each, used everywhere.

On probabilities the axis of the outcomes is the last by default. On families the closed forms are
used, and `Quadrature` or `MonteCarlo` where there is none. On labels, probabilities and logits are
told apart by ``from_logits=``. Nothing is clipped or normalised unless asked for.
"""

from cem.loss.activations import log_softmax, sigmoid, softmax
from cem.loss.approximate import Approximation, MonteCarlo, Quadrature
from cem.loss.binary import binary_cross_entropy
from cem.loss.distributions import (
    cross_entropy,
    entropy,
    information,
    jensen_shannon,
    kl_divergence,
    perplexity,
)
from cem.loss.empirical import (
    empirical_cross_entropy,
    entropy_and_kl,
    fitted_cross_entropy,
)
from cem.loss.gradients import (
    binary_cross_entropy_grad,
    categorical_cross_entropy_grad,
    sparse_categorical_cross_entropy_grad,
)
from cem.loss.labels import categorical_cross_entropy, log_loss, sparse_categorical_cross_entropy
from cem.loss.rating import Rating, rate_score
from cem.loss.registry import closed_form_entropy, closed_form_kl
from cem.loss.regression import gaussian_nll, mean_squared_error
from cem.loss.support import Support

__all__ = [
    "Approximation",
    "MonteCarlo",
    "Quadrature",
    "Rating",
    "Support",
    "binary_cross_entropy",
    "binary_cross_entropy_grad",
    "categorical_cross_entropy",
    "categorical_cross_entropy_grad",
    "closed_form_entropy",
    "closed_form_kl",
    "cross_entropy",
    "empirical_cross_entropy",
    "entropy",
    "entropy_and_kl",
    "fitted_cross_entropy",
    "gaussian_nll",
    "information",
    "jensen_shannon",
    "kl_divergence",
    "log_loss",
    "log_softmax",
    "mean_squared_error",
    "perplexity",
    "rate_score",
    "sigmoid",
    "softmax",
    "sparse_categorical_cross_entropy",
    "sparse_categorical_cross_entropy_grad",
]
