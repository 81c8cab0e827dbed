"""Weibull keeps the family contract; its fit at any width, and what cannot be fitted."""

import mpmath as mp
import numpy as np
import pytest
from scipy import stats

from cem import Exponential, Weibull
from cem.loss import kl_divergence
from cem.testing import FamilyContract


class TestThreeCoordinates(FamilyContract):
    family = Weibull([0.6, 2.0, 30.0], [0.1, 3.0, 7.0])
    outside = ([-1.0, 1.0, 1.0], [1.0, 1.0, -1e-300], [1.0, np.nan, 1.0])


class TestOneCoordinate(FamilyContract):
    family = Weibull([3.0], [1.0])


class TestExtremeScales(FamilyContract):
    family = Weibull([0.7, 2.0, 1e9], [1e-150, 1e150, 3.0])


def test_the_density_is_the_product_of_scipys():
    shape, scale = np.array([0.5, 8.0]), np.array([2.0, 0.3])
    x = np.random.default_rng(0).uniform(0.01, 1.0, size=(50, 2))
    expected = stats.weibull_min(shape, scale=scale).logpdf(x).sum(axis=1)
    np.testing.assert_allclose(Weibull(shape, scale).log_density(x), expected, rtol=1e-12)


def test_the_edge_of_the_support_and_what_lies_far_out_have_no_density():
    x = np.array([[0.0], [np.inf], [1e300]])
    for shape in (0.5, 1.0, 2.0):
        assert Weibull([shape], [1.0]).log_density(x)[:2].tolist() == [-np.inf, -np.inf]
    assert Weibull([2.0], [1.0]).log_density(x)[2] == -np.inf


def test_shape_one_is_the_exponential_density():
    x = np.array([[0.1, 2.0], [3.0, 5.0]])
    expected = Exponential([0.5, 4.0]).log_density(x)
    found = Weibull([1.0, 1.0], [0.5, 4.0]).log_density(x)
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_the_fit_solves_the_likelihood_equations():
    rng = np.random.default_rng(4)
    x, w = Weibull([1.7, 0.4], [3.6, 1e5]).sample(rng, 200), rng.random(200)
    w /= w.sum()
    fitted = Weibull([1.0, 1.0], [1.0, 1.0]).fit(x, w)
    power = (x / fitted.scale) ** fitted.shape
    np.testing.assert_allclose(w @ power, [1.0, 1.0], rtol=1e-12)
    lead = w @ (power * np.log(x)) - w @ np.log(x)
    np.testing.assert_allclose(lead * fitted.shape, [1.0, 1.0], rtol=1e-10)


@pytest.mark.parametrize("shape", [0.05, 1.0, 1e3, 1e8, 1e12])
def test_the_fit_finds_the_shape_of_any_width(shape):
    x = Weibull([shape], [5.0]).sample(np.random.default_rng(0), 4000)
    fitted = Weibull([1.0], [1.0]).fit(x, np.ones(4000))
    assert fitted.shape[0] == pytest.approx(shape, rel=0.06)
    assert fitted.scale[0] == pytest.approx(5.0, rel=0.1 / shape)


@pytest.mark.parametrize("shape", [0.3, 1.0, 3.0, 40.0])
def test_the_spread_is_scipys_standard_deviation(shape):
    expected = stats.weibull_min(shape, scale=2.0).std()
    assert Weibull([shape], [2.0]).spread()[0] == pytest.approx(expected, rel=1e-9)


def test_the_spread_of_a_narrow_one_does_not_cancel():
    expected = np.pi / np.sqrt(6) / 1e10  # the deviation of ln x
    assert Weibull([1e10], [1.0]).spread()[0] == pytest.approx(expected, rel=1e-9)


def test_draws_and_spreads_too_large_for_a_double_stay_finite():
    f = Weibull([1e-3], [1.0])
    x = f.sample(np.random.default_rng(0), 1000)
    assert ((x > 0) & (x < np.inf)).all()
    assert x.max() == np.finfo(float).max == f.spread()[0]


def test_no_narrower_is_the_nearest_member_with_the_lower_shape():
    narrow, wide = Weibull([5.0, 1.0], [3.0, 2.0]), Weibull([2.0, 4.0], [1.0, 1.0])
    found = narrow.no_narrower_than(wide)
    assert found.shape.tolist() == [2.0, 1.0]
    assert found.scale[1] == 2.0
    least = kl_divergence(narrow, found)
    for factor in (0.5, 0.99, 1.01, 2.0):
        assert kl_divergence(narrow, found.replace(scale=factor * found.scale)) > least


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([[1.0, 2.0]], r"^Weibull\.fit needs samples that differ .* all 1 have 1 in coordinate 0"),
        ([[1.0, 2.0], [3.0, 2.0]], r"all 2 have 2 in coordinate 1, .* raise n_samples or rho"),
        (
            [[1.0, 0.0], [3.0, 2.0]],
            r"^Weibull\.fit: .* must be positive and finite; got 0 at index",
        ),
    ],
)
def test_what_cannot_be_fitted_is_refused_with_the_reason(x, message):
    with pytest.raises(ValueError, match=message):
        Weibull([1.0, 1.0], [1.0, 1.0]).fit(np.array(x), np.ones(len(x)))


def test_the_fit_to_samples_of_very_unequal_weights_solves_the_equation_too():
    x, w = [2.77, 2.80, 2.84], [1e-21, 0.1, 1e-36]
    fitted = Weibull([1.0], [1.0]).fit(np.array(x)[:, None], np.array(w))
    k, x, w = mp.mpf(fitted.shape[0]), [mp.mpf(v) for v in x], [mp.mpf(v) for v in w]
    power = [a * b**k for a, b in zip(w, x, strict=True)]
    lead = sum(a * mp.log(b) for a, b in zip(power, x, strict=True)) / sum(power)
    lead -= sum(a * mp.log(b) for a, b in zip(w, x, strict=True)) / sum(w)
    assert abs(lead * k - 1) < 1e-9


def test_a_bad_parameter_is_named_with_its_place_and_value():
    with pytest.raises(ValueError, match=r"^Weibull\.scale must be positive .* got 0 at index 1$"):
        Weibull([1.0, 1.0], [1.0, 0.0])
