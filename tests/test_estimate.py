"""estimate against exact probabilities; how it ends."""

import math

import networkx as nx
import numpy as np
import pytest
from scipy import stats

import cem
from cem import (
    Bernoulli,
    Categorical,
    Exponential,
    MultivariateNormal,
    Normal,
    Poisson,
    Uniform,
)
from cem.measured import CRUDE
from cem.randomness import Purpose, root_of, stream
from cem.replications import replicate
from problems.maxcut import MaxCut
from problems.rare_event.bridge import Bridge


def total(x):
    return x.sum(axis=1)


def largest(x):
    return x.max(axis=1)


def deviation(x):
    return x.sum(axis=1) / math.sqrt(x.shape[1])


def dice_sum_at_least(n, level):
    """``P(sum of n fair dice >= level)``, by convolution."""
    p = np.ones(1)
    for _ in range(n):
        p = np.convolve(p, np.full(6, 1 / 6))
    return p[level - n :].sum()


NEAR = Exponential([1.0])
CUT = MaxCut.of(nx.gnp_random_graph(16, 0.5, seed=3))
SIDES = (np.arange(2**15)[:, None] >> np.arange(16)) & 1  # every cut once, the last node fixed
EXACT = {  # problem, nominal, level, probability
    "bridge 2": (Bridge(2.0), None, None, 1.34245974977068e-5),
    "bridge 3": (Bridge(3.0), None, None, 2.05790491e-8),
    "bridge 4": (Bridge(4.0), None, None, 3.10345313e-11),
    "ten exponentials": (total, Exponential([1.0] * 10), 40.0, stats.gamma(10).sf(40)),
    "heads": (total, Bernoulli([0.5] * 50), 45.0, stats.binom(50, 0.5).sf(44)),
    "rare coins": (total, Bernoulli([0.01] * 30), 6.0, stats.binom(30, 0.01).sf(5)),
    "ten dice": (total, Categorical([[1 / 6] * 6] * 10), 46.0, dice_sum_at_least(10, 56)),
    "a plane": (deviation, Normal([0.0] * 10, [1.0] * 10), 4.0, stats.norm.sf(4)),
    "a correlated plane": (
        lambda x: x[:, 0] + x[:, 1],
        MultivariateNormal([0.0, 1.0], [[1.0, 0.5], [0.5, 1.0]]),
        9.0,
        stats.norm.sf(8 / math.sqrt(3)),
    ),
    "a cut": (CUT, None, 28.0, (CUT(SIDES) >= 28.0).mean()),
    "not rare": (total, Exponential([1.0]), 0.5, math.exp(-0.5)),
    "certain": (total, Exponential([1.0]), -1.0, 1.0),
}


def either_side(x):
    return np.abs(x).max(axis=1)


# The numbers


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    "settings", [{}, {"method": "multilevel", "n_final": 20_000}], ids=["auto", "multilevel"]
)
@pytest.mark.parametrize("name", EXACT)
def test_the_estimate_is_the_exact_probability_within_its_error(name, settings, seed):
    problem, nominal, gamma, exact = EXACT[name]
    found = cem.estimate(problem, nominal, gamma, **settings, rng=seed)
    assert found.success
    assert abs(found.probability - exact) <= 4.5 * found.std_error + 1e-15
    low, high = found.confidence_interval(1 - 1e-6)
    assert low <= exact <= high
    assert 0 <= low <= min(1.0, found.probability) <= high <= 1


def test_many_intervals_cover_as_often_as_they_say_and_the_estimates_are_unbiased():
    bridge, seeds = Bridge(2.0), 200
    settings = {"method": "multilevel", "n_samples": 500, "n_final": 2000}
    runs = [cem.estimate(bridge, **settings, rng=seed) for seed in range(seeds)]
    p = np.array([run.probability for run in runs]) / bridge.exact()
    low, high = np.array([run.confidence_interval() for run in runs]).T / bridge.exact()
    covers = ((low <= 1) & (high >= 1)).sum()
    assert stats.binom(seeds, 0.95).cdf(covers) > 1e-5
    assert np.median(high - low) < 5 * p.std()
    assert abs(p.mean() - 1) < 5 * p.std() / math.sqrt(seeds)
    assert np.mean([run.success for run in runs]) > 0.95


