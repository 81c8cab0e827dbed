"""Transitions: every tour of a few nodes, against the algorithm written out in loops."""

from itertools import pairwise, permutations

import numpy as np
import pytest

import cem
from cem.families.transitions import Transitions
from cem.testing import FamilyContract

EVERY = np.array([(0, *rest) for rest in permutations(range(1, 5))])
RANDOM = np.random.default_rng(7).random((5, 5)) * (1 - np.eye(5))
P = RANDOM / RANDOM.sum(axis=1, keepdims=True)
TO_ONE = np.eye(5)[[1, 0, 1, 1, 1]]  # from everywhere to node 1, and back


class TestTransitions(FamilyContract):
    family = Transitions(
        [[0.0, 0.5, 0.3, 0.2], [0.2, 0, 0.6, 0.2], [0.3, 0.3, 0, 0.4], [0.5, 0.4, 0.1, 0]]
    )
    outside = ([0, 1, 1, 2], [1, 0, 2, 3], [0, 1, 2, 4], [0, 1, 2, 2.5])
    spread_is_std = False
    fills_boxes = False
    fitted = "log_density_with_replacement"


class TestPaths(FamilyContract):
    family = Transitions(TestTransitions.family.p, first=2, last=0)
    outside = ([0, 1, 2, 3], [2, 1, 0, 3], [2, 1, 1, 0], [2, 1.5, 3, 0])
    spread_is_std = False
    fills_boxes = False
    fitted = "log_density_with_replacement"


def node_by_node(p, x):
    """The probability of one tour, as the algorithm says it."""
    left, probability = list(range(1, len(p))), 1.0
    for here, there in pairwise(x):
        total = sum(p[here][k] for k in left)
        probability *= p[here][there] / total if total > 0 else 1 / len(left)
        left.remove(there)
    return probability


@pytest.mark.parametrize("p", [P, TO_ONE, np.roll(np.eye(5), 1, axis=1)], ids=["any", "1", "ring"])
def test_every_tour_has_the_probability_of_the_algorithm(p):
    f = Transitions(p)
    expected = [node_by_node(p, x) for x in EVERY.tolist()]
    np.testing.assert_allclose(np.exp(f.log_density(EVERY)), expected, rtol=1e-13)
    assert sum(expected) == pytest.approx(1, abs=1e-14)


@pytest.mark.parametrize("p", [P, TO_ONE], ids=["any", "rows that run out"])
def test_the_sampler_draws_every_tour_as_often_as_it_is_likely(p, draws_as_it_says):
    draws_as_it_says(Transitions(p), EVERY)


def test_the_ring_of_probability_one_is_the_only_tour():
    f = Transitions(np.roll(np.eye(5), 1, axis=1))
    assert f.sample(np.random.default_rng(0), 3).tolist() == [[0, 1, 2, 3, 4]] * 3
    assert f.spread().tolist() == [0.0] * 5


def test_the_fit_is_the_share_of_the_tours_that_use_an_edge():
    x, w = EVERY[[0, 7, 20]], np.array([1.0, 2.0, 5.0])
    expected = np.zeros((5, 5))
    for tour, weight in zip(x.tolist(), w / w.sum(), strict=True):
        for here, there in zip(tour, [*tour[1:], 0], strict=True):
            expected[here, there] += weight
    np.testing.assert_allclose(Transitions(P).fit(x, w).p, expected, rtol=1e-15)
    np.testing.assert_allclose(expected.sum(axis=0), 1, rtol=1e-15)  # every node is reached once


def test_a_path_leaves_its_last_node_to_the_end():
    f = Transitions(P, first=3, last=1)
    x = np.array([[3, 0, 2, 4, 1], [3, 4, 0, 2, 1]])
    expected = [
        P[3, 0] / P[3, [0, 2, 4]].sum() * P[0, 2] / P[0, [2, 4]].sum(),
        P[3, 4] / P[3, [0, 2, 4]].sum() * P[4, 0] / P[4, [0, 2]].sum(),
    ]
    np.testing.assert_allclose(np.exp(f.log_density(x)), expected, rtol=1e-13)
    fitted = f.fit(x, np.ones(2))
    assert fitted.p[1].tolist() == [0, 0, 0, 1, 0]  # back to the first node
    assert fitted.p[3].tolist() == [0.5, 0, 0, 0, 0.5]
    assert (fitted.first, fitted.last) == (3, 1)


