"""QUBO and Ising models as cuts: every energy against enumeration, there and back."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array

from cem import maximize
from problems.maxcut import MaxCut
from problems.maxcut.qubo import from_ising, from_qubo, to_ising, to_qubo

NUMBERS = st.integers(-5, 5).map(float) | st.floats(-10, 10).map(lambda v: round(v, 3))
LABELS = [0, "a", (1, 2), -3, 2.5, "b"]


def every_cut(d):
    return np.array(list(product([0, 1], repeat=d)), dtype=np.int8)


def ising_energy(h, couplings, spins):
    linear = sum(v * spins[i] for i, v in h.items())
    return linear + sum(v * spins[i] * spins[j] for (i, j), v in couplings.items())


def qubo_energy(entries, bits):
    return sum(v * bits[i] * bits[j] for (i, j), v in entries.items())


@st.composite
def couplings(draw, *, loops):
    n = draw(st.integers(2, 6))
    pairs = [(a, b) for a in LABELS[:n] for b in LABELS[:n] if loops or a != b]
    chosen = draw(st.lists(st.sampled_from(pairs), min_size=1, max_size=12, unique=True))
    return {pair: draw(NUMBERS) for pair in chosen}


@given(couplings(loops=False), st.lists(NUMBERS, max_size=6), NUMBERS)
def test_the_energy_of_a_cut_is_that_of_its_spins(given_couplings, fields, offset):
    h = dict(zip(LABELS, fields, strict=False))
    model = from_ising(h, given_couplings, offset)
    x = every_cut(model.cut.n_nodes)
    exact = [offset + ising_energy(h, given_couplings, model.spins(one)) for one in x]
    np.testing.assert_allclose(model.energy(x), exact, rtol=1e-12, atol=1e-11)
    assert set(model.variables) == set(h) | {name for pair in given_couplings for name in pair}


@given(couplings(loops=True), NUMBERS)
def test_the_energy_of_a_cut_is_that_of_its_bits(entries, offset):
    model = from_qubo(entries, offset)
    x = every_cut(model.cut.n_nodes)
    exact = [offset + qubo_energy(entries, model.bits(one)) for one in x]
    np.testing.assert_allclose(model.energy(x), exact, rtol=1e-12, atol=1e-11)


@pytest.mark.parametrize("n", [3, 10])
def test_a_matrix_dense_or_sparse_is_the_mapping_of_its_entries(n):
    a = np.random.default_rng(n).integers(-3, 4, (n, n)).astype(float)
    a[1] = a[:, 1] = 0.0  # a variable that does not matter is one all the same
    entries = {(i, j): a[i, j] for i in range(n) for j in range(n)}
    x = every_cut(n + 1)
    exact = from_qubo(entries).energy(x)
    for matrix in (a, coo_array(a)):
        model = from_qubo(matrix)
        assert model.variables == tuple(range(n))
        np.testing.assert_array_equal(model.energy(x), exact)
    h, upper = a.diagonal(), np.triu(a, 1)
    spins = {(i, j): upper[i, j] for i in range(n) for j in range(i + 1, n)}
    np.testing.assert_array_equal(
        from_ising(h, upper).energy(x), from_ising(dict(enumerate(h)), spins).energy(x)
    )


@given(couplings(loops=False))
def test_a_cut_as_a_model_has_its_weight_as_minus_the_energy(weights):
    names = list(dict.fromkeys(name for pair in weights for name in pair))
    ends = [(names.index(a), names.index(b)) for a, b in weights]
    cut = MaxCut(ends, list(weights.values()), len(names), tuple(names))
    x = every_cut(cut.n_nodes)
    (h, couplings_, offset), entries = to_ising(cut), to_qubo(cut)
    for sides, score in zip(x, cut(x), strict=True):
        bits = cut.nodes(sides)
        spins = {name: 2 * bit - 1 for name, bit in bits.items()}
        assert ising_energy(h, couplings_, spins) + offset == pytest.approx(-score, abs=1e-11)
        assert qubo_energy(entries, bits) == pytest.approx(-score, abs=1e-11)


def test_a_qubo_of_whole_numbers_is_counted_and_solved():
    rng = np.random.default_rng(2)
    a = rng.integers(-9, 10, (10, 10))
    model = from_qubo(a)
    x = every_cut(10)
    exact = np.einsum("ni,ij,nj->n", x, a, x).min()
    found = maximize(model.cut, model.cut.nominal(), n_samples=500, rng=1)
    bits = np.array(list(model.bits(found.x).values()))
    assert bits @ a @ bits == exact == model.energy(found.x[None])[0]
    assert (model.cut.weight == np.floor(model.cut.weight)).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: from_ising({}, {("a", "a"): 1.0}), r"not with itself: J has \('a', 'a'\)$"),
        (lambda: from_ising([1.0], np.eye(2)), r"not with itself: J has \(0, 0\)$"),
        (lambda: from_ising(np.eye(2), {}), r"a mapping or a vector; got shape \(2, 2\)$"),
        (lambda: from_qubo(np.zeros((2, 3))), r"a square matrix; got shape \(2, 3\)$"),
        (lambda: from_qubo([1.0, 2.0]), r"a square matrix; got shape \(2,\)$"),
        (lambda: from_qubo({("a", "b"): np.nan}), r"finite numbers; got nan on edge \('a', 'b'\)$"),
        (lambda: from_qubo({}), r"needs edges"),
    ],
)
def test_a_model_that_is_none_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
