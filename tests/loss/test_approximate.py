"""Quadrature and Monte Carlo: right where the closed form is known, and honest about the error."""

import numpy as np
import pytest
from scipy import stats

from cem.families import (
    Beta,
    Exponential,
    Gamma,
    Geometric,
    Laplace,
    LogNormal,
    MultivariateNormal,
    Normal,
    Poisson,
    Uniform,
    Weibull,
)
from cem.loss import Approximation, MonteCarlo, Quadrature, cross_entropy, entropy, kl_divergence

HALF_LN_2PI = 0.5 * np.log(2 * np.pi)
FAMILIES = [
    Normal([0.0], [1.0]),
    Normal([0.0], [1e-6]),
    Normal([1e6], [1e-2]),
    Normal([0.0], [1e-150]),
    Normal([0.0], [1e150]),
    Normal([-1e9], [1e9]),
    Exponential([1e-8]),
    Exponential([1e8]),
    Gamma([0.5], [1.0]),
    Gamma([50.0], [1e-6]),
    Beta([0.5], [3.0]),
    Beta([1e4], [1e4]),
    Laplace([5.0], [1e-5]),
    LogNormal([0.0], [5.0]),
    LogNormal([-20.0], [0.1]),
    Weibull([0.3], [1.0]),
    Weibull([20.0], [1e6]),
    Uniform([-1e9], [1e9]),
    Uniform([0.0], [1e-9]),
    Poisson([3.0]),
    Poisson([1e-6]),
    Poisson([1e6]),
    Geometric([0.3]),
    Geometric([1e-4]),
]


def off(found, expected):
    """How far the value is from the exact one, in units of what is allowed for it."""
    allowed = max(found.error, 1e-14 * abs(expected) + 1e-14)
    return abs(found.value - expected) / allowed


@pytest.mark.parametrize("f", FAMILIES, ids=repr)
def test_the_entropy_by_quadrature_is_the_closed_form_within_the_error_it_states(f):
    found = entropy(f, method=Quadrature())
    assert found.value == pytest.approx(entropy(f), rel=1e-8)
    assert found.error <= 1e-6 * max(1, abs(found.value))
    assert off(found, entropy(f)) <= 1


PAIRS = [
    (Normal([0.0], [1.0]), Normal([1.0], [2.0])),
    (Normal([0.0], [1e-4]), Normal([1.0], [1.0])),
    (Normal([0.0], [1.0]), Normal([100.0], [0.01])),
    (Normal([0.0], [1.0]), Normal([1e-6], [1.0])),
    (Exponential([1e-6]), Exponential([3e-6])),
    (Gamma([2.0], [3.0]), Gamma([4.0], [1.5])),
    (Beta([2.0], [3.0]), Beta([4.0], [1.5])),
    (Laplace([0.0], [1.0]), Laplace([1.0], [2.0])),
    (LogNormal([0.0], [0.5]), LogNormal([0.4], [0.8])),
    (Weibull([1.5], [2.0]), Weibull([2.5], [1.0])),
    (Uniform([0.0], [2.0]), Uniform([-1.0], [3.0])),
    (Poisson([3.0]), Poisson([4.5])),
    (Geometric([0.3]), Geometric([0.6])),
]


@pytest.mark.parametrize(("f", "g"), PAIRS, ids=repr)
def test_divergences_by_quadrature_are_the_closed_forms_within_the_error_they_state(f, g):
    found = kl_divergence(f, g, method=Quadrature())
    assert found.value == pytest.approx(kl_divergence(f, g), rel=1e-8, abs=1e-14)
    assert off(found, kl_divergence(f, g)) <= 1
    found = cross_entropy(f, g, method=Quadrature())
    assert found.value == pytest.approx(cross_entropy(f, g), rel=1e-8)
    assert off(found, cross_entropy(f, g)) <= 1


@pytest.mark.parametrize(
    ("f", "second_moment"),
    [
        (Exponential([1.0]), 2.0),
        (Laplace([0.0], [1.0]), 2.0),
        (Uniform([0.0], [1.0]), 1 / 3),
        (Gamma([2.0], [1.0]), 6.0),
        (Beta([1.0], [1.0]), 1 / 3),
    ],
    ids=repr,
)
def test_the_distance_to_a_normal_density_is_that_of_the_second_moment(f, second_moment):
    g, expected = Normal([0.0], [1.0]), HALF_LN_2PI + second_moment / 2
    found = cross_entropy(f, g, method=Quadrature())
    assert found.value == pytest.approx(expected, rel=1e-11)
    divergence = kl_divergence(f, g, method=Quadrature())
    assert divergence.value == pytest.approx(expected - entropy(f), rel=1e-10)
    drawn = cross_entropy(f, g, method=MonteCarlo(50_000, rng=1))
    assert abs(drawn.value - expected) < 5 * drawn.error < 0.2
    assert drawn.n == 50_000


