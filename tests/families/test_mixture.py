"""GaussianMixture keeps the family contract; its number of components, smoothing, and modes."""

import numpy as np
import pytest
from scipy import stats

import cem
from cem import MultivariateNormal, Normal
from cem.families.mixture import GaussianMixture
from cem.testing import FamilyContract

THREE = GaussianMixture(
    [0.5, 0.3, 0.2],
    [[-4.0, 0.0], [4.0, 3.0], [3.0, -6.0]],
    [[[1.0, 0.3], [0.3, 0.5]], [[0.5, 0.0], [0.0, 2.0]], [[0.6, -0.2], [-0.2, 0.4]]],
)


class Penalised(FamilyContract):
    """What fit minimises is the cross-entropy and what BIC charges for the components."""

    n = 2000

    def _near(self):  # sixteen samples, as elsewhere, do not show the components
        few = self.family.fit(self._sample(2)[:200], self._weights()[:200])
        return self.family.smooth(few, 0.5)

    def _loss(self, member, x, w):
        n, d = w.sum() ** 2 / (w @ w), member.n_coordinates
        cost = np.count_nonzero(member.weight) * (1 + d + d * (d + 1) / 2) / 2
        return super()._loss(member, x, w) + cost * np.log(n) / n


class TestThreeComponents(Penalised):
    family = THREE
    degrees = 17


class TestTwoOfThreeAtWork(Penalised):
    family = GaussianMixture([0.6, 0.4, 0.0], [[-3.0], [3.0], [3.0]], [[[1.0]], [[2.0]], [[2.0]]])
    degrees = 5


class TestOneWithRoomForThree(Penalised):
    family = GaussianMixture.around([0.0, 1.0], [1.0, 2.0], 3)
    degrees = 5


class TestExtremeScales(Penalised):
    family = GaussianMixture(
        [0.7, 0.3],
        [[1e-60, 0.0], [-9e-60, 1e61]],
        [[[1e-120, 0.3], [0.3, 1e120]], [[2e-120, 0.0], [0.0, 3e120]]],
    )
    degrees = 11


def moments(f):
    mean = f.weight @ f.mean
    gap = f.mean - mean
    return mean, np.tensordot(f.weight, f.cov + gap[:, :, None] * gap[:, None], 1)


def four_branches(u):
    """At least 0 on four branches, two curved and two straight."""
    a, b = u.T
    along, across = (a + b) / np.sqrt(2), 0.1 * (a - b) ** 2 + 3
    straight = 7 / np.sqrt(2)
    return -np.stack([across - along, across + along, straight + a - b, straight - a + b])


def any_branch(u):
    return four_branches(u).max(axis=0)


def test_the_density_is_the_weighted_sum_of_scipys():
    x = np.random.default_rng(0).normal(size=(50, 2)) * 6
    each = [
        stats.multivariate_normal(m, c).pdf(x) for m, c in zip(THREE.mean, THREE.cov, strict=False)
    ]
    np.testing.assert_allclose(THREE.log_density(x), np.log(THREE.weight @ each), rtol=1e-12)


def test_around_a_mean_it_is_the_normal_density_whatever_the_room():
    x = np.random.default_rng(0).normal(size=(50, 2)) * 6
    f, g = GaussianMixture.around([1.0, -2.0], [3.0, 0.1], 5), Normal([1.0, -2.0], [3.0, 0.1])
    np.testing.assert_allclose(f.log_density(x), g.log_density(x), rtol=1e-14)
    np.testing.assert_allclose(f.spread(), g.std, rtol=1e-14)
    assert f.weight.tolist() == [1, 0, 0, 0, 0]


