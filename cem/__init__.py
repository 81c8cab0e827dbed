"""The cross-entropy method: estimate rare events and optimise, with one loop."""

from cem import checkpoint, diagnostics, loss, plot, stopping
from cem.callbacks import Checkpoint, Progress
from cem.engine import CrossEntropyMethod
from cem.estimate import Estimate, estimate
from cem.evolution import EvolutionPath
from cem.families import (
    Bernoulli,
    Beta,
    Categorical,
    Dirichlet,
    Exponential,
    Gamma,
    Geometric,
    Laplace,
    LogNormal,
    MultivariateNormal,
    NegativeBinomial,
    Normal,
    Pareto,
    Poisson,
    TruncatedNormal,
    Uniform,
    Weibull,
)
from cem.optimize import Optimum, maximize, minimize
from cem.parallel import each
from cem.restarts import BIPOP, IPOP
from cem.selection import Boltzmann, Elite, Ranked
from cem.smoothing import Constant, Decreasing, Dynamic, Floor, Margin, Settling
from cem.state import Best, History, Record, State
from cem.weights import likelihood_ratio, unit

__version__ = "0.1.0"

__all__ = [
    "BIPOP",
    "IPOP",
    "Bernoulli",
    "Best",
    "Beta",
    "Boltzmann",
    "Categorical",
    "Checkpoint",
    "Constant",
    "CrossEntropyMethod",
    "Decreasing",
    "Dirichlet",
    "Dynamic",
    "Elite",
    "Estimate",
    "EvolutionPath",
    "Exponential",
    "Floor",
    "Gamma",
    "Geometric",
    "History",
    "Laplace",
    "LogNormal",
    "Margin",
    "MultivariateNormal",
    "NegativeBinomial",
    "Normal",
    "Optimum",
    "Pareto",
    "Poisson",
    "Progress",
    "Ranked",
    "Record",
    "Settling",
    "State",
    "TruncatedNormal",
    "Uniform",
    "Weibull",
    "checkpoint",
    "diagnostics",
    "each",
    "estimate",
    "likelihood_ratio",
    "loss",
    "maximize",
    "minimize",
    "plot",
    "stopping",
    "unit",
]
