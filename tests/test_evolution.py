"""The smoothing by evolution paths, against the same algorithm written with a step size."""

import math

import numpy as np
import pytest

import cem
from cem.evolution import EvolutionPath

AXES = 10.0 ** np.linspace(0, 4, 6)


def ellipsoid(x):
    return -((x - 1) ** 2) @ AXES[: x.shape[1]]


def method_from(nominal, n=10, rho=0.5, **options):
    return cem.CrossEntropyMethod(
        nominal=nominal,
        n_samples=n,
        select=cem.Ranked(rho),
        smooth=EvolutionPath(**options),
        rng=4,
    )


def states(method, score, n):
    """The states after the first ``n`` iterations, and their batches."""
    state, seen = method.init(), []
    for _ in range(n):
        x = method.ask(state)
        state, _ = method.tell(state, x, score(x))
        seen.append((x, state))
    return seen


class WithAStepSize:
    """The algorithm of Hansen (2016), as figure 6 there has it: m, sigma, C and two paths."""

    def __init__(self, mean, sigma, n, *, active, separable=False):
        d = len(mean)
        self.m, self.sigma, self.c = np.array(mean), sigma, np.eye(d)
        self.p_sigma, self.p_c, self.g = np.zeros(d), np.zeros(d), 0
        raw = np.log((n + 1) / 2) - np.log(np.arange(1, n + 1))
        mu = n // 2
        self.w = raw[:mu] / raw[:mu].sum()
        mu_eff, mu_bad = 1 / (self.w**2).sum(), raw[mu:].sum() ** 2 / (raw[mu:] ** 2).sum()
        self.mu_eff = mu_eff
        self.c_sigma = (mu_eff + 2) / (d + mu_eff + 5)
        self.damps = 1 + 2 * max(0, math.sqrt((mu_eff - 1) / (d + 1)) - 1) + self.c_sigma
        self.c_c = (4 + mu_eff / d) / (d + 4 + 2 * mu_eff / d)
        faster = (d + 2) / 3 if separable else 1
        self.c_1 = faster * 2 / ((d + 1.3) ** 2 + mu_eff)
        self.c_mu = min(
            1 - self.c_1, faster * 2 * (0.25 + mu_eff + 1 / mu_eff - 2) / ((d + 2) ** 2 + mu_eff)
        )
        total = min(
            1 + self.c_1 / self.c_mu,
            1 + 2 * mu_bad / (mu_eff + 2),
            (1 - self.c_1 - self.c_mu) / (d * self.c_mu),
        )
        self.w_bad = active * total * raw[mu:] / abs(raw[mu:].sum())
        self.separable = separable

    def tell(self, x, score):
        d = len(self.m)
        y = (x[np.argsort(-score)] - self.m) / self.sigma
        good, bad = y[: len(self.w)], y[len(self.w) :]
        std = np.sqrt(np.diag(self.c))
        values, vectors = np.linalg.eigh(self.c / np.outer(std, std))
        inverse = vectors @ np.diag(values**-0.5) @ vectors.T @ np.diag(1 / std)
        step = self.w @ good
        self.m = self.m + self.sigma * step
        c = self.c_sigma
        self.p_sigma = (1 - c) * self.p_sigma
        self.p_sigma += math.sqrt(c * (2 - c) * self.mu_eff) * inverse @ step
        chi = math.sqrt(d) * (1 - 1 / (4 * d) + 1 / (21 * d**2))
        length = np.linalg.norm(self.p_sigma)
        self.g += 1
        h = length / math.sqrt(1 - (1 - c) ** (2 * self.g)) < (1.4 + 2 / (d + 1)) * chi
        c = self.c_c
        self.p_c = (1 - c) * self.p_c + h * math.sqrt(c * (2 - c) * self.mu_eff) * step
        w = np.concatenate([self.w, self.w_bad * d / np.square(bad @ inverse.T).sum(axis=1)])
        keep = 1 - self.c_1 - self.c_mu * (self.w.sum() + self.w_bad.sum())
        keep += (1 - h) * self.c_1 * c * (2 - c)
        self.c = (
            keep * self.c
            + self.c_1 * np.outer(self.p_c, self.p_c)
            + self.c_mu * np.einsum("i,ij,ik->jk", w, y, y)
        )
        if self.separable:
            self.c = np.diag(np.diag(self.c))
        self.sigma *= math.exp(min(1, self.c_sigma / self.damps * (length / chi - 1)))


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize("separable", [True, False])
def test_it_is_the_algorithm_with_a_step_size(active, separable):
    d, sigma = 6, 2.0
    mean = np.arange(6.0)
    if separable:
        nominal = cem.Normal(mean, np.full(d, sigma))
    else:
        nominal = cem.MultivariateNormal(mean, sigma**2 * np.eye(d))
    twin = WithAStepSize(mean, sigma, 10, active=active, separable=separable)
    for x, state in states(method_from(nominal, active=active), ellipsoid, 60):
        twin.tell(x, ellipsoid(x))
        cov = np.diag(state.v.std**2) if separable else state.v.cov
        assert state.v.mean == pytest.approx(twin.m, rel=1e-8, abs=1e-8)
        assert cov == pytest.approx(twin.sigma**2 * twin.c, rel=1e-8, abs=1e-14)