def test_a_path_that_is_certain_has_no_spread():
    f = Transitions(P, first=3, last=1).fit(np.array([[3, 0, 2, 4, 1]]), np.ones(1))
    assert f.spread().tolist() == [0.0] * 5


def test_the_last_node_is_the_first_unless_another_is_named():
    assert Transitions(P).replace(p=TO_ONE).last == 0
    assert Transitions(P, first=2).last == 2
    every = np.array(list(permutations(range(5))))
    at_home = Transitions(P, first=2).log_density(every) > -np.inf
    np.testing.assert_array_equal(at_home, every[:, 0] == 2)


@pytest.mark.parametrize(("ends", "name"), [((5, None), "first"), ((0, 7), "last")])
def test_an_end_that_is_no_node_is_named(ends, name):
    with pytest.raises(ValueError, match=rf"^Transitions\.{name} must be .* 0, \.\.\., 4; got \d"):
        Transitions(P, *ends)


def test_a_path_with_other_ends_is_named():
    message = r"permutations of 0, \.\.\., 4 starting with 3 and ending with 1; got \[3 1 0 2 4\]"
    with pytest.raises(ValueError, match=message):
        Transitions(P, first=3, last=1).fit(np.array([[3, 1, 0, 2, 4]]), np.ones(1))


def test_the_chain_is_a_product_of_elements_and_need_not_be_a_tour():
    x = np.array([[0, 1, 2, 3, 4], [0, 1, 0, 1, 2], [0, 0, 1, 2, 3]])
    f = Transitions(P)
    expected = [np.prod([P[i, j] for i, j in zip(t, np.roll(t, -1), strict=True)]) for t in x]
    np.testing.assert_allclose(np.exp(f.log_density_with_replacement(x)), expected, rtol=1e-13)
    assert expected[2] == 0


def test_two_tours_may_have_no_likeliest_member():
    x = np.array([[0, 1, 2, 3, 4], [0, 2, 1, 3, 4]])

    def log_likelihood(rare):
        p = np.eye(5)[[1, 2, 1, 4, 0]]
        p[0] = [0, 0.5, 0.5, 0, 0]
        p[1] = [0, 0, 1 - rare, rare, 0]
        p[2] = [0, 0.5, 0, 0.5, 0]
        return Transitions(p).log_density(x).sum()

    rising = [log_likelihood(10.0**-k) for k in range(1, 12)]
    assert np.all(np.diff(rising) > 0)
    assert log_likelihood(0.0) < rising[-1] - 0.6  # ln 2, for one of two that are left


def test_minimize_finds_the_tour_along_a_circle():
    angle = 2 * np.pi * np.random.default_rng(3).permutation(9) / 9
    where = np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def length(x):
        return np.linalg.norm(where[x] - where[np.roll(x, -1, axis=1)], axis=2).sum(axis=1)

    found = cem.minimize(length, Transitions((1 - np.eye(9)) / 8), rng=1)
    assert found.fun == pytest.approx(18 * np.sin(np.pi / 9), rel=1e-12)
    assert found.x[0] == 0


@pytest.mark.parametrize(
    ("p", "message"),
    [
        (np.eye(2), r"^Transitions\.p must be zero on the diagonal, .* got 1 at index \(0, 0\)"),
        ([[0.0, 1.0]], r"^Transitions\.p must be square, .* got shape \(1, 2\)"),
        (
            [[0.0, 0.9], [1.0, 0.0]],
            r"^Transitions\.p must hold rows that sum to 1; got 0\.9 in row 0",
        ),
        ([[0.0]], r"^Transitions\.p must hold rows that sum to 1; got 0 in row 0"),
    ],
)
def test_a_bad_matrix_is_named(p, message):
    with pytest.raises(ValueError, match=message):
        Transitions(p)


@pytest.mark.parametrize("bad", [[1, 0, 2, 3, 4], [0, 1, 1, 2, 3]])
def test_a_sample_that_is_no_tour_from_node_0_is_named(bad):
    message = r"^Transitions\.fit: samples .* permutations of 0, \.\.\., 4 starting with 0; got \["
    with pytest.raises(ValueError, match=message):
        Transitions(P).fit(np.array([bad]), np.ones(1))
