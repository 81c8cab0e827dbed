"""Differences of logarithms and of the gamma function against sixty digits, near and far."""

import mpmath as mp
import numpy as np
import pytest

from cem.families.differences import (
    cross_gap,
    exp_excess,
    log_gamma_bregman,
    log_ratio,
    stirling,
    stirling_bend,
    stirling_bregman,
    stirling_slope,
)
from cem.loss.series import divergence_terms

POINTS = [1e-300, 1e-8, 0.1, 1.0, 3.7, 15.999, 16.0, 40.0, 1e8, 1e18, 1e100]
STEPS = [1e-15, 1e-8, -1e-8, 1e-3, 0.1, -0.24, 0.26, -0.3, 0.9, 1.1, -0.999, 1e3]


def assert_near(found, expected, rel):
    assert abs(float(found) - expected) <= rel * abs(expected)


@pytest.mark.parametrize("z", POINTS)
def test_stirlings_function_and_its_derivatives(z):
    with mp.workdps(400):
        at = mp.mpf(z)
        assert_near(stirling(z), at * mp.log(at) - at - mp.loggamma(at), 3e-14)
        assert_near(stirling_slope(z), mp.log(at) - mp.digamma(at), 3e-14)
        if z > 1e-100:  # its square is too small for a double
            assert_near(stirling_bend(z), mp.polygamma(1, at) - 1 / at, 3e-14)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("x", [1e-100, 0.3, 1.0, 7.0, 1e9])
def test_ratios_and_divergences_of_two_numbers(x, step):
    y = x * (1 + step)
    p, q = mp.mpf(x), mp.mpf(y)
    rel = 1e-14 * max(1.0, abs(np.log(x)))  # that of a logarithm, where they are far apart
    assert_near(log_ratio(y, x), mp.log(q / p), rel)
    assert_near(divergence_terms(x, y), p * mp.log(p / q) - p + q, 10 * rel)


@pytest.mark.parametrize("w", [1e-150, 1e-12, -1e-8, 1e-4, -0.19, 0.21, -3.0, 50.0, -1e4])
def test_the_exponential_less_its_tangent(w):
    at = mp.mpf(w)
    with mp.workdps(700):
        assert_near(exp_excess(w), mp.expm1(at) - at, 1e-14)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("a", [1e-8, 0.3, 2.0, 15.0, 17.0, 1e5, 1e13])
def test_how_far_the_gamma_function_lies_above_its_tangent(a, step):
    c = a * (1 + step)
    at, to = mp.mpf(a), mp.mpf(c)
    above = mp.loggamma(to) - mp.loggamma(at) - (to - at) * mp.digamma(at)
    assert_near(log_gamma_bregman(a, c), above, 1e-12)
    below = above - (to * mp.log(to / at) - to + at)
    assert_near(stirling_bregman(a, c), below, 1e-11)


def test_zeros_and_infinities_of_the_divergence():
    p, q = np.array([0.0, 0.0, 2.0, 0.5]), np.array([0.0, 3.0, 0.0, 0.5])
    assert divergence_terms(p, q).tolist() == [0.0, 3.0, np.inf, 0.0]
    assert stirling_bend(np.array([1e200])).tolist() == [0.0]
    assert exp_excess(np.array([0.0, 1e3, -np.inf])).tolist() == [0.0, np.inf, np.inf]


def test_a_gap_that_is_known_better_than_two_rounded_numbers_counts():
    a, b = 1e-9, 1.1e-9
    p, q = 1 - mp.mpf(a), 1 - mp.mpf(b)
    expected = p * mp.log(p / q) - p + q
    assert_near(
        divergence_terms(1 - a, 1 - b, a - b), expected, 1e-8
    )  # a - b and 1 - a are rounded
    assert abs(divergence_terms(1 - a, 1 - b) - expected) > 1e-8 * expected


def test_the_cross_gap_is_exact_for_near_pairs_and_right_for_far_ones():
    a, b, step = 0.1, 0.3, 2.0**-40
    near = cross_gap(a, b, a + step, b)
    assert_near(near, -mp.mpf(b) * (mp.mpf(a + step) - mp.mpf(a)), 1e-15)
    assert cross_gap(1e12, 1e12, 2.0, 3.0) == 1e12