def test_by_default_intervals_cover_and_errors_are_those_of_repeated_estimates():
    u, exact, seeds = Normal([0.0], [1.0]), 2 * stats.norm.sf(4), 50
    runs = [cem.estimate(either_side, u, 4.0, rng=seed) for seed in range(seeds)]
    p = np.array([run.probability for run in runs]) / exact
    low, high = np.array([run.confidence_interval() for run in runs]).T / exact
    covers = ((low <= 1) & (high >= 1)).sum()
    assert stats.binom(seeds, 0.95).cdf(covers) > 1e-5
    assert abs(p.mean() - 1) < 5 * p.std() / math.sqrt(seeds)
    reported = np.array([run.relative_error for run in runs])
    assert 0.7 < reported.mean() / math.sqrt(np.mean((p - 1) ** 2)) < 1.4
    assert (reported <= 0.05).all()
    assert all(run.success and not run.warnings for run in runs)


@pytest.mark.parametrize(("method", "seeds"), [("multilevel", 40), ("auto", 12)])
@pytest.mark.parametrize(
    ("nominal", "level"),
    [
        (Normal([0.0], [1.0]), 3.0),
        (Normal([0.0], [1.0]), 4.5),
        (Normal([0.0] * 2, [1.0] * 2), 5.0),
        (MultivariateNormal([0.0] * 2, np.eye(2)), 4.0),
        (MultivariateNormal([0.0] * 5, np.eye(5)), 4.0),
    ],
    ids=["Normal 1", "Normal 1 far", "Normal 2", "MultivariateNormal 2", "MultivariateNormal 5"],
)
def test_no_estimate_is_called_a_success_that_is_far_from_the_truth(nominal, level, method, seeds):
    exact, settings = stats.norm.sf(level), {"method": method}
    runs = [cem.estimate(deviation, nominal, level, rng=i, **settings) for i in range(seeds)]
    off = [abs(run.probability - exact) / run.std_error for run in runs if run.success]
    assert len(off) > 0.9 * seeds
    assert max(off) < 5


MODES = {  # events of several parts, far apart
    "a cut and its mirror image": (CUT, Bernoulli([0.5] * 16), 36.0, 5 / 2**15),
    "the largest of ten": (
        largest,
        Exponential([1.0] * 10),
        15.0,
        -math.expm1(10 * math.log1p(-math.exp(-15))),
    ),
    "either side": (either_side, Normal([0.0], [1.0]), 4.0, 2 * stats.norm.sf(4)),
    "four sides": (
        either_side,
        Normal([0.0] * 2, [1.0] * 2),
        4.5,
        -math.expm1(2 * math.log1p(-2 * stats.norm.sf(4.5))),
    ),
}


@pytest.mark.parametrize("name", ["a cut and its mirror image", "either side", "four sides"])
def test_an_estimate_of_a_part_of_the_event_does_not_pass_for_a_good_one(name):
    problem, nominal, gamma, exact = MODES[name]
    for seed in range(6):
        found = cem.estimate(problem, nominal, gamma, rng=seed)
        good = found.success and not found.warnings
        assert not good or abs(found.probability - exact) < 5 * found.std_error


@pytest.mark.parametrize(
    "nominal", [Bernoulli([0.5] * 8), Poisson([2.0] * 3), Exponential([1.0]), Normal([0.0], [1.0])]
)
def test_what_is_certain_has_the_probability_one_and_an_exact_interval(nominal):
    found = cem.estimate(total, nominal, -1000.0, rng=1)
    assert found.success
    assert (found.probability, found.relative_error) == (1.0, 0.0)
    low, high = found.confidence_interval()
    assert low == pytest.approx(0.025 ** (1 / found.tally.n), rel=1e-9)
    assert high == 1.0


