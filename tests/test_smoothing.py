"""From the old density and the new fit to the next one."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cem
from cem import (
    Bernoulli,
    Boltzmann,
    Categorical,
    Constant,
    Decreasing,
    Dynamic,
    Elite,
    Exponential,
    Floor,
    LogNormal,
    Margin,
    MultivariateNormal,
    Normal,
    Ranked,
    Settling,
    State,
)
from cem.checkpoint import dumps, loads, settings_of
from cem.families.tree import DependencyTree


def refit(p, gamma=0.0):
    return SimpleNamespace(v_hat=Bernoulli(p), gamma=gamma, elite=None, w=None)


def test_alpha_is_the_weight_of_the_new_fit():
    v, memory = Constant(0.7)(State(Bernoulli([0.5])), refit([1.0]))
    assert v.p == pytest.approx([0.85])
    assert memory == {}


def test_alpha_one_is_the_new_fit_itself():
    new = refit([0.3])
    assert Constant(1.0)(State(Bernoulli([0.5])), new)[0] is new.v_hat


def test_with_alpha_below_one_no_part_of_the_support_is_ever_lost():
    state = State(Bernoulli([0.5, 0.5]))
    for _ in range(100):
        state = State(Constant(0.5)(state, refit([0.0, 1.0]))[0])
    assert state.v.p[0] > 0
    assert state.v.log_density(np.array([[1, 1]])) > -np.inf


@pytest.mark.parametrize("alpha", [0, -0.5, 1.01, np.nan, np.inf])
@pytest.mark.parametrize("make", [Constant, lambda alpha: Settling(2.0, alpha)])
def test_a_weight_outside_its_range_is_refused(make, alpha):
    with pytest.raises(ValueError, match=r"^alpha, the weight of the new fit .* in \(0, 1\]; got"):
        make(alpha)


def test_below_the_level_settling_is_constant():
    state = State(Bernoulli([0.5]), memory={"settled": np.array([3.0])})
    v, memory = Settling(gamma=2.0, alpha=0.8)(state, refit([1.0], gamma=1.9))
    assert v.p == pytest.approx([0.9])
    assert memory == {}


def test_at_the_level_settling_is_the_mean_of_the_fits_made_there():
    settle, state, fits = Settling(gamma=2.0, alpha=1.0), State(Bernoulli([0.5])), [0.2, 0.8, 0.5]
    for k, p in enumerate(fits, start=1):
        v, memory = settle(state, refit([p], gamma=2.0))
        state = State(v, memory=memory)
        assert v.p == pytest.approx([np.mean(fits[:k])])
        assert memory["settled"].tolist() == [k]


def test_the_first_fit_at_the_level_keeps_a_share_of_the_density_before():
    v, memory = Settling(gamma=2.0, alpha=0.9)(State(Bernoulli([0.5])), refit([1.0], gamma=2.0))
    assert v.p == pytest.approx([0.95])
    assert memory["settled"].tolist() == [1]


def test_a_level_lost_again_starts_the_mean_anew():
    settle = Settling(gamma=2.0, alpha=0.9)
    state = State(Bernoulli([0.5]), memory={"settled": np.array([5.0])})
    state = State(*settle(state, refit([1.0], gamma=1.0))[:1], memory={})
    assert settle(state, refit([1.0], gamma=2.0))[1]["settled"].tolist() == [1]


def to(v_hat):
    return SimpleNamespace(v_hat=v_hat, gamma=0.0, elite=None, w=None)


# Dynamic


def test_the_width_follows_beta_t_and_the_mean_alpha():
    smooth, mean, std = Dynamic(alpha=0.8, beta=0.7, q=5), 4.0, 2.0
    state = State(Normal([mean], [std]))
    for t in range(1, 50):
        new_mean, new_std = math.sin(t), 1 / t
        state = State(smooth(state, to(Normal([new_mean], [new_std])))[0], t)
        beta_t = 0.7 - 0.7 * (1 - 1 / t) ** 5
        mean = 0.8 * new_mean + 0.2 * mean
        std = beta_t * new_std + (1 - beta_t) * std
        assert state.v.mean == pytest.approx([mean], rel=1e-12)
        assert state.v.std == pytest.approx([std], rel=1e-12)


def test_the_width_shrinks_like_a_power_of_t_and_not_geometrically():
    smooth, state = Dynamic(beta=0.9, q=7), State(Normal([0.0], [1.0]))
    widths = {}
    for t in range(1, 2001):
        state = State(smooth(state, to(Normal([0.0], [0.0])))[0], t)
        widths[t] = state.v.std[0]
    assert math.log2(widths[1000] / widths[2000]) == pytest.approx(0.9 * 7, rel=0.02)


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        (MultivariateNormal([0, 0], np.eye(2)), MultivariateNormal([1, 1], 3 * np.eye(2)), "cov"),
        (LogNormal([0.0], [1.0]), LogNormal([1.0], [3.0]), "log_std"),
        (cem.Laplace([0.0], [1.0]), cem.Laplace([1.0], [3.0]), "scale"),
    ],
)
def test_every_family_with_a_mean_and_a_width_will_do(old, new, name):
    v, memory = Dynamic(alpha=0.5, beta=0.8, q=2)(State(old, t=1), to(new))  # 0.8 (1 - 1/4)
    width = 0.6 * new.parameters()[name] + 0.4 * old.parameters()[name]
    np.testing.assert_allclose(v.parameters()[name], width, rtol=1e-12)
    assert next(iter(v.parameters().values())) == pytest.approx([0.5] * old.n_coordinates)
    assert memory == {}


@pytest.mark.parametrize("v", [Bernoulli([0.5]), Exponential([1.0]), cem.Uniform([0.0], [1.0])])
def test_a_family_without_a_mean_and_a_width_is_refused(v):
    with pytest.raises(ValueError, match=rf"a mean and a width, .* got {type(v).__name__} with"):
        Dynamic()(State(v), to(v))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"alpha": 0}, r"^alpha of the mean, the weight .* in \(0, 1\]; got 0$"),
        ({"beta": 1.5}, r"^beta of the width, the weight .* in \(0, 1\]; got 1\.5$"),
        ({"q": 0}, r"^q, .* must be positive and finite; got 0$"),
        ({"q": np.inf}, r"^q, .* must be positive and finite; got inf$"),
    ],
)
def test_settings_of_dynamic_smoothing_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Dynamic(**settings)


# Decreasing


@pytest.mark.parametrize("alpha", [0.2, 0.9])
def test_with_alpha_over_t_the_share_that_is_left_is_a_quotient_of_gamma_functions(alpha):
    smooth, state = Decreasing(alpha, power=1), State(Bernoulli([0.5]))
    for t in range(1, 101):
        state = State(smooth(state, refit([0.0]))[0], t)
        share = math.gamma(t + 1 - alpha) / math.gamma(1 - alpha) / math.factorial(t)
        assert state.v.p == pytest.approx([0.5 * share], rel=1e-12)


def test_with_a_power_of_one_half_alpha_is_halved_by_the_fourth_iteration():
    for t, alpha in [(0, 0.8), (3, 0.4), (15, 0.2)]:
        v, memory = Decreasing(0.8, 0.5)(State(Bernoulli([0.0]), t), refit([1.0]))
        assert v.p == pytest.approx([alpha])
        assert memory == {}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"alpha": 0}, r"^alpha, the weight of the new fit"),
        ({"power": 0}, r"^power, .* must be positive and finite; got 0$"),
        ({"power": np.nan}, r"^power, .* must be positive and finite; got nan$"),
    ],
)
def test_settings_of_decreasing_smoothing_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Decreasing(**settings)


# Floor and margin


def test_a_floor_lifts_what_is_below_it_and_nothing_else():
    smooth = Floor(Constant(0.5), {"std": 0.25})
    state = State(Normal([-1.0, 0.0, 1.0], [0.1, 0.4, 1.0]))
    v, memory = smooth(state, to(Normal([-3.0, 0.0, 1.0], [0.1, 0.2, 1.0])))
    assert v.mean.tolist() == [-2, 0, 1]
    assert v.std == pytest.approx([0.25, 0.3, 1.0])
    assert memory == {}


def test_a_floor_may_hold_several_parameters():
    v = cem.Gamma([0.5], [0.5])
    lifted, _ = Floor(Constant(1.0), {"shape": 1.0, "rate": 2.0})(State(v), to(v))
    assert (lifted.shape.tolist(), lifted.rate.tolist()) == ([1.0], [2.0])


@pytest.mark.parametrize("name", ["cov", "width"])
def test_a_floor_under_what_is_no_vector_of_the_family_is_refused(name):
    v = MultivariateNormal([0.0], [[1.0]])
    with pytest.raises(ValueError, match=rf"of one axis of MultivariateNormal, mean; got {name}$"):
        Floor(Constant(1.0), {name: 0.1})(State(v), to(v))


@pytest.mark.parametrize(
    ("of", "least", "error", "message"),
    [
        (0.7, {"std": 0.1}, TypeError, r"^Floor wraps a smoothing, such as .* got 0\.7$"),
        (Constant(), 0.1, TypeError, r"^least must name parameters .* got 0\.1$"),
        (Constant(), {}, TypeError, r"^least must name parameters .* got \{\}$"),
        (Constant(), {"std": np.nan}, ValueError, r"^the least std must be finite; got nan$"),
        (Constant(), {"std": "a"}, TypeError, r"^the least std must be a number; got 'a'"),
    ],
)
def test_a_floor_that_is_none_is_refused(of, least, error, message):
    with pytest.raises(error, match=message):
        Floor(of, least)


def test_a_margin_keeps_probabilities_off_zero_and_one():
    v, memory = Margin(Constant(1.0), 0.1)(State(Bernoulli([0.5] * 4)), refit([0, 0.2, 0.95, 1]))
    assert v.p.tolist() == [0.1, 0.2, 0.9, 0.9]
    assert memory == {}


def test_rows_give_to_what_is_below_the_margin_in_proportion_to_their_surplus():
    state = State(Categorical([[0.25] * 4, [0.5, 0.5, 0.0, 0.0]]))
    v_hat = Categorical([[0.0, 0.05, 0.35, 0.6], [1.0, 0.0, 0.0, 0.0]])
    v, memory = Margin(Constant(1.0), 0.1)(state, to(v_hat))
    expected = [[0.1, 0.1, 0.1 + 0.25 * 0.8, 0.1 + 0.5 * 0.8], [0.9, 0.1, 0.0, 0.0]]
    np.testing.assert_allclose(v.p, expected, rtol=1e-14)
    assert memory == {}


def test_rows_within_the_margin_stay_as_they_are():
    v_hat = Categorical([[0.1, 0.2, 0.7], [0.3, 0.3, 0.4]])
    v, _ = Margin(Constant(1.0), 0.1)(State(v_hat), to(v_hat))
    np.testing.assert_allclose(v.p, v_hat.p, rtol=1e-14)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9), st.floats(0.01, 0.49))
def test_a_row_of_two_keeps_the_margin_of_a_coin(p, least):
    coins, rows = Bernoulli(p), Categorical([[1 - q, q] for q in p])
    smooth, half = Margin(Constant(1.0), least), Categorical([[0.5, 0.5]] * len(p))
    of_coins = smooth(State(Bernoulli([0.5] * len(p))), to(coins))[0].p
    np.testing.assert_allclose(smooth(State(half), to(rows))[0].p[:, 1], of_coins, rtol=1e-12)


def test_a_margin_as_wide_as_a_row_allows_makes_it_even():
    v_hat = Categorical([[1.0, 0.0, 0.0, 0.0]])
    v, _ = Margin(Constant(1.0), 0.25)(State(Categorical([[0.25] * 4])), to(v_hat))
    assert v.p.tolist() == [[0.25] * 4]


def test_a_margin_wider_than_a_row_allows_is_refused():
    v = Categorical([[0.25] * 4])
    with pytest.raises(ValueError, match=r"must be at most 1/4 for a row of 4 .* got 0\.3$"):
        Margin(Constant(1.0), 0.3)(State(v), to(v))


def test_categories_within_a_margin_are_never_lost():
    best = np.array([2, 0, 1, 3])

    def hits(x):
        return (x == best).sum(axis=1)

    found = cem.maximize(
        hits, Categorical([[0.25] * 4] * 4), smooth=Margin(Constant(1.0), 0.05),
        n_samples=100, rng=1, max_iterations=30,
    )  # fmt: skip
    assert found.fun == 4
    np.testing.assert_allclose(found.family.p[np.arange(4), best], 0.85)
    assert found.family.p.min() == pytest.approx(0.05)


def test_a_family_that_knows_its_margin_is_asked_for_it():
    v = DependencyTree([[0.5, 0.5], [0.5, 0.5]])
    within, memory = Margin(Constant(1.0), 0.1)(State(v), to(v))
    expected = [[0.5, 0.45], [0.45, 0.5]]
    np.testing.assert_allclose(within.pair, expected, rtol=1e-14)
    assert memory == {}


@pytest.mark.parametrize("v", [Exponential([1.0]), Normal([0.0], [1.0])])
def test_a_margin_needs_probabilities(v):
    with pytest.raises(ValueError, match=rf"with probabilities p, .* got {type(v).__name__} with"):
        Margin(Constant(1.0), 0.1)(State(v), to(v))


@pytest.mark.parametrize("least", [0, 0.5, -0.1, np.nan])
def test_a_margin_that_leaves_no_room_or_none_is_refused(least):
    with pytest.raises(ValueError, match=r"^least, the margin, must lie in \(0, 1/2\); got"):
        Margin(Constant(), least)


def test_a_margin_does_not_bring_back_what_the_start_excludes():
    found = cem.maximize(
        lambda x: x.sum(axis=1), Bernoulli([0.0, 0.5, 1.0] * 4), smooth=Margin(Constant(1.0), 0.1),
        n_samples=200, rng=1, max_iterations=10,
    )  # fmt: skip
    assert found.x.tolist() == [0, 1, 1] * 4
    assert found.family.p == pytest.approx([0.0, 0.9, 1.0] * 4)


def test_what_the_wrapped_smoothing_remembers_is_kept():
    settle = Settling(gamma=0.0, alpha=0.9)
    for smooth in (Margin(settle, 0.1), Floor(settle, {"p": 0.1})):
        state = State(Bernoulli([0.5]))
        for n in (1, 2, 3):
            v, memory = smooth(state, refit([0.0]))
            state = State(v, n, memory=memory)
            assert memory["settled"].tolist() == [n]
        assert v.p.tolist() == [0.1]


# In the loop


SMOOTHINGS = [
    (Dynamic(0.7, 0.9, 7), Normal([0.0] * 3, [4.0] * 3)),
    (Decreasing(0.9, 0.5), Normal([0.0] * 3, [4.0] * 3)),
    (Floor(Dynamic(), {"std": 1e-3}), Normal([0.0] * 3, [4.0] * 3)),
    (Floor(Settling(-1.0), {"std": 1e-3}), Normal([0.0] * 3, [4.0] * 3)),
    (Margin(Decreasing(), 0.1), Bernoulli([0.5] * 10)),
]


def ones(x):
    return -((x - 1.0) ** 2).sum(axis=1)


@pytest.mark.parametrize("select", [Elite(0.2), Ranked(0.2), Boltzmann(0.1)], ids=repr)
@pytest.mark.parametrize(("smooth", "family"), SMOOTHINGS, ids=repr)
def test_a_run_cut_after_any_iteration_and_resumed_gives_the_same_bits(
    smooth, family, select, same_run
):
    settings = {"smooth": smooth, "select": select, "n_samples": 60, "rng": 4}
    settings["max_iterations"] = 8
    saved = []
    whole = cem.maximize(
        ones, family, **settings, callback=lambda state, record: saved.append((state, record))
    )
    assert len(saved) == whole.nit == 8
    for t, (state, _) in enumerate(saved, start=1):
        start = loads(dumps(state, cem.History(whole.history[:t]), {}), family)[:2]
        assert same_run(cem.maximize(ones, family, **settings, start=start), whole)


@pytest.mark.parametrize(("smooth", "family"), SMOOTHINGS, ids=repr)
def test_every_smoothing_nears_the_optimum(smooth, family):
    found = cem.maximize(ones, family, smooth=smooth, n_samples=200, rng=1, max_iterations=150)
    assert found.x == pytest.approx(np.ones(family.n_coordinates), abs=1e-2)


def test_settings_that_are_equal_read_the_same_whether_pythons_or_numpys():
    def read(number):
        smooth = Margin(Floor(Dynamic(number(1), number(1), number(2)), {"p": number(0)}), 0.25)
        method = cem.CrossEntropyMethod(
            nominal=Bernoulli([0.5]), n_samples=9, select=Elite(0.5, at_most=5), smooth=smooth
        )
        known = settings_of(method)
        return known["select"], known["smooth"]

    assert read(int) == read(np.float64) == read(np.int64)
    assert "Dynamic(alpha=1.0, beta=1.0, q=2.0)" in read(int)[1]
