"""What allocations are compared with: equal shares, decompositions, and gaps between two."""

import numpy as np
import pytest
from scipy.stats import binom, uniform

import cem
from problems.buffer_allocation import BufferAllocation, ProductionLine
from problems.buffer_allocation.controls import by_decomposition, decomposed, equal_shares, gap

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


@pytest.mark.parametrize("places", [0, 1, 5, 40])
@pytest.mark.parametrize("rates", [(1.0, 1.0), (2.0, 1.0), (1.0, 1.3)])
def test_two_machines_are_one_pair_whose_decomposition_is_exact(rates, places):
    line = ProductionLine(rates)
    assert decomposed(line, [[places]])[0] == pytest.approx(
        line.exact_throughput([places]), rel=1e-12
    )


@pytest.mark.parametrize(
    ("machines", "places", "percent"),
    [(3, 2, 1.5), (4, 3, 1.5), (5, 3, 1.5), (5, 5, 0.5), (3, 0, 3.1)],
)
def test_a_decomposition_is_a_little_below_the_exact_throughput_of_a_balanced_line(
    machines, places, percent
):
    line, x = ProductionLine([1.0] * machines), [places] * (machines - 1)
    below = 1 - decomposed(line, [x])[0] / line.exact_throughput(x)
    assert 0 < below < percent / 100


def test_a_line_run_backwards_decomposes_likewise():
    line, x = ProductionLine([1.0, 1.4, 0.9, 1.1]), np.array([[2, 0, 5], [1, 1, 1]])
    back = ProductionLine(line.service[::-1])
    np.testing.assert_allclose(decomposed(line, x), decomposed(back, x[:, ::-1]), rtol=1e-8)


def test_the_throughput_of_a_decomposition_scales_with_the_rates():
    fast = ProductionLine([1000 * rate for rate in LINE.service])
    x = [[1, 4], [3, 2]]
    np.testing.assert_allclose(decomposed(fast, x), 1000 * decomposed(LINE, x), rtol=1e-8)


@pytest.mark.parametrize(
    ("rates", "capacity"), [([1.0] * 3, 4), ([1.0, 1.2, 1.4], 10), ([1.0, 1.1, 1.2, 1.3], 10)]
)
def test_the_allocation_by_decomposition_loses_little(rates, capacity):
    problem = BufferAllocation(ProductionLine(rates), capacity)
    x = by_decomposition(problem)
    assert x.sum() == capacity
    assert problem.line.exact_throughput(x) > 0.998 * problem.exact()


@pytest.mark.parametrize(
    "line",
    [ProductionLine([1.0, 1.0], 0.1, 0.5), ProductionLine([uniform(0.5, 1.0), 1.0])],
    ids=["failing", "uniform"],
)
def test_a_line_of_another_kind_is_not_decomposed(line):
    with pytest.raises(ValueError, match="only exponential lines whose machines do not fail"):
        decomposed(line, [[2]])


def test_what_cannot_work_is_refused():
    with pytest.raises(ValueError, match=r"without bounds; got lower=\(0, 4\) and upper=\(6, 6\)"):
        equal_shares(BufferAllocation(LINE, 6, lower=[0, 4]))
    with pytest.raises(ValueError, match="replications must be at least 2; got 1"):
        gap(PROBLEM, [4, 2], [3, 3], rng=1, replications=1)
    with pytest.raises(ValueError, match="level must lie strictly between 0 and 1; got 1"):
        gap(PROBLEM, [4, 2], [3, 3], rng=1, replications=2).confidence_interval(1)
