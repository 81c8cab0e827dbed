"""Beta keeps the family contract; its fit at any width, and what cannot be fitted."""

import numpy as np
import pytest
from scipy import stats

from cem import Beta
from cem.testing import FamilyContract


class TestThreeCoordinates(FamilyContract):
    family = Beta([0.5, 2.0, 30.0], [0.7, 3.0, 7.0])
    outside = ([-0.1, 0.5, 0.5], [0.5, 1.1, 0.5], [0.5, np.nan, 0.5])


class TestOneCoordinate(FamilyContract):
    family = Beta([3.0], [1.0])


class TestNarrowOnes(FamilyContract):
    family = Beta([1e4, 1e12], [1e8, 3e12])
    rtol = 1e-8


def test_the_density_is_the_product_of_scipys():
    a, b = np.array([0.5, 8.0]), np.array([2.0, 0.3])
    x = np.random.default_rng(0).random((50, 2))
    expected = stats.beta(a, b).logpdf(x).sum(axis=1)
    np.testing.assert_allclose(Beta(a, b).log_density(x), expected, rtol=1e-12)


def test_the_ends_of_the_support_have_no_density():
    x = np.array([[0.0], [1.0]])
    for a, b in ((0.5, 0.5), (1.0, 1.0), (2.0, 0.5)):
        assert Beta([a], [b]).log_density(x).tolist() == [-np.inf, -np.inf]


def test_the_fit_is_scipys():
    rng = np.random.default_rng(4)
    x = Beta([2.2], [0.6]).sample(rng, 200)
    a, b, _, _ = stats.beta.fit(x[:, 0], floc=0, fscale=1)
    fitted = Beta([1.0], [1.0]).fit(x, np.ones(200))
    np.testing.assert_allclose([fitted.a[0], fitted.b[0]], [a, b], rtol=1e-7)


@pytest.mark.parametrize("a", [0.5, 1.0, 1e3, 1e8, 1e14, 1e19])
def test_the_fit_finds_the_parameters_of_any_width(a):
    f = Beta([a, 0.3 * a], [2 * a, 0.3 * a])
    fitted = Beta([1.0, 1.0], [1.0, 1.0]).fit(
        f.sample(np.random.default_rng(0), 4000), np.ones(4000)
    )
    np.testing.assert_allclose(fitted.a, f.a, rtol=0.15)
    np.testing.assert_allclose(fitted.spread(), f.spread(), rtol=0.1)


def test_draws_that_round_to_an_end_stay_within():
    x = Beta([1e-3, 5.0], [1e-3, 1e-2]).sample(np.random.default_rng(0), 1000)
    assert ((x > 0) & (x < 1)).all()
    assert x[:, 0].min() < 1e-300
    assert (x.max(axis=0) == np.nextafter(1.0, 0.0)).all()


def test_no_narrower_lowers_the_sum_and_keeps_the_mean():
    found = Beta([50.0, 1.0], [150.0, 1.0]).no_narrower_than(Beta([1.0, 5.0], [3.0, 5.0]))
    np.testing.assert_allclose(found.a, [1.0, 1.0], rtol=1e-15)
    np.testing.assert_allclose(found.b, [3.0, 1.0], rtol=1e-15)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (
            [[0.2], [0.2]],
            r"^Beta\.fit needs samples that differ .* all 2 have 0\.2 in coordinate 0",
        ),
        (
            [[0.2], [0.0]],
            r"^Beta\.fit: .* must lie strictly between 0 and 1; got 0 at index \(1, 0\)$",
        ),
        ([[0.2], [1.0]], r"must lie strictly between 0 and 1; got 1 at index \(1, 0\)$"),
    ],
)
def test_what_cannot_be_fitted_is_refused_with_the_reason(x, message):
    with pytest.raises(ValueError, match=message):
        Beta([1.0], [1.0]).fit(np.array(x), np.ones(len(x)))


def test_a_bad_parameter_is_named_with_its_place_and_value():
    with pytest.raises(ValueError, match=r"^Beta\.b must be positive and finite; got 0 at index 1"):
        Beta([1.0, 1.0], [1.0, 0.0])
