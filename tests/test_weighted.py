"""A weighted sample against closed forms: conditional means, sensitivities, the curve."""

import math

import numpy as np
import pytest
from scipy import stats

import cem
from cem.families import Bernoulli, Exponential, Normal, Poisson, Uniform
from cem.weighted import WeightedSample
from cem.weights import likelihood_ratio
from problems.rare_event.bridge import Bridge


def total(x):
    return x.sum(axis=1)


def drawn(nominal, v, gamma, n=20_000, seed=0):
    x = v.sample(np.random.default_rng(seed), n)
    return WeightedSample(x, total(x), likelihood_ratio(nominal, v, x), nominal, gamma)


def exponential(seed=0, n=20_000):
    """P(X >= 10) of an exponential with mean 1, sampled with mean 11."""
    return drawn(Exponential([1.0]), Exponential([11.0]), 10.0, n, seed)


def within(found, error, exact):
    return (np.abs(found - exact) <= 4.5 * error).all() and (error < 0.1 * np.abs(exact)).all()


# The event


def test_its_tally_is_the_estimate_of_the_event():
    sample = exponential()
    tally = sample.tally()
    assert within(tally.probability, tally.std_error, math.exp(-10))
    assert tally.n == len(sample) == 20_000
    assert tally.hits == (sample.score >= 10).sum()
    assert within(sample.tally(12.0).probability, sample.tally(12.0).std_error, math.exp(-12))


def test_its_curve_is_that_of_its_scores():
    found = exponential().curve([8.0, 10.0, 15.0], confidence=0.9)
    assert within(found.probability, found.std_error, np.exp(-found.level))
    low, high = exponential().tally(15.0).interval(0.9)
    assert (found.low[2], found.high[2]) == pytest.approx((low, high))
    assert len(exponential().curve()) == 25


def test_samples_that_cannot_occur_are_not_of_the_event():
    x = np.array([[1.0], [2.0], [-3.0]])
    sample = WeightedSample(x, np.ones(3), [0.5, 0.5, -math.inf], Exponential([1.0]), 1.0)
    assert sample.tally().hits == 2
    assert sample.mean(lambda x: np.log(x[:, 0])).value == pytest.approx(math.log(2) / 2)


def test_a_sample_of_the_nominal_density_is_crude_monte_carlo():
    f = Exponential([1.0])
    assert drawn(f, f, 1.0).tally().plain
    assert not exponential().tally().plain


# Conditional means


def test_the_mean_of_an_exponential_above_a_level_is_the_level_plus_its_mean():
    found = exponential().mean(lambda x: x[:, 0])
    assert within(found.value, found.std_error, 11.0)
    found = exponential().mean(lambda x: x[:, 0], level=13.0)
    assert within(found.value, found.std_error, 14.0)


def test_several_means_are_taken_at_once():
    sample = exponential()
    found = sample.mean(lambda x: np.stack([x[:, 0], x[:, 0] ** 2], axis=1))
    assert found.value.shape == found.std_error.shape == (2,)
    assert within(found.value, found.std_error, np.array([11.0, 122.0]))
    assert found.value[0] == pytest.approx(sample.mean(lambda x: x[:, 0]).value)


def test_a_mean_of_what_is_always_the_same_has_no_error():
    found = exponential().mean(lambda x: np.full(len(x), 3.0))
    assert found == pytest.approx((3.0, 0.0), abs=1e-12)


def test_errors_of_conditional_means_are_as_large_as_the_means_scatter():
    found = [exponential(seed, 500).mean(lambda x: x[:, 0]) for seed in range(400)]
    scatter = np.std([mean.value for mean in found], ddof=1)
    reported = math.sqrt(np.mean([mean.std_error**2 for mean in found]))
    assert 0.85 < scatter / reported < 1.15
    assert np.mean([mean.value for mean in found]) == pytest.approx(11.0, abs=0.02)


