"""Log-weights: unit, likelihood ratios, their normalisation and effective number."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp

from cem import Bernoulli, Categorical, Exponential, MultivariateNormal, Normal
from cem import likelihood_ratio as log_ratio
from cem.weights import effective_sample_size, normalise, unit

LOG_WEIGHTS = st.lists(st.floats(-700, 700), min_size=1, max_size=30).map(np.array)
PAIRS = [
    (Bernoulli([0.2, 0.9]), Bernoulli([0.4, 0.6])),
    (Categorical([[0.2, 0.3, 0.5]]), Categorical([[0.4, 0.4, 0.2]])),
    (Exponential([1.0, 2.0]), Exponential([1.3, 1.9])),
    (MultivariateNormal([0.0], [[1.0]]), MultivariateNormal([0.5], [[1.2]])),
    (Normal([0.0, 0.0], [1.0, 1.0]), Normal([0.5, 0.1], [1.2, 1.1])),
]


def test_unit_weights_are_all_one():
    f = Bernoulli([0.5])
    assert unit(f, f, f.sample(np.random.default_rng(0), 3)).tolist() == [0, 0, 0]


@pytest.mark.parametrize(("u", "v"), PAIRS, ids=[type(u).__name__ for u, _ in PAIRS])
def test_a_likelihood_ratio_is_the_ratio_of_the_densities_and_one_on_average(u, v):
    n = 40_000
    x = v.sample(np.random.default_rng(0), n)
    log_w = log_ratio(u, v, x)
    np.testing.assert_array_equal(log_w, u.log_density(x) - v.log_density(x))
    w = np.exp(log_w)
    assert abs(w.mean() - 1) < 5 * w.std() / np.sqrt(n)


@pytest.mark.parametrize(("u", "v"), PAIRS, ids=[type(u).__name__ for u, _ in PAIRS])
def test_a_likelihood_ratio_to_itself_is_one(u, v):
    x = v.sample(np.random.default_rng(0), 100)
    assert (log_ratio(u, u, x) == 0).all()


def test_a_sample_that_the_nominal_density_forbids_has_weight_zero():
    sure, fair = Bernoulli([1.0, 0.5]), Bernoulli([0.5, 0.5])
    assert log_ratio(sure, fair, np.array([[0, 1]])).tolist() == [-np.inf]


def test_a_ratio_of_zero_to_zero_is_refused_and_the_sample_is_named():
    x = np.array([[1.0], [-1.0]])
    with pytest.raises(ValueError, match=r"likelihood ratio of sample 1 is not a number.*\[-1\.\]"):
        log_ratio(Exponential([1.0]), Exponential([2.0]), x)


@given(LOG_WEIGHTS)
def test_normalised_weights_sum_to_one_and_keep_their_ratios(log_w):
    before = log_w.copy()
    w, log_total = normalise(log_w)
    assert w.sum() == pytest.approx(1, rel=1e-12)
    assert log_total == pytest.approx(logsumexp(log_w), rel=1e-12, abs=1e-12)
    np.testing.assert_allclose(w, np.exp(log_w - log_total), rtol=1e-9, atol=1e-300)
    assert log_w.tolist() == before.tolist()


@given(LOG_WEIGHTS, st.sampled_from([-1e5, -1.0, 1000.0, 1e5]))
def test_normalised_weights_do_not_depend_on_the_scale(log_w, shift):
    np.testing.assert_allclose(normalise(log_w + shift)[0], normalise(log_w)[0], atol=1e-9)


def test_weights_far_beyond_the_range_of_floats_are_normalised():
    w, log_total = normalise(np.array([1e6, 1e6 + np.log(3)]))
    np.testing.assert_allclose(w, [0.25, 0.75], rtol=1e-9)
    assert log_total == pytest.approx(1e6 + np.log(4), rel=1e-15)


@pytest.mark.parametrize("log_w", [np.array([-np.inf, -np.inf]), np.array([])])
def test_an_elite_without_any_weight_is_refused_with_the_likely_cause(log_w):
    with pytest.raises(ValueError, match="every one with weight zero: the support of the sampling"):
        normalise(log_w)


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=30).map(np.array))
def test_the_effective_number_lies_between_one_and_all_and_ignores_the_scale(w):
    ess = effective_sample_size(w)
    assert 1 - 1e-12 <= ess <= len(w) * (1 + 1e-12)
    assert effective_sample_size(1e3 * w) == pytest.approx(ess, rel=1e-12)


def test_the_effective_number_is_all_where_weights_agree_and_one_where_one_dominates():
    assert effective_sample_size(np.full(7, 0.3)) == pytest.approx(7, rel=1e-14)
    assert effective_sample_size(np.array([1.0, 0.0, 0.0])) == 1
