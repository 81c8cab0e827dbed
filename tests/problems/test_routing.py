"""Routing: delays path by path, the best split by closed forms and by its duality gap."""

import math
from types import SimpleNamespace

import networkx as nx
import numpy as np
import pytest

import cem
from cem.testing import ProblemContract
from problems.routing import Routing, problem

PROBLEM = problem()


class TestRouting(ProblemContract):
    minimised = True
    problem = problem(demand=1.4)  # no split overloads a link


def parallel(*capacity, demand):
    """One commodity that may take any one of several links."""
    return Routing(capacity, [demand], [[[link] for link in range(len(capacity))]])


def samples(routing, n=40):
    return routing.nominal().sample(np.random.default_rng(0), n)


def one_by_one(routing, x):
    """The mean delay from the definition: the delay on every path, weighted by its packets."""
    packets, row = [], 0
    for demand, paths in zip(routing.demand, routing.paths, strict=True):
        square = [value**2 for value in x[row : row + len(paths)]]
        packets += [
            (demand * part / sum(square), path) for part, path in zip(square, paths, strict=True)
        ]
        row += len(paths)
    load = [
        sum(rate for rate, path in packets if link in path) for link in range(len(routing.capacity))
    ]
    delay = [
        1 / (c - f) if f < c else math.inf for c, f in zip(routing.capacity, load, strict=True)
    ]
    return sum(rate * sum(delay[link] for link in path) for rate, path in packets) / sum(
        routing.demand
    )


@pytest.mark.parametrize("demand", [1.0, 4.0, 6.0])
def test_the_score_is_the_delay_of_the_paths_weighted_by_their_packets(demand):
    routing = problem(demand=demand, most=3)
    x = samples(routing)
    np.testing.assert_allclose(routing(x), [one_by_one(routing, row) for row in x], rtol=1e-12)


def test_shares_are_squares_over_the_sum_of_their_commodity():
    routing = Routing([9.0] * 3, [1.0, 2.0], [[[0], [1]], [[2], [0], [1]]])
    x = np.array([[1.0, -3.0, 2.0, 1.0, 0.0]])
    np.testing.assert_allclose(routing.shares(x), [[0.1, 0.9, 0.8, 0.2, 0.0]], rtol=1e-15)
    np.testing.assert_allclose(routing.shares(1e200 * x), routing.shares(x), rtol=1e-15)
    np.testing.assert_allclose(routing.load(x), [[0.1 + 0.4, 0.9, 1.6]], rtol=1e-14)


def test_an_overloaded_link_makes_the_delay_infinite_and_is_a_violation():
    routing = parallel(2.0, 9.0, demand=4.0)
    x = np.sqrt([[0.75, 0.25], [0.5, 0.5], [0.25, 0.75]])
    assert routing(x)[:2].tolist() == [math.inf, math.inf]
    assert routing(x)[2] == pytest.approx((1 / 1 + 3 / 6) / 4)
    np.testing.assert_allclose(routing.constraints(x), [1.0, 0.0, 0.0], atol=1e-14)


@pytest.mark.parametrize("demand", [1.0, 3.0, 6.5])
def test_the_best_split_over_two_links_is_by_the_square_roots_of_their_capacities(demand):
    """What is left free of each is in proportion to its square root, as Lagrange's rule has it."""
    c = np.array([4.0, 3.0])
    load = c - np.sqrt(c) * (c.sum() - demand) / np.sqrt(c).sum()
    assert (load > 0).all()
    routing = parallel(*c, demand=demand)
    best = routing(np.sqrt(load / demand)[None])[0]
    assert routing.exact() == pytest.approx(best, rel=1e-10)
    assert cem.minimize(routing, rng=0).fun == pytest.approx(best, rel=1e-12)


def test_a_slow_link_is_left_alone_while_the_fast_one_is_little_loaded():
    demand, fast, slow = 2.0, 9.0, 4.0
    assert demand < fast - math.sqrt(fast * slow)  # where the slow one begins to be used
    routing = parallel(fast, slow, demand=demand)
    assert routing.exact() == pytest.approx(1 / (fast - demand), rel=1e-10)
    assert cem.minimize(routing, rng=0).fun == pytest.approx(1 / (fast - demand), rel=1e-10)


@pytest.mark.parametrize("demand", [1.0, 4.0, 8.0])
def test_no_split_over_any_paths_beats_the_exact_delay_by_the_duality_gap(demand):
    """A convex function lies above its tangent, whose least value is found by shortest paths."""
    routing = problem(demand=demand, most=50)  # all paths there are
    load = routing.load(routing.best()[None])[0]
    slope = routing.capacity / (routing.capacity - load) ** 2 / routing.demand.sum()
    shortest = [min(slope[list(path)].sum() for path in paths) for paths in routing.paths]
    gap = slope @ load - routing.demand @ shortest
    assert 0 <= gap <= 1e-6 * routing.exact()


