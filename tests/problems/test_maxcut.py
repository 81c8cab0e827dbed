"""Max-cut: scores against enumeration and networkx, the symmetries of a cut, the known optimum."""

from itertools import product

import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cem.testing import ProblemContract
from problems.maxcut import MaxCut, problem, two_blocks

WHOLE = st.integers(-5, 5).map(float)
REAL = WHOLE | st.floats(-1e6, 1e6).map(lambda w: round(w, 3))


@st.composite
def graphs(draw, weights=REAL):
    """Small graphs with labels of any kind and weights of any sign."""
    n = draw(st.integers(2, 7))
    labels = [0, 1, -3, "a", "node b", (1, 2), 2.5, frozenset({7})]
    graph = nx.Graph()
    graph.add_nodes_from(draw(st.permutations(labels))[:n])
    pairs = [(i, j) for i in range(n) for j in range(i)]
    edges = draw(st.lists(st.sampled_from(pairs), min_size=1, unique=True))
    nodes = list(graph)
    for i, j in edges:
        graph.add_edge(nodes[i], nodes[j], weight=draw(weights))
    return graph


class TestTwoBlocks(ProblemContract):
    problem = two_blocks(30, 15)


class TestSmallBlocks(ProblemContract):
    problem = two_blocks(4, 1, high=0.2)


class TestSignedGraph(ProblemContract):
    problem = MaxCut([[0, 1], [1, 2], [2, 3], [0, 3]], [1.0, -2.0, 0.5, -0.25], 6)


class TestLargeGraph(ProblemContract):
    problem = MaxCut.of(nx.gnp_random_graph(300, 0.05, seed=1))


def every_cut(n):
    return np.array(list(product([0, 1], repeat=n)), dtype=np.int8)


def one_by_one(cut, x):
    """The definition: add up the edges whose ends differ."""
    return [
        sum(w for (i, j), w in zip(cut.ends, cut.weight, strict=True) if sides[i] != sides[j])
        for sides in x
    ]


# The score


@given(graphs())
def test_the_score_is_the_weight_of_the_edges_between_the_sides(graph):
    cut = MaxCut.of(graph)
    x = every_cut(cut.n_nodes)
    scale = np.abs(cut.weight).sum()
    np.testing.assert_allclose(cut(x), one_by_one(cut, x), rtol=1e-12, atol=1e-12 * scale)


@given(graphs(), st.integers(0, 2**32 - 1))
def test_the_score_is_the_cut_size_of_networkx(graph, seed):
    cut = MaxCut.of(graph)
    x = cut.nominal().sample(np.random.default_rng(seed), 3)
    for sides, score in zip(x, cut(x), strict=True):
        ones = {node for node, side in cut.nodes(sides).items() if side == 1}
        expected = nx.cut_size(graph, ones, weight="weight")
        assert score == pytest.approx(expected, rel=1e-12, abs=1e-6)


@given(graphs())
def test_the_other_side_of_a_cut_is_the_same_cut(graph):
    cut = MaxCut.of(graph)
    x = every_cut(cut.n_nodes)
    scale = np.abs(cut.weight).sum()
    np.testing.assert_allclose(cut(1 - x), cut(x), rtol=1e-12, atol=1e-12 * scale)


@given(graphs(), st.randoms(use_true_random=False))
def test_relabelling_the_nodes_gives_the_same_cuts(graph, random):
    names = {node: f"new {i}" for i, node in enumerate(graph)}
    edges = [(names[u], names[v], w) for u, v, w in graph.edges(data="weight")]
    random.shuffle(edges)
    other = nx.Graph()
    other.add_nodes_from(random.sample(sorted(names.values()), len(names)))
    other.add_weighted_edges_from(edges)
    a, b = MaxCut.of(graph), MaxCut.of(other)
    x = every_cut(a.n_nodes)
    back = {name: node for node, name in names.items()}
    place = {node: i for i, node in enumerate(a.labels)}
    order = [place[back[name]] for name in b.labels]
    scale = np.abs(a.weight).sum()
    np.testing.assert_allclose(b(x[:, order]), a(x), rtol=1e-12, atol=1e-12 * scale)


@given(graphs(), st.floats(0.25, 4))
def test_the_score_is_linear_in_the_weights(graph, factor):
    cut = MaxCut.of(graph)
    other = MaxCut(cut.ends, factor * cut.weight, cut.n_nodes)
    x = every_cut(cut.n_nodes)
    scale = factor * np.abs(cut.weight).sum()
    np.testing.assert_allclose(other(x), factor * cut(x), rtol=1e-12, atol=1e-12 * scale)


@given(graphs(weights=WHOLE))
def test_whole_weights_give_whole_scores(graph):
    cut = MaxCut.of(graph)
    x = every_cut(cut.n_nodes)
    assert cut(x).tolist() == one_by_one(cut, x)


@pytest.mark.parametrize("weight", [2.0**24 - 1, 2.0**24 + 1, 2.0**40 + 1, 0.25, -(2.0**24) - 1])
def test_large_and_broken_weights_lose_no_digit(weight):
    cut = MaxCut([[0, 1], [1, 2], [0, 2]], [weight, 1.0, 3.0], 3)
    assert cut(every_cut(3)).tolist() == one_by_one(cut, every_cut(3))


