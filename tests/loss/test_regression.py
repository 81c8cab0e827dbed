"""Losses of real-valued predictions: the normal density's and the squared error."""

import numpy as np
import pytest
from scipy import optimize, stats

from cem import Normal
from cem.loss import empirical_cross_entropy, gaussian_nll, mean_squared_error

RNG = np.random.default_rng(0)
Y, MEAN = RNG.normal(size=(2, 20))
STD = RNG.uniform(0.1, 3, 20)
W = RNG.random(20)


def test_it_is_minus_the_logarithm_of_a_normal_density():
    found = gaussian_nll(Y, MEAN, STD, reduction="none")
    np.testing.assert_allclose(found, -stats.norm.logpdf(Y, MEAN, STD), rtol=1e-13)
    assert gaussian_nll([0.0], [0.0], 1.0) == pytest.approx(0.918938533204672742, rel=1e-15)
    assert gaussian_nll([3.0], [3.0], 0.01) == pytest.approx(-3.68623165278341873, rel=1e-15)


@pytest.mark.parametrize("std", [0.01, 1.0, 30.0])
def test_at_a_fixed_scale_it_is_the_mean_squared_error_but_for_two_constants(std):
    mse = mean_squared_error(Y, MEAN)
    expected = mse / (2 * std**2) + np.log(std * np.sqrt(2 * np.pi))
    assert gaussian_nll(Y, MEAN, std) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    "loss", [lambda m: gaussian_nll(Y, m, 2.0), lambda m: mean_squared_error(Y, m)]
)
def test_both_losses_have_their_least_value_at_the_mean(loss):
    found = optimize.minimize_scalar(lambda m: loss(np.full(20, m)), bracket=(-1, 1))
    assert found.x == pytest.approx(Y.mean(), abs=1e-7)


def test_it_is_the_cross_entropy_that_the_fit_of_a_normal_density_minimises():
    f = Normal([0.5], [2.0])
    expected = empirical_cross_entropy(f.log_density(Y[:, None]), W)
    found = gaussian_nll(Y, np.full(20, 0.5), 2.0, sample_weight=W)
    assert found == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("loss", [gaussian_nll, mean_squared_error])
def test_the_reductions_weigh_and_keep_or_lose_the_shape(loss):
    scale = (STD,) if loss is gaussian_nll else ()
    losses = loss(Y, MEAN, *scale, reduction="none")
    assert losses.shape == Y.shape
    assert loss(Y, MEAN, *scale) == pytest.approx(losses.mean(), rel=1e-14)
    assert loss(Y, MEAN, *scale, reduction="sum") == pytest.approx(losses.sum(), rel=1e-14)
    weighted = loss(Y, MEAN, *scale, sample_weight=W)
    assert weighted == pytest.approx((W @ losses) / W.sum(), rel=1e-14)
    found = loss(Y, MEAN, *scale, sample_weight=W, reduction="none")
    np.testing.assert_allclose(found, W * losses, rtol=1e-15)


def test_the_square_of_the_difference_of_labels_and_probabilities_is_the_brier_score():
    assert mean_squared_error([1, 0, 1], [0.9, 0.2, 0.4]) == pytest.approx(0.41 / 3, rel=1e-15)


def test_one_target_is_compared_with_a_batch_of_predictions():
    means = RNG.normal(size=(3, 20))
    found = gaussian_nll(Y, means, STD, reduction="none")
    expected = [gaussian_nll(Y, m, STD, reduction="none") for m in means]
    np.testing.assert_array_equal(found, expected)


def test_single_precision_is_computed_and_summed_in_double():
    y, mean = RNG.normal(1, 1, (2, 100_001)).astype(np.float32)
    a, b = y.astype(float), mean.astype(float)
    assert mean_squared_error(y, mean) == pytest.approx(((a - b) ** 2).mean(), rel=1e-14)
    assert gaussian_nll(y, mean, 0.1) == pytest.approx(gaussian_nll(a, b, 0.1), rel=1e-14)
    assert mean_squared_error(y, mean, reduction="none").dtype == np.float32


def test_a_distance_too_large_for_a_float_costs_infinitely_much():
    assert mean_squared_error([0.0], [1e200]) == np.inf
    assert gaussian_nll([0.0], [1e200], 1.0) == np.inf


def test_what_has_no_weight_does_not_count_however_far_it_is():
    assert mean_squared_error([1e200, 1.0], [0.0, 0.0], sample_weight=[0, 2]) == 1
