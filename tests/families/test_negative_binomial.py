"""NegativeBinomial keeps the family contract; its fits from one rare count to Poisson's."""

import mpmath as mp
import numpy as np
import pytest
from scipy import stats

from cem import Geometric, NegativeBinomial, Poisson
from cem.families.negative_binomial import MOST
from cem.testing import FamilyContract


class TestThreeCoordinates(FamilyContract):
    family = NegativeBinomial([0.5, 3.0, 20.0], [2.0, 2.0, 180.0])
    outside = ([-1, 1, 1], [1, 1.5, 1], [1, np.nan, 1], [1, np.inf, 1])


class TestOneCoordinate(FamilyContract):
    family = NegativeBinomial([2.0], [4.5])


class TestManyFailures(FamilyContract):
    family = NegativeBinomial([2.5], [2500.0])


def test_the_density_is_the_product_of_scipys_and_sums_to_one():
    x = np.arange(3000)[:, None]
    for r, p in [(0.01, 0.5), (1.0, 0.3), (7.5, 0.9), (300.0, 0.4)]:
        log_f = NegativeBinomial([r], [r * (1 - p) / p]).log_density(x)
        np.testing.assert_allclose(log_f, stats.nbinom(r, p).logpmf(x[:, 0]), rtol=1e-11)
        assert np.exp(log_f).sum() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    ("r", "mean", "x"),
    [(1e6, 1e9, 999_100_000), (1e-8, 0.01, 3), (2.5, 2.5, 0), (1e6, 1e-12, 2), (2.5, 1e9, 10**10)],
)
def test_the_density_of_extreme_members_does_not_cancel(r, mean, x):
    a, m = mp.mpf(r), mp.mpf(mean)
    exact = mp.loggamma(x + a) - mp.loggamma(a) - mp.loggamma(x + 1)
    exact += a * mp.log(a / (a + m)) + x * mp.log(m / (a + m))
    found = NegativeBinomial([r], [mean]).log_density(np.array([[x]]))[0]
    assert abs(found - exact) < 1e-12 * abs(exact)


def test_one_success_is_the_geometric_density_of_one_trial_more():
    x = np.array([[0, 3], [7, 1]])
    expected = Geometric([0.3, 0.9]).log_density(x + 1)
    found = NegativeBinomial([1.0, 1.0], [7 / 3, 1 / 9]).log_density(x)
    np.testing.assert_allclose(found, expected, rtol=1e-13)


@pytest.mark.parametrize(("r", "mean"), [(0.05, 1.0), (1.0, 2.0), (3.0, 30.0), (50.0, 1e3)])
def test_the_fit_satisfies_the_likelihood_equations_in_forty_digits(r, mean):
    rng = np.random.default_rng(0)
    x, w = rng.negative_binomial(r, r / (r + mean), (200, 1)), rng.standard_exponential(200)
    fitted = NegativeBinomial([1.0], [0.5]).fit(x, w)
    found, m = mp.mpf(fitted.successes[0]), np.average(x[:, 0], weights=w)
    assert fitted.mean[0] == pytest.approx(m, rel=1e-14)
    assert fitted.p[0] * (found + m) == pytest.approx(found, rel=1e-14)

    def derivative(r):
        terms = (
            wi * (mp.digamma(xi + r) - mp.digamma(r)) for xi, wi in zip(x[:, 0], w, strict=True)
        )
        return sum(terms, mp.mpf(0)) / w.sum() - mp.log1p(m / r)

    assert derivative(found * (1 - mp.mpf("1e-8"))) > 0 > derivative(found * (1 + mp.mpf("1e-8")))


def test_samples_that_vary_no_more_than_poisson_counts_get_poissons_density():
    x = np.array([[4], [5], [5], [6]])
    fitted = NegativeBinomial([1.0], [0.5]).fit(x, np.ones(4))
    assert fitted.successes.tolist() == [MOST]
    np.testing.assert_allclose(fitted.log_density(x), Poisson([5.0]).log_density(x), atol=1e-4)
    one = NegativeBinomial([1.0], [0.5]).fit(np.array([[7]]), np.ones(1))
    assert (one.successes.tolist(), one.mean.tolist()) == ([MOST], [7.0])


def test_samples_that_are_all_zero_give_the_point_and_keep_the_successes():
    fitted = NegativeBinomial([3.0, 2.0], [0.5, 0.5]).fit(np.array([[0, 1], [0, 9]]), np.ones(2))
    assert fitted.successes[0] == 3.0
    assert fitted.mean[0] == 0.0
    assert fitted.spread()[0] == 0.0
    assert (fitted.sample(np.random.default_rng(0), 20)[:, 0] == 0).all()
    assert fitted.log_density(np.array([[1, 5]])).tolist() == [-np.inf]
    assert fitted.support().high.tolist() == [0.0, np.inf]


def test_the_fit_ends_for_any_counts():
    rng = np.random.default_rng(1)
    for _ in range(300):
        scale = 10.0 ** rng.uniform(-2, 6, size=10)
        x = rng.poisson(
            scale * rng.exponential(size=(rng.integers(1, 30), 10)) ** rng.integers(0, 5)
        )
        w = rng.exponential(size=len(x)) ** rng.integers(0, 8)
        fitted = NegativeBinomial(np.ones(10), np.full(10, 0.5)).fit(x, w)
        best = w @ fitted.log_density(x)
        for factor in (0.5, 0.999, 1.001, 2.0):
            r = np.minimum(fitted.successes * factor, MOST)
            rival = NegativeBinomial(r, fitted.mean).log_density(x)
            assert w @ rival <= best + 1e-9 * abs(best)


@pytest.mark.parametrize(
    ("r", "mean", "message"),
    [
        (
            [0.0],
            [0.5],
            r"^NegativeBinomial\.successes must be positive and finite; got 0 at index 0",
        ),
        ([1e7], [0.5], r"^NegativeBinomial\.successes must be at most 1e\+06, .* got 1e\+07$"),
        (
            [1.0],
            [-1.0],
            r"^NegativeBinomial\.mean must be finite and not negative; got -1 at index",
        ),
        (
            [1.0, 2.0],
            [0.5],
            r"^NegativeBinomial\.successes and NegativeBinomial\.mean must have the",
        ),
    ],
)
def test_a_bad_parameter_is_named_with_its_place_and_value(r, mean, message):
    with pytest.raises(ValueError, match=message):
        NegativeBinomial(r, mean)


def test_a_sample_that_is_no_count_is_refused_with_its_place():
    with pytest.raises(
        ValueError, match=r"must be whole numbers from 0 on; got 1\.5 at index \(1,"
    ):
        NegativeBinomial([1.0], [0.5]).fit(np.array([[1], [1.5]]), np.ones(2))
