"""The problem contract is worth its name: problems broken by hand fail it, whole ones pass."""

import itertools
from dataclasses import dataclass, field

import numpy as np
import pytest

from cem import Bernoulli
from cem.testing import ProblemContract
from problems.maxcut import two_blocks
from problems.rare_event.bridge import Bridge


@pytest.fixture
def failures(failures_of):
    """The contract's tests that a problem fails."""
    return lambda problem, **settings: failures_of(ProblemContract, problem=problem, **settings)


class OneNumber(Bridge):
    def __call__(self, x):
        return super().__call__(x).sum()


class OneTooMany(Bridge):
    def __call__(self, x):
        return np.append(super().__call__(x), 0.0)


class Complex(Bridge):
    def __call__(self, x):
        return super().__call__(x) + 0j


class SometimesNaN(Bridge):
    def __call__(self, x):
        return np.where(x[:, 0] > 0.5, np.nan, super().__call__(x))


class RelativeToTheBatch(Bridge):
    def __call__(self, x):
        return super().__call__(x) - super().__call__(x).mean()


class RankedInTheBatch(Bridge):
    def __call__(self, x):
        return super().__call__(x) + 0.01 * np.arange(len(x))


class Noisy(Bridge):
    def __call__(self, x):
        return super().__call__(x) + np.random.default_rng().normal(size=len(x))


@dataclass(frozen=True)
class Remembering(Bridge):
    calls: object = field(default_factory=itertools.count)

    def __call__(self, x):
        return super().__call__(x) + next(self.calls)


class Sorting(Bridge):
    def __call__(self, x):
        x.sort(axis=1)
        return super().__call__(x)


@dataclass(frozen=True)
class NotForProcesses(Bridge):
    function: object = field(default_factory=lambda: lambda x: x.sum(axis=1))


class ForgetsItsSettings(Bridge):
    def __call__(self, x):
        return super().__call__(x) * self.gamma

    def __reduce__(self):
        return type(self), ()


class AnotherNominalEveryTime(Bridge):
    def nominal(self):
        return Bernoulli(np.random.default_rng().random(5))


class ImpossibleNominal(Bridge):
    def nominal(self):
        family = super().nominal()
        return type(
            "Lying", (type(family),), {"log_density": lambda _, x: np.full(len(x), -np.inf)}
        )(family.mean)


class TooLowAnOptimum(Bridge):
    optimum = 0.1


@pytest.mark.parametrize(
    ("mutant", "noticed_by"),
    [
        (OneNumber(), "scores_are_one_finite_number_per_sample"),
        (OneTooMany(), "scores_are_one_finite_number_per_sample"),
        (Complex(), "scores_are_one_finite_number_per_sample"),
        (SometimesNaN(), "scores_are_one_finite_number_per_sample"),
        (RelativeToTheBatch(), "a_score_does_not_depend_on_the_rest_of_the_batch"),
        (RankedInTheBatch(), "a_score_does_not_depend_on_the_rest_of_the_batch"),
        (Noisy(), "scoring_repeats_itself_and_leaves_the_batch_as_it_was"),
        (Remembering(), "scoring_repeats_itself_and_leaves_the_batch_as_it_was"),
        (Sorting(), "scoring_repeats_itself_and_leaves_the_batch_as_it_was"),
        (NotForProcesses(), "scores_the_same_in_another_process"),
        (ForgetsItsSettings(3.0), "scores_the_same_in_another_process"),
        (AnotherNominalEveryTime(), "nominal_is_a_family_to_sample_from"),
        (ImpossibleNominal(), "nominal_is_a_family_to_sample_from"),
        (TooLowAnOptimum(), "no_score_beats_the_stated_optimum"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_the_contract_notices_a_broken_problem(failures, mutant, noticed_by):
    assert noticed_by in failures(mutant)


@pytest.mark.parametrize("problem", [Bridge(), two_blocks(12, 6)], ids=["bridge", "cut"])
def test_a_whole_problem_passes(failures, problem):
    assert failures(problem) == set()


def test_a_problem_without_a_nominal_is_tested_on_the_family_given(failures):
    assert failures(staticmethod(np.linalg.norm), nominal=Bernoulli([0.5])) != set()

    class Ones:
        def __call__(self, x):
            return x.sum(axis=1)

    missing = failures(Ones(), nominal=Bernoulli([0.5] * 4))
    assert missing == {"scores_the_same_in_another_process"}  # the class is local to this test
