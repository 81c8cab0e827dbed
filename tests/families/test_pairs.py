"""Divergences between different families: by quadrature, and where two families are one density."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

from cem import Exponential, Gamma, Laplace, MultivariateNormal, Normal, Uniform, Weibull
from cem.loss import kl_divergence


def integral(f, g, ends, points):
    def term(x):
        log_f, log_g = (h.log_density(np.array([[x]]))[0] for h in (f, g))
        return np.exp(log_f) * (log_f - log_g) if log_f > -700 else 0.0

    cuts = [ends[0], *points, ends[1]]
    return sum(quad(term, a, b, epsabs=1e-13, epsrel=1e-12)[0] for a, b in pairwise(cuts))


@pytest.mark.parametrize(
    ("f", "g", "ends", "points"),
    [
        (Exponential([2.0]), Gamma([3.0], [0.7]), (0, 90), (1e-3, 1.0, 10.0)),
        (Gamma([3.0], [0.7]), Exponential([2.0]), (0, 90), (1e-3, 1.0, 10.0)),
        (Exponential([2.0]), Weibull([1.6], [3.0]), (0, 90), (1e-3, 1.0, 10.0)),
        (Weibull([1.6], [3.0]), Exponential([2.0]), (0, 60), (1e-3, 1.0, 10.0)),
        (Normal([0.5], [2.0]), MultivariateNormal([0.0], [[3.0]]), (-40, 40), (0.0,)),
        (MultivariateNormal([0.0], [[3.0]]), Normal([0.5], [2.0]), (-40, 40), (0.0,)),
        (Laplace([0.5], [2.0]), Normal([1.0], [0.7]), (-90, 90), (0.5, 1.0)),
        (Normal([1.0], [0.7]), Laplace([0.5], [2.0]), (-12, 12), (0.5, 1.0)),
        (Normal([-3.0], [0.7]), Laplace([0.5], [0.2]), (-12, 12), (-3.0, 0.5)),
        (Uniform([-1.0], [3.0]), Normal([1.5], [0.7]), (-1, 3), (1.0,)),
        (Uniform([1.0], [3.0]), Exponential([0.7]), (1, 3), (2.0,)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_divergence_is_the_integral(f, g, ends, points):
    assert kl_divergence(f, g) == pytest.approx(integral(f, g, ends, points), rel=1e-9)


def test_the_divergences_of_independent_coordinates_add_up():
    f = Exponential([2.0, 0.5, 3.0]), Laplace([0.5, 1.0, 0.0], [2.0, 1.0, 3.0])
    g = Gamma([3.0, 1.0, 0.2], [0.7, 2.0, 1.0]), Normal([1.0, 0.0, 9.0], [0.7, 2.0, 0.1])
    for whole, other in zip(f, g, strict=True):
        parts = [
            kl_divergence(
                *(m.replace(**{k: v[[j]] for k, v in m.parameters().items()}) for m in pair)
            )
            for pair in [(whole, other)]
            for j in range(3)
        ]
        assert kl_divergence(whole, other) == pytest.approx(sum(parts), rel=1e-14)


def test_two_names_of_one_density_do_not_diverge():
    line, mean = Exponential([0.5, 4.0]), np.array([0.5, 4.0])
    for same in (Gamma([1.0, 1.0], 1 / mean), Weibull([1.0, 1.0], mean)):
        assert kl_divergence(line, same) == kl_divergence(same, line) == 0
    round_, full = (
        Normal([1.0, 2.0], [2.0, 0.5]),
        MultivariateNormal([1.0, 2.0], np.diag([4, 0.25])),
    )
    assert kl_divergence(round_, full) == kl_divergence(full, round_) == 0


def test_a_correlation_counts_in_the_divergence_of_independent_coordinates():
    f, g = Normal([0.0, 0.0], [1.0, 1.0]), MultivariateNormal([0.0, 0.0], [[1.0, 0.6], [0.6, 1.0]])
    assert kl_divergence(g, f) == pytest.approx(-0.5 * np.log(1 - 0.36), rel=1e-14)
    assert kl_divergence(f, g) == pytest.approx(1 / 0.64 - 1 + 0.5 * np.log(0.64), rel=1e-14)


def test_what_the_other_density_forbids_is_infinitely_surprising():
    point = Normal([0.0], [0.0])
    assert kl_divergence(Uniform([-1.0], [3.0]), Exponential([1.0])) == np.inf
    assert kl_divergence(Uniform([-1.0], [3.0]), point) == np.inf
    assert kl_divergence(Laplace([0.0], [1.0]), point) == np.inf
    assert kl_divergence(point, Laplace([0.0], [1.0])) == np.inf
    assert kl_divergence(point, MultivariateNormal([0.0], [[1.0]])) == np.inf
