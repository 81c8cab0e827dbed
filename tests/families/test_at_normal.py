"""Where standard normal variables stand in a family: the same probability, in either tail."""

import mpmath
import numpy as np
import pytest
from mpmath import mp
from scipy import stats

from cem.families import (
    Beta,
    Exponential,
    Gamma,
    Laplace,
    LogNormal,
    MultivariateNormal,
    Normal,
    Pareto,
    Uniform,
    Weibull,
)

mp.dps = 40
ONE = mpmath.mpf(1)
FAR = np.array(
    [-37.0, -20.0, -8.0, -5.0, -3.0, -1.0, -0.1, 0.0, 0.1, 1.0, 3.0, 5.0, 8.0, 20.0, 37.0]
)


def below(z):
    return mpmath.ncdf(mpmath.mpf(z))


def of_laplace(x, mean, scale):
    near = mpmath.exp(-abs(x - mean) / scale) / 2
    return (near, ONE - near) if x < mean else (ONE - near, near)


def of_gamma(x, shape, rate):
    return (
        mpmath.gammainc(shape, 0, rate * x, regularized=True),
        mpmath.gammainc(shape, rate * x, mpmath.inf, regularized=True),
    )


def of_beta(x, a, b):
    return (
        mpmath.betainc(a, b, 0, x, regularized=True),
        mpmath.betainc(b, a, 0, ONE - x, regularized=True),
    )


# A family of one coordinate; its probabilities below and above x; the tails in which a float can
# hold that many digits: next to an end of the support other than zero there are none.
TAILS = {
    "Normal": (
        Normal([3.0], [0.5]),
        lambda x: (below((x - 3) / 0.5), below((3 - x) / 0.5)),
        (-37, 37),
    ),
    "LogNormal": (
        LogNormal([1.0], [0.5]),
        lambda x: (below((mpmath.log(x) - 1) / 0.5), below((1 - mpmath.log(x)) / 0.5)),
        (-37, 37),
    ),
    "Exponential": (
        Exponential([0.3]),
        lambda x: (-mpmath.expm1(-x / mpmath.mpf(0.3)), mpmath.exp(-x / mpmath.mpf(0.3))),
        (-37, 37),
    ),
    "Laplace": (Laplace([0.0], [2.0]), lambda x: of_laplace(x, 0, 2), (-37, 37)),
    "Laplace about 5": (Laplace([5.0], [2.0]), lambda x: of_laplace(x, 5, 2), (-37, 37)),
    "Weibull": (
        Weibull([1.5], [2.0]),
        lambda x: (-mpmath.expm1(-((x / 2) ** 1.5)), mpmath.exp(-((x / 2) ** 1.5))),
        (-37, 37),
    ),
    "Weibull of heavy tails": (
        Weibull([0.5], [2.0]),
        lambda x: (-mpmath.expm1(-((x / 2) ** 0.5)), mpmath.exp(-((x / 2) ** 0.5))),
        (-20, 37),  # below there is no float left
    ),
    "Pareto": (
        Pareto([2.0], [1.5]),
        lambda x: (ONE - (2 / x) ** 1.5, (2 / x) ** 1.5),
        (-3, 37),
    ),
    "Uniform from zero": (Uniform([0.0], [4.0]), lambda x: (x / 4, ONE - x / 4), (-37, 3)),
    "Uniform to zero": (Uniform([-4.0], [0.0]), lambda x: (ONE + x / 4, -x / 4), (-3, 37)),
    "Gamma": (Gamma([2.5], [2.0]), lambda x: of_gamma(x, 2.5, 2), (-37, 37)),
    "Gamma of one half": (Gamma([0.5], [1.0]), lambda x: of_gamma(x, 0.5, 1), (-20, 37)),
    "Gamma of many": (Gamma([40.0], [1.0]), lambda x: of_gamma(x, 40, 1), (-37, 37)),
    "Beta": (Beta([2.0], [3.5]), lambda x: of_beta(x, 2, 3.5), (-20, 3)),
    "Beta of one half": (Beta([0.5], [0.5]), lambda x: of_beta(x, 0.5, 0.5), (-20, 3)),
}