@pytest.mark.parametrize(
    ("h", "got"),
    [
        (lambda _: 1.0, r"got \(\)"),
        (lambda x: x[:-1, 0], "expected shape"),
        (lambda x: np.full(len(x), np.nan), "NaN or infinite"),
    ],
)
def test_values_of_another_shape_or_not_finite_are_refused(h, got):
    with pytest.raises(ValueError, match=got):
        exponential(n=100).mean(h)


# Sensitivities


def test_a_sum_of_exponentials_moves_with_their_means_as_its_gamma_law_says():
    sample = drawn(Exponential([1.0] * 5), Exponential([4.0] * 5), 20.0)
    found = sample.sensitivities()["mean"]
    law = stats.gamma(5)
    exact = np.full(5, 20 * law.pdf(20.0) / 5)  # each mean is a fifth of a change of scale
    assert within(found.derivative, found.std_error, exact)
    assert within(found.relative, found.relative_std_error, exact / law.sf(20.0))
    assert found.elasticity == pytest.approx(found.relative)  # the means are one
    assert found.reasons == {}


def test_a_plane_moves_with_the_means_and_deviations_of_normals():
    mean, std = np.array([1.0, -1.0, 0.0]), np.array([1.0, 2.0, 3.0])
    nominal, gamma = Normal(mean, std), 14.0
    v = Normal(mean + gamma * std**2 / 14, std)
    found = drawn(nominal, v, gamma, 40_000).sensitivities()
    beta = gamma / math.sqrt(14)
    to_mean = np.full(3, stats.norm.pdf(beta) / math.sqrt(14))
    to_std = stats.norm.pdf(beta) * beta * std / 14
    assert within(found["mean"].derivative, found["mean"].std_error, to_mean)
    assert within(found["std"].derivative, found["std"].std_error, to_std)
    relative = to_std / stats.norm.sf(beta)
    assert within(found["std"].relative, found["std"].relative_std_error, relative)
    assert found["std"].elasticity == pytest.approx(std * found["std"].relative)


def test_counts_move_with_their_rate_and_coins_with_their_chance():
    counts = drawn(Poisson([2.0]), Poisson([10.0]), 10.0).sensitivities()["rate"]
    assert within(counts.derivative, counts.std_error, stats.poisson(2).pmf(9))
    coins = drawn(Bernoulli([0.1] * 6), Bernoulli([0.6] * 6), 4.0).sensitivities()["p"]
    assert within(coins.derivative, coins.std_error, stats.binom(5, 0.1).pmf(3))


def test_errors_are_those_of_means_over_the_whole_sample():
    sample = exponential(n=300)
    found = sample.sensitivities()["mean"]
    z = np.exp(sample.log_w) * (sample.score >= 10)
    score = sample.x[:, 0] - 1
    derivative, relative = (z * score).mean(), (z * score).sum() / z.sum()
    assert found.derivative[0] == pytest.approx(derivative, rel=1e-6)
    assert found.std_error[0] == pytest.approx((z * score).std(ddof=1) / math.sqrt(300), rel=1e-6)
    assert found.relative[0] == pytest.approx(relative, rel=1e-6)
    off = (z * (score - relative)).std(ddof=1) / math.sqrt(300) / z.mean()
    assert found.relative_std_error[0] == pytest.approx(off, rel=1e-6)
    assert sample.mean(lambda x: x[:, 0] - 1) == pytest.approx((relative, off), rel=1e-9)


def test_another_level_has_its_own_sensitivities():
    found = exponential().sensitivities(["mean"], level=12.0)["mean"]
    assert within(found.derivative, found.std_error, 12 * math.exp(-12))


