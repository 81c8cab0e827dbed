"""From standard normal to physical space and back: against mpmath, closed forms and quadrature."""

import mpmath as mp
import numpy as np
import pytest
from scipy import stats

from problems.rare_event.limit_state.space import StandardSpace

POINTS = [-37.0, -20.0, -8.0, -1.3, -1e-3, 0.0, 0.3, 2.0, 8.0, 20.0, 37.0]


EXACT = {  # the marginal, and its quantile from p and q = 1 - p in many digits
    "uniform": (stats.uniform(1, 2), lambda p, _: 1 + 2 * p),
    "up to zero": (stats.uniform(-2, 2), lambda _, q: -2 * q),
    "exponential": (stats.expon(scale=2), lambda _, q: -2 * mp.log(q)),
    "shifted": (stats.expon(1, 2), lambda _, q: 1 - 2 * mp.log(q)),
    "gumbel": (stats.gumbel_r(2, 3), lambda p, _: 2 - 3 * mp.log(-mp.log(p))),
    "smallest": (stats.gumbel_l(2, 3), lambda _, q: 2 + 3 * mp.log(-mp.log(q))),
    "weibull": (stats.weibull_min(2, scale=3), lambda _, q: 3 * mp.sqrt(-mp.log(q))),
    "logistic": (stats.logistic(1, 2), lambda p, q: 1 + 2 * mp.log(p / q)),
    "frechet": (stats.invweibull(4.0), lambda p, _: (-mp.log(p)) ** mp.mpf(-0.25)),
}


@pytest.mark.parametrize("name", EXACT)
def test_both_tails_are_exact(name):
    marginal, exact = EXACT[name]
    x = StandardSpace.of([marginal]).to_physical(np.array(POINTS)[:, None])[:, 0]
    with mp.workdps(320):  # 1 - p is 1e-300 at the last of them
        expected = [float(exact(mp.ncdf(u), mp.ncdf(-u))) for u in POINTS]
    np.testing.assert_allclose(x, expected, rtol=3e-13)


def test_normal_and_lognormal_variables_are_exact_everywhere():
    space = StandardSpace.of([stats.norm(4, 3), stats.lognorm(0.5, 1, 3)])
    x = space.to_physical(np.column_stack([POINTS, POINTS]))
    np.testing.assert_allclose(x[:, 0], 4 + 3 * np.array(POINTS), rtol=1e-15)
    np.testing.assert_allclose(x[:, 1], [1 + 3 * np.exp(u / 2) for u in POINTS], rtol=1e-15)


@pytest.mark.parametrize("name", ["gumbel", "smallest", "logistic", "normal", "lognormal"])
def test_the_way_back_is_the_inverse(name):
    plain = {"normal": stats.norm(4, 3), "lognormal": stats.lognorm(0.5, scale=3)}
    marginal = plain[name] if name in plain else EXACT[name][0]
    space, u = StandardSpace.of([marginal]), np.array(POINTS)[:, None]
    np.testing.assert_allclose(space.to_standard(space.to_physical(u)), u, rtol=1e-12, atol=1e-12)


def test_the_way_back_is_exact_in_the_upper_tail():
    space, u = StandardSpace.of([stats.gamma(2)]), np.array([[2.0], [8.0], [20.0], [37.0]])
    np.testing.assert_allclose(space.to_standard(space.to_physical(u)), u, rtol=1e-12)


MIXED = [
    stats.norm(1, 2),
    stats.gamma(2.5),
    stats.lognorm(0.3, scale=4),
    stats.norm(-3, 0.1),
    stats.gamma(0.7, scale=3),
    stats.poisson(3),
    stats.rv_histogram(np.histogram([0.1, 0.4, 0.4, 0.9], bins=3))(),
    stats.rv_histogram(np.histogram([5.0, 7.0, 7.5], bins=2))(),
    stats.rv_discrete(values=([1, 2], [0.5, 0.5]))(),
    stats.weibull_min(c=1.5, loc=1),
    stats.poisson(8, loc=2),
]


def test_marginals_of_one_kind_are_transformed_like_each_by_itself():
    u = np.random.default_rng(0).standard_normal((50, len(MIXED)))
    x = StandardSpace.of(MIXED).to_physical(u)
    for j, marginal in enumerate(MIXED):
        expected = marginal.ppf(stats.norm.cdf(u[:, j]))
        np.testing.assert_allclose(x[:, j], expected, rtol=1e-12, atol=1e-14)