def test_of_more_parts_than_there_are_components_less_than_half_is_missed_in_silence():
    problem, nominal, gamma, exact = MODES["the largest of ten"]
    for seed in range(8):
        found = cem.estimate(problem, nominal, gamma, rng=seed)
        good = found.success and not found.warnings
        assert not good or 0.5 * exact < found.probability < 1.5 * exact


@pytest.mark.parametrize("name", ["either side", "four sides"])
def test_all_parts_of_an_event_are_found_by_default(name):
    problem, nominal, gamma, exact = MODES[name]
    runs = [cem.estimate(problem, nominal, gamma, rng=seed) for seed in range(6)]
    assert all(run.success for run in runs)
    assert all(abs(run.probability - exact) < 4.5 * run.std_error for run in runs)


@pytest.mark.parametrize("name", ["a cut and its mirror image", "the largest of ten"])
def test_several_estimates_by_levels_together_show_what_each_alone_has_missed(name):
    problem, nominal, gamma, exact = MODES[name]
    settings = {"method": "multilevel", "rho": 0.01, "n_final": 20_000}
    found = replicate(6, problem, nominal, gamma, rng=0, **settings)
    off = [abs(one.probability - exact) / one.std_error for one in found.members]
    assert max(off) > 5
    assert not found.success or found.warnings


def test_the_reported_error_is_that_of_repeated_estimates():
    bridge = Bridge(2.0)
    settings = {"method": "multilevel", "n_samples": 500, "n_final": 4000}
    runs = [cem.estimate(bridge, **settings, rng=seed) for seed in range(100)]
    rms = math.sqrt(np.mean([(run.probability / bridge.exact() - 1) ** 2 for run in runs]))
    reported = np.mean([run.relative_error for run in runs])
    assert 0.7 < reported / rms < 1.4


@pytest.mark.parametrize("method", ["auto", "multilevel"])
def test_the_estimate_is_the_mean_over_the_final_sample(method):
    seen = []

    def watched(x):
        seen.append(x.copy())
        return total(x)

    u = Exponential([1.0] * 3)
    found = cem.estimate(watched, u, 12.0, method=method, n_samples=400, n_final=1000, rng=2)
    x = np.concatenate(seen)
    assert len(x) == found.nfev == found.levels[-1].nfev + 1000
    x = x[-1000:]
    if method == "multilevel":
        log_w = u.log_density(x) - found.family.log_density(x)
    else:  # sampled as standard normal variables, with the same probability above
        z = np.where(x < 1, stats.norm.ppf(-np.expm1(-x)), stats.norm.isf(np.exp(-x)))
        log_w = stats.norm.logpdf(z).sum(axis=1) - found.family.log_density(z)
    w = np.exp(log_w) * (total(x) >= 12.0)
    assert found.probability == pytest.approx(w.mean(), rel=1e-9)
    assert found.std_error == pytest.approx(w.std(ddof=1) / math.sqrt(1000), rel=1e-9)
    assert found.relative_error == pytest.approx(found.std_error / found.probability, rel=1e-12)
    assert found.ess == pytest.approx(w.sum() ** 2 / (w @ w), rel=1e-9)
    assert found.max_weight == pytest.approx(w.max() / w.sum(), rel=1e-9)


@pytest.mark.parametrize("gamma", [0.5, 9.0])
@pytest.mark.parametrize("method", ["auto", "multilevel"])
def test_the_final_sample_is_independent_of_the_steering(method, gamma):
    seen = []

    def watched(x):
        seen.append(x.copy())
        return total(x)

    u = Exponential([1.0])
    found = cem.estimate(watched, u, gamma, method=method, n_samples=400, n_final=800, rng=2)
    x = np.concatenate(seen)
    assert len(np.unique(x)) == len(x)
    sample = found.family.sample(stream(root_of(2), Purpose.FINAL, found.nit), 400)
    sample = sample if method == "multilevel" else u.at_normal(sample)
    np.testing.assert_array_equal(x[-800:-400], sample)


