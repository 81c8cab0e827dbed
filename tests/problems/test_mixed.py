"""The mixed function: its value against the formula in loops, its optimum by looking everywhere."""

from itertools import product

import numpy as np
import pytest

import cem
from cem.testing import ProblemContract
from problems.mixed import LARGEST, Mixed


class TestMixed(ProblemContract):
    problem = Mixed()


class TestAnotherSize(ProblemContract):
    problem = Mixed(positions=2, counts=7, kinds=3, n_kinds=2)


def records(f, n):
    return f.nominal().sample(np.random.default_rng(0), n)


def in_loops(f, x):
    best = f.x_best
    e = [float(k != b) for k, b in zip(x["kind"], best["kind"], strict=True)]
    m = [float(k - b) for k, b in zip(x["count"], best["count"], strict=True)]
    value = 20 * sum(e)
    for j in range(f.counts):
        value += 4 * (1 + e[j % f.kinds]) * m[j] ** 2
    for i in range(f.positions):
        u = x["position"][i] - best["position"][i] - e[i % f.kinds]
        value += (1 + abs(m[i % f.counts])) * u**2
    return value


@pytest.mark.parametrize("f", [Mixed(), Mixed(2, 7, 3, 2), Mixed(9, 1, 1, 5)])
def test_the_value_is_that_of_the_formula(f):
    x = records(f, 40)
    np.testing.assert_allclose(f(x), [in_loops(f, row) for row in x], rtol=1e-13)


def test_the_least_value_is_zero_at_one_point_of_all_counts_and_kinds():
    f = Mixed(positions=1, counts=1, kinds=2, n_kinds=3)
    choices = list(product(range(LARGEST + 1), range(3), range(3)))
    x = np.repeat(np.array([f.x_best]), len(choices))
    x["count"][:, 0], x["kind"] = [c[0] for c in choices], [c[1:] for c in choices]
    x["position"][:, 0] += x["kind"][:, 0] != f.x_best["kind"][0]  # the best position for these
    value = f(x)
    best = [choices[i] for i in np.flatnonzero(value == 0)]
    assert best == [(int(f.x_best["count"][0]), *f.x_best["kind"].tolist())]
    assert np.sort(value)[1] == 4.0  # one count off


def test_a_wrong_kind_moves_the_best_position():
    f = Mixed()
    x = np.repeat(np.array([f.x_best]), 3)
    x["kind"][1:, 0] = 0
    x["position"][2, [0, 3]] += 1.0
    assert f(x).tolist() == [0.0, 22.0, 20.0]


def test_the_known_optimum_is_a_sample_of_the_start():
    f = Mixed()
    assert f.exact() == f(np.array([f.x_best]))[0] == 0.0
    assert f.nominal().log_density(np.array([f.x_best]))[0] > -30
    np.testing.assert_allclose(f.x_best["position"], [-1.7, -0.7, 0.3, 1.3, 2.3], rtol=1e-14)


def test_minimize_finds_the_optimum_from_twenty_seeds():
    f = Mixed()
    for seed in range(20):
        found = cem.minimize(f, rng=seed, target=1e-13)  # sooner, the same way
        assert found.x["count"].tolist() == f.x_best["count"].tolist()
        assert found.x["kind"].tolist() == f.x_best["kind"].tolist()
        np.testing.assert_allclose(found.x["position"], f.x_best["position"], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: Mixed(positions=0), ValueError, "^positions must be at least 1; got 0"),
        (lambda: Mixed(n_kinds=1), ValueError, "^n_kinds must be at least 2; got 1"),
        (lambda: Mixed(counts=2.0), TypeError, r"^counts must be a whole number; got 2\.0"),
        (lambda: Mixed(kinds=True), TypeError, "^kinds must be a whole number; got True"),
        (
            lambda: Mixed()(np.zeros((3, 11))),
            ValueError,
            r"records of shape \(n,\).*got shape \(3, 11",
        ),
        (lambda: Mixed()(records(Mixed(4), 3)), ValueError, "expected records"),
        (lambda: Mixed()(records(Mixed(), 3)[0]), ValueError, r"got shape \(\)"),
    ],
)
def test_a_mistake_is_named(make, kind, message):
    with pytest.raises(kind, match=message):
        make()
