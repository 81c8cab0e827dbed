"""The cross-entropy of a sample: what a fit minimises, and estimates where no form is closed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cem import Bernoulli, Categorical, Exponential, MultivariateNormal, Normal, Transitions
from cem.loss import (
    cross_entropy,
    empirical_cross_entropy,
    entropy,
    entropy_and_kl,
    kl_divergence,
)

FAMILIES = [
    Bernoulli([0.2, 0.5, 0.9]),
    Categorical([[0.5, 0.5], [0.1, 0.2, 0.7]]),
    Exponential([0.25, 3.0]),
    MultivariateNormal([1.0, 0.0], [[2.0, 0.4], [0.4, 1.0]]),
    Normal([1.0, 0.0], [2.0, 0.3]),
]
NAMES = [type(family).__name__ for family in FAMILIES]


class Unregistered(Normal):
    """A family whose entropy and divergence have no closed form on record."""


def test_it_is_the_weighted_mean_of_the_surprise():
    found = empirical_cross_entropy(np.log([0.5, 0.25]), np.array([3.0, 1.0]))
    assert found == pytest.approx((3 * np.log(2) + np.log(4)) / 4, rel=1e-15)


def test_without_weights_every_sample_counts_the_same():
    log_q = np.log([0.5, 0.25, 0.1])
    assert empirical_cross_entropy(log_q) == pytest.approx(-log_q.mean(), rel=1e-15)
    assert empirical_cross_entropy(log_q, np.full(3, 7.0)) == pytest.approx(
        -log_q.mean(), rel=1e-15
    )


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=9), st.floats(1e-100, 1e100))
def test_the_scale_of_the_weights_does_not_matter(weights, scale):
    w = np.array(weights)
    log_q = -np.arange(1.0, len(w) + 1)
    expected = empirical_cross_entropy(log_q, w)
    assert empirical_cross_entropy(log_q, scale * w) == pytest.approx(expected, rel=1e-12)


def test_an_impossible_sample_costs_infinitely_much_unless_its_weight_is_zero():
    log_q = np.array([-1.0, -np.inf])
    assert empirical_cross_entropy(log_q, np.array([1.0, 1.0])) == np.inf
    assert empirical_cross_entropy(log_q) == np.inf
    assert empirical_cross_entropy(log_q, np.array([1.0, 0.0])) == 1.0


def test_over_a_whole_distribution_it_is_the_cross_entropy():
    p, q = np.array([0.1, 0.4, 0.5]), np.array([0.8, 0.15, 0.05])
    assert empirical_cross_entropy(np.log(q), p) == pytest.approx(cross_entropy(p, q), rel=1e-15)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0], r"^weights must have the shape of log_q, \(2,\); got \(1,\)$"),
        ([0.0, 0.0], r"^weights must be finite and non-negative, with a positive sum$"),
        ([2.0, -1.0], r"^weights must be finite and non-negative, with a positive sum$"),
        ([np.nan, 1.0], r"^weights must be finite and non-negative, with a positive sum$"),
    ],
)
def test_weights_that_are_none_are_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        empirical_cross_entropy(np.array([-1.0, -2.0]), np.array(weights))


@pytest.mark.parametrize("family", FAMILIES, ids=NAMES)
def test_the_fit_costs_less_than_the_density_that_was_sampled(family):
    rng = np.random.default_rng(0)
    x, w = family.sample(rng, 50), rng.random(50)
    fitted = family.fit(x, w)
    before = empirical_cross_entropy(family.log_density(x), w)
    assert empirical_cross_entropy(fitted.log_density(x), w) < before


@pytest.mark.parametrize("family", FAMILIES, ids=NAMES)
def test_the_closed_forms_are_used_where_there_are_some(family):
    x = family.sample(np.random.default_rng(0), 20)
    new = family.fit(x, np.ones(20))
    assert entropy_and_kl(new, family, unused) == (entropy(new), kl_divergence(new, family))


def unused():
    raise AssertionError("closed forms need no random numbers")


def test_samples_of_the_new_density_give_an_estimate_where_no_form_is_closed():
    old, new = Unregistered([0.0, 1.0], [1.0, 2.0]), Unregistered([0.3, 1.0], [0.8, 1.8])
    exact_old, exact_new = Normal(old.mean, old.std), Normal(new.mean, new.std)
    found = entropy_and_kl(new, old, lambda: np.random.default_rng(0), 100_000)
    expected = entropy(exact_new), kl_divergence(exact_new, exact_old)
    assert found == pytest.approx(expected, abs=0.01)
    assert entropy_and_kl(old, old, np.random.default_rng)[1] == 0


def test_the_entropy_of_a_point_among_permutations_is_zero():
    n = 6
    uniform = Transitions((1 - np.eye(n)) / (n - 1))
    point = uniform.fit(np.array([[0, 3, 1, 5, 2, 4]]), np.ones(1))
    expected = 0.0, np.log(120)
    assert entropy_and_kl(point, uniform, np.random.default_rng) == pytest.approx(expected)


class Point(Unregistered):
    """A family without closed forms, whose density may be infinite at a point."""


def test_a_density_that_has_collapsed_is_known_to_have_without_a_closed_form():
    old, new = Point([0.0, 1.0], [1.0, 2.0]), Point([0.25, 1.0], [0.0, 0.0])
    assert entropy_and_kl(new, old, np.random.default_rng) == (-np.inf, np.inf)
