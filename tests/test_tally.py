"""The running sums of a weighted sample, against the same numbers computed at once."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cem.tally import Tally

LOG_WEIGHTS = st.lists(st.floats(-300, 300), min_size=1, max_size=30).map(np.array)


def direct(log_w, n):
    """Mean, standard error, ess and largest share of the weights and ``n - len(w)`` zeros."""
    z = np.concatenate([np.exp(log_w), np.zeros(n - len(log_w))])
    return z.mean(), z.std(ddof=1) / math.sqrt(n), z.sum() ** 2 / (z @ z), z.max() / z.sum(), z


def found(tally):
    return tally.probability, tally.std_error, tally.ess, tally.max_weight


def test_the_sums_are_those_of_the_sample():
    log_w = np.random.default_rng(0).normal(size=40)
    *expected, z = direct(log_w, 100)
    tally = Tally().add(log_w, 100)
    assert found(tally) == pytest.approx(expected, rel=1e-12)
    assert tally.relative_error == pytest.approx(expected[1] / expected[0], rel=1e-12)
    assert tally.log_probability == pytest.approx(math.log(expected[0]), rel=1e-12)
    assert tally.skewness == pytest.approx(stats.skew(z) / 10, rel=1e-9)
    assert (tally.n, tally.hits) == (100, 40)


@given(LOG_WEIGHTS, st.integers(0, 30), st.integers(2, 50))
def test_blocks_add_up_to_the_whole_however_it_is_cut(log_w, cut, more):
    n = len(log_w) + more
    whole = Tally().add(log_w, n)
    parts = Tally().add(log_w[:cut], cut + 1).add(log_w[cut:], n - cut - 1)
    assert parts.n == whole.n
    assert found(parts) == pytest.approx(found(whole), rel=1e-9)
    assert parts.skewness == pytest.approx(whole.skewness, rel=1e-6, abs=1e-9)


def test_the_variation_is_the_standard_deviation_over_the_mean_of_all_samples():
    log_w = np.random.default_rng(0).normal(size=40)
    tally, z = Tally().add(log_w, 100), direct(log_w, 100)[-1]
    assert tally.variation == pytest.approx(z.std() / z.mean(), rel=1e-12)
    assert tally.variation / math.sqrt(99) == pytest.approx(tally.relative_error, rel=1e-12)
    assert Tally().add(np.zeros(50), 50).variation == 0
    assert Tally().add(np.array([]), 50).variation == math.inf


def test_an_interval_ends_at_the_most_that_is_possible():
    tally = Tally().add(np.log([0.5, 30.0, 2.0]), 4)
    assert tally.interval().high == 1
    assert tally.interval(most=9.0).high == 9
    assert tally.interval(most=math.inf).high > 9
    assert Tally().add(np.array([]), 4).interval(most=math.inf) == (0, math.inf)


@given(LOG_WEIGHTS, st.floats(-100, 100))
def test_the_scale_of_the_weights_changes_the_estimate_only(log_w, shift):
    a, b = Tally().add(log_w, 40), Tally().add(log_w + shift, 40)
    assert b.log_probability == pytest.approx(a.log_probability + shift, rel=1e-9, abs=1e-9)
    assert b.relative_error == pytest.approx(a.relative_error, rel=1e-6, abs=1e-9)
    assert (b.ess, b.max_weight) == pytest.approx((a.ess, a.max_weight), rel=1e-6)


def test_weights_far_beyond_the_range_of_floats_do_not_overflow():
    tally = Tally().add(np.array([-5000.0, -5001.0]), 10).add(np.array([-4000.0]), 10)
    assert tally.log_probability == pytest.approx(-4000 - math.log(20))
    assert tally.ess == pytest.approx(1)
    assert tally.probability == 0


def test_an_empty_block_only_counts():
    tally = Tally().add(np.array([0.0]), 5).add(np.array([]), 7)
    assert (tally.n, tally.hits) == (12, 1)
    assert tally.probability == pytest.approx(1 / 12)


def test_without_a_hit_nothing_is_known():
    tally = Tally().add(np.array([]), 100)
    assert (tally.probability, tally.log_probability) == (0, -math.inf)
    assert (tally.relative_error, tally.std_error) == (math.inf, math.inf)
    assert (tally.ess, tally.max_weight, tally.skewness) == (0, 0, 0)
    assert tally.interval() == (0, 1)
    assert Tally().interval() == (0, 1)


def test_one_sample_has_no_error_to_report():
    tally = Tally().add(np.array([0.0]), 1)
    assert tally.relative_error == math.inf
    assert tally.interval() == (0, 1)


def test_equal_weights_on_every_sample_leave_no_error():
    tally = Tally().add(np.full(50, math.log(0.25)), 50)
    assert tally.probability == pytest.approx(0.25, rel=1e-12)
    assert tally.relative_error == pytest.approx(0, abs=1e-7)
    assert tally.interval() == pytest.approx((0.25, 0.25), rel=1e-6)


def test_it_becomes_an_array_and_back_without_losing_a_bit():
    tally = Tally(plain=1.0).add(np.random.default_rng(0).normal(size=9), 20)
    assert Tally.from_array(tally.as_array()) == tally
    assert tally.as_array().dtype == np.float64


@pytest.mark.parametrize(("k", "n"), [(0, 10), (1, 10), (7, 10), (10, 10), (3, 5000)])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.999])
def test_crude_monte_carlo_has_the_exact_binomial_interval(k, n, level):
    tally = Tally(plain=1.0).add(np.zeros(k), n)
    exact = stats.binomtest(k, n).proportion_ci(level, "exact")
    assert tally.interval(level) == pytest.approx((exact.low, exact.high), rel=1e-9, abs=1e-12)


def test_an_interval_for_even_weights_is_students():
    rng = np.random.default_rng(0)
    w = 1 + 0.1 * np.concatenate([z := rng.normal(size=5000), -z])  # no skewness at all
    tally = Tally().add(np.log(w), 10_000)
    half = stats.t(tally.ess - 1).ppf(0.975) * tally.std_error
    expected = tally.probability - half, min(1.0, tally.probability + half)
    assert tally.interval(0.95) == pytest.approx(expected, rel=1e-5)


def test_an_interval_counts_effective_samples_as_degrees_of_freedom():
    tally = Tally().add(np.log([0.001, 0.199] * 5), 10)  # five samples' worth, and no skewness
    half = stats.t(tally.ess - 1).ppf(0.975) * tally.std_error
    assert tally.ess == pytest.approx(5.05, abs=0.01)
    low, high = max(0.0, tally.probability - half), tally.probability + half
    assert tally.interval(0.95) == pytest.approx((low, high), rel=1e-6)


def test_an_interval_for_skewed_weights_leans_to_the_right():
    log_w = np.random.default_rng(0).normal(size=400) * 1.2 - 20
    tally = Tally().add(log_w, 400)
    low, high = tally.interval()
    assert tally.skewness > 0.1
    assert high - tally.probability > 1.1 * (tally.probability - low)


@given(LOG_WEIGHTS, st.integers(1, 100))
def test_a_higher_level_has_a_wider_interval_around_the_estimate(log_w, more):
    tally = Tally().add(log_w - 310, len(log_w) + more)
    low, high = 1.0, 0.0
    for level in (0.5, 0.9, 0.99, 0.9999):
        a, b = tally.interval(level)
        assert 0 <= a <= b <= 1
        if level > 0.5:
            assert a <= low + 1e-300
            assert b >= high - 1e-300
        low, high = a, b
    assert low <= tally.probability <= high


def test_intervals_of_skewed_weights_cover_as_often_as_they_say():
    sigma, n, runs = 1.0, 200, 2000
    log_w = np.random.default_rng(0).normal(size=(runs, n)) * sigma - 10
    exact = math.exp(-10 + sigma**2 / 2)
    intervals = np.array([Tally().add(row, n).interval(0.95) for row in log_w])
    covers = ((intervals[:, 0] <= exact) & (exact <= intervals[:, 1])).sum()
    assert 0.93 < covers / runs < 0.98


@pytest.mark.parametrize("level", [0, 1, -0.5, 95, math.nan])
def test_a_level_outside_the_unit_interval_is_refused(level):
    with pytest.raises(ValueError, match=r"^level must lie strictly between 0 and 1; got"):
        Tally().interval(level)
