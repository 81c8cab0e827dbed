"""Exponential keeps the family contract; its numbers."""

import numpy as np
import pytest
from scipy import stats

from cem import Exponential
from cem.loss import cross_entropy, entropy, kl_divergence
from cem.testing import FamilyContract


class TestThreeCoordinates(FamilyContract):
    family = Exponential([0.25, 0.4, 3.0])
    outside = ([-1.0, 1.0, 1.0], [1.0, 1.0, -1e-300])


class TestOneCoordinate(FamilyContract):
    family = Exponential([3.0])
    outside = ([-1.0],)


class TestExtremeScales(FamilyContract):
    family = Exponential([1e-200, 1.0, 1e150])


def test_the_density_is_the_product_of_scipys():
    mean = [0.5, 2.0]
    x = np.random.default_rng(0).exponential(size=(50, 2)) * 4
    expected = stats.expon(scale=mean).logpdf(x).sum(axis=1)
    np.testing.assert_allclose(Exponential(mean).log_density(x), expected, rtol=1e-13)


def test_zero_belongs_to_the_support():
    assert Exponential([2.0]).log_density(np.array([[0.0]])) == -np.log(2)


def test_the_fit_is_the_weighted_mean():
    fitted = Exponential([1.0]).fit(np.array([[2.0], [6.0]]), np.array([3.0, 1.0]))
    assert fitted.mean.tolist() == [3.0]


def test_the_entropy_and_the_divergence_have_their_tabled_values():
    f, g = Exponential([1 / 0.5]), Exponential([1 / 2])  # the table has the rates 0.5 and 2
    assert entropy(f) == pytest.approx(1.693147180560, abs=1e-10)
    assert kl_divergence(f, g) == pytest.approx(1.613705638880, abs=1e-10)
    assert cross_entropy(f, g) == pytest.approx(1.693147180560 + 1.613705638880, abs=1e-10)


@pytest.mark.parametrize("ratio", [1e-100, 1e-20, 1e-10, 1e10, 1e20])
def test_the_divergence_is_right_over_many_orders_of_magnitude(ratio):
    expected = ratio - 1 - np.log(ratio)
    found = kl_divergence(Exponential([ratio]), Exponential([1.0]))
    assert found == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("step", [1e-3, 1e-6, 1e-9])
def test_the_divergence_of_near_members_does_not_cancel(step):
    found = kl_divergence(Exponential([1.0 + step]), Exponential([1.0]))
    assert found == pytest.approx(step**2 / 2, rel=step + 1e-6)


@pytest.mark.parametrize(
    ("mean", "message"),
    [
        ([1.0, 0.0], r"^Exponential\.mean must be positive and finite; got 0 at index 1$"),
        ([-2.0], r"^Exponential\.mean must be positive and finite; got -2 at index 0$"),
        ([np.inf], r"^Exponential\.mean must be positive and finite; got inf at index 0$"),
        ([np.nan], r"^Exponential\.mean must be positive and finite; got nan at index 0$"),
        ([[1.0]], r"^Exponential\.mean must have 1 axes"),
    ],
)
def test_a_bad_parameter_is_named_with_its_place_and_value(mean, message):
    with pytest.raises(ValueError, match=message):
        Exponential(mean)
