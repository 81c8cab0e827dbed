"""Classifiers: known optima, gradients, probabilities; and the CE method reaches the optimum."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

import cem
from cem.testing import ProblemContract
from problems.classification import LogisticRegression, Loss, NeuralNetwork, iris, problem

LENGTHS, SPECIES = iris()
ROWS = slice(0, 150, 7)  # a few flowers of each species


class TestLogisticRegression(ProblemContract):
    problem = problem()


class TestTwoClasses(ProblemContract):
    problem = problem(classes="versicolor, virginica", standardise=False)


class TestTanhNetwork(ProblemContract):
    problem = problem(model="network")


class TestReluNetworkOfTwoClasses(ProblemContract):
    problem = problem(model="network", hidden=2, activation="relu", classes="setosa, virginica")


class TestSquaredError(ProblemContract):
    problem = problem(loss="squared-error")


class TestZeroOne(ProblemContract):
    problem = problem(loss="zero-one")


class TestManyRows(ProblemContract):  # more than one block of the batch
    problem = NeuralNetwork(np.tile(LENGTHS, (20, 1)), np.tile(SPECIES, 20))


# The score


def by_hand(theta, x, labels, n_classes):
    """Mean cross-entropy of softmax(x W + b), one flower at a time."""
    w, b = theta[:-n_classes].reshape(-1, n_classes).T, theta[-n_classes:]
    total = 0.0
    for row, label in zip(x, labels, strict=True):
        z = [math.fsum(w[c] * row) + b[c] for c in range(n_classes)]
        total += math.log(math.fsum(math.exp(v) for v in z)) - z[label]
    return total / len(x)


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100))
def test_the_score_is_the_mean_cross_entropy_and_the_penalty_on_the_weights(seed, strength):
    made = LogisticRegression(LENGTHS[ROWS], SPECIES[ROWS], C=strength, standardise=False)
    theta = np.random.default_rng(seed).normal(size=15)
    penalty = (theta[:12] ** 2).sum() / (2 * strength * len(made.X))
    expected = by_hand(theta, made.X, made.labels, 3) + penalty
    assert made(theta[None])[0] == pytest.approx(expected, rel=1e-12)


def test_knowing_nothing_costs_the_logarithm_of_the_number_of_classes():
    assert problem()(np.zeros((1, 15)))[0] == pytest.approx(math.log(3), rel=1e-15)
    two = problem(classes="setosa, virginica")
    assert two(np.zeros((1, 5)))[0] == pytest.approx(math.log(2), rel=1e-15)


def test_two_classes_have_one_logit_which_is_the_difference_of_two():
    rows = SPECIES != "setosa"
    one = LogisticRegression(LENGTHS[rows], SPECIES[rows], C=np.inf, standardise=False)
    theta = np.random.default_rng(1).normal(size=(4, 5)) * 0.1
    both = np.stack([np.zeros_like(theta), theta], axis=2).reshape(4, 10)
    expected = [by_hand(t, one.X, one.labels, 2) for t in both]
    np.testing.assert_allclose(one(theta), expected, rtol=1e-12)


def test_a_shift_of_all_intercepts_changes_nothing():
    made, theta = problem(), np.random.default_rng(2).normal(size=(3, 15))
    shifted = theta + np.repeat([0.0, 7.0], [12, 3])
    np.testing.assert_allclose(made(shifted), made(theta), rtol=1e-12)


def test_hidden_units_may_be_exchanged():
    made = problem(model="network", hidden=3)
    w, b, v, c = made._split(np.random.default_rng(3).normal(size=(1, made.n_parameters)))
    turned = [w[:, :, ::-1], b[:, ::-1], v[:, ::-1], c]
    both = np.vstack(
        [np.hstack([part.reshape(1, -1) for part in p]) for p in ((w, b, v, c), turned)]
    )
    assert made(both)[0] == pytest.approx(made(both)[1], rel=1e-12)


def test_the_penalty_of_a_network_is_on_both_weight_matrices_and_on_no_intercept():
    made = problem(model="network", C=2.0)
    free = replace(made, C=np.inf)
    theta = np.random.default_rng(4).normal(size=(1, 43))
    weights = np.r_[theta[0, :20], theta[0, 25:40]]
    assert (made(theta) - free(theta))[0] == pytest.approx((weights**2).sum() / 600, rel=1e-10)


def test_the_errors_do_not_depend_on_the_size_of_the_weights():
    made, theta = problem(loss="zero-one"), np.random.default_rng(5).normal(size=(50, 15))
    np.testing.assert_array_equal(made(1e6 * theta), made(theta))
    assert [1 - made.accuracy(t) for t in theta] == pytest.approx(made(theta).tolist(), abs=1e-15)


def test_the_squared_error_of_two_classes_is_half_that_of_both_probabilities():
    made = problem(classes="versicolor, virginica", loss="squared-error", C=np.inf)
    theta = np.random.default_rng(6).normal(size=5)
    observed = made.labels[:, None] == [0, 1]
    squares = (made.predict_proba(theta) - observed) ** 2
    assert made(theta[None])[0] == pytest.approx(squares.sum() / 200, rel=1e-12)


# Predictions


@pytest.mark.parametrize("classes", [None, "versicolor, virginica"])
def test_predictions_are_the_likeliest_classes_and_probabilities_sum_to_one(classes):
    made = problem(classes=classes)
    theta = made.solve().x
    p = made.predict_proba(theta)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-14)
    np.testing.assert_array_equal(made.predict(theta), made.classes[p.argmax(axis=1)])
    right = np.log(p[np.arange(len(p)), made.labels])
    assert -right.mean() == pytest.approx(replace(made, C=np.inf)(theta[None])[0], rel=1e-12)


def test_new_rows_are_standardised_as_the_old_ones_were():
    made = problem()
    theta = made.solve().x
    np.testing.assert_array_equal(made.predict(theta, LENGTHS[40:60]), made.predict(theta)[40:60])
    plain = LogisticRegression(
        (LENGTHS - LENGTHS.mean(0)) / LENGTHS.std(0), SPECIES, standardise=False
    )
    np.testing.assert_allclose(made(theta[None]), plain(theta[None]), rtol=1e-14)


# Known optima. Values of the objective to the digits stated, checked against two other solvers.

OPTIMA = {
    (True, 0.01): 0.7836917672,
    (True, 0.1): 0.4536317467,
    (True, 1.0): 0.2091917884,
    (True, 10.0): 0.0891050575,
    (True, 100.0): 0.0503047372,
    (True, 1e4): 0.0398528490,
    (False, 0.01): 0.7496914983,
    (False, 0.1): 0.4267867967,
    (False, 1.0): 0.1925754440,
    (False, 10.0): 0.0838452228,
    (False, 100.0): 0.0492475664,
    (False, 1e4): 0.0398313807,
}


@pytest.mark.parametrize(("standardise", "strength"), OPTIMA)
def test_gradients_reach_the_known_optimum_of_iris(standardise, strength):
    found = problem(C=strength, standardise=standardise).solve()
    assert found.fun == pytest.approx(OPTIMA[standardise, strength], abs=1e-10)


@pytest.mark.parametrize(
    ("settings", "optimum", "accuracy"),
    [
        ({"standardise": True}, 0.2091917884, 146 / 150),
        ({"features": "petal width, sepal width"}, 0.3520125570, 144 / 150),
        ({"features": "petal width, sepal width", "C": 1e4}, 0.0916264708, 143 / 150),
        ({"features": "petal width, sepal width", "C": np.inf}, 0.0913302062, 143 / 150),
        ({"classes": "versicolor, virginica", "C": np.inf}, 0.059492733957, 98 / 100),
    ],
)
def test_the_optimum_has_the_known_accuracy(settings, optimum, accuracy):
    made = problem(**{"standardise": False, **settings})
    found = made.solve()
    assert found.fun == pytest.approx(optimum, abs=1e-10)
    assert made.accuracy(found.x) == pytest.approx(accuracy, abs=1e-12)


def test_two_species_have_the_known_coefficients():
    found = problem(classes="versicolor, virginica", C=np.inf, standardise=False).solve()
    known = [-2.4652202, -6.68088701, 9.42938515, 18.28613689, -42.63780381]
    np.testing.assert_allclose(found.x, known, rtol=1e-7)


def test_gradients_reach_the_known_optima_of_the_networks():
    tanh = problem(model="network").solve(starts=8, rng=1)
    assert tanh.fun == pytest.approx(0.14460775, abs=5e-9)
    assert len(tanh.each) == 8
    small = problem(
        model="network", hidden=2, activation="relu", features="petal width, sepal width"
    )
    assert small.solve(starts=25, rng=1).fun == pytest.approx(0.17578944, abs=5e-9)


def test_scikit_learn_finds_the_same_classifier():
    linear_model = pytest.importorskip("sklearn.linear_model")
    made = problem(standardise=False)
    theirs = linear_model.LogisticRegression(C=1.0, tol=1e-10, max_iter=10_000).fit(
        LENGTHS, SPECIES
    )
    found = made.solve().x
    weights = found[:12].reshape(4, 3).T
    np.testing.assert_allclose(weights, theirs.coef_, atol=1e-5)
    np.testing.assert_allclose(made.predict_proba(found), theirs.predict_proba(LENGTHS), atol=1e-6)


@pytest.mark.parametrize("loss", ["cross-entropy", "squared-error"])
@pytest.mark.parametrize("classes", [None, "versicolor, virginica"])
@pytest.mark.parametrize(
    "model",
    [{"model": "logistic"}, {"model": "network"}, {"model": "network", "activation": "relu"}],
)
def test_the_gradient_is_that_of_the_score(model, classes, loss):
    made = problem(classes=classes, loss=loss, C=0.5, **model)
    theta, h = np.random.default_rng(7).normal(size=made.n_parameters), 1e-5
    steps = h * np.eye(made.n_parameters)
    slope = (made(theta + steps) - made(theta - steps)) / (2 * h)
    np.testing.assert_allclose(made.gradient(theta), slope, atol=2e-9)


# The CE method


def test_the_ce_method_reaches_the_optimum_of_logistic_regression():
    made = problem()
    found = cem.minimize(
        made,
        n_samples=100,
        rho=0.15,
        alpha={"mean": 1.0, "cov": 0.3},
        max_evaluations=15_000,
        rng=11,
    )
    assert found.fun == pytest.approx(0.2091917884, abs=1e-8)
    assert made.accuracy(found.x) == pytest.approx(146 / 150)


def test_the_ce_method_finds_the_fewest_errors_that_are_possible():
    """One: no plane has all versicolor on one side and all virginica on the other."""
    two = problem(classes="versicolor, virginica")
    sides = np.where(two.labels == 1, -1.0, 1.0)[:, None] * np.column_stack([two.X, np.ones(100)])
    separating = linprog(np.zeros(5), A_ub=sides, b_ub=-np.ones(100), bounds=(None, None))
    assert separating.status == 2  # infeasible
    made = problem(loss="zero-one")
    found = cem.minimize(made, n_samples=1000, rho=0.02, alpha=0.3, rng=11)
    assert found.success
    assert found.fun == pytest.approx(1 / 150, abs=1e-12)


def test_a_loss_of_ones_own_is_minimised():
    """The share of rows whose class is not likelier than even: more is asked than to be first."""
    made = replace(problem(C=np.inf), loss=Loss("doubtful", doubtful))
    found = cem.minimize(made, n_samples=300, rng=2, max_iterations=30)
    right = made.predict_proba(found.x)[np.arange(150), made.labels]
    assert found.fun == (right <= 0.5).mean()
    assert found.fun < 0.05


def doubtful(labels, z):
    others = np.where(labels[:, None] == np.arange(3), -np.inf, z)
    right = z[:, np.arange(150), labels]
    return (right <= np.logaddexp.reduce(others, axis=2)).mean(axis=-1)
