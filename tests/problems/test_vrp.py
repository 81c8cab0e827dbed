"""Vehicle routing: the dynamic programme against every demand, simulated days against the mean."""

import math
from itertools import permutations, product
from types import SimpleNamespace

import numpy as np
import pytest

import cem
from cem.testing import ProblemContract
from problems import load
from problems.vrp import Simulated, StochasticRouting, scattered

RNG = np.random.default_rng(8)
ASYMMETRIC = RNG.uniform(1, 9, (5, 5))
DEMAND = RNG.dirichlet(np.ones(4), 4)  # of 0, 1, 2 or 3
EVERY = np.array([(0, *order) for order in permutations(range(1, 5))])
POLICIES = pytest.mark.parametrize("restocking", [True, False])


class TestRestocking(ProblemContract):
    minimised = True
    problem = scattered()


class TestDetours(ProblemContract):
    minimised = True
    problem = scattered(6, restocking=False)


def one_day(routing, tour, demand):
    """The length of a day without restocking, step by step."""
    d, load, at, length = routing.distance, routing.capacity, 0, 0.0
    for customer in tour[1:]:
        length += d[at, customer]
        wanted = demand[customer - 1]
        if wanted > load:
            length += d[customer, 0] + d[0, customer]
            wanted, load = wanted - load, routing.capacity
        load, at = load - wanted, customer
    return length + d[at, 0]


def best_of_all_ways(routing, tour, at=0, load=None):
    """The least expected length from a place on, by trying both ways for every demand."""
    load = routing.capacity if load is None else load
    d, here = routing.distance, tour[at]
    if at == len(tour) - 1:
        return d[here, 0]
    there = tour[at + 1]

    def onwards(left):
        total = 0.0
        for wanted, p in enumerate(routing.demand[there - 1]):
            short = wanted > left
            rest = left - wanted + (routing.capacity if short else 0)
            detour = d[there, 0] + d[0, there] if short else 0.0
            total += p * (detour + best_of_all_ways(routing, tour, at + 1, rest))
        return total

    direct = d[here, there] + onwards(load)
    return min(direct, d[here, 0] + d[0, there] + onwards(routing.capacity)) if at else direct


@pytest.mark.parametrize("capacity", [3, 4, 7])
def test_without_restocking_the_score_is_the_mean_over_all_demands(capacity):
    routing = StochasticRouting(ASYMMETRIC, DEMAND, capacity, restocking=False)
    for tour, score in zip(EVERY, routing(EVERY), strict=True):
        days = (
            math.prod(DEMAND[c, k] for c, k in enumerate(demand))
            * one_day(routing, tour.tolist(), demand)
            for demand in product(range(4), repeat=4)
        )
        assert score == pytest.approx(sum(days), rel=1e-12)


@pytest.mark.parametrize("capacity", [3, 4, 7])
def test_with_restocking_the_score_is_that_of_the_best_decisions(capacity):
    routing = StochasticRouting(ASYMMETRIC, DEMAND, capacity)
    expected = [best_of_all_ways(routing, tour.tolist()) for tour in EVERY]
    np.testing.assert_allclose(routing(EVERY), expected, rtol=1e-12)


def test_restocking_never_costs_and_sometimes_saves():
    x = scattered().nominal().sample(np.random.default_rng(0), 200)
    with_it, without = scattered()(x), scattered(restocking=False)(x)
    assert (with_it <= without).all()
    assert (with_it < without).any()


@POLICIES
def test_enough_capacity_leaves_the_length_of_the_tour(restocking):
    routing = scattered(5, capacity=25, restocking=restocking)
    x = routing.nominal().sample(np.random.default_rng(1), 20)
    length = routing.distance[x, np.roll(x, -1, axis=1)].sum(axis=1)
    np.testing.assert_allclose(routing(x), length, rtol=1e-13)


@POLICIES
def test_simulated_days_have_the_expected_length_on_average(restocking):
    routing = StochasticRouting(ASYMMETRIC, DEMAND, 4, restocking=restocking)
    n, tours = 20_000, EVERY[::8]
    days = routing.simulate(np.repeat(tours, n, axis=0), np.random.default_rng(2)).reshape(-1, n)
    z = (days.mean(axis=1) - routing(tours)) / (days.std(axis=1) / math.sqrt(n))
    assert abs(z).max() < 5.5  # 3 tours: false alarm below 2e-7


def test_a_day_without_chance_is_the_score():
    routing = StochasticRouting(ASYMMETRIC, [[0, 0, 1]] * 4, 5)
    np.testing.assert_allclose(routing.simulate(EVERY, RNG), routing(EVERY), rtol=1e-13)


def test_the_simulated_problem_is_noisy_with_the_exact_mean():
    noisy = load("vrp", n=4, simulated=True)
    assert isinstance(noisy, Simulated)
    np.testing.assert_array_equal(noisy.mean(EVERY), scattered(4)(EVERY))
    days = noisy.bind(np.random.default_rng(3))(EVERY)
    same = scattered(4).simulate(EVERY, np.random.default_rng(3))
    np.testing.assert_array_equal(days, same)
    found = SimpleNamespace(x=EVERY[0], confidence_interval=lambda: (1.0, 2.0))
    true = f"{scattered(4)(EVERY[:1])[0]:.6g}"
    assert noisy.report(found) == {"interval": "1 to 2", "expected length": true}


def test_the_method_finds_the_best_of_all_tours():
    routing = scattered(6, seed=3)
    every = np.array([(0, *order) for order in permutations(range(1, 7))])
    found = cem.minimize(routing, n_samples=500, rng=1)
    assert found.fun == pytest.approx(routing(every).min(), rel=1e-12)


def test_one_customer_is_a_way_there_and_back():
    routing = StochasticRouting([[0, 2], [3, 0]], [[0, 1]], 1)
    assert routing(routing.nominal().sample(RNG, 2)).tolist() == [5.0, 5.0]


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: scattered(0), ValueError, "n, the number of customers, must be at least 1; got 0"),
        (lambda: scattered(most=11), ValueError, "at most the capacity, 10; got one of 11"),
        (lambda: scattered(least=3, most=2), ValueError, "largest demand, must be at least 3"),
        (lambda: scattered(capacity=2.5), TypeError, "capacity must be a whole number; got 2.5"),
        (
            lambda: StochasticRouting(np.ones((2, 2)), DEMAND, 3),
            ValueError,
            r"depot and 4 customers, shape \(5, 5\); got \(2, 2\)",
        ),
        (
            lambda: StochasticRouting(ASYMMETRIC, DEMAND / 2, 3),
            ValueError,
            "must sum to 1; got 0.5 for customer 1, row 0",
        ),
        (
            lambda: StochasticRouting(-ASYMMETRIC, DEMAND, 3),
            ValueError,
            "distance must be at least",
        ),
        (lambda: scattered(3)([[0, 1, 2]]), ValueError, r"orders of 4 nodes.*got \(1, 3\)"),
        (lambda: scattered(2)([[1, 0, 2]]), ValueError, "begins at the depot, node 0; got node 1"),
    ],
)
def test_a_mistake_is_named(make, kind, message):
    with pytest.raises(kind, match=message):
        make()
