"""Gamma keeps the family contract; its fit at any width, and what cannot be fitted."""

import numpy as np
import pytest
from scipy import stats

from cem import Exponential, Gamma
from cem.testing import FamilyContract


class TestThreeCoordinates(FamilyContract):
    family = Gamma([0.5, 2.0, 30.0], [0.1, 3.0, 7.0])
    outside = ([-1.0, 1.0, 1.0], [1.0, 1.0, -1e-300], [1.0, np.nan, 1.0])


class TestOneCoordinate(FamilyContract):
    family = Gamma([3.0], [1.0])


class TestExtremeScales(FamilyContract):
    family = Gamma([0.7, 2.0, 1e12], [1e200, 1e-150, 1e15])


def test_the_density_is_the_product_of_scipys():
    shape, rate = np.array([0.5, 8.0]), np.array([2.0, 0.3])
    x = np.random.default_rng(0).exponential(size=(50, 2)) * 4
    expected = stats.gamma(shape, scale=1 / rate).logpdf(x).sum(axis=1)
    np.testing.assert_allclose(Gamma(shape, rate).log_density(x), expected, rtol=1e-13)


def test_the_edge_of_the_support_has_no_density():
    x = np.array([[0.0], [np.inf]])
    for shape in (0.5, 1.0, 2.0):
        assert Gamma([shape], [1.0]).log_density(x).tolist() == [-np.inf, -np.inf]


def test_shape_one_is_the_exponential_density():
    x = np.array([[0.1, 2.0], [3.0, 5.0]])
    expected = Exponential([0.5, 4.0]).log_density(x)
    found = Gamma([1.0, 1.0], [2.0, 0.25]).log_density(x)
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_the_fit_has_the_weighted_likelihood_of_the_reference():
    rng = np.random.default_rng(4)
    x = Gamma([2.2], [3.6]).sample(rng, 200)
    shape, _, scale = stats.gamma.fit(x[:, 0], floc=0)
    fitted = Gamma([1.0], [1.0]).fit(x, np.ones(200))
    assert fitted.shape[0] == pytest.approx(shape, rel=1e-9)
    assert fitted.rate[0] == pytest.approx(1 / scale, rel=1e-9)


@pytest.mark.parametrize("shape", [0.05, 1.0, 1e3, 1e8, 1e14, 1e19])
def test_the_fit_finds_the_shape_of_any_width(shape):
    x = Gamma([shape], [shape / 5]).sample(np.random.default_rng(0), 4000)
    fitted = Gamma([1.0], [1.0]).fit(x, np.ones(4000))
    assert fitted.shape[0] == pytest.approx(shape, rel=5 * np.sqrt(2 / 4000))
    assert fitted.spread()[0] == pytest.approx(5 / np.sqrt(shape), rel=0.1)


def test_draws_too_small_for_a_double_stay_positive():
    x = Gamma([1e-3], [1.0]).sample(np.random.default_rng(0), 1000)
    assert (x > 0).all()
    assert (x < 1e-300).any()


def test_no_narrower_lowers_the_shape_and_keeps_the_mean():
    narrow, wide = Gamma([50.0, 1.0], [10.0, 2.0]), Gamma([2.0, 4.0], [1.0, 1.0])
    found = narrow.no_narrower_than(wide)
    assert found.shape.tolist() == [2.0, 1.0]
    np.testing.assert_allclose(found.shape / found.rate, [5.0, 0.5], rtol=1e-15)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([[1.0, 2.0]], r"^Gamma\.fit needs samples that differ .* all 1 have 1 in coordinate 0"),
        ([[1.0, 2.0], [3.0, 2.0]], r"all 2 have 2 in coordinate 1, .* raise n_samples or rho"),
        (
            [[1.0, 0.0], [3.0, 2.0]],
            r"^Gamma\.fit: .* must be positive and finite; got 0 at index \(0, 1\)$",
        ),
        ([[1.0, 1.0], [3.0, np.nan]], r"got nan at index \(1, 1\)$"),
    ],
)
def test_what_cannot_be_fitted_is_refused_with_the_reason(x, message):
    with pytest.raises(ValueError, match=message):
        Gamma([1.0, 1.0], [1.0, 1.0]).fit(np.array(x), np.ones(len(x)))


@pytest.mark.parametrize(
    ("shape", "rate", "message"),
    [
        ([1.0, 0.0], [1.0, 1.0], r"^Gamma\.shape must be positive and finite; got 0 at index 1$"),
        ([1.0], [np.nan], r"^Gamma\.rate must be positive and finite; got nan at index 0$"),
        ([1.0, 2.0], [1.0], r"^Gamma\.shape and Gamma\.rate must have the same shape, .* \(1,\)$"),
    ],
)
def test_a_bad_parameter_is_named_with_its_place_and_value(shape, rate, message):
    with pytest.raises(ValueError, match=message):
        Gamma(shape, rate)