def test_the_levels_rise_to_the_one_asked_for_and_stay_there():
    found = cem.estimate(Bridge(3.0), method="multilevel", rng=1)
    levels = found.levels.column("gamma")
    reached = levels >= 3.0
    assert (levels <= 3.0).all()
    assert (np.diff(levels[~reached]) > 0).all()
    assert reached[reached.argmax() :].all()
    assert found.nit == len(levels)
    assert found.levels.column("ess")[reached].sum() >= 100


def test_by_default_the_last_fit_is_at_the_level_on_many_samples_and_says_what_it_will_take():
    found = cem.estimate(Bridge(3.0), rng=1)
    levels = found.levels
    assert levels.column("gamma")[-2:].tolist() == [3.0, 3.0]
    assert levels.column("gamma").max() == 3.0
    assert (levels.column("ess")[-2:] >= 119).all()
    assert levels.column("variation")[0] > levels.column("variation")[-1]
    assert 0.5 < levels[-1].variation / found.tally.variation < 2
    assert found.nfev < 16_000


def test_a_level_below_every_score_is_certain():
    found = cem.estimate(total, Exponential([1.0]), -1.0, n_final=1000, rng=1)
    assert found.probability == 1
    assert found.success
    assert found.std_error == 0
    assert found.confidence_interval() == (pytest.approx(0.025 ** (1 / 1000), rel=1e-9), 1)
    found = cem.estimate(total, Exponential([1.0]), -1.0, method="multilevel", n_final=1000, rng=1)
    assert found.probability == pytest.approx(1, rel=0.1)
    assert found.nit == 1


# How it ends


def test_a_success_says_what_was_reached_and_drawn():
    found = cem.estimate(Bridge(2.0), n_final=20_500, rng=1)
    assert found.message == "the level 2 was reached; a final sample of 20500 was drawn"
    assert found.warnings == ()
    assert found.tally.n == 20_500


def test_a_level_that_cannot_be_reached_ends_by_itself_and_is_no_success():
    coins = Bernoulli([0.5] * 8)
    found = cem.estimate(total, coins, 50.0, method="multilevel", n_final=2000, rng=1)
    assert not found.success
    assert found.message.startswith("the level 50 was not reached: it has not risen above 8 for 10")
    assert found.message.endswith("only 0 effective samples reached the level")
    assert CRUDE in found.warnings
    assert (found.probability, found.relative_error) == (0, math.inf)
    low, high = found.confidence_interval()
    assert low == 0
    assert high == pytest.approx(1 - 0.025 ** (1 / 2000), rel=1e-6)


@pytest.mark.parametrize(
    ("problem", "nominal", "gamma"),
    [
        (lambda x: np.minimum(total(x), 3.0), Exponential([1.0] * 2), 4.0),
        (lambda x: np.tanh(total(x)), Normal([0.0] * 3, [1.0] * 3), 1.5),
        (lambda x: np.zeros(len(x)), Normal([0.0] * 3, [1.0] * 3), 1.0),
        (lambda x: np.zeros(len(x)), Normal([0.0], [1.0]), 1.0),
        (total, Bernoulli([0.5] * 8), 50.0),
        (lambda x: np.zeros(len(x)), Bernoulli([0.5] * 8), 1.0),
    ],
    ids=[
        "a ceiling",
        "an asymptote",
        "a plateau",
        "a plateau of one",
        "coins",
        "a plateau of coins",
    ],
)
def test_an_impossible_event_costs_a_bounded_number_of_scores_and_has_an_upper_bound(
    problem, nominal, gamma
):
    found = cem.estimate(problem, nominal, gamma, rng=1)
    assert (found.probability, found.ess, found.relative_error) == (0, 0, math.inf)
    assert not found.success
    assert CRUDE in found.warnings
    assert "only 0 effective samples reached the level" in found.message
    assert found.nfev <= 40_000
    low, high = found.confidence_interval()
    assert low == 0
    assert high == pytest.approx(1 - 0.025 ** (1 / found.tally.n), rel=1e-6)


