"""Nataf's correlation: against closed forms, and by the way there."""

import numpy as np
import pytest
from scipy import stats

from problems.rare_event import nataf_correlation
from problems.rare_event.limit_state.space import StandardSpace


def of_pair(one, other, rho):
    return nataf_correlation([one, other], [[1, rho], [rho, 1]])[0, 1]


RHO = pytest.mark.parametrize("rho", [-0.3, -0.01, 0.0, 0.2, 0.55])
A, B = stats.lognorm(0.4, scale=3), stats.lognorm(0.9)
DELTA = [float(m.std() / m.mean()) for m in (A, B)]  # coefficients of variation


@RHO
def test_normal_variables_keep_theirs(rho):
    assert of_pair(stats.norm(3, 2), stats.norm(0, 1), rho) == pytest.approx(rho, abs=1e-13)


@RHO
def test_lognormal_variables_have_the_closed_form(rho):
    expected = np.log1p(rho * DELTA[0] * DELTA[1]) / (0.4 * 0.9)
    assert of_pair(A, B, rho) == pytest.approx(expected, abs=1e-11)


@RHO
def test_a_normal_and_a_lognormal_variable_have_the_closed_form(rho):
    expected = rho * DELTA[1] / 0.9
    assert of_pair(stats.norm(), B, rho) == pytest.approx(expected, abs=1e-11)


@RHO
def test_uniform_variables_have_the_closed_form(rho):
    expected = 2 * np.sin(np.pi * rho / 6)
    assert of_pair(stats.uniform(), stats.uniform(3, 2), rho) == pytest.approx(expected, abs=1e-11)


@RHO
def test_a_uniform_and_a_normal_variable_have_the_closed_form(rho):
    expected = rho * np.sqrt(np.pi / 3)
    assert of_pair(stats.uniform(), stats.norm(), rho) == pytest.approx(expected, abs=1e-11)


def test_the_variables_have_the_correlation_that_was_asked_for():
    marginals = [stats.gamma(2), stats.gumbel_r(1, 2), stats.weibull_min(1.5), stats.expon()]
    wanted = np.full((4, 4), 0.3) + 0.7 * np.eye(4)
    wanted[0, 3] = wanted[3, 0] = -0.2
    found = nataf_correlation(marginals, wanted)
    z, w = np.polynomial.hermite_e.hermegauss(60)
    pairs = np.array(np.meshgrid(z, z)).reshape(2, -1).T
    weight = np.outer(w, w).ravel() / w.sum() ** 2
    for i in range(4):
        for j in range(i):
            pair = [marginals[i], marginals[j]]
            x = StandardSpace.of(pair, found[np.ix_([i, j], [i, j])]).to_physical(pairs)
            a, b = (x - weight @ x).T
            rho = weight @ (a * b) / np.sqrt((weight @ a**2) * (weight @ b**2))
            assert rho == pytest.approx(wanted[i, j], abs=1e-5)


def test_a_correlation_out_of_reach_is_refused_with_what_is_in_reach():
    delta = DELTA[1]
    low = np.expm1(-(0.9**2)) / delta**2
    with pytest.raises(ValueError, match=rf"1 and 2 .* correlation -0\.9: .* allow {low:.6g} to 1"):
        of_pair(B, B, -0.9)


@pytest.mark.parametrize(
    ("marginals", "error", "message"),
    [
        ([stats.norm(), stats.poisson(2)], TypeError, "number 2, poisson.2., is discrete"),
        ([stats.norm(), stats.pareto(2.001)], ValueError, "marginal 2 .* tails are too heavy"),
        ([stats.cauchy(), stats.norm()], ValueError, "marginal 1 must have a variance"),
        ([stats.pareto(1.5), stats.norm()], ValueError, "marginal 1 .* its variance is inf"),
    ],
)
def test_marginals_that_do_not_fit_are_named(marginals, error, message):
    with pytest.raises(error, match=message):
        nataf_correlation(marginals, np.eye(2))


def test_pairs_that_contradict_one_another_are_refused():
    wanted = np.full((3, 3), -0.49) + 1.49 * np.eye(3)
    nataf_correlation([stats.norm()] * 3, wanted)
    with pytest.raises(ValueError, match="positive definite"):
        nataf_correlation([stats.expon()] * 3, wanted)
