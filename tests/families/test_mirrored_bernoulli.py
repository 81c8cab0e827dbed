"""MirroredBernoulli keeps the family contract; its law is exact, and a fit knows no first side."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from cem.families import Bernoulli
from cem.families.mirrored_bernoulli import MirroredBernoulli
from cem.families.packed import Bits
from cem.loss import empirical_cross_entropy, entropy, kl_divergence
from cem.loss.registry import find_entropy, find_kl
from cem.testing import FamilyContract


class Mirrored(FamilyContract):
    fitted = "aligned_log_density"
    spread_is_std = False


class TestThreeCoins(Mirrored):
    family = MirroredBernoulli([0.2, 0.6, 0.9])
    outside = ([0, 1, 2], [0, 1, -1], [0.5, 0, 0], [np.nan, 0, 0])


class TestOneCoin(Mirrored):
    family = MirroredBernoulli([0.3])
    outside = ([2],)


class TestManyCoins(Mirrored):
    family = MirroredBernoulli(np.linspace(0.05, 0.95, 70))


class TestImagesFarApart(Mirrored):
    family = MirroredBernoulli(np.where(np.arange(200) % 3, 0.9, 0.2))


class TestSureAndOpenCoins(Mirrored):
    family = MirroredBernoulli([0.0, 0.4, 1.0])
    outside = ([1, 0, 1], [0, 0, 0], [0, 2, 1])


class TestSureCoins(Mirrored):
    family = MirroredBernoulli([0.0, 1.0])
    outside = ([1, 1], [0, 0])


def every_point(d):
    return np.array(list(product([0, 1], repeat=d)), dtype=np.int8)


@pytest.mark.parametrize("p", [[0.2, 0.5, 0.9], [0.0, 0.3, 1.0], [1e-300, 0.5], [0.5] * 4, [0.7]])
def test_the_density_is_the_mean_of_two_products_and_sums_to_one(p):
    x = every_point(len(p))
    coins = stats.bernoulli(p)
    both = np.exp(coins.logpmf(x).sum(axis=1)), np.exp(coins.logpmf(1 - x).sum(axis=1))
    f = np.exp(MirroredBernoulli(p).log_density(x))
    np.testing.assert_allclose(f, (both[0] + both[1]) / 2, rtol=1e-13)
    assert f.sum() == pytest.approx(1, abs=1e-14)


@pytest.mark.parametrize("p", [[0.2, 0.5, 0.9], [0.5, 0.5], [0.0, 0.7, 1.0], [3 / 4, 2**-10, 0.99]])
@pytest.mark.parametrize("n", [40_000, 39_999])
def test_samples_have_the_law_of_the_density(p, n):
    x = np.asarray(MirroredBernoulli(p).sample(np.random.default_rng(5), n))
    expected = n * np.exp(MirroredBernoulli(p).log_density(every_point(len(p))))
    found = np.bincount(x @ 2 ** np.arange(len(p))[::-1], minlength=2 ** len(p))
    assert (found[expected == 0] == 0).all()
    frequent = expected > 0
    assert stats.chisquare(found[frequent], expected[frequent]).pvalue > 1e-6


def test_neighbouring_lanes_and_coordinates_are_independent():
    n = 2**16
    p = np.array([0.5, 0.3, 0.8, 0.5])
    signs = 2.0 * np.asarray(MirroredBernoulli(p).sample(np.random.default_rng(0), n)) - 1
    a, b = signs[:, 0] * signs[:, 1], signs[:, 2] * signs[:, 3]  # free of the mirror's coin
    for lag in (1, 8, 64, 512):
        assert abs(np.corrcoef(signs[lag:, 0], signs[:-lag, 0])[0, 1]) < 5 / np.sqrt(n)
        assert abs(np.corrcoef(a[lag:], b[:-lag])[0, 1]) < 5 / np.sqrt(n)
    assert abs((signs[:, 1] * signs[:, 2]).mean() - (2 * 0.3 - 1) * (2 * 0.8 - 1)) < 5 / np.sqrt(n)


def test_small_probabilities_are_not_rounded_to_a_grid():
    p = np.full(2000, 3.0 * 2.0**-14)
    x = MirroredBernoulli(np.append(p, 0.0)).sample(np.random.default_rng(1), 2**14)
    turned = np.asarray(Bits(x.words[-1:], len(x)))[:, 0] == 1
    ones = x.mean(turned=turned)[:-1].sum() * len(x)
    assert abs(ones - 6000) < 5 * np.sqrt(6000)


def test_a_million_cuts_of_eight_nodes_take_a_bit_per_node():
    x = MirroredBernoulli(np.full(8, 0.4)).sample(np.random.default_rng(0), 10**6)
    assert x.words.nbytes == 10**6


def test_the_same_is_learnt_from_a_sample_and_from_its_mirror_image():
    rng = np.random.default_rng(3)
    for p in (np.full(30, 0.5), rng.random(30), np.append(rng.random(28), [0.0, 1.0])):
        f = MirroredBernoulli(p)
        x, w = np.asarray(f.sample(rng, 200)), rng.random(200)
        turned = np.where(rng.random(200)[:, None] < 0.5, x, 1 - x)
        for weights in (w, np.ones(200)):
            np.testing.assert_allclose(f.fit(turned, weights).p, f.fit(x, weights).p, rtol=1e-12)


def test_the_fit_stays_on_the_side_of_the_density_before():
    p = np.where(np.arange(60) < 30, 0.8, 0.3)
    x = MirroredBernoulli(p).sample(np.random.default_rng(0), 500)
    towards, away = MirroredBernoulli(p), MirroredBernoulli(1 - p)
    np.testing.assert_allclose(towards.fit(x, np.ones(500)).p, p, atol=0.1)
    np.testing.assert_allclose(away.fit(x, np.ones(500)).p, 1 - p, atol=0.1)


def test_the_fit_to_samples_far_from_their_mirror_images_is_that_of_bernoulli():
    p = np.where(np.arange(100) < 50, 0.9, 0.1)
    x = Bernoulli(p).sample(np.random.default_rng(0), 300)
    w = np.random.default_rng(1).random(300)
    fitted = MirroredBernoulli(p).fit(x, w)
    np.testing.assert_allclose(fitted.p, Bernoulli(p).fit(x, w).p, rtol=1e-13)


def test_unit_weights_are_counted():
    x = np.array([[0, 0, 1], [0, 1, 1], [1, 1, 0]])
    assert MirroredBernoulli([0.1, 0.4, 0.8]).fit(x, np.ones(3)).p.tolist() == [0.0, 1 / 3, 1.0]


def test_a_fair_density_turns_the_samples_towards_the_heaviest():
    x = np.array([[1, 1, 1, 1, 0], [0, 0, 0, 1, 1], [0, 0, 0, 0, 0]])
    fitted = MirroredBernoulli(np.full(5, 0.5)).fit(x, np.array([3.0, 1.0, 1.0]))
    np.testing.assert_allclose(fitted.p, [0, 0, 0, 0.2, 0.8], atol=1e-15)


def test_the_cross_entropy_lies_between_the_loss_of_the_fit_and_ln_2_above():
    f = MirroredBernoulli([0.2, 0.6, 0.9])
    x = f.sample(np.random.default_rng(0), 100)
    aligned = empirical_cross_entropy(f.aligned_log_density(x))
    assert aligned <= empirical_cross_entropy(f.log_density(x)) <= aligned + np.log(2)


# Entropy and divergence


def expectation(f, g, p):
    """``sum_x f(x) g(x)`` for coins of the same ``p``: by the number of ones."""
    d = len(p)
    k = np.arange(d + 1)
    x = (np.arange(d) < k[:, None]).astype(int)
    log_size = [stats.binom(d, 0.5).logpmf(i) + d * np.log(2) for i in k]
    return np.exp(f(x) + log_size) @ g(x)


@pytest.mark.parametrize("p", [0.9, 0.03, 0.8])
def test_the_entropy_of_images_far_apart_is_that_of_the_coins_and_of_the_mirror(p):
    f = MirroredBernoulli(np.full(400, p))
    assert find_entropy(f) is not None
    exact = -expectation(f.log_density, f.log_density, f.p)
    assert entropy(f) == pytest.approx(exact, rel=1e-10)
    assert entropy(f) == pytest.approx(entropy(Bernoulli(f.p)) + np.log(2), rel=1e-15)


def test_the_divergence_of_images_far_apart_is_that_of_the_coins():
    f, g = MirroredBernoulli(np.full(400, 0.9)), MirroredBernoulli(np.full(400, 0.84))
    ratio = expectation(f.log_density, lambda x: f.log_density(x) - g.log_density(x), f.p)
    assert kl_divergence(f, g) == pytest.approx(ratio, rel=1e-10)
    assert kl_divergence(f, f) == 0


def test_a_fair_density_is_that_of_fair_coins():
    fair, f = MirroredBernoulli(np.full(400, 0.5)), MirroredBernoulli(np.full(400, 0.9))
    assert entropy(fair) == pytest.approx(400 * np.log(2), rel=1e-14)
    exact = expectation(f.log_density, lambda x: f.log_density(x) - fair.log_density(x), f.p)
    assert kl_divergence(f, fair) == pytest.approx(exact, rel=1e-12)
    assert kl_divergence(fair, fair) == 0
    assert find_kl(fair, f) is None


def test_no_closed_form_is_claimed_where_a_sample_may_be_of_either_image():
    near, far = MirroredBernoulli(np.full(20, 0.55)), MirroredBernoulli(np.full(400, 0.9))
    assert find_entropy(near) is None
    assert find_kl(near, near) is None
    assert find_kl(far, far.replace(p=1 - far.p)) is None  # the same density, the other way round


def test_sure_coins_have_the_entropy_of_the_mirror():
    f = MirroredBernoulli([0.0, 1.0, 1.0])
    assert entropy(f) == np.log(2)
    assert kl_divergence(f, f) == 0
    assert find_kl(f.replace(p=[0.0, 1.0, 0.5]), f) is None


# Bad input


@pytest.mark.parametrize(
    ("x", "w", "message"),
    [
        (
            [[0, 2]],
            [1.0],
            r"fit: samples of positive weight must be whole numbers from 0 to 1; got",
        ),
        ([[0, 1, 1]], [1.0], r"shape \(n, 2\)"),
        ([[0, 1]], [0.0], r"needs a sample of positive weight; got none of 1$"),
        (Bits.of([[0, 1, 1]]), [1.0], r"needs samples of 2 bits; got 3$"),
    ],
)
def test_a_fit_says_what_is_wrong(x, w, message):
    x = x if isinstance(x, Bits) else np.array(x)
    with pytest.raises(ValueError, match=message):
        MirroredBernoulli([0.2, 0.3]).fit(x, np.array(w))
