"""A sampler for Optuna that works by the cross-entropy method: `CemSampler`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from typing import Any, ClassVar, Protocol, TypeAlias
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
from cem.typing import Vector

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
Stamps: TypeAlias = tuple[tuple[Any, int, float], ...]  # what tells finished trials apart
Place: TypeAlias = Callable[[], float]
Elite: TypeAlias = list[tuple[FrozenTrial, float]]  # and their weights, with the sum 1


class CemSampler(BaseSampler):
    """Sample from densities that are fitted, after every trial, to the best of the last ones.

    Every parameter has a density of its own: a normal one cut off at the ends of its range, or for
    a categorical one the probabilities of its choices. Where ``log`` is set it is the logarithm
    that is normal; a whole number, or one with a step, stands for the cell around it.

    Whenever a trial has finished, the best ``rho`` of the last ``n_samples`` are the elite, the
    better the weightier (`cem.Ranked`), and each density goes to the likeliest one for the elite
    that have its parameter: the mean at once, the width and the probabilities by a part of the way.
    That part falls as ``rho * n_samples / t`` after ``t`` trials, to ``alpha``: a study learns fast
    while it is young. A few samples tell less of a width, or of many choices, than many: for elite
    weights ``w_i`` the share ``sum_i w_i^2`` of the variance and of the probabilities is the old
    density's. Three numbers in a hundred, and a tenth of the choices, are drawn from the densities
    of the beginning, so that no region is given up.

    All that the sampler knows is in the study: it goes on with one that is resumed, and any number
    of workers may share one. Trials by hand or of another sampler count too. A pruned trial counts
    and is never elite; one that failed does not count.

    Conditional parameters need no care: a density is fitted to those trials that have it, and moves
    less the fewer they are. A parameter whose range has changed is learnt from the values that are
    still in it.

    Random numbers are those of the number of the trial, so a resumed study does not repeat itself.

    Parameters
    ----------
    n_samples : int
        The last trials of which some are elite.
    rho : float
        Share of them that is elite, in (0, 1).
    alpha : float
        Least weight of the new fit in the smoothing of widths and probabilities, in (0, 1].
    seed : int, SeedSequence, Generator or None
        The root of all randomness.

    >>> import optuna
    >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
    >>> study = optuna.create_study(sampler=CemSampler(seed=1))
    >>> study.optimize(lambda trial: trial.suggest_float("x", -5, 5) ** 2, n_trials=50)
    >>> study.best_value < 0.01
    True
    """

    def __init__(
        self, n_samples: int = 40, *, rho: float = 0.2, alpha: float = 0.025, seed: Any = None
    ) -> None:
        self.n_samples = whole_number("n_samples", n_samples, least=2)
        self.select = Ranked(rho, at_least=1)
        self.alpha = alpha
        Constant(alpha)  # raises where it is no weight
        self.root = root_of(seed)
        self._space = IntersectionSearchSpace()
        self._elites: tuple[Stamps, list[Elite]] = (), []  # after every trial
        self._densities: dict[tuple[str, Density], tuple[Stamps, list[Any]]] = {}

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
        past = self._past(study)
        return {
            name: self._sampled(past, trial, name, distribution)
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
        return self._sampled(self._past(study), trial, param_name, param_distribution)

    def _past(self, study: Study) -> tuple[Stamps, list[Elite]]:
        """The finished trials, and the elite after each; what is known of them is not redone."""
        self._raise_error_if_multi_objective(study)
        sign = 1 if study.direction == StudyDirection.MAXIMIZE else -1
        trials = study.get_trials(deepcopy=False, states=LEARNT_FROM)
        trials.sort(key=lambda trial: (trial.datetime_complete, trial.number))
        score = [_score(trial, sign) for trial in trials]
        stamps = tuple(
            (trial.datetime_complete, trial.number, worth)
            for trial, worth in zip(trials, score, strict=True)
        )
        known, elites = self._elites
        elites = elites[: _common(known, stamps)]
        for end in range(len(elites) + 1, len(trials) + 1):
            last = slice(max(0, end - self.n_samples), end)
            elites.append(self._elite(trials[last], np.array(score[last])))
        self._elites = stamps, elites
        return self._elites

    def _elite(self, trials: list[FrozenTrial], score: Vector) -> Elite:
        if not (score > -np.inf).any():
            return []
        _, log_w = self.select(score, np.zeros(len(score)), np.inf)
        w = np.exp(log_w) / np.exp(log_w).sum()
        return [(trials[i], float(w[i])) for i in np.flatnonzero(w)]

    def _sampled(
        self,
        past: tuple[Stamps, list[Elite]],
        trial: FrozenTrial,
        name: str,
        distribution: BaseDistribution,
    ) -> Any:
        density, rng = _density_of(distribution), self._stream(trial.number, name)
        v = self._learnt(name, density, *past)
        v = density.nominal() if rng.random() < density.margin else v
        return density.value(v.sample(rng, 1)[0, 0])

    def _learnt(self, name: str, density: Density, stamps: Stamps, elites: list[Elite]) -> Any:
        """The density after these trials; it goes on from where it was the last time, if it can."""
        known, after = self._densities.get((name, density), ((), []))
        after = after[: _common(known, stamps)]
        for t in range(len(after), len(elites)):
            v = after[-1] if after else density.nominal()
            after.append(self._refitted(name, density, v, elites[t], t + 1))
        self._densities[name, density] = stamps, after
        return after[-1] if after else density.nominal()

    def _refitted(self, name: str, density: Density, v: Any, elite: Elite, t: int) -> Any:
        """The density after ``t`` trials, from that after one less."""
        having = [
            (trial.number, trial.params[name], weight)
            for trial, weight in elite
            if name in trial.params and density.holds(trial.params[name])
        ]
        if not having:
            return v
        numbers, values, weights = zip(*having, strict=True)
        share = sum(weights)  # of the elite that has the parameter
        x = [
            density.coordinate(a, partial(self._place, number, name))
            for number, a in zip(numbers, values, strict=True)
        ]
        w = np.array(weights) / share
        v_hat = v.fit(np.array(x)[:, np.newaxis], w)
        alpha = max(self.alpha, min(1.0, self.select.rho * self.n_samples / t))
        return density.moved(v, v_hat, alpha * share, float(w @ w))

    def _place(self, number: int, name: str) -> float:
        """Where in its cell the value of a trial is taken to be, from 0 to 1."""
        return float(self._stream(number, name, 1).random())

    def _stream(self, number: int, name: str, *which: int) -> Generator:
        return stream(self.root, Purpose.SAMPLE, number, crc32(name.encode()), *which)


def _common(known: Stamps, stamps: Stamps) -> int:
    """How many trials are the same from the first on."""
    if known == stamps[: len(known)]:
        return len(known)
    return next(i for i, (a, b) in enumerate(zip_longest(known, stamps)) if a != b)


def _score(trial: FrozenTrial, sign: int) -> float:
    """What a trial is worth, higher being better; a pruned one nothing."""
    value = trial.value if trial.state == TrialState.COMPLETE else None
    return sign * value if value is not None and math.isfinite(value) else -math.inf


class Density(Protocol):
    """How a parameter of Optuna is sampled: by a family of one coordinate."""

    margin: ClassVar[float]  # the share of the values that is drawn from the nominal density

    def nominal(self) -> Any:
        """The density to begin with."""

    def holds(self, value: Any) -> bool:
        """Whether this is a value of the parameter."""

    def coordinate(self, value: Any, place: Place) -> float:
        """What of the family stands for a value; ``place()`` in [0, 1) says where in its cell."""

    def value(self, coordinate: Any) -> Any:
        """The value that a sample of the family stands for."""

    def moved(self, v: Any, v_hat: Any, alpha: float, old: float) -> Any:
        """The density after ``v``, if ``v_hat`` was fitted to the elite.

        Of the spread of ``v_hat`` the share ``old`` is missing, and taken from ``v``.
        """


@dataclass(frozen=True)
class Range:
    """A number from ``low`` to ``high``: a normal density on [0, 1], cut off."""

    margin: ClassVar[float] = 0.03
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

    def coordinate(self, value: float, place: Place) -> float:
        """Where from 0 to 1 a point of the cell of the value is."""
        low, width = self._ends()
        inside = value + self.step * (place() - 0.5) if self.step else value
        return min(max((self._scale(inside) - low) / width, 0.0), 1.0)

    def value(self, coordinate: float) -> float | int:
        """The value in whose cell it is."""
        low, width = self._ends()
        number = float(low + width * coordinate)
        number = math.exp(number) if self.log else number
        if self.step:
            number = self.low + self.step * round((number - self.low) / self.step)
        number = min(max(number, self.low), self.high)
        return round(number) if self.whole else number

    def moved(
        self, v: TruncatedNormal, v_hat: TruncatedNormal, alpha: float, old: float
    ) -> TruncatedNormal:
        """The mean moves at once, and the width with care: few samples are mostly too alike."""
        std = np.minimum(np.sqrt(v_hat.std**2 + old * v.std**2), 1.0)
        return v_hat.replace(std=v.std + alpha * (std - v.std))

    def _ends(self) -> tuple[float, float]:
        half = (self.step or 0) / 2
        low, high = self._scale(self.low - half), self._scale(self.high + half)
        return low, (high - low) or 1.0

    def _scale(self, number: float) -> float:
        return math.log(number) if self.log else number


@dataclass(frozen=True)
class Choice:
    """One of several ``choices``: a probability for each."""

    margin: ClassVar[float] = 0.1
    choices: tuple[Any, ...]

    def nominal(self) -> Categorical:
        """All are equally likely."""
        n = len(self.choices)
        return Categorical(np.full((1, n), 1 / n))

    def holds(self, value: Any) -> bool:
        """Whether it is one of the choices."""
        return value in self.choices

    def coordinate(self, value: Any, place: Place) -> int:
        """Its number."""
        del place
        return self.choices.index(value)

    def value(self, coordinate: Any) -> Any:
        """The choice of that number."""
        return self.choices[int(coordinate)]

    def moved(self, v: Categorical, v_hat: Categorical, alpha: float, old: float) -> Categorical:
        """Some of the way."""
        return v.smooth(v_hat, alpha * (1 - old))


def _density_of(distribution: BaseDistribution) -> Density:
    if isinstance(distribution, CategoricalDistribution):
        return Choice(distribution.choices)
    if isinstance(distribution, FloatDistribution | IntDistribution):
        a = distribution
        return Range(a.low, a.high, a.step, a.log, isinstance(a, IntDistribution))
    raise NotImplementedError(
        f"CemSampler knows float, int and categorical parameters; got {distribution!r}"
    )
