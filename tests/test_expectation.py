"""expectation against closed forms; that it is zero or above; how it ends, and goes on."""

import math

import numpy as np
import pytest
from scipy import stats

import cem
from cem import Bernoulli, Exponential, History, MultivariateNormal, Normal, Poisson
from cem.checkpoint import dumps, loads
from problems.rare_event.bridge import Bridge


def total(x):
    return x.sum(axis=1)


def beyond_four(x):
    return (x[:, 0] >= 4.0).astype(float)


EXACT = {  # H, nominal, E[H(X)]
    "a fourth power": (lambda x: x[:, 0] ** 4, Exponential([1.0]), 24.0),
    "a tenth power": (lambda x: x[:, 0] ** 10, Exponential([2.0]), 2.0**10 * math.factorial(10)),
    "exp(3 x)": (lambda x: np.exp(3 * x[:, 0]), Normal([0.0], [1.0]), math.exp(4.5)),
    "exp(6 x)": (lambda x: np.exp(6 * x[:, 0]), Normal([0.0], [1.0]), math.exp(18)),
    "exp(x + y), correlated": (
        lambda x: np.exp(2 * total(x)),
        MultivariateNormal([0.0, 1.0], [[1.0, 0.5], [0.5, 1.0]]),
        math.exp(2 + 0.5 * 4 * 3),
    ),
    "an indicator": (
        lambda x: (total(x) >= 5.0).astype(float),
        Exponential([1.0] * 2),
        6 / math.e**5,
    ),
    "an indicator of coins": (
        lambda x: (total(x) >= 7.0).astype(float),
        Bernoulli([0.5] * 10),
        stats.binom(10, 0.5).sf(6),
    ),
    "a power of two": (lambda x: 2.0 ** total(x), Bernoulli([0.5] * 20), 1.5**20),
    "a power of three": (lambda x: 3.0 ** x[:, 0], Poisson([4.0]), math.exp(8)),
    "a constant": (lambda x: np.full(len(x), 7.0), Exponential([1.0]), 7.0),
    "a tiny number": (lambda x: 1e-200 * x[:, 0], Exponential([1.0]), 1e-200),
    "a huge number": (lambda x: 1e200 * x[:, 0], Exponential([1.0]), 1e200),
    "a call": (  # Black and Scholes: strike 3, volatility 1, no interest
        lambda x: np.maximum(np.exp(x[:, 0] - 0.5) - 3, 0),
        Normal([0.0], [1.0]),
        stats.norm.cdf(-math.log(3) + 0.5) - 3 * stats.norm.cdf(-math.log(3) - 0.5),
    ),
}


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", EXACT)
def test_the_mean_is_the_exact_one_within_its_error(name, seed):
    h, nominal, exact = EXACT[name]
    found = cem.expectation(h, nominal, rng=seed)
    assert found.success
    assert found.warnings == ()
    assert abs(found.mean - exact) <= 4.5 * found.std_error + 1e-12 * exact
    low, high = found.confidence_interval(1 - 1e-6)
    assert low <= exact * (1 + 1e-9)
    assert high >= exact * (1 - 1e-9)


def test_intervals_cover_as_often_as_they_say_and_the_mean_is_unbiased():
    exact, seeds = math.exp(4.5), 100
    h = EXACT["exp(3 x)"][0]
    settings = {"n_samples": 300, "n_final": 600}
    runs = [cem.expectation(h, Normal([0.0], [1.0]), rng=i, **settings) for i in range(seeds)]
    z = np.array([run.mean for run in runs])
    low, high = np.array([run.confidence_interval() for run in runs]).T
    assert stats.binom(seeds, 0.95).cdf(((low <= exact) & (exact <= high)).sum()) > 1e-5
    assert abs(z.mean() - exact) < 5 * z.std() / math.sqrt(seeds)
    reported = np.mean([run.std_error for run in runs])
    assert 0.6 < reported / math.sqrt(np.mean((z - exact) ** 2)) < 1.6


def test_it_is_far_more_precise_than_the_mean_over_the_nominal_density():
    found = cem.expectation(EXACT["exp(6 x)"][0], Normal([0.0], [1.0]), rng=1)
    assert found.relative_error < 0.05
    assert math.sqrt(math.expm1(36) / found.nfev) > 1e4  # its relative error would be


