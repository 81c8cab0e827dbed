"""A race by paired t-tests climbs to a point that no neighbour beats, and says how sure it is."""

import numpy as np
import pytest
from scipy.stats import binom, t

from cem.noise import RACE, CommonNumbers, numbered
from cem.paired import PairedRace, leader, with_new
from cem.parallel import Evaluation
from cem.race import race
from cem.randomness import root_of


class Hill:
    """Points are whole numbers, the top is 20; half of the noise is every point's own."""

    def bound_at(self, root, *_):
        rng = np.random.default_rng(root)
        shared, own = rng.standard_normal(), rng.standard_normal(41)
        return lambda x: shared + 0.5 * own[x] - 0.2 * abs(x - 20)


class Rounding:
    """Scores of candidates below zero fail."""

    def bind(self, rng):
        return lambda x: np.where(x < 0, np.nan, 10 - x + 0.1 * rng.standard_normal(len(x)))


class Normals:
    """Candidates are their means; the noise has standard deviation one."""

    def bind(self, rng):
        return lambda x: x + rng.standard_normal(len(x))


def beside(x):
    return np.array([x - 1, x + 1])


def on(problem, seed=1):
    return Evaluation(numbered(problem), root_of(seed))


def test_it_climbs_to_the_top_by_way_of_neighbours():
    found = PairedRace(0.1, neighbours=beside)(on(Hill()), np.array([13, 15]), 0)
    assert found.candidates[found.best] == 20
    assert {19, 20, 21} <= set(found.candidates.tolist())
    assert len(set(found.candidates.tolist())) == len(found.candidates)
    assert found.guaranteed


def test_it_is_seldom_wrong_and_its_probability_is_about_that():
    climb = PairedRace(0.05, neighbours=beside, most=5000)
    ends = [climb(on(Hill(), seed), np.array([18, 19]), 0) for seed in range(100)]
    right = sum(found.candidates[found.best] == 20 for found in ends)
    assert binom.cdf(right, 100, 0.95) > 1e-6
    assert np.mean([found.probability for found in ends]) == pytest.approx(right / 100, abs=0.06)


def test_common_numbers_end_it_at_once():
    found = PairedRace(0.01)(on(CommonNumbers(Normals())), np.linspace(0.0, 0.1, 5), 0)
    assert (found.best, found.guaranteed, found.nfev) == (4, True, 5 * 8)
    np.testing.assert_allclose(found.behind, [0.1, 0.075, 0.05, 0.025, 0.0], atol=1e-12)
    assert found.probability == 1.0


def test_who_is_worse_by_a_t_test_leaves():
    x = np.array([0.0, 1.6, 2.0])
    found = PairedRace(1e-9, confidence=0.9, first=5, most=30)(on(Normals(), 4), x, 0)
    scores = on(Normals(), 4).replications(x, 0, RACE, range(5))
    lead = scores.mean(axis=0).argmax()
    d = scores[:, [lead]] - scores
    with np.errstate(invalid="ignore"):
        worse = d.mean(axis=0) - t.ppf(0.9, 4) * d.std(axis=0, ddof=1) / np.sqrt(5) > 0
    assert worse.any()
    np.testing.assert_array_equal(found.replications == 5, worse)


def test_a_race_within_the_indifference_is_over():
    found = PairedRace(50.0)(on(Normals()), np.zeros(4), 0)
    assert (found.guaranteed, found.nfev) == (True, 32)
    assert found.probability > 0.999


def test_a_race_that_is_too_close_ends_at_its_limit_and_says_so():
    found = PairedRace(1e-6, most=100)(on(Normals()), np.zeros(2), 0)
    assert not found.guaranteed
    assert found.replications.tolist() == [48, 48]
    assert found.nfev == 96
    assert found.probability < 0.95


def test_neighbours_that_are_too_many_do_not_join():
    far = PairedRace(0.1, neighbours=lambda x: x + np.arange(1, 50), first=4, most=100)
    found = far(on(CommonNumbers(Normals())), np.array([1, 2]), 0)
    assert found.candidates.tolist() == [1, 2]
    assert (found.best, found.guaranteed) == (1, False)


def test_one_candidate_without_neighbours_wins_after_one_block():
    found = PairedRace(0.1)(on(Normals()), np.zeros(1), 0)
    assert (found.best, found.guaranteed, found.nfev) == (0, True, 8)


def test_a_candidate_that_fails_never_wins():
    found = PairedRace(0.1)(on(Rounding()), np.array([-1.0, 1.0, 2.0]), 0)
    assert found.best == 1
    assert (found.mean[0], found.behind[0], found.behind_error[0]) == (-np.inf, np.inf, np.inf)


def test_a_race_of_failures_is_refused():
    with pytest.raises(ValueError, match="got NaN or infinite ones for each of 2 candidates"):
        PairedRace(0.1)(on(Rounding()), np.array([-1.0, -2.0]), 0)


def test_the_probability_is_that_of_bonferroni_and_student():
    x = np.array([0.0, 0.4, 0.8])
    found = race(Normals(), x, rng=3, indifference=0.2, first=6, most=6)
    scores = on(Normals(), 3).replications(x, 0, RACE, range(6))
    d = scores[:, [found.best]] - scores
    others = [i for i in range(3) if i != found.best]
    error = d.std(axis=0, ddof=1)[others] / np.sqrt(6)
    wrong = t.cdf(-(d.mean(axis=0)[others] + 0.2) / error, 5)
    assert found.probability == pytest.approx(max(0, 1 - wrong.sum()), abs=1e-12)


def test_the_leader_is_the_best_of_those_who_ran_farthest():
    scores = [np.array([9.0]), np.array([1.0, 2.0]), np.array([1.0, 3.0])]
    assert leader(scores, [0, 1, 2]) == 2
    assert leader(scores, [0, 1]) == 1


def test_those_who_are_there_do_not_join_again():
    x = np.array([[1, 2], [3, 4]])
    assert with_new(x, np.array([[3, 4], [5, 6]])).tolist() == [[1, 2], [3, 4], [5, 6]]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"indifference": 0.0}, "indifference must be positive"),
        ({"confidence": 1.0}, "confidence must lie between"),
        ({"first": 1}, "must be at least 2; got 1"),
        ({"most": 7}, "must be at least 8; got 7"),
    ],
)
def test_what_cannot_work_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        PairedRace(**{"indifference": 0.1} | settings)


def test_more_candidates_than_scores_are_refused():
    with pytest.raises(ValueError, match="the scores of all candidates, must be at least 80; got"):
        PairedRace(0.1, most=50)(on(Normals()), np.zeros(10), 0)
