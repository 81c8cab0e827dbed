"""Composition keeps the family contract; its density by enumeration, its fit, its start."""

from itertools import product
from math import comb

import numpy as np
import pytest

from cem.checkpoint import dumps, loads
from cem.families.composition import Composition
from cem.loss import empirical_cross_entropy, entropy, kl_divergence
from cem.state import History, State
from cem.testing import FamilyContract

RNG = np.random.default_rng(7)
FOUR = Composition(RNG.uniform(0.1, 0.9, size=(3, 5)))
OTHER = Composition(RNG.uniform(0.1, 0.9, size=(3, 5)))
ALL = np.array([x for x in product(range(6), repeat=4) if sum(x) == 5])


class TestThreeParts(FamilyContract):
    family = Composition([[0.3, 0.5, 0.2, 0.6], [0.7, 0.4, 0.5, 0.3]])
    outside = ([1, 1, 1], [2, 2, 1], [5, -1, 0], [0.5, 0.5, 3], [np.nan, 2, 2], [np.inf, 0, 4])
    fills_boxes = False


class TestTwoParts(FamilyContract):
    family = Composition([[0.3, 0.5]])
    outside = ([1, 0], [3, -1])
    fills_boxes = False


class TestSomeThatCannotBe(FamilyContract):
    family = Composition([[0.5, 1.0, 0.5], [0.0, 0.5, 1.0]])
    outside = ([1, 1, 1], [0, 3, 0], [2, 1, 0])  # it takes two, if not three; and never one
    fills_boxes = False


def truncated_rows(f, x):
    """The product of the rows of probabilities, each cut off at what is left."""
    p, mass = np.insert(f.p, 0, 1.0, axis=1), 1.0
    for row, k, r in zip(p, x, f.total - np.cumsum([0, *x]), strict=False):
        weights = [row[j] * np.prod(1 - row[j + 1 :]) for j in range(f.total + 1)]
        mass *= weights[k] / sum(weights[: r + 1])
    return mass


def test_the_density_is_that_of_rows_cut_off_at_what_is_left_and_normalised_again():
    expected = [truncated_rows(FOUR, x) for x in ALL]
    np.testing.assert_allclose(np.exp(FOUR.log_density(ALL)), expected, rtol=1e-12)


@pytest.mark.parametrize("f", [FOUR, Composition.even(4, 5), Composition(np.eye(3, 5))])
def test_the_density_sums_to_one_over_all_compositions(f):
    assert len(ALL) == comb(8, 3)
    assert np.exp(f.log_density(ALL)).sum() == pytest.approx(1, abs=1e-13)


def test_samples_are_as_frequent_as_the_density_says():
    x = FOUR.sample(np.random.default_rng(0), 100_000)
    code, place = 6 ** np.arange(4), np.argsort(ALL @ 6 ** np.arange(4))
    seen = np.bincount(np.searchsorted((ALL @ code)[place], x @ code), minlength=len(ALL))
    expected = 100_000 * np.exp(FOUR.log_density(ALL[place]))
    assert (x @ code).max() <= (ALL @ code).max()
    assert (abs(seen - expected) < 5 * np.sqrt(expected) + 5).all()


def test_spread_entropy_and_divergence_are_those_of_the_enumerated_density():
    log_f, log_g = FOUR.log_density(ALL), OTHER.log_density(ALL)
    f = np.exp(log_f)
    variance = f @ ALL**2 - (f @ ALL) ** 2
    np.testing.assert_allclose(FOUR.spread(), np.sqrt(variance), rtol=1e-12)
    assert entropy(FOUR) == pytest.approx(-f @ log_f, rel=1e-13)
    assert kl_divergence(FOUR, OTHER) == pytest.approx(f @ (log_f - log_g), rel=1e-12)


def test_the_divergence_is_infinite_where_something_cannot_be_and_else_ignores_it():
    f = Composition([[1.0, 1.0]])  # takes all
    assert kl_divergence(FOUR, FOUR.replace(p=np.where(FOUR.p > 0.5, 1.0, FOUR.p))) == np.inf
    assert kl_divergence(Composition([[0.5, 1.0]]), f) == 0  # never has one to decide on
    assert kl_divergence(f, Composition([[0.5, 0.5, 0.5]])) == np.inf  # another total


def test_the_fit_is_exact():
    x = np.array([[2, 1, 0], [0, 1, 2], [1, 2, 0], [0, 2, 1]])
    fitted = Composition(np.full((2, 3), 0.9)).fit(x, np.array([1.0, 1.0, 4.0, 2.0]))
    # the first part: none takes 3, one takes 2 of all 8, and four take 1 of the 7 who have not
    # the second: of three who had 3 or 2 to take, ...
    assert fitted.p[0].tolist() == [4 / 7, 1 / 8, 0.0]
    assert fitted.p[1].tolist() == [1.0, 6 / 7, 0.0]


def test_no_member_has_a_larger_likelihood_than_the_fit():
    rng = np.random.default_rng(1)
    x, w = FOUR.sample(rng, 200), rng.exponential(size=200)
    fitted = OTHER.fit(x, w)
    least = empirical_cross_entropy(fitted.log_density(x), w)
    for i, j in np.ndindex(3, 5):
        for p in np.linspace(0.01, 0.99, 9):
            changed = fitted.p.copy()
            changed[i, j] = p
            rival = fitted.replace(p=changed).log_density(x)
            assert empirical_cross_entropy(rival, w) >= least - 1e-14


