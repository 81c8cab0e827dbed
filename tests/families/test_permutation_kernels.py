"""Large batches of permutations, compiled: the same law as the plain algorithm, place by place."""

import subprocess
import sys
from itertools import permutations

import numpy as np
import pytest
from scipy.stats import norm

from cem.families import permutations as module
from cem.families.permutation_kernels import alias_tables
from cem.families.permutations import are_permutations
from cem.families.placements import Placements
from cem.families.transitions import Transitions

RNG = np.random.default_rng(11)
TINY = np.array([1 - 2e-9, 1e-9, 0, 1e-9, 0, 0])


def without_loops(p):
    p = p * (1 - np.eye(len(p)))
    return p / p.sum(axis=1, keepdims=True)


RANDOM, SHARP = RNG.random((6, 6)), RNG.random((6, 6)) ** 20
SOME_ZEROS = np.where(RNG.random((6, 6)) < 0.4, RNG.random((6, 6)), np.roll(np.eye(6), 1, axis=1))
SOME_ONES = np.vstack([np.roll(np.eye(6), 1, axis=1)[:3], RANDOM[3:]])
MATRICES = {
    "uniform": np.ones((6, 6)),
    "random": RANDOM,
    "sharp": SHARP,
    "zeros": SOME_ZEROS,
    "ones": SOME_ONES,
    "one node from everywhere": np.eye(6)[[1, 0, 1, 1, 1, 1]],
    "next to nothing left": np.array([np.roll(TINY, i + 1) for i in range(6)]),
}
EVERY_MATRIX = pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES.keys())


EITHER_WAY = pytest.mark.usefixtures("path")


@pytest.fixture(params=["compiled", "plain"])
def path(request, monkeypatch):
    """Both ways to draw and to rate, whatever the size of the batch."""
    monkeypatch.setattr(module, "LARGE", 0 if request.param == "compiled" else np.inf)
    return request.param


def as_placements(matrix):
    return Placements(matrix / matrix.sum(axis=1, keepdims=True))


@EITHER_WAY
@EVERY_MATRIX
@pytest.mark.parametrize("ends", [(0, None), (3, None), (2, 5)], ids=["0", "3", "2 to 5"])
def test_every_tour_is_drawn_as_often_as_it_is_likely(matrix, ends, draws_as_it_says):
    f = Transitions(without_loops(matrix), *ends)
    first, last = f._ends
    every = np.array(list(permutations(range(6))))
    every = every[are_permutations(every, first, last)]
    assert len(every) == (120 if last < 0 else 24)
    assert np.exp(f.log_density(every)).sum() == pytest.approx(1, abs=1e-13)
    draws_as_it_says(f, every)


@EITHER_WAY
@EVERY_MATRIX
def test_every_order_is_drawn_as_often_as_it_is_likely(matrix, draws_as_it_says):
    f = as_placements(matrix[:5, :5] + (matrix[:5, :5].sum(axis=1) == 0)[:, None])
    every = np.array(list(permutations(range(5))))
    assert np.exp(f.log_density(every)).sum() == pytest.approx(1, abs=1e-13)
    draws_as_it_says(f, every)


@EVERY_MATRIX
def test_both_ways_give_the_same_densities(matrix, monkeypatch):
    every = np.array(list(permutations(range(6))))
    for f in (
        Transitions(without_loops(matrix)),
        Transitions(without_loops(matrix), 4, 1),
        as_placements(matrix),
    ):
        found = []
        for large in (0, np.inf):
            monkeypatch.setattr(module, "LARGE", large)
            found.append(f.log_density(every))
        np.testing.assert_allclose(*found, rtol=1e-13, atol=1e-13)
        outside = ~are_permutations(every, *f._ends)
        assert (found[0][outside] == -np.inf).all()


@pytest.mark.parametrize("heat", [0.03, 0.3, np.inf], ids=["sharp", "middle", "uniform"])
@pytest.mark.parametrize("kind", [Transitions, Placements])
def test_long_permutations_follow_the_law_at_every_place(kind, heat):
    """What is drawn is the likeliest of what is left as often as it should be: a martingale."""
    n, n_samples = 60, 2000
    where = np.random.default_rng(5).random((n, 2))
    distance = np.linalg.norm(where[:, None] - where, axis=2)
    f = kind(without_loops(np.exp(-distance / heat)))
    assert f._is_large(n_samples)
    x = f.sample(np.random.default_rng(1), n_samples)
    excess, variance = np.zeros(n), np.zeros(n)
    drawn = x.copy()
    for place, left in f._places(x):
        weights = f._weights(x, left, place) * np.linspace(1, 1 + 1e-9, n)  # no two alike
        likeliest = weights.argmax(axis=1)
        share = weights.max(axis=1) / weights.sum(axis=1)
        excess[place] = ((drawn[:, place] == likeliest) - share).sum()
        variance[place] = (share * (1 - share)).sum()
    assert variance[-1] == 0
    assert abs(excess[-1]) < 1e-6
    inner = variance > 5
    assert inner.sum() > n / 2
    z = np.append(excess[inner] / np.sqrt(variance[inner]), excess.sum() / np.sqrt(variance.sum()))
    assert abs(z).max() < norm.isf(1e-6 / len(z))


def test_an_alias_table_is_its_row_but_for_2_to_the_minus_48():
    rows = np.vstack([without_loops(m) for m in MATRICES.values()])
    rows = np.vstack([rows, np.random.default_rng(0).dirichlet(np.full(6, 0.05), 500)])
    share, other = (alias_tables(rows) >> 16) / 2.0**48, (alias_tables(rows) & 0xFFFF).astype(int)
    mass = share.copy()
    for k in range(6):
        np.add.at(mass, (np.arange(len(rows)), other[:, k]), 1 - share[:, k])
    np.testing.assert_allclose(mass / 6, rows, rtol=0, atol=2.0**-47)
    assert not mass[rows == 0].any()


def test_edges_are_counted_without_overflow_in_blocks(monkeypatch):
    n = 300  # n * n is more than an int16 holds
    f = Transitions(without_loops(np.ones((n, n))))
    x = f.sample(np.random.default_rng(2), 50)
    w = np.random.default_rng(3).random(50)
    expected = np.zeros((n, n))
    for tour, weight in zip(x.tolist(), w / w.sum(), strict=True):
        for here, there in zip(tour, [*tour[1:], 0], strict=True):
            expected[here, there] += weight
    monkeypatch.setattr(module, "BLOCK", 7 * n)
    np.testing.assert_allclose(f.fit(x, w).p, expected, rtol=1e-12)


def test_densities_do_not_depend_on_the_blocks(monkeypatch):
    f = Transitions(without_loops(RANDOM))
    x = f.sample(np.random.default_rng(2), 100)
    x[17] = 0  # no tour
    whole = f.log_density(x)
    monkeypatch.setattr(module, "BLOCK", 6 * 9)
    np.testing.assert_array_equal(f.log_density(x), whole)
    assert np.flatnonzero(whole == -np.inf).tolist() == [17]


@EITHER_WAY
def test_samples_are_int16_of_either_way():
    x = Transitions(without_loops(RANDOM)).sample(np.random.default_rng(0), 4)
    assert x.dtype == np.int16


def test_a_small_batch_loads_no_compiler():
    code = (
        "import sys, numpy as np, cem\n"
        "f = cem.Transitions((1 - np.eye(5)) / 4)\n"
        "x = f.sample(np.random.default_rng(0), 100)\n"
        "f.fit(x, np.ones(100)).log_density(x)\n"
        "print('numba' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
