"""Dirichlet keeps the family contract; its fit at any width, and two shares are a Beta."""

import mpmath as mp
import numpy as np
import pytest
from scipy import stats

from cem import Beta, Dirichlet
from cem.loss import entropy, kl_divergence
from cem.testing import FamilyContract


class TestThreeShares(FamilyContract):
    family = Dirichlet([2.0, 0.5, 4.0])
    outside = ([0.2, 0.2, 0.2], [-0.1, 0.6, 0.5], [0.0, 0.5, 0.5], [np.nan, 0.5, 0.5])
    fills_boxes = False


class TestTwoShares(FamilyContract):
    family = Dirichlet([1.0, 3.0])
    fills_boxes = False


class TestManyShares(FamilyContract):
    family = Dirichlet(np.linspace(0.2, 5.0, 12))
    fills_boxes = False


class TestNarrowOne(FamilyContract):
    family = Dirichlet([1e6, 3e9, 2e8])
    fills_boxes = False
    rtol = 1e-8


def test_the_density_is_scipys():
    a = np.array([0.5, 2.0, 8.0])
    x = np.random.default_rng(0).dirichlet([1.0, 1.0, 1.0], 50)
    expected = [stats.dirichlet(a).logpdf(row) for row in x]
    np.testing.assert_allclose(Dirichlet(a).log_density(x), expected, rtol=1e-12)


def test_two_shares_are_a_beta_coordinate():
    f, g = Dirichlet([2.0, 3.0]), Dirichlet([4.0, 1.5])
    x = np.random.default_rng(0).random((20, 1))
    found = f.log_density(np.hstack([x, 1 - x]))
    np.testing.assert_allclose(found, Beta([2.0], [3.0]).log_density(x), rtol=1e-12)
    assert entropy(f) == pytest.approx(entropy(Beta([2.0], [3.0])), rel=1e-14)
    expected = kl_divergence(Beta([2.0], [3.0]), Beta([4.0], [1.5]))
    assert kl_divergence(f, g) == pytest.approx(expected, rel=1e-14)
    assert f.spread().tolist() == pytest.approx(Beta([2.0], [3.0]).spread().tolist() * 2)


def test_the_mean_logarithms_of_the_fit_are_those_of_the_sample():
    rng = np.random.default_rng(0)
    x, w = Dirichlet([0.3, 4.0, 2.0, 9.0]).sample(rng, 100), rng.random(100)
    a = Dirichlet(np.ones(4)).fit(x, w).concentration
    expected = w @ np.log(x) / w.sum()
    found = [float(mp.digamma(c) - mp.digamma(a.sum())) for c in a]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("size", [0.02, 0.5, 1.0, 1e3, 1e8, 1e14, 1e19])
def test_the_fit_finds_the_concentration_of_any_width(size):
    f = Dirichlet([size, 2 * size, size / 2])
    x = f.sample(np.random.default_rng(0), 4000)
    found = Dirichlet(np.ones(3)).fit(x, np.ones(4000)).concentration
    np.testing.assert_allclose(found, f.concentration, rtol=0.15)


@pytest.mark.parametrize("step", [1e-8, 1e-4, 0.3])
@pytest.mark.parametrize("size", [1e-2, 1.0, 1e6])
def test_the_divergence_of_near_members_does_not_cancel(size, step):
    a = size * np.array([2.0, 3.0, 4.0])
    for direction in ([1.0, 1.0, 1.0], [1.0, 0.0, 0.0], [1.0, -2.0, 0.5]):
        b = a * (1 + step * np.array(direction))
        p, q = [mp.mpf(float(v)) for v in a], [mp.mpf(float(v)) for v in b]
        expected = mp.loggamma(sum(p)) - mp.loggamma(sum(q))
        for s, t in zip(p, q, strict=True):
            expected += mp.loggamma(t) - mp.loggamma(s)
            expected += (s - t) * (mp.digamma(s) - mp.digamma(sum(p)))
        assert abs(kl_divergence(Dirichlet(a), Dirichlet(b)) - expected) < 1e-10 * expected


def test_the_divergence_is_never_negative_however_unequal_the_shares():
    for small in (1e-30, 1e-8, 1.0):
        for step in (1e-15, 1e-9, 1e-3):
            f, g = Dirichlet([1e8, small]), Dirichlet([1e8 * (1 + step), small])
            assert kl_divergence(f, g) >= 0


def test_a_sample_of_few_and_tiny_shares_stays_positive_and_can_be_fitted():
    f = Dirichlet([1e-2, 1e-2, 1e-2])
    x = f.sample(np.random.default_rng(0), 500)
    assert (x > 0).all()
    assert (x == 1).any()
    assert (f.log_density(x) > -np.inf).all()
    assert np.isfinite(f.fit(x, np.ones(500)).concentration).all()


def test_no_narrower_lowers_the_sum_and_keeps_the_mean():
    narrow, wide = Dirichlet([10.0, 30.0]), Dirichlet([2.0, 2.0])
    assert narrow.no_narrower_than(wide).concentration.tolist() == [1.0, 3.0]
    assert wide.no_narrower_than(narrow).concentration.tolist() == [2.0, 2.0]


def test_the_support_is_no_box():
    assert Dirichlet([1.0, 1.0]).support() is None


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([[0.2, 0.8]], r"^Dirichlet\.fit needs samples that differ .* all 1 have 0\.2 in coord"),
        (
            [[0.2, 0.8], [0.0, 1.0]],
            r"^Dirichlet\.fit: samples of positive weight must be positive and finite; got 0 at",
        ),
        ([[0.2, 0.8], [0.2, 0.7]], r"^Dirichlet\.fit: .* must sum to 1; got 0\.9 in row 1$"),
    ],
)
def test_what_cannot_be_fitted_is_refused_with_the_reason(x, message):
    with pytest.raises(ValueError, match=message):
        Dirichlet([1.0, 1.0]).fit(np.array(x), np.ones(len(x)))


@pytest.mark.parametrize(
    ("a", "message"),
    [
        ([1.0, 0.0], r"^Dirichlet\.concentration must be positive and finite; got 0 at index 1$"),
        ([1.0], r"^Dirichlet\.concentration must hold two numbers or more, one per share; got 1$"),
    ],
)
def test_a_bad_parameter_is_named_with_its_place_and_value(a, message):
    with pytest.raises(ValueError, match=message):
        Dirichlet(a)
