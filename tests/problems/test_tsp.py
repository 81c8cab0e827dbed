"""Tours: their lengths are what they should be, and what can have no tour is refused."""

from itertools import permutations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cem
import problems
from cem.testing import ProblemContract
from problems.tsp import TSP, problem
from problems.tsp.problem import LARGE

INF = np.inf
SQUARE = np.array([[0, 1, 2, 1], [1, 0, 1, 2], [2, 1, 0, 1], [1, 2, 1, 0]])
ASYMMETRIC = np.random.default_rng(0).integers(1, 100, (9, 9))


def every_tour(n, first=0):
    others = [node for node in range(n) if node != first]
    return np.array([(first, *rest) for rest in permutations(others)])


def one_by_one(d, x, *, closed=True):
    """The definition: add up the way from every node to the next."""
    n = len(d)
    return [sum(d[tour[t]][tour[(t + 1) % n]] for t in range(n if closed else n - 1)) for tour in x]


def shortest(tsp):
    """Held and Karp: the length of the shortest round trip, by dynamic programming."""
    d, n = tsp.round_trip, tsp.n
    subsets = np.arange(1 << (n - 1))  # of the nodes 1, ..., n - 1
    best = np.full((1 << (n - 1), n), np.inf)  # the shortest way from 0 through them to one of them
    for j in range(1, n):
        best[1 << (j - 1), j] = d[0, j]
    size = np.array([s.bit_count() for s in range(len(subsets))])
    for k in range(2, n):
        for j in range(1, n):
            s = subsets[(size == k) & (subsets >> (j - 1) & 1 == 1)]
            best[s, j] = (best[s ^ (1 << (j - 1))] + d[:, j]).min(axis=1)
    return (best[-1] + d[:, 0]).min()


class TestSquare(ProblemContract):
    problem = TSP(SQUARE)


class TestAsymmetricFloats(ProblemContract):
    problem = TSP(ASYMMETRIC / 7)


class TestPath(ProblemContract):
    problem = TSP(ASYMMETRIC, closed=False, first=3, last=5)


class TestLargeBatch(ProblemContract):
    problem = TSP(ASYMMETRIC / 7)
    n = LARGE // 9 + 100


# Lengths


@given(st.integers(2, 7), st.integers(0, 2**32 - 1), st.booleans())
def test_the_length_of_a_tour_is_the_sum_of_its_steps(n, seed, closed):
    d = np.random.default_rng(seed).integers(0, 1000, (n, n))
    x = every_tour(n)
    assert TSP(d, closed=closed)(x).tolist() == one_by_one(d, x, closed=closed)


@pytest.mark.parametrize("scale", [1, 1 / 3, 1e300])
@pytest.mark.parametrize("dtype", [np.int16, np.int64, np.uint8])
def test_the_compiled_lengths_are_those_of_numpy_to_the_last_bit(scale, dtype):
    n, many = 40, LARGE // 40 + 1
    rng = np.random.default_rng(1)
    d = rng.integers(0, 10_000, (n, n)) if scale == 1 else scale * rng.random((n, n))
    tsp, x = TSP(d), rng.permuted(np.tile(np.arange(n, dtype=dtype), (many, 1)), axis=1)
    assert x.size >= LARGE
    parts = np.concatenate([tsp(part) for part in np.array_split(x, 10)])
    np.testing.assert_array_equal(tsp(x), parts)


def test_a_closed_tour_is_as_long_from_wherever_it_begins():
    tsp, x = TSP(ASYMMETRIC), np.random.default_rng(2).permutation(9)
    turned = np.array([np.roll(x, k) for k in range(9)])
    assert len(set(tsp(turned).tolist())) == 1


@given(st.randoms(use_true_random=False))
def test_relabelling_the_nodes_changes_no_length(random):
    order = np.array(random.sample(range(9), 9))
    x = np.array([random.sample(range(9), 9) for _ in range(20)])
    renamed = TSP(ASYMMETRIC[np.ix_(order, order)])
    np.testing.assert_array_equal(renamed(x), TSP(ASYMMETRIC)(order[x]))


