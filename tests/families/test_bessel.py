"""The Bessel functions of directions against forty digits, from the plane to 3000 dimensions."""

import mpmath as mp
import numpy as np
import pytest

from cem.families.bessel import MOST, concentration_of, log_bessel, mean_cosine

X = [1e-12, 1e-3, 0.1, 1.0, 10.0, 50.0, 130.0, 1500.0, 1e4]


def ratio(d, x):
    return mp.besseli(mp.mpf(d) / 2, x) / mp.besseli(mp.mpf(d) / 2 - 1, x)


@pytest.mark.parametrize("d", [2, 3, 5, 100, 1000, 3000])
def test_size_and_mean_are_right_to_twelve_digits(d):
    v = mp.mpf(d) / 2 - 1
    size = [
        mp.loggamma(v + 1) + v * mp.log(2 / mp.mpf(x)) + mp.log(mp.besseli(v, x)) - x for x in X
    ]
    found = log_bessel(d / 2 - 1, np.array(X))
    np.testing.assert_allclose(found, np.array(size, dtype=float), rtol=1e-12, atol=1e-13)
    exact = [float(ratio(d, x)) for x in X]
    np.testing.assert_allclose(mean_cosine(d, np.array(X)), exact, rtol=2e-12)
    for i, x in enumerate(X):  # one by one, for a batch may take another way
        np.testing.assert_allclose(mean_cosine(d, np.array([x])), exact[i], rtol=2e-12)


@pytest.mark.parametrize("d", [2, 3, 30, 1000])
def test_the_concentration_is_the_one_with_that_mean(d):
    mean = np.array([float(ratio(d, x)) for x in X])
    np.testing.assert_allclose(concentration_of(d, mean), X, rtol=1e-9)


def test_the_ends_are_no_concentration_and_the_largest():
    assert concentration_of(5, np.array([0.0, 1.0])).tolist() == [0.0, pytest.approx(MOST)]
    assert log_bessel(1.5, np.zeros(1)).tolist() == [0.0]
    assert log_bessel(0.0, np.zeros(1)).tolist() == [0.0]
    assert mean_cosine(5, np.zeros(1)).tolist() == [0.0]
