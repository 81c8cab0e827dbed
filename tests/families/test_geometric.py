"""Geometric keeps the family contract; sure successes and its numbers."""

import numpy as np
import pytest
from scipy import stats

from cem import Bernoulli, Geometric
from cem.loss import entropy, kl_divergence
from cem.testing import FamilyContract


class TestThreeCoordinates(FamilyContract):
    family = Geometric([0.3, 0.6, 0.95])
    outside = ([0, 1, 1], [1, 1.5, 1], [1, 1, -1], [1, np.nan, 1], [1, np.inf, 1])


class TestOneCoordinate(FamilyContract):
    family = Geometric([0.5])


class TestRareSuccess(FamilyContract):
    family = Geometric([1e-6])


class TestSureSuccess(FamilyContract):
    family = Geometric([1.0, 0.4])
    outside = ([2, 1],)


def test_the_density_is_the_product_of_scipys_and_sums_to_one():
    x = np.arange(1, 200)[:, None]
    for p in (0.2, 0.9, 1.0):
        log_f = Geometric([p]).log_density(x)
        np.testing.assert_allclose(log_f, stats.geom(p).logpmf(x[:, 0]), rtol=1e-13)
        assert np.exp(log_f).sum() == pytest.approx(1, abs=1e-14)


def test_a_sure_success_comes_at_once():
    f = Geometric([1.0])
    assert f.sample(np.random.default_rng(0), 5).tolist() == [[1]] * 5
    assert f.log_density(np.array([[1], [2]])).tolist() == [0.0, -np.inf]
    assert f.spread().tolist() == [0.0]
    assert entropy(f) == 0
    assert kl_divergence(f, Geometric([0.5])) == pytest.approx(np.log(2), rel=1e-15)
    assert kl_divergence(Geometric([0.5]), f) == np.inf


def test_the_fit_is_the_inverse_of_the_weighted_mean():
    f = Geometric([0.5])
    assert f.fit(np.array([[1], [5]]), np.array([3.0, 1.0])).p.tolist() == [0.5]
    assert f.fit(np.array([[1], [1], [1]]), np.full(3, 0.1)).p.tolist() == [1.0]


def test_trials_are_a_coin_that_is_tossed_one_over_p_times():
    f, g = Geometric([0.3]), Geometric([0.6])
    assert entropy(f) == pytest.approx(entropy(Bernoulli([0.3])) / 0.3, rel=1e-14)
    coins = kl_divergence(Bernoulli([0.3]), Bernoulli([0.6]))
    assert kl_divergence(f, g) == pytest.approx(coins / 0.3, rel=1e-14)


@pytest.mark.parametrize(
    ("p", "message"),
    [
        ([0.5, 0.0], r"^Geometric\.p must be positive and finite; got 0 at index 1$"),
        ([1.5], r"^Geometric\.p must lie in \[0, 1\]; got 1\.5 at index 0$"),
        ([np.nan], r"^Geometric\.p must lie in \[0, 1\]; got nan at index 0$"),
    ],
)
def test_a_bad_parameter_is_named_with_its_place_and_value(p, message):
    with pytest.raises(ValueError, match=message):
        Geometric(p)


def test_a_count_of_zero_cannot_be_fitted():
    with pytest.raises(
        ValueError, match=r"^Geometric\.fit: .* whole numbers from 1 on; got 0 at index"
    ):
        Geometric([0.5]).fit(np.array([[0], [1]]), np.ones(2))