def test_whole_lengths_are_exact_up_to_two_to_the_53():
    d = np.full((4, 4), 2**51 - 1)
    assert TSP(d)(np.array([[0, 1, 2, 3]])).tolist() == [2**53 - 4]
    with pytest.raises(
        ValueError, match=r"4 edges as long as the longest, 2251799813685248, would"
    ):
        TSP(np.full((4, 4), 2**51))


@pytest.mark.parametrize(
    ("dtype", "largest"), [(np.int8, 100), (np.uint16, 60_000), (np.int32, 2**31 - 1)]
)
def test_small_whole_types_do_not_overflow(dtype, largest):
    d = np.full((5, 5), largest, dtype=dtype)
    assert TSP(d)(np.array([[0, 1, 2, 3, 4]])).tolist() == [5 * largest]


def test_the_diagonal_is_not_used():
    d = SQUARE.astype(float)
    np.fill_diagonal(d, [np.nan, np.inf, -5.0, 9999.0])
    np.testing.assert_array_equal(TSP(d)(every_tour(4)), TSP(SQUARE)(every_tour(4)))


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        ([[0, 1, 2]], ValueError, r"expected tours of shape \(n_samples, 4\); got \(1, 3\)"),
        ([0, 1, 2, 3], ValueError, r"shape \(n_samples, 4\); got \(4,\)"),
        ([[0, 1, 2, 3], [0, 1, 1, 3]], ValueError, r"once; got \[0 1 1 3\] at index 1"),
        ([[0, 1, 2, 4]], ValueError, r"from 0 to 3 once; got \[0 1 2 4\] at index 0"),
        ([[0, 1, 2, -1]], ValueError, r"from 0 to 3 once; got \[ 0  1  2 -1\] at index 0"),
        ([[0.0, 1.0, 2.0, 3.0]], TypeError, r"whole numbers, the nodes; got dtype float64"),
    ],
)
def test_what_is_no_tour_is_refused(x, error, message):
    with pytest.raises(error, match=message):
        TSP(SQUARE)(np.array(x))


@pytest.mark.parametrize("bad", [4, -1, 2, 300])
def test_what_is_no_tour_is_refused_in_a_large_batch_too(bad):
    x = np.tile(np.arange(4), (LARGE, 1))
    x[77, 3] = bad
    with pytest.raises(ValueError, match=r"once; got \[ *0 +1 +2 +-?\d+\] at index 77"):
        TSP(SQUARE)(x)


# Known optima


@pytest.mark.parametrize(("name", "length"), [("burma14", 3323), ("gr17", 2085), ("br17", 39)])
def test_the_shortest_tour_is_as_long_as_the_library_says(name, length):
    tsp = problems.load("tsp", instance=name)
    assert tsp.optimum == length
    assert shortest(tsp) == length


@pytest.mark.parametrize("name", ["burma14", "br17"])
def test_the_method_finds_the_shortest_tour(name):
    tsp = problem(name)
    best = cem.minimize(tsp, tsp.nominal(), n_samples=4000, rho=0.02, alpha=0.5, rng=1)
    assert best.fun == tsp.optimum
    assert sorted(tsp.route(best.x)) == list(range(1, tsp.n + 1))


def test_an_unknown_instance_is_answered_by_the_nearest():
    with pytest.raises(
        ValueError, match=r"no instance 'burma' and no file .* did you mean 'burma14'"
    ):
        problem("burma")
    with pytest.raises(FileNotFoundError):
        problem("none.tsp")
    assert problem("gr17", optimum=5.0).optimum == 5.0


# Small ones


def test_one_node_makes_no_tour():
    with pytest.raises(ValueError, match=r"shape \(n, n\) with n >= 2.*got shape \(1, 1\)"):
        TSP([[0]])


def test_two_nodes_have_one_tour_there_and_back():
    tsp = TSP([[0, 3], [4, 0]])
    assert tsp(tsp.nominal().sample(np.random.default_rng(0), 3)).tolist() == [7.0] * 3
    assert TSP([[0, 3], [4, 0]], closed=False)(np.array([[0, 1]])).tolist() == [3.0]


