"""Packed cuts score as the definition has it: kernels against plain NumPy, at every size."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cem.families.packed import Bits
from cem.testing import ProblemContract
from problems.maxcut import MaxCut


def random_cut(n, m, weights, seed=0):
    rng = np.random.default_rng(seed)
    i = rng.integers(0, n, m)
    j = (i + rng.integers(1, n, m)) % n
    return MaxCut(np.stack([i, j], axis=1), rng.choice(weights, m), n)


def by_definition(cut, x):
    i, j = cut.ends.T
    return (x[:, i] != x[:, j]) @ cut.weight


class TestSignedWeights(ProblemContract):
    problem = random_cut(40, 300, [-1.0, 1.0])


class TestRealWeights(ProblemContract):
    problem = random_cut(40, 300, [0.3, -1.7])


@given(
    st.integers(2, 30),
    st.integers(1, 200),
    st.integers(1, 1300),
    st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=4),
    st.integers(0, 99),
)
def test_whole_weights_are_counted_exactly(n, m, size, weights, seed):
    cut = random_cut(n, m, np.array(weights, dtype=float), seed)
    x = cut.nominal().sample(np.random.default_rng(seed), size)
    np.testing.assert_array_equal(cut(x), by_definition(cut, np.asarray(x)))


@pytest.mark.parametrize("m", [*range(1, 20), 63, 64, 65, 127, 128, 255, 256, 4095, 4096, 70_000])
def test_every_edge_is_counted_once_however_many_there_are(m):
    cut = random_cut(50, m, [1.0])
    x = np.random.default_rng(m).integers(0, 2, (70, 50), dtype=np.int8)
    x[0] = np.arange(50) % 2
    np.testing.assert_array_equal(cut(Bits.of(x)), by_definition(cut, x))
    full = MaxCut([[0, 1]] * m, [1.0] * m, 2)
    assert full(Bits.of([[0, 1], [1, 0], [1, 1]])).tolist() == [m, m, 0]


@pytest.mark.parametrize("weights", [[1.0, -1.0, 3.0], [0.25, 1.5, -0.1]])
@pytest.mark.parametrize("n", [0, 1, 64, 511, 512, 513, 1100])
def test_packed_and_plain_batches_score_alike(weights, n):
    cut = random_cut(20, 100, weights)
    x = np.random.default_rng(n).integers(0, 2, (n, 20), dtype=np.int8)
    packed, plain = cut(Bits.of(x)), cut(x)
    assert packed.shape == (n,)
    assert packed.dtype == float
    np.testing.assert_array_equal(packed, plain)
    np.testing.assert_allclose(packed, by_definition(cut, x), rtol=1e-13, atol=1e-13)


def test_a_slice_of_a_batch_scores_as_its_samples_do():
    cut = random_cut(20, 100, [1.0, 2.0])
    x = cut.nominal().sample(np.random.default_rng(0), 1000)
    score = cut(x)
    for a, b in ((0, 64), (64, 576), (512, 1000), (3, 700)):
        np.testing.assert_array_equal(cut(x[a:b]), score[a:b])


def test_weights_up_to_the_largest_exact_sum_are_exact_and_beyond_it_still_good():
    for top in (2.0**53 - 3, 2.0**53 + 2):
        cut = MaxCut([[0, 1], [1, 2]], [top, 1.0], 3)
        x = np.array([[0, 1, 0], [0, 1, 1], [0, 0, 1]])
        assert cut(x).tolist() == [top + 1.0, top, 1.0]


def test_weights_whose_sum_is_no_double_are_refused():
    with pytest.raises(ValueError, match="add up to more than any double; scale them down"):
        MaxCut([[0, 1], [1, 2]], [1e308, -1e308], 3)


def test_a_batch_of_another_width_is_refused():
    cut = MaxCut.of(nx.path_graph(3))
    for x in (np.zeros((2, 4), dtype=int), Bits.of(np.zeros((2, 4)))):
        with pytest.raises(ValueError, match=r"batch of shape \(n, 3\), got \(2, 4\)"):
            cut(x)
    with pytest.raises(ValueError, match="from 0 to 1; got 2 at"):
        cut(np.array([[0, 1, 2]]))


def test_a_real_weight_is_rounded_alike_in_any_batch_and_on_either_side():
    rng = np.random.default_rng(4)
    graph = nx.gnp_random_graph(60, 0.5, seed=1)
    cut = MaxCut(list(graph.edges), rng.normal(size=graph.size()), 60)
    x = np.asarray(cut.nominal().sample(rng, 300))
    score = cut(x)
    np.testing.assert_array_equal(cut(1 - x), score)
    for size in (1, 7, 65):
        parts = [cut(x[a : a + size]) for a in range(0, 300, size)]
        np.testing.assert_array_equal(np.concatenate(parts), score)
