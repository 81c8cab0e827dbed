"""What allocations are compared with: equal shares sum up, gaps hold the exact difference."""

import numpy as np
import pytest
from scipy.stats import binom

import cem
from problems.buffer_allocation import BufferAllocation, ProductionLine
from problems.buffer_allocation.controls import equal_shares, gap

LINE = ProductionLine([1.0, 1.1, 1.2])
PROBLEM = BufferAllocation(LINE, capacity=6)
SLOW = [1.2] * 5 + [1.0] + [1.2] * 4


@pytest.mark.parametrize(("machines", "capacity"), [(5, 10), (4, 2), (20, 60), (7, 0)])
def test_equal_shares_differ_by_a_place_at_most(machines, capacity):
    shares = equal_shares(BufferAllocation(ProductionLine([1.0] * machines), capacity))
    assert (len(shares), shares.sum()) == (machines - 1, capacity)
    assert np.ptp(shares) <= 1


def test_the_interval_of_a_gap_holds_the_exact_difference_as_often_as_it_says():
    exact = LINE.exact_throughput([4, 2]) - LINE.exact_throughput([3, 3])
    held = 0
    for seed in range(100):
        low, high = gap(PROBLEM, [4, 2], [3, 3], rng=seed, replications=10).confidence_interval(0.9)
        held += low < exact < high
    assert binom.cdf(held, 100, 0.9) > 1e-6
    assert binom.sf(held - 1, 100, 0.9) > 1e-6


def test_shared_times_make_a_gap_ten_times_as_sharp_as_times_of_their_own():
    shared = gap(PROBLEM, [4, 2], [3, 3], rng=1, replications=400).standard_error
    apart = [
        [PROBLEM.bind(np.random.default_rng([i, k]))(np.array([x])) for i in range(400)]
        for k, x in enumerate(([4, 2], [3, 3]))
    ]
    once = np.std(np.subtract(*apart), ddof=1) / np.sqrt(400)
    longer = PROBLEM.jobs_at(10) / PROBLEM.jobs_at(0)
    assert once**2 / longer > 10 * shared**2


def test_a_long_line_gets_more_than_equal_shares_give_it():
    problem = BufferAllocation(ProductionLine(SLOW), capacity=20)
    found = cem.maximize(problem, rng=1)
    low, _ = gap(problem, found.x, equal_shares(problem), rng=2).confidence_interval(0.999)
    assert low > 0


def test_what_cannot_work_is_refused():
    with pytest.raises(ValueError, match="replications must be at least 2; got 1"):
        gap(PROBLEM, [4, 2], [3, 3], rng=1, replications=1)
    with pytest.raises(ValueError, match="level must lie strictly between 0 and 1; got 1"):
        gap(PROBLEM, [4, 2], [3, 3], rng=1, replications=2).confidence_interval(1)
