"""Uniform keeps the family contract; its moving ends."""

import numpy as np
import pytest
from scipy import stats

from cem import Uniform
from cem.loss import empirical_cross_entropy, entropy, kl_divergence
from cem.testing import FamilyContract


class TestThreeCoordinates(FamilyContract):
    family = Uniform([-1.0, 2.0, 3e3], [0.1, 2.5, 3e9])
    outside = ([-1.1, 2.1, 1e6], [0.0, 2.6, 1e6], [0.0, np.nan, 1e6])
    degrees = 12


class TestOneCoordinate(FamilyContract):
    family = Uniform([0.0], [1.0])
    outside = ([-1e-9], [1.0 + 1e-9])
    degrees = 4


class TestExtremeScales(FamilyContract):
    family = Uniform([1e-200, -1e150], [2e-200, 1e150])
    degrees = 8


def test_the_density_is_the_product_of_scipys():
    low, high = np.array([0.0, -3.0]), np.array([1.0, 0.2])
    x = np.random.default_rng(0).normal(size=(50, 2))
    expected = stats.uniform(low, high - low).logpdf(x).sum(axis=1)
    np.testing.assert_allclose(Uniform(low, high).log_density(x), expected, rtol=1e-14)


def test_the_ends_belong_to_the_box():
    f = Uniform([0.0], [4.0])
    assert f.log_density(np.array([[0.0], [4.0]])).tolist() == [-np.log(4.0)] * 2


def test_the_fit_is_the_smallest_box_around_the_samples_that_count():
    x = np.array([[2.0, 9.0], [3.0, 7.0], [5.0, 8.0], [100.0, 100.0]])
    fitted = Uniform([0.0, 0.0], [1.0, 1.0]).fit(x, np.array([1.0, 2.0, 3.0, 0.0]))
    assert fitted.low.tolist() == [2.0, 7.0]
    assert fitted.high.tolist() == [5.0, 9.0]
    loss = empirical_cross_entropy(fitted.log_density(x[:3]))
    assert loss == pytest.approx(entropy(fitted), rel=1e-15)


def test_the_divergence_is_infinite_unless_nested():
    f, g = Uniform([0.0], [2.0]), Uniform([1.0], [3.0])
    assert kl_divergence(f, g) == kl_divergence(g, f) == np.inf
    assert kl_divergence(Uniform([-1.0], [3.0]), f) == np.inf
    assert kl_divergence(f, Uniform([0.0], [4.0])) == pytest.approx(np.log(2), rel=1e-15)


def test_the_divergence_of_near_boxes_does_not_cancel():
    f, step = Uniform([0.0, 1.0], [2.0, 3.0]), 2.0**-40
    near = Uniform([-step, 1.0], [2.0, 3.0 + step])
    assert kl_divergence(f, near) == pytest.approx(step, rel=1e-12)


def test_no_narrower_is_the_smallest_box_around_both():
    found = Uniform([0.0, 5.0], [2.0, 6.0]).no_narrower_than(Uniform([1.0, 0.0], [3.0, 9.0]))
    assert found.low.tolist() == [0.0, 0.0]
    assert found.high.tolist() == [3.0, 9.0]


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([[2.0], [2.0]], r"^Uniform\.fit needs samples that differ .* all 2 have 2 in coordinate"),
        ([[1.0], [np.nan]], r"^Uniform\.fit: .* must be finite; got nan at index \(1, 0\)$"),
    ],
)
def test_what_cannot_be_fitted_is_refused_with_the_reason(x, message):
    with pytest.raises(ValueError, match=message):
        Uniform([1.0], [2.0]).fit(np.array(x), np.ones(len(x)))


@pytest.mark.parametrize(
    ("low", "high", "message"),
    [
        ([-np.inf], [1.0], r"^Uniform\.low must be finite; got -inf at index 0$"),
        (
            [0.0, 3.0],
            [1.0, 2.0],
            r"^Uniform\.low must be below Uniform\.high, .* got 3 and 2 at index 1$",
        ),
        ([1.0], [1.0], r"^Uniform\.low must be below Uniform\.high, .* got 1 and 1 at index 0$"),
        ([-1e308], [1e308], r"a distance that is a finite double; got -1e\+308 and 1e\+308 at"),
        ([0.0, 1.0], [1.0], r"^Uniform\.low and Uniform\.high must have the same shape"),
    ],
)
def test_a_bad_parameter_is_named_with_its_place_and_value(low, high, message):
    with pytest.raises(ValueError, match=message):
        Uniform(low, high)
