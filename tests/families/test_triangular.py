"""Roots of covariance matrices: exact on small ones, NumPy's on larger; no argument is changed."""

import numpy as np
import pytest

from cem.families.triangular import BLOCK, cholesky, solve, square_of_ratio, times

ROOT = np.array([[2.0, 0.0, 0.0], [1.0, 3.0, 0.0], [-1.0, 2.0, 0.5]])
ROWS = np.array([[1.0, 2.0, 4.0], [-1.0, 0.0, 8.0]])


@pytest.fixture(params=["C", "F"])
def order(request):
    return request.param


def test_the_root_of_whole_numbers_is_exact(order):
    np.testing.assert_array_equal(cholesky(np.array(ROOT @ ROOT.T, order=order)), ROOT)


def test_products_and_solutions_of_whole_numbers_are_exact(order):
    root, rows = np.array(ROOT, order=order), np.array(ROWS, order=order)
    product = np.array([[2.0, 7.0, 5.0], [-2.0, -1.0, 5.0]])
    np.testing.assert_array_equal(times(root, rows), product)
    np.testing.assert_array_equal(solve(root, product), rows)


def test_the_root_is_numpys():
    x = np.random.default_rng(0).normal(size=(300, 150))
    np.testing.assert_allclose(
        cholesky(x.T @ x), np.linalg.cholesky(x.T @ x), rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("d", [1, 7, BLOCK, BLOCK + 1, 3 * BLOCK - 2])
def test_the_square_of_a_ratio_is_that_of_the_solution(d):
    rng = np.random.default_rng(d)
    a, b = (np.tril(rng.normal(size=(d, d))) / d + np.eye(d) for _ in range(2))
    expected = (np.linalg.solve(b, a) ** 2).sum()
    assert square_of_ratio(a, b) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("a", [[[1.0, 2.0], [2.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]], [[0.0]]])
def test_a_matrix_that_is_not_positive_has_no_root(a):
    assert cholesky(np.array(a)) is None


def test_what_lies_above_the_diagonal_of_a_root_does_not_count():
    wild = ROOT + np.triu(np.full((3, 3), 99.0), 1)
    np.testing.assert_array_equal(times(wild, ROWS), times(ROOT, ROWS))
    np.testing.assert_array_equal(solve(wild, ROWS), solve(ROOT, ROWS))


def test_no_argument_is_changed(order):
    for function in (times, solve):
        root, rows = np.array(ROOT, order=order), np.array(ROWS, order=order)
        function(root, rows)
        np.testing.assert_array_equal(root, ROOT)
        np.testing.assert_array_equal(rows, ROWS)
    a = np.array(ROOT @ ROOT.T, order=order)
    cholesky(a)
    np.testing.assert_array_equal(a, ROOT @ ROOT.T)
