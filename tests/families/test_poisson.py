"""Poisson keeps the family contract; rates of zero, and its entropy at any rate."""

import mpmath as mp
import numpy as np
import pytest
from scipy import stats

from cem import Poisson
from cem.families.poisson import LARGE
from cem.loss import entropy, kl_divergence
from cem.testing import FamilyContract


class TestThreeCoordinates(FamilyContract):
    family = Poisson([0.2, 3.0, 40.0])
    outside = ([-1, 1, 1], [1, 1.5, 1], [1, np.nan, 1], [1, np.inf, 1])


class TestOneCoordinate(FamilyContract):
    family = Poisson([4.0])


class TestManyArrivals(FamilyContract):
    family = Poisson([1e12])


class TestNoArrivals(FamilyContract):
    family = Poisson([0.0, 2.0])
    outside = ([1, 2],)


def test_the_density_is_the_product_of_scipys_and_sums_to_one():
    x = np.arange(400)[:, None]
    for rate in (1e-5, 0.2, 3.0, 150.0):
        log_f = Poisson([rate]).log_density(x)
        np.testing.assert_allclose(log_f, stats.poisson(rate).logpmf(x[:, 0]), rtol=1e-12)
        assert np.exp(log_f).sum() == pytest.approx(1, abs=1e-14)


def test_the_density_at_a_large_rate_does_not_cancel():
    for x in (10**12, 10**12 + 3 * 10**6):
        expected = x * mp.log(10**12) - 10**12 - mp.loggamma(x + 1)
        found = Poisson([1e12]).log_density(np.array([[x]]))[0]
        assert abs(found - expected) < 1e-14 * abs(expected)


def test_a_rate_of_zero_is_never_any_arrival():
    f = Poisson([0.0])
    assert f.sample(np.random.default_rng(0), 5).tolist() == [[0]] * 5
    assert f.log_density(np.array([[0], [1]])).tolist() == [0.0, -np.inf]
    assert entropy(f) == 0
    assert kl_divergence(f, Poisson([0.5])) == 0.5
    assert kl_divergence(Poisson([0.5]), f) == np.inf


def test_the_fit_is_the_weighted_mean():
    f = Poisson([1.0])
    assert f.fit(np.array([[2], [6]]), np.array([3.0, 1.0])).rate.tolist() == [3.0]
    assert f.fit(np.array([[0], [0]]), np.ones(2)).rate.tolist() == [0.0]


@pytest.mark.parametrize("rate", [1e-8, 1e-3, 0.5, 3.0, 20.0, 99.999, 100.0, 1e4])
def test_the_entropy_is_that_of_the_sum_in_forty_digits(rate):
    at, most, total = mp.mpf(rate), int(rate + 25 * np.sqrt(rate) + 40), mp.mpf(0)
    for x in range(max(0, int(rate - 25 * np.sqrt(rate))), most):
        log_f = x * mp.log(at) - at - mp.loggamma(x + 1)
        total -= mp.exp(log_f) * log_f
    assert abs(entropy(Poisson([rate])) - total) < 1e-14 * total


def test_the_entropy_at_very_large_rates_is_that_of_a_normal_density():
    expected = 0.5 * np.log(2 * np.pi * np.e * 1e8) - 1 / 12e8
    assert entropy(Poisson([1e8])) == pytest.approx(expected, rel=1e-15)
    assert entropy(Poisson([1e300])) == pytest.approx(0.5 * np.log(2 * np.pi * np.e * 1e300))


def test_the_series_of_the_entropy_takes_over_without_a_jump():
    below, above = np.nextafter(LARGE, 0), LARGE
    assert entropy(Poisson([below])) == pytest.approx(entropy(Poisson([above])), rel=1e-14)


def test_entropies_of_independent_coordinates_add_up():
    rates = [1e-8, 3.0, 1e5]
    expected = sum(entropy(Poisson([rate])) for rate in rates)
    assert entropy(Poisson(rates)) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("step", [1e-8, -1e-8, 1e-4])
def test_the_divergence_of_near_members_does_not_cancel(step):
    for rate in (1e-8, 3.0, 1e8):
        near = rate * (1 + step)
        a, b = mp.mpf(rate), mp.mpf(near)
        expected = a * mp.log(a / b) - a + b
        assert abs(kl_divergence(Poisson([rate]), Poisson([near])) - expected) < 1e-12 * expected


def test_a_negative_rate_is_refused():
    with pytest.raises(ValueError, match=r"^Poisson\.rate must be finite and not negative; got -1"):
        Poisson([-1.0])
