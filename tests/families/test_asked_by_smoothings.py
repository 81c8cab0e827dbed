"""What smoothings ask of families: to keep a margin, and to be taken apart."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from cem import Composition, Constant, Dynamic, GaussianMixture, Margin, State


def to(v_hat):
    return SimpleNamespace(v_hat=v_hat)


def test_within_a_margin_every_composition_is_possible():
    every = np.array([x for x in itertools.product(range(5), repeat=3) if sum(x) == 4])
    sure = Composition.even(3, 4).fit(every[[7]], np.ones(1))
    assert (sure.log_density(every) > -np.inf).sum() < len(every)
    v, memory = Margin(Constant(1.0), 0.01)(State(Composition.even(3, 4)), to(sure))
    density = np.exp(v.log_density(every))
    assert density.sum() == pytest.approx(1, rel=1e-12)
    assert density.min() > 0.01**3  # the surprises that it takes, one for a decision
    assert density.argmax() == 7
    assert memory == {}


def test_a_composition_inside_the_margin_stays_as_it_is():
    v = Composition([[0.5, 0.25]])
    assert v.within_margin(0.25, v).p.tolist() == [[0.5, 0.25]]
    assert v.within_margin(0.3, v).p.tolist() == [[0.5, 0.3]]


@pytest.mark.parametrize(
    "smooth",
    [Dynamic(), Constant({"weight": 0.7, "mean": 0.7, "cov": 0.3})],
    ids=["dynamic", "by name"],
)
def test_the_parameters_of_a_mixture_are_not_smoothed_one_by_one(smooth):
    v = GaussianMixture([0.5, 0.5], [[-1.0], [1.0]], [[[1.0]], [[1.0]]])
    with pytest.raises(TypeError, match=r"of GaussianMixture cannot be smoothed one by one; got"):
        smooth(State(v), to(v))
    assert Constant(0.7)(State(v), to(v))[0].weight.sum() == pytest.approx(1)
