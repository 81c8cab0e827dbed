"""The flow shop: makespans against the longest path, Taillard's numbers, insertions, optima."""

from itertools import permutations

import numpy as np
import pytest

from cem.testing import ProblemContract
from problems import load
from problems.flowshop import FlowShop, generate, read_flow_shop, taillard
from problems.flowshop.local_search import Insertion, IteratedGreedy

# Lower and upper bounds of the 20 x 5 instances in Taillard (1993) and the OR-Library.
LOWER = (1232, 1290, 1073, 1268, 1198, 1180, 1226, 1170, 1206, 1082)
TA001 = """
 54 83 15 71 77 36 53 38 27 87 76 91 14 29 12 77 32 87 68 94
 79  3 11 99 56 70 99 60  5 56  3 61 73 75 47 14 21 86  5 77
 16 89 49 15 89 45 60 23 57 64  7  1 63 41 63 47 26 75 77 40
 66 58 31 68 78 91 13 59 49 85 85  9 39 41 56 40 54 77 51 31
 58 56 20 85 53 35 53 41 69 13 86 72  8 49 47 87 58 18 68 28
"""
RNG = np.random.default_rng(4)
SMALL = FlowShop(RNG.integers(1, 30, (6, 3)), None)
REAL = FlowShop(RNG.exponential(size=(6, 4)))
EVERY = np.array(list(permutations(range(6))))
BOTH = pytest.mark.parametrize("kind", [Insertion, IteratedGreedy])


class TestTa001(ProblemContract):
    minimised = True
    problem = load("flowshop")


class TestRealTimes(ProblemContract):
    minimised = True
    problem = REAL


def longest_path(times, order):
    """Max over all ways from the first job's first machine to the last job's last, step by step."""
    n, m = len(order), times.shape[1]

    def way(k, i):
        onwards = [way(*step) for step in ((k + 1, i), (k, i + 1)) if step[0] < n and step[1] < m]
        return times[order[k], i] + max(onwards, default=0)

    return way(0, 0)


@pytest.mark.parametrize("shop", [SMALL, REAL])
def test_the_makespan_is_the_longest_path_from_the_first_operation_to_the_last(shop):
    x = EVERY[::37]
    expected = [longest_path(shop.times, order) for order in x]
    np.testing.assert_allclose(shop(x), expected, rtol=1e-14)


def test_the_reversed_shop_has_the_same_makespans():
    back = FlowShop(SMALL.times[:, ::-1])
    np.testing.assert_array_equal(back(EVERY[:, ::-1]), SMALL(EVERY))


def test_one_machine_takes_all_orders_alike_and_one_job_takes_its_time():
    assert FlowShop([[3.0], [4.0]])([[0, 1], [1, 0]]).tolist() == [7.0, 7.0]
    assert FlowShop([[3.0, 2.0]])([[0]]).tolist() == [5.0]


def test_the_generator_gives_the_published_table_and_the_published_lower_bounds():
    np.testing.assert_array_equal(taillard("ta001")[0].T.ravel(), np.array(TA001.split(), float))
    bounds = [load("flowshop", instance=f"ta{k:03d}").lower_bound() for k in range(1, 11)]
    assert bounds == list(LOWER)


def test_no_order_is_below_the_lower_bound():
    for shop in (SMALL, REAL):
        assert shop.lower_bound() <= shop(EVERY).min()


@BOTH
@pytest.mark.parametrize("shop", [SMALL, REAL])
def test_a_search_gives_orders_that_are_never_worse_and_leaves_its_input(kind, shop):
    x = EVERY[::7].astype(np.int16)
    before = x.copy()
    y = kind(shop)(x, np.random.default_rng(1))
    np.testing.assert_array_equal(x, before)
    assert (y.dtype, y.shape) == (x.dtype, x.shape)
    assert (shop(y) <= shop(x)).all()
    again = kind(shop)(x, np.random.default_rng(1))
    np.testing.assert_array_equal(again, y)


def test_after_insertions_no_insertion_helps():
    y = Insertion(SMALL)(EVERY[::11], np.random.default_rng(2))
    for order, makespan in zip(y, SMALL(y), strict=True):
        for job in order:
            rest = order[order != job]
            near = np.array([np.insert(rest, k, job) for k in range(6)])
            assert SMALL(near).min() >= makespan


