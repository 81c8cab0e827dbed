"""Sums: their scores, exact probabilities by other ways, and both estimators against them."""

import math

import mpmath
import numpy as np
import pytest

import cem
from cem import Exponential, LogNormal, Normal, Pareto, Weibull
from cem.testing import ProblemContract
from problems import load
from problems.rare_event.sums import Sum, distribution

HEAVY = {
    "weibull": Weibull([0.5], [1.0]),
    "lognormal": LogNormal([0.0], [1.0]),
    "pareto": Pareto([1.0], [1.0]),
}
TERMS = HEAVY | {"exponential": Exponential([2.0]), "normal": Normal([0.5], [2.0])}


class TestLightSum(ProblemContract):
    problem = Sum(Exponential([1.0]), 5, 20.0)


class TestHeavySum(ProblemContract):
    problem = Sum(Pareto([1.0], [1.0]), 2, 1000.0)


class TestConditionalSum(ProblemContract):
    problem = Sum(LogNormal([0.0], [1.0]), 4, 50.0).conditional()


@pytest.mark.parametrize("term", TERMS.values(), ids=TERMS)
def test_the_tail_is_that_of_the_density_of_the_family(term):
    law, x = distribution(term), np.array([1.5, 3.0, 7.0])
    np.testing.assert_allclose(law.logpdf(x), term.log_density(x[:, None]), rtol=1e-12)


@pytest.mark.parametrize(
    ("n", "gamma", "probability"),
    [(5, 20, 1.694474393007e-5), (10, 30, 7.121750862816e-6), (10, 40, 3.925932226286e-9)],
)
def test_a_sum_of_exponentials_has_the_tail_of_a_gamma_density(n, gamma, probability):
    tail = mpmath.gammainc(n, 2 * gamma, regularized=True)
    assert Sum(Exponential([0.5]), n, gamma).exact() == pytest.approx(float(tail), rel=1e-12)
    assert Sum(Exponential([1.0]), n, gamma).exact() == pytest.approx(probability, rel=1e-12)


def test_a_sum_of_normals_is_normal():
    tail = mpmath.ncdf(-(10 - 5) / mpmath.sqrt(10 * 4))
    assert Sum(Normal([0.5], [2.0]), 10, 10.0).exact() == pytest.approx(float(tail), rel=1e-12)
    assert Sum(Normal([0.0], [1.0]), 10, 10.0).exact() == pytest.approx(
        7.827011290013e-4, rel=1e-12
    )


@pytest.mark.parametrize(
    ("term", "gamma", "probability"),
    [
        ("weibull", 50, 2.052032995776e-3),
        ("weibull", 100, 1.046964297502e-4),
        ("weibull", 200, 1.585241810353e-6),
        ("weibull", 400, 4.377480653606e-9),
        ("lognormal", 50, 1.079782108382e-4),
        ("lognormal", 100, 4.503384576214e-6),
        ("lognormal", 200, 1.225978437716e-7),
    ],
)
def test_two_heavy_terms_have_the_published_probability(term, gamma, probability):
    assert Sum(HEAVY[term], 2, gamma).exact() == pytest.approx(probability, rel=2e-12)


@pytest.mark.parametrize("gamma", [3.0, 1002.0, 100_002.0])
def test_two_pareto_terms_have_the_closed_form(gamma):
    expected = 2 / gamma + 2 * math.log(gamma - 1) / gamma**2
    assert Sum(Pareto([1.0], [1.0]), 2, gamma).exact() == pytest.approx(expected, rel=1e-10)


def test_a_weibull_of_shape_a_quarter_has_the_convolution_of_many_digits():
    def inner(u):  # the lesser term is u^4
        return mpmath.exp(-u - (10_000 - u**4) ** 0.25)

    half = mpmath.mpf(5000) ** 0.25
    expected = 2 * mpmath.quad(inner, [0, half / 2, half]) + mpmath.exp(-2 * half)
    two = Sum(Weibull([0.25], [1.0]), 2, 10_000.0)
    assert two.exact() == pytest.approx(float(expected), rel=1e-11)
    assert two.exact() == pytest.approx(9.143408256e-5, rel=1e-9)


