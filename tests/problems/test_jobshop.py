"""The job shop: schedules against the rules, swaps against enumeration, the known optima."""

from itertools import pairwise, permutations, product

import numpy as np
import pytest

from cem.testing import ProblemContract
from problems import load
from problems.jobshop import JobShop, read_job_shop
from problems.jobshop.instances import FT06, LA01
from problems.jobshop.local_search import CriticalSwaps

FOUND = load("jobshop"), load("jobshop", instance="la01")
SMALL = JobShop([[0, 1, 2], [1, 0, 2], [2, 1, 0]], [[3, 2, 5], [4, 4, 1], [2, 6, 3]])
REAL = JobShop(SMALL.machine, np.random.default_rng(3).exponential(size=(3, 3)))
SHOPS = pytest.mark.parametrize("shop", [SMALL, REAL])


class TestFt06(ProblemContract):
    minimised = True
    problem = FOUND[0]


class TestLa01(ProblemContract):
    minimised = True
    problem = FOUND[1]


def samples(shop, n, seed=0):
    return shop.nominal().sample(np.random.default_rng(seed), n)


def plain(shop, x):
    """Start and machine of every operation by the rules, and the makespan."""
    n, m = shop.times.shape
    of_job, of_machine, done, start = [0.0] * n, [0.0] * m, [0] * n, {}
    for job in (int(operation) // m for operation in x):
        k = done[job]
        machine = int(shop.machine[job, k])
        start[job, k] = max(of_job[job], of_machine[machine])
        of_job[job] = of_machine[machine] = start[job, k] + float(shop.times[job, k])
        done[job] += 1
    return start, max(of_job)


def orders_on_machines(shop, x):
    """For every machine the jobs that it takes, in turn."""
    start, _ = plain(shop, x)
    place = {(j, int(shop.machine[j, k])): s for (j, k), s in start.items()}
    n, m = shop.times.shape
    return [sorted(range(n), key=lambda j, i=i: place[j, i]) for i in range(m)]


def makespan_of_orders(shop, orders):
    """The longest path of the disjunctive graph; None where it has a cycle."""
    n, m = shop.times.shape
    ends, before = {}, 0
    while len(ends) < n * m:
        for j, k in product(range(n), range(m)):
            i = int(shop.machine[j, k])
            at = orders[i].index(j)
            needs = [(j, k - 1)] * (k > 0)
            if at:
                other = orders[i][at - 1]
                needs.append((other, int(np.flatnonzero(shop.machine[other] == i)[0])))
            if (j, k) not in ends and all(need in ends for need in needs):
                begin = max((ends[need] for need in needs), default=0.0)
                ends[j, k] = begin + float(shop.times[j, k])
        if len(ends) == before:
            return None
        before = len(ends)
    return max(ends.values())


@SHOPS
def test_the_makespan_is_that_of_the_rules(shop):
    x = samples(shop, 50)
    assert shop(x).tolist() == [plain(shop, row)[1] for row in x]


def test_only_the_jobs_of_a_sequence_count():
    x = samples(SMALL, 50)
    renamed = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8])[[1, 2, 0, 4, 3, 5, 8, 7, 6]][x]
    np.testing.assert_array_equal(SMALL(renamed), SMALL(x))


@SHOPS
def test_the_best_sequence_is_as_good_as_the_best_orders_of_all_machines(shop):
    every = product(permutations(range(3)), repeat=3)
    spans = [makespan_of_orders(shop, [list(order) for order in orders]) for orders in every]
    least = min(span for span in spans if span is not None)
    found = shop(CriticalSwaps(shop)(samples(shop, 500), None))
    assert found.min() == pytest.approx(least, rel=1e-14)
    assert shop(samples(shop, 500)).min() >= least - 1e-12
    assert least >= shop.lower_bound()


@SHOPS
def test_a_search_gives_sequences_that_are_never_worse_and_leaves_its_input(shop):
    x = samples(shop, 200).astype(np.int16)
    before = x.copy()
    y = CriticalSwaps(shop)(x, None)
    np.testing.assert_array_equal(x, before)
    assert (y.dtype, y.shape) == (x.dtype, x.shape)
    assert (shop(y) <= shop(x)).all()
    assert (shop(y) < shop(x)).any()
    place = np.argsort(y, axis=1).reshape(len(y), 3, 3)
    assert (np.diff(place, axis=2) > 0).all()  # the operations of a job are in order


