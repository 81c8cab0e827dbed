"""ColouredNormal keeps the family contract; its spectrum, its fit, and white noise."""

import mpmath as mp
import numpy as np
import pytest
from scipy import stats

import cem
from cem import Normal
from cem.checkpoint import dumps, loads
from cem.families.coloured_normal import ColouredNormal
from cem.loss import empirical_cross_entropy, entropy, kl_divergence
from cem.state import History, State
from cem.testing import FamilyContract

RNG = np.random.default_rng(3)


def plan(horizon, n_actions=1, beta=2.0):
    d = horizon * n_actions
    return ColouredNormal(np.linspace(-1, 2, d), np.linspace(0.5, 2.0, d), beta, horizon)


class TestPink(FamilyContract):
    family = plan(5, beta=1.0)


class TestRedOfTwoNumbersAnAction(FamilyContract):
    family = plan(6, 2)


class TestWhite(FamilyContract):
    family = plan(3, beta=0.0)


class TestOneAction(FamilyContract):
    family = plan(1, 2)


class TestExtremeScales(FamilyContract):
    family = ColouredNormal([1e-150, 0.0, 1e80], [1e-152, 1e-60, 1e78], 3.0, 3)


def spectrum(horizon, beta):
    """The eigenvalues of the correlation, from the definition of the noise, in many digits."""
    power = [mp.mpf(max(min(k, horizon - k), 1)) ** -mp.mpf(beta) for k in range(horizon)]
    return [p * horizon / sum(power) for p in power]


def correlation(horizon, beta):
    def at(lag):
        waves = enumerate(spectrum(horizon, beta))
        return sum(p * mp.cos(2 * mp.pi * k * lag / horizon) for k, p in waves) / horizon

    return np.array([[float(at(i - j)) for j in range(horizon)] for i in range(horizon)])


@pytest.mark.parametrize("horizon", [1, 2, 3, 8, 9])
@pytest.mark.parametrize("beta", [0.0, 1.0, 2.5])
def test_the_correlation_is_a_sum_of_waves_with_powers_one_over_f_to_the_beta(horizon, beta):
    found = plan(horizon, beta=beta).correlation
    np.testing.assert_allclose(found, correlation(horizon, beta), atol=1e-14)
    np.testing.assert_allclose(np.diag(found), 1, rtol=1e-14)


