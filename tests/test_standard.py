"""A problem seen in standard normal variables: the scores of the points that they stand for."""

import math

import numpy as np
import pytest
from scipy import stats

from cem import (
    Bernoulli,
    Categorical,
    Exponential,
    MultivariateNormal,
    Normal,
    Poisson,
    Uniform,
    Weibull,
)
from cem.families.stretched import Stretched
from cem.standard import Standardised, can_be_standardised, standardised
from problems.rare_event.bridge import Bridge


def total(x):
    return x.sum(axis=1)


def test_the_score_is_that_of_the_point_with_the_same_probability_below():
    u = np.random.default_rng(0).standard_normal((40, 5))
    x = np.transpose(
        [
            stats.expon(scale=m).isf(stats.norm.sf(c))
            for m, c in zip(Bridge().nominal().mean, u.T, strict=True)
        ]
    )
    problem = standardised(Bridge(), Bridge().nominal())
    np.testing.assert_allclose(problem(u), Bridge()(x), rtol=1e-12)
    np.testing.assert_allclose(problem.outward(u), x, rtol=1e-12)


def test_crude_monte_carlo_estimates_the_same_in_either_variables():
    u = np.random.default_rng(0).standard_normal((200_000, 2))
    problem = standardised(total, Exponential([1.0, 1.0]))
    exact = stats.gamma(2).sf(5)
    assert abs((problem(u) >= 5.0).mean() - exact) < 5 * math.sqrt(exact / 200_000)


@pytest.mark.parametrize(
    "density", [Normal([0.0] * 3, [1.0] * 3), MultivariateNormal([0.0] * 3, np.eye(3))]
)
def test_a_problem_in_standard_normal_variables_stays_as_it_is(density):
    assert standardised(total, density) is total


@pytest.mark.parametrize(
    "density",
    [
        Normal([0.0, 0.1], [1.0, 1.0]),
        Normal([0.0, 0.0], [1.0, 2.0]),
        MultivariateNormal([0.0, 0.0], [[1.0, 0.1], [0.1, 1.0]]),
        MultivariateNormal([1.0, 0.0], np.eye(2)),
        Exponential([1.0, 1.0]),
    ],
)
def test_any_other_is_looked_at_through_its_density(density):
    u = np.random.default_rng(0).standard_normal((9, 2))
    problem = standardised(total, density)
    assert type(problem) is Standardised
    np.testing.assert_array_equal(problem(u), total(density.at_normal(u)))


def test_what_the_problem_brings_is_still_there():
    class Slow:
        chunk_size, cost = 7, 3

        def __call__(self, x):
            return total(x)

        def nominal(self):
            return Exponential([1.0])

    problem = standardised(Slow(), Exponential([1.0]))
    assert (problem.chunk_size, problem.cost) == (7, 3)
    assert type(problem.nominal()) is Exponential
    assert not hasattr(standardised(total, Exponential([1.0])), "chunk_size")


@pytest.mark.parametrize(
    ("density", "expected"),
    [
        (Normal([5.0], [2.0]), True),
        (Normal([5.0, 0.0], [2.0, 0.0]), False),  # one number is fixed
        (MultivariateNormal([1.0, 2.0], [[2.0, 0.3], [0.3, 1.0]]), True),
        (MultivariateNormal([1.0, 2.0], [[1.0, 1.0], [1.0, 1.0]]), False),
        (Exponential([1.0, 2.0]), True),
        (Weibull([0.5], [2.0]), True),
        (Uniform([0.0], [2.0]), True),
        (Bernoulli([0.5]), False),
        (Poisson([3.0]), False),
        (Categorical([[0.5, 0.5]]), False),
        (Stretched([0.0], [1.0], [1.0], [1.0]), False),
    ],
)
def test_densities_of_continuous_variables_that_are_functions_of_normal_ones_can_be(
    density, expected
):
    assert can_be_standardised(density) is expected
