"""Coordinates that the event does not need keep the nominal density."""

import numpy as np
import pytest
from scipy.special import ndtr

import cem
from cem import Bernoulli, Constant, Exponential, LogNormal, Normal, Settling, State
from cem.checkpoint import dumps, loads
from cem.screening import Screened
from cem.smoothing import Fit
from cem.weights import likelihood_ratio


def screened(u, v_hat, delta):
    fit = Fit(None, None, 0.0, None, None, v_hat)
    return Screened(Constant(1.0), u, delta)(State(u), fit)[0].parameters()


def test_a_coordinate_that_moved_by_less_than_delta_keeps_the_nominal_parameter():
    u = Bernoulli([0.5, 0.5, 0.01, 0.0])
    p = screened(u, Bernoulli([0.54, 0.44, 0.02, 0.25]), delta=0.1)["p"]
    assert p.tolist() == [0.5, 0.44, 0.02, 0.25]


@pytest.mark.parametrize("family", [Normal, LogNormal])
def test_a_mean_moves_relative_to_the_nominal_std_and_takes_the_std_along(family):
    u = family([100.0, 0.0, 0.0, 5.0], [2.0, 2.0, 2.0, 1.0])
    v_hat = family([100.3, 0.1, 0.1, 5.0], [2.0, 2.05, 2.3, 1.05])
    mean, std = screened(u, v_hat, delta=0.1).values()
    assert mean.tolist() == [100.3, 0.0, 0.1, 5.0]
    assert std.tolist() == [2.0, 2.0, 2.3, 1.0]


def test_what_is_screened_is_what_the_other_smoothing_gives():
    u, v_hat = Exponential([1.0, 1.0]), Exponential([1.3, 3.0])
    fit = Fit(None, None, 5.0, None, None, v_hat)
    v, memory = Screened(Settling(gamma=5.0, alpha=0.5), u, 0.2)(State(u), fit)
    assert v.mean.tolist() == [1.0, 2.0]
    assert memory["settled"].tolist() == [1]


def test_a_screened_coordinate_drops_out_of_the_likelihood_ratio():
    u = Normal([0.0] * 5, [1.0] * 5)
    v = u.replace(**screened(u, Normal([2.0, 0.1, -0.1, 0.0, 0.05], [1.0] * 5), delta=0.3))
    x = np.random.default_rng(1).standard_normal((50, 5))
    only = likelihood_ratio(Normal([0.0], [1.0]), Normal([2.0], [1.0]), x[:, :1])
    np.testing.assert_allclose(likelihood_ratio(u, v, x), only, rtol=1e-9, atol=1e-12)


def of_two(x):
    return (x[:, 0] + x[:, 1]) / np.sqrt(2)


def test_in_high_dimension_screening_makes_estimates_precise():
    u, gamma, exact = Normal([0.0] * 100, [1.0] * 100), 4.0, ndtr(-4.0)
    settings = {"n_samples": 1000, "n_final": 5000}
    smooth = Screened(Settling(gamma, 0.9), u, delta=0.5)
    runs = [
        cem.estimate(of_two, u, gamma, smooth=smooth, rng=seed, **settings) for seed in range(10)
    ]
    settings["method"] = "multilevel"
    plain = [cem.estimate(of_two, u, gamma, rng=seed, **settings) for seed in range(10)]
    for run in runs:
        assert run.success
        assert run.family.mean[2:].tolist() == [0.0] * 98
        assert run.family.std[2:].tolist() == [1.0] * 98
        assert (run.family.mean[:2] > 2).all()
    p = np.array([run.probability for run in runs]) / exact
    assert abs(p.mean() - 1) < 5 * p.std() / np.sqrt(10)
    error = np.median([run.relative_error for run in runs])
    assert error < 0.05
    assert error < np.median([run.relative_error for run in plain]) * 0.75


def test_families_whose_coordinates_depend_are_refused():
    u = cem.MultivariateNormal([0.0, 0.0], np.eye(2))
    with pytest.raises(
        ValueError, match=r"independent coordinates, .* MultivariateNormal with mea"
    ):
        Screened(Constant(), u)


@pytest.mark.parametrize("delta", [0, -1, np.nan, np.inf])
def test_a_delta_that_is_none_is_refused(delta):
    with pytest.raises(ValueError, match=r"^delta, .* must be positive and finite; got"):
        Screened(Constant(), Bernoulli([0.5]), delta)


def test_only_smoothings_are_wrapped():
    with pytest.raises(TypeError, match=r"^Screened wraps a smoothing"):
        Screened(0.7, Bernoulli([0.5]))


def test_a_run_cut_after_any_iteration_and_resumed_gives_the_same_bits(same_run):
    u = Normal([0.0] * 4, [1.0] * 4)
    settings = {"smooth": Screened(Settling(4.0, 0.9), u, 0.3), "n_samples": 100, "rng": 3}
    saved = []
    whole = cem.estimate(
        of_two, u, 4.0, **settings, callback=lambda state, record: saved.append((state, record))
    )
    for t, (state, _) in enumerate(saved, start=1):
        start = loads(dumps(state, cem.History(whole.history[:t]), {}), u)[:2]
        assert same_run(cem.estimate(of_two, u, 4.0, **settings, start=start), whole)
