"""Credit risk: losses by definition, probabilities by enumeration, both estimators against them."""

import math
from itertools import product

import mpmath
import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

import cem
from cem.testing import ProblemContract
from problems import load
from problems.rare_event.credit import Credit, problem

FOUR = Credit([0.02, 0.1, 0.05, 0.3], [0.2, 0.7, 0.5, 0.0], [4, 1, 3, 2], 6.0)


class TestAlike(ProblemContract):
    problem = problem(n=20, p=0.1, gamma=8.0)


class TestUnequal(ProblemContract):
    problem = FOUR


class TestConditional(ProblemContract):
    problem = problem(n=20, p=0.1, gamma=8.0).conditional()


def conditional_by_enumeration(credit, z):
    """``P(S >= gamma | Z = z)``: add up all sets of defaults."""
    a = credit.loading
    p = stats.norm.cdf((a * z - stats.norm.isf(credit.probability)) / np.sqrt(1 - a**2))
    return sum(
        np.where(hit, p, 1 - p).prod()
        for hit in product([False, True], repeat=a.size)
        if credit.exposure[list(hit)].sum() >= credit.gamma
    )


def test_a_loss_is_the_exposure_to_all_who_default():
    x = FOUR.nominal().sample(np.random.default_rng(0), 300)
    x[:100, 0] += 3
    expected = []
    for z, *own in x:
        loss = 0.0
        for p, a, c, e in zip(FOUR.probability, FOUR.loading, FOUR.exposure, own, strict=True):
            if a * z + math.sqrt(1 - a**2) * e >= stats.norm.isf(p):
                loss += c
        expected.append(loss)
    assert FOUR(x).tolist() == expected
    assert len(set(expected)) > 5


@pytest.mark.parametrize(
    ("n", "k", "probability"),
    [
        (100, 30, 1.180474870e-4),
        (100, 50, 2.457242704e-6),
        (250, 100, 1.437801608e-5),
        (1000, 300, 9.297372667e-5),
    ],
)
def test_more_than_k_defaults_of_n_have_the_published_probability(n, k, probability):
    assert problem(n=n, gamma=k + 1.0).exact() == pytest.approx(probability, rel=1e-9)


@pytest.mark.parametrize("gamma", [0.5, 3.0, 6.0, 7.0, 10.0])
def test_unequal_obligors_have_the_probability_of_an_enumeration(gamma):
    credit = Credit(FOUR.probability, FOUR.loading, FOUR.exposure, gamma)
    z = np.linspace(-6, 6, 13)
    expected = [conditional_by_enumeration(credit, value) for value in z]
    np.testing.assert_allclose(credit.tail(z), expected, rtol=1e-12)
    whole = quad(
        lambda v: stats.norm.pdf(v) * conditional_by_enumeration(credit, v),
        -9,
        9,
        epsabs=0,
        epsrel=1e-9,
    )[0]
    assert credit.exact() == pytest.approx(whole, rel=1e-8)


def test_two_obligors_default_together_as_a_pair_of_correlated_normals():
    both = Credit([0.02, 0.05], [0.6, 0.8], [1, 1], 2.0)
    pair = stats.multivariate_normal([0, 0], [[1, 0.48], [0.48, 1]])
    assert both.exact() == pytest.approx(pair.cdf(stats.norm.ppf([0.02, 0.05])), rel=1e-7)


def test_without_a_factor_the_losses_are_binomial():
    credit = problem(n=30, p=0.2, correlation=0.0, gamma=15.0)
    tail = mpmath.fsum(
        mpmath.binomial(30, k) * mpmath.mpf(0.2) ** k * mpmath.mpf(0.8) ** (30 - k)
        for k in range(15, 31)
    )
    assert credit.exact() == pytest.approx(float(tail), rel=1e-12)


def test_obligors_alike_are_those_of_a_sum_one_by_one():
    alike = problem(n=60, p=0.03, gamma=9.0)
    z = np.linspace(-8, 8, 33)
    with_a_stranger = Credit(  # who cannot matter
        [*alike.probability, 1e-300], [*alike.loading, 0.0], [*alike.exposure, 1.0], 9.0
    )
    np.testing.assert_allclose(with_a_stranger.tail(z), alike.tail(z), rtol=1e-12)
    large = Credit(alike.probability, alike.loading, 5 * alike.exposure, 41.0)
    np.testing.assert_array_equal(large.tail(z), alike.tail(z))


def test_a_loss_of_nothing_is_certain_and_one_of_more_than_all_is_impossible():
    for gamma, probability in ((0.0, 1.0), (11.0, 0.0)):
        credit = Credit(FOUR.probability, FOUR.loading, FOUR.exposure, gamma)
        assert credit.exact() == pytest.approx(probability, rel=1e-12)


@pytest.mark.parametrize("credit", [problem(gamma=11.0), FOUR])
def test_the_conditional_probabilities_average_to_the_exact_one(credit):
    given, n = credit.conditional(), 200_000
    h = given(given.nominal().sample(np.random.default_rng(0), n))
    assert given.exact() == credit.exact()
    assert abs(h.mean() - credit.exact()) < 5 * h.std() / math.sqrt(n)


def test_crude_monte_carlo_agrees():
    x, p = FOUR.nominal().sample(np.random.default_rng(0), 200_000), FOUR.exact()
    hits = (FOUR(x) >= FOUR.gamma).mean()
    assert abs(hits - p) < 5 * math.sqrt(p * (1 - p) / len(x))


def test_an_estimate_among_all_the_normals_shifts_the_factor_and_is_right():
    credit = problem(n=8, p=0.02, gamma=5.0)
    found = cem.estimate(credit, n_samples=5000, n_final=50_000, rng=2)
    assert found.success
    assert abs(found.probability - credit.exact()) < 4 * found.std_error
    typical = np.median(found.family.sample(np.random.default_rng(0), 1000), axis=0)
    assert typical[0] > 2
    assert abs(typical[1:]).max() < 1.2


def test_it_is_found_by_name():
    credit = load("credit", n=50, p=0.02, correlation=0.09, gamma=10.0)
    assert credit.loading.tolist() == pytest.approx([0.3] * 50)
    assert credit.gamma == 10.0


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: Credit([0.1], [0.5, 0.5], [1], 1.0), "one probability, loading and exposure"),
        (lambda: Credit([], [], [], 1.0), "at least one obligor"),
        (lambda: Credit([0.1, 1.0], [0.5] * 2, [1, 1], 1.0), "probability.*got 1 for obligor 1"),
        (lambda: Credit([0.1], [1.0], [1], 1.0), "loading must be at least 0 and below 1; got 1"),
        (lambda: Credit([0.1], [0.5], [1.5], 1.0), "exposure must be a positive whole.*got 1.5"),
        (lambda: Credit([0.1], [0.5], [1], math.nan), "gamma must be finite; got nan"),
        (lambda: problem(correlation=1.0), "correlation must be at least 0 and below 1; got 1.0"),
        (lambda: problem(n=0), "the number of obligors, must be at least 1; got 0"),
        (lambda: FOUR(np.zeros((3, 4))), r"shape \(n_samples, 5\), the factor first; got \(3, 4\)"),
    ],
)
def test_what_is_wrong_is_said(make, complaint):
    with pytest.raises(ValueError, match=complaint):
        make()
