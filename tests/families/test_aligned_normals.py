"""AlignedNormals keeps the family contract; its density, fit, components and rare events."""

import mpmath as mp
import numpy as np
import pytest
from scipy import stats

import cem
from cem import MultivariateNormal, Normal
from cem.families.aligned_normals import AlignedNormals
from cem.testing import FamilyContract

PLANE = AlignedNormals(
    [0.5, 0.3, 0.2],
    [[6.0, 0.0], [-4.0, 3.0], [0.0, -9.0]],
    [0.8, 1.0, 1.5],
    [0.5, 1.2, 0.4],
)


def axes(f):
    length = np.sqrt((f.mean**2).sum(axis=1))[:, None]
    return f.mean / np.where(length > 0, length, 1.0)


def covariances(f):
    a = axes(f)
    outer = a[:, :, None] * a[:, None]
    across, along = (v[:, None, None] ** 2 for v in (f.across, f.along))
    return across * np.eye(f.n_coordinates) + (along - across) * outer


def turned(f, towards):
    """Every mean projected on the nearest of other directions."""
    a = axes(towards)
    a = a[(axes(f) @ a.T).argmax(axis=1)]
    return f.replace(mean=(f.mean * a).sum(axis=1)[:, None] * a)


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

    def test_fit_minimises_the_cross_entropy(self):
        """Given the directions of the means: these are not the likeliest ones, unlike the rest."""
        x, w = self._sample(0), self._weights()
        best = self.family.fit(x, w)
        floor = self._loss(best, x, w)
        others = [self.family, *(self.family.fit(x, self._weights(seed)) for seed in range(1, 6))]
        rivals = [turned(other, best) for other in others]
        tried = [best.smooth(rival, alpha) for rival in rivals for alpha in (1e-4, 1e-2, 0.3, 1.0)]
        for name, array in best.parameters().items():
            changed = (factor * array for factor in (0.9, 0.999, 1.001, 1.1))
            tried += [best.replace(**{name: a}) for a in changed if name != "weight"]
        for rival in tried:
            assert self._loss(rival, x, w) >= floor - 1e-12 * max(1.0, abs(floor))


class TestThreeComponents(Penalised):
    family = PLANE
    degrees = 14


class TestTwoOfThreeInFiveDimensions(Penalised):
    family = AlignedNormals([0.6, 0.4, 0.0], 7 * np.eye(3, 5), [1.0, 0.5, 1.0], [0.5, 2.0, 1.0])
    degrees = 15


class TestTheStandardNormal(Penalised):
    family = AlignedNormals.standard_normal(2, 2)
    degrees = 4


class TestOneAsWideAlongAsAcross(Penalised):
    family = AlignedNormals([1.0], [[3.0, 4.0, 0.0]], [2.0], [2.0])
    degrees = 5


# The density and the sampler


def test_the_density_is_the_weighted_sum_of_scipys():
    x = np.random.default_rng(0).normal(size=(50, 2)) * 6
    parts = zip(PLANE.mean, covariances(PLANE), strict=True)
    each = [stats.multivariate_normal(m, c).logpdf(x) for m, c in parts]
    exact = np.logaddexp.reduce(np.log(PLANE.weight)[:, None] + each)
    np.testing.assert_allclose(PLANE.log_density(x), exact, rtol=1e-12)


@pytest.mark.parametrize("d", [2, 10, 1000])
def test_as_wide_along_as_across_it_is_the_normal_density(d):
    rng = np.random.default_rng(0)
    mean, x = rng.normal(size=d), rng.normal(size=(50, d))
    f, exact = AlignedNormals([1.0], [mean], [1.5], [1.5]), Normal(mean, np.full(d, 1.5))
    np.testing.assert_allclose(f.log_density(x), exact.log_density(x), rtol=1e-13)
    np.testing.assert_allclose(f.spread(), 1.5, rtol=1e-13)


@pytest.mark.parametrize("d", [2, 10, 100, 1000])
def test_the_standard_normal_density_is_a_member(d):
    x = np.random.default_rng(0).normal(size=(50, d)) * np.geomspace(1e-3, 10, 50)[:, None]
    f, exact = AlignedNormals.standard_normal(d, 3), Normal(np.zeros(d), np.ones(d))
    np.testing.assert_allclose(f.log_density(x), exact.log_density(x), rtol=1e-14)
    assert f.spread().tolist() == [1.0] * d
    assert f.weight.tolist() == [1, 0, 0]


