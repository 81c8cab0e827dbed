"""Partitions: scores against the definition, best ones against enumeration, exact penalties."""

from itertools import product

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cem
from cem.testing import ProblemContract
from problems import load
from problems.maxcut import MaxCut
from problems.partition import MaxKCut, MinKWay, Partition

SIGNED = MaxCut.of(
    nx.Graph([(0, 1, {"weight": 2.0}), (1, 2, {"weight": -1.5}), (2, 0, {"weight": 0.25})])
)


class TestMaxThreeCut(ProblemContract):
    problem = MaxKCut(MaxCut.of(nx.gnp_random_graph(30, 0.3, seed=1)), 3)


class TestMaxBisection(ProblemContract):
    problem = MaxKCut(MaxCut.of(nx.gnp_random_graph(30, 0.3, seed=1)), most=15)


class TestMinFourWay(ProblemContract):
    problem = MinKWay(MaxCut.of(nx.gnp_random_graph(30, 0.3, seed=1)), 4, 8)


def every(n, k):
    return np.array(list(product(range(k), repeat=n)))


@st.composite
def small(draw, kind=MaxKCut):
    """Up to six nodes in two or three parts, with a bound on their size or without."""
    n, k = draw(st.integers(2, 6)), draw(st.integers(2, 3))
    pairs = [(i, j) for i in range(n) for j in range(i)]
    ends = draw(st.lists(st.sampled_from(pairs), min_size=1, unique=True))
    weights = [draw(st.integers(-20, 20)) / 4 for _ in ends]
    most = draw(st.none() | st.integers(-(-n // k), n))
    return kind(MaxCut(ends, weights, n), k, most)


def by_definition(problem, x):
    edges = list(zip(problem.graph.ends.tolist(), problem.graph.weight.tolist(), strict=True))
    return [sum(w for (i, j), w in edges if parts[i] != parts[j]) for parts in x.tolist()]


@given(small())
def test_the_cut_is_the_weight_of_the_edges_between_the_parts(problem):
    x = every(problem.graph.n_nodes, problem.k)
    assert problem.cut(x).tolist() == by_definition(problem, x)


@given(small())
def test_too_many_are_the_nodes_to_move_until_every_part_keeps_to_its_size(problem):
    x = every(problem.graph.n_nodes, problem.k)
    most = problem.graph.n_nodes if problem.most is None else problem.most
    moves = [
        sum(max(0, parts.count(part) - most) for part in range(problem.k)) for parts in x.tolist()
    ]
    assert problem.too_many(x).tolist() == moves


@given(small(), small(MinKWay))
def test_the_best_partitions_are_the_best_ones_among_those_that_keep_to_the_size(largest, least):
    for problem, better in ((largest, max), (least, min)):
        x = every(problem.graph.n_nodes, problem.k)
        score, cut, allowed = problem(x), problem.cut(x), problem.too_many(x) == 0
        best = better(cut[allowed])
        assert better(score) == best
        assert set(np.flatnonzero(score == best)) == set(np.flatnonzero(allowed & (cut == best)))


@given(small())
def test_no_partition_is_lost_by_the_numbering_of_its_parts(problem):
    x = every(problem.graph.n_nodes, problem.k)
    possible = problem.nominal().log_density(x) > -np.inf
    first_seen = {tuple({p: i for i, p in enumerate(dict.fromkeys(row))}[p] for p in row)
                  for row in x.tolist()}  # fmt: skip
    assert first_seen <= {tuple(row) for row in x[possible].tolist()}
    assert problem(x[possible]).max() == problem(x).max()


@given(small(), st.permutations(range(3)))
def test_the_numbers_of_the_parts_change_nothing(problem, order):
    names = np.array([p for p in order if p < problem.k])
    x = every(problem.graph.n_nodes, problem.k)
    assert problem(names[x]).tolist() == problem(x).tolist()


def test_two_parts_are_the_cut_itself():
    cut = MaxCut.of(nx.gnp_random_graph(20, 0.4, seed=2))
    x = cut.nominal().sample(np.random.default_rng(0), 100)
    assert MaxKCut(cut)(x).tolist() == cut(x).tolist()


def test_a_complete_graph_is_cut_as_by_turan():
    """The Turán graph has the most edges in n nodes and k parts: the parts are equal."""
    for n, k in ((7, 2), (8, 3), (9, 4)):
        problem = MaxKCut(MaxCut.of(nx.complete_graph(n)), k)
        parts = np.arange(n)[None] % k
        assert problem(parts)[0] == nx.turan_graph(n, k).number_of_edges()


def test_the_method_finds_the_planted_parts():
    """Three cliques of six nodes, tied in a ring by single edges: three edges must be cut."""
    graph = nx.ring_of_cliques(3, 6)
    cost = MinKWay(MaxCut.of(graph), 3, 6)
    found = cem.minimize(cost, cost.nominal(), n_samples=1000, rng=1, target=3)
    assert found.fun == 3
    assert cost.too_many(found.x[None])[0] == 0
    assert len({tuple(found.x[6 * c : 6 * c + 6]) for c in range(3)}) == 3


def test_max_bisection_by_the_method_is_that_of_the_enumeration():
    graph = nx.gnp_random_graph(12, 0.5, seed=3)
    problem = MaxKCut(MaxCut.of(graph), most=6)
    x = every(12, 2)
    best = problem.cut(x)[x.sum(axis=1) == 6].max()
    found = cem.maximize(problem, problem.nominal(), n_samples=500, rng=0, target=best)
    assert (found.fun, found.x.sum()) == (best, 6)


def test_it_is_found_by_its_name_with_equal_parts_and_slack():
    assert isinstance(load("partition"), MaxKCut)
    assert load("partition").most == 20
    assert load("partition", k=3, slack=2).most == 16
    assert load("partition", equal=False).most is None
    least = load("partition", graph=nx.path_graph(7), k=3, task="min-k-way")
    assert isinstance(least, MinKWay)
    assert (least.graph.n_nodes, least.most) == (7, 3)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Partition(SIGNED, 1), ValueError, r"k, the number of parts, must be at least 2"),
        (lambda: Partition(SIGNED, 2.0), TypeError, r"k, the number of parts, must be a whole"),
        (lambda: Partition(SIGNED, 2, 1), ValueError, r"most, the nodes of a part, .* at least 2"),
        (lambda: load("partition", task="max-k-cat"), ValueError, r"did you mean 'max-k-cut'\?"),
        (lambda: load("partition", slack=-1), ValueError, r"slack must be at least 0; got -1"),
        (lambda: MaxKCut(SIGNED).cut([[0, 1]]), ValueError, r"each of 3 nodes.* got \(1, 2\)$"),
        (
            lambda: MaxKCut(SIGNED).cut([[0, 1, 2]]),
            ValueError,
            r"parts from 0 to 1; got 2 at index \(0, 2\)$",
        ),
        (lambda: MaxKCut(SIGNED).cut([[0, 1, np.nan]]), ValueError, r"from 0 to 1; got nan at"),
    ],
)
def test_bad_settings_and_partitions_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()
