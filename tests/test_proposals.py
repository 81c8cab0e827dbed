"""Moves that leave a nominal density as it is, forwards and backwards alike."""

import math

import numpy as np
import pytest

from cem.families import (
    Bernoulli,
    Categorical,
    Dirichlet,
    Exponential,
    Gamma,
    GaussianMixture,
    MultivariateNormal,
    Normal,
    Pareto,
    Poisson,
    Product,
    RoundedNormal,
    Weibull,
)
from cem.proposals import EXCHANGES, Coordinates, Correlated, RandomWalk, proposal_for

COVARIANCE = [[1.0, 0.6], [0.6, 2.0]]
PAIRS = [
    (Correlated(0.3), Normal([1.0, -2.0], [1.0, 3.0])),
    (Correlated(0.3), MultivariateNormal([1.0, -2.0], COVARIANCE)),
    (Coordinates(0.4), Bernoulli([0.3, 0.8])),
    (Coordinates(0.4), Poisson([2.0, 0.5])),
    (Coordinates(0.4), Exponential([1.0, 4.0])),
    (RandomWalk(0.5), Exponential([1.0, 4.0])),
    (RandomWalk(0.8, steps=5), Gamma([2.0, 0.7], [1.0, 2.0])),
    (RandomWalk(0.5), MultivariateNormal([1.0, -2.0], COVARIANCE)),
    (RandomWalk(0.5), Pareto([1.0, 2.0], [8.0, 9.0])),
    (RandomWalk(0.5), Weibull([1.5, 2.0], [1.0, 3.0])),
]


@pytest.mark.parametrize(("proposal", "u"), PAIRS, ids=repr)
def test_a_proposal_is_reversible_under_the_nominal_density(proposal, u):
    rng = np.random.default_rng(7)
    n = 30_000
    x = u.sample(rng, n)
    y = proposal(u, x, rng).astype(float)
    x = x.astype(float)
    tests = {
        "one moment": y - x,
        "two moments": y**2 - x**2,
        "forwards and backwards": x**2 * y - y**2 * x,
        "across coordinates": x[:, :1] * y[:, 1:] - y[:, :1] * x[:, 1:],
        "both at once": x[:, :1] * x[:, 1:] - y[:, :1] * y[:, 1:],
    }
    for name, difference in tests.items():
        error = difference.std(axis=0) / math.sqrt(n)
        assert (np.abs(difference.mean(axis=0)) <= 5 * error).all(), name
    assert (x != y).any(axis=1).mean() > 0.2


def test_the_share_is_that_of_the_coordinates_that_are_fresh():
    x = np.zeros((10_000, 4), dtype=np.int8)
    fresh = Coordinates(0.3)(Bernoulli([1.0] * 4), x, np.random.default_rng(1))
    assert fresh.dtype == x.dtype
    assert abs(fresh.mean() - 0.3) < 5 * math.sqrt(0.21 / 40_000)


def test_the_share_is_that_of_the_variance_that_is_fresh():
    u = Normal([2.0] * 3, [0.5] * 3)
    x = np.full((50_000, 3), 4.0)
    y = Correlated(0.19)(u, x, np.random.default_rng(1))
    assert np.abs(y.mean(axis=0) - (2 + 0.9 * 2)).max() < 5 * 0.5 / math.sqrt(50_000)
    assert np.abs(y.var(axis=0) / 0.25 / 0.19 - 1).max() < 5 * math.sqrt(2 / 50_000)


def test_every_part_of_a_product_has_fresh_coordinates():
    u = Product(on=Bernoulli([0.5] * 4), kind=Categorical(np.full((5, 9), 1 / 9)))
    rng = np.random.default_rng(2)
    x = u.sample(rng, 10_000)
    y = Coordinates(0.3)(u, x, rng)
    assert y.dtype == x.dtype
    assert abs((x["on"] != y["on"]).mean() - 0.15) < 0.01
    assert abs((x["kind"] != y["kind"]).mean() - 0.3 * 8 / 9) < 0.01


def test_a_walk_exchanges_coordinates_in_units_of_theirs():
    u = Exponential([1.0, 10.0])
    x = np.tile([9.0, 1.0], (4000, 1))
    y = RandomWalk(1e-9, steps=30)(u, x, np.random.default_rng(3))
    exchanged = y[:, 0] < 1.0
    np.testing.assert_allclose(y[~exchanged], x[~exchanged], rtol=1e-6)
    np.testing.assert_allclose(y[exchanged], [[0.1, 90.0]] * exchanged.sum(), rtol=1e-6)
    # half of the exchanges are of one coordinate with itself; an odd number of others is seen
    odd = (1 - (1 - EXCHANGES / 30) ** 30) / 2
    assert abs(exchanged.mean() - odd) < 5 * math.sqrt(odd / 4000)


@pytest.mark.parametrize(
    ("u", "kind"),
    [
        (Normal([1.0, 2.0], [3.0, 4.0]), Correlated),
        (MultivariateNormal([1.0, -2.0], COVARIANCE), Correlated),
        (Exponential([1.0, 2.0]), RandomWalk),
        (Weibull([0.5, 2.0], [1.0, 3.0]), RandomWalk),
        (GaussianMixture([0.5, 0.5], [[0.0], [3.0]], [[[1.0]], [[2.0]]]), RandomWalk),
        (Bernoulli([0.5, 0.1]), Coordinates),
        (Categorical([[0.2, 0.8], [0.5, 0.5]]), Coordinates),
        (RoundedNormal([0.0, 0.0], [3.0, 3.0]), Coordinates),
        (Pareto([1.5], [1.0]), RandomWalk),
        (Product(on=Bernoulli([0.5]), x=Normal([0.0], [1.0])), Coordinates),
    ],
    ids=repr,
)
def test_a_proposal_is_found_for_a_density(u, kind):
    assert isinstance(proposal_for(u), kind)


@pytest.mark.parametrize(
    ("proposal", "u"),
    [
        (Correlated(), Exponential([1.0])),
        (Correlated(), Bernoulli([0.5])),
        (Correlated(), RoundedNormal([0.0], [3.0])),
        (Coordinates(), MultivariateNormal([1.0, -2.0], COVARIANCE)),
        (Coordinates(), Dirichlet([1.0, 1.0, 1.0])),
        (RandomWalk(), Poisson([3.0])),
        (RandomWalk(), Dirichlet([1.0, 1.0, 1.0])),
        (RandomWalk(), Normal([0.0, 1.0], [1.0, 0.0])),
    ],
    ids=repr,
)
def test_a_proposal_knows_the_densities_it_is_not_for(proposal, u):
    assert not proposal.keeps(u)


def test_a_density_without_a_proposal_is_named():
    with pytest.raises(ValueError, match=r"^no proposal is known that keeps a Dirichlet: expected"):
        proposal_for(Dirichlet([1.0] * 3))


@pytest.mark.parametrize("kind", [Coordinates, Correlated, RandomWalk])
@pytest.mark.parametrize("share", [0.0, 1.5, math.nan])
def test_a_share_outside_its_range_is_refused(kind, share):
    with pytest.raises(ValueError, match=r"^share, .* must lie in \(0, 1\]; got"):
        kind(share)


def test_a_walk_without_steps_is_refused():
    with pytest.raises(ValueError, match=r"^steps, those of a walk, must be at least 1; got 0$"):
        RandomWalk(steps=0)
