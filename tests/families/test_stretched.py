"""Stretched keeps the family contract; its density, sampler and the weights it fits."""

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize_scalar

from cem import Normal
from cem.families.stretched import Stretched
from cem.testing import FamilyContract

THREE = Stretched([1.0, -2.0, 0.0], [1.0, 0.5, 2.0], [1.0, 3.0, 9.0], [0.5, 0.3, 0.2])


class TestThreeScales(FamilyContract):
    family = THREE
    n = 4000
    degrees = 2


class TestTwoScalesOfOneCoordinate(FamilyContract):
    family = Stretched([5.0], [2.0], [1.0, 4.0], [0.7, 0.3])
    n = 4000
    degrees = 1


class TestOneScale(FamilyContract):
    family = Stretched([0.0, 1.0], [1.0, 2.0], [1.5], [1.0])
    degrees = 1  # none in fact, and the gap is zero


def test_the_density_is_the_weighted_sum_of_normal_ones():
    x = np.random.default_rng(0).normal(size=(50, 3)) * 20
    each = [Normal(THREE.mean, s * THREE.std).log_density(x) for s in THREE.scale]
    exact = np.logaddexp.reduce(np.log(THREE.weight)[:, None] + each)
    np.testing.assert_allclose(THREE.log_density(x), exact, rtol=1e-13)


def test_a_scale_of_weight_zero_adds_nothing():
    x = np.random.default_rng(0).normal(size=(50, 2)) * 3
    f, exact = Stretched([0, 1], [1, 2], [1, 50], [1, 0]), Normal([0.0, 1.0], [1.0, 2.0])
    np.testing.assert_allclose(f.log_density(x), exact.log_density(x), rtol=1e-14)
    np.testing.assert_allclose(f.spread(), exact.std, rtol=1e-15)


def test_far_points_have_no_density():
    x = np.array([[1e300, 0, 0], [np.inf, 0, 0], [np.inf, -np.inf, 0], [np.nan, 0, 0]])
    assert (THREE.log_density(x) == -np.inf).all()


def test_squared_distances_are_drawn_from_stretched_chi_squares():
    x = THREE.sample(np.random.default_rng(0), 4000)
    square = (((x - THREE.mean) / THREE.std) ** 2).sum(axis=1)

    def cdf(s):
        return THREE.weight @ stats.chi2(3).cdf(np.divide.outer(s, THREE.scale**2)).T

    assert stats.kstest(square, cdf).pvalue > 1e-6


def test_every_coordinate_of_a_sample_is_stretched_alike():
    f = Stretched(np.zeros(200), np.ones(200), [1.0, 100.0], [0.75, 0.25])
    sizes = np.sort(f.sample(np.random.default_rng(0), 1000).std(axis=1))
    far = (sizes > 10).sum()
    assert abs(far - 250) < 5 * np.sqrt(1000 * 0.75 * 0.25)
    assert sizes[-far - 1] < 1.5
    assert sizes[-far] > 50


def test_the_fit_is_the_likeliest_weight_of_a_general_optimiser():
    rng = np.random.default_rng(0)
    x, w = rng.standard_t(3, size=(300, 1)), rng.random(300)
    parts = [stats.norm(0, s).pdf(x[:, 0]) for s in (1.0, 4.0)]
    best = minimize_scalar(
        lambda p: -w @ np.log((1 - p) * parts[0] + p * parts[1]),
        bounds=(0, 1),
        method="bounded",
        options={"xatol": 1e-9},
    )
    found = Stretched([0.0], [1.0], [1.0, 4.0], [0.5, 0.5]).fit(x, w)
    assert found.weight[1] == pytest.approx(best.x, abs=1e-5)


def test_the_fit_does_not_depend_on_the_weights_before():
    x = THREE.sample(np.random.default_rng(0), 500)
    before = THREE.replace(weight=np.array([0.0, 1.0, 0.0]))
    fits = [f.fit(x, np.ones(500)).weight for f in (before, THREE)]
    np.testing.assert_array_equal(*fits)


def test_scales_far_from_every_sample_get_no_weight():
    x = np.random.default_rng(0).normal(size=(400, 50))
    f = Stretched(np.zeros(50), np.ones(50), [0.01, 1.0, 100.0], [0.3, 0.3, 0.4])
    np.testing.assert_allclose(f.fit(x, np.ones(400)).weight, [0, 1, 0], atol=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"std": [1.0]}, r"std must have shape \(3,\) to go with Stretched.mean; got shape \(1,\)"),
        ({"scale": [1.0]}, r"weight must have shape \(1,\) to go with .*scale; got shape \(3,\)"),
        ({"std": [1.0, 0.0, 1.0]}, r"std must be positive and finite; got 0 at index 1$"),
        ({"scale": [1.0, -2.0, 1.0]}, r"scale must be positive and finite; got -2 at index 1$"),
        ({"weight": [0.5, 0.3, 0.3]}, r"weight must sum to 1; got 1\.1$"),
    ],
)
def test_a_bad_parameter_is_named_with_the_reason(change, message):
    with pytest.raises(ValueError, match=message):
        THREE.replace(**change)
