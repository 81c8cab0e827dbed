"""Ruin: paths by definition, probabilities by closed forms and quadrature, the tilt of theory."""

import math

import numpy as np
import pytest
from scipy.integrate import dblquad
from scipy.linalg import expm

import cem
from cem.families.paths import Paths
from cem.testing import ProblemContract
from problems import load
from problems.rare_event.ruin import Ruin


class TestRuin(ProblemContract):
    problem = Ruin(gamma=5.0, n_claims=20)


class TestRuinByErlangClaims(ProblemContract):
    problem = Ruin(gamma=5.0, loading=0.2, n_claims=10, stages=3)


def test_the_score_is_the_largest_excess_of_claims_over_premiums():
    ruin = Ruin(gamma=5.0, loading=0.5, n_claims=30)
    x = ruin.nominal().sample(np.random.default_rng(0), 200)
    expected = []
    for i in range(len(x)):
        excess, largest = 0.0, -math.inf
        for wait, claim in x[i]:
            excess += claim - 1.5 * wait
            largest = max(largest, excess)
        expected.append(largest)
        assert len(x[i]) == 30 or largest >= 5
    np.testing.assert_allclose(ruin(x), expected, rtol=1e-12, atol=1e-12)


def test_two_claims_may_be_worse_together_than_each_alone():
    x = Paths(np.array([[1.0, 2.0], [0.0, 3.0], [1.0, 1.0]]), [3])
    assert Ruin(gamma=9.0, loading=0.0, n_claims=3)(x).tolist() == [4.0]


@pytest.mark.parametrize("gamma", [1.0, 10.0, 40.0])
def test_the_first_claim_ruins_with_the_closed_form(gamma):
    assert Ruin(gamma, 0.5, 1).exact() == pytest.approx(math.exp(-gamma) / 2.5, rel=1e-13)


def test_the_second_claim_ruins_with_the_probability_of_the_quadrature():
    u, c = 3.0, 1.2

    def survives_and_is_ruined(claim, wait):
        left = u + c * wait - claim  # the capital after the first claim
        return math.exp(-wait - claim) * math.exp(-left) / (1 + c)

    second = dblquad(survives_and_is_ruined, 0, 60, 0, lambda wait: u + c * wait, epsabs=1e-12)[0]
    expected = math.exp(-u) / (1 + c) + second
    assert Ruin(u, 0.2, 2).exact() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("gamma", "loading"), [(5.0, 0.5), (20.0, 0.5), (50.0, 1.0)])
def test_after_very_many_claims_ruin_has_the_closed_form_of_cramer_and_lundberg(gamma, loading):
    expected = math.exp(-loading * gamma / (1 + loading)) / (1 + loading)
    assert Ruin(gamma, loading, 2000).exact() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("stages", [2, 3])
def test_after_very_many_erlang_claims_ruin_has_the_phase_type_tail(stages):
    """The ladder heights of phase-type claims are of phase type: a matrix exponential."""
    phases = stages * (np.eye(stages, k=1) - np.eye(stages))
    leave = -phases.sum(axis=1)
    begin = -np.eye(stages)[0] @ np.linalg.inv(phases) / 1.5
    expected = begin @ expm((phases + np.outer(leave, begin)) * 15.0) @ np.ones(stages)
    assert Ruin(15.0, 0.5, 2000, stages).exact() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("stages", [1, 3])
def test_crude_monte_carlo_agrees(stages):
    ruin, n = Ruin(4.0, 0.2, 15, stages), 50_000
    hits = (ruin(ruin.nominal().sample(np.random.default_rng(0), n)) >= 4.0).mean()
    p = ruin.exact()
    assert abs(hits - p) < 5 * math.sqrt(p * (1 - p) / n)


def test_more_claims_and_less_capital_are_more_dangerous():
    p = [Ruin(10.0, 0.5, n).exact() for n in (1, 2, 10, 100)]
    q = [Ruin(gamma, 0.5, 10).exact() for gamma in (10.0, 5.0, 1.0)]
    assert p == sorted(p)
    assert q == sorted(q)


@pytest.mark.parametrize("ruin", [Ruin(20.0, 0.5, 60), Ruin(12.0, 0.5, 40, 2)])
def test_the_estimate_is_right_and_precise(ruin):
    found = cem.estimate(ruin, n_final=5000, rng=3)
    assert found.success
    assert found.relative_error < 0.03
    assert abs(found.probability - ruin.exact()) < 4 * found.std_error


def test_the_tilt_is_that_of_lundberg_who_swaps_the_rates():
    """Claims of rate 1 and premiums of rate 1 / 1.5 trade places, for ruin at any time."""
    found = cem.estimate(Ruin(20.0, 0.5, 100), n_final=1000, rng=4)
    np.testing.assert_allclose(found.family.step.mean, [1 / 1.5, 1.5], rtol=0.05)


def test_it_is_found_by_name():
    assert load("ruin", gamma=3.0, stages=2).stages == 2


@pytest.mark.parametrize(
    ("settings", "error", "complaint"),
    [
        ({"gamma": 0.0}, ValueError, "gamma, the capital, must be positive"),
        ({"loading": -1.0}, ValueError, "loading must be above -1.*got -1.0"),
        ({"loading": math.nan}, ValueError, "loading must be above -1.*got nan"),
        ({"n_claims": 0}, ValueError, "n_claims must be at least 1; got 0"),
        ({"n_claims": 1.5}, TypeError, "n_claims must be a whole number; got 1.5"),
        ({"stages": 0}, ValueError, "stages must be at least 1; got 0"),
    ],
)
def test_what_is_wrong_with_a_setting_is_said(settings, error, complaint):
    with pytest.raises(error, match=complaint):
        Ruin(**settings)
