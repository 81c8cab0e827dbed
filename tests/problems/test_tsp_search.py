"""Local search on tours: local optima by brute force, gains by tours built anew, ends kept."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from problems.tsp.instances import burma14
from problems.tsp.local_search import Iterated, OrOpt, RoundTrips, TwoOpt
from problems.tsp.problem import TSP
from problems.tsp.search_kernels import _kick, _three_opt, _two_opt


def plane(n, seed=0):
    """Points of the plane with whole distances: symmetric, and with ties."""
    xy = np.random.default_rng(seed).integers(0, 30, (n, 2))
    return np.rint(np.hypot(*(xy[:, None] - xy).transpose(2, 0, 1))).astype(int)


def one_way(n, seed=0):
    return np.random.default_rng(seed).integers(1, 100, (n, n))


def tours(n, size, seed=0):
    """Tours from node 0, in random order."""
    rest = np.tile(np.arange(1, n), (size, 1))
    rest = np.random.default_rng(seed).permuted(rest, axis=1)
    return np.concatenate([np.zeros((size, 1), dtype=int), rest], axis=1)


def starts(tsp, size):
    """Tours from node 0 that end where they must."""
    x = tours(tsp.n, size)
    if tsp.last is None:
        return x
    return np.array([[*row[row != tsp.last], tsp.last] for row in x])


def searched(search, x, seed=0):
    return search(x, np.random.default_rng(seed))


PROBLEMS = {
    "symmetric": TSP(plane(20)),
    "asymmetric": TSP(one_way(20)),
    "real": TSP(plane(20) / 7),
    "open": TSP(plane(20), closed=False),
    "open to a node": TSP(plane(20) / 7, closed=False, last=5),
    "open asymmetric": TSP(one_way(20), closed=False),
    "open asymmetric to a node": TSP(one_way(20), closed=False, last=5),
    "fixed edges": TSP(plane(20), fixed=[(3, 8), (8, 2), (11, 12)]),
    "partial": TSP(np.where(plane(20) > 15, np.inf, plane(20))),
}
EVERY = [(problem, name) for problem in PROBLEMS for name in PROBLEMS[problem].refines()]


@pytest.mark.parametrize(("problem", "name"), EVERY)
def test_every_tour_comes_back_no_longer_with_its_ends_and_its_type(problem, name):
    tsp, search = PROBLEMS[problem], PROBLEMS[problem].refines()[name]
    x = starts(tsp, 30).astype(np.int16)
    before = x.copy()
    y = searched(search, x)
    assert (x == before).all()
    assert (y.dtype, y.shape) == (x.dtype, x.shape)
    assert (np.sort(y, axis=1) == np.arange(20)).all()
    assert (y[:, 0] == x[:, 0]).all()
    assert tsp.last is None or (y[:, -1] == tsp.last).all()
    assert (tsp(y) <= tsp(x)).all()
    assert tsp(y).min() < tsp(x).min()


@pytest.mark.parametrize(("problem", "name"), EVERY)
def test_a_local_optimum_is_left_by_kicks_only_and_never_for_a_longer_tour(problem, name):
    tsp, search = PROBLEMS[problem], PROBLEMS[problem].refines()[name]
    x = searched(search, starts(tsp, 10))
    y = searched(search, x, seed=1)
    assert (tsp(y) <= tsp(x)).all()
    if name != "iterated":
        assert (y == x).all()


def test_the_same_generator_gives_the_same_tours_and_another_one_others():
    search, x = Iterated(TSP(plane(60)), kicks=20), tours(60, 8)
    assert (searched(search, x, seed=3) == searched(search, x, seed=3)).all()
    assert (searched(search, x, seed=3) != searched(search, x, seed=4)).any()


def test_what_becomes_of_a_tour_does_not_depend_on_those_after_it():
    search, x = Iterated(TSP(plane(40)), kicks=20), tours(40, 8)
    for k in (0, 3):
        assert (searched(search, x)[:k] == searched(search, x[:k])).all()


# Local optima


def two_opt_neighbours(x):
    n = len(x)
    for i in range(1, n):
        for j in range(i + 1, n):
            yield [*x[:i], *x[i : j + 1][::-1], *x[j + 1 :]]


def exchanges(x):
    """All tours with two segments in a row exchanged: three cuts of the round trip."""
    n = len(x)
    for i in range(1, n):
        for j in range(i + 1, n):
            for k in range(j + 1, n + 1):
                yield [*x[:i], *x[j:k], *x[i:j], *x[k:]]


@pytest.mark.parametrize("n", [5, 6, 9, 14])
@pytest.mark.parametrize("closed", [True, False])
def test_two_opt_ends_where_no_turned_segment_is_shorter(n, closed):
    tsp = TSP(plane(n, seed=n), closed=closed)
    for x in searched(TwoOpt(tsp, neighbours=n), tours(n, 20)):
        assert tsp(np.array(list(two_opt_neighbours(x)))).min() >= tsp(x[None])[0]


@pytest.mark.parametrize("n", [4, 5, 6, 9, 12])
@pytest.mark.parametrize("closed", [True, False])
def test_or_opt_ends_where_no_exchange_of_segments_is_shorter(n, closed):
    tsp = TSP(one_way(n, seed=n), closed=closed)
    for x in searched(OrOpt(tsp, neighbours=n), tours(n, 20)):
        assert tsp(np.array(list(exchanges(x)))).min() >= tsp(x[None])[0]


def shortest(tsp):
    every = np.array([[tsp.first, *rest] for rest in permutations(set(range(tsp.n)) - {tsp.first})])
    return tsp(every).min()


@pytest.mark.parametrize("make", [plane, one_way])
@pytest.mark.parametrize("ends", [{}, {"closed": False}, {"closed": False, "first": 2, "last": 1}])
def test_iterated_search_finds_the_shortest_of_all_tours_of_seven_nodes(make, ends):
    for seed in range(5):
        tsp = TSP(make(7, seed=seed), **ends)
        start = [tsp.first, *({*range(7)} - {tsp.first, tsp.last})]
        x = np.array([start if tsp.last is None else [*start, tsp.last]])
        assert tsp(searched(Iterated(tsp, kicks=300), x))[0] == shortest(tsp)


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("n", [2, 3])
def test_tours_of_two_and_three_nodes_and_of_four_by_two_opt_are_the_shortest(n, closed):
    for make in (plane, one_way):
        tsp = TSP(make(n, seed=1), closed=closed)
        for search in tsp.refines().values():
            assert tsp(searched(search, tours(n, 3))).tolist() == [shortest(tsp)] * 3
    tsp = TSP(plane(4, seed=n), closed=closed)
    assert tsp(searched(TwoOpt(tsp), tours(4, 6))).tolist() == [shortest(tsp)] * 6


def test_the_known_optimum_of_burma14_is_found_from_anywhere():
    tsp = burma14()
    assert tsp(searched(Iterated(tsp, kicks=500), tours(14, 20))).tolist() == [3323] * 20


@pytest.mark.parametrize(
    ("name", "optimum"), [("p43.atsp", 5620), ("eil51.tsp", 426), ("kroD100.tsp", 21294)]
)
def test_known_optima_of_tsplib_are_found(name, optimum, shared):
    from problems.tsp.tsplib import read_tsplib

    tsp = read_tsplib(shared / "tsplib" / name)
    assert tsp(searched(Iterated(tsp, kicks=2000), tours(tsp.n, 10))).min() == optimum


# Gains, against tours built anew


def ready(x):
    """A tour with its inverse, and an empty queue, as the kernels take them."""
    n, x = len(x), x.astype(np.int32)
    todo = np.empty(n, np.int32), np.zeros(n, np.bool_), np.zeros(2, np.int64)
    return (x, x.argsort().astype(np.int32)), todo


def from_node(x, a):
    x = list(x)
    i = x.index(a)
    return x[i:] + x[:i]


def inserted(rest, segment, left, right):
    """The segment between two nodes that are next to each other in the round trip."""
    rest = from_node(rest, left)
    if rest[1] != right:
        rest = from_node(rest, right)
        segment = segment[::-1]
    return [rest[0], *segment, *rest[1:]]


def moves_of(x, d, a):
    """All tours that `_two_opt` may choose from, built node by node."""
    n = len(x)
    for way in (from_node(x, a), from_node(x[::-1], a)):
        b = way[1]
        for c in [c for c in way[2:] if d[a, c] < d[a, b]]:
            k = way.index(c)
            yield [a, *way[1 : k + 1][::-1], *way[k + 1 :]]
            for m in range(1, min(3, n - 3) + 1):
                segment = [a, *way[:-m:-1]]  # away from b
                rest = [node for node in way if node not in segment]
                if c not in segment:
                    around = from_node(rest, c)
                    beside = {way[(k + 1) % n], way[k - 1]} - set(segment)
                    for left in beside & {around[1], around[-1]}:
                        yield inserted(rest, segment, c, left)
                for side in (1, -1):
                    segment = [way[(k + side * s) % n] for s in range(m)]
                    if not {a, b} & set(segment):
                        rest = [node for node in way if node not in segment]
                        yield inserted(rest, segment, a, b)


def cost_of(d, x):
    return sum(d[i, j] for i, j in zip(x, [*x[1:], x[0]], strict=True))


@given(st.integers(4, 11), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_two_opt_makes_the_best_of_its_moves_and_says_what_it_saves(n, seed):
    d = plane(n, seed)
    trips = RoundTrips.between(TSP(d), n, mirrored=True)
    for a, x in enumerate(tours(n, n, seed)):
        (tour, position), todo = ready(x)
        ways = trips.cost, trips.near, 0.0
        saved = _two_opt((tour, position), ways, np.int32(a), todo)
        best = min([cost_of(d, y) for y in moves_of(x.tolist(), d, a)], default=np.inf)
        assert saved == max(0, cost_of(d, x.tolist()) - best)
        assert saved == cost_of(d, x.tolist()) - cost_of(d, tour.tolist())
        assert (tour[position] == np.arange(n)).all()


@given(st.integers(3, 11), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_an_exchange_saves_what_it_says_and_is_the_best_from_its_node(n, seed):
    d = one_way(n, seed)
    trips = RoundTrips.between(TSP(d), n, mirrored=False)
    for a, x in enumerate(tours(n, n, seed)):
        (tour, position), todo = ready(x)
        ways = trips.cost, trips.near, 0.0
        saved = _three_opt((tour, position), ways, np.int32(a), todo)
        _, *way = from_node(x.tolist(), a)
        b, costs = way[0], [np.inf]
        for j in range(1, n - 1):
            for k in range(j + 1, n):
                c, e, f = way[j], way[j - 1], [*way, a][k]
                gains = np.cumsum([d[a, b] - d[a, c], d[e, c] - d[e, f]])
                if (gains > 0).all():
                    costs.append(cost_of(d, [a, *way[j:k], *way[:j], *way[k:]]))
        assert saved == max(0, cost_of(d, x.tolist()) - min(costs))
        assert saved == cost_of(d, x.tolist()) - cost_of(d, tour.tolist())
        assert (tour[position] == np.arange(n)).all()


@given(st.integers(4, 30), st.integers(0, 10**6), st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_a_kick_is_a_double_bridge_and_says_what_it_saves(n, seed, reach):
    d, x = one_way(n, seed).astype(float), tours(n, 1, seed)[0]
    (tour, position), todo = ready(x)
    words = np.random.default_rng(seed).integers(0, 2**64, 4, dtype=np.uint64)
    saved = _kick((tour, position), d, min(reach, (n - 1) // 3), words, todo)
    assert saved == cost_of(d, x.tolist()) - cost_of(d, tour.tolist())
    assert (tour[position] == np.arange(n)).all()
    made = set(zip(tour, np.roll(tour, -1), strict=True)) - set(zip(x, np.roll(x, -1), strict=True))
    assert len(made) == 4
    assert {node for edge in made for node in edge} == set(todo[0][: todo[2][1]].tolist())


# Costs that are not whole, not finite, or very large


@given(st.integers(4, 9), st.integers(0, 10**6), st.sampled_from([1e-300, 1e-9, 1.0, 1e300]))
@settings(max_examples=40, deadline=None)
def test_real_distances_of_any_size_never_lengthen_a_tour(n, seed, unit):
    rng = np.random.default_rng(seed)
    points = TSP.of_points(rng.random((n, 2)))
    for d in (points.distance * unit, rng.random((n, n)) * unit):
        tsp = TSP(d)
        for search in tsp.refines().values():
            x = tours(n, 5, seed)
            assert (tsp(searched(search, x)) <= tsp(x)).all()


def test_forbidden_edges_are_left_and_never_taken_up():
    d = plane(30)
    ring = np.minimum(abs(np.subtract.outer(np.arange(30), np.arange(30))), 30)
    tsp = TSP(np.where((ring % 29 == 1) | (d < 12), d, np.inf))
    x = tours(30, 20)
    assert np.isinf(tsp(x)).all()
    lengths = tsp(searched(Iterated(tsp, kicks=300), x))
    assert np.isfinite(lengths).mean() > 0.5
    y = searched(Iterated(tsp, kicks=50), np.arange(30)[None])
    assert tsp(y)[0] < tsp(np.arange(30)[None])[0] < np.inf


def test_fixed_edges_are_kept():
    tsp = TSP(plane(12), fixed=[(3, 8), (8, 2), (7, 0)])
    x = np.array([[0, 1, 3, 8, 2, 4, 5, 6, 9, 10, 11, 7]])
    y = searched(Iterated(tsp, kicks=50), x)[0].tolist()
    assert tsp([y])[0] < tsp(x)[0]
    assert (y[y.index(3) + 1], y[y.index(8) + 1], y[-1]) == (8, 2, 7)


def test_distances_that_are_all_equal_or_zero_leave_the_length_as_it_is():
    for d in (np.zeros((9, 9)), np.full((9, 9), 0.1)):
        x = tours(9, 4)
        assert TSP(d)(searched(Iterated(TSP(d)), x)).tolist() == TSP(d)(x).tolist()


def test_costs_that_tie_do_not_make_a_search_run_for_ever():
    xy = np.stack(np.meshgrid(range(6), range(6)), axis=-1).reshape(-1, 2) * 0.1
    tsp = TSP.of_points(xy)
    found = tsp(searched(Iterated(tsp, kicks=2000), tours(36, 4))).min()
    assert found == pytest.approx(3.6, rel=1e-12)


# What is refused


def test_two_opt_refuses_distances_that_differ_one_way_and_the_other():
    with pytest.raises(ValueError, match=r"same both ways.*asymmetric.*OrOpt"):
        TwoOpt(TSP(one_way(5)))


@pytest.mark.parametrize(
    ("settings", "words"), [({"neighbours": 0}, "neighbours"), ({"kicks": -1}, "kicks")]
)
def test_settings_that_make_no_sense_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        Iterated(TSP(plane(5)), **settings)
    with pytest.raises(TypeError, match=words):
        Iterated(TSP(plane(5)), **dict.fromkeys(settings, 1.5))


@pytest.mark.parametrize("x", [[[0, 1, 1, 2, 3]], [[0, 1, 2, 3, 9]], [[0, 1, 2]]])
def test_what_is_no_tour_is_refused_as_the_problem_does(x):
    with pytest.raises(ValueError, match="expected tours"):
        searched(Iterated(TSP(plane(5))), np.array(x))
