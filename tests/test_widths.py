"""Normal densities that are made wider: about the old mean, by injection, by noise."""

import math

import numpy as np
import pytest

import cem
from cem import Bernoulli, Constant, LogNormal, MultivariateNormal, Normal, Settling, State
from cem.checkpoint import dumps, loads
from cem.smoothing import Fit
from cem.widths import AboutOldMean, Injected, Noisy


def to(v_hat, top=0.0):
    return Fit(None, np.array([top]), 0.0, None, None, v_hat)


def weighted_sample(d):
    rng = np.random.default_rng(7)
    w = rng.random(50)
    return rng.standard_normal((50, d)) + 3, w / w.sum()


# About the old mean


def test_the_covariance_is_the_elites_second_moment_about_the_old_mean():
    x, w = weighted_sample(3)
    old = MultivariateNormal([1.0, -2.0, 0.5], np.eye(3))
    v, memory = AboutOldMean(Constant(1.0))(State(old), to(old.fit(x, w)))
    z = x - old.mean
    np.testing.assert_allclose(v.mean, w @ x, rtol=1e-14)
    np.testing.assert_allclose(v.cov, (z.T * w) @ z, rtol=1e-12)
    assert memory == {}


@pytest.mark.parametrize(
    ("family", "of", "mean", "std"),
    [(Normal, np.asarray, "mean", "std"), (LogNormal, np.exp, "log_mean", "log_std")],
)
def test_the_std_is_the_root_of_the_elites_second_moment_about_the_old_mean(family, of, mean, std):
    x, w = weighted_sample(3)
    old = family([1.0, -2.0, 0.5], [1.0, 1.0, 1.0])
    v = AboutOldMean(Constant(1.0))(State(old), to(old.fit(of(x), w)))[0].parameters()
    np.testing.assert_allclose(v[std] ** 2, w @ (x - old.parameters()[mean]) ** 2, rtol=1e-12)


def test_the_wider_fit_is_what_is_smoothed():
    v, _ = AboutOldMean(Constant(0.5))(State(Normal([0.0], [1.0])), to(Normal([4.0], [3.0])))
    assert (v.mean.item(), v.std.item()) == (2.0, 3.0)  # halfway to 4 and to 5


def test_what_is_handed_on_besides_is_what_came():
    seen = []
    x, w = weighted_sample(1)
    fit = Fit(x, np.arange(50.0), 3.0, x[:9], w, Normal([1.0], [1.0]))
    AboutOldMean(lambda state, fit: (state.v, seen.append(fit)))(State(Normal([0], [1])), fit)
    assert all(a is b for a, b in zip(seen[0][:5], fit[:5], strict=True))


def test_scales_at_the_end_of_the_range_do_no_harm():
    v, _ = AboutOldMean(Constant(1.0))(State(Normal([0], [1])), to(Normal([3e300], [4e300])))
    assert v.std.item() == pytest.approx(5e300)


# Injection


def test_a_narrow_density_is_widened_by_the_change_of_the_best_score_h_iterations_ago():
    smooth = Injected(Constant(1.0), below=0.5, h=2, factor=3.0)
    state, narrow = State(Normal([0.0, 0.0], [0.25, 0.0])), Normal([0.0, 0.0], [0.25, 0.0])
    widened = []
    for top in [1.0, 5.0, 6.5, 6.0, 6.5]:
        v, memory = smooth(state, to(narrow, top))
        state = State(v, memory=memory)
        widened.append((v.std - narrow.std).tolist())
    more = [0, 0, 3 * 5.5, 3 * 1.0, 0]
    np.testing.assert_allclose(widened, np.outer(more, [1, 1]), rtol=1e-12)
    assert memory["injection_tops"].tolist() == [6.0, 6.5]


def test_every_std_of_a_covariance_grows_by_as_much_and_no_covariance_changes():
    cov = np.array([[0.04, 0.01], [0.01, 0.09]])
    narrow = MultivariateNormal([0.0, 0.0], cov)
    state = State(narrow, memory={"injection_tops": np.array([1.0])})
    v, _ = Injected(Constant(1.0), below=0.5, factor=2.0)(state, to(narrow, 1.5))
    np.testing.assert_allclose(np.sqrt(v.cov.diagonal()), [1.2, 1.3], rtol=1e-12)
    assert v.cov[0, 1] == 0.01


@pytest.mark.parametrize("std", [0.5, 0.6])
def test_a_density_that_is_wide_in_one_coordinate_is_left_alone(std):
    v_hat = Normal([0.0, 0.0], [std, 0.1])
    state = State(v_hat, memory={"injection_tops": np.array([1.0])})
    v, _ = Injected(Constant(1.0), below=0.5)(state, to(v_hat, 7.0))
    assert v.std.tolist() == [std, 0.1]


def two_peaks(x):
    """The narrow peak at 1 is the higher one; the search begins at the wide one."""
    return np.maximum(-np.abs(x[:, 0] + 1), 1 - 5 * np.abs(x[:, 0] - 1))


def test_injection_finds_an_optimum_that_closing_early_misses():
    def found(smooth):
        runs = [
            cem.maximize(
                two_peaks, Normal([-1.0], [0.3]), smooth=smooth, n_samples=40, rng=seed,
                max_iterations=100,
            )
            for seed in range(20)
        ]  # fmt: skip
        return sum(run.fun > 0.9 for run in runs)

    assert found(Constant(0.7)) == 0
    assert found(Injected(Constant(0.7), below=0.3, factor=100.0)) >= 18