def test_with_room_for_one_the_fit_is_the_weighted_mean_and_covariance():
    x, w = np.random.default_rng(0).normal(size=(2, 50, 3))[0], np.arange(1.0, 51.0)
    fitted = GaussianMixture.around(np.zeros(3), np.ones(3), 1).fit(x, w)
    exact = MultivariateNormal(np.zeros(3), np.eye(3)).fit(x, w)
    np.testing.assert_allclose(fitted.mean[0], exact.mean, rtol=1e-13)
    np.testing.assert_allclose(fitted.cov[0], exact.cov, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("k", [3, 4, 8])
def test_the_fit_finds_the_components_that_there_are_from_one_in_the_middle(k):
    x = THREE.sample(np.random.default_rng(0), 4000)
    fitted = GaussianMixture.around([0.0, 0.0], [4.0, 4.0], k).fit(x, np.ones(4000))
    assert (fitted.weight > 0).sum() == 3
    np.testing.assert_allclose(fitted.weight[:3], THREE.weight, atol=5 * 0.5 / np.sqrt(4000))
    np.testing.assert_allclose(fitted.mean[:3], THREE.mean, atol=5 * np.sqrt(2 / 800))
    np.testing.assert_allclose(fitted.cov[:3], THREE.cov, atol=5 * 2 * np.sqrt(2 / 800))


@pytest.mark.parametrize("d", [2, 6, 12])
def test_a_component_of_three_in_a_hundred_samples_is_found(d):
    n, far = 6000, np.full(d, 8 / np.sqrt(d))
    rng = np.random.default_rng(0)
    rare = rng.random(n) < 0.03
    x = rng.normal(size=(n, d)) * np.where(rare, 0.5, 1.0)[:, None] + rare[:, None] * far
    f = GaussianMixture.around(np.zeros(d), np.ones(d), 8).fit(x, np.ones(n))
    assert f.weight[:3].tolist() == [f.weight[0], pytest.approx(rare.mean(), abs=1e-4), 0.0]
    np.testing.assert_allclose(f.mean[1], x[rare].mean(axis=0), atol=1e-3)
    np.testing.assert_allclose(f.cov[1], np.cov(x[rare].T, bias=True), atol=3e-3)


def test_the_fit_solves_the_likelihood_equations():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(size=(400, 2)), rng.normal(size=(300, 2)) * 2 + 4])
    w = rng.standard_exponential(700)
    w /= w.sum()
    f = GaussianMixture.around([0.0, 0.0], [4.0, 4.0], 2).fit(x, w)
    each = [MultivariateNormal(m, c).log_density(x) for m, c in zip(f.mean, f.cov, strict=True)]
    r = w * np.exp(np.log(f.weight)[:, None] + each - f.log_density(x))
    np.testing.assert_allclose(r.sum(axis=1), f.weight, rtol=1e-4)
    for j in range(2):
        exact = MultivariateNormal([0.0, 0.0], np.eye(2)).fit(x, r[j])
        np.testing.assert_allclose(f.mean[j], exact.mean, atol=1e-4)
        np.testing.assert_allclose(f.cov[j], exact.cov, atol=1e-3)


def test_a_component_that_is_gone_can_come_back():
    x = THREE.sample(np.random.default_rng(0), 900)
    left = x[x[:, 0] < 0]
    one = THREE.fit(left, np.ones(len(left)))
    again = one.fit(x, np.ones(len(x)))
    assert [(f.weight > 0).sum() for f in (one, again)] == [1, 3]


def test_no_component_narrows_down_on_a_few_points():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(size=(200, 2)), [[9.0, 9.0], [9.0, 9.001], [-8.0, 5.0]]])
    f = GaussianMixture.around([0.0, 0.0], [3.0, 3.0], 6).fit(x, np.ones(203))
    works = f.weight > 0
    assert np.linalg.eigvalsh(f.cov[works]).min() > 0.1
    assert (f.weight[works] * 203 >= 6).all()


def test_samples_on_a_line_give_a_component_that_is_not_quite_flat():
    t = np.linspace(-1, 1, 40)
    f = GaussianMixture.around([0.0, 0.0], [1.0, 1.0], 2)
    for _ in range(3):
        f = f.fit(np.column_stack([t, 2 * t + 1]), np.ones(40))
        assert f.support() is not None
    across = np.array([2.0, -1.0]) / np.sqrt(5)
    width = np.sqrt(across @ f.cov[0] @ across) / np.sqrt(t.var() * 5)
    assert 1e-8 < width < 1e-6


def test_samples_all_alike_give_a_narrow_density_and_no_error():
    f = GaussianMixture.around([0.0, 0.0], [1.0, 1.0], 3)
    for _ in range(4):
        f = f.fit(np.full((20, 2), 0.3), np.ones(20))
        assert np.isfinite(f.log_density(np.full((1, 2), 0.3))).all()
    assert (f.spread() < 1e-20).all()


def test_smoothing_within_the_room_there_is_is_the_mixture_of_the_two_densities():
    x = np.random.default_rng(0).normal(size=(50, 2)) * 6
    old, new = GaussianMixture.around([0.0, 0.0], [1.0, 1.0], 4), THREE
    both = old.smooth(new, 0.7)
    exact = np.log(0.3 * np.exp(old.log_density(x)) + 0.7 * np.exp(new.log_density(x)))
    np.testing.assert_allclose(both.log_density(x), exact, rtol=1e-12)


@pytest.mark.parametrize("alpha", [1e-9, 0.3, 0.9])
def test_smoothing_keeps_the_mean_and_the_covariance_of_the_whole(alpha):
    other = THREE.replace(mean=THREE.mean[::-1] + 0.5, weight=np.array([0.1, 0.1, 0.8]))
    both = THREE.smooth(other, alpha)
    assert both.weight.shape == (3,)
    (m, c), (n, e) = moments(THREE), moments(other)
    gap = m - n
    mean, cov = moments(both)
    np.testing.assert_allclose(mean, (1 - alpha) * m + alpha * n, atol=1e-12)
    exact = (1 - alpha) * c + alpha * e + alpha * (1 - alpha) * np.outer(gap, gap)
    np.testing.assert_allclose(cov, exact, rtol=1e-12)


