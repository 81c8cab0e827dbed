"""Parametric densities: one file each."""

from cem.families.bernoulli import Bernoulli
from cem.families.categorical import Categorical
from cem.families.exponential import Exponential
from cem.families.multivariate_normal import MultivariateNormal
from cem.families.normal import Normal

__all__ = ["Bernoulli", "Categorical", "Exponential", "MultivariateNormal", "Normal"]
