"""What an estimate tells: the figure, its error, and what may be wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cem.measurement import Measurement
from cem.results import Result
from cem.state import History
from cem.tally import ConfidenceInterval, Tally
from cem.weighted import WeightedSample
from cem.weights import likelihood_ratio

CRUDE = "the level was not reached: the figure is crude Monte Carlo's, from the nominal density"


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Measured(Result):
    """What `Estimate` and `Expectation` share; the rest is in `cem.results.Result`.

    Attributes
    ----------
    std_error, relative_error : float
        The standard error, and that over the figure; ``inf`` if nothing was hit.
    ess, max_weight : float
        Effective number of samples behind the figure, and the largest share of a single one.
    warnings : tuple of str
        What may be wrong with it.
    method : str
        How it was made, and what the choice was made by.
    tally : Tally
        The sums that all of this is computed from.
    """

    std_error: float
    relative_error: float
    ess: float
    max_weight: float
    warnings: tuple[str, ...]
    method: str
    tally: Tally = field(repr=False)
    measurement: Measurement = field(repr=False)
    nominal: Any = field(repr=False)  # f(.; u) in the problem's own variables
    outward: Any = field(repr=False, default=None)  # from the variables sampled to the problem's

    @property
    def levels(self) -> History:
        """The steering part of the history; the rest is the final sample, block by block."""
        return levels_of(self.history, self.tally)

    def confidence_interval(self, level: float = 0.95) -> ConfidenceInterval:
        """A two-sided interval that covers the true value with probability ``level``.

        Likelihood ratios are skewed to the right, so an estimate that is too low reports too small
        an error. The interval takes the sample's skewness out of the t statistic by a monotone
        cubic before it is inverted, and counts effective samples as degrees of freedom. After
        crude Monte Carlo of an event it is Clopper and Pearson's exact one.
        """
        return self.tally.interval(level, self.measurement.of.most)

    def sample(self) -> WeightedSample:
        """The independent sample that the figure rests on, drawn once more; scores are kept.

        It tells more than one figure: see `cem.weighted.WeightedSample`.
        """
        measurement, blocks = self.measurement, self.history[len(self.levels) :]
        if not blocks:
            raise ValueError("nothing was sampled at the final density: a limit came before it")
        x = measurement.sampled(self.state, History(blocks))
        log_w = likelihood_ratio(measurement.nominal, self.family, x)
        score, outward = self.state.memory["score"], self.outward
        x = x if outward is None else outward(x)
        return measurement.of.weighted(x, score, log_w, self.nominal)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Estimate(Measured):
    """An estimate of ``ell = P(S(X) >= gamma)``; the rest is in `Measured` and `Result`.

    Attributes
    ----------
    probability : float
        The estimate: the mean of ``I{S >= gamma} W`` over an independent sample.
    """

    probability: float


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Expectation(Measured):
    """An estimate of ``E[H(X)]``; the rest is in `Measured` and `cem.results.Result`.

    Attributes
    ----------
    mean : float
        The estimate: the mean of ``H W`` over an independent sample.
    """

    mean: float


def levels_of(history: History, tally: Tally) -> History:
    """The steering part of a history: what came before the samples in the tally."""
    last = history[-1].nfev - tally.n if history else 0
    return History(record for record in history if record.nfev <= last)