def test_the_unit_scales_the_value_and_the_error():
    f = Exponential([2.0])
    nats, bits = (entropy(f, unit=u, method=MonteCarlo(1000, rng=1)) for u in ("nats", "bits"))
    assert bits.value == pytest.approx(nats.value / np.log(2), rel=1e-15)
    assert bits.error == pytest.approx(nats.error / np.log(2), rel=1e-15)
    assert float(bits) == bits.value


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (lambda m: entropy(Exponential([1.0]), method=m), 1.0),
        (lambda m: cross_entropy(Uniform([0.0], [1.0]), Normal([0.0], [1.0]), method=m), None),
        (lambda m: kl_divergence(Normal([0.0], [1.0]), Normal([1.0], [2.0]), method=m), None),
        (lambda m: entropy(Poisson([3.0]), method=m), None),
        (lambda m: entropy(MultivariateNormal([0, 1], [[2, 0.4], [0.4, 1]]), method=m), None),
    ],
    ids=["exponential", "uniform to normal", "normal to normal", "Poisson", "two dimensions"],
)
def test_the_standard_error_is_neither_too_small_nor_too_large(ask, expected):
    if expected is None:
        try:
            expected = float(ask(Quadrature()))
        except ValueError:  # two dimensions
            expected = entropy(MultivariateNormal([0, 1], [[2, 0.4], [0.4, 1]]))
    found = [ask(MonteCarlo(2000, rng=seed)) for seed in range(200)]
    z = np.array([(a.value - expected) / a.error for a in found])
    low, high = stats.chi2.ppf([5e-7, 1 - 5e-7], len(z)) / len(z)
    assert low < np.mean(z**2) < high
    assert abs(z.mean()) * np.sqrt(len(z)) < 5


def test_the_error_falls_with_the_root_of_the_number_of_samples():
    for n, rel in [(400, 0.35), (40_000, 0.035)]:  # five standard deviations of a deviation
        found = entropy(Exponential([1.0]), method=MonteCarlo(n, rng=2))
        assert found.error == pytest.approx(1 / np.sqrt(n), rel=rel)


def test_the_same_seed_gives_the_same_estimate():
    f = Normal([0.0], [1.0])
    assert entropy(f, method=MonteCarlo(100, rng=7)) == entropy(f, method=MonteCarlo(100, rng=7))
    assert entropy(f, method=MonteCarlo(100, rng=7)) != entropy(f, method=MonteCarlo(100, rng=8))


class Shy(Exponential):
    """An exponential density that does not say where it is positive."""

    support = None


@pytest.mark.parametrize("method", [None, Quadrature(), MonteCarlo(100, rng=1)], ids=repr)
@pytest.mark.parametrize(
    ("f", "g"),
    [
        (Normal([0.0], [1.0]), Exponential([1.0])),
        (Exponential([1.0]), Uniform([0.0], [9.0])),
        (Uniform([0.0], [2.0]), Uniform([1.0], [3.0])),
        (Poisson([3.0]), Geometric([0.5])),  # which starts from one
        (Normal([0.0], [1.0]), Poisson([1.0])),
        (Exponential([1.0]), Uniform([0.0], [1e6])),  # no sample will ever show it
    ],
    ids=repr,
)
def test_a_density_that_excludes_a_part_of_the_support_is_infinitely_far(f, g, method):
    for of in (kl_divergence, cross_entropy):
        assert float(of(f, g, method=method)) == np.inf


@pytest.mark.parametrize("method", [Quadrature(), MonteCarlo(1000, rng=1)], ids=repr)
def test_a_part_of_the_support_that_is_found_to_be_excluded_is_infinitely_far(method):
    f, g = Normal([0.0], [1.0]), Shy([1.0])
    for of in (method.kl_divergence, method.cross_entropy):
        assert of(f, g) == Approximation(np.inf, 0.0, of(f, g).n)


def test_what_quadrature_cannot_do_it_leaves_to_monte_carlo():
    for f in (Normal([0.0, 1.0], [1.0, 1.0]), Shy([1.0])):
        with pytest.raises(ValueError, match=r"one dimension .* use cem\.loss\.MonteCarlo$"):
            entropy(f, method=Quadrature())
    f = Shy([1.0])
    found = MonteCarlo(10_000, rng=1).entropy(f)
    assert abs(found.value - 1) < 5 * found.error < 0.1


class Broken(Normal):
    """A family with a mistake in its density."""

    def log_density(self, x):
        return np.where(x[:, 0] > 0, np.nan, super().log_density(x))


@pytest.mark.parametrize("method", [Quadrature(), MonteCarlo(100, rng=1)], ids=repr)
def test_a_density_that_is_not_a_number_is_never_passed_over(method):
    with pytest.raises(ValueError, match="NaN"):
        method.entropy(Broken([0.0], [1.0]))
    with pytest.raises(ValueError, match="NaN"):
        method.cross_entropy(Normal([0.0], [1.0]), Broken([0.0], [1.0]))
