"""LowRankNormal keeps the family contract; its numbers beside those of the full matrix; its fit."""

import tracemalloc

import numpy as np
import pytest
from scipy.optimize import minimize

from cem import MultivariateNormal, Normal
from cem.checkpoint import dumps, loads
from cem.families.low_rank_normal import OWN, LowRankNormal
from cem.loss import empirical_cross_entropy, entropy, kl_divergence
from cem.state import History, State
from cem.testing import FamilyContract


def some(d, k, seed=0):
    rng = np.random.default_rng(seed)
    return LowRankNormal(
        rng.normal(size=d), np.exp(0.5 * rng.normal(size=d)), rng.normal(size=(d, k))
    )


def covariance(f):
    return np.diag(f.std**2) + f.factor @ f.factor.T


def full(f):
    return MultivariateNormal(f.mean, covariance(f))


class TestOneFactor(FamilyContract):
    family = some(4, 1)
    outside = ([np.inf, 0.0, 0.0, 0.0],)
    rtol = 1e-5  # the loss is flat at its minimum: rounding of it moves the parameters by more


class TestTwoFactors(FamilyContract):
    family = some(7, 2, seed=1)
    rtol = 1e-5


class TestExtremeScales(FamilyContract):
    family = LowRankNormal(
        [1e-60, 1e60, 0.0, 5.0],
        [1e-60, 2e60, 1.0, 1.0],
        [[2e-60], [3e60], [-1.0], [2.0]],
    )
    rtol = 1e-5


def test_density_entropy_and_divergence_are_those_of_the_full_matrix():
    f, g = some(6, 2), some(6, 3, seed=1)
    x = np.random.default_rng(2).normal(size=(50, 6)) * 4
    np.testing.assert_allclose(f.log_density(x), full(f).log_density(x), rtol=1e-12)
    assert entropy(f) == pytest.approx(entropy(full(f)), rel=1e-13)
    assert kl_divergence(f, g) == pytest.approx(kl_divergence(full(f), full(g)), rel=1e-12)
    assert kl_divergence(g, f) == pytest.approx(kl_divergence(full(g), full(f)), rel=1e-12)
    np.testing.assert_allclose(f.spread(), full(f).spread(), rtol=1e-14)


def test_without_a_factor_it_is_the_normal_with_independent_coordinates():
    f, g = LowRankNormal([1.0, 2.0], [2.0, 3.0], np.zeros((2, 1))), Normal([1.0, 2.0], [2.0, 3.0])
    x = np.random.default_rng(0).normal(size=(50, 2)) * 4
    np.testing.assert_allclose(f.log_density(x), g.log_density(x), rtol=1e-14)
    assert entropy(f) == pytest.approx(entropy(g), rel=1e-15)


def test_the_density_is_right_however_strong_the_factor_is():
    f = LowRankNormal([0.0, 0.0], [1.0, 1.0], [[1e7], [1e7]])
    # x = (t, t) + (a, -a): along (1, 1) the variance is 1 + 2e14, across it is 1
    for t, a in [(0.0, 3.0), (1e7, 0.5), (-3e7, 2.0)]:
        square = 2 * t**2 / (1 + 2e14) + 2 * a**2
        expected = -0.5 * (square + np.log(1 + 2e14)) - np.log(2 * np.pi)
        assert f.log_density([[t + a, t - a]])[0] == pytest.approx(expected, rel=1e-8)


def test_a_sample_has_the_covariance():
    f = some(3, 2)
    x = f.sample(np.random.default_rng(0), 100_000)
    exact = covariance(f)
    error = np.sqrt((np.outer(np.diag(exact), np.diag(exact)) + exact**2) / 100_000)
    assert (abs(np.cov(x.T, ddof=0) - exact) < 5 * error).all()


def test_a_fit_to_two_coordinates_has_their_covariance_exactly():
    rng = np.random.default_rng(0)
    x, w = some(2, 1).sample(rng, 50), rng.exponential(size=50)
    fitted = some(2, 1, seed=5).fit(x, w)
    np.testing.assert_allclose(fitted.mean, np.average(x, axis=0, weights=w), rtol=1e-14)
    np.testing.assert_allclose(covariance(fitted), np.cov(x.T, aweights=w, ddof=0), rtol=1e-6)


def test_a_fit_to_three_coordinates_with_one_factor_solves_the_three_equations():
    # c_12 = a b, c_13 = a c, c_23 = b c: Spearman's triad
    x = LowRankNormal(np.zeros(3), np.ones(3), [[1.0], [2.0], [-1.0]]).sample(
        np.random.default_rng(0), 500
    )
    fitted = some(3, 1).fit(x, np.ones(500))
    c = np.cov(x.T, ddof=0)
    first = np.sqrt(c[0, 1] * c[0, 2] / c[1, 2])
    assert abs(fitted.factor[0, 0]) == pytest.approx(first, rel=1e-6)
    np.testing.assert_allclose(covariance(fitted), c, rtol=1e-6)