def test_errors_of_sensitivities_are_as_large_as_these_scatter():
    found = [exponential(seed, 500).sensitivities()["mean"] for seed in range(300)]
    for value, error in [("derivative", "std_error"), ("relative", "relative_std_error")]:
        scatter = np.std([getattr(s, value)[0] for s in found], ddof=1)
        reported = math.sqrt(np.mean([getattr(s, error)[0] ** 2 for s in found]))
        assert 0.85 < scatter / reported < 1.15


def test_an_element_without_a_derivative_is_nan_with_its_reason():
    nominal = Bernoulli([0.1, 0.0, 0.1])
    found = drawn(nominal, Bernoulli([0.5, 0.0, 0.5]), 2.0).sensitivities()["p"]
    assert np.isnan(found.derivative).tolist() == [False, True, False]
    assert list(found.reasons) == [(1,)]
    assert "the support moves with p" in found.reasons[1,]
    ends = drawn(Uniform([0.0], [1.0]), Uniform([0.0], [1.0]), 0.5).sensitivities()
    assert "the support moves with high" in ends["high"].reasons[0,]


def test_with_the_payoff_in_the_weights_all_is_of_an_expectation():
    nominal, v = Normal([0.0], [1.0]), Normal([2.0], [1.2])
    x = v.sample(np.random.default_rng(0), 20_000)
    log_h = 2 * x[:, 0]  # E[exp(2 X)] = exp(2 mean + 2 std^2), under which X has mean 2
    sample = WeightedSample(x, log_h, likelihood_ratio(nominal, v, x) + log_h, nominal, -math.inf)
    assert within(sample.tally().probability, sample.tally().std_error, math.exp(2))
    tilted, to = sample.mean(lambda x: x[:, 0]), sample.sensitivities()
    assert within(tilted.value, tilted.std_error, 2.0)
    assert within(to["mean"].relative, to["mean"].relative_std_error, 2.0)
    assert within(to["std"].derivative, to["std"].std_error, 4 * math.exp(2))


def test_an_estimate_gives_its_sample_which_tells_of_other_levels():
    sample = cem.estimate(Bridge(2.0), n_final=20_000, rng=0).sample()
    found = sample.curve([1.8, 2.0, 2.3])
    exact = np.array([Bridge(level).exact() for level in found.level])
    assert found.reliable.all()
    assert within(found.probability, found.std_error, exact)
    shortest = sample.mean(Bridge())
    tail = 2.0 + np.array([Bridge(2.0 + t).exact() for t in np.arange(0.0005, 3, 0.001)]).sum() * (
        0.001 / Bridge(2.0).exact()
    )
    assert within(shortest.value, shortest.std_error, tail)


# Bad input


def test_where_nothing_reached_the_level_nothing_is_known():
    sample = drawn(Exponential([1.0]), Exponential([1.0]), 1e6)
    assert sample.tally().probability == 0
    for ask in (sample.sensitivities, lambda: sample.mean(total)):
        with pytest.raises(ValueError, match=r"^no sample of 20000 reached the level 1e\+06"):
            ask()


@pytest.mark.parametrize(
    ("score", "log_w", "says"),
    [
        ([1.0], [0.0, 0.0], r"expected shape \(2,\), got \(1,\)"),
        ([1.0, 2.0], [0.0], r"expected shape \(2,\), got \(1,\)"),
        ([1.0, math.nan], [0.0, 0.0], "score must hold numbers; got NaN at sample 1"),
        ([1.0, 2.0], [math.nan, 0.0], "log_w must hold numbers; got NaN at sample 0"),
    ],
)
def test_scores_and_weights_that_do_not_match_the_samples_are_refused(score, log_w, says):
    with pytest.raises(ValueError, match=says):
        WeightedSample(np.ones((2, 1)), score, log_w, Exponential([1.0]), 1.0)


def test_it_says_what_it_holds():
    x = np.arange(4.0)[:, None]
    sample = WeightedSample(x, total(x), np.zeros(4), Exponential([1.0]), 2.0)
    assert repr(sample) == "WeightedSample of 4: 2 at or above 2, 2 effective"
