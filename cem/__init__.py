"""The cross-entropy method: estimate rare events and optimise, with one loop."""

from cem import arrival, checkpoint, diagnostics, loss, plot, proposals, stopping
from cem.answer import Noise, NoisyOptimum
from cem.archive import Face, Keeping
from cem.callbacks import Checkpoint, Progress
from cem.chains import MarkovChains
from cem.cooperation import Cooperating
from cem.curve import Curve
from cem.engine import CrossEntropyMethod
from cem.estimate import estimate, expectation
from cem.evolution import EvolutionPath
from cem.families import (
    AlignedNormals,
    Bernoulli,
    Beta,
    Categorical,
    ColouredNormal,
    Composition,
    Defended,
    DependencyTree,
    Dirichlet,
    Exponential,
    Gamma,
    GaussianMixture,
    Geometric,
    Laplace,
    Likelier,
    LogNormal,
    LowRankNormal,
    MarkovChain,
    MirroredBernoulli,
    MultivariateNormal,
    NegativeBinomial,
    Normal,
    Pareto,
    Placements,
    Poisson,
    Product,
    RoundedNormal,
    Stretched,
    SymmetricTransitions,
    Transitions,
    TruncatedNormal,
    Uniform,
    VonMisesFisherNakagami,
    Walk,
    Weibull,
)
from cem.families.packed import Bits
from cem.feasibility import Feasibility
from cem.indicators import Sharpened, SmoothIndicator, Tempered
from cem.measured import Estimate, Expectation
from cem.noise import CommonNumbers, FreshNumbers, Replicated, Rescored
from cem.optimize import maximize, minimize
from cem.paired import PairedRace
from cem.parallel import each
from cem.pooling import Pooled
from cem.presets import PRESETS, Plan, Preset
from cem.probing import Probing
from cem.race import KimNelson, Race, race
from cem.refining import Refined
from cem.reliability import DesignPoint, design_point, design_points
from cem.replications import Combined, combine, replicate
from cem.restarts import BIPOP, IPOP, AtMost
from cem.results import Optimum
from cem.screening import Screened
from cem.selection import Boltzmann, Elite, Ranked
from cem.sensitivity import Sensitivity
from cem.sizes import Decaying
from cem.smoothing import Constant, Decreasing, Dynamic, Floor, Margin, Settling, Still
from cem.state import Best, History, Record, State
from cem.treatments import Penalise, Rank, Repair, Resample
from cem.weighted import WeightedSample
from cem.weights import likelihood_ratio, unit
from cem.widths import AboutOldMean, Injected, Noisy

__version__ = "0.1.0"

__all__ = [
    "BIPOP",
    "IPOP",
    "PRESETS",
    "AboutOldMean",
    "AlignedNormals",
    "AtMost",
    "Bernoulli",
    "Best",
    "Beta",
    "Bits",
    "Boltzmann",
    "Categorical",
    "Checkpoint",
    "ColouredNormal",
    "Combined",
    "CommonNumbers",
    "Composition",
    "Constant",
    "Cooperating",
    "CrossEntropyMethod",
    "Curve",
    "Decaying",
    "Decreasing",
    "Defended",
    "DependencyTree",
    "DesignPoint",
    "Dirichlet",
    "Dynamic",
    "Elite",
    "Estimate",
    "EvolutionPath",
    "Expectation",
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
    "KimNelson",
    "Laplace",
    "Likelier",
    "LogNormal",
    "LowRankNormal",
    "Margin",
    "MarkovChain",
    "MarkovChains",
    "MirroredBernoulli",
    "MultivariateNormal",
    "NegativeBinomial",
    "Noise",
    "Noisy",
    "NoisyOptimum",
    "Normal",
    "Optimum",
    "PairedRace",
    "Pareto",
    "Penalise",
    "Placements",
    "Plan",
    "Poisson",
    "Pooled",
    "Preset",
    "Probing",
    "Product",
    "Progress",
    "Race",
    "Rank",
    "Ranked",
    "Record",
    "Refined",
    "Repair",
    "Replicated",
    "Resample",
    "Rescored",
    "RoundedNormal",
    "Screened",
    "Sensitivity",
    "Settling",
    "Sharpened",
    "SmoothIndicator",
    "State",
    "Still",
    "Stretched",
    "SymmetricTransitions",
    "Tempered",
    "Transitions",
    "TruncatedNormal",
    "Uniform",
    "VonMisesFisherNakagami",
    "Walk",
    "Weibull",
    "WeightedSample",
    "arrival",
    "checkpoint",
    "combine",
    "design_point",
    "design_points",
    "diagnostics",
    "each",
    "estimate",
    "expectation",
    "likelihood_ratio",
    "loss",
    "maximize",
    "minimize",
    "plot",
    "proposals",
    "race",
    "replicate",
    "stopping",
    "unit",
]