# Noise


def test_noise_is_added_to_every_variance_and_falls_to_nothing():
    smooth, v_hat = Noisy(Constant(1.0), start=5.0, per_iteration=0.1), Normal([1, 2], [0, 2])
    for t in (1, 10, 49, 50, 51, 1000):
        v, memory = smooth(State(v_hat, t - 1), to(v_hat))
        z = max(5 - t / 10, 0)  # as Szita and Lorincz write it
        np.testing.assert_allclose(v.std, np.sqrt([z, 4 + z]), rtol=1e-12, atol=1e-7)
        assert memory == {}


def test_noise_begins_anew_where_the_search_does():
    v_hat = Normal([0.0], [0.0])
    smooth = Noisy(Constant(1.0), 4.0, 0.5)
    assert smooth(State(v_hat, 7, began=7), to(v_hat))[0].std == math.sqrt(3.5)


def test_noise_without_a_rate_is_constant_and_for_covariances_on_the_diagonal():
    cov = np.array([[1.0, 0.5], [0.5, 1.0]])
    v_hat = MultivariateNormal([0.0, 0.0], cov)
    v, _ = Noisy(Constant(1.0), start=4.0)(State(v_hat, 10**6), to(v_hat))
    assert v.cov.tolist() == [[5.0, 0.5], [0.5, 5.0]]


# All of them


WRAPPERS = [AboutOldMean, lambda of: Injected(of, below=0.1), lambda of: Noisy(of, start=1.0)]


@pytest.mark.parametrize("wrap", WRAPPERS)
@pytest.mark.parametrize("v", [Bernoulli([0.5]), cem.Exponential([1.0]), cem.Laplace([0.0], [1.0])])
def test_a_density_that_is_not_normal_is_refused(wrap, v):
    with pytest.raises(ValueError, match=rf"a mean and a std or cov, .* got {type(v).__name__}"):
        wrap(Constant(1.0))(State(v), to(v))


@pytest.mark.parametrize("wrap", WRAPPERS)
def test_only_smoothings_are_wrapped(wrap):
    with pytest.raises(TypeError, match=r"wraps a smoothing, such as Constant\(0.7\); got 0.7"):
        wrap(0.7)


@pytest.mark.parametrize("wrap", WRAPPERS)
def test_what_the_wrapped_smoothing_remembers_is_kept(wrap):
    smooth, state = wrap(Settling(gamma=0.0)), State(Normal([0.0], [1.0]))
    for n in (1, 2, 3):
        v, memory = smooth(state, to(Normal([0.0], [1.0])))
        state = State(v, n, memory=memory)
        assert memory["settled"].tolist() == [n]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda of: Injected(of, below=0), ValueError, "^below, .* must be positive and finite"),
        (lambda of: Injected(of, below=1, h=0), ValueError, "^h, .* must be at least 1; got 0"),
        (lambda of: Injected(of, below=1, factor=-1), ValueError, "^factor, .* must be positive"),
        (lambda of: Noisy(of, start=0), ValueError, "^start, .* must be positive and finite"),
        (lambda of: Noisy(of, 1, -0.1), ValueError, r"^per_iteration, .* not negative; got -0\.1$"),
        (lambda of: Noisy(of, 1, np.nan), ValueError, "^per_iteration, .* be finite .* got nan$"),
        (lambda of: Noisy(of, 1, "1"), TypeError, "^per_iteration must be a number"),
    ],
)
def test_settings_out_of_range_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make(Constant())


FAMILIES = [Normal([0.0] * 3, [4.0] * 3), MultivariateNormal([0.0] * 3, 16 * np.eye(3))]
SMOOTHINGS = [
    AboutOldMean(Constant(0.7)),
    Injected(AboutOldMean(Constant(0.7)), below=3.0, h=2, factor=1.0),
    Noisy(Constant(0.7), start=0.5, per_iteration=0.02),
]


def ones(x):
    return -((x - 1.0) ** 2).sum(axis=1)


@pytest.mark.parametrize("family", FAMILIES, ids=["diagonal", "full"])
@pytest.mark.parametrize("smooth", SMOOTHINGS, ids=repr)
def test_a_run_cut_after_any_iteration_and_resumed_gives_the_same_bits(smooth, family, same_run):
    settings = {"smooth": smooth, "n_samples": 60, "rng": 4, "max_iterations": 8}
    saved = []
    whole = cem.maximize(
        ones, family, **settings, callback=lambda state, record: saved.append((state, record))
    )
    assert whole.nit == 8
    for t, (state, _) in enumerate(saved, start=1):
        start = loads(dumps(state, cem.History(whole.history[:t]), {}), family)[:2]
        assert same_run(cem.maximize(ones, family, **settings, start=start), whole)


@pytest.mark.parametrize("family", FAMILIES, ids=["diagonal", "full"])
@pytest.mark.parametrize("smooth", SMOOTHINGS, ids=repr)
def test_every_smoothing_nears_the_optimum(smooth, family):
    found = cem.maximize(ones, family, smooth=smooth, n_samples=200, rng=1, max_iterations=100)
    assert found.x == pytest.approx(np.ones(3), abs=1e-2)
