"""OpenTURNS on a limit state: four of its methods, with its own counts of calls and errors."""

from __future__ import annotations

import math
import time
from typing import NamedTuple

import numpy as np
import openturns as ot

LEVEL_SIZE = 1000  # samples per level; the levels are at its default quantile, .1
BLOCK = 100  # points per call of the function; chains of subset simulation take ten steps each
WIDE = 1.959964  # standard errors on either side: a 95 % interval
MOST_CALLS, MOST_SECONDS = 60_000, 20.0  # of one run


class Outcome(NamedTuple):
    """What a run told; the probability is NaN if it told none."""

    probability: float
    std_error: float
    low: float
    high: float
    calls: int
    seconds: float  # of the processor
    told: bool  # an error, a warning, no convergence


class Counted:
    """A limit state as an event of OpenTURNS: its inputs as they are, its function in batches."""

    def __init__(self, problem):
        self.g, self.calls, self.began = problem.g, 0, time.process_time()
        self.stop = self.spent  # OpenTURNS does not keep it alive
        d = len(problem.marginals)
        self.function = ot.PythonFunction(d, 1, func_sample=self._values)
        self.inputs = ot.JointDistribution([marginal_of(law) for law in problem.marginals])
        output = ot.CompositeRandomVector(self.function, ot.RandomVector(self.inputs))
        self.event = ot.ThresholdEvent(output, ot.Less(), 0.0)

    def _values(self, x):
        x = np.array(x)
        self.calls += len(x)
        return self.g(x)[:, None]

    def spent(self):
        """Whether the run is to be stopped."""
        return self.calls >= MOST_CALLS or time.process_time() - self.began >= MOST_SECONDS


def marginal_of(law):
    """A frozen distribution of SciPy as one of OpenTURNS."""
    shapes, loc, scale = law.dist._parse_args(*law.args, **law.kwds)
    match law.dist.name:
        case "norm":
            return ot.Normal(float(loc), float(scale))
        case "lognorm":
            return ot.LogNormal(math.log(scale), float(shapes[0]), float(loc))
        case "gumbel_r":
            return ot.Gumbel(float(scale), float(loc))
        case "uniform":
            return ot.Uniform(float(loc), float(loc + scale))
        case "expon":
            return ot.Exponential(1 / float(scale), float(loc))
        case "weibull_min":
            return ot.WeibullMin(float(scale), float(shapes[0]), float(loc))
    raise TypeError(f"no distribution of OpenTURNS is known for {law.dist.name}")


def subset(counted):
    return _by_levels(ot.SubsetSampling(counted.event), counted)


def nais(counted):
    return _by_levels(ot.NAIS(counted.event), counted)


def cross_entropy(counted):
    return _by_levels(ot.StandardSpaceCrossEntropyImportanceSampling(counted.event), counted)


def _by_levels(algorithm, counted):
    algorithm.setBlockSize(BLOCK)
    algorithm.setMaximumOuterSampling(LEVEL_SIZE // BLOCK)
    algorithm.setStopCallback(counted.stop)
    algorithm.run()
    return algorithm.getResult()


def form(counted):
    """The design point by Abdo and Rackwitz from the mean, then samples around it, to 5 %."""
    solver = ot.AbdoRackwitz()
    solver.setStartingPoint(counted.inputs.getMean())
    found = ot.FORM(solver, counted.event)
    found.run()
    at = found.getResult().getPhysicalSpaceDesignPoint()
    there, scale = (abs(counted.function(x)[0]) for x in (at, counted.inputs.getMean()))
    if there > 0.05 * scale:
        raise ArithmeticError("the design point is not on the limit state")
    algorithm = ot.PostAnalyticalImportanceSampling(found.getResult())
    algorithm.setBlockSize(BLOCK)
    algorithm.setMaximumOuterSampling(5000 // BLOCK)
    algorithm.setMaximumCoefficientOfVariation(0.05)
    algorithm.setStopCallback(counted.stop)
    algorithm.run()
    return algorithm.getResult()


def run(method, problem, seed):
    """One run; an error, a stop and an estimate of nothing are told."""
    ot.RandomGenerator.SetSeed(seed)
    counted = Counted(problem)
    began = time.process_time()
    try:
        result = method(counted)
        p, error = result.getProbabilityEstimate(), result.getStandardDeviation()
    except Exception:  # noqa: BLE001 - errors of many kinds, which are counted
        p = error = math.nan
    seconds = time.process_time() - began
    told = not 0 < p < math.inf or counted.spent()
    return Outcome(p, error, p - WIDE * error, p + WIDE * error, counted.calls, seconds, told)


METHODS = {
    "SubsetSampling": subset,
    "NAIS": nais,
    "OT-CE": cross_entropy,
    "FORM+IS": form,
}
