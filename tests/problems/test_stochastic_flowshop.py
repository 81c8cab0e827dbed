"""The flow shop with random durations: expectations by symmetry and simulation, Talwar's rule."""

import math
from itertools import permutations
from types import SimpleNamespace

import numpy as np
import pytest

import cem
from cem.testing import ProblemContract
from problems.flowshop import FlowShop
from problems.stochastic_flowshop import StochasticFlowShop, problem

RNG = np.random.default_rng(4)
PROBLEM = problem()
THREE = StochasticFlowShop(RNG.uniform(1, 5, (4, 3)), replications=5)
EVERY = np.array(list(permutations(range(4))))


class TestStochasticFlowShop(ProblemContract):
    problem = PROBLEM.bind(np.random.default_rng(1))
    nominal = PROBLEM.nominal()


class TestTheMean(ProblemContract):
    problem = staticmethod(PROBLEM.mean)
    nominal = PROBLEM.nominal()


def test_a_score_is_the_mean_over_flow_shops_with_the_times_drawn():
    times = THREE.bind(np.random.default_rng(2)).times
    gamma = np.random.default_rng(2).standard_gamma(1.0, (5, 4, 3))
    np.testing.assert_allclose(times, THREE.times * gamma, rtol=1e-15)
    shops = [FlowShop(drawn)(EVERY) for drawn in times]
    scores = THREE.bind(np.random.default_rng(2))(EVERY)
    np.testing.assert_allclose(scores, np.mean(shops, axis=0), rtol=1e-14)


def test_one_job_or_one_machine_takes_the_sum_of_the_means():
    times = RNG.uniform(1, 5, 4)
    assert StochasticFlowShop([times]).mean([[0]])[0] == pytest.approx(times.sum(), rel=1e-14)
    alone = StochasticFlowShop(times[:, None])
    np.testing.assert_allclose(alone.mean(EVERY), times.sum(), rtol=1e-14)


def test_two_jobs_on_two_machines_take_what_the_shorter_of_two_exponential_times_says():
    """First a, then the longer of b (machine 1) and c (machine 2), then d."""
    (a, c), (b, d) = times = RNG.uniform(1, 5, (2, 2))
    longer = b + c - 1 / (1 / b + 1 / c)
    assert StochasticFlowShop(times).mean([[0, 1]])[0] == pytest.approx(a + longer + d, rel=1e-14)


@pytest.mark.parametrize("n_machines", [2, 3, 4])
def test_a_shop_run_backwards_takes_as_long(n_machines):
    """The longest path is the same: last job first, last machine first."""
    times = RNG.uniform(1, 5, (4, n_machines))
    there = StochasticFlowShop(times).mean(EVERY)
    back = StochasticFlowShop(times[:, ::-1]).mean(EVERY[:, ::-1])
    np.testing.assert_allclose(there, back, rtol=1e-13)


def test_simulated_makespans_have_the_expected_mean():
    n, orders = 4000, EVERY[::8]
    drawn = StochasticFlowShop(THREE.times, replications=n).bind(np.random.default_rng(3)).times
    makespan = np.array([FlowShop(times)(orders) for times in drawn])
    z = (makespan.mean(axis=0) - THREE.mean(orders)) / (makespan.std(axis=0) / math.sqrt(n))
    assert abs(z).max() < 5.5  # 3 orders: false alarm below 2e-7


def test_talwars_order_has_the_least_mean_of_all_orders():
    every = np.array(list(permutations(range(6))))
    for _ in range(5):
        shop = StochasticFlowShop(RNG.uniform(1, 10, (6, 2)))
        mean = shop.mean(every)
        assert shop.exact() == pytest.approx(mean.min(), rel=1e-13)
        assert shop.talwar().tolist() == every[mean.argmin()].tolist()


def test_johnsons_order_of_the_means_is_not_the_best():
    """Sure times and exponential ones of the same means want different orders."""
    shop = problem(n_jobs=6)
    every = np.array(list(permutations(range(6))))
    sure = every[FlowShop(shop.times)(every).argmin()]
    assert shop.mean(sure[None])[0] > 1.001 * shop.exact()


def test_durations_of_a_large_shape_are_nearly_sure():
    sure = StochasticFlowShop(THREE.times, shape=1e12, replications=2)
    scores = sure.bind(np.random.default_rng(0))(EVERY)
    np.testing.assert_allclose(scores, FlowShop(THREE.times)(EVERY), rtol=2e-5)


