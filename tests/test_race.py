"""A race selects the best mean as often as it promises, and stops looking at the rest."""

import numpy as np
import pytest
from scipy.stats import binom

from cem.noise import CommonNumbers, numbered
from cem.parallel import Evaluation
from cem.race import intercepts, race
from cem.randomness import root_of


class Normals:
    """Candidates are their means; the noise has standard deviation one."""

    def bind(self, rng):
        return lambda x: x + rng.standard_normal(len(x))


class Exact:
    """Candidates are their scores."""

    def bind(self, rng):
        del rng
        return np.asarray


class Rounding:
    """Scores of candidates below zero fail now and then."""

    def bind(self, rng):
        return lambda x: np.where((x < 0) & (rng.random(len(x)) < 0.5), np.nan, 10 - x)


def test_the_margin_is_that_of_kim_and_nelson():
    first = np.random.default_rng(1).standard_normal((10, 3))
    eta = ((2 * 0.05 / 2) ** (-2 / 9) - 1) / 2
    for i in range(3):
        for j in range(3):
            variance = np.var(first[:, i] - first[:, j], ddof=1)
            assert intercepts(first, 0.95)[i, j] == pytest.approx(2 * eta * 9 * variance / 2)


@pytest.mark.parametrize("wrap", [numbered, CommonNumbers])
@pytest.mark.parametrize("confidence", [0.5, 0.9])
def test_the_best_by_the_indifference_wins_as_often_as_promised(wrap, confidence):
    means = np.array([0.0, 0.0, 1.0, 0.0])  # the least favourable: all others tie just below
    won = [
        race(wrap(Normals()), means, rng=seed, indifference=1.0, confidence=confidence)
        for seed in range(200)
    ]
    assert all(found.guaranteed for found in won)
    right = sum(found.best == 2 for found in won)
    assert binom.cdf(right, 200, confidence) > 1e-6


def test_common_numbers_end_a_race_at_once():
    means = np.linspace(0.0, 0.1, 5)
    found = race(CommonNumbers(Normals()), means, rng=1, indifference=0.01, most=10)
    assert (found.best, found.guaranteed, found.nfev) == (4, True, 50)
    assert not race(numbered(Normals()), means, rng=1, indifference=0.01, most=10).guaranteed


def test_those_who_leave_are_scored_no_more():
    found = race(Normals(), np.array([-9.0, 0.3, 0.0]), rng=2, indifference=0.3, first=8)
    assert found.replications[0] == 8
    assert found.replications[1] == found.replications[2] > 8
    assert found.nfev == found.replications.sum()


def test_means_and_errors_are_those_of_the_replications():
    means = np.array([0.0, 0.5])
    found = race(Normals(), means, rng=root_of(3), indifference=0.5, first=5, most=5)
    scores = Evaluation(numbered(Normals()), root_of(3)).replications(means, 0, 2, range(5))
    np.testing.assert_array_equal(found.mean, scores.T.copy().mean(axis=1))
    np.testing.assert_allclose(found.standard_error, scores.std(axis=0, ddof=1) / np.sqrt(5))


def test_a_race_that_runs_out_of_replications_says_so():
    found = race(Normals(), np.zeros(3), rng=1, indifference=1e-3, most=25)
    assert not found.guaranteed
    assert found.replications.max() == 25
    assert found.mean[found.best] == found.mean[found.replications == 25].max()


def test_equal_scores_without_noise_are_a_tie_for_the_first():
    found = race(Exact(), np.array([1.0, 3.0, 3.0]), rng=1, indifference=0.1)
    assert (found.best, found.guaranteed, found.nfev) == (1, True, 30)


def test_one_candidate_wins_after_the_first_replications():
    found = race(Normals(), np.zeros(1), rng=1, indifference=0.1, first=4)
    assert (found.best, found.guaranteed, found.nfev) == (0, True, 4)


def test_a_candidate_that_fails_once_never_wins():
    found = race(Rounding(), np.array([-1.0, 1.0, 2.0]), rng=1, indifference=0.1)
    assert found.best == 1
    assert (found.mean[0], found.standard_error[0]) == (-np.inf, np.inf)


def test_a_race_of_failures_is_refused():
    with pytest.raises(ValueError, match="got NaN or infinite ones for each of 2 candidates"):
        race(Rounding(), np.array([-1.0, -2.0]), rng=1, indifference=0.1)


def test_the_bits_of_a_race_do_not_depend_on_who_scores():
    def backwards(function, chunks):
        return [function(chunk) for chunk in [*chunks][::-1]][::-1]

    means = np.linspace(0, 1, 9)
    a, b = (
        race(Normals(), means, rng=1, indifference=0.2, chunk_size=4, workers=workers)
        for workers in (1, backwards)
    )
    np.testing.assert_array_equal(a.mean, b.mean)
    assert a.best == b.best


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"indifference": 0.0}, ValueError, "indifference must be positive"),
        ({"confidence": 0.4}, ValueError, "confidence must lie between 0.5, what a guess has, and"),
        ({"confidence": 1.0}, ValueError, "confidence must lie between"),
        ({"first": 1}, ValueError, "before the first elimination, must be at least 2; got 1"),
        ({"first": 10, "most": 9}, ValueError, "replications of a candidate, must be at least 10"),
        ({"candidates": np.zeros(0)}, ValueError, "the number of candidates must be at least 1"),
        ({"problem": len}, TypeError, "race is for a noisy problem, .* exact scores need no race"),
    ],
)
def test_what_cannot_work_is_refused(settings, error, message):
    given = {"problem": Normals(), "candidates": np.zeros(2), "indifference": 1.0, **settings}
    with pytest.raises(error, match=message):
        race(given.pop("problem"), given.pop("candidates"), rng=1, **given)
