"""Smooth indicators and powers: the weights that they give, and where they end."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_ndtr

import cem
from cem import Normal
from cem.checkpoint import dumps, loads
from cem.indicators import Sharpened, SmoothIndicator, Tempered
from problems.rare_event.bridge import Bridge

SCORES = st.lists(st.integers(-20, 20).map(float), min_size=4, max_size=60).map(np.array)

# SmoothIndicator


def smooth(score, cv, gamma, log_w=None):
    score = np.asarray(score, dtype=float)
    return SmoothIndicator(cv)(score, np.zeros(len(score)) if log_w is None else log_w, gamma)


def variation(log_w):
    w = np.exp(log_w - log_w.max())
    return w.std() / w.mean()


def test_the_indicator_of_one_good_and_three_equal_samples_is_the_closed_form():
    _, log_w = smooth([0.0, 1.0, 0.0, 0.0], 1.5, gamma=2.0)
    r = np.exp(log_w[0] - log_w[1])  # the root of 4 (1 + 3 r^2) = (1 + 1.5^2) (1 + 3 r)^2
    assert r == pytest.approx((math.sqrt(19.5**2 + 51.75) - 19.5) / 34.5, rel=1e-4)


@pytest.mark.parametrize(("gamma", "cv"), [(2.0, 1.5), (4.0, 1.5), (3.0, 4.0)])
def test_sigma_is_the_one_of_the_normal_distribution(gamma, cv):
    from scipy.special import ndtr, ndtri, owens_t

    score = ndtri((np.arange(100_000) + 0.5) / 100_000)
    level, _ = smooth(score, cv, gamma)
    variance = 1 + (gamma - level) ** 2  # of S - sigma Z
    h = gamma / math.sqrt(variance)
    mean = ndtr(-h)
    square = mean - 2 * owens_t(h, math.sqrt((variance - 1) / (variance + 1)))
    assert math.sqrt(square / mean**2 - 1) == pytest.approx(cv, rel=2e-3)


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
@pytest.mark.parametrize("cv", [1.0, 1.5, 4.0])
def test_the_weights_are_those_of_the_smallest_sigma_that_will_do(cv, scale):
    from scipy.special import log_ndtr

    rng = np.random.default_rng(2)
    z, log_w = rng.standard_normal(400), 0.5 * rng.standard_normal(400)
    level, out = smooth(scale * z, cv, 3 * scale, log_w)
    sigma = 3 - level / scale
    assert out == pytest.approx(log_w + log_ndtr((z - 3) / sigma), rel=1e-9)
    assert variation(out) == pytest.approx(cv, rel=1e-4)
    for smaller in sigma * np.linspace(0.02, 0.98, 49):
        assert variation(log_w + log_ndtr((z - 3) / smaller)) > cv


def test_where_the_weights_vary_more_whatever_sigma_is_they_vary_least():
    from scipy.special import log_ndtr

    rng = np.random.default_rng(2)
    score = rng.standard_normal(400)
    log_w = 3 * rng.standard_normal(400) - score  # the better, the less likely
    level, out = smooth(score, 1.0, 3.0, log_w)
    sigma = 3 - level
    assert variation(out) > 1
    for factor in (1 / 64, 1 / 8, 1 / 2, 2, 8, 64):
        assert variation(log_w + log_ndtr((score - 3) / (factor * sigma))) >= variation(out)


@pytest.mark.parametrize(("hits", "reached"), [(30, False), (31, True)])
def test_the_indicator_takes_over_once_enough_samples_hit(hits, reached):
    score = np.r_[np.full(hits, 9.0), np.full(100 - hits, 1.0)]  # 100 / 31 - 1 < 1.5^2
    log_w = np.linspace(-1, 1, 100)
    level, out = smooth(score, 1.5, 5.0, log_w)
    assert (level == 5) == reached
    assert level <= 5
    if reached:
        assert out.tolist() == [*log_w[:hits], *[-np.inf] * (100 - hits)]
    else:
        assert (out > -np.inf).all()


def test_a_level_below_gamma_is_below_it_however_near_the_samples_are():
    near = math.nextafter(1e6, 0)
    assert smooth([near] * 9 + [1e6], 1.5, 1e6)[0] == near
    assert smooth([near] * 10, 1.5, 1e6)[0] == near


def test_samples_that_all_hit_are_all_elite_however_unlike_they_weigh():
    log_w = np.array([0.0, -50.0, -50.0, -50.0])
    for score in ([3.0, 4.0, 3.0, 3.0], [3.0] * 4):
        level, out = smooth(score, 1.0, 3.0, log_w)
        assert level == 3
        assert out.tolist() == log_w.tolist()


def test_a_failed_score_has_no_smooth_indicator():
    _, out = smooth([-np.inf, 1.0, 0.0, 0.5, 0.0, 0.2], 1.2, 2.0)
    assert (out == -np.inf).tolist() == [True] + [False] * 5


@pytest.mark.parametrize("gamma", [np.inf, np.nan])
def test_a_smooth_indicator_needs_a_level(gamma):
    with pytest.raises(ValueError, match=r"^SmoothIndicator needs a level gamma .* got (inf|nan)"):
        smooth([1.0, 2.0], 1.5, gamma)


@pytest.mark.parametrize("cv", [0, -1.0, np.inf, np.nan])
def test_a_variation_that_is_none_is_refused(cv):
    with pytest.raises(ValueError, match=r"^cv, .* must be positive and finite; got"):
        SmoothIndicator(cv)


def straight(x):
    return x.sum(axis=1) / math.sqrt(x.shape[1])


@pytest.mark.parametrize(
    ("problem", "nominal", "gamma", "cv", "exact"),
    [
        (straight, Normal([0.0] * 4, [1.0] * 4), 3.5, 1.5, 2.3262907903552504e-4),
        (straight, Normal([0.0] * 20, [1.0] * 20), 5.0, 3.0, 2.8665157187919391e-7),
        (Bridge(2.0), None, None, 5.0, Bridge(2.0).exact()),
    ],
)
def test_rare_events_are_estimated_with_a_smooth_indicator(problem, nominal, gamma, cv, exact):
    runs = [
        cem.estimate(problem, nominal, gamma, n_samples=1000, select=SmoothIndicator(cv), rng=seed)
        for seed in range(40)
    ]
    assert all(run.success for run in runs)
    p = np.array([run.probability for run in runs]) / exact
    assert abs(p.mean() - 1) < 5 * p.std() / math.sqrt(len(p))
    low, high = np.array([run.confidence_interval(0.999) for run in runs]).T / exact
    assert ((low <= 1) & (high >= 1)).sum() >= 36


def test_an_estimate_with_it_cut_after_any_iteration_and_resumed_gives_the_same_bits(same_run):
    u = Normal([0.0] * 4, [1.0] * 4)
    settings = {"select": SmoothIndicator(1.5), "n_samples": 200, "n_final": 600, "rng": 3}
    saved = []
    whole = cem.estimate(
        straight, u, 3.5, **settings, callback=lambda state, record: saved.append((state, record))
    )
    assert whole.nit > 3
    for t, (state, _) in enumerate(saved, start=1):
        start = loads(dumps(state, cem.History(whole.history[:t]), {}), u)[:2]
        assert same_run(cem.estimate(straight, u, 3.5, **settings, start=start), whole)


# Sharpened, for samples that are pooled


def effective(log_w):
    w = np.exp(log_w - log_w.max())
    return w.sum() ** 2 / (w @ w)


SIX = np.array([0.0, 0.3, 0.7, 1.5, 2.2, 2.9])


@pytest.mark.parametrize("ess", [1.5, 2.0, 3.5])
def test_as_many_effective_samples_are_left_as_asked_for(ess):
    log_w = np.log([1.0, 2.0, 1.0, 0.5, 1.0, 0.7])
    level, out = Sharpened(ess)(SIX, log_w, 4.0)
    assert effective(out) == pytest.approx(ess, rel=1e-5)
    sigma = 4.0 - level
    expected = log_w + log_ndtr((SIX - 4.0) / sigma)
    np.testing.assert_allclose(out, expected, rtol=1e-12)


def test_a_sharper_indicator_would_leave_fewer():
    level, _ = Sharpened(3.0)(SIX, np.zeros(6), 4.0)
    sizes = [
        effective(log_ndtr((SIX - 4.0) / sigma))
        for sigma in (4.0 - level) * np.array([0.5, 0.9, 0.99])
    ]
    assert sizes == sorted(sizes)
    assert sizes[-1] < 3.0


def test_where_the_weights_leave_fewer_whatever_sigma_is_the_most_are_left():
    log_w = np.log([100.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    level, out = Sharpened(5.0)(SIX, log_w, 4.0)
    assert level < 4.0
    found = effective(out)
    for sigma in 2.0 ** np.arange(-6, 7):
        assert found >= effective(log_w + log_ndtr((SIX - 4.0) / sigma)) * 0.9


@pytest.mark.parametrize(("hits", "reached"), [(29, False), (30, True)])
def test_only_what_reached_the_level_counts_once_enough_of_it_is_there(hits, reached):
    score = np.r_[np.full(hits, 9.0), np.zeros(100 - hits)]
    level, out = Sharpened(30.0)(score, np.zeros(100), 5.0)
    assert (level == 5.0) == reached
    assert level <= 5.0
    assert ((out > -np.inf) == (score >= 5.0)).all() == reached


def test_effective_samples_are_counted_with_their_weights():
    score, log_w = np.full(100, 9.0), np.zeros(100)
    log_w[0] = np.log(50)  # 149^2 / (2500 + 99) = 8.54 effective samples
    score[50:] = 0.0  # (99)^2 / 2549 = 3.84 of those that hit
    assert Sharpened(3.8)(score, log_w, 5.0)[0] == 5.0
    assert Sharpened(3.9)(score, log_w, 5.0)[0] < 5.0


def test_negligible_weights_are_none():
    score = np.r_[np.linspace(0, 3, 90), np.linspace(4.0, 4.5, 10)]
    _, out = Sharpened(6.0)(score, np.zeros(100), 5.0)
    some = out[out > -np.inf]
    assert len(some) < 100
    assert some.min() >= some.max() + math.log(1e-9) - 1e-9


@pytest.mark.parametrize("huge", [1e20, 1e100, 1e200])
def test_one_huge_score_does_not_blunt_the_indicator_for_the_others(huge):
    rng = np.random.default_rng(0)
    score = rng.normal(-3.0, 1.0, 400)
    for large, very in ((-50.0, -huge), (50.0, huge)):
        level, _ = Sharpened(50.0)(np.append(score, large), np.zeros(401), 0.0)
        with_it, _ = Sharpened(50.0)(np.append(score, very), np.zeros(401), 0.0)
        assert with_it == pytest.approx(level, rel=1e-5)


def test_a_level_that_is_nearly_reached_is_below():
    near = math.nextafter(1e6, 0)
    assert Sharpened(50.0)(np.full(100, near), np.zeros(100), 1e6)[0] == near


@given(SCORES, st.integers(1, 5), st.floats(0.01, 100))
def test_the_units_of_the_scores_do_not_matter(score, ess, scale):
    a = Sharpened(float(ess))(score, np.zeros(len(score)), 21.0)
    b = Sharpened(float(ess))(scale * score, np.zeros(len(score)), scale * 21.0)
    assert b[0] / scale == pytest.approx(a[0], rel=1e-4, abs=1e-3)
    np.testing.assert_allclose(np.exp(b[1]), np.exp(a[1]), rtol=1e-3, atol=1e-6)


def test_a_failed_score_is_not_sharpened_but_out():
    _, out = Sharpened(2.0)(np.array([-np.inf, 1.0, 0.0, 0.5]), np.zeros(4), 2.0)
    assert (out == -np.inf).tolist() == [True] + [False] * 3


@pytest.mark.parametrize("gamma", [np.inf, np.nan])
def test_to_sharpen_needs_a_level(gamma):
    with pytest.raises(ValueError, match=r"^Sharpened needs a level gamma .* got (inf|nan)"):
        Sharpened()(SIX, np.zeros(6), gamma)


@pytest.mark.parametrize("ess", [0, -1.0, np.inf, np.nan])
def test_an_effective_number_that_is_none_is_refused(ess):
    with pytest.raises(ValueError, match=r"^ess, .* must be positive and finite; got"):
        Sharpened(ess)


# Tempered, for means


def test_the_power_of_one_good_and_three_equal_samples_is_the_closed_form():
    score = np.array([0.0, 0.0, 4.0, 0.0])
    beta, log_w = Tempered(0.5)(score, np.zeros(4), 1.0)
    # (3 + a)^2 / (3 + a^2) = 2 for a = e^(4 beta) = 3 + 2 sqrt(3)
    assert beta == pytest.approx(math.log(3 + 2 * math.sqrt(3)) / 4, rel=1e-5)
    np.testing.assert_allclose(log_w, beta * score, rtol=1e-15)


@pytest.mark.parametrize("rho", [0.05, 0.1, 0.5])
@pytest.mark.parametrize("steep", [3.0, 50.0, 1e4])
def test_the_largest_power_is_taken_that_leaves_that_share(rho, steep):
    rng = np.random.default_rng(0)
    score, log_w = steep * rng.normal(size=400), 0.3 * rng.normal(size=400)
    beta, out = Tempered(rho)(score, log_w, 1.0)
    assert 0 < beta < 1
    assert effective(out) == pytest.approx(rho * 400, rel=1e-4)
    assert effective(log_w + 1.01 * beta * score) < rho * 400
    np.testing.assert_allclose(out, log_w + beta * score, rtol=1e-12)


def test_the_power_is_one_as_soon_as_that_leaves_enough():
    score = np.random.default_rng(0).normal(size=100)
    beta, out = Tempered(0.1)(score, np.zeros(100), 1.0)
    assert beta == 1.0
    np.testing.assert_array_equal(out, score)


def test_a_factor_of_the_integrand_does_not_matter():
    score = 30 * np.random.default_rng(0).normal(size=100)
    a, b = (Tempered(0.1)(score + shift, np.zeros(100), 1.0) for shift in (0.0, 700.0))
    assert a[0] == pytest.approx(b[0], rel=1e-9)
    np.testing.assert_allclose(a[1] - a[1].max(), b[1] - b[1].max(), atol=1e-9)


def test_a_failed_score_is_tempered_to_nothing():
    beta, out = Tempered(0.3)(np.array([-np.inf, 1.0, 0.0, 0.5, 0.2]), np.zeros(5), 1.0)
    assert beta == 1.0
    assert (out == -np.inf).tolist() == [True] + [False] * 4


def test_where_weights_leave_fewer_whatever_the_power_the_most_are_left():
    score, log_w = np.array([0.0, 1.0, 2.0, 3.0]), np.log([1e6, 1.0, 1.0, 1.0])
    beta, out = Tempered(0.9)(score, log_w, 1.0)
    powers = 2.0 ** -np.arange(0, 41)
    assert effective(out) >= max(effective(log_w + p * score) for p in powers) - 1e-9
    assert 0 < beta <= 1
