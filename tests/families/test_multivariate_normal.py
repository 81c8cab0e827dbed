"""MultivariateNormal keeps the family contract; singular covariances and its numbers."""

from multiprocessing.reduction import ForkingPickler

import mpmath as mp
import numpy as np
import pytest
from scipy import stats

from cem import MultivariateNormal, Normal
from cem.loss import cross_entropy, entropy, kl_divergence
from cem.testing import FamilyContract

ROOT = np.random.default_rng(0).normal(size=(5, 5))


class TestFiveCoordinates(FamilyContract):
    family = MultivariateNormal(np.arange(5.0), ROOT @ ROOT.T)


class TestOneCoordinate(FamilyContract):
    family = MultivariateNormal([1.0], [[4.0]])


class TestStrongCorrelation(FamilyContract):
    family = MultivariateNormal([0.0, 100.0], [[1.0, 9.99], [9.99, 100.0]])


class TestExtremeScales(FamilyContract):
    family = MultivariateNormal([1e-60, 1e60], [[1e-120, 0.3], [0.3, 1e120]])


def test_the_density_is_scipys():
    f = MultivariateNormal([1.0, -2.0], [[2.0, 0.5], [0.5, 1.0]])
    x = np.random.default_rng(0).normal(size=(50, 2)) * 4
    expected = stats.multivariate_normal(f.mean, f.cov).logpdf(x)
    np.testing.assert_allclose(f.log_density(x), expected, rtol=1e-12)


def test_a_diagonal_covariance_is_the_normal_with_independent_coordinates():
    full, diagonal = MultivariateNormal([1.0, 2.0], np.diag([4.0, 9.0])), Normal([1, 2], [2, 3])
    x = np.random.default_rng(0).normal(size=(50, 2)) * 4
    np.testing.assert_allclose(full.log_density(x), diagonal.log_density(x), rtol=1e-13)
    assert entropy(full) == pytest.approx(entropy(diagonal), rel=1e-14)
    assert full.spread().tolist() == [2.0, 3.0]
    np.testing.assert_array_equal(
        full.sample(np.random.default_rng(1), 9), diagonal.sample(np.random.default_rng(1), 9)
    )


def test_a_sample_has_the_covariance():
    f = MultivariateNormal([0.0, 0.0], [[2.0, -0.9], [-0.9, 1.0]])
    x = f.sample(np.random.default_rng(0), 100_000)
    np.testing.assert_allclose(np.cov(x.T), f.cov, atol=5 * np.sqrt(2 * 4 / 100_000))


def test_the_fit_is_the_weighted_mean_and_the_population_covariance():
    x, w = np.array([[0.0, 0.0], [4.0, 8.0]]), np.array([3.0, 1.0])
    fitted = MultivariateNormal([0.0, 0.0], np.eye(2)).fit(x, w)
    assert fitted.mean.tolist() == [1.0, 2.0]
    assert fitted.cov.tolist() == [[3.0, 6.0], [6.0, 12.0]]


def test_the_entropy_and_the_divergence_have_their_tabled_values():
    f = MultivariateNormal([0.0, 1.0], [[1.0, 0.3], [0.3, 2.0]])
    g = MultivariateNormal([1.0, 0.0], [[2.0, -0.4], [-0.4, 1.0]])
    assert entropy(f) == pytest.approx(3.161428687439, abs=1e-10)
    assert kl_divergence(f, g) == pytest.approx(1.003070295216, abs=1e-10)
    assert cross_entropy(f, g) == pytest.approx(3.161428687439 + 1.003070295216, abs=1e-10)


def exact_divergence(f, g):
    """The textbook formula, in the digits that mpmath is set to."""
    a, b = mp.matrix(f.cov.tolist()), mp.matrix(g.cov.tolist())
    shift, inverse, d = mp.matrix((f.mean - g.mean).tolist()), b**-1, len(f.mean)
    trace = mp.fsum((inverse * a)[i, i] for i in range(d))
    return (trace - d - mp.log(mp.det(a) / mp.det(b)) + (shift.T * inverse * shift)[0]) / 2


@pytest.mark.parametrize("step", [1e-9, 1e-5, 1e-2, 0.08, 0.1, 0.12, 0.15, 0.2, 0.5, 3.0, 1e6])
def test_the_divergence_is_that_of_sixty_digits_near_and_far(step):
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(9, 4)), rng.normal(size=(9, 4))
    g = MultivariateNormal(rng.normal(size=4), x.T @ x)
    f = MultivariateNormal(g.mean + step, g.cov + step * (y.T @ y))
    assert abs(kl_divergence(f, g) / exact_divergence(f, g) - 1) < 1e-12
    assert abs(kl_divergence(g, f) / exact_divergence(g, f) - 1) < 1e-12