@pytest.mark.parametrize("shop", [SMALL, REAL, *FOUND])
def test_a_swap_turns_two_neighbours_on_one_machine_and_nothing_else(shop):
    from problems.jobshop.kernels import critical_path, schedule, swapped

    m, d = shop.times.shape[1], shop.n_operations
    start, before, path = np.empty(d), np.empty(d, np.int64), np.empty(d, np.int64)
    swaps, trial = 0, np.empty(d, np.int64)
    for jobs in shop.jobs(samples(shop, 20)):
        span = schedule(jobs, shop.machine, shop.times, start, before)
        end = start + shop.times.ravel()
        n = critical_path(span, start, before, end, m, path)
        assert start[path[0]] == 0.0
        assert end[path[n - 1]] == span
        assert (start[path[1:n]] == end[path[: n - 1]]).all()
        orders = orders_on_machines(shop, jobs * m)
        for u, v in pairwise(path[:n]):
            machine = shop.machine.ravel()[u]
            if machine == shop.machine.ravel()[v]:
                swapped(np.argsort(start), start, u, v, m, trial)
                expected = [list(order) for order in orders]
                at = expected[machine].index(u // m)
                assert expected[machine][at + 1] == v // m
                expected[machine][at : at + 2] = [v // m, u // m]
                assert orders_on_machines(shop, trial * m) == expected
                swaps += 1
    assert swaps > 20


@SHOPS
def test_after_the_search_no_critical_swap_helps(shop):
    for x in CriticalSwaps(shop)(samples(shop, 40), None):
        orders, span = orders_on_machines(shop, x), shop(x[None])[0]
        start, _ = plain(shop, x)
        ends = {(j, k): s + float(shop.times[j, k]) for (j, k), s in start.items()}
        critical = set()  # the ends of all critical paths at once need not be looked at: one path
        now = next(o for o in sorted(ends) if ends[o] == span)
        while now is not None:
            j, k = now
            i = int(shop.machine[j, k])
            at = orders[i].index(j)
            other = orders[i][at - 1] if at else None
            last = None
            if other is not None:
                last = other, int(np.flatnonzero(shop.machine[other] == i)[0])
            if last and ends[last] == start[now]:
                critical.add((i, at - 1))
                now = last
            else:
                now = (j, k - 1) if k and ends[j, k - 1] == start[now] else None
        for i, at in critical:
            near = [list(order) for order in orders]
            near[i][at], near[i][at + 1] = near[i][at + 1], near[i][at]
            assert makespan_of_orders(shop, near) >= span - 1e-12


@pytest.mark.parametrize("shop", FOUND)
def test_the_known_optimum_is_reached_and_nothing_below(shop):
    found = shop(CriticalSwaps(shop)(samples(shop, 3000), None))
    assert found.min() == shop.optimum


def test_the_optimum_of_la01_is_the_load_of_a_machine():
    assert FOUND[1].lower_bound() == FOUND[1].optimum == 666.0
    assert FOUND[0].lower_bound() == 47.0  # the longest job of ft06


def test_one_job_takes_its_time():
    one = JobShop([[1, 0]], [[2.0, 3.0]])
    assert one(samples(one, 3)).tolist() == [5.0] * 3
    assert CriticalSwaps(one)(np.array([[1, 0]]), None).tolist() == [[0, 1]]


def test_the_search_has_a_name():
    assert [*SMALL.refines().items()] == [("critical-swaps", CriticalSwaps(SMALL))]


def test_a_file_is_read_as_the_facts_are(tmp_path):
    path = tmp_path / "shop.txt"
    path.write_text(LA01)
    shop = load("jobshop", instance=str(path))
    np.testing.assert_array_equal(shop.machine, FOUND[1].machine)
    np.testing.assert_array_equal(shop.times, FOUND[1].times)
    assert shop.optimum is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: JobShop([[0, 0]], [[1, 2]]),
            r"each machine 0, ..., 1 once; got \[0 0\] for job 0",
        ),
        (lambda: JobShop([[0, 1]], [[1, 0]]), r"positive and finite; got 0 at index \(0, 1\)"),
        (lambda: JobShop([[0.0, 1.0]], [[1, 2]]), "whole numbers of machines.*float64"),
        (lambda: JobShop([0, 1], [[1, 2]]), r"shape \(1, 2\) as of the times; got shape \(2,\)"),
        (lambda: SMALL([[0, 1]]), r"orders of 9 operations.*got \(1, 2\)"),
    ],
)
def test_a_mistake_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("6 6", "6 7", "only 72 are left"),
        ("2 1  0 3", "0 1  0 3", "each machine 0, ..., 5 once"),
        ("2 1  0 3", "2.5 1  0 3", "whole numbers of machines; got 2.5"),
        ("2 1  0 3", "2 -1  0 3", "times must be positive and finite; got -1"),
        ("4 6", "", "only 70 are left"),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong(tmp_path, old, new, message):
    path = tmp_path / "broken.txt"
    path.write_text(FT06.replace(old, new, 1))
    with pytest.raises(ValueError, match=message) as raised:
        read_job_shop(path)
    assert "broken.txt" in str(raised.value)