@pytest.mark.parametrize(
    ("method", "n", "mean"), [("multilevel", 200, [1.0, 1.0]), ("auto", 100, [0.0, 0.0])]
)
def test_a_level_reached_by_too_few_iterations_falls_back_to_crude_monte_carlo(method, n, mean):
    settings = {"method": method, "n_samples": n, "max_iterations": 1, "n_final": 20_000}
    found = cem.estimate(total, Exponential([1.0] * 2), 4.0, **settings, rng=1)
    assert not found.success
    assert found.message.startswith(
        "the limit of 1 iterations was reached; a final sample of 20000"
    )
    assert found.warnings == (CRUDE,)
    np.testing.assert_array_equal(found.family.mean, mean)
    low, high = found.confidence_interval()
    assert low < stats.gamma(2).sf(4) < high
    k = round(found.probability * 20_000)
    exact = stats.binomtest(k, 20_000).proportion_ci(0.95, "exact")
    assert (low, high) == pytest.approx((exact.low, exact.high), rel=1e-9)


@pytest.mark.parametrize("method", ["auto", "multilevel"])
@pytest.mark.parametrize("rtol", [0.2, 0.05, 0.02])
def test_a_relative_error_asked_for_is_reached(rtol, method):
    found = cem.estimate(Bridge(2.0), method=method, rtol=rtol, rng=1)
    assert found.success
    assert found.relative_error <= rtol
    assert found.message == f"the level 2 was reached; the relative error {rtol} was reached"
    assert abs(found.probability - Bridge(2.0).exact()) < 4.5 * found.std_error
    before = found.history[-2]
    n, block = found.tally.n, found.history[-1].n
    if method == "multilevel":
        assert math.sqrt(1 / before.ess - 1 / (n - block)) > rtol
    else:  # and not before as many as were foreseen to be enough, with a margin
        assert n >= 1.5 * (found.levels[-1].variation / rtol) ** 2


def test_a_relative_error_is_not_believed_on_a_handful_of_samples():
    for settings in ({"method": "multilevel", "rho": 0.5}, {}):
        found = cem.estimate(
            total, Bernoulli([0.5] * 4), 1.0, rtol=0.9, n_samples=20, rng=1, **settings
        )
        assert found.success
        assert found.ess >= 30
    found = cem.estimate(total, Exponential([1.0] * 4), 9.0, rtol=0.9, n_samples=100, rng=1)
    assert found.success
    assert found.ess >= 30


@pytest.mark.parametrize(("method", "nfev"), [("auto", 20_455), ("multilevel", 20_000)])
def test_a_budget_that_ends_before_the_error_is_reached_says_so(method, nfev):
    settings = {"method": method, "rtol": 1e-3, "max_evaluations": 20_500}
    found = cem.estimate(Bridge(2.0), **settings, rng=1)
    assert not found.success
    assert found.nfev == nfev
    assert found.message == "the level 2 was reached; the budget of 20500 evaluations was spent"
    assert 1e-3 < found.relative_error < 0.2
    assert abs(found.probability - Bridge(2.0).exact()) < 4.5 * found.std_error


@pytest.mark.parametrize(("method", "block"), [("auto", 400), ("multilevel", 1000)])
@pytest.mark.parametrize("most", [3050, 3999, 5000, 20_000])
def test_the_final_sample_is_kept_free_in_the_budget(most, method, block):
    settings = {"method": method, "n_final": 2050, "max_evaluations": most}
    found = cem.estimate(Bridge(2.0), **settings, rng=1)
    assert found.nfev <= most
    assert found.tally.n == 2050
    short = f"the budget of {most} evaluations was spent (2050 kept for the final sample); "
    if found.message.startswith(short):
        assert found.nfev + block > most
    else:
        assert found.levels[-1].gamma == 2
    assert (CRUDE in found.warnings) == (found.levels[-1].gamma < 2)


