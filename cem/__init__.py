"""The cross-entropy method: estimate rare events and optimise, with one loop."""

from cem import checkpoint, diagnostics, loss, plot, stopping
from cem.callbacks import Checkpoint, Progress
from cem.engine import CrossEntropyMethod
from cem.estimate import Estimate, estimate
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
    Normal,
    Pareto,
    Poisson,
    Uniform,
    Weibull,
)
from cem.optimize import Optimum, maximize, minimize
from cem.parallel import each
from cem.selection import Elite
from cem.smoothing import Constant, Settling
from cem.state import Best, History, Record, State
from cem.weights import likelihood_ratio, unit

__version__ = "0.1.0"

__all__ = [
    "Bernoulli",
    "Best",
    "Beta",
    "Categorical",
    "Checkpoint",
    "Constant",
    "CrossEntropyMethod",
    "Dirichlet",
    "Elite",
    "Estimate",
    "Exponential",
    "Gamma",
    "Geometric",
    "History",
    "Laplace",
    "LogNormal",
    "MultivariateNormal",
    "Normal",
    "Optimum",
    "Pareto",
    "Poisson",
    "Progress",
    "Record",
    "Settling",
    "State",
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