def test_the_density_of_a_narrow_component_far_away_has_many_digits():
    rng = np.random.default_rng(0)
    mean = 1e5 * np.tile([2.0, -1.0, 2.0], 10)
    f = AlignedNormals([1.0], [mean], [1e-2], [1e-3])
    x = mean + 1e-2 * rng.normal(size=(20, 30))
    length = mp.sqrt(sum(mp.mpf(m) ** 2 for m in mean))
    for row, found in zip(x, f.log_density(x), strict=True):
        gap = [mp.mpf(c) - mp.mpf(m) for c, m in zip(row, mean, strict=True)]
        step = sum(g * mp.mpf(m) for g, m in zip(gap, mean, strict=True)) / length
        rest = sum(g**2 for g in gap) - step**2
        z = rest / mp.mpf(1e-2) ** 2 + step**2 / mp.mpf(1e-3) ** 2
        exact = -z / 2 - 29 * mp.log(1e-2) - mp.log(1e-3) - 15 * mp.log(2 * mp.pi)
        assert abs(found - exact) < 1e-11 * abs(exact)


def test_a_mean_however_near_the_origin_has_a_direction():
    f = AlignedNormals([1.0], [[3e-200, 4e-200]], [2.0], [0.5])
    x = np.array([[0.6, 0.8], [-0.8, 0.6]])
    np.testing.assert_allclose(
        f.log_density(x), [-2 - np.log(2 * np.pi), -1 / 8 - np.log(2 * np.pi)]
    )


def test_far_points_have_no_density():
    x = np.array([[1e300, 0.0], [np.inf, 0.0], [np.inf, -np.inf], [np.nan, 0.0]])
    assert (PLANE.log_density(x) == -np.inf).all()


def test_samples_are_standard_normal_along_the_mean_and_across():
    f = AlignedNormals([1.0], [[2.0, -4.0, 4.0]], [3.0], [0.2])
    z = f.sample(np.random.default_rng(0), 4000) - f.mean
    frame = np.array([[1.0, -2.0, 2.0], [2.0, 2.0, 1.0], [2.0, -1.0, -2.0]]) / 3
    for column, width in zip(frame @ z.T, (0.2, 3.0, 3.0), strict=True):
        assert stats.kstest(column / width, "norm").pvalue > 1e-6


def test_the_spread_is_that_of_the_whole_mixture():
    gap = PLANE.mean - PLANE.weight @ PLANE.mean
    exact = np.tensordot(PLANE.weight, covariances(PLANE) + gap[:, :, None] * gap[:, None], 1)
    np.testing.assert_allclose(PLANE.spread() ** 2, np.diagonal(exact), rtol=1e-13)


# The fit and the smoothing


def test_with_room_for_one_the_fit_has_the_moments_of_the_sample():
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(60, 4)) * [1, 2, 3, 4] + [2.0, -1.0, 0.5, 4.0], rng.random(60)
    f = AlignedNormals.standard_normal(4, 1).fit(x, w)
    exact = MultivariateNormal(np.zeros(4), np.eye(4)).fit(x, w)
    a = exact.mean / np.sqrt(exact.mean @ exact.mean)
    along = a @ exact.cov @ a
    np.testing.assert_allclose(f.mean[0], exact.mean, rtol=1e-13)
    np.testing.assert_allclose(f.along**2, along, rtol=1e-12)
    np.testing.assert_allclose(f.across**2, (np.trace(exact.cov) - along) / 3, rtol=1e-12)


def test_the_fit_finds_the_components_that_there_are_from_the_standard_normal():
    n = 6000
    x = PLANE.sample(np.random.default_rng(0), n)
    f = AlignedNormals.standard_normal(2, 5).fit(x, np.ones(n))
    assert (f.weight > 0).sum() == 3
    np.testing.assert_allclose(f.weight[:3], PLANE.weight, atol=5 * 0.5 / np.sqrt(n))
    np.testing.assert_allclose(f.mean[:3], PLANE.mean, atol=5 * 1.5 / np.sqrt(0.2 * n))
    for name in ("across", "along"):
        exact = getattr(PLANE, name)
        np.testing.assert_allclose(getattr(f, name)[:3], exact, rtol=5 / np.sqrt(0.4 * n))