@pytest.mark.parametrize(("n", "d", "k"), [(200, 6, 2), (30, 8, 3), (5, 6, 2), (3, 6, 4)])
def test_a_general_search_over_all_parameters_finds_no_larger_likelihood(n, d, k):
    rng = np.random.default_rng(n)
    x, w = some(d, k).sample(rng, n), rng.exponential(size=n)
    fitted = some(d, k).fit(x, w)
    least = empirical_cross_entropy(fitted.log_density(x), w)
    floor = np.sqrt(OWN * np.diag(np.cov(x.T, aweights=w, ddof=0)))

    def loss(v):
        rival = fitted.replace(std=np.exp(v[:d]), factor=v[d:].reshape(d, k))
        return empirical_cross_entropy(rival.log_density(x), w)

    start = np.concatenate([np.log(fitted.std), fitted.factor.ravel()])
    start += 1e-3 * rng.normal(size=start.size)
    bounds = [(lo, None) for lo in np.log(floor)] + [(None, None)] * (d * k)
    found = minimize(loss, np.maximum(start, np.log(1e-300)), bounds=bounds, method="L-BFGS-B")
    assert least <= found.fun + 1e-10


def test_the_fit_holds_for_any_number_of_samples_and_factors():
    for n in (1, 2, 3, 10):
        for k in (1, 4, 9):
            x = some(6, 2).sample(np.random.default_rng(n), n)
            fitted = some(6, k).fit(x, np.ones(n))
            np.testing.assert_allclose(fitted.spread(), x.std(axis=0), rtol=0.2, atol=1e-15)
            assert (fitted.std >= np.sqrt(OWN) * x.std(axis=0) * (1 - 1e-9)).all()
            assert np.isfinite(fitted.sample(np.random.default_rng(0), 5)).all()


def test_two_coordinates_that_are_one_keep_a_little_of_their_own():
    t = np.random.default_rng(0).normal(size=40)
    fitted = some(3, 1).fit(np.stack([t, 2 * t, np.cos(9 * t)], axis=1), np.ones(40))
    np.testing.assert_allclose(fitted.std[:2], np.sqrt(OWN) * np.array([1, 2]) * t.std(), rtol=1e-6)


def test_a_coordinate_that_is_the_same_in_all_samples_collapses_and_the_others_do_not():
    x = some(3, 1).sample(np.random.default_rng(0), 20)
    x[:, 1] = 7.0
    fitted = some(3, 1).fit(x, np.ones(20))
    assert (fitted.mean[1], fitted.std[1], fitted.factor[1].tolist()) == (7.0, 0.0, [0.0])
    assert (fitted.sample(np.random.default_rng(0), 5)[:, 1] == 7.0).all()
    off = x[:2] + np.array([[0, 0, 0], [0, 1, 0]])
    assert fitted.log_density(off).tolist() == [np.inf, -np.inf]
    assert entropy(fitted) == -np.inf
    assert kl_divergence(fitted, fitted) == 0
    assert kl_divergence(fitted, some(3, 1)) == np.inf
    half = some(3, 1).smooth(fitted, 0.5)
    assert np.isfinite(half.log_density(x)).all()


def test_a_fit_lies_as_near_to_the_factor_before_as_a_rotation_can_bring_it():
    f = some(20, 3)
    x = f.sample(np.random.default_rng(0), 2000)
    fitted = f.fit(x, np.ones(2000))
    assert np.linalg.norm(fitted.factor - f.factor) < 0.2 * np.linalg.norm(f.factor)
    turned = f.replace(
        factor=f.factor @ np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    )
    again = turned.fit(x, np.ones(2000))
    np.testing.assert_allclose(covariance(again), covariance(fitted), atol=1e-5)
    assert np.linalg.norm(again.factor - turned.factor) < 0.2 * np.linalg.norm(f.factor)


def test_a_member_no_narrower_than_independent_coordinates_has_all_their_variance():
    f, nominal = some(5, 2), LowRankNormal(np.zeros(5), np.full(5, 1.2), np.zeros((5, 2)))
    raised = f.no_narrower_than(nominal)
    assert np.linalg.eigvalsh(covariance(raised) - covariance(nominal))[0] > -1e-12
    assert raised.factor.tolist() == f.factor.tolist()


def test_thousands_of_coordinates_take_no_memory_of_the_size_of_the_matrix():
    d = 5000
    f = some(d, 5)
    x = f.sample(np.random.default_rng(0), 30)
    tracemalloc.start()
    fitted = f.fit(x, np.ones(30))
    fitted.log_density(x)
    assert np.isfinite(kl_divergence(fitted, f))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 0.3 * 8 * d**2


def test_a_checkpoint_keeps_the_factor():
    f = some(4, 2)
    assert loads(dumps(State(f), History(), {}), f).state.v.factor.tolist() == f.factor.tolist()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.0, 0.0], [1.0], [[1.0]]), r"of the mean, of shape \(2,\); got shapes \(1,\) and \(1,"),
        (([0.0], [0.0], [[1.0]]), r"std must be positive where the factor .* got 0 at index 0$"),
        (([0.0], [-1.0], [[1.0]]), r"^LowRankNormal\.std must be finite and not negative; got -1"),
        (([0.0], [1.0], [1.0]), r"^LowRankNormal\.factor must have 2 axes"),
        (([0.0], [1.0], [[np.nan]]), r"^LowRankNormal\.factor must be finite; got nan"),
    ],
)
def test_a_bad_parameter_is_named_with_its_place_and_value(arguments, message):
    with pytest.raises(ValueError, match=message):
        LowRankNormal(*arguments)
