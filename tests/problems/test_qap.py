"""Quadratic assignment: costs against the definition, exchanges against enumeration, nug12."""

from itertools import combinations, permutations

import numpy as np
import pytest

from cem.testing import ProblemContract
from problems import load
from problems.qap import QAP, nug12, read_qaplib
from problems.qap.local_search import Exchange, RobustTabu

RNG = np.random.default_rng(5)
WHOLE = QAP(RNG.integers(0, 9, (6, 6)), RNG.integers(0, 9, (6, 6)))  # neither is symmetric
REAL = QAP(RNG.exponential(size=(6, 6)), RNG.exponential(size=(6, 6)))
EVERY = np.array(list(permutations(range(6))))
BOTH = pytest.mark.parametrize("kind", [Exchange, RobustTabu])
QAPS = pytest.mark.parametrize("qap", [WHOLE, REAL])


class TestNug12(ProblemContract):
    minimised = True
    problem = nug12()


class TestRealNumbers(ProblemContract):
    minimised = True
    problem = REAL


@QAPS
def test_the_cost_is_the_sum_of_the_definition(qap):
    x = EVERY[::31]
    expected = [np.sum(qap.flow * qap.distance[np.ix_(row, row)]) for row in x]
    np.testing.assert_allclose(qap(x), expected, rtol=1e-14)


def test_flow_and_distance_may_change_places_with_the_inverse():
    back = QAP(WHOLE.distance, WHOLE.flow)
    np.testing.assert_array_equal(back(np.argsort(EVERY, axis=1)), WHOLE(EVERY))


def exchanged(x, u, v):
    y = x.copy()
    y[[u, v]] = y[[v, u]]
    return y


@QAPS
def test_the_table_of_exchanges_is_right_at_first_and_after_every_exchange(qap):
    from problems.qap.kernels import exchange, fill

    x, table = np.array([3, 0, 5, 1, 2, 4]), np.zeros((6, 6))
    fill(qap.flow, qap.distance, x, table)
    for r, s in [(0, 1), (2, 5), (0, 1), (1, 4), (3, 4)]:
        for u, v in combinations(range(6), 2):
            change = qap(exchanged(x, u, v)[None]) - qap(x[None])
            assert table[u, v] == pytest.approx(change[0], abs=1e-11)
        exchange(qap.flow, qap.distance, x, table, r, s)


@BOTH
@QAPS
def test_a_search_gives_assignments_that_are_never_worse_and_leaves_its_input(kind, qap):
    x = EVERY[::7].astype(np.int16)
    before = x.copy()
    y = kind(qap)(x, np.random.default_rng(1))
    np.testing.assert_array_equal(x, before)
    assert (y.dtype, y.shape) == (x.dtype, x.shape)
    assert (qap(y) <= qap(x)).all()
    np.testing.assert_array_equal(kind(qap)(x, np.random.default_rng(1)), y)


@QAPS
def test_after_exchanges_no_exchange_helps(qap):
    y = Exchange(qap)(EVERY[::23], RNG)
    for x, cost in zip(y, qap(y), strict=True):
        near = np.array([exchanged(x, u, v) for u, v in combinations(range(6), 2)])
        assert qap(near).min() >= cost - 1e-10


@QAPS
def test_the_tabu_search_gets_out_of_local_optima_and_finds_the_least_cost(qap):
    least = qap(EVERY).min()
    start = Exchange(qap)(EVERY[::5], RNG)
    assert qap(start).max() > least  # there are local optima
    found = qap(RobustTabu(qap)(start, np.random.default_rng(2)))
    np.testing.assert_allclose(found, least, rtol=1e-12)


def test_nug12_is_a_grid_and_a_symmetric_flow():
    qap = nug12()
    cell = np.array([(i, j) for i in range(3) for j in range(4)])
    np.testing.assert_array_equal(qap.distance, abs(cell[:, None] - cell).sum(axis=2))
    np.testing.assert_array_equal(qap.flow, qap.flow.T)
    assert not np.diag(qap.flow).any()


def test_the_least_cost_of_nug12_is_reached_and_nothing_below():
    qap = nug12()
    x = qap.nominal().sample(np.random.default_rng(0), 200)
    for search in qap.refines().values():
        y = search(x, np.random.default_rng(1))
        assert qap(y).min() >= qap.optimum
    assert qap(y).min() == qap.optimum == 578.0
    # Nugent, Vollmann and Ruml's, as QAPLIB gives it, locations counted from 1
    published = np.array([[12, 7, 9, 3, 4, 8, 11, 1, 5, 6, 10, 2]]) - 1
    assert 578.0 in {qap(published)[0], qap(np.argsort(published, axis=1))[0]}


def test_one_and_two_facilities_are_no_trouble():
    for n in (1, 2):
        qap = QAP(np.ones((n, n)), np.arange(n * n).reshape(n, n))
        x = np.arange(n)[None]
        for search in qap.refines().values():
            assert qap(search(x, RNG)) <= qap(x)


def test_the_searches_have_names_and_the_quick_one_is_the_first():
    assert [*map(type, WHOLE.refines().values())] == [Exchange, RobustTabu]


def test_a_file_is_n_and_two_tables(tmp_path):
    path = tmp_path / "six.dat"
    rows = [" ".join(f"{v:g}" for v in row) for row in (*WHOLE.flow, *WHOLE.distance)]
    path.write_text("6\n\n" + "\n".join(rows) + "\n")
    for qap in (read_qaplib(path), load("qap", instance=str(path))):
        np.testing.assert_array_equal(qap.flow, WHOLE.flow)
        np.testing.assert_array_equal(qap.distance, WHOLE.distance)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected n, the number of facilities, a whole number from 1 to 1000"),
        ("1000000000 1", "expected n.*got '1000000000'"),
        ("-2 1", "expected n.*got '-2'"),
        ("2 1 2 3 4 5 6 7", "a table of 2 x 2 numbers, but only 3 are left"),
        ("2 1 2 3 4 5 6 7 8 9", "1 numbers are left over, from '9' on"),
        ("1 nan 2", "finite numbers; got 'nan'"),
        ("1 -1 2", "flow must be at least 0"),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong(tmp_path, text, message):
    path = tmp_path / "broken.dat"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_qaplib(path)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: QAP([[1, 2]], [[1, 2]]), ValueError, r"flow must be square.*got \(1, 2\)"),
        (lambda: QAP([[1]], np.ones((2, 2))), ValueError, "as many locations as facilities"),
        (lambda: QAP([[np.nan]], [[1]]), ValueError, "finite; got nan at index"),
        (lambda: WHOLE([[0, 1]]), ValueError, r"orders of 6 locations.*got \(1, 2\)"),
        (lambda: RobustTabu(WHOLE, steps=1.5), TypeError, "steps must be a whole number"),
    ],
)
def test_a_mistake_is_named(make, kind, message):
    with pytest.raises(kind, match=message):
        make()


def test_costs_are_rounded_alike_in_any_batch():
    rng = np.random.default_rng(4)
    qap = QAP(rng.random((15, 15)), rng.random((15, 15)))
    x = qap.nominal().sample(rng, 300)
    for size in (1, 2, 7, 100):
        parts = [qap(x[a : a + size]) for a in range(0, 300, size)]
        np.testing.assert_array_equal(np.concatenate(parts), qap(x))
