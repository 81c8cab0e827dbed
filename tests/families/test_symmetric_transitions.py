"""Symmetric transitions: a tour and its reverse are one."""

import numpy as np
import pytest

import cem
from cem.families.symmetric_transitions import SymmetricTransitions
from cem.families.transitions import Transitions
from cem.testing import FamilyContract

UNIFORM = (1 - np.eye(6)) / 5
TOURS = np.array([[0, 1, 2, 3, 4, 5], [0, 2, 1, 5, 4, 3], [0, 4, 2, 5, 1, 3]])


class TestSymmetricTransitions(FamilyContract):
    family = SymmetricTransitions((UNIFORM + UNIFORM[::-1, ::-1].T) / 2)
    outside = ([0, 1, 1, 2, 3, 4], [1, 0, 2, 3, 4, 5], [0, 1, 2, 3, 4, 6])
    spread_is_std = False
    fills_boxes = False
    fitted = "log_density_with_replacement"


class TestPaths(FamilyContract):
    family = SymmetricTransitions((1 - np.eye(5)) / 4, first=1, last=3)
    outside = ([0, 1, 2, 4, 3], [1, 0, 3, 2, 4])
    spread_is_std = False
    fills_boxes = False
    fitted = "log_density_with_replacement"


def test_a_tour_and_its_reverse_have_the_same_fit():
    back = np.roll(TOURS[:, ::-1], 1, axis=1)
    assert (back[:, 0] == 0).all()
    w = np.array([1.0, 2.0, 4.0])
    f = SymmetricTransitions(UNIFORM)
    there = f.fit(TOURS, w).p
    np.testing.assert_allclose(there, f.fit(back, w).p, rtol=1e-15)
    np.testing.assert_array_equal(there, there.T)
    plain = Transitions(UNIFORM).fit(TOURS, w).p
    np.testing.assert_allclose(there, (plain + plain.T) / 2, rtol=1e-15)


def test_one_tour_is_drawn_either_way_and_has_no_spread():
    f = SymmetricTransitions(UNIFORM).fit(TOURS[2:], np.ones(1))
    assert f.spread().tolist() == [0.0] * 6
    x = f.sample(np.random.default_rng(0), 100)
    assert {tuple(tour) for tour in x.tolist()} == {(0, 4, 2, 5, 1, 3), (0, 3, 1, 5, 2, 4)}
    assert np.exp(f.log_density(x)).tolist() == [0.5] * 100


def test_the_spread_is_the_root_of_what_the_two_likeliest_neighbours_leave():
    np.testing.assert_allclose(SymmetricTransitions(UNIFORM).spread(), np.sqrt(3 / 5), rtol=1e-15)


def test_minimize_ends_where_all_tours_are_one():
    angle = 2 * np.pi * np.random.default_rng(3).permutation(9) / 9
    where = np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def length(x):
        return np.linalg.norm(where[x] - where[np.roll(x, -1, axis=1)], axis=2).sum(axis=1).round(9)

    found = cem.minimize(length, SymmetricTransitions((1 - np.eye(9)) / 8), rng=1)
    assert found.fun == pytest.approx(18 * np.sin(np.pi / 9), abs=1e-9)
    assert found.success
