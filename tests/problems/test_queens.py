"""The n queens: scores against the rules, solutions against the known numbers of them."""

from itertools import combinations, product

import numpy as np
import pytest

import cem
from cem.testing import ProblemContract
from problems import load
from problems.queens import NQueens


class TestEightQueens(ProblemContract):
    problem = NQueens(8)


def every_board(n):
    return np.array(list(product(range(n), repeat=n)))


def attacks(board):
    """Pairs of (column, row) on one line, by the rules of chess."""
    return sum(a == b or abs(a - b) == abs(i - j) for (i, a), (j, b) in combinations(board, 2))


@pytest.mark.parametrize(("n", "solutions"), [(4, 2), (5, 10), (6, 4)])
def test_there_are_as_many_solutions_as_known_and_no_better_board(n, solutions):
    score = NQueens(n)(every_board(n))
    assert score.max() == NQueens(n).optimum == 0.0
    assert (score == 0).sum() == solutions


@pytest.mark.parametrize("n", [4, 5])
def test_every_board_has_minus_its_attacking_pairs(n):
    boards = every_board(n)
    assert NQueens(n)(boards).tolist() == [-attacks(list(enumerate(b))) for b in boards.tolist()]


def test_a_full_row_and_a_full_diagonal_have_every_pair():
    boards = np.array([[3] * 9, range(9), range(8, -1, -1)])
    assert NQueens(9)(boards).tolist() == [-36.0] * 3


def test_turning_the_board_upside_down_changes_nothing():
    x = NQueens(12).nominal().sample(np.random.default_rng(0), 200)
    for same in (11 - x, x[:, ::-1]):
        assert NQueens(12)(same).tolist() == NQueens(12)(x).tolist()


def test_the_start_is_uniform_and_the_method_finds_a_solution():
    start = NQueens(8).nominal()
    assert isinstance(start, cem.Categorical)
    assert (start.p == 1 / 8).all()
    found = cem.maximize(NQueens(8), n_samples=1000, rng=1, target=0)
    assert (found.fun, attacks(list(enumerate(found.x.tolist())))) == (0.0, 0)


def test_it_is_found_by_its_name():
    assert load("queens", n=6) == NQueens(6)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: NQueens(3), ValueError, "n, the number of queens, must be at least 4; got 3"),
        (lambda: NQueens(8.0), TypeError, r"must be a whole number; got 8\.0"),
        (lambda: NQueens(True), TypeError, "must be a whole number; got True"),
        (lambda: NQueens(4)(np.zeros((1, 5))), ValueError, r"\(n_samples, 4\); got \(1, 5\)"),
        (lambda: NQueens(4)(np.zeros(4)), ValueError, r"\(n_samples, 4\); got \(4,\)"),
        (lambda: NQueens(4)([[0, 1, 2, 4]]), ValueError, r"from 0 to 3; got 4 at index \(0, 3\)"),
        (lambda: NQueens(4)([[0, 1.5, 2, 3]]), ValueError, r"got 1\.5 at index \(0, 1\)"),
        (lambda: NQueens(4)([[0, 1, -2, 3]]), ValueError, r"got -2 at index \(0, 2\)"),
    ],
)
def test_a_mistake_is_named(make, kind, message):
    with pytest.raises(kind, match=message):
        make()
