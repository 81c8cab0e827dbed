"""Bernoulli keeps the family contract; its sure coordinates and its numbers."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from cem import Bernoulli
from cem.loss import cross_entropy, entropy, kl_divergence
from cem.testing import FamilyContract


class TestThreeCoins(FamilyContract):
    family = Bernoulli([0.2, 0.5, 0.9])
    outside = ([0, 1, 2], [0, 1, -1], [0.5, 0, 0], [np.nan, 0, 0])


class TestOneCoin(FamilyContract):
    family = Bernoulli([0.3])
    outside = ([2],)


class TestTenCoins(FamilyContract):
    family = Bernoulli(np.linspace(0.3, 0.7, 10))


class TestRareSides(FamilyContract):
    family = Bernoulli([1e-3, 0.999])


class TestSureAndOpenCoins(FamilyContract):
    family = Bernoulli([0.0, 0.4, 1.0])
    outside = ([1, 0, 1], [0, 1, 0], [0, 2, 1])


class TestSureCoins(FamilyContract):
    family = Bernoulli([0.0, 1.0])
    outside = ([1, 1], [0, 0])


@pytest.mark.parametrize("p", [[0.2, 0.5, 0.9], [0.0, 0.3, 1.0], [1e-300, 0.5]])
def test_the_density_is_the_product_of_scipys_and_sums_to_one(p):
    x = np.array(list(product([0, 1], repeat=len(p))))
    log_f = Bernoulli(p).log_density(x)
    np.testing.assert_allclose(log_f, stats.bernoulli(p).logpmf(x).sum(axis=1), rtol=1e-13)
    assert np.exp(log_f).sum() == pytest.approx(1, abs=1e-14)


def test_sure_coordinates_are_a_point_mass():
    f = Bernoulli([0.0, 1.0])
    assert f.log_density(np.array([[0, 1], [1, 1], [0, 0]])).tolist() == [0.0, -np.inf, -np.inf]
    assert f.sample(np.random.default_rng(0), 50).tolist() == [[0, 1]] * 50
    assert f.spread().tolist() == [0.0, 0.0]
    assert entropy(f) == 0


def test_a_sample_takes_one_byte_per_coordinate():
    x = Bernoulli([0.5] * 4).sample(np.random.default_rng(0), 3)
    assert x.dtype == np.int8
    assert x.shape == (3, 4)


def test_the_fit_is_the_weighted_share_of_ones():
    fitted = Bernoulli([0.5, 0.5]).fit(np.array([[1, 0], [1, 1]]), np.array([3.0, 1.0]))
    assert fitted.p.tolist() == [1.0, 0.25]


def test_the_entropy_and_the_divergence_have_their_tabled_values():
    f, g = Bernoulli([0.3]), Bernoulli([0.7])
    assert entropy(f) == pytest.approx(0.610864302055, abs=1e-10)
    assert kl_divergence(f, g) == pytest.approx(0.338919144155, abs=1e-10)
    assert cross_entropy(f, g) == pytest.approx(0.610864302055 + 0.338919144155, abs=1e-10)


def test_entropies_of_independent_coordinates_add_up():
    f, g = Bernoulli([0.3, 0.3, 1.0]), Bernoulli([0.7, 0.7, 1.0])
    assert entropy(f) == pytest.approx(2 * 0.610864302055, abs=1e-10)
    assert kl_divergence(f, g) == pytest.approx(2 * 0.338919144155, abs=1e-10)


def test_the_divergence_from_a_density_that_forbids_what_happens_is_infinite():
    assert kl_divergence(Bernoulli([0.5]), Bernoulli([0.0])) == np.inf
    assert kl_divergence(Bernoulli([0.0]), Bernoulli([0.5])) == pytest.approx(np.log(2))


def test_a_rounding_error_beyond_one_is_taken_out_and_more_is_refused():
    assert Bernoulli([1 + 1e-12, -1e-12]).p.tolist() == [1.0, 0.0]
    with pytest.raises(ValueError, match=r"^Bernoulli\.p must lie in \[0, 1\]; got 1\.00001 at"):
        Bernoulli([0.5, 1.00001])


@pytest.mark.parametrize(
    ("p", "error", "message"),
    [
        ([0.1, 1.2], ValueError, r"^Bernoulli\.p must lie in \[0, 1\]; got 1\.2 at index 1$"),
        ([-0.1], ValueError, r"^Bernoulli\.p must lie in \[0, 1\]; got -0\.1 at index 0$"),
        ([0.1, np.nan], ValueError, r"^Bernoulli\.p must lie in \[0, 1\]; got nan at index 1$"),
        ([], ValueError, r"^Bernoulli\.p must have 1 axes .* got shape \(0,\)$"),
        ([[0.5]], ValueError, r"^Bernoulli\.p must have 1 axes .* got shape \(1, 1\)$"),
        (0.5, ValueError, r"^Bernoulli\.p must have 1 axes .* got shape \(\)$"),
        (["half"], TypeError, r"^Bernoulli\.p must be an array of numbers; got \['half'\]$"),
        (None, ValueError, r"^Bernoulli\.p "),
    ],
)
def test_a_bad_parameter_is_named_with_its_place_and_value(p, error, message):
    with pytest.raises(error, match=message):
        Bernoulli(p)
