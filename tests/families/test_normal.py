"""Normal keeps the family contract; collapsed coordinates and its numbers."""

import mpmath as mp
import numpy as np
import pytest
from scipy import stats

from cem import Normal
from cem.loss import cross_entropy, entropy, kl_divergence
from cem.testing import FamilyContract


class TestThreeCoordinates(FamilyContract):
    family = Normal([-1.0, 2.0, 3e3], [0.1, 2.0, 30.0])


class TestOneCoordinate(FamilyContract):
    family = Normal([0.0], [1.0])


class TestTenCoordinates(FamilyContract):
    family = Normal(np.arange(10.0), np.linspace(0.5, 2.0, 10))


class TestExtremeScales(FamilyContract):
    family = Normal([1e-150, 0.0, 1e80], [1e-152, 1e-60, 1e78])


def test_the_density_is_the_product_of_scipys():
    mean, std = [0.0, -3.0], [1.0, 0.2]
    x = np.random.default_rng(0).normal(size=(50, 2)) * 4
    expected = stats.norm(mean, std).logpdf(x).sum(axis=1)
    np.testing.assert_allclose(Normal(mean, std).log_density(x), expected, rtol=1e-13)


def test_the_fit_is_the_weighted_mean_and_the_population_deviation():
    fitted = Normal([0.0], [1.0]).fit(np.array([[1.0], [5.0]]), np.array([3.0, 1.0]))
    assert fitted.mean.tolist() == [2.0]
    assert fitted.std.tolist() == [np.sqrt(3.0)]


def test_a_fit_far_from_the_origin_does_not_lose_the_deviation():
    x = 1e9 + np.array([[0.0], [2.0]])
    assert Normal([0.0], [1.0]).fit(x, np.ones(2)).std.tolist() == [1.0]


def test_the_entropy_and_the_divergence_have_their_tabled_values():
    f, g = Normal([0.0], [1.0]), Normal([1.0], [2.0])
    assert entropy(f) == pytest.approx(1.418938533205, abs=1e-10)
    assert kl_divergence(f, g) == pytest.approx(0.443147180560, abs=1e-10)
    assert cross_entropy(f, g) == pytest.approx(1.418938533205 + 0.443147180560, abs=1e-10)


def test_the_entropy_of_a_narrow_density_is_negative():
    assert entropy(Normal([0.0], [0.01])) == pytest.approx(-3.1862316527834187, abs=1e-12)


@pytest.mark.parametrize("ratio", [1e-100, 1e-12, 1e-5, 1e5, 1e12])
def test_the_divergence_is_right_over_many_orders_of_magnitude(ratio):
    expected = (ratio**2 - 1) / 2 - np.log(ratio)
    found = kl_divergence(Normal([0.0], [ratio]), Normal([0.0], [1.0]))
    assert found == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("step", [1e-3, 1e-6, 1e-9])
def test_the_divergence_of_near_members_does_not_cancel(step):
    moved = kl_divergence(Normal([step], [1.0]), Normal([0.0], [1.0]))
    assert moved == pytest.approx(step**2 / 2, rel=1e-12)
    widened = kl_divergence(Normal([0.0], [1.0 + step]), Normal([0.0], [1.0]))
    assert widened == pytest.approx(step**2, rel=2 * step + 1e-6)


def exact_divergence(f, g):
    terms = [
        mp.log(t / s) + (s**2 + (m - n) ** 2) / (2 * t**2) - mp.mpf(1) / 2
        for m, s, n, t in np.vectorize(mp.mpf)([f.mean, f.std, g.mean, g.std]).T
    ]
    return mp.fsum(terms)


@pytest.mark.parametrize("step", [1e-9, 1e-4, 0.08, 0.12, 0.3, 1.0, 5.0, 300.0])
@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])  # of the coordinates that hardly change
def test_the_divergence_of_many_coordinates_is_that_of_sixty_digits(step, share):
    rng = np.random.default_rng(3)
    step = np.where(rng.random(40) < share, 1e-7, step) * rng.choice([-1, 1], 40)
    g = Normal(rng.normal(size=40), rng.exponential(size=40))
    f = Normal(g.mean + 1e-9 * g.std, g.std * np.exp(step))
    assert abs(kl_divergence(f, g) / exact_divergence(f, g) - 1) < 1e-13


def test_the_divergence_of_a_coordinate_that_all_but_collapses_beside_others():
    f, g = Normal([0.0, 0.0], [1e-160, 3.0]), Normal([0.0, 0.0], [1e160, 1.0])
    assert abs(kl_divergence(f, g) / exact_divergence(f, g) - 1) < 1e-13


def test_a_collapsed_coordinate_is_sampled_at_its_point():
    x = Normal([5.0, 0.0], [0.0, 1.0]).sample(np.random.default_rng(0), 30)
    assert (x[:, 0] == 5.0).all()
    assert len(np.unique(x[:, 1])) == 30


def test_the_density_of_a_collapsed_coordinate_is_infinite_at_its_point_and_zero_elsewhere():
    f = Normal([5.0, 0.0], [0.0, 1.0])
    assert f.log_density(np.array([[5.0, 1.0], [5.1, 1.0]])).tolist() == [np.inf, -np.inf]


def test_a_collapsed_density_has_no_entropy_left_and_no_finite_divergence():
    point, other = Normal([5.0, 0.0], [0.0, 1.0]), Normal([5.0, 0.0], [1.0, 1.0])
    assert entropy(point) == -np.inf
    assert kl_divergence(point, point) == 0
    assert kl_divergence(point, other) == np.inf
    assert kl_divergence(other, point) == np.inf
    assert kl_divergence(point, Normal([4.0, 0.0], [0.0, 1.0])) == np.inf


def test_the_fit_to_one_sample_is_a_point():
    fitted = Normal([0.0, 0.0], [1.0, 1.0]).fit(np.array([[0.1, -7.3]]), np.array([1.0]))
    assert fitted.mean.tolist() == [0.1, -7.3]
    assert fitted.std.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("mean", "std", "error", "message"),
    [
        (
            [0.0, np.inf],
            [1.0, 1.0],
            ValueError,
            r"^Normal\.mean must be finite; got inf at index 1",
        ),
        ([0.0], [-1.0], ValueError, r"^Normal\.std must be finite and not negative; got -1 at in"),
        ([0.0], [np.nan], ValueError, r"^Normal\.std must be finite and not negative; got nan at"),
        ([0.0, 1.0], [1.0], ValueError, r"^Normal\.mean and Normal\.std .* got \(2,\) and \(1,\)$"),
        ([0.0], "wide", TypeError, r"^Normal\.std must be an array of numbers; got 'wide'$"),
        (0.0, 1.0, ValueError, r"^Normal\.mean must have 1 axes"),
    ],
)
def test_a_bad_parameter_is_named_with_its_place_and_value(mean, std, error, message):
    with pytest.raises(error, match=message):
        Normal(mean, std)
