"""LogNormal keeps the family contract; it is the normal density of the logarithm."""

import numpy as np
import pytest
from scipy import stats

from cem import LogNormal
from cem.loss import entropy, kl_divergence
from cem.testing import FamilyContract


class TestThreeCoordinates(FamilyContract):
    family = LogNormal([-1.0, 2.0, 30.0], [0.1, 0.5, 0.7])
    outside = ([-1.0, 1.0, 1.0], [1.0, 1.0, -1e-300], [1.0, np.nan, 1.0])


class TestOneCoordinate(FamilyContract):
    family = LogNormal([0.0], [0.3])


def test_the_density_is_the_product_of_scipys():
    mean, std = np.array([0.5, -3.0]), np.array([2.0, 0.3])
    x = np.random.default_rng(0).exponential(size=(50, 2))
    expected = stats.lognorm(std, scale=np.exp(mean)).logpdf(x).sum(axis=1)
    np.testing.assert_allclose(LogNormal(mean, std).log_density(x), expected, rtol=1e-12)


def test_zero_and_infinity_have_no_density():
    x = np.array([[0.0], [np.inf]])
    assert LogNormal([0.0], [1.0]).log_density(x).tolist() == [-np.inf, -np.inf]


def test_the_fit_is_the_weighted_mean_and_deviation_of_the_logarithm():
    x = np.exp([[1.0], [5.0]])
    fitted = LogNormal([0.0], [1.0]).fit(x, np.array([3.0, 1.0]))
    assert fitted.log_mean[0] == pytest.approx(2.0, rel=1e-15)
    assert fitted.log_std[0] == pytest.approx(np.sqrt(3.0), rel=1e-15)


def test_the_fit_to_equal_samples_is_a_point_that_is_sampled_and_dense():
    fitted = LogNormal([0.0, 0.0], [1.0, 1.0]).fit(np.array([[0.1, 7.3]]), np.ones(1))
    assert fitted.log_std.tolist() == [0.0, 0.0]
    x = fitted.sample(np.random.default_rng(0), 3)
    np.testing.assert_allclose(x, [[0.1, 7.3]] * 3, rtol=1e-15)
    assert (fitted.log_density(x) == np.inf).all()
    assert fitted.log_density(x + 0.01).tolist() == [-np.inf] * 3
    assert fitted.spread().tolist() == [0.0, 0.0]
    assert fitted.support().low.tolist() == fitted.support().high.tolist() == x[0].tolist()
    assert entropy(fitted) == -np.inf
    assert kl_divergence(fitted, fitted) == 0
    assert kl_divergence(fitted, LogNormal([0.0, 0.0], [1.0, 1.0])) == np.inf


def test_samples_that_are_not_positive_are_refused():
    f = LogNormal([0.0], [1.0])
    with pytest.raises(
        ValueError, match=r"^LogNormal\.fit: .* must be positive and finite; got 0 at"
    ):
        f.fit(np.array([[1.0], [0.0]]), np.ones(2))


def test_draws_and_spreads_too_large_for_a_double_stay_finite():
    f = LogNormal([0.0], [1000.0])
    x = f.sample(np.random.default_rng(0), 1000)
    assert x.min() == np.finfo(float).tiny
    assert x.max() == np.finfo(float).max == f.spread()[0]


def test_no_narrower_raises_the_deviation():
    found = LogNormal([5.0, 1.0], [3.0, 2.0]).no_narrower_than(LogNormal([0.0, 0.0], [2.0, 4.0]))
    assert found.log_mean.tolist() == [5.0, 1.0]
    assert found.log_std.tolist() == [3.0, 4.0]


@pytest.mark.parametrize(
    ("mean", "std", "message"),
    [
        ([np.inf], [1.0], r"^LogNormal\.log_mean must be finite; got inf at index 0$"),
        ([0.0], [-1.0], r"^LogNormal\.log_std must be finite and not negative; got -1 at index 0$"),
        (
            [0.0, 1.0],
            [1.0],
            r"^LogNormal\.log_mean and LogNormal\.log_std must have the same shape",
        ),
    ],
)
def test_a_bad_parameter_is_named_with_its_place_and_value(mean, std, message):
    with pytest.raises(ValueError, match=message):
        LogNormal(mean, std)
