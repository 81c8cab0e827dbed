"""RoundedNormal keeps the family contract; its tails, its fits at the edge, and its ends."""

import mpmath as mp
import numpy as np
import pytest
from scipy import stats

from cem.checkpoint import dumps, loads
from cem.families.rounded_normal import LEAST, RoundedNormal
from cem.loss import empirical_cross_entropy
from cem.state import History, State
from cem.testing import FamilyContract

LARGE = 1e7


class TestBoundedOrNot(FamilyContract):
    family = RoundedNormal(
        [0.3, 2.0, 6.5, -3.0],
        [0.8, 3.0, 2.0, 10.0],
        low=[-np.inf, 0, -np.inf, -9],
        high=[np.inf, np.inf, 7, 5],
    )
    outside = ([0, -1, 0, 0], [0, 0, 8, 0], [0.5, 0, 0, 0], [0, 0, 0, 6], [np.nan, 0, 0, 0])


class TestTheNarrowest(FamilyContract):
    family = RoundedNormal([2.0, 2.5], [LEAST, LEAST])
    outside = ([2.5, 2], [np.inf, 2])


class TestWide(FamilyContract):
    family = RoundedNormal([1e6], [1e4])


class TestOneValue(FamilyContract):
    family = RoundedNormal([3.0], [0.5], low=3, high=3)
    outside = ([2], [4])


def exact_mass(mean, std, k):
    """The logarithm of the normal mass next to ``k``, in sixty digits."""
    upper, lower = ((k + h - mp.mpf(mean)) / mp.mpf(std) for h in (mp.mpf(0.5), mp.mpf(-0.5)))
    if lower > 0:
        upper, lower = -lower, -upper
    with mp.workdps(60 + int(upper**2 / 4)):
        return mp.log((mp.erfc(-upper / mp.sqrt(2)) - mp.erfc(-lower / mp.sqrt(2))) / 2)


@pytest.mark.parametrize("std", [LEAST, 0.5, 1.0, 3.0, 100.0, LARGE])
@pytest.mark.parametrize("deviations", [0.0, 0.4, 3.0, 9.0, 40.0])
def test_the_density_is_right_to_many_digits_in_every_tail(std, deviations):
    f, k = RoundedNormal([0.3], [std]), np.rint(0.3 - deviations * std)
    for value in (k, -k):
        exact = exact_mass(0.3, std, int(value))
        assert abs(f.log_density([[value]])[0] - exact) < 2e-14 * max(1, abs(exact))


def test_what_is_cut_off_is_normalised_again():
    f = RoundedNormal([4.0], [2.5], low=0, high=5)
    values = np.arange(6)
    mass = np.diff(stats.norm.cdf((np.arange(7) - 0.5 - 4.0) / 2.5))
    np.testing.assert_allclose(
        np.exp(f.log_density(values[:, None])), mass / mass.sum(), rtol=1e-13
    )


@pytest.mark.parametrize(
    "f",
    [
        RoundedNormal([0.3], [0.2]),
        RoundedNormal([0.5], [1.5]),
        RoundedNormal([1.0], [4.0], low=0),
        RoundedNormal([9.0], [9.0], low=1, high=9),
    ],
)
def test_samples_are_as_frequent_as_the_density_says_and_it_sums_to_one(f):
    values = np.arange(max(f.low[0], -60), min(f.high[0], 60) + 1)
    mass = np.exp(f.log_density(values[:, None]))
    assert mass.sum() == pytest.approx(1, abs=1e-13)
    x = f.sample(np.random.default_rng(0), 100_000)[:, 0]
    seen = np.bincount(x - int(values[0]), minlength=values.size)
    assert seen.size == values.size
    assert (abs(seen - 1e5 * mass) < 5 * np.sqrt(1e5 * mass) + 5).all()
    variance = mass @ values**2 - (mass @ values) ** 2
    assert f.spread()[0] == pytest.approx(np.sqrt(variance), rel=1e-12)


@pytest.mark.parametrize(
    ("mean", "std", "low", "high"),
    [
        (0.2, 17.0, -np.inf, np.inf),
        (5.0, 40.0, 0, np.inf),
        (90.0, 30.0, 0, 100),
        (0.0, 101.0, 0, 100),
        (30.0, 20.0, 29, 60),
    ],
)
def test_the_spread_of_a_wide_one_is_that_of_the_whole_numbers(mean, std, low, high):
    f = RoundedNormal([mean], [std], low, high)
    values = np.arange(max(low, -500.0), min(high, 500.0) + 1)
    mass = np.exp(f.log_density(values[:, None]))
    variance = mass @ values**2 - (mass @ values) ** 2
    assert f.spread()[0] == pytest.approx(np.sqrt(variance), rel=1e-6)