@pytest.mark.parametrize("horizon", [7, 8])
def test_the_spectrum_of_the_samples_falls_as_a_power_of_the_frequency(horizon):
    n, beta = 40_000, 2.0
    f = ColouredNormal(np.zeros(horizon), np.ones(horizon), beta, horizon)
    x = f.sample(np.random.default_rng(0), n)
    power = (np.abs(np.fft.rfft(x)) ** 2).mean(axis=0) / horizon
    expected = np.array([float(p) for p in spectrum(horizon, beta)[: horizon // 2 + 1]])
    np.testing.assert_allclose(power, expected, rtol=5 * np.sqrt(2 / n))
    assert expected[1] / expected[3] == pytest.approx(9.0)


@pytest.mark.parametrize("n_actions", [1, 3])
def test_the_density_is_that_of_the_normal_vector_with_its_covariance(n_actions):
    f = plan(6, n_actions)
    c = np.kron(correlation(6, 2.0), np.eye(n_actions))
    cov = np.diag(f.std) @ c @ np.diag(f.std)
    x = f.mean + 2 * RNG.normal(size=(50, 6 * n_actions))
    exact = stats.multivariate_normal(f.mean, cov)
    np.testing.assert_allclose(f.log_density(x), exact.logpdf(x), rtol=1e-12)
    np.testing.assert_allclose(f.as_multivariate().cov, cov, rtol=1e-13, atol=1e-15)
    assert entropy(f) == pytest.approx(exact.entropy(), rel=1e-13)


def test_samples_of_an_action_lie_next_to_each_other_and_are_independent():
    f = ColouredNormal(np.zeros(40), np.ones(40), 3.0, 20)
    x = f.sample(np.random.default_rng(0), 20_000).reshape(-1, 20, 2)
    assert np.corrcoef(x[:, 4, 0], x[:, 5, 0])[0, 1] == pytest.approx(f.correlation[4, 5], abs=0.01)
    assert abs(np.corrcoef(x[:, 4, 0], x[:, 4, 1])[0, 1]) < 5 / np.sqrt(20_000)


def test_white_noise_is_the_normal_family():
    white, normal = plan(7, 2, beta=0.0), Normal(plan(7, 2).mean, plan(7, 2).std)
    other = Normal(normal.mean + 0.1, 1.3 * normal.std)
    x, w = normal.sample(np.random.default_rng(5), 60), RNG.exponential(size=60)
    np.testing.assert_allclose(white.sample(np.random.default_rng(5), 60), x, rtol=1e-12)
    np.testing.assert_allclose(white.log_density(x), normal.log_density(x), rtol=1e-13)
    fitted, expected = white.fit(x, w), normal.fit(x, w)
    np.testing.assert_allclose(fitted.mean, expected.mean, rtol=1e-13)
    np.testing.assert_allclose(fitted.std, expected.std, rtol=1e-13)
    assert entropy(white) == pytest.approx(entropy(normal), rel=1e-14)
    same_colour = white.replace(mean=other.mean, std=other.std)
    assert kl_divergence(white, same_colour) == pytest.approx(kl_divergence(normal, other))
    wide = white.no_narrower_than(same_colour)
    np.testing.assert_allclose(wide.std, other.std, rtol=1e-14)


def test_the_fitted_std_solves_the_likelihood_equations():
    f = plan(8, 2, beta=2.0)
    x, w = RNG.normal(size=(30, 16)), RNG.exponential(size=30)  # whiter than the family
    fitted = f.fit(x, w)
    mean = np.average(x, axis=0, weights=w)
    cov = np.cov(x.T, aweights=w, ddof=0)
    precision = np.kron(np.linalg.inv(correlation(8, 2.0)), np.eye(2))
    u = 1 / fitted.std
    np.testing.assert_allclose(u * ((precision * cov) @ u), 1, rtol=1e-9)
    np.testing.assert_allclose(fitted.mean, mean, rtol=1e-12)
    assert (fitted.std > np.sqrt(np.diag(cov))).all()


def test_the_fit_finds_the_member_that_the_samples_are_from():
    f = plan(10)
    fitted = (
        plan(10)
        .replace(mean=np.zeros(10))
        .fit(f.sample(np.random.default_rng(0), 50_000), np.ones(50_000))
    )
    np.testing.assert_allclose(fitted.std, f.std, rtol=0.02)
    np.testing.assert_allclose(fitted.mean, f.mean, atol=0.05)


@pytest.mark.parametrize("n", [2, 3, 10])
def test_fewer_samples_than_actions_have_a_fit(n):
    f = plan(30, beta=3.0)
    x = f.sample(np.random.default_rng(n), n)
    fitted = f.fit(x, np.ones(n))
    assert (fitted.std > 0).all()
    loss = empirical_cross_entropy(fitted.log_density(x))
    for factor in (0.9, 1.1):
        rival = fitted.replace(std=factor * fitted.std)
        assert empirical_cross_entropy(rival.log_density(x)) > loss


def test_a_coordinate_that_is_the_same_in_all_samples_collapses_alone():
    f = plan(4)
    x = f.sample(np.random.default_rng(0), 16)
    x[:, 2] = 7.0
    fitted = f.fit(x, np.ones(16))
    assert fitted.std[2] == 0
    assert (np.delete(fitted.std, 2) > 0).all()
    assert (fitted.sample(np.random.default_rng(1), 5)[:, 2] == 7.0).all()
    assert fitted.log_density(x).tolist() == [np.inf] * 16
    assert entropy(fitted) == -np.inf
    assert kl_divergence(fitted, f) == np.inf
    assert kl_divergence(fitted, fitted) == 0


def test_the_fit_to_one_sample_is_a_point():
    fitted = plan(3).fit(np.array([[0.1, -7.3, 2.0]]), np.array([1.0]))
    assert fitted.mean.tolist() == [0.1, -7.3, 2.0]
    assert fitted.std.tolist() == [0.0, 0.0, 0.0]


def gaussian_kl(f, g):
    """By matrices in many digits."""
    a, b = (mp.matrix(h.as_multivariate().cov.tolist()) for h in (f, g))
    shift = mp.matrix((f.mean - g.mean).tolist())
    ratio = b**-1 * a
    trace = sum(ratio[i, i] for i in range(len(f.mean)))
    quadratic = (shift.T * b**-1 * shift)[0]
    return (trace - len(f.mean) + quadratic - mp.log(mp.det(ratio))) / 2


def test_the_divergence_is_right_for_one_colour_and_between_two():
    f = plan(6, 2)
    g = f.replace(mean=f.mean + 0.3, std=f.std * np.linspace(0.7, 1.6, 12))
    assert kl_divergence(f, g) == pytest.approx(float(gaussian_kl(f, g)), rel=1e-11)
    pink = ColouredNormal(g.mean, g.std, 1.0, 6)
    assert kl_divergence(f, pink) == pytest.approx(float(gaussian_kl(f, pink)), rel=1e-11)


@pytest.mark.parametrize("step", [1e-3, 1e-6, 1e-9])
def test_the_divergence_of_near_members_does_not_cancel(step):
    f = plan(5)
    g = f.replace(std=f.std * (1 - step))
    exact = (
        5 * ((1 / (1 - step)) ** 2 - 1 + 2 * mp.log(1 - mp.mpf(step))) / 2
        if step > 1e-4
        else (5 * step**2)
    )
    assert kl_divergence(f, g) == pytest.approx(float(exact), rel=3 * step + 1e-6)


def test_a_wider_member_is_so_in_every_direction():
    f, other = plan(6), ColouredNormal(np.zeros(6), [1.0, 3.0, 0.2, 1.0, 2.0, 1.0], 2.0, 6)
    wide = f.no_narrower_than(other)
    assert (wide.std >= np.maximum(f.std, other.std)).all()
    excess = np.linalg.eigvalsh(wide.as_multivariate().cov - other.as_multivariate().cov)
    assert abs(excess[0]) < 1e-12  # as wide as is needed, and no wider
    np.testing.assert_allclose(other.no_narrower_than(other).std, other.std, rtol=1e-13)


def test_the_colour_stays_through_fits_and_checkpoints_and_is_no_parameter():
    f = plan(4, 2, beta=1.5)
    assert sorted(f.parameters()) == ["mean", "std"]
    moved = f.smooth(f.replace(mean=np.zeros(8)), 0.5)
    back = loads(dumps(State(moved), History(), {}), f).state.v
    assert (float(back.beta), back.shape) == (1.5, (4, 2))
    np.testing.assert_array_equal(back.mean, moved.mean)


def test_a_smooth_target_is_found_sooner_with_coloured_noise():
    target = np.sin(np.linspace(0, np.pi, 30))

    def miss(x):
        return np.square(x - target).sum(axis=1)

    found = {}
    for beta in (0.0, 2.0):
        start = ColouredNormal(np.zeros(30), np.ones(30), beta, 30)
        found[beta] = cem.minimize(miss, start, n_samples=60, max_iterations=10, rng=1).fun
    assert found[2.0] < found[0.0] / 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.0] * 5, [1.0] * 5, 1.0, 2), r"equally many .* action of the horizon, 2; got 5 num"),
        (([0.0], [1.0], -1.0, 1), r"^ColouredNormal\.beta must be finite and not negative"),
        (([0.0] * 3, [1.0] * 3, 1.0, 1.5), r"^ColouredNormal\.horizon must be whole numbers"),
        (([0.0] * 3, [1.0] * 2, 1.0, 3), r"must have the same shape, one number per coordinate"),
        (([0.0] * 200, [1.0] * 200, 6.0, 200), r"beta = 6 and horizon = 200, noise that is cons"),
    ],
)
def test_a_bad_parameter_is_named_with_its_value(arguments, message):
    with pytest.raises(ValueError, match=message):
        ColouredNormal(*arguments)