def test_a_time_limit_ends_steering_and_sampling(monkeypatch):
    clock = iter(range(10_000))
    monkeypatch.setattr("cem.stopping.time.monotonic", lambda: float(next(clock)))
    found = cem.estimate(Bridge(2.0), n_final=100_000, rng=1, time_limit=40.5)
    assert not found.success
    assert found.message == "the level 2 was reached; the time limit of 40.5 s was reached"
    assert 0 < found.tally.n < 100_000


def test_a_time_limit_that_is_over_at_once_still_says_so():
    found = cem.estimate(Bridge(2.0), rng=1, time_limit=1e-9)
    assert (found.success, found.nit, found.nfev) == (False, 0, 0)
    assert "the time limit of 1e-09 s was reached" in found.message
    assert found.confidence_interval() == (0, 1)


def test_weights_on_few_samples_are_warned_of():
    found = cem.estimate(Bridge(4.0), method="multilevel", n_samples=100, n_final=100, rng=1)
    assert found.ess < 100
    assert any("effective samples of 100: its error bar is rough" in w for w in found.warnings)
    found = cem.estimate(Bridge(4.0), n_final=100, rng=1)
    assert found.ess < 100
    assert any("effective samples of 100: its error bar is rough" in w for w in found.warnings)


@pytest.mark.parametrize(
    ("settings", "n"), [({"n_samples": 200, "method": "multilevel"}, 30), ({}, 15)]
)
def test_an_estimate_on_a_handful_of_samples_is_no_success_and_says_so(settings, n):
    found = cem.estimate(Bridge(4.0), n_final=n, rng=1, **settings)
    assert found.levels[-1].gamma == 4.0
    assert 0 < found.ess < 10
    assert not found.success
    assert found.message == (
        f"the level 4 was reached; a final sample of {n} was drawn; only "
        f"{found.ess:.3g} effective samples reached the level"
    )


def test_one_sample_that_carries_the_estimate_is_warned_of():
    def moved_away(state, _):  # the level is met everywhere, the weights are huge on the left
        return state.v.replace(mean=[3.0]), {}

    found = cem.estimate(
        total, Normal([0.0], [1.0]), -100.0, n_samples=100, n_final=100, smooth=moved_away, rng=1
    )
    assert found.max_weight > 0.1
    said = f"one sample carries {found.max_weight:.0%} of the estimate: the weights are heavy-tail"
    assert any(warning.startswith(said) for warning in found.warnings)


def test_the_seed_in_the_result_repeats_the_estimate(same_run):
    first = cem.estimate(Bridge(1.0), n_samples=200, n_final=400)
    again = cem.estimate(Bridge(1.0), n_samples=200, n_final=400, rng=int(first.seed))
    assert same_run(first, again)


def test_the_level_may_come_from_the_problem_or_be_given():
    assert cem.estimate(Bridge(1.0), n_final=100, rng=1).levels[-1].gamma == 1.0
    assert cem.estimate(Bridge(1.0), gamma=0.5, n_final=100, rng=1).levels[-1].gamma == 0.5


def test_the_result_prints_a_line_per_fact():
    text = repr(cem.estimate(Bridge(2.0), method="multilevel", rng=1))
    rows = dict(line.strip().split(": ", 1) for line in text.splitlines())
    assert float(rows["probability"]) == pytest.approx(1.34e-5, rel=0.5)
    assert rows["success"] == "True"
    assert rows["method"] == "levels, in the family Exponential"
    assert not {"tally", "state", "history", "measurement", "outward", "nominal"} & {*rows}


# Scores that failed


