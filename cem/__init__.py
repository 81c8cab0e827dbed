"""The cross-entropy method: estimate rare events and optimise, with one loop."""

from cem import arrival, checkpoint, diagnostics, loss, plot, stopping
from cem.answer import Noise, NoisyOptimum
from cem.archive import Face, Keeping
from cem.callbacks import Checkpoint, Progress
from cem.cooperation import Cooperating
from cem.engine import CrossEntropyMethod
from cem.estimate import Estimate, estimate
from cem.evolution import EvolutionPath
from cem.families import (
    Bernoulli,
    Beta,
    Categorical,
    ColouredNormal,
    Composition,
    DependencyTree,
    Dirichlet,
    Exponential,
    Gamma,
    GaussianMixture,
    Geometric,
    Laplace,
    LogNormal,
    LowRankNormal,
    MultivariateNormal,
    NegativeBinomial,
    Normal,
    Pareto,
    Placements,
    Poisson,
    Product,
    RoundedNormal,
    Transitions,
    TruncatedNormal,
    Uniform,
    VonMisesFisherNakagami,
    Weibull,
)
from cem.feasibility import Feasibility
from cem.noise import CommonNumbers, FreshNumbers, Replicated, Rescored
from cem.optimize import maximize, minimize
from cem.parallel import each
from cem.presets import PRESETS, Plan, Preset
from cem.race import Race, race
from cem.restarts import BIPOP, IPOP, AtMost
from cem.results import Optimum
from cem.screening import Screened
from cem.selection import Boltzmann, Elite, Ranked, SmoothIndicator
from cem.sizes import Decaying
from cem.smoothing import Constant, Decreasing, Dynamic, Floor, Margin, Settling
from cem.state import Best, History, Record, State
from cem.treatments import Penalise, Rank, Repair, Resample
from cem.weights import likelihood_ratio, unit
from cem.widths import AboutOldMean, Injected, Noisy

__version__ = "0.1.0"

__all__ = [
    "BIPOP",
    "IPOP",
    "PRESETS",
    "AboutOldMean",
    "AtMost",
    "Bernoulli",
    "Best",
    "Beta",
    "Boltzmann",
    "Categorical",
    "Checkpoint",
    "ColouredNormal",
    "CommonNumbers",
    "Composition",
    "Constant",
    "Cooperating",
    "CrossEntropyMethod",
    "Decaying",
    "Decreasing",
    "DependencyTree",
    "Dirichlet",
    "Dynamic",
    "Elite",
    "Estimate",
    "EvolutionPath",
    "Exponential",
    "Face",
    "Feasibility",
    "Floor",
    "FreshNumbers",
    "Gamma",
    "GaussianMixture",
    "Geometric",
    "History",
    "Injected",
    "Keeping",
    "Laplace",
    "LogNormal",
    "LowRankNormal",
    "Margin",
    "MultivariateNormal",
    "NegativeBinomial",
    "Noise",
    "Noisy",
    "NoisyOptimum",
    "Normal",
    "Optimum",
    "Pareto",
    "Penalise",
    "Placements",
    "Plan",
    "Poisson",
    "Preset",
    "Product",
    "Progress",
    "Race",
    "Rank",
    "Ranked",
    "Record",
    "Repair",
    "Replicated",
    "Resample",
    "Rescored",
    "RoundedNormal",
    "Screened",
    "Settling",
    "SmoothIndicator",
    "State",
    "Transitions",
    "TruncatedNormal",
    "Uniform",
    "VonMisesFisherNakagami",
    "Weibull",
    "arrival",
    "checkpoint",
    "diagnostics",
    "each",
    "estimate",
    "likelihood_ratio",
    "loss",
    "maximize",
    "minimize",
    "plot",
    "race",
    "stopping",
    "unit",
]
