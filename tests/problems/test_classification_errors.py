"""A classifier that cannot be, or a wrong call of one, is refused with what was expected."""

import math
from dataclasses import replace

import numpy as np
import pytest

from problems.classification import LOSSES, LogisticRegression, problem


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"C": 0.0}, ValueError, r"^C, the strength .*, must be positive; got 0\.0$"),
        ({"C": -1.0}, ValueError, r"^C, .* must be positive; got -1\.0$"),
        ({"C": math.nan}, ValueError, r"^C, .* must be positive; got nan$"),
        ({"C": "1"}, TypeError, r"^C, .* must be a number; got '1' of type str$"),
        ({"std": 0.0}, ValueError, r"^std, .* must be positive and finite; got 0\.0$"),
        ({"std": math.inf}, ValueError, r"^std, .* must be positive and finite; got inf$"),
        ({"loss": "crossentropy"}, ValueError, r"no loss 'crossentropy'; did you mean 'cross-e"),
        ({"model": "netwrok"}, ValueError, r"no model 'netwrok'; did you mean 'network'\?"),
        ({"features": "petal widht"}, ValueError, r"no feature 'petal widht'; did you mean 'petal"),
        ({"classes": "setosa, virginia"}, ValueError, r"no class 'virginia'; did you mean 'virg"),
        ({"classes": "setosa"}, ValueError, r"two classes or more; got only 'setosa'$"),
        (
            {"model": "network", "hidden": 0},
            ValueError,
            r"^hidden must be at least one unit; got 0",
        ),
        (
            {"model": "network", "hidden": 2.5},
            TypeError,
            r"^hidden must be a whole number .* 2\.5$",
        ),
        (
            {"model": "network", "activation": "sigmoid"},
            ValueError,
            r"^there is no activation 'sigmoid'; known: tanh, relu$",
        ),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(settings, error, message):
    with pytest.raises(error, match=message):
        problem(**settings)


def test_an_unknown_file_is_an_error_that_names_it():
    with pytest.raises(FileNotFoundError, match=r"flowers\.csv"):
        problem("flowers.csv")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda p: p(np.zeros(15)), ValueError, r"of shape \(S, 15\); got \(15,\)$"),
        (lambda p: p(np.zeros((2, 14))), ValueError, r"of shape \(S, 15\); got \(2, 14\)$"),
        (lambda p: p.predict(np.zeros((1, 15))), ValueError, r"of shape \(15,\); got \(1, 15\)$"),
        (lambda p: p.gradient(np.zeros(3)), ValueError, r"of shape \(15,\); got \(3,\)$"),
        (
            lambda p: p.predict(np.zeros(15), [[1.0]]),
            ValueError,
            r"4 columns of X; got .*\(1, 1\)$",
        ),
        (lambda p: replace(p, loss="brier"), TypeError, r"loss must be a Loss, .*; got 'brier'$"),
        (
            lambda p: replace(p, loss=LOSSES["zero-one"]).solve(),
            TypeError,
            r"the zero-one loss has no gradient to follow; use cem\.minimize instead$",
        ),
    ],
)
def test_a_wrong_call_says_what_was_expected(call, error, message):
    with pytest.raises(error, match=message):
        call(problem())


def test_a_constant_column_cannot_be_standardised_and_is_named():
    x = np.column_stack([[1.0, 2.0, 3.0], [5.0, 5.0, 5.0]])
    with pytest.raises(ValueError, match=r"column 1 of X is constant"):
        LogisticRegression(x, [0, 1, 1], standardise=True)


def test_a_network_needs_a_start():
    with pytest.raises(ValueError, match=r"starts must be at least 1; got 0"):
        problem(model="network").solve(starts=0)