def test_every_one_of_five_searches_finds_the_best_split():
    best = PROBLEM.exact()
    for seed in range(5):
        assert cem.minimize(PROBLEM, rng=seed).fun == pytest.approx(best, rel=1e-8)


def test_a_search_finds_a_split_that_can_be_carried_where_hardly_any_can():
    routing = parallel(1.0, 1.0, 1.0, 30.0, demand=32.5)
    assert np.isinf(routing(samples(routing, 1000))).all()
    assert cem.minimize(routing, rng=0).fun == pytest.approx(routing.exact(), rel=1e-8)


def test_a_demand_that_no_split_can_carry_is_refused_by_the_exact_solution():
    with pytest.raises(ValueError, match=r"link is loaded with 1\.143 of its capacity"):
        parallel(4.0, 3.0, demand=8.0).exact()


def test_a_graph_gives_its_shortest_paths_and_a_link_for_each_direction():
    graph = nx.Graph([("a", "b"), ("b", "c"), ("a", "c")])
    nx.set_edge_attributes(graph, {("a", "b"): 1.0, ("b", "c"): 2.0, ("a", "c"): 3.0}, "capacity")
    both = Routing.of(graph, {("a", "c"): 0.5, ("c", "a"): 0.25})
    lengths = [[len(path) for path in paths] for paths in both.paths]
    assert lengths == [[1, 2], [1, 2]]
    assert sorted(both.capacity.tolist()) == [1.0, 1.0, 2.0, 2.0, 3.0, 3.0]
    capacities = [[both.capacity[list(path)].tolist() for path in paths] for paths in both.paths]
    assert capacities == [[[3.0], [1.0, 2.0]], [[3.0], [2.0, 1.0]]]
    links = [{link for path in paths for link in path} for paths in both.paths]
    assert links[0] & links[1] == set()  # one way each
    shortest = Routing.of(graph, {("a", "c"): 0.5}, most=1)
    assert [len(path) for path in shortest.paths[0]] == [1]


def test_the_shares_and_the_fullest_link_are_reported():
    routing = Routing([4.0, 3.0, 2.0], [2.0, 1.0], [[[0], [1]], [[2]]])
    found = SimpleNamespace(x=np.array([2.0, 1.0, 1.0]))
    assert routing.report(found) == {
        "fullest link": "number 2, 0.5 of its capacity",
        "shares of commodity 0": "0.8000 0.2000",
        "shares of commodity 1": "1.0000",
    }


EDGE = nx.Graph([(0, 1, {"capacity": 1.0})])


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: parallel(1.0, 0.0, demand=1), ValueError, "capacity must be positive.*for link 1"),
        (lambda: parallel(1.0, demand=-1), ValueError, "every demand must be positive"),
        (lambda: Routing([[1.0]], [1.0], [[[0]]]), ValueError, r"capacity.*got shape \(1, 1\)"),
        (lambda: Routing([1.0], [1.0], [[]]), ValueError, r"each of 1 commodities; got \[0\]"),
        (lambda: Routing([1.0], [1.0], [[[1]]]), ValueError, r"from 0 to 0, each once; got \[1\]"),
        (lambda: Routing([1.0], [1.0], [[[0, 0]]]), ValueError, r"each once; got \[0, 0\]"),
        (lambda: parallel(1.0, demand=0.5).nominal(), ValueError, "has one path only"),
        (lambda: PROBLEM(np.ones((2, 3))), ValueError, r"each of 16 paths.*got \(2, 3\)"),
        (lambda: PROBLEM(np.zeros((1, 16))), ValueError, "one of them not zero"),
        (lambda: PROBLEM(np.full((1, 16), np.nan)), ValueError, "must be finite"),
        (lambda: Routing.of(EDGE, {(0, 2): 1.0}), ValueError, "no way from 0 to 2"),
        (lambda: Routing.of(nx.Graph([(0, 1)]), {(0, 1): 1}), ValueError, "no attribute 'capac"),
        (lambda: Routing.of(nx.MultiGraph(), {}), TypeError, "got MultiGraph"),
        (lambda: Routing.of(EDGE, {(0, 1): 1.0}, most=0), ValueError, "must be at least 1; got 0"),
    ],
)
def test_a_mistake_is_named(make, kind, message):
    with pytest.raises(kind, match=message):
        make()
