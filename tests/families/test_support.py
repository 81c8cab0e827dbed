"""The support of every family: a box, the whole numbers in it, or none that is known."""

import numpy as np
import pytest

import cem
from cem.loss.registry import find_entropy_of_fits

INF = np.inf
SUPPORTS = [  # the member, low, high, whole numbers only
    (cem.Bernoulli([0.0, 0.4, 1.0]), [0, 0, 1], [0, 1, 1], True),
    (cem.Categorical([[0.0, 0.4, 0.6, 0.0], [0.5, 0.0, 0.0, 0.5]]), [1, 0], [2, 3], True),
    (cem.Geometric([0.5, 1.0]), [1, 1], [INF, 1], True),
    (cem.Poisson([0.5, 0.0]), [0, 0], [INF, 0], True),
    (cem.Exponential([1.0, 2.0]), [0, 0], [INF, INF], False),
    (cem.Gamma([1.0, 2.0], [1.0, 1.0]), [0, 0], [INF, INF], False),
    (cem.Weibull([1.0, 2.0], [1.0, 1.0]), [0, 0], [INF, INF], False),
    (cem.LogNormal([0.0, 0.0], [1.0, 0.0]), [0, 1], [INF, 1], False),
    (cem.Pareto([1.0, 2.0], [1.0, 1.0]), [1, 2], [INF, INF], False),
    (cem.Beta([1.0, 2.0], [1.0, 1.0]), [0, 0], [1, 1], False),
    (cem.Uniform([1.0, 2.0], [4.0, 5.0]), [1, 2], [4, 5], False),
    (cem.Laplace([1.0, 2.0], [1.0, 1.0]), [-INF, -INF], [INF, INF], False),
    (cem.Normal([1.0, 2.0], [1.0, 0.0]), [-INF, 2], [INF, 2], False),
    (cem.MultivariateNormal([1.0, 2.0], np.eye(2)), [-INF, -INF], [INF, INF], False),
]


@pytest.mark.parametrize(
    ("f", "low", "high", "discrete"), SUPPORTS, ids=[type(row[0]).__name__ for row in SUPPORTS]
)
def test_the_smallest_box_that_no_sample_leaves(f, low, high, discrete):
    found = f.support()
    assert found.low.tolist() == low
    assert found.high.tolist() == high
    assert found.discrete is discrete


def test_what_lies_on_a_plane_is_in_no_box():
    assert cem.Dirichlet([1.0, 1.0]).support() is None
    assert cem.MultivariateNormal([0.0, 0.0], np.ones((2, 2))).support() is None


def test_the_entropy_of_a_fit_is_its_loss_except_where_the_base_measure_varies():
    for f in (cem.Poisson([1.0]), cem.Weibull([1.0], [1.0])):
        assert find_entropy_of_fits(f) is None
    for row in SUPPORTS:
        if not isinstance(row[0], cem.Poisson | cem.Weibull):
            assert find_entropy_of_fits(row[0]) is not None