@pytest.mark.parametrize("name", TAILS)
def test_as_much_lies_below_a_point_and_above_it_as_of_the_normal_variable(name):
    family, probabilities, (least, most) = TAILS[name]
    u = FAR[(least <= FAR) & (most >= FAR)]
    assert u.size > 7
    x = family.at_normal(u[:, None])
    assert x.shape == (u.size, 1)
    assert np.isfinite(x).all()
    for one, point in zip(u, x[:, 0], strict=True):
        lower, upper = probabilities(mpmath.mpf(float(point)))
        exact, found = (below(one), lower) if one <= 0 else (below(-one), upper)
        assert float(abs(found / exact - 1)) < 1e-12, (one, point)


@pytest.mark.parametrize(
    ("family", "low", "high"),
    [
        (Uniform([-1.0], [3.0]), -1.0, 3.0),
        (Beta([2.0], [3.5]), 0.0, 1.0),
        (Pareto([2.0], [1.5]), 2.0, np.inf),
        (Exponential([0.3]), 0.0, np.inf),
        (Gamma([2.5], [2.0]), 0.0, np.inf),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "at_normal") else None,
)
def test_no_point_leaves_the_support_and_their_order_is_kept(family, low, high):
    u = np.linspace(-20, 20, 4001)
    x = family.at_normal(u[:, None])[:, 0]
    assert (x >= low).all()
    assert (x <= high).all()
    assert (np.diff(x) >= 0).all()
    assert (np.diff(x[np.abs(u) < 4]) > 0).all()
    assert (family.log_density(x[np.abs(u) < 5][:, None]) > -np.inf).all()


def test_every_coordinate_goes_by_its_own_parameters():
    u = np.random.default_rng(0).standard_normal((50, 3))
    for family in (
        Normal([0.0, 1.0, 5.0], [1.0, 2.0, 0.1]),
        Exponential([1.0, 2.0, 3.0]),
        Gamma([0.5, 2.0, 30.0], [1.0, 2.0, 3.0]),
        Beta([0.5, 2.0, 30.0], [1.0, 2.0, 3.0]),
        Uniform([0.0, -1.0, 5.0], [1.0, 1.0, 9.0]),
        Weibull([0.5, 1.0, 3.0], [1.0, 2.0, 3.0]),
        Laplace([0.0, 1.0, 2.0], [1.0, 2.0, 3.0]),
        Pareto([1.0, 2.0, 3.0], [0.5, 1.0, 4.0]),
        LogNormal([0.0, 1.0, 2.0], [0.1, 1.0, 2.0]),
    ):
        x = family.at_normal(u)
        arguments = family.parameters().values()
        each = [
            type(family)(*([a[j]] for a in arguments)).at_normal(u[:, [j]])[:, 0] for j in range(3)
        ]
        np.testing.assert_allclose(x, np.transpose(each), rtol=1e-15)


def test_a_correlated_normal_density_has_its_mean_and_its_covariance():
    cov = np.array([[2.0, 0.6, 0.0], [0.6, 1.0, -0.3], [0.0, -0.3, 0.5]])
    family = MultivariateNormal([1.0, 2.0, 3.0], cov)
    np.testing.assert_array_equal(family.at_normal(np.zeros((1, 3)))[0], [1.0, 2.0, 3.0])
    root = family.at_normal(np.eye(3)) - family.mean  # its rows are the columns of the root
    np.testing.assert_allclose(root.T @ root, cov, atol=1e-15)
    u = np.random.default_rng(0).standard_normal((20, 3))
    x = family.at_normal(u)
    np.testing.assert_allclose(
        family.log_density(x),
        stats.norm.logpdf(u).sum(axis=1) - 0.5 * np.linalg.slogdet(cov)[1],
        rtol=1e-13,
    )


def test_a_normal_density_on_a_plane_is_refused():
    flat = MultivariateNormal([0.0, 0.0], [[1.0, 1.0], [1.0, 1.0]])
    with pytest.raises(ValueError, match=r"^MultivariateNormal\.cov is singular"):
        flat.at_normal(np.zeros((1, 2)))
