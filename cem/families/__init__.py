"""Parametric densities: one file each; `pairs` holds the divergences between two of them."""

from cem.families import pairs as _pairs  # noqa: F401 - registers its closed forms
from cem.families.aligned_normals import AlignedNormals
from cem.families.bernoulli import Bernoulli
from cem.families.beta import Beta
from cem.families.categorical import Categorical
from cem.families.coloured_normal import ColouredNormal
from cem.families.composition import Composition
from cem.families.defended import Defended
from cem.families.dirichlet import Dirichlet
from cem.families.exponential import Exponential
from cem.families.gamma import Gamma
from cem.families.geometric import Geometric
from cem.families.laplace import Laplace
from cem.families.likelier import Likelier
from cem.families.lognormal import LogNormal
from cem.families.low_rank_normal import LowRankNormal
from cem.families.markov_chain import MarkovChain
from cem.families.mirrored_bernoulli import MirroredBernoulli
from cem.families.mixture import GaussianMixture
from cem.families.multivariate_normal import MultivariateNormal
from cem.families.negative_binomial import NegativeBinomial
from cem.families.normal import Normal
from cem.families.pareto import Pareto
from cem.families.placements import Placements
from cem.families.poisson import Poisson
from cem.families.product import Product
from cem.families.rounded_normal import RoundedNormal
from cem.families.stretched import Stretched
from cem.families.symmetric_transitions import SymmetricTransitions
from cem.families.transitions import Transitions
from cem.families.tree import DependencyTree
from cem.families.truncated_normal import TruncatedNormal
from cem.families.uniform import Uniform
from cem.families.von_mises_fisher_nakagami import VonMisesFisherNakagami
from cem.families.walk import Walk
from cem.families.weibull import Weibull

__all__ = [
    "AlignedNormals",
    "Bernoulli",
    "Beta",
    "Categorical",
    "ColouredNormal",
    "Composition",
    "Defended",
    "DependencyTree",
    "Dirichlet",
    "Exponential",
    "Gamma",
    "GaussianMixture",
    "Geometric",
    "Laplace",
    "Likelier",
    "LogNormal",
    "LowRankNormal",
    "MarkovChain",
    "MirroredBernoulli",
    "MultivariateNormal",
    "NegativeBinomial",
    "Normal",
    "Pareto",
    "Placements",
    "Poisson",
    "Product",
    "RoundedNormal",
    "Stretched",
    "SymmetricTransitions",
    "Transitions",
    "TruncatedNormal",
    "Uniform",
    "VonMisesFisherNakagami",
    "Walk",
    "Weibull",
]