def test_what_cannot_fail_has_probability_one():
    assert Sum(Pareto([1.0], [1.0]), 2, 2.0).exact() == 1.0
    assert Sum(Weibull([0.5], [1.0]), 2, -1.0).exact() == 1.0


def test_one_term_has_its_own_tail_and_three_heavy_ones_are_not_known():
    assert Sum(Weibull([0.5], [1.0]), 1, 100.0).exact() == pytest.approx(math.exp(-10), rel=1e-14)
    assert Sum(Weibull([0.5], [1.0]), 3, 100.0).exact() is None


@pytest.mark.parametrize("term", TERMS.values(), ids=TERMS)
def test_the_conditional_probabilities_average_to_the_exact_one(term):
    two, n = Sum(term, 2, 20.0), 100_000
    h = two.conditional()(two.conditional().nominal().sample(np.random.default_rng(1), n))
    assert two.conditional().exact() == two.exact()
    assert abs(h.mean() - two.exact()) < 5 * h.std() / math.sqrt(n)


def test_the_conditional_probabilities_of_many_terms_average_to_the_exact_one():
    five, n = Sum(Exponential([1.0]), 5, 10.0), 100_000
    h = five.conditional()(five.conditional().nominal().sample(np.random.default_rng(2), n))
    assert abs(h.mean() - five.exact()) < 5 * h.std() / math.sqrt(n)


@pytest.mark.parametrize(
    ("term", "gamma"), [("weibull", 400.0), ("lognormal", 200.0), ("pareto", 100_002.0)]
)
def test_one_big_term_is_found_and_the_estimate_is_right(term, gamma):
    two = Sum(HEAVY[term], 2, gamma)
    found = cem.estimate(two, n_final=100_000, rng=3)
    assert found.success
    assert found.relative_error < 0.05
    assert abs(found.probability - two.exact()) < 4 * found.std_error


def test_light_terms_are_all_tilted_alike():
    ten = Sum(Exponential([1.0]), 10, 40.0)
    found = cem.estimate(ten, method="multilevel", n_final=20_000, rng=4)
    assert abs(found.probability - ten.exact()) < 4 * found.std_error
    assert np.ptp(found.family.mean) < 1.5  # around 40 / 10, from 1
    assert found.family.mean.mean() == pytest.approx(4.1, abs=0.2)


def test_the_settings_name_a_term_and_its_shape():
    assert load("sums").term.shape.tolist() == [0.5]
    assert load("sums", term="pareto", shape=2.5).term.shape.tolist() == [2.5]
    assert load("sums", term="lognormal", shape=0.5).term.log_std.tolist() == [0.5]
    assert load("sums", term="normal", n=10, gamma=10.0).nominal().mean.size == 10
    assert isinstance(load("sums", term="exponential").term, Exponential)


@pytest.mark.parametrize(
    ("make", "error", "complaint"),
    [
        (lambda: load("sums", term="weibul"), ValueError, "did you mean 'weibull'"),
        (lambda: load("sums", term="normal", shape=2.0), ValueError, "the normal term has no sh"),
        (lambda: Sum(1.0, 2, 3.0), TypeError, "must be one of Exponential, LogNormal, Normal"),
        (lambda: Sum(Exponential([1.0, 2.0]), 2, 3.0), ValueError, "must have one coordinate"),
        (lambda: Sum(Exponential([1.0]), 0, 3.0), ValueError, "at least 1; got 0"),
        (lambda: Sum(Exponential([1.0]), 2, math.nan), ValueError, "gamma must be finite; got nan"),
        (lambda: Sum(Exponential([1.0]), 1, 3.0).conditional(), ValueError, "at least 2 terms"),
    ],
)
def test_what_is_wrong_with_a_sum_is_said(make, error, complaint):
    with pytest.raises(error, match=complaint):
        make()
