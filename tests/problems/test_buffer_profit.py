"""The profit of a line: places that cost something, and how many of them are worth it."""

import itertools

import numpy as np
import pytest

import cem
from cem.randomness import root_of
from cem.testing import ProblemContract
from problems.buffer_allocation import ProductionLine
from problems.buffer_allocation.profit import BufferProfit

LINE = ProductionLine([1.0, 1.2, 1.4])
PROFIT = BufferProfit(LINE, capacity=12, value=100.0, price=1.0)


class TestSimulated(ProblemContract):
    problem = PROFIT.bind(np.random.default_rng(1))
    nominal = PROFIT.nominal()


def test_the_profit_is_the_value_of_the_throughput_less_the_cost_of_the_places():
    x = np.array([[4, 3, 5], [0, 0, 12]])
    throughput = PROFIT.throughput.bound_at(root_of(1), 2, 0)(x[:, :2])
    score = PROFIT.bound_at(root_of(1), 2, 0)(x)
    np.testing.assert_allclose(score, 100 * throughput - [7, 0], rtol=1e-12)


def test_a_search_finds_the_most_profit():
    every = [(*b, 12 - sum(b)) for b in itertools.product(range(13), repeat=2) if sum(b) <= 12]
    best = max(every, key=PROFIT.exact)
    for seed in range(5):
        found = cem.maximize(PROFIT, rng=seed)
        assert PROFIT.exact(found.x) > PROFIT.exact(best) - 0.02
        low, high = found.confidence_interval(0.9999)
        assert low < PROFIT.exact(found.x) < high


def test_places_that_cost_too_much_are_not_built():
    dear = BufferProfit(LINE, capacity=5, value=1.0, price=1.0)
    assert cem.maximize(dear, rng=1).x.tolist() == [0, 0, 5]


def test_neighbours_build_leave_out_or_move_one_place():
    near = PROFIT.neighbours(np.array([0, 3, 9]))
    assert sorted(near.tolist()) == [[0, 2, 10], [0, 4, 8], [1, 2, 9], [1, 3, 8]]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"value": 0.0}, "value must be positive and finite; got 0"),
        ({"price": -1.0}, "price must be at least 0 and finite; got -1"),
        ({"price": np.nan}, "price must be at least 0 and finite; got nan"),
        ({"capacity": 0}, "capacity must be at least 1; got 0: there is nothing to choose"),
        ({"capacity": -1}, "capacity must be at least 0; got -1"),
    ],
)
def test_a_problem_that_cannot_be_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        BufferProfit(**{"line": LINE, "capacity": 5} | settings)


def test_without_a_generator_there_is_no_score():
    with pytest.raises(TypeError, match=r"give it a generator first, as in problem.bind\(rng\)"):
        PROFIT(np.array([[4, 3, 5]]))


def test_a_search_for_profit_counts_its_evaluations():
    found = cem.maximize(PROFIT, max_iterations=2, rng=1)
    assert found.nfev >= 200
