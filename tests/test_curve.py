"""The probability curve: every level is its own estimate, and says whether it may be trusted."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cem.curve import curve, even_levels
from cem.tally import Tally

SAMPLES = st.lists(st.tuples(st.integers(0, 9), st.floats(-300, 300)), min_size=1, max_size=40).map(
    lambda pairs: np.array(pairs, dtype=float).T
)


def shifted_normal(shift, n, seed):
    """Scores and log-weights of a standard normal sampled about ``shift``."""
    x = shift + np.random.default_rng(seed).normal(size=n)
    return x, shift**2 / 2 - shift * x


@given(SAMPLES)
def test_every_level_is_the_tally_of_the_samples_that_reached_it(sample):
    score, log_w = sample
    levels = np.arange(-1.0, 11.0)
    found = curve(score, log_w, levels, gamma=5.0)
    for k, level in enumerate(levels):
        plain = float(not log_w.any())
        tally = Tally(plain=plain).add(log_w[score >= level], len(score))
        expected = tally.probability, tally.std_error, *tally.interval(0.95), tally.ess
        rows = zip(
            found.probability, found.std_error, found.low, found.high, found.ess, strict=True
        )
        assert list(rows)[k] == pytest.approx(expected, rel=1e-6, abs=1e-300)
        assert found.n_below[k] == (score < level).sum()


@given(SAMPLES, st.randoms())
def test_the_order_of_samples_and_levels_does_not_matter(sample, random):
    order = list(range(sample.shape[1]))
    random.shuffle(order)
    a = curve(*sample, [1.5, 4.0, 7.0], gamma=5.0)
    b = curve(*sample[:, order], [7.0, 1.5, 4.0], gamma=5.0)
    assert b.level.tolist() == [1.5, 4.0, 7.0]
    assert b.probability == pytest.approx(a.probability, rel=1e-9)
    assert b.ess == pytest.approx(a.ess, rel=1e-9)


def test_weights_far_beyond_the_range_of_floats_at_low_levels_leave_the_high_ones_alone():
    score, log_w = np.array([1.0, 2.0, 3.0]), np.array([900.0, -800.0, -800.0])
    found = curve(score, log_w, [2.0], gamma=2.0)
    assert found.ess == pytest.approx([2.0])
    assert found.reliable.tolist() == [False]


def test_samples_that_cannot_occur_and_scores_that_failed_count_for_nothing():
    score = np.array([-math.inf, 2.0, 3.0, 5.0])
    log_w = np.array([0.5, 0.5, 0.5, -math.inf])
    found = curve(score, log_w, [4.0, 2.5, 1.0], gamma=2.0)
    assert found.probability == pytest.approx(np.exp(0.5) * np.array([0.5, 0.25, 0.0]))


@pytest.mark.parametrize("seed", range(5))
def test_levels_said_to_be_reliable_are_within_their_errors(seed):
    levels = np.linspace(0.0, 6.0, 25)
    found = curve(*shifted_normal(4.0, 10_000, seed), levels, gamma=4.0)
    exact = stats.norm.sf(levels)
    off = np.abs(found.probability - exact)[found.reliable]
    assert (off <= 5 * found.std_error[found.reliable]).all()
    assert found.reliable[(levels >= 3.0) & (levels <= 5.5)].all()
    assert not found.reliable[levels < 1.5].any()


def test_below_its_level_a_sample_that_never_looks_there_is_not_reliable():
    score = 4.0 + np.random.default_rng(0).exponential(0.25, size=10_000)  # none below 4
    found = curve(
        score, stats.norm.logpdf(score) - np.log(4) + 4 * (score - 4), [2.0, 4.0], gamma=4
    )
    assert found.ess.min() > 1000  # the weights alone look fine at both levels
    assert found.probability[0] < 0.01 * stats.norm.sf(2.0)
    assert found.reliable.tolist() == [False, True]


def test_few_effective_samples_or_a_heavy_one_are_not_reliable():
    score, log_w = np.arange(1000.0), np.zeros(1000)
    log_w[950] = math.log(200)
    found = curve(score, log_w, [400.0, 500.0, 940.0, 960.0], gamma=0.0)
    assert found.max_weight == pytest.approx([200 / 799, 200 / 699, 200 / 259, 1 / 40])
    assert not found.reliable.any()
    assert curve(score, np.full(1000, 0.1), [900.0, 901.0], gamma=0.0).reliable.tolist() == [
        True,
        False,
    ]


def test_a_crude_sample_has_exact_intervals_and_is_reliable_down_to_certainty():
    score = np.random.default_rng(0).exponential(size=1000)
    found = curve(score, np.zeros(1000), [0.0, 1.0, 20.0], gamma=1.0, confidence=0.9)
    k = int((score >= 1).sum())
    exact = stats.binomtest(k, 1000).proportion_ci(0.9, "exact")
    assert (found.low[1], found.high[1]) == pytest.approx((exact.low, exact.high))
    assert found.probability[[0, 2]].tolist() == [1.0, 0.0]
    assert found.high[2] == pytest.approx(1 - 0.05 ** (1 / 1000), rel=1e-9)
    assert found.reliable.tolist() == [True, True, False]


def test_it_prints_a_row_for_every_level():
    text = repr(curve(np.array([1.0, 2.0]), np.zeros(2), [1.5, 3.0], gamma=1.0))
    head, first, second = text.splitlines()
    assert head.split() == [
        "level",
        "probability",
        "std",
        "error",
        "low",
        "high",
        "ess",
        "reliable",
    ]
    assert first.split()[:2] == ["1.5", "0.5"]
    assert second.split()[-1] == "no"


def test_even_levels_span_the_finite_scores():
    score = np.concatenate([np.arange(101.0), [-math.inf]])
    assert even_levels(score, 3).tolist() == [10.0, 54.5, 99.0]


@pytest.mark.parametrize("levels", [[], [1.0, math.nan], [math.inf], [[1.0]], 1.0])
def test_levels_that_are_no_finite_numbers_are_refused(levels):
    with pytest.raises(ValueError, match=r"^levels must be one or more finite numbers in a row; g"):
        curve(np.ones(2), np.zeros(2), levels, gamma=1.0)