def test_durations_have_the_means_and_the_spread_of_their_shape():
    shop = StochasticFlowShop(THREE.times, shape=4.0, replications=100_000)
    times = shop.bind(np.random.default_rng(5)).times / THREE.times
    assert abs(times.mean(axis=0) - 1).max() < 5.5 * 0.5 / math.sqrt(1e5)
    np.testing.assert_allclose(times.std(axis=0), 0.5, rtol=0.02)


def test_all_samples_of_an_iteration_share_their_times(assert_common_numbers):
    assert_common_numbers(PROBLEM)


def test_common_times_cut_the_variance_of_a_difference_ten_times():
    best, near = PROBLEM.talwar(), PROBLEM.talwar()
    near[[3, 4]] = near[[4, 3]]
    scores = np.array(
        [PROBLEM.bind(np.random.default_rng(i))(np.array([best, near])) for i in range(200)]
    )
    common = np.diff(scores, axis=1).var()
    assert common < scores.var(axis=0).sum() / 10


def test_neighbours_are_all_exchanges_of_adjacent_jobs():
    order = np.array([3, 0, 2, 1], dtype=np.int16)
    near = THREE.neighbours(order)
    assert near.tolist() == [[0, 3, 2, 1], [3, 2, 0, 1], [3, 0, 1, 2]]
    assert near.dtype == order.dtype
    assert order.tolist() == [3, 0, 2, 1]


@pytest.mark.parametrize("seed", range(5))
def test_exchanges_that_help_lead_from_any_order_to_talwars(seed):
    shop = problem(seed=seed)
    order, mean = np.random.default_rng(seed).permutation(8), math.inf
    while (best := shop.mean(near := shop.neighbours(order))).min() < mean:
        order, mean = near[best.argmin()], best.min()
    assert order.tolist() == shop.talwar().tolist()


def test_every_one_of_five_searches_is_near_talwars_order():
    least, load = PROBLEM.exact(), PROBLEM.times.sum(axis=0).max()
    for seed in range(5):
        found = cem.minimize(PROBLEM, rng=seed)
        mean = PROBLEM.mean(found.x[None])[0]
        assert least * (1 - 1e-12) < mean < least + 3e-4 * load
        low, high = found.confidence_interval(1 - 1e-7)
        assert low < mean < high
    interval = "{:.6g} to {:.6g}".format(*found.confidence_interval())
    assert PROBLEM.report(found) == {"interval": interval, "expected makespan": f"{mean:.6g}"}


def test_where_no_expectation_is_known_none_is_reported():
    found = SimpleNamespace(x=np.arange(8), confidence_interval=lambda: (1.0, 2.0))
    assert problem(shape=2.0).report(found) == {"interval": "1 to 2"}


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: StochasticFlowShop([[1, 0]]), ValueError, "times must be positive and finite"),
        (lambda: problem(shape=0), ValueError, "shape must be positive and finite; got 0"),
        (lambda: problem(replications=0), ValueError, "replications must be at least 1; got 0"),
        (lambda: problem(n_jobs=0), ValueError, "n_jobs must be at least 1; got 0"),
        (lambda: problem(n_machines=1.5), TypeError, "n_machines must be a whole number; got 1.5"),
        (THREE.talwar, ValueError, "for two machines.*got 3 machines and shape=1"),
        (lambda: problem(shape=2).mean([range(8)]), ValueError, "got shape=2 and 45 states"),
        (
            lambda: problem(n_jobs=30, n_machines=4).mean([range(30)]),
            ValueError,
            "got shape=1 and 46376 states: simulate",
        ),
        (lambda: PROBLEM([[0, 1]]), TypeError, r"give it a generator.*problem.mean\(x\)"),
        (lambda: THREE.mean([[0, 1, 2]]), ValueError, r"orders of 4 jobs.*got \(1, 3\)"),
        (lambda: THREE.bind(RNG)([[0, 0, 1, 2]]), ValueError, "permutations of the jobs"),
    ],
)
def test_a_mistake_is_named(make, kind, message):
    with pytest.raises(kind, match=message):
        make()


def test_scores_are_rounded_alike_in_any_batch():
    shop = problem()
    bound = shop.bind(np.random.default_rng(1))
    x = shop.nominal().sample(np.random.default_rng(2), 20)
    alone = [shop.bind(np.random.default_rng(1))(x[i : i + 1])[0] for i in range(len(x))]
    np.testing.assert_array_equal(bound(x), alone)