def test_three_nodes_have_two_tours():
    tsp = TSP([[0, 1, 10], [10, 0, 1], [1, 10, 0]])
    assert cem.minimize(tsp, tsp.nominal(), n_samples=20, rng=0).fun == 3.0
    assert sorted(tsp(every_tour(3))) == [3.0, 30.0]


# Forbidden edges


def test_a_forbidden_edge_has_probability_zero_and_an_infinite_length():
    d = SQUARE.astype(float)
    d[0, 1] = INF
    tsp = TSP(d)
    assert repr(tsp) == "TSP(4 nodes, asymmetric, 1 of 12 edges forbidden)"
    np.testing.assert_allclose(tsp.nominal().p[0], [0, 0, 0.5, 0.5])
    x = every_tour(4)
    np.testing.assert_array_equal(np.isinf(tsp(x)), x[:, 1] == 1)


def test_the_method_finds_the_best_allowed_tour():
    d = np.where(np.random.default_rng(3).random((7, 7)) < 0.4, INF, ASYMMETRIC[:7, :7])
    d[range(7), np.roll(range(7), -1)] = 50  # there is a tour
    tsp = TSP(d)
    best = cem.minimize(tsp, tsp.nominal(), n_samples=500, rho=0.05, alpha=0.5, rng=1)
    assert best.fun == tsp(every_tour(7)).min() < INF
    assert best.fun == shortest(tsp)


@pytest.mark.parametrize(
    ("allowed", "message"),
    [
        ([(0, 1), (1, 0), (2, 3), (3, 2)], r"no way leads from 'a' to 'c' .* 2 parts"),
        ([(0, 1), (1, 2), (2, 3), (3, 2), (2, 1)], r"no way leads from 'b' to 'a'"),
        ([(0, 1), (1, 2), (2, 0), (0, 2)], r"no way leads from 'a' to 'd'"),
    ],
)
def test_nodes_that_no_tour_can_reach_are_named(allowed, message):
    d = np.full((4, 4), INF)
    d[tuple(zip(*allowed, strict=True))] = 1
    with pytest.raises(ValueError, match=message):
        TSP(d, labels="abcd")


# Open tours


@pytest.mark.parametrize("last", [None, 3])
def test_an_open_tour_keeps_its_ends_and_does_not_return(last):
    tsp = TSP(ASYMMETRIC[:6, :6], closed=False, first=2, last=last)
    x = every_tour(6, first=2)
    allowed = np.full(len(x), fill_value=True) if last is None else x[:, -1] == last
    expected = np.where(allowed, one_by_one(ASYMMETRIC[:6, :6], x, closed=False), INF)
    np.testing.assert_array_equal(tsp(x), expected)
    for family in (tsp.nominal(), tsp.placements()):
        drawn = family.sample(np.random.default_rng(0), 200)
        assert (drawn[:, 0] == 2).all()
        assert np.isfinite(tsp(drawn)).all()
        best = cem.minimize(tsp, family, n_samples=500, rho=0.05, alpha=0.5, rng=1)
        assert best.fun == expected.min()


