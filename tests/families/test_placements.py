"""Placements: every permutation of a few nodes, against the algorithm written out in loops."""

from itertools import permutations

import numpy as np
import pytest

import cem
from cem.families.placements import Placements
from cem.testing import FamilyContract

P = np.array(
    [[0.1, 0.2, 0.3, 0.4], [0.7, 0.1, 0.1, 0.1], [0.25, 0.25, 0.4, 0.1], [0.0, 0.0, 0.5, 0.5]]
)
EVERY = np.array(list(permutations(range(4))))


class TestPlacements(FamilyContract):
    family = Placements(np.array([[0.5, 0.3, 0.2], [0.1, 0.6, 0.3], [0.4, 0.2, 0.4]]))
    outside = ([0, 0, 1], [0, 1, 3], [-1, 0, 1], [0.0, 1.0, 1.5])
    spread_is_std = False
    fills_boxes = False
    fitted = "log_density_with_replacement"


def drawn_in_order(p, x):
    """The probability of one permutation, as the algorithm says it."""
    left, probability = list(range(len(p))), 1.0
    for row, node in zip(p, x, strict=True):
        total = sum(row[k] for k in left)
        probability *= row[node] / total if total > 0 else 1 / len(left)
        left.remove(node)
    return probability


@pytest.mark.parametrize(
    "p",
    [P, np.eye(4), np.eye(4)[[1, 1, 1, 1]], np.eye(4)[[0, 2, 2, 3]]],
    ids=["any", "one", "always node 1", "two the same"],
)
def test_every_permutation_has_the_probability_of_the_algorithm(p):
    f = Placements(p)
    expected = [drawn_in_order(p, x) for x in EVERY.tolist()]
    np.testing.assert_allclose(np.exp(f.log_density(EVERY)), expected, rtol=1e-13)
    assert sum(expected) == pytest.approx(1, abs=1e-14)


@pytest.mark.parametrize("p", [P, np.eye(4)[[1, 1, 0, 1]]], ids=["any", "rows that run out"])
def test_the_sampler_draws_every_permutation_as_often_as_it_is_likely(p, draws_as_it_says):
    draws_as_it_says(Placements(p), EVERY)


class Draws:
    """A generator whose every uniform number is the same."""

    def __init__(self, u):
        self.u = u

    def random(self, shape):
        return np.full(shape, self.u)


@pytest.mark.parametrize("u", [0.0, 0.5, np.nextafter(1.0, 0.0)])
@pytest.mark.parametrize("tiny", [1e-3, 1e-300, 5e-324])
def test_a_node_of_probability_zero_is_never_placed_however_small_the_others_are(u, tiny):
    rest = np.array([1.0 - tiny, tiny, 0.0, tiny, 0.0])
    f = Placements([rest / rest.sum()] * 5)
    x = f.sample(Draws(u), 3)
    assert (np.sort(x, axis=1) == np.arange(5)).all()
    assert set(x[0, :3].tolist()) == {0, 1, 3}
    assert np.isfinite(f.log_density(x)).all()


def test_the_fit_is_the_share_of_every_node_at_every_position():
    x = np.array([[0, 1, 2], [2, 1, 0], [2, 0, 1]])
    fitted = Placements(np.full((3, 3), 1 / 3)).fit(x, np.array([2.0, 1.0, 1.0]))
    assert fitted.p.tolist() == [[0.5, 0.0, 0.5], [0.25, 0.75, 0.0], [0.25, 0.25, 0.5]]
    np.testing.assert_allclose(fitted.p.sum(axis=0), 1, rtol=1e-15)


def test_the_density_with_replacement_is_a_product_of_elements():
    with np.errstate(divide="ignore"):
        expected = np.log([np.prod(P[np.arange(4), x]) for x in EVERY])
    found = Placements(P).log_density_with_replacement(EVERY)
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_two_permutations_may_have_no_likeliest_member():
    x = np.array([[0, 1, 2], [1, 2, 0]])

    def log_likelihood(rare):
        f = Placements([[0.5, 0.5, 0.0], [0.0, 1 - rare, rare], [1 / 3, 1 / 3, 1 / 3]])
        return f.log_density(x).sum()

    rising = [log_likelihood(10.0**-k) for k in range(1, 12)]
    assert np.all(np.diff(rising) > 0)
    assert rising[-1] == pytest.approx(2 * np.log(0.5), abs=1e-10)
    assert log_likelihood(0.0) == pytest.approx(3 * np.log(0.5))


def test_the_mass_is_all_on_one_permutation_only_if_the_spread_is_zero():
    assert Placements(np.eye(3)[[2, 0, 1]]).spread().tolist() == [0.0, 0.0, 0.0]
    np.testing.assert_allclose(Placements(P).spread() ** 2, 1 - (P**2).sum(axis=1), rtol=1e-14)


def test_maximize_finds_the_order_of_least_total_weighted_completion_time():
    time, weight = np.array([3.0, 1, 4, 2, 6, 5]), np.array([1.0, 5, 2, 2, 1, 3])

    def cost(x):
        return (np.cumsum(time[x], axis=1) * weight[x]).sum(axis=1)

    found = cem.minimize(cost, Placements(np.full((6, 6), 1 / 6)), rng=1)
    smith = np.argsort(time / weight)  # optimal: Smith (1956)
    assert found.fun == cost(smith[None])[0]


@pytest.mark.parametrize(
    ("p", "message"),
    [
        (np.full((2, 3), 1 / 3), r"^Placements\.p must be square, .* got shape \(2, 3\)"),
        (
            [[0.5, 0.4], [0.5, 0.5]],
            r"^Placements\.p must hold rows that sum to 1; got 0\.9 in row 0",
        ),
        ([[1.5, -0.5], [0.5, 0.5]], r"^Placements\.p must lie in \[0, 1\]; got 1\.5"),
        ([0.5, 0.5], r"^Placements\.p must have 2 axes"),
    ],
)
def test_a_bad_matrix_is_named(p, message):
    with pytest.raises(ValueError, match=message):
        Placements(p)


def test_a_sample_that_is_no_permutation_is_named():
    f = Placements(np.full((3, 3), 1 / 3))
    message = r"^Placements\.fit: samples .* permutations of 0, \.\.\., 2; got \[0 0 1\] at index 1"
    with pytest.raises(ValueError, match=message):
        f.fit(np.array([[0, 1, 2], [0, 0, 1]]), np.ones(2))


class FitOfTheWrongRows(Placements):
    """Positions are taken for nodes and nodes for positions."""

    def fit(self, x, weights):
        return super().fit(np.argsort(x, axis=1), weights)


def test_a_fit_that_minimises_neither_density_fails_the_contract(failures):
    settings = {"spread_is_std": False, "fills_boxes": False, "fitted": TestPlacements.fitted}
    assert failures(Placements(TestPlacements.family.p), **settings) == set()
    assert failures(FitOfTheWrongRows(TestPlacements.family.p), **settings) == {
        "fit_minimises_the_cross_entropy"
    }
    own = settings | {"fitted": "log_density"}
    assert "fit_minimises_the_cross_entropy" in failures(Placements(TestPlacements.family.p), **own)