def test_smoothing_goes_from_one_member_to_the_other_without_a_jump():
    x = THREE.sample(np.random.default_rng(0), 500)
    other = THREE.replace(mean=THREE.mean + 0.5, weight=np.array([0.2, 0.2, 0.6]))
    near_old, near_new = THREE.smooth(other, 1e-7), THREE.smooth(other, 1 - 1e-7)
    np.testing.assert_allclose(near_old.log_density(x), THREE.log_density(x), atol=1e-4)
    np.testing.assert_allclose(near_new.log_density(x), other.log_density(x), atol=1e-4)
    assert THREE.smooth(other, 0) is THREE
    assert THREE.smooth(other, 1) is other


def test_smoothing_does_not_depend_on_the_order_of_the_components():
    order = [2, 0, 1]
    other = THREE.replace(mean=THREE.mean + 0.5)
    mixed = THREE.replace(**{k: a[order] for k, a in other.parameters().items()})
    for a, b in zip(
        THREE.smooth(other, 0.4)._all().values(),
        THREE.smooth(mixed, 0.4)._all().values(),
        strict=False,
    ):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_no_narrower_raises_every_component_to_the_variance_of_the_other():
    nominal = GaussianMixture.around([0.0, 0.0], [1.0, 1.0], 3)
    wide = THREE.no_narrower_than(nominal)
    assert np.linalg.eigvalsh(wide.cov - THREE.cov).min() > -1e-12
    assert np.linalg.eigvalsh(wide.cov).min() > 1 - 1e-12
    np.testing.assert_allclose(wide.cov[1], [[1.0, 0.0], [0.0, 2.0]], atol=1e-12)


def test_a_flat_component_has_an_infinite_density_on_its_plane_only():
    f = GaussianMixture([0.5, 0.5], np.zeros((2, 2)), [np.eye(2), [[1.0, 1.0], [1.0, 1.0]]])
    at = f.log_density(np.array([[2.0, 2.0], [0.0, 1.0]]))
    assert at[0] == np.inf
    assert at[1] == pytest.approx(np.log(0.5 / (2 * np.pi)) - 0.5)
    assert f.support() is None


@pytest.mark.parametrize("seed", range(5))
def test_all_four_branches_are_found_and_their_probability_is_exact_within_its_error(seed):
    u = GaussianMixture.around([0.0, 0.0], [1.0, 1.0], 6)
    found = cem.estimate(any_branch, u, 0.0, n_samples=2000, n_final=20_000, rng=seed)
    assert found.success
    assert abs(found.probability - 2.222795066e-3) < 4.5 * found.std_error
    assert found.relative_error < 0.03
    x = found.family.sample(np.random.default_rng(0), 4000)
    assert ((four_branches(x) >= 0).mean(axis=1) > 0.02).all()


def two_peaks(x):
    """A narrow peak of height 1 at (3, 3), a broad one of height 0.8 at (-3, -3)."""
    narrow, broad = (((x + c) ** 2).sum(axis=1) for c in (-3.0, 3.0))
    return np.exp(-narrow / 2) + 0.8 * np.exp(-broad / 8)


def test_the_narrow_peak_is_found_that_a_single_normal_density_misses():
    limits = {"n_samples": 300, "max_iterations": 25}
    mixture = GaussianMixture.around([0.0, 0.0], [3.0, 3.0], 4)
    single = MultivariateNormal([0.0, 0.0], 9 * np.eye(2))
    found = [cem.maximize(two_peaks, mixture, rng=seed, **limits).fun for seed in range(5)]
    missed = [cem.maximize(two_peaks, single, rng=seed, **limits).fun for seed in range(5)]
    assert min(found) > 0.999
    assert sum(fun > 0.999 for fun in missed) <= 3


def test_too_few_samples_to_span_the_space_are_refused():
    f = GaussianMixture.around(np.zeros(3), np.ones(3), 2)
    with pytest.raises(ValueError, match=r"fit needs at least 4 samples of .* got 3: raise n_samp"):
        f.fit(np.eye(3), np.ones(3))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.5, 0.4], [[0.0], [1.0]], np.ones((2, 1, 1))), r"weight must sum to 1; got 0\.9$"),
        (([1.0], [[0.0], [1.0]], np.ones((2, 1, 1))), r"weight has 1, mean has 2, cov has 2$"),
        (([1.0], [[0.0, 1.0]], np.ones((1, 1, 1))), r"cov must have shape \(1, 2, 2\) .* \(1, 1, "),
        (([1.0], [[0.0]], [[[-1.0]]]), r"cov must have no negative .* in that of component 0$"),
        (([1.0], [[0.0]], [[[np.nan]]]), r"cov must be finite; got nan .* of component 0$"),
        (([1.5, -0.5], [[0.0], [1.0]], np.ones((2, 1, 1))), r"weight must lie in \[0, 1\]; got"),
        (([1.0], [0.0], np.ones((1, 1, 1))), r"mean must have 2 axes"),
    ],
)
def test_a_bad_parameter_is_named_with_the_reason(arguments, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixture(*arguments)


def test_components_that_share_a_distant_mean_are_no_wider_for_it():
    f = GaussianMixture([0.1] * 10, [[1e300, 7.0]] * 10, [np.diag([4.0, 9.0])] * 10)
    np.testing.assert_allclose(f.spread(), [2.0, 3.0], rtol=1e-15)
