"""Laplace keeps the family contract; its weighted median."""

import numpy as np
import pytest
from scipy import stats

from cem import Laplace
from cem.testing import FamilyContract


class TestThreeCoordinates(FamilyContract):
    family = Laplace([-1.0, 2.0, 3e3], [0.1, 2.0, 30.0])


class TestOneCoordinate(FamilyContract):
    family = Laplace([0.0], [1.0])


class TestExtremeScales(FamilyContract):
    family = Laplace([1e-150, 0.0, 1e80], [1e-152, 1e-60, 1e78])


def test_the_density_is_the_product_of_scipys():
    mean, scale = [0.0, -3.0], [1.0, 0.2]
    x = np.random.default_rng(0).normal(size=(50, 2)) * 4
    expected = stats.laplace(mean, scale).logpdf(x).sum(axis=1)
    np.testing.assert_allclose(Laplace(mean, scale).log_density(x), expected, rtol=1e-13)


@pytest.mark.parametrize(
    ("weights", "median"),
    [
        ([1.0, 1.0, 1.0], 2.0),
        ([1.0, 1.0, 0.0], 1.0),  # all between 1 and 2 are minimisers: the lower
        ([0.1, 0.2, 0.3], 2.0),  # 0.1 + 0.2 and 0.3 differ by rounding only
        ([1.0, 5.0, 1.0], 2.0),
        ([1.0, 1.0, 5.0], 7.0),
    ],
)
def test_the_fit_is_the_weighted_median_and_the_mean_distance_from_it(weights, median):
    x, w = np.array([[7.0], [1.0], [2.0]]), np.array(weights)[[2, 0, 1]]
    fitted = Laplace([0.0], [1.0]).fit(x, w)
    assert fitted.mean.tolist() == [median]
    expected = (w @ np.abs(x[:, 0] - median)) / w.sum()
    assert fitted.scale[0] == pytest.approx(expected, rel=1e-15)


def test_every_coordinate_has_its_own_median():
    x = np.array([[1.0, 9.0, 5.0], [2.0, 8.0, 4.0], [3.0, 7.0, 6.0]])
    fitted = Laplace(np.zeros(3), np.ones(3)).fit(x, np.ones(3))
    assert fitted.mean.tolist() == [2.0, 8.0, 5.0]


def test_no_narrower_raises_the_scale():
    found = Laplace([5.0, 1.0], [3.0, 2.0]).no_narrower_than(Laplace([0.0, 0.0], [2.0, 4.0]))
    assert found.mean.tolist() == [5.0, 1.0]
    assert found.scale.tolist() == [3.0, 4.0]


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([[2.0], [2.0]], r"^Laplace\.fit needs samples that differ .* all 2 have 2 in coordinate"),
        ([[1.0], [np.inf]], r"^Laplace\.fit: .* must be finite; got inf at index \(1, 0\)$"),
    ],
)
def test_what_cannot_be_fitted_is_refused_with_the_reason(x, message):
    with pytest.raises(ValueError, match=message):
        Laplace([1.0], [1.0]).fit(np.array(x), np.ones(len(x)))


@pytest.mark.parametrize(
    ("mean", "scale", "message"),
    [
        ([np.inf], [1.0], r"^Laplace\.mean must be finite; got inf at index 0$"),
        ([0.0], [0.0], r"^Laplace\.scale must be positive and finite; got 0 at index 0$"),
        ([0.0, 1.0], [1.0], r"^Laplace\.mean and Laplace\.scale must have the same shape"),
    ],
)
def test_a_bad_parameter_is_named_with_its_place_and_value(mean, scale, message):
    with pytest.raises(ValueError, match=message):
        Laplace(mean, scale)