def test_the_mean_on_a_whole_number_leaves_one_per_cent_to_the_neighbours_of_the_narrowest():
    f = RoundedNormal([4.0], [LEAST])
    assert np.exp(f.log_density([[4]]))[0] == pytest.approx(0.99, abs=1e-4)


LIMITS = [(-np.inf, np.inf), (0, np.inf), (-np.inf, 6), (0, 6), (-2, 40)]


@pytest.mark.parametrize(("low", "high"), LIMITS)
def test_no_member_has_a_larger_likelihood_than_the_fit(low, high):
    rng = np.random.default_rng(3)
    for _ in range(8):
        n, scale = rng.integers(2, 30), 10 ** rng.uniform(-1, 1)
        x = np.rint(rng.standard_t(3, size=(n, 1)) * scale + 2).clip(low, high)
        w = rng.exponential(size=n) ** 2
        start = RoundedNormal([0.0], [0.5], low, high)
        fitted = start.fit(x, w)
        least = empirical_cross_entropy(fitted.log_density(x), w)
        for mean in np.linspace(max(low, x.min() - 2), min(high, x.max() + 2), 15):
            for std in np.geomspace(LEAST, min(high - low + 1, 5 * np.ptp(x) + 2), 15):
                rival = start.replace(mean=[mean], std=[std])
                assert empirical_cross_entropy(rival.log_density(x), w) > least - 1e-10


def test_the_fit_agrees_with_the_samples_about_the_moments_of_the_variable_before_rounding():
    # the likelihood equations: E[z] and E[z^2], given the whole numbers, are those of the normal
    x, w = np.array([[-4], [0], [1], [2], [2], [7]]), np.array([1.0, 2.0, 1.0, 3.0, 1.0, 2.0])
    fitted = RoundedNormal([0.0], [1.0]).fit(x, w)
    m, s = fitted.mean[0], fitted.std[0]
    cells = [stats.truncnorm((k - 0.5 - m) / s, (k + 0.5 - m) / s, m, s) for k in x[:, 0]]
    assert np.average([c.mean() for c in cells], weights=w) == pytest.approx(m, rel=1e-9)
    square = np.average([c.var() + (c.mean() - m) ** 2 for c in cells], weights=w)
    assert square == pytest.approx(s**2, rel=1e-9)


def test_the_fit_to_widely_scattered_samples_is_the_normal_one_with_sheppards_correction():
    x = np.rint(np.random.default_rng(0).normal(1e5, 3e3, size=(400, 1)))
    fitted = RoundedNormal([0.0], [1.0]).fit(x, np.ones(400))
    assert fitted.mean[0] == pytest.approx(x.mean(), rel=1e-12)
    assert fitted.std[0] ** 2 == pytest.approx(x.var() - 1 / 12, rel=1e-9)


def test_samples_of_one_value_or_two_adjacent_ones_have_the_narrowest_member():
    same = RoundedNormal([0.0], [1.0]).fit(np.array([[4], [4]]), np.array([1.0, 3.0]))
    assert (same.mean.tolist(), same.std.tolist()) == ([4.0], [LEAST])
    two = RoundedNormal([0.0], [1.0]).fit(np.array([[4], [5]]), np.array([0.8, 0.2]))
    assert two.std.tolist() == [LEAST]
    assert two.mean[0] == pytest.approx(4.5 + LEAST * stats.norm.ppf(0.2), abs=1e-4)


def test_samples_at_an_end_have_their_mean_there():
    fitted = RoundedNormal([2.0], [1.0], low=0, high=9).fit(np.zeros((3, 1)), np.ones(3))
    assert (fitted.mean.tolist(), fitted.std.tolist()) == ([0.0], [LEAST])
    assert fitted.sample(np.random.default_rng(0), 1000).min() == 0


def test_flatter_samples_than_the_flattest_member_have_its_std():
    fitted = RoundedNormal([2.0], [1.0], low=0, high=9).fit(np.array([[0], [9]]), np.ones(2))
    assert (fitted.mean[0], fitted.std[0]) == (pytest.approx(4.5), 10.0)


