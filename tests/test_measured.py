"""What an estimate tells: its sample gives the same figure, in the problem's variables."""

import math

import numpy as np
import pytest
from scipy import stats

import cem
from cem import Bernoulli, Exponential, MultivariateNormal, Normal
from cem.measured import levels_of
from cem.methods import METHODS
from cem.stopping import Stop
from cem.tally import Tally
from problems.rare_event.bridge import Bridge


def total(x):
    return x.sum(axis=1)


CASES = {
    "default": (Bridge(1.5), None, None, {}),
    "levels": (Bridge(1.5), None, None, {"method": "multilevel"}),
    "a budget": (total, Exponential([1.0] * 2), 12.0, {"rtol": 1e-3, "max_evaluations": 6000}),
    "blocks": (total, Exponential([1.0] * 2), 12.0, {"n_final": 1130}),
    "correlated": (
        total,
        MultivariateNormal([1.0, 2.0], [[1.0, 0.5], [0.5, 2.0]]),
        12.0,
        {"n_final": 700},
    ),
    "coins": (total, Bernoulli([0.2] * 10), 8.0, {}),
    "crude": (total, Normal([0.0], [1.0]), 1.0, {"method": "crude", "n_final": 2050}),
    "not reached": (total, Normal([0.0], [1.0]), 3.0, {"max_iterations": 1, "n_samples": 50}),
}


@pytest.mark.parametrize("name", CASES)
def test_the_sample_of_an_estimate_gives_the_estimate(name):
    problem, nominal, gamma, settings = CASES[name]
    found = cem.estimate(problem, nominal, gamma, rng=1, **settings)
    sample = found.sample()
    nominal = problem.nominal() if nominal is None else nominal
    level = problem.gamma if gamma is None else gamma
    assert len(sample) == found.tally.n
    assert sample.gamma == level
    w = np.exp(sample.log_w) * (sample.score >= level)
    assert w.mean() == pytest.approx(found.probability, rel=1e-12)
    assert w.std(ddof=1) / math.sqrt(len(w)) == pytest.approx(found.std_error, rel=1e-9)
    again = sample.tally()
    assert again.probability == pytest.approx(found.probability, rel=1e-12)
    assert again.interval() == pytest.approx(found.confidence_interval(), rel=1e-9)
    np.testing.assert_array_equal(problem(sample.x), sample.score)
    np.testing.assert_equal(sample.nominal.parameters(), nominal.parameters())


@pytest.mark.parametrize("method", METHODS)
def test_the_sample_of_every_method_gives_the_estimate_and_conditional_means(method):
    u = Exponential([1.0, 1.0])
    found = cem.estimate(total, u, 2.0, method=method, rng=1)
    sample = found.sample()
    assert sample.tally().probability == pytest.approx(found.probability, rel=1e-12)
    mean = sample.mean(total)  # of a gamma density of shape two beyond 2: 2 + (2 + 3) / (1 + 2)
    assert abs(mean.value - (2 + 4 / 3)) < 4.5 * mean.std_error


def test_the_conditional_mean_given_the_event_is_in_the_problems_variables():
    u = Exponential([2.0])
    sample = cem.estimate(total, u, 40.0, rtol=0.02, rng=1).sample()
    mean = sample.mean(lambda x: x[:, 0])  # no memory: 40 + 2
    assert abs(mean.value - 42) < 4.5 * mean.std_error
    assert mean.std_error < 0.2


def test_one_sample_tells_the_probabilities_of_lower_levels_too():
    sample = cem.estimate(total, Normal([0.0], [1.0]), 4.0, rtol=0.02, rng=1).sample()
    for level in (3.7, 4.0, 4.3):
        tally = sample.tally(level)
        assert abs(tally.probability - stats.norm.sf(level)) < 4.5 * tally.std_error


def test_an_estimate_that_was_resumed_has_the_same_sample(tmp_path):
    u, path = Exponential([1.0]), tmp_path / "run.npz"
    settings = {"method": "multilevel", "n_final": 700, "rng": 3, "checkpoint": path}
    first = cem.estimate(total, u, 9.0, **settings).sample()
    again = cem.estimate(total, u, 9.0, **settings).sample()
    np.testing.assert_array_equal(first.x, again.x)
    np.testing.assert_array_equal(first.log_w, again.log_w)
    np.testing.assert_array_equal(first.score, again.score)


def test_a_failed_score_is_in_the_sample_as_one_that_was_none():
    def fragile(x):
        return np.where(x[:, 0] > 3, np.nan, total(x))

    found = cem.estimate(fragile, Exponential([1.0] * 2), 5.0, n_final=2000, rng=1)
    sample = found.sample()
    assert (sample.score[sample.x[:, 0] > 3] == -np.inf).all()
    assert sample.tally().probability == pytest.approx(found.probability, rel=1e-12)


def test_without_a_final_sample_there_is_nothing_to_draw_again():
    found = cem.estimate(Bridge(1.0), rng=1, time_limit=1e-9)
    with pytest.raises(ValueError, match="nothing was sampled at the final density"):
        found.sample()


def test_the_levels_are_what_came_before_the_final_sample():
    found = cem.estimate(total, Exponential([1.0]), 9.0, n_final=1000, rng=1)
    assert len(found.levels) == found.nit
    assert found.levels == found.history[: found.nit]
    assert found.levels[-1].nfev == found.nfev - 1000
    assert levels_of(cem.History(), Tally()) == ()


def test_the_history_of_the_final_sample_ends_with_the_figures_of_the_result():
    found = cem.estimate(total, Exponential([1.0]), 9.0, n_final=1000, rng=1)
    last = found.history[-1]
    assert math.exp(last.log_mass) == found.probability
    assert (last.ess, last.max_weight, last.nfev) == (found.ess, found.max_weight, found.nfev)
    assert last.variation / math.sqrt(999) == pytest.approx(found.relative_error, rel=1e-9)


def test_a_higher_confidence_has_a_wider_interval():
    found = cem.estimate(total, Exponential([1.0]), 9.0, rng=1)
    ends = [found.confidence_interval(level) for level in (0.5, 0.9, 0.99)]
    assert ends[2].low < ends[1].low < ends[0].low < found.probability
    assert found.probability < ends[0].high < ends[1].high < ends[2].high


def test_a_run_that_is_cut_short_before_the_level_says_that_it_is_crude():
    until = [lambda _: Stop("no steering, please", success=False)]
    found = cem.estimate(total, Normal([0.0], [1.0]), 0.5, until=until, n_final=500, rng=1)
    assert found.message.startswith("no steering, please; ")
    assert found.sample().log_w.tolist() == [0.0] * 500