def test_placements_begin_closed_tours_at_the_first_node():
    x = TSP(SQUARE, first=2).placements().sample(np.random.default_rng(0), 300)
    assert (x[:, 0] == 2).all()
    assert len(np.unique(x, axis=0)) == 6


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"last": 2}, r"a closed tour ends where it began: for a last node say closed=False"),
        ({"closed": False, "last": 0}, r"cannot begin and end at one node; got 0"),
        ({"closed": False, "last": 4}, r"last must lie in 0..3; got 4"),
        ({"first": -1}, r"first must lie in 0..3; got -1"),
        ({"labels": "abc"}, r"expected 4 labels, one per node; got 3"),
        (
            {"coordinates": [[0, 1]]},
            r"coordinates of shape \(4, 2\) or \(4, 3\).*got shape \(1, 2\)",
        ),
        ({"coordinates": [[0, np.nan]] * 4}, r"coordinates must be finite"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        TSP(SQUARE, **settings)


def test_an_open_tour_that_begins_elsewhere_is_refused():
    with pytest.raises(ValueError, match=r"open tours begin at node 0; got \[1 0 2 3\] at index 0"):
        TSP(SQUARE, closed=False)(np.array([[1, 0, 2, 3]]))


# Fixed edges


@given(st.permutations(range(6)), st.sets(st.integers(0, 4), min_size=1), st.booleans())
def test_tours_with_the_fixed_edges_keep_their_lengths_and_no_other_is_allowed(order, kept, closed):
    d = ASYMMETRIC[:6, :6]
    order = [0, *(node for node in order if node != 0)]
    fixed = [(order[t], order[t + 1]) for t in kept]
    tsp, x = TSP(d, fixed=fixed, closed=closed), every_tour(6)
    has_all = np.array(
        [
            all((i, j) in zip(tour, np.roll(tour, -1), strict=True) for i, j in fixed)
            for tour in x.tolist()
        ]
    )
    expected = np.where(has_all, TSP(d, closed=closed)(x), INF)
    np.testing.assert_array_equal(tsp(x), expected)
    assert (tsp.nominal().p[tuple(zip(*fixed, strict=True))] == 1).all()
    drawn = tsp.nominal().sample(np.random.default_rng(0), 50)
    assert np.isfinite(tsp(drawn)).any()


@pytest.mark.parametrize(
    ("fixed", "message"),
    [
        ([(0, 1), (0, 2)], r"contradict: 'a' is followed by 'b' and by 'c'"),
        ([(0, 2), (1, 2)], r"contradict: 'c' comes after 'a' and after 'b'"),
        ([(0, 1), (1, 0)], r"close a tour that leaves other nodes out: 'a', 'b', 'a'"),
        ([(3, 1), (1, 2), (2, 3)], r"leaves other nodes out: 'd', 'b', 'c', 'd'"),
        ([(1, 1)], r"fixed edge is forbidden: from 'b' to 'b'"),
        ([(0, 4)], r"a node of a fixed edge must lie in 0..3; got 4"),
    ],
)
def test_fixed_edges_that_contradict_each_other_are_refused(fixed, message):
    with pytest.raises(ValueError, match=message):
        TSP(SQUARE, labels="abcd", fixed=fixed)


def test_a_fixed_edge_that_is_forbidden_or_beyond_the_ends_is_refused():
    d = SQUARE.astype(float)
    d[0, 1] = INF
    with pytest.raises(ValueError, match="a fixed edge is forbidden: from 0 to 1"):
        TSP(d, fixed=[(0, 1)])
    for edge in [(1, 0), (2, 1)]:
        with pytest.raises(ValueError, match="leads to the first node or away from the last"):
            TSP(SQUARE, closed=False, last=2, fixed=[edge])


def test_all_edges_of_a_tour_may_be_fixed():
    tsp = TSP(SQUARE, fixed=[(0, 2), (2, 1), (1, 3), (3, 0)])
    assert tsp(tsp.nominal().sample(np.random.default_rng(0), 5)).tolist() == [6.0] * 5


# Local searches


@pytest.mark.parametrize("name", sorted(problem().refines()))
def test_every_local_search_of_the_problem_gives_tours_at_least_as_short(name):
    tsp = problem()
    x = tsp.nominal().sample(np.random.default_rng(0), 20)
    refined = tsp.refines()[name](x, np.random.default_rng(1))
    assert (tsp(refined) <= tsp(x)).all()
    assert tsp(refined).mean() < tsp(x).mean()


# Distances


@pytest.mark.parametrize(
    ("distance", "error", "message"),
    [
        ([[0, 1], [2, 0], [3, 4]], ValueError, r"shape \(n, n\).*got shape \(3, 2\)"),
        ([[0, np.nan], [2, 0]], ValueError, r"negative or NaN; got nan from 0 to 1\. For an edge"),
        ([[0, 1], [-1, 0]], ValueError, r"negative or NaN; got -1 from 1 to 0\. .* say inf"),
        ([[0, 1e308], [1e308, 0]], ValueError, r"2 edges .* would exceed the largest float"),
        ([[0, 10**30], [1, 0]], ValueError, r"must be less than 2\*\*53; got 10{30}$"),
        ([["0", "1"], ["1", "0"]], TypeError, r"must be real numbers; got dtype <U1"),
        ([[0, 1j], [1, 0]], TypeError, r"must be real numbers; got dtype complex128"),
        ([[False, True], [True, False]], TypeError, r"must be real numbers; got dtype bool"),
        (7, ValueError, r"got shape \(\)"),
    ],
)
def test_distances_that_are_none_are_refused(distance, error, message):
    with pytest.raises(error, match=message):
        TSP(distance)


def test_the_distances_are_a_copy_that_cannot_be_written():
    d = SQUARE.copy()
    tsp = TSP(d)
    d[0, 1] = 99
    assert tsp.distance[0, 1] == 1
    with pytest.raises(ValueError, match="read-only"):
        tsp.distance[0, 1] = 5


# Graphs


@given(st.integers(3, 7), st.integers(0, 99), st.booleans())
def test_the_tours_of_a_graph_are_as_long_as_networkx_says(n, seed, directed):
    rng = np.random.default_rng(seed)
    graph = nx.complete_graph([f"town {i}" for i in range(n)], nx.DiGraph() if directed else None)
    for u, v in graph.edges:
        graph[u][v]["weight"] = int(rng.integers(1, 50))
    tsp = TSP.of(graph)
    assert tsp.distance.dtype == np.int64
    assert directed or tsp.symmetric
    for tour in rng.permuted(np.tile(np.arange(n), (5, 1)), axis=1):
        names = tsp.route(tour)
        assert tsp(tour[None])[0] == nx.path_weight(graph, [*names, names[0]], "weight")


def test_missing_edges_are_forbidden_or_as_long_as_asked():
    graph = nx.cycle_graph(5)
    assert sorted(set(TSP.of(graph)(every_tour(5)).tolist())) == [5.0, INF]
    assert TSP.of(graph, missing=100)(np.array([[0, 2, 1, 3, 4]])).tolist() == [203.0]


def test_the_shortest_of_parallel_edges_counts_and_self_loops_do_not():
    graph = nx.MultiDiGraph([(0, 1, {"weight": 5}), (0, 1, {"weight": 3}), (1, 0), (0, 0)])
    assert TSP.of(graph)(np.array([[0, 1]])).tolist() == [4.0]


@pytest.mark.parametrize(
    ("length", "error", "message"),
    [
        ("3", TypeError, "got '3' on edge"),
        (1j, TypeError, "got 1j"),
        (np.nan, ValueError, "got nan"),
    ],
)
def test_edges_without_a_real_length_are_named(length, error, message):
    with pytest.raises(error, match=message):
        TSP.of(nx.Graph([("a", "b", {"weight": length})]))


def test_a_graph_in_two_pieces_is_refused():
    with pytest.raises(ValueError, match="no way leads from 0 to 3"):
        TSP.of(nx.disjoint_union(nx.complete_graph(3), nx.complete_graph(3)))


# Costs that depend on more than the edge


def rush_hour(x):
    """Minutes on the way: an edge takes longer the later in the day it is entered, then less."""
    time = np.zeros(len(x))
    for here, there in zip(x.T, np.roll(x, -1, axis=1).T, strict=True):
        time += ASYMMETRIC[here, there] * (1 + np.sin(time / 60) ** 2)
    return time


def test_travel_times_may_depend_on_the_time_of_departure():
    best = cem.minimize(
        rush_hour, TSP(ASYMMETRIC[:7, :7]).nominal(), n_samples=1000, rho=0.05, alpha=0.5, rng=1
    )
    times = rush_hour(every_tour(7))
    assert best.fun == times.min()
    static = TSP(ASYMMETRIC[:7, :7])(every_tour(7))
    assert times[static.argmin()] > times.min()  # the shortest tour is not the quickest
