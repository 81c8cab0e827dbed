"""Closed forms against their textbook formulas in sixty digits: members far apart, and near."""

import mpmath as mp
import numpy as np
import pytest

import cem
from cem.loss import cross_entropy, entropy, kl_divergence


def ln_beta(a, b):
    return mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)


def coin(a, b):
    return a * mp.log(a / b) + (1 - a) * mp.log1p(-a) - (1 - a) * mp.log1p(-b)


def normal(m, s, n, t):
    return mp.log(t / s) + (s**2 + (m - n) ** 2) / (2 * t**2) - mp.mpf(1) / 2


def gamma(a, b, c, d):
    log_gammas = mp.loggamma(c) - mp.loggamma(a)
    return (a - c) * mp.digamma(a) + log_gammas + c * mp.log(b / d) + a * (d - b) / b


def weibull(k, s, q, t):
    constants = mp.log(k / s**k) - mp.log(q / t**q) - 1
    moments = (k - q) * (mp.log(s) - mp.euler / k) + (s / t) ** q * mp.gamma(q / k + 1)
    return constants + moments


def beta(a, b, c, d):
    means = (a - c) * mp.digamma(a) + (b - d) * mp.digamma(b) + (c - a + d - b) * mp.digamma(a + b)
    return ln_beta(c, d) - ln_beta(a, b) + means


def laplace(m, b, n, c):
    gap = abs(m - n)
    return mp.log(c / b) + gap / c + b / c * mp.exp(-gap / b) - 1


def pareto(m, a, n, b):
    return mp.log(a / b) + b * mp.log(m / n) + b / a - 1


FAMILIES = {  # the family, H and D of one coordinate, members of one coordinate
    "Bernoulli": (
        lambda a: -a * mp.log(a) - (1 - a) * mp.log1p(-a),
        coin,
        [[0.3], [0.7], [1e-6], [1 - 1e-6], [0.5]],
    ),
    "Geometric": (
        lambda a: -mp.log(a) - (1 - a) / a * mp.log1p(-a),
        lambda a, b: coin(a, b) / a,
        [[0.3], [0.6], [1e-9], [0.999]],
    ),
    "Exponential": (
        lambda m: 1 + mp.log(m),
        lambda m, n: m / n - 1 - mp.log(m / n),
        [[2.0], [0.5], [1e-30], [1e30]],
    ),
    "Normal": (
        lambda _, s: mp.log(2 * mp.pi * mp.e * s**2) / 2,
        normal,
        [[0.0, 1.0], [1.0, 2.0], [-3e5, 1e-3], [7.0, 1e9]],
    ),
    "LogNormal": (
        lambda m, s: m + mp.log(2 * mp.pi * mp.e * s**2) / 2,
        normal,
        [[0.0, 0.5], [0.4, 0.8], [-30.0, 1e-3], [7.0, 1e2]],
    ),
    "Gamma": (
        lambda a, b: a - mp.log(b) + mp.loggamma(a) + (1 - a) * mp.digamma(a),
        gamma,
        [[2.0, 3.0], [4.0, 1.5], [0.01, 7.0], [100.0, 0.3], [1e6, 1e3], [1e12, 1e12], [15.9, 2.0]],
    ),
    "Weibull": (
        lambda k, s: mp.euler * (1 - 1 / k) + mp.log(s / k) + 1,
        weibull,
        [[1.5, 2.0], [2.5, 1.0], [0.3, 3.0], [20.0, 1e5]],
    ),
    "Beta": (
        lambda a, b: (
            ln_beta(a, b)
            - (a - 1) * mp.digamma(a)
            - (b - 1) * mp.digamma(b)
            + (a + b - 2) * mp.digamma(a + b)
        ),
        beta,
        [[2.0, 3.0], [4.0, 1.5], [0.01, 0.3], [1.0, 1e4], [1e6, 3e6], [1e12, 2e12], [17.0, 15.0]],
    ),
    "Pareto": (
        lambda m, a: mp.log(m) + 1 + 1 / a - mp.log(a),
        pareto,
        [[1.0, 3.0], [1.0, 1.2], [50.0, 0.1], [1e6, 1e3]],
    ),
    "Laplace": (
        lambda _, b: 1 + mp.log(2 * b),
        laplace,
        [[0.0, 1.0], [1.0, 2.0], [-3e5, 1e-3], [7.0, 1e9]],
    ),
}
STEPS = [
    (1e-8, 1e-8),
    (1e-8, 0.0),
    (0.0, 1e-8),
    (-1e-8, 1e-8),
    (1e-8, -3e-9),
    (1e-4, 1e-4),
    (0.2, -0.2),
]


def one(name, point):
    return getattr(cem, name)(*([value] for value in point))


def exact(formula, *points):
    return formula(*(mp.mpf(float(value)) for point in points for value in point))


