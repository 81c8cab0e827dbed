"""Score functions by differences against closed forms, and the reasons where there is none."""

import math

import numpy as np
import pytest
from scipy.special import digamma

from cem.families import (
    Bernoulli,
    Categorical,
    Exponential,
    Gamma,
    GaussianMixture,
    MultivariateNormal,
    Normal,
    Pareto,
    Poisson,
    Product,
    Uniform,
    Weibull,
)
from cem.sensitivity import NoDerivative, named, score_function

MEAN, COV = np.array([1.0, -1.0]), np.array([[2.0, 0.6], [0.6, 0.5]])


def whitened(x):
    """``C^-1 (x - mean)``, a row per sample."""
    return (x - MEAN) @ np.linalg.inv(COV)


def cov_score(i, j):
    def score(x):
        z = whitened(x)
        return (z[:, i] * z[:, j] - np.linalg.inv(COV)[i, j]) * (0.5 if i == j else 1.0)

    return score


CASES = {  # family, parameter, index, its score function
    "exponential": (Exponential([0.5, 2.0]), "mean", (1,), lambda x: x[:, 1] / 4 - 1 / 2),
    "normal mean": (Normal([0.0, 3.0], [1.0, 2.0]), "mean", (0,), lambda x: x[:, 0]),
    "normal std": (
        Normal([0.0, 3.0], [1.0, 2.0]),
        "std",
        (1,),
        lambda x: ((x[:, 1] - 3) / 2) ** 2 / 2 - 0.5,
    ),
    "bernoulli": (
        Bernoulli([0.2, 0.9]),
        "p",
        (0,),
        lambda x: np.where(x[:, 0] == 1, 1 / 0.2, -1 / 0.8),
    ),
    "poisson": (Poisson([3.0]), "rate", (0,), lambda x: x[:, 0] / 3 - 1),
    "gamma shape": (
        Gamma([2.5], [0.5]),
        "shape",
        (0,),
        lambda x: np.log(0.5 * x[:, 0]) - digamma(2.5),
    ),
    "gamma rate": (Gamma([2.5], [0.5]), "rate", (0,), lambda x: 5.0 - x[:, 0]),
    "weibull shape": (
        Weibull([0.5], [2.0]),
        "shape",
        (0,),
        lambda x: 2 + np.log(x[:, 0] / 2) * (1 - np.sqrt(x[:, 0] / 2)),
    ),
    "weibull scale": (
        Weibull([0.5], [2.0]),
        "scale",
        (0,),
        lambda x: (np.sqrt(x[:, 0] / 2) - 1) / 4,
    ),
    "categorical": (
        Categorical([[0.2, 0.3, 0.5]]),
        "p",
        (0, 1),
        lambda x: np.where(x[:, 0] == 1, 1 / 0.3, -1 / 0.7),
    ),
    "covariance, diagonal": (MultivariateNormal(MEAN, COV), "cov", (0, 0), cov_score(0, 0)),
    "covariance, with its mirror": (MultivariateNormal(MEAN, COV), "cov", (1, 0), cov_score(1, 0)),
    "a weight of a mixture": (
        GaussianMixture([0.25, 0.75], [[0.0], [2.0]], [[[1.0]], [[1.0]]]),
        "weight",
        (0,),
        lambda x: (1 - (e := np.exp(2 * x[:, 0] - 2))) / (0.25 + 0.75 * e),
    ),
    "a part of a product": (
        Product(length=Exponential([2.0]), on=Bernoulli([0.5])),
        "length.mean",
        (0,),
        lambda x: x["length"][:, 0] / 4 - 1 / 2,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_differences_give_the_score_function(name):
    family, parameter, index, exact = CASES[name]
    x = family.sample(np.random.default_rng(0), 200)
    found = score_function(family, parameter, index, x)
    assert found == pytest.approx(exact(x), rel=1e-6, abs=1e-6 * np.abs(exact(x)).max())


@pytest.mark.parametrize("scale", [1e-12, 1e-6, 1.0, 1e6, 1e12])
def test_the_step_fits_parameters_of_any_size(scale):
    x = scale * np.array([[0.1], [1.0], [5.0]])
    for family, name, exact in [
        (Exponential([scale]), "mean", x[:, 0] / scale - 1),
        (Normal([0.0], [scale]), "mean", x[:, 0] / scale),
        (Normal([scale], [0.1 * scale]), "mean", 100 * (x[:, 0] / scale - 1)),
        (Normal([0.0], [scale]), "std", (x[:, 0] / scale) ** 2 - 1),
    ]:
        found = scale * score_function(family, name, (0,), x)
        assert found == pytest.approx(exact, rel=1e-6, abs=1e-6 * np.abs(exact).max())


@pytest.mark.parametrize("p", [1e-12, 1e-6, 0.5, 1 - 1e-6])
def test_the_step_fits_probabilities_near_their_ends(p):
    found = score_function(Bernoulli([p]), "p", (0,), np.array([[0], [1]]))
    assert found == pytest.approx([-1 / (1 - p), 1 / p], rel=1e-5)


def test_what_a_family_clips_is_no_step():
    f = GaussianMixture([1e-11, 1 - 1e-11], [[0.0], [2.0]], [[[1.0]], [[1.0]]])
    found = score_function(f, "weight", (0,), np.array([[0.0], [2.0]]))
    assert found == pytest.approx([math.exp(2) - 1, math.exp(-2) - 1], rel=1e-3)


def test_a_row_that_happen_to_be_one_moves_alone():
    found = score_function(Bernoulli([0.3, 0.7]), "p", (0,), np.array([[1, 0], [0, 1]]))
    assert found == pytest.approx([1 / 0.3, -1 / 0.7], rel=1e-6)
    found = score_function(Exponential([0.3, 0.7]), "mean", (0,), np.array([[0.9, 0.0]]))
    assert found == pytest.approx([2 / 0.3], rel=1e-6)


def test_a_score_of_zero_is_found_to_be_zero():
    f = Normal([0.0, 0.0], [1.0, 1.0])
    assert score_function(f, "mean", (0,), np.array([[0.0, 1.0]])) == pytest.approx([0.0])


@pytest.mark.parametrize(
    ("family", "parameter", "x", "reason"),
    [
        (Uniform([0.0], [1.0]), "high", [[0.5]], "the support moves with high"),
        (Uniform([0.0], [1.0]), "low", [[0.5]], "the support moves with low"),
        (Pareto([1.0], [3.0]), "minimum", [[2.0]], "the support moves with minimum"),
        (Bernoulli([0.0]), "p", [[0]], "the support moves with p"),
        (Bernoulli([1.0]), "p", [[1]], "must lie in"),
        (Poisson([0.0]), "rate", [[0.0]], "the support moves with rate"),
        (Normal([0.0], [0.0]), "mean", [[0.0]], "the support moves with mean"),
        (Exponential([1.0]), "mean", [[-1.0]], "ln f is not finite"),
    ],
)
def test_where_there_is_no_derivative_there_is_a_reason(family, parameter, x, reason):
    with pytest.raises(NoDerivative, match=reason):
        score_function(family, parameter, (0,), np.array(x))


def test_parameters_are_asked_for_by_name():
    f = Normal([0.0], [1.0])
    assert list(named(f, None)) == ["mean", "std"]
    assert list(named(f, ["std"])) == ["std"]
    with pytest.raises(ValueError, match=r"^Normal has no parameter 'p'; expected mean, std$"):
        named(f, ["p"])
