"""LKH beside the local searches: its tour where it is shorter, and clear words where it cannot."""

import builtins

import numpy as np
import pytest

import cem
from problems import tsp
from problems.tsp import TSP
from problems.tsp.lkh import LKH

POINTS = np.random.default_rng(3).integers(0, 1000, (9, 2))


def exhaustive(problem):
    from itertools import permutations

    rest = [i for i in range(problem.n) if i != problem.first]
    tours = np.array([(problem.first, *order) for order in permutations(rest)])
    return problem(tours).min()


@pytest.mark.parametrize(
    "problem",
    [
        TSP(np.rint(TSP.of_points(POINTS[:8]).distance)),
        TSP(np.rint(TSP.of_points(POINTS[:8]).distance), closed=False),
        TSP(np.rint(TSP.of_points(POINTS[:8]).distance), closed=False, first=3, last=5),
        TSP(np.triu(np.full((7, 7), 5)) + np.arange(49).reshape(7, 7) % 11),
    ],
    ids=["closed", "open", "fixed ends", "asymmetric"],
)
def test_lkh_finds_the_shortest_tour_of_few_nodes(problem):
    pytest.importorskip("elkai")
    x = problem.nominal().sample(np.random.default_rng(0), 5)
    y = LKH(problem)(x, np.random.default_rng(0))
    assert (problem(y) == exhaustive(problem)).all()
    assert y.dtype == x.dtype


def test_a_tour_that_is_as_short_already_is_kept():
    pytest.importorskip("elkai")
    burma = tsp.problem("burma14")
    best = cem.minimize(burma, method="ils", target=burma.optimum, rng=1).x[None]
    np.testing.assert_array_equal(LKH(burma)(best, None), best)


def test_without_elkai_it_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "elkai":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    burma = tsp.problem("burma14")
    with pytest.raises(ImportError, match="pip install elkai"):
        cem.minimize(burma, method="multistart", refine="lkh", max_evaluations=20, rng=1)


def test_distances_that_lkh_cannot_take_are_refused():
    pytest.importorskip("elkai")
    halves = TSP(np.ones((5, 5)) / 2)
    with pytest.raises(ValueError, match=r"^LKH takes whole distances"):
        LKH(halves)(np.arange(5)[None], None)
    far = TSP(np.full((5, 5), 10**8))
    with pytest.raises(ValueError, match=r"up to 10,000,000; got 1e"):
        LKH(far)(np.arange(5)[None], None)