@pytest.mark.parametrize("name", FAMILIES)
def test_entropies(name):
    formula, _, points = FAMILIES[name]
    for point in points:
        expected = exact(formula, point)
        assert abs(entropy(one(name, point)) - expected) <= 1e-13 * max(1, abs(expected)), point


@pytest.mark.parametrize("name", FAMILIES)
def test_divergences_of_members_far_apart(name):
    formula, points = FAMILIES[name][1:]
    for p in points:
        for q in points:
            expected = exact(formula, p, q)
            found = kl_divergence(one(name, p), one(name, q))
            if name == "Pareto" and p[0] < q[0]:
                assert found == np.inf
            elif expected < 1e300:
                assert abs(found - expected) <= 1e-12 * expected, (p, q)
            else:  # too large for a double
                assert found > 1e299


@pytest.mark.parametrize("name", FAMILIES)
def test_divergences_of_near_members_do_not_cancel(name):
    formula, points = FAMILIES[name][1:]
    for p in points:
        for step in STEPS:
            q = [v * (1 + s) if v else s for v, s in zip(p, step, strict=False)]
            if max(q) >= 1 and name in {"Bernoulli", "Geometric"}:
                continue
            for near in ((p, q), (q, p)):
                expected = exact(formula, *near)
                found = kl_divergence(one(name, near[0]), one(name, near[1]))
                if name == "Pareto" and near[0][0] < near[1][0]:
                    assert found == np.inf
                else:
                    assert abs(found - expected) <= 1e-10 * expected, near


TABLE = [  # the published check values: f, g, H(f), D(f || g)
    (cem.Bernoulli([0.3]), cem.Bernoulli([0.7]), 0.610864302055, 0.338919144155),
    (cem.Geometric([0.3]), cem.Geometric([0.6]), 2.036214340183, 0.612622991289),
    (cem.Poisson([3]), cem.Poisson([4.5]), 1.931470198149, 0.283604675676),
    (cem.Exponential([2]), cem.Exponential([0.5]), 1.693147180560, 1.613705638880),
    (cem.Normal([0], [1]), cem.Normal([1], [2]), 1.418938533205, 0.443147180560),
    (cem.LogNormal([0], [0.5]), cem.LogNormal([0.4], [0.8]), 0.725791352645, 0.290316129246),
    (cem.Gamma([2], [3]), cem.Gamma([4], [1.5]), 0.478603376233, 2.718779521271),
    (cem.Weibull([1.5], [2]), cem.Weibull([2.5], [1]), 1.480087294086, 5.652281112500),
    (cem.Beta([2], [3]), cem.Beta([4], [1.5]), -0.234906649788, 1.489736580429),
    (cem.Pareto([1], [3]), cem.Pareto([1], [1.2]), 0.234721044665, 0.316290731874),
    (cem.Laplace([0], [1]), cem.Laplace([1], [2]), 1.693147180560, 0.377086901146),
    (cem.Uniform([0], [2]), cem.Uniform([-1], [3]), 0.693147180560, 0.693147180560),
    (cem.Dirichlet([2, 3, 4]), cem.Dirichlet([1, 1, 1]), -1.312553395814, 0.619406215254),
]


@pytest.mark.parametrize(("f", "g", "h", "d"), TABLE, ids=[type(row[0]).__name__ for row in TABLE])
def test_the_tabled_values(f, g, h, d):
    assert entropy(f) == pytest.approx(h, abs=1e-11)
    assert kl_divergence(f, g) == pytest.approx(d, abs=1e-11)
    assert cross_entropy(f, g) == pytest.approx(h + d, abs=1e-11)


@pytest.mark.parametrize("name", FAMILIES)
def test_independent_coordinates_add_up(name):
    points = FAMILIES[name][2][:3]
    f = getattr(cem, name)(*np.transpose(points))
    g = getattr(cem, name)(*np.transpose([points[0]] * 3))
    parts = [one(name, point) for point in points]
    assert entropy(f) == pytest.approx(sum(entropy(part) for part in parts), rel=1e-14)
    divergences = [kl_divergence(part, parts[0]) for part in parts]
    assert kl_divergence(f, g) == pytest.approx(sum(divergences), rel=1e-14)


@pytest.mark.parametrize("step", [1e-8, -1e-6, 1e-3, 0.3])
def test_covariances_very_near_each_other_do_not_cancel(step):
    cov = np.array([[1.0, 0.3, 0.1], [0.3, 2.0, -0.5], [0.1, -0.5, 0.7]])
    near = cov + step * np.array([[0.5, 0.1, 0.0], [0.1, -0.3, 0.2], [0.0, 0.2, 0.4]])
    a, b = mp.matrix(cov.tolist()), mp.matrix(near.tolist())
    ratio = mp.inverse(b) * a
    expected = (sum(ratio[j, j] for j in range(3)) - 3 - mp.log(mp.det(ratio))) / 2
    f, g = (cem.MultivariateNormal(np.zeros(3), c) for c in (cov, near))
    assert abs(kl_divergence(f, g) - expected) < 1e-13 * expected