def test_the_figure_is_the_mean_over_the_final_sample():
    u, seen = Exponential([1.0, 2.0]), []

    def h(x):
        seen.append(x)
        return total(x) ** 3

    found = cem.expectation(h, u, n_final=900, rng=1)
    x = np.concatenate(seen)
    assert len(x) == found.nfev
    x = x[-900:]
    z = total(x) ** 3 * np.exp(u.log_density(x) - found.family.log_density(x))
    assert found.mean == pytest.approx(z.mean(), rel=1e-12)
    assert found.std_error == pytest.approx(z.std(ddof=1) / 30, rel=1e-9)
    assert found.ess == pytest.approx(z.sum() ** 2 / (z @ z), rel=1e-12)


def test_the_powers_rise_to_one():
    found = cem.expectation(EXACT["exp(6 x)"][0], Normal([0.0], [1.0]), rng=1)
    powers = found.levels.column("gamma")
    assert 0 < powers[0] < 1
    assert powers[-1] == 1
    assert (np.diff(powers) >= 0).all()


def test_an_indicator_is_the_event_at_once():
    found = cem.expectation(beyond_four, Normal([2.0], [1.0]), rng=1)
    assert abs(found.mean - stats.norm.sf(2)) < 4.5 * found.std_error
    again = cem.estimate(lambda x: x[:, 0], Normal([2.0], [1.0]), 4.0, method="multilevel", rng=1)
    assert abs(found.mean - again.probability) < 5 * math.hypot(found.std_error, again.std_error)


def test_a_probability_given_a_part_of_the_variables_is_conditional_monte_carlo():
    def given_the_first(x):  # P(X + Y >= 20 | X = x) of two exponential times
        return np.exp(-np.maximum(20 - x[:, 0], 0))

    exact = 21 * math.exp(-20)
    found = cem.expectation(given_the_first, Exponential([1.0]), rng=1)
    plain = cem.estimate(total, Exponential([1.0] * 2), 20.0, method="multilevel", rng=1)
    assert abs(found.mean - exact) < 4.5 * found.std_error
    assert found.relative_error < plain.relative_error


def test_a_relative_error_asked_for_is_reached():
    found = cem.expectation(EXACT["exp(3 x)"][0], Normal([0.0], [1.0]), rtol=0.01, rng=1)
    assert found.success
    assert found.relative_error <= 0.01
    assert abs(found.mean - math.exp(4.5)) < 4.5 * found.std_error


def test_a_mean_is_bounded_by_nothing_above():
    found = cem.expectation(EXACT["a tenth power"][0], Exponential([2.0]), rng=1)
    assert found.confidence_interval().high > found.mean > 1e9


def test_the_family_may_come_from_the_problem():
    class Length(Bridge):
        pass

    found = cem.expectation(Length(), rng=1)
    x = Bridge().nominal().sample(np.random.default_rng(0), 400_000)
    s = Bridge()(x)
    assert abs(found.mean - s.mean()) < 5 * math.hypot(found.std_error, s.std() / 632)


def test_the_result_prints_a_line_per_fact():
    found = cem.expectation(EXACT["a fourth power"][0], Exponential([1.0]), rng=1)
    rows = dict(line.strip().split(": ", 1) for line in repr(found).splitlines())
    assert float(rows["mean"]) == pytest.approx(24, rel=0.2)
    assert rows["method"] == "powers of H, in the family Exponential"
    assert found.message == "the power 1 was reached; a final sample of 10000 was drawn"


# Numbers that are none


def test_a_negative_value_is_refused_with_the_sample_that_gave_it():
    with pytest.raises(
        ValueError,
        match=r"expectation needs H of zero or above; got -\d.* \(take the positive and the "
        r"negative part one by one\) on sample \d+",
    ) as caught:
        cem.expectation(lambda x: x[:, 0], Normal([0.0], [1.0]), rng=1)
    assert "\n" not in str(caught.value)


def test_zero_everywhere_is_a_mean_of_zero_and_no_success():
    calls = []

    def nothing(x):
        calls.append(len(x))
        return np.zeros(len(x))

    found = cem.expectation(nothing, Exponential([1.0]), rng=1)
    assert found.mean == 0
    assert not found.success
    assert found.warnings != ()
    assert sum(calls) <= 30_000


