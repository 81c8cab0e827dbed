"""Parametric densities: one file each; `pairs` holds the divergences between two of them."""

from cem.families import pairs as _pairs  # noqa: F401 - registers its closed forms
from cem.families.bernoulli import Bernoulli
from cem.families.beta import Beta
from cem.families.categorical import Categorical
from cem.families.dirichlet import Dirichlet
from cem.families.exponential import Exponential
from cem.families.gamma import Gamma
from cem.families.geometric import Geometric
from cem.families.laplace import Laplace
from cem.families.lognormal import LogNormal
from cem.families.multivariate_normal import MultivariateNormal
from cem.families.negative_binomial import NegativeBinomial
from cem.families.normal import Normal
from cem.families.pareto import Pareto
from cem.families.poisson import Poisson
from cem.families.truncated_normal import TruncatedNormal
from cem.families.uniform import Uniform
from cem.families.weibull import Weibull

__all__ = [
    "Bernoulli",
    "Beta",
    "Categorical",
    "Dirichlet",
    "Exponential",
    "Gamma",
    "Geometric",
    "Laplace",
    "LogNormal",
    "MultivariateNormal",
    "NegativeBinomial",
    "Normal",
    "Pareto",
    "Poisson",
    "TruncatedNormal",
    "Uniform",
    "Weibull",
]
