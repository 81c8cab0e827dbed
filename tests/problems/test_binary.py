"""The binary functions: scores against their definitions, optima against every string of bits."""

from itertools import groupby, product

import numpy as np
import pytest

import cem
from cem.testing import ProblemContract
from problems.binary import (
    KNAPSACK_OF_24,
    NAMES,
    IsingRing,
    Knapsack,
    LeadingOnes,
    OneMax,
    Trap,
    problem,
)


class TestEveryFunction(ProblemContract):
    @pytest.fixture(autouse=True, params=NAMES)
    def _each(self, request):
        self.problem = problem(request.param)


def every_string(n):
    return np.array(list(product([0, 1], repeat=n)), dtype=np.int8)


def leading_ones(x):
    bit, run = next(groupby(x))
    return len(list(run)) if bit == 1 else 0


def trap_of_four(x):
    ones = [sum(x[i : i + 4]) for i in range(0, len(x), 4)]
    return sum(4 if u == 4 else 3 - u for u in ones)


def ring(x):
    return sum(x[i] == x[(i + 1) % len(x)] for i in range(len(x)))


def packed(x):
    weight = sum(w for w, taken in zip(SMALL.weight, x, strict=True) if taken)
    value = sum(v for v, taken in zip(SMALL.value, x, strict=True) if taken)
    return value if weight <= SMALL.capacity else SMALL.capacity - weight


SMALL = Knapsack((3, 5, 7, 11, 2, 6, 4, 9), (4, 6.5, 9, 13, 1, 7, 4, 12), 21)
DEFINITIONS = [
    (OneMax(8), sum),
    (LeadingOnes(8), leading_ones),
    (Trap(8, 4), trap_of_four),
    (IsingRing(8), ring),
    (SMALL, packed),
]


@pytest.mark.parametrize(("f", "definition"), DEFINITIONS)
def test_every_string_has_the_score_of_the_definition(f, definition):
    x = every_string(8)
    assert f(x).tolist() == [definition(row) for row in x.tolist()]


@pytest.mark.parametrize(
    ("f", "how_many"),
    [(OneMax(10), 1), (LeadingOnes(10), 1), (Trap(10, 5), 1), (IsingRing(10), 2)],
)
def test_the_optimum_is_the_best_of_all_strings_and_all_ones_has_it(f, how_many):
    score = f(every_string(10))
    assert score.max() == f.optimum == 10.0
    assert (score == f.optimum).sum() == how_many
    assert f(np.ones((1, 10), dtype=np.int8))[0] == f.optimum


@pytest.mark.parametrize("f", [OneMax(1), LeadingOnes(1), Trap(2, 2), IsingRing(1)])
def test_the_shortest_strings_have_their_optimum_too(f):
    assert f(every_string(f.n)).max() == f.optimum


def test_a_trap_leads_every_single_bit_to_zero():
    x, score = every_string(5), Trap(5, 5)(every_string(5))
    for bit in x.T:
        assert score[bit == 0].mean() > score[bit == 1].mean()
    assert sorted(score)[-2:] == [4.0, 5.0]
    assert score[0] == 4.0


def test_no_single_spin_of_the_ring_says_anything():
    x, score = every_string(8), IsingRing(8)(every_string(8))
    for spin in x.T:
        assert score[spin == 0].mean() == score[spin == 1].mean() == 4.0


def best_value(weight, value, capacity):
    """The best value of every capacity, item by item: dynamic programming."""
    best = np.zeros(capacity + 1)
    for w, v in zip(weight, value, strict=True):
        best[w:] = np.maximum(best[w:], best[:-w] + v)
    return best[capacity]


def test_the_optimum_of_the_knapsack_is_that_of_dynamic_programming():
    f = KNAPSACK_OF_24
    assert best_value(f.weight, f.value, f.capacity) == f.optimum


def test_dynamic_programming_agrees_with_every_packing():
    assert best_value(SMALL.weight, SMALL.value, SMALL.capacity) == SMALL(every_string(8)).max()


def test_the_published_packing_of_the_knapsack_has_the_optimum_and_nearly_fills_it():
    x = np.array([[int(bit) for bit in "110111000110100100000111"]])
    assert KNAPSACK_OF_24(x).tolist() == [KNAPSACK_OF_24.optimum]
    assert (x @ np.array(KNAPSACK_OF_24.weight)).tolist() == [6402560]


def test_every_packing_that_fits_beats_every_one_that_does_not():
    x = every_string(8)
    fits = x @ np.array(SMALL.weight) <= SMALL.capacity
    assert SMALL(x)[fits].min() == 0.0
    assert SMALL(x)[~fits].max() < 0.0


def test_small_counters_do_not_overflow():
    ones = np.ones((1, 1000), dtype=np.int8)
    for f in (OneMax(1000), LeadingOnes(1000), Trap(1000, 500), IsingRing(1000)):
        assert f(ones).tolist() == [1000.0]


@pytest.mark.parametrize("name", NAMES)
def test_the_start_is_a_fair_coin_for_every_bit(name):
    start = problem(name).nominal()
    assert isinstance(start, cem.Bernoulli)
    assert start.p.tolist() == [0.5] * (24 if name == "knapsack" else 100)


def test_a_function_is_made_by_its_name():
    assert problem() == OneMax(100)
    assert problem("leading-ones", n=7) == LeadingOnes(7)
    assert problem("trap", n=12, k=3) == Trap(12, 3)
    assert problem("ising-ring", n=9) == IsingRing(9)
    assert problem("knapsack", n=24) is KNAPSACK_OF_24


def test_maximize_finds_all_ones():
    found = cem.maximize(OneMax(40), rng=1)
    assert found.fun == 40.0
    assert found.x.all()


def test_independent_bits_fall_into_the_trap():
    found = cem.maximize(Trap(100), rng=1, n_samples=1000)
    assert found.fun == 80.0
    assert not found.x.any()


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: problem("one-max"), ValueError, r"'one-max'; did you mean 'onemax'\?"),
        (lambda: problem("knapsack", n=100), ValueError, "the knapsack has 24 items.*got n=100"),
        (lambda: OneMax(0), ValueError, "n, the number of bits, must be at least 1; got 0"),
        (lambda: OneMax(2.0), TypeError, r"n, .* must be a whole number; got 2\.0"),
        (lambda: OneMax(True), TypeError, "must be a whole number; got True"),
        (lambda: Trap(6, 1), ValueError, "k, the bits of a block, must be at least 2; got 1"),
        (lambda: Trap(12, 5), ValueError, "multiple of k, whole blocks; got n=12 and k=5"),
        (lambda: Knapsack((1, 2), (1,), 2), ValueError, "got 2 weights and 1 values"),
        (lambda: Knapsack((), (), 2), ValueError, "at least one item; got 0 weights"),
        (lambda: Knapsack((1, -2), (1, 1), 2), ValueError, r"weight .* got -2\.0 for item 1"),
        (lambda: Knapsack((1, 2), (np.nan, 1), 2), ValueError, "value .* got nan for item 0"),
        (lambda: Knapsack((1,), (1,), -1), ValueError, "capacity must be at least 0.*got -1"),
        (lambda: OneMax(4)(np.zeros((2, 5))), ValueError, r"\(n_samples, 4\); got \(2, 5\)"),
        (lambda: SMALL(np.zeros(8)), ValueError, r"\(n_samples, 8\); got \(8,\)"),
    ],
)
def test_a_mistake_is_named(make, kind, message):
    with pytest.raises(kind, match=message):
        make()