def test_many_edges_at_one_node_lose_no_digit():
    n = 3000
    star = MaxCut([[0, i] for i in range(1, n)], np.full(n - 1, 2.0**14 + 1), n)
    x = np.random.default_rng(0).integers(0, 2, size=(4, n))
    x[:, 0] = 1
    assert star(x).tolist() == [(n - ones) * (2.0**14 + 1) for ones in x.sum(axis=1).tolist()]


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint8, bool, np.float64])
def test_sides_may_be_of_any_type(dtype):
    cut = MaxCut([[0, 1], [1, 2]], [1.0, 2.0], 3)
    assert cut(np.array([[0, 1, 1], [0, 0, 1]], dtype=dtype)).tolist() == [1.0, 2.0]


def test_parallel_edges_add_up():
    graph = nx.MultiGraph()
    graph.add_edge("a", "b", weight=1.5)
    graph.add_edge("a", "b", weight=2.0)
    assert MaxCut.of(graph)(np.array([[0, 1], [1, 1]])).tolist() == [3.5, 0.0]


def test_edges_without_a_weight_count_one_and_another_attribute_may_be_named():
    graph = nx.Graph([("a", "b"), ("b", "c", {"weight": 3.0, "cost": 5.0})])
    assert MaxCut.of(graph)(np.array([[0, 1, 0]])).tolist() == [4.0]
    assert MaxCut.of(graph, weight="cost")(np.array([[0, 1, 0]])).tolist() == [6.0]


def test_nodes_without_edges_are_nodes_all_the_same():
    graph = nx.Graph([(0, 1)])
    graph.add_node("alone")
    cut = MaxCut.of(graph)
    assert cut.nominal().p.tolist() == [0.5] * 3
    assert cut.nodes([1, 0, 1]) == {0: 1, 1: 0, "alone": 1}


def test_the_arrays_of_a_cut_are_its_own_and_read_only():
    ends, weight = np.array([[0, 1]]), np.array([1.0])
    cut = MaxCut(ends, weight, 2)
    weight[0] = 7
    assert cut(np.array([[0, 1]])).tolist() == [1.0]
    with pytest.raises(ValueError, match="read-only"):
        cut.weight[0] = 2


# Graphs with a known optimum


@given(
    st.integers(2, 9),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0, 3),
    st.integers(0, 99),
    st.data(),
)
def test_the_stated_optimum_of_two_blocks_is_that_of_the_enumeration(
    n, low, high, between, seed, data
):
    assume(low <= high)
    m = data.draw(st.integers(1, n - 1))
    cut = two_blocks(n, m, low=low, high=high, between=between, seed=seed)
    if cut.optimum is not None:
        assert cut(every_cut(n)).max() == pytest.approx(cut.optimum, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(("n", "m"), [(2, 1), (6, 3), (7, 3), (9, 2), (10, 4)])
def test_the_optimum_is_stated_just_where_it_is_certain(n, m):
    ratio = max(m, n - m) / min(m, n - m)
    tight = two_blocks(n, m, low=1.0, high=1.0, between=ratio)
    assert tight.optimum == pytest.approx(ratio * m * (n - m))
    assert cut_max(tight) == pytest.approx(tight.optimum)
    assert two_blocks(n, m, between=0.999 * ratio).optimum is None


def cut_max(cut):
    return cut(every_cut(cut.n_nodes)).max()


def test_two_blocks_are_a_complete_graph_with_the_weights_asked_for():
    cut = two_blocks(10, 4, low=0.2, high=0.6, between=2.0, seed=3)
    inside = (cut.ends[:, 0] < 4) == (cut.ends[:, 1] < 4)
    assert len(cut.ends) == 45
    assert (cut.weight[~inside] == 2.0).all()
    assert ((cut.weight[inside] >= 0.2) & (cut.weight[inside] <= 0.6)).all()
    assert len(np.unique(cut.weight[inside])) == inside.sum()
    np.testing.assert_array_equal(
        cut.weight, two_blocks(10, 4, low=0.2, high=0.6, between=2.0, seed=3).weight
    )
    assert (cut.weight != two_blocks(10, 4, low=0.2, high=0.6, between=2.0, seed=4).weight).any()


def test_the_problem_of_the_book_has_the_optimum_of_the_book():
    cut = problem()
    assert (cut.n_nodes, cut.optimum) == (400, 40_000.0)
    best = np.arange(400) < 200
    assert cut(best[None])[0] == pytest.approx(40_000, rel=1e-13)


def test_the_problem_takes_a_graph_a_file_or_settings(tmp_path):
    graph = nx.Graph([("a", "b")])
    assert problem(graph).labels == ("a", "b")
    path = tmp_path / "two.txt"
    path.write_text("2 1\n1 2 5\n")
    assert problem(path).weight.tolist() == problem(str(path)).weight.tolist() == [5.0]
    assert problem(n=6, m=2, between=9.0).optimum == 72.0
