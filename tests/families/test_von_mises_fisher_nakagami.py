"""VonMisesFisherNakagami keeps the family contract; its density, sampler, fit, and rare events."""

import mpmath as mp
import numpy as np
import pytest
from scipy import special, stats

import cem
from cem import Normal
from cem.families.von_mises_fisher_nakagami import VonMisesFisherNakagami
from cem.testing import FamilyContract

PLANE = VonMisesFisherNakagami(
    [0.5, 0.3, 0.2],
    [[1.0, 0.0], [-0.6, 0.8], [0.0, -1.0]],
    [20.0, 30.0, 10.0],
    [4.0, 2.0, 9.0],
    [9.0, 1.0, 30.0],
)


class Penalised(FamilyContract):
    """What fit minimises is the cross-entropy and what BIC charges for the components."""

    n = 2000

    def _near(self):  # sixteen samples, as elsewhere, do not show the components
        few = self.family.fit(self._sample(2)[:200], self._weights()[:200])
        return self.family.smooth(few, 0.5)

    def _loss(self, member, x, w):
        n, working = w.sum() ** 2 / (w @ w), np.count_nonzero(member.weight)
        cost = (member.n_coordinates + 3) * working / 2
        return super()._loss(member, x, w) + cost * np.log(n) / n


class TestThreeComponents(Penalised):
    family = PLANE
    degrees = 14


class TestTwoOfThreeInFiveDimensions(Penalised):
    family = VonMisesFisherNakagami(
        [0.6, 0.4, 0.0],
        np.eye(3, 5),
        [10.0, 40.0, 0.0],
        [4.0, 20.0, 2.5],
        [9.0, 1.0, 5.0],
    )
    degrees = 15


class TestTheStandardNormal(Penalised):
    family = VonMisesFisherNakagami.standard_normal(2, 2)
    degrees = 4


def one(direction, concentration, shape=2.0, scale=1.0):
    arrays = [np.array([a], dtype=float) for a in (direction, concentration, shape, scale)]
    return VonMisesFisherNakagami(np.ones(1), *arrays)


def means(f):
    """``E a``, ``E r^2`` and ``E ln r^2``."""
    d = f.n_coordinates
    ratio = special.iv(d / 2, f.concentration) / special.iv(d / 2 - 1, f.concentration)
    log_square = special.digamma(f.shape) - np.log(f.shape / f.scale)
    return (f.weight * ratio) @ f.direction, f.weight @ f.scale, f.weight @ log_square


# The density