@pytest.mark.parametrize("method", ["auto", "multilevel"])
def test_failed_scores_are_counted_and_taken_not_to_reach_the_level(method):
    def fragile(x):
        score = total(x)
        score[x[:, 0] > 3] = np.nan
        return score

    u = Exponential([1.0, 1.0])
    found = cem.estimate(fragile, u, 5.0, method=method, n_final=40_000, rng=1)
    # P(X + Y >= 5, X <= 3) = integral over x in (0, 3) of exp(-x) exp(-(5 - x))
    exact = 3 * math.exp(-5)
    assert abs(found.probability - exact) < 4.5 * found.std_error
    n_bad = sum(record.n_bad for record in found.history[found.nit :])
    assert n_bad > 0
    assert found.warnings[0].startswith(f"{n_bad} of the 40000 final scores were NaN or infinite")


def test_a_failed_score_is_no_event_though_it_be_infinite():
    def fragile(x):
        return np.where(x[:, 0] > 3, np.inf, total(x))

    found = cem.estimate(fragile, Exponential([1.0, 1.0]), 5.0, rng=1)
    assert abs(found.probability - 3 * math.exp(-5)) < 4.5 * found.std_error


@pytest.mark.parametrize("method", ["auto", "multilevel"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_more_than_half_failed_scores_stop_the_estimate_and_say_so(bad, method):
    def failing(x):
        return np.where(np.arange(len(x)) % 2 + (np.arange(len(x)) < 9), bad, total(x))

    found = cem.estimate(failing, NEAR, 5.0, method=method, n_samples=100, rng=1)
    assert not found.success
    assert "scores of iteration 1 were NaN or infinite, more than half" in found.message
    assert found.nfev <= 300


@pytest.mark.parametrize("method", ["auto", "multilevel", "pooled", "crude"])
def test_no_finite_score_at_all_is_refused(method):
    with pytest.raises(ValueError, match=r"at least one finite score; got \d+ NaN and 0 infinite"):
        cem.estimate(lambda x: np.full(len(x), np.nan), NEAR, 5.0, method=method, rng=1)


# Supports


def widened(state, _):
    return state.v.replace(high=[2.0]), {}


def test_samples_that_cannot_occur_weigh_nothing():
    u = Uniform([0.0], [1.0])
    found = cem.estimate(total, u, 0.9, smooth=widened, n_final=20_000, rng=1)
    assert found.success
    assert found.family.high.tolist() == [2.0]
    assert abs(found.probability - 0.1) < 4.5 * found.std_error
    assert found.tally.hits / 20_000 < 0.1  # half of those that reached the level cannot occur


def test_an_event_that_cannot_occur_but_is_sampled_is_refused_or_has_no_probability():
    with pytest.raises(ValueError, match="the support of the sampling density is likely wider"):
        cem.estimate(total, Uniform([0.0], [1.0]), 1.5, smooth=widened, rng=1)


@pytest.mark.parametrize(
    ("nominal", "gamma", "exact"),
    [
        (Uniform([0.0] * 3, [1.0] * 3), 2.9, 0.1**3 / 6),
        (Uniform([-1.0] * 2, [1.0] * 2), 1.99, 0.01**2 / 8),
        (Bernoulli([0.1, 0.0, 0.1, 1.0, 0.1]), 4.0, 0.001),
        (Uniform([0.0] * 3, [1.0] * 3), 3.1, 0.0),
        (Bernoulli([0.1, 0.0, 0.1, 1.0, 0.1]), 5.0, 0.0),
    ],
    ids=["a corner", "another corner", "coins of one side", "beyond it", "more coins than can be"],
)
def test_a_bounded_support_is_not_left(nominal, gamma, exact):
    seen = []

    def watched(x):
        seen.append(x)
        return total(x)

    found = cem.estimate(watched, nominal, gamma, rng=1)
    assert (nominal.log_density(np.concatenate(seen)) > -np.inf).all()
    assert found.success == (exact > 0)
    low, high = found.confidence_interval(1 - 1e-6)
    assert low <= exact <= high