def test_marginals_of_one_kind_take_one_call(monkeypatch):
    calls = []
    ppf = stats.gamma.__class__.ppf
    monkeypatch.setattr(
        stats.gamma.__class__, "ppf", lambda *a, **k: calls.append(1) or ppf(*a, **k)
    )
    space = StandardSpace.of([stats.gamma(k) for k in range(1, 30)])
    calls.clear()
    space.to_physical(np.random.default_rng(0).standard_normal((20, 29)))
    assert len(calls) == 1


def test_the_variables_have_the_correlation_of_the_copula():
    correlation = np.array([[1, 0.6, -0.3], [0.6, 1, 0.2], [-0.3, 0.2, 1]])
    space = StandardSpace.of([stats.norm(1, 2), stats.norm(0, 1), stats.norm(5, 0.5)], correlation)
    n = 100_000
    x = space.to_physical(np.random.default_rng(0).standard_normal((n, 3)))
    np.testing.assert_allclose(np.corrcoef(x.T), correlation, atol=6 / np.sqrt(n))


def test_the_ways_are_inverse_with_a_correlation_too():
    space = StandardSpace.of(
        [stats.gamma(2), stats.lognorm(1), stats.uniform()],
        [[1, 0.9, 0.1], [0.9, 1, 0.2], [0.1, 0.2, 1]],
    )
    u = np.random.default_rng(1).standard_normal((100, 3))
    np.testing.assert_allclose(space.to_standard(space.to_physical(u)), u, atol=1e-9)


def test_normal_variables_have_the_multivariate_normal_density():
    r, std, mean = np.array([[1, 0.7], [0.7, 1]]), np.array([2.0, 0.5]), np.array([1.0, -1.0])
    space = StandardSpace.of([stats.norm(m, s) for m, s in zip(mean, std, strict=True)], r)
    x = np.random.default_rng(2).normal(size=(50, 2)) * 2
    expected = stats.multivariate_normal(mean, r * np.outer(std, std)).logpdf(x)
    np.testing.assert_allclose(space.log_density(x), expected, rtol=1e-12)


def test_independent_variables_have_the_product_of_their_densities():
    marginals = [stats.gamma(2), stats.norm(0, 1), stats.gamma(3), stats.expon()]
    x = np.abs(np.random.default_rng(3).normal(size=(20, 4)))
    expected = sum(m.logpdf(x[:, j]) for j, m in enumerate(marginals))
    np.testing.assert_allclose(StandardSpace.of(marginals).log_density(x), expected, rtol=1e-13)


def test_a_density_with_a_copula_has_the_marginals_it_is_made_of():
    marginals = [stats.expon(), stats.lognorm(0.5)]
    space = StandardSpace.of(marginals, [[1, -0.6], [-0.6, 1]])
    z = np.linspace(-9, 9, 2001)
    y = np.exp(0.5 * z)
    for x in (0.01, 0.5, 3.0):
        joint = np.exp(space.log_density(np.column_stack([np.full(z.size, x), y])))
        total = (joint * 0.5 * y).sum() * (z[1] - z[0])
        assert total == pytest.approx(np.exp(-x), rel=1e-12)


def test_off_the_support_there_is_no_density():
    for correlation in (None, [[1, 0.5], [0.5, 1]]):
        space = StandardSpace.of([stats.expon(), stats.lognorm(1)], correlation)
        x = np.array([[-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
        assert np.isneginf(space.log_density(x)).tolist() == [True, True, False]
        assert np.isfinite(space.to_standard(x)).all(axis=1).tolist() == [False, False, True]


@pytest.mark.parametrize("mean", [3.0, 8.0, 400.0])
def test_whole_numbers_are_right_far_beyond_what_scipy_can_invert(mean):
    u = np.array([6.005, 6.1, 7.0, 8.0, 8.5, 9.0, 12.0, 20.0])
    x = StandardSpace.of([stats.poisson(mean)]).to_physical(u[:, None])[:, 0]
    with mp.workdps(40):

        def tail(k):  # P(X > k)
            return mp.gammainc(k + 1, 0, mean, regularized=True)

        for point, whole in zip(u, x, strict=True):
            q = mp.erfc(mp.mpf(point) / mp.sqrt(2)) / 2
            assert whole == int(whole)
            assert tail(int(whole)) <= q * (1 + mp.mpf(10) ** -9)
            assert tail(int(whole) - 1) > q * (1 - mp.mpf(10) ** -9)


@pytest.mark.parametrize("method", ["to_standard", "log_density"])
def test_discrete_marginals_have_neither_inverse_nor_density(method):
    space = StandardSpace.of([stats.norm(0, 1), stats.poisson(3)])
    message = rf"{method} needs continuous marginals; number 2, poisson\(3\), is discrete"
    with pytest.raises(TypeError, match=message):
        getattr(space, method)(np.zeros((1, 2)))