def test_a_value_too_rare_to_be_seen_is_not_called_a_mean_of_zero():
    found = cem.expectation(lambda x: (x[:, 0] >= 7.0) * 1.0, Normal([0.0], [1.0]), rng=1)
    assert not found.success
    assert found.confidence_interval().high > stats.norm.sf(7)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_none_everywhere_are_refused(bad):
    with pytest.raises(ValueError, match="at least one finite score"):
        cem.expectation(lambda x: np.full(len(x), bad), Exponential([1.0]), rng=1)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_value_that_is_none_counts_nothing_and_is_warned_of(bad):
    def fragile(x):
        return np.where(x[:, 0] > 3, bad, x[:, 0])

    found = cem.expectation(fragile, Exponential([1.0]), rng=1)
    assert abs(found.mean - (1 - 4 * math.exp(-3))) < 4.5 * found.std_error
    n_bad = sum(record.n_bad for record in found.history[found.nit :])
    assert n_bad > 0
    assert found.warnings[0].startswith(f"{n_bad} of the 10000 final scores were NaN or infinite")


def test_mostly_zero_values_are_no_failed_scores():
    found = cem.expectation(beyond_four, Normal([1.0], [1.0]), rng=1)
    assert sum(found.history.column("n_bad")) == 0
    assert abs(found.mean - stats.norm.sf(3)) < 4.5 * found.std_error


@pytest.mark.parametrize(
    ("h", "error", "message"),
    [
        (lambda _: 1.0, ValueError, r"one score per sample: expected shape \(1,\), got \(\)"),
        (lambda x: x, ValueError, r"one score per sample: .* got \(1, 1\); reduce"),
        (lambda x: ["a"] * len(x), ValueError, "real numbers: expected a float or integer array"),
    ],
)
def test_what_is_no_number_per_sample_is_refused(h, error, message):
    with pytest.raises(error, match=message):
        cem.expectation(h, Exponential([1.0]), rng=1)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"rho": 2.0}, ValueError, "^rho, "),
        ({"n_samples": 0}, ValueError, "^n_samples must be at least 1"),
        ({"n_final": 9, "rtol": 0.1}, TypeError, "^pass n_final or rtol"),
        ({"gamma": 3.0}, TypeError, "gamma"),
        ({"seed": 3}, TypeError, "seed"),
    ],
)
def test_settings_that_are_none_are_refused(settings, error, message):
    with pytest.raises(error, match=message):
        cem.expectation(total, Exponential([1.0]), **settings)


# Going on


@pytest.mark.parametrize("settings", [{"n_final": 430}, {"rtol": 0.02}])
def test_a_mean_cut_anywhere_and_resumed_gives_the_same_bits(settings, same_expectation):
    u, saved, history = Normal([0.0], [1.0]), [], [History()]
    h = EXACT["exp(6 x)"][0]
    settings = {"n_samples": 100, "rng": 3, **settings}

    def keep(state, record):
        history[0] = history[0].append(record)
        saved.append(dumps(state, history[0], {}))

    whole = cem.expectation(h, u, callback=keep, **settings)
    assert len(saved) > whole.nit + 1
    for data in saved:
        resumed = cem.expectation(h, u, start=loads(data, u)[:2], **settings)
        same_expectation(resumed, whole)


def test_a_mean_goes_on_from_its_file_and_two_processes_give_the_same_bits(
    tmp_path, same_expectation
):
    settings = {"n_samples": 100, "n_final": 300, "rng": 3}
    u, path = Bridge().nominal(), tmp_path / "run.npz"
    whole = cem.expectation(Bridge(), u, **settings)
    cem.expectation(Bridge(), u, **settings, max_iterations=whole.nit, checkpoint=path)
    same_expectation(cem.expectation(Bridge(), u, **settings, checkpoint=path), whole)
    same_expectation(cem.expectation(Bridge(), u, **settings, chunk_size=50, workers=2), whole)


@pytest.fixture
def same_expectation():
    """Asserts that two finished runs agree to the last bit."""

    def same(a, b):
        assert (a.mean, a.std_error, a.nfev, a.nit) == (b.mean, b.std_error, b.nfev, b.nit)
        assert (a.message, a.success, a.warnings) == (b.message, b.success, b.warnings)
        np.testing.assert_array_equal(np.array(a.history), np.array(b.history))
        np.testing.assert_equal(a.family.parameters(), b.family.parameters())
        np.testing.assert_equal(dict(a.state.memory), dict(b.state.memory))

    return same


# What its sample tells


def test_the_sample_of_an_expectation_gives_the_mean():
    u = Exponential([1.0])
    found = cem.expectation(lambda x: x[:, 0] ** 4, u, rng=1)
    sample = found.sample()
    assert len(sample) == 10_000
    assert sample.tally().probability == pytest.approx(found.mean, rel=1e-12)
    mean = sample.mean(lambda x: x[:, 0])  # weighted by x^4: a gamma density of shape five
    assert abs(mean.value - 5) < 4.5 * mean.std_error
