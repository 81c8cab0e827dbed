"""The elite: an order statistic, its ties, and nothing that failed; and what each one weighs."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cem
from cem import Bernoulli, Boltzmann, CrossEntropyMethod, Elite, Normal, Ranked

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


# Bounds of the number of elite samples


@pytest.mark.parametrize(
    ("n", "rho", "bounds", "n_elite"),
    [
        (100, 0.1, {"at_least": 5}, 10),
        (100, 0.1, {"at_least": 25}, 25),
        (100, 0.1, {"at_most": 25}, 10),
        (100, 0.1, {"at_most": 4}, 4),
        (100, 0.1, {"at_least": 7, "at_most": 7}, 7),
        (5, 0.1, {"at_least": 1}, 1),  # a share of half a sample
        (5, 0.1, {"at_least": 5}, 5),
        (3, 0.9, {"at_most": np.int64(2)}, 2),
    ],
)
def test_the_number_of_elite_samples_is_bounded(n, rho, bounds, n_elite):
    score = np.random.default_rng(0).permutation(n).astype(float)
    level, log_w = Elite(rho, **bounds)(score, np.zeros(n), np.inf)
    assert level == n - n_elite
    assert (log_w > -np.inf).sum() == n_elite


def test_ties_and_a_level_that_is_reached_may_exceed_the_ceiling():
    score = np.array([3.0, 3.0, 3.0, 1.0])
    assert Elite(0.5, at_most=1)(score, np.zeros(4), np.inf)[1].tolist() == [0, 0, 0, -np.inf]
    assert Elite(0.5, at_most=1)(score, np.zeros(4), 1.0)[1].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("bounds", "error", "message"),
    [
        ({"at_least": 0}, ValueError, r"^at_least must be at least 1; got 0$"),
        ({"at_most": -1}, ValueError, r"^at_most must be at least 1; got -1$"),
        ({"at_most": 2.0}, TypeError, r"^at_most must be an int; got 2\.0 of type float$"),
        ({"at_least": True}, TypeError, r"^at_least must be an int; got True"),
        ({"at_least": 3, "at_most": 2}, ValueError, r"at_least must not exceed .* got 3 and 2$"),
    ],
)
@pytest.mark.parametrize("select", [Elite, Ranked])
def test_bounds_that_cannot_be_kept_are_refused(select, bounds, error, message):
    with pytest.raises(error, match=message):
        select(0.1, **bounds)


def test_a_selection_is_written_as_it_was_made():
    assert repr(Elite()) == "Elite(rho=0.1)"
    assert repr(Ranked(np.float64(0.5), at_most=np.int64(3))) == "Ranked(rho=0.5, at_most=3)"


def test_a_floor_above_the_number_of_samples_is_refused():
    with pytest.raises(ValueError, match=r"must not exceed n_samples = 4; got 5$"):
        Elite(0.1, at_least=5)(np.arange(4.0), np.zeros(4), np.inf)


# Ranked


def test_ranks_weigh_as_in_cma_es_with_the_mean_one():
    score = np.random.default_rng(3).permutation(40).astype(float)
    level, log_w = Ranked(0.25)(score, np.zeros(40), np.inf)
    assert level == 30
    w = np.log(10.5) - np.log(np.arange(1, 11))
    best_first = np.exp(log_w[np.argsort(-score)])
    assert best_first[:10] == pytest.approx(w / w.mean(), rel=1e-12)
    assert (best_first[10:] == 0).all()
    assert best_first.mean() == pytest.approx(0.25, rel=1e-12)


def test_ties_share_the_mean_weight_of_their_ranks():
    score = np.array([1.0, 7.0, 5.0, 7.0, 5.0, 5.0, 0.0, 9.0])
    level, log_w = Ranked(0.5)(score, np.zeros(8), np.inf)
    assert level == 5
    w = np.log(6.5) - np.log(np.arange(1, 7))
    w /= w.mean()
    top, second, third = w[0], w[1:3].mean(), w[3:].mean()
    assert np.exp(log_w) == pytest.approx([0, second, third, second, third, third, 0, top])


def test_the_effective_number_of_many_ranks_is_half_of_them():
    _, log_w = Ranked(0.5)(np.arange(2e5), np.zeros(200_000), np.inf)
    w = np.exp(log_w)  # -ln of a uniform variable: mean 1, mean square 2
    assert w.sum() ** 2 / (w @ w) == pytest.approx(5e4, rel=1e-3)


def test_ranks_multiply_the_weights_that_come_in():
    score, log_w = np.array([4.0, 3.0, 2.0, 1.0]), np.array([0.5, -np.inf, 0.25, 0.0])
    ranks = Ranked(0.75)(score, np.zeros(4), np.inf)[1]
    assert Ranked(0.75)(score, log_w, np.inf)[1].tolist() == (ranks + log_w).tolist()
    assert log_w.tolist() == [0.5, -np.inf, 0.25, 0.0]


@given(SCORES, st.integers(0, 2**32 - 1))
def test_ranks_depend_on_the_order_of_the_scores_only(score, seed):
    at = np.random.default_rng(seed).permutation(len(score))
    _, log_w = Ranked(0.25)(score, np.zeros(len(score)), np.inf)
    for same in (3 * score - 7, np.exp(score), np.arctan(score)):
        assert Ranked(0.25)(same, np.zeros(len(score)), np.inf)[1].tolist() == log_w.tolist()
    assert Ranked(0.25)(score[at], np.zeros(len(at)), np.inf)[1].tolist() == log_w[at].tolist()


# Boltzmann


def boltzmann(score, rho, gamma=np.inf):
    score = np.array(score, dtype=float)
    level, log_w = Boltzmann(rho)(score, np.zeros(len(score)), gamma)
    return level, np.exp(log_w)


@pytest.mark.parametrize(("low", "top"), [(0.0, 5.0), (-1.7e308, 1.7e308), (0.0, 1e-307)])
def test_the_temperature_of_one_good_and_three_equal_samples_is_the_closed_form(low, top):
    level, w = boltzmann([low, top, low, low], rho=0.5)
    r = np.sqrt(4 / 3) - 1  # of (1 + 3 r)^2 = 2 (1 + 3 r^2)
    assert level == low
    assert w == pytest.approx([r, 1, r, r], rel=1e-12)


@pytest.mark.parametrize("scale", [1e-300, 1e-3, 1.0, 1e300])
@pytest.mark.parametrize("rho", [0.01, 0.1, 0.5, 0.99])
def test_the_weights_are_exponential_and_their_effective_size_is_rho_n(rho, scale):
    z = np.random.default_rng(5).standard_cauchy(300)
    _, w = boltzmann(scale * z, rho)
    assert w.sum() ** 2 / (w @ w) == pytest.approx(300 * rho, rel=1e-9)
    seen = (w > 1e-200) & (w < 1)
    temperature = (z[seen] - z.max()) / np.log(w[seen])
    assert temperature == pytest.approx(temperature[0], rel=1e-6)


@given(SCORES, st.floats(0.05, 0.95), st.integers(0, 2**32 - 1))
def test_neither_the_order_of_the_batch_nor_the_units_of_the_scores_matter(score, rho, seed):
    if rho * len(score) < 1:
        return
    at = np.random.default_rng(seed).permutation(len(score))
    _, w = boltzmann(score, rho)
    assert boltzmann(1024 * score[at] - 512, rho)[1] == pytest.approx(w[at], rel=1e-6, abs=1e-12)
    assert (np.diff(w[np.argsort(score)]) >= 0).all()
    assert w.max() == 1


@pytest.mark.parametrize(
    ("score", "rho", "w"),
    [
        ([2, 2, 2, 2], 0.5, [1, 1, 1, 1]),
        ([2, 1, 2, 2], 0.5, [1, 0, 1, 1]),  # more best ones than places
        ([2, 1, 0, 2], 0.5, [1, 0, 0, 1]),
        ([-np.inf, 1, 5, -np.inf], 0.5, [0, 1, 1, 0]),  # no more usable ones than places
        ([-np.inf, -np.inf, -np.inf, 3], 0.75, [0, 0, 0, 1]),
        ([7] * 7 + [0] * 93, 0.07, [1] * 7 + [0] * 93),
    ],
)
def test_where_no_temperature_fits_the_weights_are_those_of_its_limit(score, rho, w):
    assert boltzmann(score, rho)[1].tolist() == w


def test_a_failed_score_has_no_weight():
    _, w = boltzmann([-np.inf, 3, 2, 1, -np.inf, 0], rho=1 / 3)
    assert w.tolist()[0] == w.tolist()[4] == 0
    assert w[[1, 2, 3, 5]] == pytest.approx(boltzmann([3, 2, 1, 0], rho=0.5)[1], rel=1e-9)


def test_what_lies_above_the_level_asked_for_counts_as_that_level():
    level, w = boltzmann([9.0, 5.0, 8.0, 1.0, 0.0, 1.0, 0.0, 2.0], rho=0.5, gamma=4.0)
    assert level == 2
    assert w.tolist() == boltzmann([4.0, 4.0, 4.0, 1.0, 0.0, 1.0, 0.0, 2.0], rho=0.5)[1].tolist()
    assert boltzmann([9.0, 5.0, 8.0, 1.0], rho=0.5, gamma=4.0)[1].tolist() == [1, 1, 1, 0]


def test_boltzmann_weights_multiply_those_that_come_in():
    score, log_w = np.array([4.0, 3.0, 2.0, 1.0]), np.array([0.5, -np.inf, 0.25, 0.0])
    alone = Boltzmann(0.5)(score, np.zeros(4), np.inf)[1]
    assert Boltzmann(0.5)(score, log_w, np.inf)[1].tolist() == (alone + log_w).tolist()


@pytest.mark.parametrize("rho", [0, 1, np.nan])
@pytest.mark.parametrize("select", [Ranked, Boltzmann])
def test_every_selection_refuses_a_share_outside_the_unit_interval(select, rho):
    with pytest.raises(ValueError, match=r"^rho, the share .* strictly between 0 and 1; got"):
        select(rho)


@pytest.mark.parametrize("select", [Ranked(0.1), Boltzmann(0.1)])
def test_every_selection_refuses_a_share_of_less_than_one_sample(select):
    with pytest.raises(ValueError, match=r"at least 1, or nothing is elite; got 0\.1 \* 9 = 0\.9"):
        select(np.arange(9.0), np.zeros(9), np.inf)


# In the loop


SELECTIONS = [Elite(0.2, at_least=30, at_most=40), Ranked(0.2), Boltzmann(0.1)]


@pytest.mark.parametrize("select", SELECTIONS, ids=repr)
def test_every_selection_finds_the_optimum(select):
    found = cem.maximize(
        lambda x: x.sum(axis=1), Bernoulli([0.5] * 20), select=select, n_samples=200, rng=1
    )
    assert found.fun == 20
    found = cem.minimize(
        lambda x: ((x - 3) ** 2).sum(axis=1),
        Normal([0.0] * 3, [5.0] * 3),
        select=select,
        n_samples=200,
        rng=1,
    )
    assert found.x == pytest.approx([3, 3, 3], abs=1e-6)


def test_one_step_with_ranks_is_the_weighted_fit():
    method = CrossEntropyMethod(nominal=Normal([0.0], [1.0]), n_samples=8, select=Ranked(0.5))
    x = np.arange(8.0)[:, None]
    state, record = method.tell(method.init(), x, np.arange(8.0))
    w = np.log(4.5) - np.log(np.arange(1, 5))
    mean = w @ [7, 6, 5, 4] / w.sum()
    assert state.v.mean == pytest.approx([0.7 * mean])
    assert np.exp(record.log_mass) == pytest.approx(0.5)
    assert record.ess == pytest.approx(w.sum() ** 2 / (w @ w))
