"""Repair orders: the density against all states of the edges, the fit against its bound."""

from itertools import permutations, product
from math import factorial

import numpy as np
import pytest
from scipy.stats import binom, chi2

from cem.testing import FamilyContract
from problems.rare_event.network_reliability.orders import RepairOrders, at_most
from problems.rare_event.network_reliability.weighting import best_shares

Q = np.array([0.1, 0.5, 0.3, 0.7])
CUTS = np.array([[1, 1, 0, 0], [0, 0, 1, 0], [0, 1, 0, 1]])
EVERY = np.array(list(permutations(range(4))))
MIXED = RepairOrders([0.3, 0.2, 0.4, 0.1], Q, CUTS)


class TestRepairOrders(FamilyContract):
    family = RepairOrders([0.4, 0.35, 0.25], [0.2, 0.4, 0.3, 0.2], [[1, 1, 0, 0], [0, 0, 1, 1]])
    outside = ([0, 0, 1, 2], [0, 1, 2, 4], [-1, 0, 1, 2], [0.0, 1.0, 1.5, 2.0])
    spread_is_std = False
    fills_boxes = False
    rtol = 1e-6  # of weights: EM ends within 1e-10 of the least loss


class TestEqualEdges(FamilyContract):
    family = RepairOrders([0.4, 0.6], [0.1, 0.1, 0.1], [[1, 1, 0]])
    spread_is_std = False
    fills_boxes = False
    rtol = 1e-6


def joint(late):
    """``P(late, order)`` of every order: those in time first, the late ones last."""
    first, n_late = np.flatnonzero(~late).tolist(), late.sum()
    chance = np.where(late, Q, 1 - Q).prod() / factorial(n_late) / factorial(4 - n_late)
    fits = np.array([set(x[: len(first)]) == set(first) for x in EVERY.tolist()])
    return chance * fits


STATES = [np.array(late) for late in product([False, True], repeat=4)]


def test_the_nominal_density_is_the_sum_over_the_states_of_the_edges():
    nominal = MIXED.replace(weight=[1.0, 0.0, 0.0, 0.0])
    expected = sum(joint(late) for late in STATES)
    np.testing.assert_allclose(np.exp(nominal.log_density(EVERY)), expected, rtol=1e-13)
    assert expected.sum() == pytest.approx(1, abs=1e-14)


@pytest.mark.parametrize("c", range(3))
def test_a_component_is_the_density_given_that_its_cut_is_late(c):
    given = [late for late in STATES if late[CUTS[c] == 1].all()]
    expected = sum(joint(late) for late in given) / Q[CUTS[c] == 1].prod()
    one = MIXED.replace(weight=np.eye(4)[1 + c])
    np.testing.assert_allclose(np.exp(one.log_density(EVERY)), expected, rtol=1e-13)


@pytest.mark.parametrize("weight", [MIXED.weight, *np.eye(4)], ids=["mixed", *"0123"])
def test_the_sampler_draws_every_order_as_often_as_it_is_likely(weight):
    f, n = MIXED.replace(weight=weight), 20_000
    x = f.sample(np.random.default_rng(0), n)
    count = (x[:, None] == EVERY).all(axis=2).sum(axis=0)
    expected = n * np.exp(f.log_density(EVERY))
    assert expected.sum() == pytest.approx(n, rel=1e-12)
    assert ((count - expected) ** 2 / expected).sum() < chi2.isf(1e-6, len(EVERY) - 1)


def test_what_an_order_says_about_the_late_edges_is_bayes_formula():
    total = sum(joint(late) for late in STATES)
    for j in range(5):
        few = sum(joint(late) for late in STATES if (~late).sum() <= j)
        found = at_most(EVERY, Q, np.full(len(EVERY), j))
        np.testing.assert_allclose(found, few / total, rtol=1e-13)


def test_with_equal_edges_it_is_a_binomial_probability_however_small():
    j = np.arange(40)
    found = at_most(np.arange(40)[None], np.full(40, 1e-6), j)
    np.testing.assert_allclose(found, binom.sf(39 - j, 40, 1e-6), rtol=1e-11)
    assert found[0] == pytest.approx(1e-240, rel=1e-11)


def test_nearly_equal_edges_are_as_equal_ones():
    x = MIXED.sample(np.random.default_rng(0), 5)
    j = np.tile(np.arange(4), (5, 1))
    near = np.full(4, 0.25) * (1 + 1e-12 * np.arange(4))
    np.testing.assert_allclose(at_most(x, near, j), at_most(x, np.full(4, 0.25), j), rtol=1e-10)


# The fit


def test_every_fit_keeps_a_tenth_of_the_nominal_order_and_every_cut():
    x = np.tile([2, 3, 1, 0], (50, 1))  # the first cut is late in all of them
    fitted = MIXED.fit(x, np.ones(50))
    late = np.array([0.05, 0.3, 0.35])
    least = [0.1, *(0.4 * late / late.sum())]
    np.testing.assert_allclose(fitted.weight, np.array(least) + 0.5 * np.eye(4)[1], atol=1e-9)
    nominal = MIXED.replace(weight=np.eye(4)[0])
    assert (nominal.log_density(EVERY) - fitted.log_density(EVERY)).max() < np.log(10)


def test_the_best_shares_have_the_least_loss_of_all_on_a_grid():
    rng = np.random.default_rng(1)
    ratio, w, least = rng.standard_exponential((60, 3)), np.full(60, 1 / 60), np.full(3, 0.05)

    def loss(p):
        return -np.log(ratio @ p) @ w

    found = best_shares(ratio, w, least)
    assert found.sum() == pytest.approx(1, abs=1e-12)
    steps = np.linspace(0.05, 0.9, 86)
    grid = [loss([a, b, 1 - a - b]) for a in steps for b in steps if a + b <= 0.95]
    assert 0 <= min(grid) - loss(found) < 1e-3


def test_the_best_shares_are_near_the_least_loss_by_the_bound_of_convexity():
    rng = np.random.default_rng(2)
    ratio, w = rng.standard_exponential((500, 20)) ** 2, rng.dirichlet(np.ones(500))
    least = np.linspace(0, 0.02, 20)
    p = best_shares(ratio, w, least)
    assert (p >= least).all()
    gain = (w / (ratio @ p)) @ ratio  # minus the slope of the loss
    u = (p - least) / (1 - least.sum())
    assert 0 <= gain.max() - gain @ u < 1e-4
    assert (u < 1e-3).any()


# Mistakes


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.5, 0.6], Q, CUTS[:1]), r"^RepairOrders\.weight must sum to 1; got 1\.1"),
        (([0.5, 0.5], [0.1, 1.0, 0.1, 0.1], CUTS[:1]), r"^RepairOrders\.q must lie strictly"),
        (([0.5, 0.5], Q, CUTS), r"^RepairOrders\.cuts must have shape \(1, 4\), .* \(3, 4\)"),
        (([0.5, 0.5], Q, 0 * CUTS[:1]), r"^RepairOrders\.cuts must hold zeros and ones, at least"),
        (([0.5, 0.5], Q, 2 * CUTS[:1]), r"^RepairOrders\.cuts must hold zeros and ones"),
    ],
)
def test_bad_parameters_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        RepairOrders(*arguments)


def test_a_sample_that_is_no_order_is_named():
    message = r"^RepairOrders\.fit: .* must be orders of the edges 0, \.\.\., 3; got \[0 0 1 2\]"
    with pytest.raises(ValueError, match=message):
        MIXED.fit(np.array([[0, 1, 2, 3], [0, 0, 1, 2]]), np.ones(2))