@pytest.mark.parametrize("d", [10, 100])
@pytest.mark.parametrize("seed", range(3))
def test_two_sides_are_told_apart_by_five_hundred_weighted_samples(d, seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((500, d))
    x[:, 0] = stats.norm.isf(stats.norm.sf(3.5) * rng.random(500)) * rng.choice([-1, 1], 500)
    f = AlignedNormals.standard_normal(d, 4).fit(x, rng.standard_exponential(500))
    assert (f.weight > 0).tolist() == [True, True, False, False]
    assert sorted(f.mean[:2, 0].round(1)) == pytest.approx([-3.8, 3.8], abs=0.11)
    off = 1 - axes(f)[:2, 0] ** 2  # d - 1 errors of means of 125 effective samples each
    assert (off < 1.6 * (d - 1) / (125 * 3.8**2)).all()


def test_noise_is_not_split_where_there_are_fewer_samples_than_coordinates():
    for seed in range(5):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal((150, 300)) + 4 * np.eye(1, 300)
        f = AlignedNormals.standard_normal(300, 4).fit(x, rng.standard_exponential(150))
        assert f.weight.tolist() == [1, 0, 0, 0]


def test_samples_whose_mean_is_zero_have_one_width():
    x = np.array([[3.0, 0.0], [-3.0, 0.0], [0.0, 4.0], [0.0, -4.0]])
    f = AlignedNormals.standard_normal(2, 1).fit(x, np.ones(4))
    assert f.mean.tolist() == [[0.0, 0.0]]
    np.testing.assert_allclose([*f.across, *f.along], 2.5, rtol=1e-15)


@pytest.mark.parametrize("point", [[0.0, 3.0, 4.0], [0.0, 0.0, 0.0]])
def test_samples_all_alike_give_a_narrow_density_and_no_error(point):
    f = AlignedNormals.standard_normal(3, 2)
    for _ in range(3):
        f = f.fit(np.tile(point, (20, 1)), np.ones(20))
        assert np.isfinite(f.log_density(np.array([point]))).all()
    assert (f.spread() < 1e-5).all()


@pytest.mark.parametrize("alpha", [1e-6, 0.4, 0.9])
def test_smoothing_keeps_the_mean_and_the_mean_square_of_the_whole(alpha):
    other = PLANE.replace(mean=PLANE.mean[::-1] + 0.5, weight=np.array([0.1, 0.1, 0.8]))
    both = PLANE.smooth(other, alpha)
    assert both.weight.shape == (3,)
    for moment in (
        lambda f: f.weight @ f.mean,
        lambda f: f.weight @ (f.along**2 + f.across**2 + (f.mean**2).sum(axis=1)),
    ):
        exact = (1 - alpha) * moment(PLANE) + alpha * moment(other)
        np.testing.assert_allclose(moment(both), exact, rtol=1e-12, atol=1e-12)


def test_two_merged_into_one_have_the_variance_along_its_mean_of_both():
    one, other = (PLANE.replace(weight=np.eye(3)[j]) for j in (0, 1))
    pair = [
        AlignedNormals([1.0], *(a[[j]] for a in (PLANE.mean, PLANE.across, PLANE.along)))
        for j in (0, 1)
    ]
    both = pair[0].smooth(pair[1], 0.3)
    room = one.smooth(other, 0.3)
    gap = room.mean[:2] - both.mean
    cov = np.tensordot(room.weight[:2], covariances(room)[:2] + gap[:, :, None] * gap[:, None], 1)
    a = axes(both)[0]
    np.testing.assert_allclose(both.mean[0], 0.7 * PLANE.mean[0] + 0.3 * PLANE.mean[1])
    np.testing.assert_allclose(both.along**2, a @ cov @ a, rtol=1e-12)
    np.testing.assert_allclose(both.across**2, np.trace(cov) - a @ cov @ a, rtol=1e-12)


def test_two_opposite_ones_merge_into_one_width_about_the_origin():
    one = AlignedNormals([1.0], [[3.0, 0.0, 4.0]], [0.5], [2.0])
    both = one.smooth(one.replace(mean=-one.mean), 0.5)
    assert both.mean.tolist() == [[0.0, 0.0, 0.0]]
    np.testing.assert_allclose([both.across, both.along], np.sqrt((2 * 0.25 + 4 + 25) / 3))


def test_those_are_merged_whose_entropy_grows_least_for_their_weight():
    mean = [[9.0, 0.0, 0.0], [9.0, 1.0, 0.0], [0.0, 9.0, 0.0]]
    three = AlignedNormals([0.4, 0.3, 0.3], mean, [0.1, 0.1, 3.0], [1.0, 1.0, 1.0])
    other = three.replace(weight=np.array([0.0, 0.0, 1.0]), mean=three.mean + 2 * np.eye(3)[2])
    both = three.smooth(other, 0.25)
    merged = [both.mean[j] for j in range(3) if both.across[j] > 2]
    np.testing.assert_allclose(merged, [[0.0, 9.0, 2.0 * 0.25 / 0.475]])


def test_smoothing_within_the_room_there_is_is_the_mixture_of_the_two_densities():
    x = np.random.default_rng(0).normal(size=(50, 2)) * 3
    old = AlignedNormals.standard_normal(2, 4)
    exact = np.log(0.3 * np.exp(old.log_density(x)) + 0.7 * np.exp(PLANE.log_density(x)))
    np.testing.assert_allclose(old.smooth(PLANE, 0.7).log_density(x), exact, rtol=1e-12)


def test_no_narrower_leaves_no_width_below_three_quarters_of_the_largest_of_the_other():
    nominal = AlignedNormals.standard_normal(2, 3)
    wide = PLANE.no_narrower_than(nominal)
    assert wide.across.tolist() == [0.8, 1.0, 1.5]
    assert wide.along.tolist() == [0.75, 1.2, 0.75]
    assert nominal.no_narrower_than(PLANE).along.tolist() == [1.125, 1.125, 1.125]


def test_no_narrower_keeps_the_variance_of_the_likelihood_ratio_finite():
    f = AlignedNormals([1.0], [[0.5, 0.0]], [0.1], [0.1])
    f = f.no_narrower_than(AlignedNormals.standard_normal(2, 1))
    x = np.linspace(-40, 40, 200_001)
    log_u, step = -x * x / 2, x[1] - x[0]  # of one coordinate, but for a factor of sqrt(2 pi)
    for mean, width in ((0.5, f.along[0]), (0.0, f.across[0])):
        square = np.exp(2 * log_u + ((x - mean) / width) ** 2 / 2) * width / np.sqrt(2 * np.pi)
        t = width**2
        exact = t / np.sqrt(2 * t - 1) * np.exp(mean**2 / (2 * t - 1))
        assert square.sum() * step == pytest.approx(exact, rel=1e-9)


# Rare events


def farthest(x):
    return np.sqrt((x**2).sum(axis=1))


def straight(x):
    return x.sum(axis=1) / np.sqrt(x.shape[1])


def near_and_ahead(x):
    return x[:, 0] - 0.1 * (x[:, 1:] ** 2).sum(axis=1)


def either_side(x):
    return np.abs(x[:, 0])


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(
    ("problem", "level", "exact", "k", "n"),
    [
        (straight, 3.5, stats.norm.sf(3.5), 2, 2000),
        (either_side, 4.0, 2 * stats.norm.sf(4.0), 2, 5000),
        (farthest, 13.0, stats.chi(100).sf(13.0), 1, 2000),
        (near_and_ahead, -4.5, 3.769436118330e-04, 1, 2000),  # by quadrature over a chi-squared
    ],
    ids=["plane", "two planes", "sphere", "paraboloid"],
)
def test_rare_events_in_a_hundred_dimensions_have_their_probability(
    problem, level, exact, k, n, seed
):
    u = AlignedNormals.standard_normal(100, k)
    found = cem.estimate(problem, u, level, n_samples=n, n_final=10_000, rng=seed)
    assert found.success
    assert found.relative_error < 0.1
    assert abs(found.probability - exact) < 4.5 * found.std_error


# What is refused


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mean": [[1.0]]}, r"mean must have two coordinates or more; got 1$"),
        ({"mean": [[np.nan, 1.0]]}, r"mean must be finite; got nan"),
        ({"across": [0.0]}, r"across must be positive and finite; got 0 at index 0$"),
        ({"along": [np.inf]}, r"along must be positive and finite; got inf at index 0$"),
        ({"mean": [[0.0, 0.0]]}, r"same as across where .* got 2 and 1 in component 0$"),
        ({"weight": [0.5]}, r"weight must sum to 1; got 0\.5$"),
        ({"along": [1.0, 2.0]}, r"weight has 1, mean has 1, across has 1, along has 2$"),
    ],
)
def test_a_bad_parameter_is_named_with_the_reason(change, message):
    with pytest.raises(ValueError, match=message):
        AlignedNormals([1.0], [[3.0, 4.0]], [1.0], [2.0]).replace(**change)