@pytest.mark.parametrize("tiny", [1e-2, 1e-8, 1e-12, 1e-100])
@pytest.mark.parametrize("values", [[0, 1, 2], [2, 1, 0], [0, 1, 9], [0, 2, 1]])
def test_the_fit_holds_for_weights_of_very_different_sizes(tiny, values):
    x = np.array(values)[:, None]
    for low, high in LIMITS[:2]:
        f = RoundedNormal([0.0], [0.5], low, high)
        for share in (0.5, 0.01):
            w = np.array([1 - share, share, tiny])
            fitted = f.fit(x, w)
            assert empirical_cross_entropy(fitted.log_density(x), w) <= min(
                empirical_cross_entropy(f.replace(mean=[m], std=[s]).log_density(x), w) + 1e-9
                for m in np.linspace(0.0, 2.0, 9)
                for s in np.geomspace(LEAST, 3.0, 9)
            )


def test_the_fit_holds_for_a_thousand_coordinates_of_every_scale_at_once():
    rng = np.random.default_rng(0)
    scale = 10 ** rng.uniform(-1, 8, 1000)
    x = np.rint(rng.standard_t(2, size=(20, 1000)) * scale)
    fitted = RoundedNormal(np.zeros(1000), np.ones(1000)).fit(x, np.ones(20))
    deviation = x.std(axis=0)
    wide = deviation > 10
    assert (abs(fitted.mean - x.mean(axis=0)) < 0.01 * deviation)[wide].all()
    assert (abs(fitted.std**2 + 1 / 12 - deviation**2) < 0.01 * deviation**2)[wide].all()


def test_the_ends_stay_through_fits_and_checkpoints_and_are_no_parameters():
    f = RoundedNormal([2.0, 3.0], [1.0, 1.0], low=0, high=[9, np.inf])
    assert sorted(f.parameters()) == ["mean", "std"]
    moved = f.smooth(f.replace(mean=np.array([0.0, 0.0])), 0.5)
    back = loads(dumps(State(moved), History(), {}), f).state.v
    assert (back.low.tolist(), back.high.tolist()) == ([0.0, 0.0], [9.0, np.inf])
    assert back.mean.tolist() == [1.0, 1.5]


def test_an_integer_optimum_is_found_and_the_density_settles_on_it():
    best = np.array([3, -7, 0, 12, 5, 1])
    f = RoundedNormal(np.zeros(6), np.full(6, 10.0), low=-20, high=20)
    rng = np.random.default_rng(0)
    for _ in range(30):
        x = f.sample(rng, 100)
        elite = x[np.argsort(((x - best) ** 2).sum(axis=1), kind="stable")[:10]]
        f = f.smooth(f.fit(elite, np.ones(10)), 0.7)
    assert f.mean.round().tolist() == best.tolist()
    assert (f.std < 0.3).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.0], [0.1]), r"^RoundedNormal\.std must lie between 0\.194, .* got 0\.1$"),
        (([0.0], [np.nan]), r"^RoundedNormal\.std must lie between .* got nan$"),
        (([1e16], [1.0]), r"^RoundedNormal\.mean must be at most 2\^50 in size; got 1e\+16$"),
        (([0.0], [1.0], 0.5), r"^RoundedNormal\.low must hold whole numbers .* got \[0\.5\]$"),
        (([0.0], [1.0], 1, 5), r"mean must lie between low and high; got 0, not in 1 to 5, at in"),
        (([0.0], [1.0], 0, -1), r"mean must lie between low and high; got 0, not in 0 to -1"),
        (
            ([0.0], [9.0], 0, 5),
            r"std must be at most high - low \+ 1.* got 9 for 0 to 5 at index 0",
        ),
        (([0.0], [1.0], [0, 0]), r"shape of the mean, \(1,\); got \(2,\) and \(1,\)$"),
    ],
)
def test_a_bad_parameter_is_named_with_its_value(arguments, message):
    with pytest.raises(ValueError, match=message):
        RoundedNormal(*arguments)


@pytest.mark.parametrize("x", [0.5, -1.0, 6.0])
def test_a_sample_that_is_not_allowed_is_refused_with_its_place(x):
    with pytest.raises(ValueError, match=rf"got {x:g} at index \(1, 0\), for 0 to 5$"):
        RoundedNormal([0.0], [1.0], 0, 5).fit(np.array([[0.0], [x]]), np.ones(2))
