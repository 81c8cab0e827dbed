"""EM ends at a maximum, takes out what is too small, and BIC counts the components."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize

from cem.families.expectation_maximisation import CLOSE, likeliest, seeded
from cem.families.mixture import _refit


def standardised(x):
    return (x - x.mean(axis=0)) / x.std(axis=0)


def fit(x, k, **options):
    w = np.full(len(x), 1 / len(x))
    return likeliest(x, w, [seeded(x, w, k)], _refit, **({"cost": 3, "least": 2} | options))


def loss(x, weight, mean, variance):
    z = (x - mean[:, None]) ** 2 / variance[:, None]
    f = weight[:, None] * np.exp(-z / 2) / np.sqrt(2 * np.pi * variance[:, None])
    return -np.log(f.sum(axis=0)).mean()


def test_two_overlapping_components_are_those_of_a_general_optimiser():
    rng = np.random.default_rng(0)
    x = standardised(np.concatenate([rng.normal(size=300), rng.normal(size=200) / 2 + 3])[:, None])

    def objective(v):
        p = 1 / (1 + math.exp(-v[0]))
        return loss(x[:, 0], np.array([p, 1 - p]), v[1:3], np.exp(v[3:]))

    best = minimize(objective, [0.0, -1.0, 1.0, -1.0, -1.0], method="BFGS", options={"gtol": 1e-9})
    weight, found = fit(x, 2)
    at = loss(x[:, 0], weight, found.mean[:, 0], found.cov[:, 0, 0])
    assert abs(at - best.fun) < 100 * CLOSE
    np.testing.assert_allclose(np.sort(found.mean[:, 0]), np.sort(best.x[1:3]), atol=1e-4)


@pytest.mark.parametrize("n_clusters", [1, 2, 5])
def test_bic_counts_the_clusters(n_clusters):
    rng = np.random.default_rng(0)
    at = rng.permutation(n_clusters)[np.arange(500) % n_clusters] * 10.0
    x = standardised(rng.normal(size=(500, 1)) + at[:, None])
    assert len(fit(x, 7)[0]) == n_clusters


def test_what_a_component_costs_decides():
    x = standardised(np.concatenate([np.linspace(-1, 1, 60), np.linspace(3, 5, 60)])[:, None])
    weight, found = fit(x, 2)
    one, two = loss(x[:, 0], np.ones(1), np.zeros(1), np.ones(1)), 0.0
    two = loss(x[:, 0], weight, found.mean[:, 0], found.cov[:, 0, 0])
    gain = 2 * 120 * (one - two) / math.log(120)
    assert len(fit(x, 2, cost=gain - 0.1)[0]) == 2
    assert len(fit(x, 2, cost=gain + 0.1)[0]) == 1


def test_a_component_of_too_few_effective_samples_is_taken_out():
    x = standardised(np.concatenate([np.linspace(-1, 1, 60), np.linspace(30, 31, 7)])[:, None])
    assert [len(fit(x, 2, least=least)[0]) for least in (6.5, 7.5)] == [2, 1]


def test_seeds_fall_into_different_clusters_and_are_the_same_in_any_order():
    rng = np.random.default_rng(0)
    x = standardised(rng.normal(size=(400, 3)) / 9 + np.eye(3)[rng.integers(3, size=400)] * 4)
    w = np.full(400, 1 / 400)
    nearest = seeded(x, w, 3).argmax(axis=0)
    assert len({tuple(np.unique(nearest[x[:, j] > 1])) for j in range(3)}) == 3
    order = rng.permutation(400)
    np.testing.assert_allclose(seeded(x[order], w, 3), seeded(x, w, 3)[:, order], rtol=1e-9)


def test_there_are_no_more_seeds_than_points():
    x = np.array([[-1.0], [-1.0], [1.0], [1.0]])
    assert seeded(x, np.full(4, 0.25), 9).shape == (2, 4)