def test_the_fitted_covariance_is_symmetric_to_the_last_bit():
    x = np.random.default_rng(0).normal(size=(50, 20))
    cov = MultivariateNormal(np.zeros(20), np.eye(20)).fit(x, np.arange(50.0)).cov
    np.testing.assert_array_equal(cov, cov.T)


def test_what_a_member_keeps_for_itself_is_no_part_of_it():
    f = MultivariateNormal(np.arange(5.0), ROOT @ ROOT.T)
    fresh = bytes(ForkingPickler.dumps(f))
    f.sample(np.random.default_rng(0), 1)
    assert f.root is f.root
    assert bytes(ForkingPickler.dumps(f)) == fresh
    other = f.replace(cov=4 * f.cov)
    np.testing.assert_array_equal(other.root, 2 * f.root)
    assert not f.root.flags.writeable


LINE = MultivariateNormal([1.0, 1.0], [[1.0, 2.0], [2.0, 4.0]])  # all of it on y = 2 x - 1


def test_a_singular_covariance_is_sampled_on_its_plane():
    x = LINE.sample(np.random.default_rng(0), 4000)
    np.testing.assert_allclose(x[:, 1], 2 * x[:, 0] - 1, atol=1e-12)
    assert x[:, 0].std() == pytest.approx(1, abs=0.06)


def test_the_density_of_a_singular_one_is_infinite_on_its_plane_and_zero_off_it():
    on = LINE.sample(np.random.default_rng(0), 20)
    assert (LINE.log_density(on) == np.inf).all()
    assert (LINE.log_density(on + np.array([0.0, 0.01])) == -np.inf).all()


def test_a_singular_one_has_no_entropy_left_and_no_finite_divergence():
    whole = MultivariateNormal([1.0, 1.0], np.eye(2))
    assert entropy(LINE) == -np.inf
    assert kl_divergence(LINE, LINE) == 0
    assert kl_divergence(LINE, whole) == np.inf
    assert kl_divergence(whole, LINE) == np.inf


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_the_fit_to_fewer_samples_than_coordinates_can_be_sampled_on_their_plane(n):
    whole = MultivariateNormal(np.zeros(6), np.eye(6))
    x = whole.sample(np.random.default_rng(0), n)
    fitted = whole.fit(x, np.ones(n))
    assert entropy(fitted) == -np.inf
    new = fitted.sample(np.random.default_rng(1), 40) - x[0]
    plane = np.linalg.qr((x[1:] - x[0]).T)[0] if n > 1 else np.zeros((6, 0))
    np.testing.assert_allclose(new - new @ plane @ plane.T, 0, atol=1e-6)


def test_a_point_mass_is_sampled_at_its_point():
    f = MultivariateNormal([1.0, 2.0], np.zeros((2, 2)))
    assert f.sample(np.random.default_rng(0), 3).tolist() == [[1.0, 2.0]] * 3
    assert f.log_density(np.array([[1.0, 2.0], [1.0, 2.1]])).tolist() == [np.inf, -np.inf]


def test_an_asymmetry_from_rounding_is_taken_out():
    f = MultivariateNormal([0.0, 0.0], [[1.0, 0.5], [0.5 + 1e-12, 1.0]])
    assert f.cov[0, 1] == f.cov[1, 0]


def test_a_negative_eigenvalue_is_refused_when_it_is_used():
    f = MultivariateNormal([0.0, 0.0], [[1.0, 2.0], [2.0, 1.0]])
    with pytest.raises(ValueError, match=r"cov must not have negative eigenvalues; the small"):
        f.sample(np.random.default_rng(0), 1)
    with pytest.raises(ValueError, match=r"the smallest is -1, the largest 3"):
        f.log_density(np.zeros((1, 2)))


@pytest.mark.parametrize(
    ("mean", "cov", "message"),
    [
        ([0.0, 0.0], np.eye(3), r"^MultivariateNormal\.cov must have shape \(2, 2\) .* \(3, 3\)$"),
        (
            [0.0, 0.0],
            np.ones((2, 3)),
            r"^MultivariateNormal\.cov must be square; got shape \(2, 3",
        ),
        ([0.0], [1.0], r"^MultivariateNormal\.cov must have 2 axes"),
        ([0.0, 0.0], [[1.0, 0.5], [0.0, 1.0]], r"^MultivariateNormal\.cov must be symmetric"),
        ([0.0, 0.0], [[1.0, 0.0], [0.0, -2.0]], r"cov must have no negative variance; got -2$"),
        ([0.0], [[np.nan]], r"^MultivariateNormal\.cov must be finite; got nan at index \(0, 0\)$"),
        ([np.nan], [[1.0]], r"^MultivariateNormal\.mean must be finite; got nan at index 0$"),
    ],
)
def test_a_bad_parameter_is_named_with_its_place_and_value(mean, cov, message):
    with pytest.raises(ValueError, match=message):
        MultivariateNormal(mean, cov)