def test_the_first_part_is_fitted_by_its_weighted_frequencies():
    rng = np.random.default_rng(2)
    x, w = FOUR.sample(rng, 100), rng.exponential(size=100)
    fitted = OTHER.fit(x, w)
    density = np.exp(fitted.log_density(ALL))
    for k in range(6):
        frequency = np.average(x[:, 0] == k, weights=w)
        assert density[ALL[:, 0] == k].sum() == pytest.approx(frequency, abs=1e-14)


def test_what_was_never_to_be_decided_keeps_its_chance():
    fitted = FOUR.fit(np.array([[4, 1, 0, 0], [3, 2, 0, 0]]), np.ones(2))
    assert fitted.p[0].tolist() == [*FOUR.p[0, :2], 1.0, 0.5, 0.0]
    assert fitted.p[1].tolist() == [1.0, 1.0, *FOUR.p[1, 2:]]
    assert fitted.p[2].tolist() == FOUR.p[2].tolist()


def test_equal_samples_give_a_point_that_is_sampled_at_its_place():
    x = np.array([[1, 0, 3, 1]])
    fitted = FOUR.fit(np.repeat(x, 3, axis=0), np.ones(3))
    assert (fitted.sample(np.random.default_rng(0), 1000) == x).all()
    assert fitted.log_density(x).tolist() == [0.0]
    assert fitted.spread().tolist() == [0.0] * 4
    assert entropy(fitted) == 0


class LargestDraws:
    """A generator whose every uniform number is the last one below 1."""

    def random(self, shape):
        return np.full(shape, np.nextafter(1.0, 0.0))


class SmallestDraws:
    """A generator whose every uniform number is 0."""

    def random(self, shape):
        return np.zeros(shape)


def test_what_cannot_be_is_never_sampled():
    for seed in range(50):
        rng = np.random.default_rng(seed)
        f = Composition(rng.choice([0.0, 0.5, 1.0, 1e-300, 1 - 2**-53], size=(4, 30)))
        for source in (LargestDraws(), SmallestDraws(), rng):
            x = f.sample(source, 20)
            assert (f.log_density(x) > -np.inf).all()


@pytest.mark.parametrize(("n_parts", "total"), [(2, 1), (2, 7), (4, 5), (3, 6)])
def test_the_even_member_is_the_fit_to_every_composition_once(n_parts, total):
    every = np.array([x for x in product(range(total + 1), repeat=n_parts) if sum(x) == total])
    even = Composition.even(n_parts, total)
    np.testing.assert_allclose(even.p, even.fit(every, np.ones(len(every))).p, rtol=1e-11)


def test_the_even_member_has_all_compositions_in_two_parts_equally_likely():
    x = np.stack([np.arange(10), 9 - np.arange(10)], axis=1)
    found = Composition.even(2, 9).log_density(x)
    np.testing.assert_allclose(found, np.full(10, -np.log(10)), rtol=1e-13)


def test_the_even_member_gives_all_parts_much_the_same():
    x = Composition.even(20, 100).sample(np.random.default_rng(0), 20_000)
    assert ((x.mean(axis=0) > 4.4) & (x.mean(axis=0) < 6.2)).all()


def test_a_large_total_of_many_parts_has_finite_even_chances():
    f = Composition.even(30, 1000)
    assert ((f.p > 0) & (f.p <= 1)).all()
    assert (f.sample(np.random.default_rng(0), 3).sum(axis=1) == 1000).all()


def test_the_best_allocation_is_found_and_reported():
    best = np.array([3, 0, 7, 2, 8])
    f = Composition.even(5, 20)
    rng = np.random.default_rng(0)
    for _ in range(30):
        x = f.sample(rng, 300)
        elite = x[np.argsort(abs(x - best).sum(axis=1), kind="stable")[:30]]
        f = f.smooth(f.fit(elite, np.ones(30)), 0.7)
    assert np.median(f.sample(rng, 99), axis=0).tolist() == best.tolist()


def test_a_checkpoint_knows_the_total():
    back = loads(dumps(State(FOUR), History(), {}), FOUR).state.v
    assert (back.total, back.n_coordinates) == (5, 4)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([[1, 1, 1, 1]], r"^Composition\.fit: samples of positive weight must sum to 5; got 4 in "),
        ([[6, -1, 0, 0]], r"must be whole numbers from 0 to 5; got 6 at index \(0, 0\)$"),
    ],
)
def test_what_is_no_composition_is_refused_by_the_fit(x, message):
    with pytest.raises(ValueError, match=message):
        FOUR.fit(np.array(x), np.ones(1))


def test_a_bad_parameter_is_named():
    with pytest.raises(
        ValueError, match=r"^Composition\.p must lie in \[0, 1\]; got 1\.5 at index"
    ):
        Composition([[0.5, 1.5]])
    with pytest.raises(
        ValueError, match=r"needs two parts or more .* got 1 parts and a total of 5"
    ):
        Composition.even(1, 5)
