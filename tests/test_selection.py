"""The elite: an order statistic, its ties, and nothing that failed."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cem import Elite

SCORES = st.lists(st.integers(-20, 20).map(float), min_size=4, max_size=60).map(np.array)


def chosen(score, rho=0.25, gamma=np.inf):
    level, log_w = Elite(rho)(np.asarray(score), np.zeros(len(score)), gamma)
    return level, log_w > -np.inf


@pytest.mark.parametrize(
    ("n", "rho", "n_elite"),
    [(100, 0.1, 10), (101, 0.1, 11), (100, 0.07, 7), (10, 0.1, 1), (7, 0.5, 4), (3, 0.99, 3)],
)
def test_the_level_is_the_order_statistic_at_the_ceiling_of_rho_n(n, rho, n_elite):
    score = np.random.default_rng(0).permutation(n).astype(float)
    level, elite = chosen(score, rho)
    assert elite.sum() == n_elite
    assert level == sorted(score)[-n_elite]
    assert set(score[elite]) == set(sorted(score)[-n_elite:])


def test_every_tie_with_the_level_is_elite():
    level, elite = chosen([1, 3, 2, 3, 3, 0, 3, 1], rho=0.25)
    assert level == 3
    assert elite.tolist() == [False, True, False, True, True, False, True, False]


def test_all_are_elite_where_all_score_the_same():
    level, elite = chosen([2.0] * 8)
    assert level == 2
    assert elite.all()


def test_the_level_never_rises_above_the_one_asked_for():
    level, elite = chosen([1, 2, 3, 4, 5, 6, 7, 8], rho=0.25, gamma=5.0)
    assert level == 5
    assert elite.tolist() == [False] * 4 + [True] * 4


def test_the_level_asked_for_does_not_lift_a_level_below_it():
    assert chosen([1, 2, 3, 4], rho=0.25, gamma=100.0)[0] == 4


def test_a_failed_score_is_never_elite_even_where_fewer_are_left_than_there_are_places():
    level, elite = chosen([-np.inf, -np.inf, -np.inf, 5.0, 4.0, -np.inf], rho=0.9)
    assert level == 4
    assert elite.tolist() == [False, False, False, True, True, False]


def test_the_weights_of_the_elite_are_handed_on_and_the_others_get_none():
    log_w = np.array([0.1, 0.2, 0.3, 0.4])
    level, weights = Elite(0.5)(np.array([4.0, 1.0, 2.0, 3.0]), log_w, np.inf)
    assert level == 3
    assert weights.tolist() == [0.1, -np.inf, -np.inf, 0.4]
    assert log_w.tolist() == [0.1, 0.2, 0.3, 0.4]


@given(SCORES, st.floats(0.01, 0.99))
def test_a_monotone_change_of_the_scores_keeps_the_elite(score, rho):
    if rho * len(score) < 1:
        return
    _, elite = chosen(score, rho)
    for transformed in (3 * score - 7, score**3, np.exp(score), np.arctan(score)):
        assert chosen(transformed, rho)[1].tolist() == elite.tolist()


@given(SCORES, st.integers(0, 2**32 - 1))
def test_the_order_of_the_batch_does_not_matter(score, seed):
    order = np.random.default_rng(seed).permutation(len(score))
    level, elite = chosen(score)
    assert chosen(score[order])[0] == level
    assert chosen(score[order])[1].tolist() == elite[order].tolist()


@given(SCORES, st.floats(0.01, 0.99))
def test_the_elite_are_at_least_so_many_and_all_better_than_the_rest(score, rho):
    if rho * len(score) < 1:
        return
    level, elite = chosen(score, rho)
    assert elite.sum() >= math.ceil(rho * len(score) - 1e-9)
    assert (elite == (score >= level)).all()


@pytest.mark.parametrize("rho", [0, 1, -0.1, 1.1, np.nan, np.inf])
def test_a_share_outside_the_unit_interval_is_refused(rho):
    with pytest.raises(ValueError, match=r"^rho, the share .* strictly between 0 and 1; got"):
        Elite(rho)


def test_a_share_of_less_than_one_sample_is_refused():
    with pytest.raises(ValueError, match=r"at least 1, or nothing is elite; got 0\.1 \* 9 = 0\.9"):
        chosen(np.arange(9.0), rho=0.1)
