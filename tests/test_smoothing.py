"""From the old density and the new fit to the next one."""

from types import SimpleNamespace

import numpy as np
import pytest

from cem import Bernoulli, Constant, Settling, State


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