def test_the_best_place_is_that_of_the_makespans_one_by_one():
    from problems.flowshop.kernels import best_place

    heads, tails = np.zeros((7, 4)), np.zeros((7, 4))
    for order in EVERY[::41]:
        at, makespan = best_place(order, 5, order[5], SMALL.times, heads, tails)
        near = np.array([np.insert(order[:5], k, order[5]) for k in range(6)])
        assert (at, makespan) == (SMALL(near).argmin(), SMALL(near).min())


@BOTH
def test_the_search_finds_the_optimum_of_small_shops_and_is_content_with_it(kind):
    least = SMALL(EVERY).min()
    y = kind(SMALL)(EVERY[::20], np.random.default_rng(3))
    assert SMALL(y).min() == least
    best = EVERY[SMALL(EVERY) == least]
    assert (SMALL(kind(SMALL)(best, np.random.default_rng(3))) == least).all()


@pytest.mark.parametrize("instance", ["ta001", "ta003", "ta009"])
def test_iterated_greedy_reaches_the_known_optimum_and_nothing_below(instance):
    shop = load("flowshop", instance=instance)
    x = shop.nominal().sample(np.random.default_rng(0), 100)
    found = shop(IteratedGreedy(shop)(x, np.random.default_rng(0)))
    assert found.min() == shop.optimum


def test_the_searches_have_names_and_the_quick_one_is_the_first():
    assert [*map(type, SMALL.refines().values())] == [Insertion, IteratedGreedy]


def test_one_job_and_no_kicks_are_no_trouble():
    one = FlowShop([[1.0, 2.0]])
    for search in (Insertion(one), IteratedGreedy(one, kicks=2)):
        assert search(np.array([[0]]), RNG).tolist() == [[0]]
    x = EVERY[:3]
    assert (SMALL(IteratedGreedy(SMALL, kicks=0)(x, RNG)) <= SMALL(x)).all()


def test_a_file_has_a_row_for_every_machine(tmp_path):
    path = tmp_path / "shop.txt"
    path.write_text("20 5" + TA001)
    np.testing.assert_array_equal(read_flow_shop(path).times, taillard("ta001")[0])
    assert load("flowshop", instance=str(path)).optimum is None


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: FlowShop([[1.0, -2.0]]), ValueError, r"at least 0 and finite; got -2 at index"),
        (lambda: FlowShop([[1.0, np.nan]]), ValueError, r"finite; got nan at index \(0, 1\)"),
        (lambda: FlowShop([1.0]), ValueError, r"two axes and a number at least; got \(1,\)"),
        (lambda: SMALL([[0, 1, 2]]), ValueError, r"orders of 6 jobs.*got \(1, 3\)"),
        (lambda: SMALL([[0, 1, 2, 3, 4, 4]]), ValueError, r"permutations.*\[0 1 2 3 4 4\]"),
        (lambda: taillard("ta01"), ValueError, "no flow shop 'ta01'; did you mean"),
        (lambda: load("flowshop", instance="ta011"), ValueError, "no instance 'ta011'"),
        (lambda: generate(2, 2, 0), ValueError, "time_seed must be at least 1; got 0"),
        (lambda: generate(2, 2, 2**31 - 1), ValueError, "less than 2"),
        (lambda: IteratedGreedy(SMALL, kicks=-1), ValueError, "kicks must be at least 0; got -1"),
        (lambda: IteratedGreedy(SMALL, out=0), ValueError, "taken out, must be at least 1"),
        (lambda: IteratedGreedy(SMALL, heat=0.0), ValueError, "heat must be positive"),
    ],
)
def test_a_mistake_is_named(make, kind, message):
    with pytest.raises(kind, match=message):
        make()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected the number of jobs, a whole number from 1 to 10000; got 'the end'"),
        ("1e9 2", "expected the number of jobs.*got '1e9'"),
        ("999999999 2", "expected the number of jobs.*got '999999999'"),
        ("2 2 1 2 3", "a table of 2 x 2 numbers, but only 3 are left"),
        ("2 2 1 2 3 4 5", "1 numbers are left over, from '5' on"),
        ("2 2 1 2 3 x", "expected finite numbers; got 'x'"),
        ("2 2 1 2 3 1_0", "expected finite numbers; got '1_0'"),
        ("2 2 1 2 3 inf", "expected finite numbers; got 'inf'"),
        ("2 2 1 2 3 \xe9", "not a text file: expected a text of numbers"),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong(tmp_path, text, message):
    path = tmp_path / "broken.txt"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(ValueError, match=message) as raised:
        read_flow_shop(path)
    assert "broken.txt" in str(raised.value)
