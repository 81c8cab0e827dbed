"""Pareto keeps the family contract; its moving minimum and its heavy tail."""

import numpy as np
import pytest
from scipy import stats

from cem import Pareto, estimate
from cem.loss import kl_divergence
from cem.testing import FamilyContract


class TestThreeCoordinates(FamilyContract):
    family = Pareto([0.5, 2.0, 300.0], [3.0, 1.5, 8.0])
    outside = ([0.49, 3.0, 400.0], [1.0, -3.0, 400.0], [1.0, np.nan, 400.0])
    spread_is_std = False
    degrees = 9


class TestOneCoordinate(FamilyContract):
    family = Pareto([1.0], [3.0])
    outside = ([0.5],)
    spread_is_std = False
    degrees = 3


class TestExtremeScales(FamilyContract):
    family = Pareto([1e-200, 1e200], [3.0, 20.0])
    spread_is_std = False
    degrees = 6


def test_the_density_is_the_product_of_scipys():
    minimum, shape = np.array([0.5, 2.0]), np.array([0.7, 9.0])
    x = minimum + np.random.default_rng(0).exponential(size=(50, 2)) * 4
    expected = stats.pareto(shape, scale=minimum).logpdf(x).sum(axis=1)
    np.testing.assert_allclose(Pareto(minimum, shape).log_density(x), expected, rtol=1e-12)


def test_the_minimum_belongs_to_the_support_and_infinity_does_not():
    log_f = Pareto([2.0], [3.0]).log_density(np.array([[2.0], [np.inf]]))
    assert log_f.tolist() == [pytest.approx(np.log(1.5)), -np.inf]


def test_the_fit_is_the_least_sample_and_the_mean_logarithm_above_it():
    x, w = np.array([[2.0], [2.0 * np.e**3], [1.0]]), np.array([2.0, 1.0, 0.0])
    fitted = Pareto([1.0], [1.0]).fit(x, w)
    assert fitted.minimum.tolist() == [2.0]
    assert fitted.shape[0] == pytest.approx(1.0, rel=1e-14)


def test_the_spread_is_scipys_interquartile_range():
    for shape in (0.1, 1.0, 2.0, 50.0):
        expected = np.diff(stats.pareto(shape, scale=3.0).ppf([0.25, 0.75]))[0]
        assert Pareto([3.0], [shape]).spread()[0] == pytest.approx(expected, rel=1e-10)


def test_the_divergence_is_infinite_where_the_other_minimum_is_higher():
    low, high = Pareto([1.0], [3.0]), Pareto([2.0], [3.0])
    assert kl_divergence(low, high) == np.inf
    assert kl_divergence(high, low) == pytest.approx(3 * np.log(2), rel=1e-15)


def test_draws_and_spreads_too_large_for_a_double_stay_finite():
    f = Pareto([1.0], [1e-3])
    x = f.sample(np.random.default_rng(0), 1000)
    assert x.max() == np.finfo(float).max == f.spread()[0]
    assert x.min() >= 1.0


def test_no_narrower_lowers_minimum_and_shape():
    found = Pareto([2.0, 1.0], [3.0, 2.0]).no_narrower_than(Pareto([2.0, 4.0], [4.0, 1.0]))
    assert found.minimum.tolist() == [2.0, 1.0]
    assert found.shape.tolist() == [3.0, 1.0]


def test_no_narrower_is_the_nearest_member_with_the_lower_minimum():
    narrow, wide = Pareto([50.0], [2.0]), Pareto([1.0], [2.0])
    found = narrow.no_narrower_than(wide)
    least = kl_divergence(narrow, found)
    for shape in np.linspace(0.1, 2.0, 20):
        assert kl_divergence(narrow, Pareto([1.0], [shape])) >= least


def test_a_rare_event_in_the_tail_is_found():
    found = estimate(lambda x: x[:, 0], Pareto([1.0], [2.0]), gamma=1e4, rng=1)
    assert found.success
    assert found.probability == pytest.approx(1e-8, rel=0.1)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([[2.0]], r"^Pareto\.fit needs samples that differ .* all 1 have 2 in coordinate 0"),
        (
            [[1.0], [-3.0]],
            r"^Pareto\.fit: .* must be positive and finite; got -3 at index \(1, 0\)$",
        ),
    ],
)
def test_what_cannot_be_fitted_is_refused_with_the_reason(x, message):
    with pytest.raises(ValueError, match=message):
        Pareto([1.0], [1.0]).fit(np.array(x), np.ones(len(x)))


def test_a_bad_parameter_is_named_with_its_place_and_value():
    with pytest.raises(ValueError, match=r"^Pareto\.minimum must be positive .* got 0 at index 1$"):
        Pareto([1.0, 0.0], [1.0, 1.0])
