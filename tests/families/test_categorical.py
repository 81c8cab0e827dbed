"""Categorical keeps the family contract; rows of any length, and what must never be drawn."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cem import Bernoulli, Categorical
from cem.loss import cross_entropy, entropy, kl_divergence
from cem.testing import FamilyContract

P, Q = [0.10, 0.40, 0.50], [0.80, 0.15, 0.05]


class TestOneChoice(FamilyContract):
    family = Categorical([P])
    outside = ([3], [-1], [0.5], [np.nan])
    spread_is_std = False


class TestRowsOfDifferentLength(FamilyContract):
    family = Categorical([[0.5, 0.5], [0.1, 0.2, 0.7], [0.0, 0.4, 0.6, 0.0]])
    outside = ([2, 0, 1], [0, 0, 0], [0, 0, 3], [0, 3, 1])
    spread_is_std = False


class TestOneCategoryOnly(FamilyContract):
    family = Categorical([[1.0], [1.0]])
    outside = ([0, 1],)
    spread_is_std = False


class TestManyCategories(FamilyContract):
    family = Categorical([np.arange(1, 21) / 210, np.full(20, 0.05)])
    spread_is_std = False


class LargestDraws:
    """A generator whose every uniform number is the last one below 1."""

    def random(self, shape):
        return np.full(shape, np.nextafter(1.0, 0.0))


class SmallestDraws:
    """A generator whose every uniform number is 0."""

    def random(self, shape):
        return np.zeros(shape)


rows = arrays(float, st.integers(1, 12), elements=st.floats(0, 1)).filter(lambda a: a.sum() > 1e-3)


@given(st.lists(rows, min_size=1, max_size=4))
def test_a_category_of_probability_zero_is_never_sampled(weights):
    f = Categorical([row / row.sum() for row in weights])
    for rng in (LargestDraws(), SmallestDraws(), np.random.default_rng(0)):
        x = f.sample(rng, 20)
        assert (f.p[np.arange(len(f.p)), x] > 0).all()


@given(st.lists(rows, min_size=1, max_size=4))
def test_a_member_made_from_its_own_parameters_keeps_every_bit(weights):
    f = Categorical([row / row.sum() for row in weights])
    np.testing.assert_array_equal(f.replace(**f.parameters()).p, f.p)


def test_shorter_rows_are_filled_up_with_zeros():
    f = Categorical([[0.5, 0.5], [0.2, 0.3, 0.5], [1.0]])
    assert f.p.tolist() == [[0.5, 0.5, 0.0], [0.2, 0.3, 0.5], [1.0, 0.0, 0.0]]


def test_the_density_is_the_product_of_the_probabilities_and_sums_to_one():
    f = Categorical([[0.5, 0.5], [0.2, 0.3, 0.5]])
    x = np.array(list(product(range(3), repeat=2)))
    expected = f.p[0, x[:, 0]] * f.p[1, x[:, 1]]
    np.testing.assert_allclose(np.exp(f.log_density(x)), expected, rtol=1e-14)
    assert np.exp(f.log_density(x)).sum() == pytest.approx(1, abs=1e-14)


def test_two_categories_are_a_coin():
    x = np.array([[0, 1], [1, 1]])
    coins, choices = Bernoulli([0.3, 0.8]), Categorical([[0.7, 0.3], [0.2, 0.8]])
    np.testing.assert_allclose(choices.log_density(x), coins.log_density(x), rtol=1e-14)
    assert entropy(choices) == pytest.approx(entropy(coins), rel=1e-14)
    others = Categorical([[0.5, 0.5], [0.1, 0.9]]), Bernoulli([0.5, 0.9])
    expected = kl_divergence(coins, others[1])
    assert kl_divergence(choices, others[0]) == pytest.approx(expected, rel=1e-13)


def test_the_fit_is_the_weighted_share_of_every_category():
    x = np.array([[0, 2], [1, 2], [0, 0]])
    fitted = Categorical(np.full((2, 3), 1 / 3)).fit(x, np.array([1.0, 2.0, 1.0]))
    assert fitted.p.tolist() == [[0.5, 0.5, 0.0], [0.25, 0.0, 0.75]]


def test_the_entropy_and_the_divergence_have_their_tabled_values():
    f, g = Categorical([P]), Categorical([Q])
    assert entropy(f) == pytest.approx(0.94334839232903925, abs=1e-12)
    assert kl_divergence(f, g) == pytest.approx(1.3356800935337297, abs=1e-12)
    assert kl_divergence(g, f) == pytest.approx(1.4012995907424075, abs=1e-12)
    assert cross_entropy(f, g) == pytest.approx(2.279028485862769, abs=1e-12)


def test_the_spread_is_ginis_measure_and_ignores_the_order_of_the_categories():
    f = Categorical([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]])
    expected = np.sqrt([0.5, 0.5, 0.0, 2 / 3])
    np.testing.assert_allclose(f.spread(), expected, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize(
    ("p", "error", "message"),
    [
        (
            [[0.5, 0.6]],
            ValueError,
            r"^Categorical\.p must hold rows that sum to 1; got 1\.1 in",
        ),
        ([[1.0], [0.3, 0.3]], ValueError, r"sum to 1; got 0\.6 in row 1$"),
        ([[1.5, -0.5]], ValueError, r"^Categorical\.p must lie in \[0, 1\]; got 1\.5 at index"),
        ([[0.5, np.nan]], ValueError, r"^Categorical\.p must lie in \[0, 1\]; got nan at index"),
        ([0.5, 0.5], ValueError, r"^Categorical\.p must have 2 axes"),
        ([], ValueError, r"^Categorical\.p must have 2 axes"),
        ([[]], ValueError, r"^Categorical\.p must have 2 axes"),
        (0.5, TypeError, r"^Categorical\.p must be one row of probabilities per coordinate; got 0"),
        (["ab"], TypeError, r"^Categorical\.p must be one row of probabilities per coordinate"),
    ],
)
def test_a_bad_parameter_is_named_with_its_place_and_value(p, error, message):
    with pytest.raises(error, match=message):
        Categorical(p)