def test_a_change_of_units_changes_nothing():
    a = np.diag([1e-7, 7.0, 1.0, 1e5])
    plain = cem.MultivariateNormal(np.ones(4), np.eye(4))
    moved = cem.MultivariateNormal(a @ plain.mean + 5, a @ a.T)
    inverse = np.linalg.inv(a)
    pairs = zip(
        states(method_from(plain), ellipsoid, 40),
        states(method_from(moved), lambda x: ellipsoid((x - 5) @ inverse.T), 40),
        strict=True,
    )
    for (_, here), (_, there) in pairs:
        assert there.v.mean == pytest.approx(a @ here.v.mean + 5, rel=1e-6)
        assert there.v.cov == pytest.approx(a @ here.v.cov @ a.T, rel=1e-6, abs=1e-12)


def test_where_steps_agree_the_density_widens_and_where_they_do_not_it_narrows():
    nominal = cem.MultivariateNormal(np.zeros(5), np.eye(5))
    slope = states(method_from(nominal), lambda x: x.sum(axis=1), 30)[-1][1]
    assert slope.v.spread().min() > 10
    bowl = states(method_from(nominal), lambda x: -(x**2).sum(axis=1), 60)[-1][1]
    assert bowl.v.spread().max() < 0.1


@pytest.mark.parametrize("n", [2, 3, 12])
@pytest.mark.parametrize("d", [1, 7])
def test_scores_that_say_nothing_break_nothing(n, d):
    for nominal in (
        cem.Normal(np.zeros(d), np.ones(d)),
        cem.MultivariateNormal(np.zeros(d), np.eye(d)),
    ):
        for score in (lambda x: np.zeros(len(x)), lambda x: np.round(x[:, 0])):
            last = states(method_from(nominal, n), score, 100)[-1][1]
            assert np.isfinite(last.v.mean).all()
            assert np.isfinite(last.v.spread()).all()
            assert (last.v.spread() > 0).all()


def test_a_covariance_that_has_become_flat_is_given_a_little_width():
    v = cem.MultivariateNormal(np.zeros(3), np.ones((3, 3)))
    last = states(method_from(v, 6), lambda x: -(x**2).sum(axis=1), 3)[-1][1]
    assert np.linalg.eigvalsh(last.v.cov).min() > 0


def test_very_wide_and_very_narrow_densities_are_no_trouble():
    for std in (1e-150, 1e150):
        nominal = cem.Normal(np.zeros(3), np.full(3, std))
        last = states(method_from(nominal), lambda x, s=std: -np.abs(x / s).sum(axis=1), 50)[-1][1]
        assert (last.v.std > 0).all()
        assert (last.v.std < std).all()


def test_it_refuses_a_density_without_a_mean_and_a_width():
    method = cem.CrossEntropyMethod(
        nominal=cem.Bernoulli([0.5]), n_samples=40, smooth=EvolutionPath(), rng=1
    )
    with pytest.raises(TypeError, match=r"needs a Normal or MultivariateNormal .* Bernoulli"):
        states(method, lambda x: x[:, 0].astype(float), 1)


def test_a_run_that_is_cut_and_resumed_has_the_same_bits():
    method = method_from(cem.MultivariateNormal(np.zeros(4), np.eye(4)))
    whole = states(method, ellipsoid, 9)
    state = whole[4][1]
    saved = cem.checkpoint.dumps(state, cem.History(), {})
    state = cem.checkpoint.loads(saved, method.nominal).state
    for x, expected in whole[5:]:
        assert method.ask(state).tobytes() == x.tobytes()
        state, _ = method.tell(state, x, ellipsoid(x))
        assert state.v.cov.tobytes() == expected.v.cov.tobytes()
        assert state.memory["path"].tobytes() == expected.memory["path"].tobytes()


@pytest.mark.parametrize("full", [True, False])
def test_a_density_narrower_than_the_rounding_of_its_mean_stays_as_it_is(full):
    mean, std = np.full(3, 7.0), np.full(3, 1e-20)
    nominal = cem.MultivariateNormal(mean, np.diag(std**2)) if full else cem.Normal(mean, std)
    for _, state in states(method_from(nominal), lambda x: -np.arange(len(x)), 5):
        assert (state.v.mean == mean).all()
        assert (state.v.spread() <= std).all()
        assert (state.v.spread() > 0).all()


def test_a_covariance_too_small_for_a_root_moves_no_more():
    nominal = cem.MultivariateNormal(np.ones(2), 1e-310 * np.eye(2))
    for _, state in states(method_from(nominal), lambda x: x.sum(axis=1), 3):
        assert (state.v.mean == 1).all()
        assert np.isfinite(state.v.cov).all()
