"""A sampler for Optuna that works by the cross-entropy method: `CemSampler`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias
from zlib import crc32

import numpy as np
from numpy.random import Generator

from cem.families.categorical import Categorical
from cem.families.truncated_normal import TruncatedNormal
from cem.integrations.tracker import installed
from cem.randomness import Purpose, root_of, stream
from cem.scores import whole_number
from cem.selection import Ranked
from cem.smoothing import Constant

with installed("Optuna", "optuna"):
    from optuna.distributions import (
        BaseDistribution,
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )
    from optuna.samplers import BaseSampler
    from optuna.search_space import IntersectionSearchSpace
    from optuna.study import Study, StudyDirection
    from optuna.trial import FrozenTrial, TrialState

LEARNT_FROM = (TrialState.COMPLETE, TrialState.PRUNED)  # a failed trial is as if it had not been
MARGIN = 0.1  # of the probability of a categorical parameter, shared by all its choices
Elites: TypeAlias = list[list[tuple[FrozenTrial, float]]]  # and their weights, in each iteration
Column: TypeAlias = tuple[tuple[int, Any, float], ...]  # number of the trial, its value, its weight


class CemSampler(BaseSampler):
    """Sample from densities that are fitted to the best of every ``n_samples`` finished trials.

    Every parameter has a density of its own: a normal one cut off at the ends of its range, or for
    a categorical one the probabilities of its choices. Where ``log`` is set it is the logarithm
    that is normal; a whole number, or one with a step, stands for the cell around it.

    The trials in the order in which they finished, ``n_samples`` at a time, are the iterations. The
    best ``rho`` of them are the elite, the better the weightier (`cem.Ranked`), and each density
    goes to the likeliest one for the elite that have its parameter: the mean at once, the width and
    the probabilities by ``alpha`` of the way. So all that the sampler knows is in the study: it
    goes on with one that is resumed, and any number of workers may share one. Trials by hand or of
    another sampler count too. A pruned trial counts and is never elite; one that failed does not
    count.

    Conditional parameters need no care: a density is fitted to those trials that have it. A
    parameter whose range has changed is learnt from the values that are still in it.

    Random numbers are those of the number of the trial, so a resumed study does not repeat itself.

    Parameters
    ----------
    n_samples : int
        Trials per iteration.
    rho : float
        Share of them that is elite, in (0, 1).
    alpha : float
        Weight of the new fit in the smoothing of widths and probabilities, in (0, 1].
    seed : int, SeedSequence, Generator or None
        The root of all randomness.

    >>> import optuna
    >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
    >>> study = optuna.create_study(sampler=CemSampler(seed=1))
    >>> study.optimize(lambda trial: trial.suggest_float("x", -5, 5) ** 2, n_trials=100)
    >>> study.best_value < 0.01
    True
    """

    def __init__(
        self, n_samples: int = 20, *, rho: float = 0.25, alpha: float = 0.35, seed: Any = None
    ) -> None:
        self.n_samples = whole_number("n_samples", n_samples, least=2)
        self.select = Ranked(rho, at_least=1)
        self.alpha = alpha
        Constant(alpha)  # raises where it is no weight
        self.root = root_of(seed)
        self._space = IntersectionSearchSpace()
        self._latest: dict[tuple[str, Density], tuple[tuple[Column, ...], Any]] = {}

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """The parameters that all trials so far have."""
        del trial
        return self._space.calculate(study)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: Mapping[str, BaseDistribution]
    ) -> dict[str, Any]:
        """A value for each of them."""
        elites = self._elites(study)
        return {
            name: self._sampled(elites, trial, name, distribution)
            for name, distribution in search_space.items()
        }

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """A value for any other parameter: one that only some trials have."""
        return self._sampled(self._elites(study), trial, param_name, param_distribution)

    def _elites(self, study: Study) -> Elites:
        """The elite of every iteration that is complete."""
        self._raise_error_if_multi_objective(study)
        trials = study.get_trials(deepcopy=False, states=LEARNT_FROM)
        trials.sort(key=lambda trial: (trial.datetime_complete, trial.number))
        n = self.n_samples
        done = [trials[i : i + n] for i in range(0, len(trials) - n + 1, n)]
        sign = 1 if study.direction == StudyDirection.MAXIMIZE else -1
        return [self._elite(batch, sign) for batch in done]

    def _elite(self, batch: list[FrozenTrial], sign: int) -> list[tuple[FrozenTrial, float]]:
        score = np.array([_score(trial, sign) for trial in batch])
        if not (score > -np.inf).any():
            return []
        _, log_w = self.select(score, np.zeros(len(batch)), np.inf)
        return [(batch[i], float(np.exp(log_w[i]))) for i in np.flatnonzero(log_w > -np.inf)]

    def _sampled(
        self, elites: Elites, trial: FrozenTrial, name: str, distribution: BaseDistribution
    ) -> Any:
        density = _density_of(distribution)
        columns = tuple(
            tuple(
                (elite.number, elite.params[name], weight)
                for elite, weight in those
                if name in elite.params and density.holds(elite.params[name])
            )
            for those in elites
        )
        v = self._learnt(name, density, columns)
        return density.value(v.sample(self._stream(trial.number, name), 1)[0, 0])

    def _learnt(self, name: str, density: Density, columns: tuple[Column, ...]) -> Any:
        """The density after these elites; it goes on from where it was the last time, if it can."""
        known, v = self._latest.get((name, density), ((), density.nominal()))
        if columns[: len(known)] != known:
            known, v = (), density.nominal()
        for column in columns[len(known) :]:
            if column:
                v = density.moved(v, self._fit(name, density, v, column), self.alpha)
        self._latest[name, density] = columns, v
        return v

    def _fit(self, name: str, density: Density, v: Any, column: Column) -> Any:
        """The likeliest density for these elites."""
        numbers, values, weights = zip(*column, strict=True)
        within = [self._stream(number, name, 1).random() for number in numbers]
        x = [density.coordinate(a, u) for a, u in zip(values, within, strict=True)]
        return v.fit(np.array(x)[:, np.newaxis], np.array(weights) / sum(weights))

    def _stream(self, number: int, name: str, *which: int) -> Generator:
        return stream(self.root, Purpose.SAMPLE, number, crc32(name.encode()), *which)


def _score(trial: FrozenTrial, sign: int) -> float:
    """What a trial is worth, higher being better; a pruned one nothing."""
    value = trial.value if trial.state == TrialState.COMPLETE else None
    return sign * value if value is not None and math.isfinite(value) else -math.inf


class Density(Protocol):
    """How a parameter of Optuna is sampled: by a family of one coordinate."""

    def nominal(self) -> Any:
        """The density to begin with."""

    def holds(self, value: Any) -> bool:
        """Whether this is a value of the parameter."""

    def coordinate(self, value: Any, u: float) -> float:
        """What of the family stands for a value; ``u`` in [0, 1) says where in its cell."""

    def value(self, coordinate: Any) -> Any:
        """The value that a sample of the family stands for."""

    def moved(self, v: Any, v_hat: Any, alpha: float) -> Any:
        """The density after ``v``, if ``v_hat`` was fitted to the elite."""


@dataclass(frozen=True)
class Range:
    """A number from ``low`` to ``high``: a normal density on [0, 1], cut off."""

    low: float
    high: float
    step: float | None
    log: bool
    whole: bool

    def nominal(self) -> TruncatedNormal:
        """Nearly flat."""
        return TruncatedNormal(*np.array([[0.5], [1.0], [0.0], [1.0]]))

    def holds(self, value: Any) -> bool:
        """Whether it is a number in the range."""
        return isinstance(value, int | float) and self.low <= value <= self.high

    def coordinate(self, value: float, u: float) -> float:
        """Where from 0 to 1 a point of the cell of the value is."""
        low, width = self._ends()
        return min(max((self._scale(value + (self.step or 0) * (u - 0.5)) - low) / width, 0.0), 1.0)

    def value(self, coordinate: float) -> float | int:
        """The value in whose cell it is."""
        low, width = self._ends()
        number = float(low + width * coordinate)
        number = math.exp(number) if self.log else number
        if self.step:
            number = self.low + self.step * round((number - self.low) / self.step)
        number = min(max(number, self.low), self.high)
        return round(number) if self.whole else number

    def moved(self, v: TruncatedNormal, v_hat: TruncatedNormal, alpha: float) -> TruncatedNormal:
        """The mean moves at once, and the width with care: few samples are mostly too alike."""
        return v_hat.replace(std=v.smooth(v_hat, alpha).std)

    def _ends(self) -> tuple[float, float]:
        half = (self.step or 0) / 2
        low, high = self._scale(self.low - half), self._scale(self.high + half)
        return low, (high - low) or 1.0

    def _scale(self, number: float) -> float:
        return math.log(number) if self.log else number


@dataclass(frozen=True)
class Choice:
    """One of several ``choices``: a probability for each."""

    choices: tuple[Any, ...]

    def nominal(self) -> Categorical:
        """All are equally likely."""
        n = len(self.choices)
        return Categorical(np.full((1, n), 1 / n))

    def holds(self, value: Any) -> bool:
        """Whether it is one of the choices."""
        return value in self.choices

    def coordinate(self, value: Any, u: float) -> int:
        """Its place."""
        del u
        return self.choices.index(value)

    def value(self, coordinate: Any) -> Any:
        """The choice at the place."""
        return self.choices[int(coordinate)]

    def moved(self, v: Categorical, v_hat: Categorical, alpha: float) -> Categorical:
        """Some of the way; every choice keeps its part of the margin."""
        return v.smooth(v_hat, alpha).within_margin(MARGIN / len(self.choices), v)


def _density_of(distribution: BaseDistribution) -> Density:
    if isinstance(distribution, CategoricalDistribution):
        return Choice(distribution.choices)
    if isinstance(distribution, FloatDistribution | IntDistribution):
        a = distribution
        return Range(a.low, a.high, a.step, a.log, isinstance(a, IntDistribution))
    raise NotImplementedError(
        f"CemSampler knows float, int and categorical parameters; got {distribution!r}"
    )
