"""Violations of constraints of every kind, against distances worked out by hand."""

import math

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, NonlinearConstraint
from scipy.sparse import csr_array

import cem
from cem.feasibility import Feasibility

X = np.array([[0.0, 0.0], [3.0, 4.0], [-1.0, 2.0]])


def violation(constraints, x=X):
    return Feasibility.of(constraints).violation(x).tolist()


def test_a_linear_violation_is_the_distance_to_the_half_space():
    beyond = LinearConstraint([[3.0, 4.0]], -np.inf, 10.0)
    assert violation(beyond) == [0.0, 3.0, 0.0]
    assert violation(LinearConstraint([[300.0, 400.0]], -np.inf, 1000.0)) == [0.0, 3.0, 0.0]


def test_both_sides_and_all_rows_count():
    rows = LinearConstraint([[1.0, 0.0], [0.0, 2.0]], [1.0, 0.0], [2.0, 6.0])
    assert violation(rows) == [1.0, 2.0, 2.0]


def test_a_sparse_matrix_and_one_row_without_brackets_are_the_same():
    dense = violation(LinearConstraint([[3.0, 4.0]], 1.0, 10.0))
    assert violation(LinearConstraint(csr_array([[3.0, 4.0]]), 1.0, 10.0)) == dense
    assert violation(LinearConstraint([3.0, 4.0], 1.0, 10.0)) == dense


def test_a_row_of_zeros_is_a_constraint_that_x_cannot_change():
    assert violation(LinearConstraint([[0.0, 0.0]], 1.0, 2.0)) == [1.0, 1.0, 1.0]
    assert violation(LinearConstraint([[0.0, 0.0]], -1.0, 2.0)) == [0.0, 0.0, 0.0]


def test_bounds_on_all_variables_or_one_by_one():
    assert violation(Bounds(0.0, [1.0, 3.0])) == [0.0, 3.0, 1.0]
    assert violation(Bounds([-np.inf, 1.0], np.inf)) == [1.0, 0.0, 0.0]


def test_a_nonlinear_constraint_is_a_function_of_one_point():
    norm = NonlinearConstraint(lambda x: math.hypot(*x), 1.0, 4.0)
    assert violation(norm) == [1.0, 1.0, 0.0]
    two = NonlinearConstraint(lambda x: [x[0], x[0] * x[1]], [-np.inf, 0.0], [2.0, 10.0])
    assert violation(two) == [0.0, 3.0, 2.0]


def test_a_predicate_says_one_and_a_function_says_how_much():
    assert violation(lambda x: x[:, 0] >= 0) == [0.0, 0.0, 1.0]
    assert violation(lambda x: np.maximum(-3 * x[:, 0], 0)) == [0.0, 0.0, 3.0]
    assert violation(lambda x: (x[:, 0] < 0).astype(int)) == [0.0, 0.0, 1.0]


def test_violations_of_several_constraints_are_added():
    several = [lambda x: x[:, 0] >= 0, Bounds(0, 2), LinearConstraint([3.0, 4.0], -np.inf, 10.0)]
    assert violation(several) == [0.0, 1.0 + 2.0 + 3.0, 2.0]
    made = Feasibility.of(several)
    assert Feasibility.of(made) is made
    assert violation([]) == [0.0, 0.0, 0.0]


def test_what_is_nan_is_violated_without_bound():
    with np.errstate(invalid="ignore"):
        assert violation(lambda x: np.sqrt(x[:, 0])) == [0.0, math.sqrt(3), math.inf]
        log = NonlinearConstraint(lambda x: np.sqrt(x[0]), -np.inf, 9.0)
        assert violation(log) == [0.0, 0.0, math.inf]
    assert violation(NonlinearConstraint(lambda _: np.inf, 0.0, np.inf)) == [math.inf] * 3


def test_a_linear_violation_has_the_same_bits_in_any_batch():
    rng = np.random.default_rng(1)
    x = np.asfortranarray(rng.normal(size=(257, 33)))
    hold = Feasibility.of(LinearConstraint(rng.normal(size=(7, 33)), -1.0, 1.0))
    whole = hold.violation(x)
    assert (whole > 0).any()
    alone = np.concatenate([hold.violation(x[i : i + 1]) for i in range(len(x))])
    assert alone.tobytes() == whole.tobytes()
    assert hold.violation(x[::-1].copy())[::-1].tobytes() == whole.tobytes()


def test_a_linear_equality_is_for_whole_numbers():
    five = LinearConstraint([1.0, 2.0], 5.0, 5.0)
    assert violation(five, np.array([[1, 2], [5, 0], [0, 0]])) == [0.0, 0.0, math.sqrt(5)]
    with pytest.raises(ValueError, match="between real numbers is met by rounding errors only"):
        violation(five)


def test_a_bound_of_coordinates_needs_coordinates():
    with pytest.raises(ValueError, match=r"shape \(n, d\); got \(3,\)"):
        violation(Bounds(0, 1), X[:, 0])


def test_constraints_may_look_at_something_else_than_the_sample():
    assert Feasibility.of(Bounds(0, 2)).through(np.abs).violation(X).tolist() == [0.0, 3.0, 0.0]


def test_records_are_judged_by_a_function_of_the_batch():
    from cem.families.product import Product

    x = Product(a=cem.Normal([0.0], [1.0]), k=cem.Bernoulli([0.5])).sample(
        np.random.default_rng(1), 20
    )
    said = violation(lambda x: x["k"][:, 0] == 1, x)
    assert said == (x["k"][:, 0] != 1).astype(float).tolist()


@pytest.mark.parametrize(
    ("constraints", "kind", "message"),
    [
        ({"type": "ineq"}, TypeError, "must be a function of a batch, or a LinearConstraint"),
        ("x > 0", TypeError, r"got 'x > 0' of type str"),
        ([LinearConstraint([1.0, 1.0], 0, 1), 3], TypeError, "got 3 of type int"),
        (LinearConstraint([np.nan, 1.0], 0, 1), ValueError, "matrix .* must be finite"),
        (Bounds(2, 1), ValueError, r"needs lb <= ub; got \[2\.0\] and \[1\.0\]"),
        (Bounds(np.nan, 1), ValueError, "needs lb <= ub; got"),
    ],
)
def test_what_is_no_constraint_is_refused(constraints, kind, message):
    with pytest.raises(kind, match=message):
        Feasibility.of(constraints)


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        (lambda x: x - 1, r"one violation, or one boolean, per sample: expected shape \(3,\)"),
        (lambda x: 1.0, r"got \(\) of float64; for a function of one point"),  # noqa: ARG005
        (lambda x: x[:, 0] - 1, r"at least 0, .* got -2: .* np\.maximum\(g\(x\), 0\)"),
        (lambda x: x[:, 0].astype(complex), "of complex128"),
        (LinearConstraint([1.0, 1.0, 1.0], 0, 1), r"needs samples of shape \(n, 3\); got \(3, 2\)"),
        (
            NonlinearConstraint(lambda x: x, [0.0] * 3, 1),
            "3 limits must have as many values; got 2",
        ),
        (Bounds([0.0] * 4, 1), r"a bound needs samples of shape \(n, 4\)"),
    ],
)
def test_a_constraint_that_does_not_fit_the_batch_is_named(constraint, message):
    with pytest.raises(ValueError, match=message):
        violation(constraint)
