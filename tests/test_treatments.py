"""What becomes of infeasible samples: their order, their number, their law, their price."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

import cem
from cem.feasibility import Feasibility
from cem.randomness import Purpose, stream
from cem.treatments import WEIGHT, Penalise, Rank, Repair, Resample

METHOD = cem.CrossEntropyMethod(nominal=cem.Normal([0.0, 0.0], [1.0, 1.0]), n_samples=200, rng=3)
ABOVE = Feasibility.of(lambda x: np.maximum(1 - x[:, 0], 0))


def batch(treat, feasibility=ABOVE, method=METHOD):
    return treat.batch(method, feasibility, method.init())


@given(
    st.lists(
        st.tuples(
            st.floats(-1e300, 1e300) | st.sampled_from([0.0, 7.0, math.nan]),
            st.sampled_from([0.0, 0.0, 5e-324, 1e-12, 0.25, 3.0, 1e300]),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_feasible_samples_are_ranked_by_score_and_the_others_after_them_by_violation(pairs):
    score, violation = np.array(pairs).T
    told = Rank().told(score, violation, {})
    key = [(v > 0, v if v > 0 else -s) for s, v in pairs]
    usable = [i for i, (s, v) in enumerate(pairs) if v > 0 or not math.isnan(s)]
    for i in usable:
        for j in usable:
            assert (told[i] > told[j]) == (key[i] < key[j])
    assert np.isfinite(told[usable]).all()


def test_a_feasible_sample_is_told_its_score():
    told = Rank().told(np.array([5.0, np.nan, -2.0, np.nan]), np.array([0.0, 1.0, 0.0, 0.0]), {})
    assert told[[0, 2]].tolist() == [5.0, -2.0]
    assert -6.0 < told[1] < -2.0
    assert math.isnan(told[3])


def test_without_a_feasible_sample_the_level_is_minus_a_violation():
    told = Rank().told(np.array([5.0, 6.0, 7.0]), np.array([0.5, np.inf, 2.0]), {})
    assert told.tolist() == [-0.5, -np.inf, -2.0]


def test_resampling_keeps_the_first_feasible_samples_in_the_order_of_their_draws():
    x, state = batch(Resample()), METHOD.init()
    draws = [METHOD.ask(state)] + [
        state.v.sample(stream(METHOD.root, Purpose.SAMPLE, 0, k), 200) for k in range(1, 30)
    ]
    every = np.concatenate(draws)
    assert x.tobytes() == every[every[:, 0] >= 1][:200].tobytes()
    assert batch(Resample()).tobytes() == x.tobytes()


def test_resampling_where_all_is_feasible_changes_nothing():
    anywhere = Feasibility.of(lambda x: x[:, 0] < 99)
    assert batch(Resample(), anywhere).tobytes() == METHOD.ask(METHOD.init()).tobytes()


def test_resampled_batches_have_the_law_of_the_truncated_density():
    method = cem.CrossEntropyMethod(nominal=cem.Normal([0.0], [1.0]), n_samples=40_000, rng=8)
    x = batch(Resample(), method=method)[:, 0]
    mean = norm.pdf(1) / norm.sf(1)
    variance = 1 + mean - mean**2
    assert x.min() >= 1
    assert abs(x.mean() - mean) < 5 * math.sqrt(variance / 40_000)
    assert abs((x < 1.5).mean() - (norm.cdf(1.5) - norm.cdf(1)) / norm.sf(1)) < 5 * 0.0025


def test_too_few_feasible_samples_are_an_error_that_says_how_few():
    far = Feasibility.of(lambda x: x[:, 0] > 9)
    message = r"share of 0\.1 \(floor\), got 0 of 2000 in iteration 1; start from a density that"
    with pytest.raises(ValueError, match=message):
        batch(Resample(floor=0.1), far)
    assert len(batch(Resample(floor=0.1))) == 200  # of which there are 0.159


def test_repaired_samples_take_the_place_of_the_others():
    x = METHOD.ask(METHOD.init())
    repaired = batch(Repair(lambda x: np.maximum(x, 1.0)))
    assert repaired.tobytes() == np.maximum(x, 1.0).tobytes()


def test_a_repair_is_of_the_point_that_a_sample_stands_for():
    repaired = batch(Repair(lambda x: x + 1), ABOVE.through(np.abs))
    assert repaired.tobytes() == (np.abs(METHOD.ask(METHOD.init())) + 1).tobytes()


def test_a_repair_that_loses_samples_is_refused():
    with pytest.raises(ValueError, match=r"one sample for each: expected shape \(200, 2\), got"):
        batch(Repair(lambda x: x[x[:, 0] > 1]))


def test_a_penalty_starts_where_scores_and_violations_differ_as_much():
    score, v = np.array([1.0, 4.0, 2.0, np.nan]), np.array([0.0, 3.0, 0.5, 1.0])
    weight = score[:3].std() / v[:3].std()
    np.testing.assert_allclose(Penalise().told(score, v, {})[:3], score[:3] - weight * v[:3])
    assert Penalise(2.0).told(score, v, {})[:3].tolist() == [1.0, -2.0, 1.0]


@pytest.mark.parametrize(
    ("elite", "factor"), [([0, 0, 0], 1 / 3), ([0, 0, 1], 1), ([0, 1, 1], 3), ([1, 1, 1], 3)]
)
def test_a_penalty_rises_while_the_elite_is_infeasible_and_falls_when_it_is_feasible(elite, factor):
    v = np.array([*elite, 5.0])
    chosen = np.array([True, True, True, False])
    memory = Penalise(2.0, factor=3).learned(np.zeros(4), v, chosen, {})
    assert memory[WEIGHT].tolist() == [2.0 * factor]
    again = Penalise(2.0, factor=3).learned(np.zeros(4), v, chosen, memory)
    assert again[WEIGHT].tolist() == [2.0 * factor * factor]


def test_a_penalty_stays_a_number_however_long_the_search_is():
    elite = np.ones(2, dtype=bool)
    for v, end in ((np.ones(2), 1e100), (np.zeros(2), 1e-100)):
        memory = {}
        for _ in range(2000):
            memory = Penalise(1.0).learned(np.zeros(2), v, elite, memory)
        assert memory[WEIGHT].tolist() == [end]


def test_there_is_no_penalty_before_there_is_a_violation():
    score = np.array([1.0, 4.0])
    assert Penalise().told(score, np.zeros(2), {}).tolist() == [1.0, 4.0]
    assert Penalise().learned(score, np.zeros(2), np.array([False, True]), {}) == {}


def test_a_penalty_needs_no_difference_of_scores():
    told = Penalise().told(np.zeros(3), np.array([0.0, 1.0, 2.0]), {})
    np.testing.assert_allclose(told, [0.0, -1.224744871391589, -2.449489742783178])


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: Resample(0.0), ValueError, r"floor, .* must lie in \(0, 1\]; got 0\.0"),
        (lambda: Resample("x"), TypeError, "floor must be a number"),
        (lambda: Penalise(weight=0.0), ValueError, r"weight, .* must be positive .* got 0\.0"),
        (lambda: Penalise(factor=1.0), ValueError, r"factor, .* must be above 1; got 1\.0"),
    ],
)
def test_bad_settings_are_refused(make, kind, message):
    with pytest.raises(kind, match=message):
        make()