@pytest.mark.parametrize("d", [2, 3, 10, 100, 1000])
def test_the_standard_normal_density_is_a_member_to_twelve_digits(d):
    x = np.random.default_rng(0).normal(size=(50, d)) * np.geomspace(1e-3, 10, 50)[:, None]
    f, exact = VonMisesFisherNakagami.standard_normal(d, 3), Normal(np.zeros(d), np.ones(d))
    np.testing.assert_allclose(f.log_density(x), exact.log_density(x), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(f.spread(), 1.0, rtol=1e-12)


def test_the_density_integrates_to_one_in_the_plane():
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    nodes, weights = np.polynomial.legendre.leggauss(300)
    r = 10 * (nodes + 1)
    x = (r[:, None, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)).reshape(-1, 2)
    f = np.exp(PLANE.log_density(x)).reshape(300, 400).mean(axis=1) * 2 * np.pi
    assert f @ (10 * weights * r) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("d", [2, 3, 7, 60])
def test_the_density_is_the_published_product_to_many_digits(d):
    mu = np.full(d, 1 / np.sqrt(d))
    f, x = one(mu, 3.5, 1.7, 2.3), np.random.default_rng(0).normal(size=(5, d))
    for row, found in zip(x, f.log_density(x), strict=True):
        r, nu = mp.sqrt(sum(mp.mpf(c) ** 2 for c in row)), mp.mpf(d) / 2 - 1
        cosine = sum(mp.mpf(c) * mp.mpf(m) for c, m in zip(row, mu, strict=True)) / r
        direction = nu * mp.log(3.5) - (nu + 1) * mp.log(2 * mp.pi) - mp.log(mp.besseli(nu, 3.5))
        m, omega = mp.mpf(1.7), mp.mpf(2.3)
        distance = mp.log(2) + m * mp.log(m / omega) - mp.loggamma(m)
        distance += (2 * m - 1) * mp.log(r) - m * r**2 / omega
        exact = direction + 3.5 * cosine + distance - (d - 1) * mp.log(r)
        assert abs(found - exact) < 1e-12 * max(1, abs(exact))


def test_far_points_and_none_have_no_density_and_the_origin_has_a_finite_one():
    f = VonMisesFisherNakagami.standard_normal(2, 1)
    x = np.array([[1e300, 0.0], [np.inf, 0.0], [np.inf, np.inf], [np.nan, 0.0], [0.0, np.nan]])
    assert (f.log_density(x)[1:] == -np.inf).all()
    assert f.log_density(x)[0] < -1e300
    assert f.log_density(np.zeros((1, 2)))[0] == pytest.approx(-np.log(2 * np.pi), abs=1e-12)
    assert f.log_density(np.full((1, 2), 1e-200))[0] == pytest.approx(-np.log(2 * np.pi), abs=1e-12)


# The sampler


@pytest.mark.parametrize("kappa", [1e-9, 0.5, 30.0, 1e6])
def test_directions_in_space_have_the_closed_distribution_function(kappa):
    mu = np.array([2.0, -1.0, 2.0]) / 3
    x = one(mu, kappa).sample(np.random.default_rng(0), 4000)
    gap = ((x / np.sqrt((x**2).sum(axis=1))[:, None] - mu) ** 2).sum(axis=1) / 2
    u = np.expm1(-kappa * gap) / np.expm1(-2 * kappa)
    assert stats.kstest(u, "uniform").pvalue > 1e-6
    side = x @ np.array([[1.0, 2.0, 0.0], [-4.0, 2.0, 5.0]]).T / np.sqrt([5, 45])
    assert stats.kstest(np.arctan2(*side.T) / (2 * np.pi) + 0.5, "uniform").pvalue > 1e-6


@pytest.mark.parametrize("d", [2, 4, 1000])
def test_cosines_have_the_density_of_von_mises_and_fisher(d):
    kappa = 1.5 * d
    x = one(np.eye(d)[1], kappa).sample(np.random.default_rng(0), 4000)
    cosine = x[:, 1] / np.sqrt((x**2).sum(axis=1))
    grid = np.linspace(-1, 1, 400_001)[1:-1]
    log_f = kappa * grid + (d - 3) / 2 * np.log1p(-(grid**2))
    f = np.exp(log_f - log_f.max())
    cdf = np.cumsum(f) / f.sum()
    assert stats.kstest(np.interp(cosine, grid, cdf), "uniform").statistic < 0.05


def test_distances_are_nakagami():
    x = one(np.eye(3)[0], 4.0, 2.5, 7.0).sample(np.random.default_rng(0), 4000)
    r = np.sqrt((x**2).sum(axis=1))
    assert stats.kstest(r, stats.nakagami(2.5, scale=np.sqrt(7)).cdf).pvalue > 1e-6


# The fit and the smoothing


def test_with_room_for_one_the_fit_has_the_means_of_the_sample():
    rng = np.random.default_rng(0)
    x, w = one([0.6, 0.0, 0.8], 5.0, 3.0, 4.0).sample(rng, 300), rng.random(300)
    w /= w.sum()
    f = VonMisesFisherNakagami.standard_normal(3, 1).fit(x, w)
    square = (x**2).sum(axis=1)
    direction, scale, log_square = means(f)
    np.testing.assert_allclose(direction, w @ (x / np.sqrt(square)[:, None]), rtol=1e-11)
    assert scale == pytest.approx(w @ square, rel=1e-13)
    assert log_square == pytest.approx(w @ np.log(square), rel=1e-11)


def test_the_fit_finds_the_components_that_there_are_from_the_standard_normal():
    n = 6000
    x = PLANE.sample(np.random.default_rng(0), n)
    f = VonMisesFisherNakagami.standard_normal(2, 5).fit(x, np.ones(n))
    assert (f.weight > 0).sum() == 3
    np.testing.assert_allclose(f.weight[:3], PLANE.weight, atol=5 * 0.5 / np.sqrt(n))
    np.testing.assert_allclose(f.direction[:3], PLANE.direction, atol=5 / np.sqrt(0.2 * n * 10))
    for name in ("concentration", "shape", "scale"):
        exact = getattr(PLANE, name)
        np.testing.assert_allclose(getattr(f, name)[:3], exact, rtol=5 * np.sqrt(2 / (0.2 * n)))


def test_the_fit_finds_two_directions_in_two_hundred_dimensions():
    true = VonMisesFisherNakagami([0.6, 0.4], np.eye(2, 200), [150, 150], [90, 90], [250, 250])
    x = true.sample(np.random.default_rng(0), 1500)
    f = VonMisesFisherNakagami.standard_normal(200, 3).fit(x, np.ones(1500))
    assert f.weight.round(1).tolist() == [0.6, 0.4, 0.0]
    assert (np.abs((f.direction[:2] * true.direction).sum(axis=1)) > 0.9).all()


def test_one_sample_gives_a_narrow_density_and_no_error():
    f = VonMisesFisherNakagami.standard_normal(3, 2).fit(np.array([[0.0, 3.0, 4.0]]), np.ones(1))
    x = f.sample(np.random.default_rng(0), 100)
    assert np.abs(x - [0.0, 3.0, 4.0]).max() < 0.05
    assert np.isfinite(f.log_density(x)).all()


@pytest.mark.parametrize("alpha", [1e-6, 0.4, 0.9])
def test_smoothing_keeps_the_means_of_direction_and_distance(alpha):
    other = PLANE.replace(direction=-PLANE.direction, shape=PLANE.shape[::-1], scale=np.ones(3))
    both = PLANE.smooth(other, alpha)
    assert both.weight.shape == (3,)
    for old, new, found in zip(means(PLANE), means(other), means(both), strict=True):
        np.testing.assert_allclose(found, (1 - alpha) * old + alpha * new, rtol=1e-9)


def test_smoothing_within_the_room_there_is_is_the_mixture_of_the_two_densities():
    x = np.random.default_rng(0).normal(size=(50, 2)) * 3
    old = VonMisesFisherNakagami.standard_normal(2, 4)
    exact = np.log(0.3 * np.exp(old.log_density(x)) + 0.7 * np.exp(PLANE.log_density(x)))
    np.testing.assert_allclose(old.smooth(PLANE, 0.7).log_density(x), exact, rtol=1e-12)


def test_no_narrower_makes_no_tail_fall_faster_and_keeps_the_mean_square():
    nominal = VonMisesFisherNakagami.standard_normal(2, 3)
    wide = PLANE.no_narrower_than(nominal)
    assert (wide.shape / wide.scale).tolist() == [4 / 9, 0.5, 0.3]
    assert wide.scale.tolist() == PLANE.scale.tolist()


# Rare events


def farthest(x):
    return np.sqrt((x**2).sum(axis=1))


def straight(x):
    return x.sum(axis=1) / np.sqrt(x.shape[1])


def either_side(x):
    return np.abs(x[:, 0])


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(
    ("problem", "level", "exact", "k", "n"),
    [
        (farthest, 13.49543542, stats.chi(100).sf(13.49543542), 1, 2000),
        (straight, 3.5, stats.norm.sf(3.5), 2, 2000),
        (either_side, 4.0, 2 * stats.norm.sf(4.0), 2, 5000),
    ],
    ids=["sphere", "plane", "two planes"],
)
def test_rare_events_in_a_hundred_dimensions_have_their_probability(
    problem, level, exact, k, n, seed
):
    u = VonMisesFisherNakagami.standard_normal(100, k)
    found = cem.estimate(problem, u, level, n_samples=n, n_final=10_000, rng=seed)
    assert found.success
    assert found.relative_error < 0.05
    assert abs(found.probability - exact) < 4.5 * found.std_error


# What is refused


def test_the_origin_has_no_direction_to_fit():
    f = VonMisesFisherNakagami.standard_normal(2, 1)
    with pytest.raises(ValueError, match=r"must have a direction; got the origin in row 1$"):
        f.fit(np.array([[1.0, 0.0], [0.0, 0.0]]), np.ones(2))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"direction": [[1.0, 1.0]]}, r"direction must hold rows of length 1; got length 1\.41"),
        ({"direction": [[1.0]]}, r"direction must have two coordinates or more; got 1$"),
        ({"concentration": [-1.0]}, r"concentration must be finite and not negative; got -1"),
        ({"shape": [0.0]}, r"shape must be positive and finite; got 0 at index 0$"),
        ({"scale": [np.inf]}, r"scale must be positive and finite; got inf at index 0$"),
        ({"weight": [0.5]}, r"weight must sum to 1; got 0\.5$"),
        ({"shape": [1.0, 2.0]}, r"weight has 1, direction has 1, concentration has 1, shape has 2"),
    ],
)
def test_a_bad_parameter_is_named_with_the_reason(change, message):
    with pytest.raises(ValueError, match=message):
        one([1.0, 0.0], 1.0).replace(**change)
