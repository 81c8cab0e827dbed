"""Sensitivities to the marginals of a limit state, against planes of normal variables."""

import math

import numpy as np
import pytest
from scipy import stats

from cem.families import Normal
from cem.weighted import WeightedSample
from cem.weights import likelihood_ratio
from problems.rare_event.limit_state import LimitState
from problems.rare_event.sensitivity import Marginal, marginal_sensitivities

A, MEAN, STD = np.array([1.0, -2.0, 0.5]), np.array([10.0, 1.0, 4.0]), np.array([1.0, 0.5, 2.0])
CORRELATION = np.array([[1.0, 0.4, 0.0], [0.4, 1.0, -0.3], [0.0, -0.3, 1.0]])


def plane(x):
    return x @ A


def drawn(problem, design_point, n=40_000):
    """Samples about the design point, in standard normal space."""
    nominal = problem.nominal()
    v = Normal(design_point, np.ones(len(design_point)))
    u = v.sample(np.random.default_rng(0), n)
    return WeightedSample(u, problem(u), likelihood_ratio(nominal, v, u), nominal, problem.gamma)


def within(found, error, exact):
    return abs(found - exact) <= 4.5 * error and error < 0.05 * abs(exact)


@pytest.mark.parametrize("correlation", [None, CORRELATION], ids=["independent", "correlated"])
def test_a_plane_of_normals_moves_as_its_normal_law_says(correlation):
    problem = LimitState(
        plane, [stats.norm(m, scale=s) for m, s in zip(MEAN, STD, strict=True)], correlation
    )
    r = np.eye(3) if correlation is None else correlation
    covariance = r * np.outer(STD, STD)
    mean, variance = A @ MEAN, A @ covariance @ A
    beta = mean / math.sqrt(variance)
    gradient = np.linalg.cholesky(r).T @ (A * STD)
    sample = drawn(problem, -beta * gradient / np.linalg.norm(gradient))
    phi = stats.norm.pdf(beta)
    to_mean = -phi * A / math.sqrt(variance)
    to_std = phi * beta / variance * A * (r @ (A * STD))
    tally = sample.tally()
    assert within(tally.probability, tally.std_error, stats.norm.cdf(-beta))
    for j, found in enumerate(marginal_sensitivities(problem, sample)):
        assert list(found) == ["loc", "scale"]
        for name, exact in [("loc", to_mean[j]), ("scale", to_std[j])]:
            assert within(found[name].derivative[0], found[name].std_error[0], exact)
            relative = exact / stats.norm.cdf(-beta)
            assert within(found[name].relative[0], found[name].relative_std_error[0], relative)


def test_a_lognormal_moves_with_its_shape_and_scale_and_not_with_its_support():
    problem = LimitState(lambda x: 60.0 - x[:, 0], [stats.lognorm(0.8, scale=3.0)])
    beta = math.log(20) / 0.8
    (found,) = marginal_sensitivities(problem, drawn(problem, np.array([beta])))
    phi = stats.norm.pdf(beta)
    assert within(found["s"].derivative[0], found["s"].std_error[0], phi * beta / 0.8)
    assert within(found["scale"].derivative[0], found["scale"].std_error[0], phi / (0.8 * 3.0))
    assert math.isnan(found["loc"].derivative[0])
    assert found["loc"].reasons[0,].startswith("the support moves with loc")


def test_a_correlated_exponential_moves_as_differences_of_exact_integrals():
    rho, level = 0.6, 6.0

    def exact(scale):
        """``P(X + Y > level)`` of a copula: X exponential with this scale, Y normal."""
        z, w = np.polynomial.legendre.leggauss(400)
        z = 9 * z
        x = -scale * np.log(stats.norm.sf(z))
        return 9 * w @ (stats.norm.pdf(z) * stats.norm.sf((level - x - rho * z) / math.sqrt(0.64)))

    problem = LimitState(
        lambda x: level - x[:, 0] - x[:, 1],
        [stats.expon(scale=1.0), stats.norm()],
        [[1.0, rho], [rho, 1.0]],
    )
    sample = drawn(problem, np.array([2.2, 0.7]))
    tally = sample.tally()
    assert within(tally.probability, tally.std_error, exact(1.0))
    found = marginal_sensitivities(problem, sample)[0]["scale"]
    assert within(found.derivative[0], found.std_error[0], (exact(1.001) - exact(0.999)) / 0.002)


def test_parameters_that_a_distribution_does_not_have_are_refused():
    with pytest.raises(ValueError, match=r"^gamma is not defined at"):
        Marginal.of(stats.gamma(2.0)).replace(a=np.array([-1.0]))
    assert Marginal.of(stats.gamma(2.0)).parameters() == {"a": [2.0], "loc": [0.0], "scale": [1.0]}


def test_discrete_marginals_are_refused():
    problem = LimitState(lambda x: x[:, 0] - 5, [stats.norm(9), stats.poisson(3)])
    u = np.random.default_rng(0).normal(size=(10, 2)) - 20
    sample = WeightedSample(u, problem(u), np.zeros(10), problem.nominal(), 0.0)
    with pytest.raises(
        TypeError, match=r"^marginal_sensitivities needs continuous marginals; number 2, poisson"
    ):
        marginal_sensitivities(problem, sample)
