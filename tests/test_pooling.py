"""Pooled samples: one sample of the mixture of the densities that they were drawn from."""

import math

import numpy as np
import pytest
from scipy import stats

from cem import Bernoulli, Exponential, GaussianMixture, History, Normal, likelihood_ratio
from cem.checkpoint import dumps, loads
from cem.families.defended import Defended
from cem.families.stretched import Stretched
from cem.indicators import Sharpened
from cem.pooling import Pool, Pooled
from cem.smoothing import Constant

U = Exponential([1.0, 2.0])
V = (U, Exponential([2.0, 2.0]), Exponential([5.0, 6.0]))
SIZES = (30, 50, 20)


def total(x):
    return x.sum(axis=1)


def batches():
    return [
        v.sample(np.random.default_rng(i), n) for i, (v, n) in enumerate(zip(V, SIZES, strict=True))
    ]


def filled():
    pool = Pool()
    for v, x in zip(V, batches(), strict=True):
        pool = pool.with_batch(U, v, x, total(x))
    return pool


def method(**settings):
    return Pooled(
        **{
            "nominal": U,
            "n_samples": 200,
            "gamma": 20.0,
            "log_weight": likelihood_ratio,
            "rng": 1,
            "select": Sharpened(50.0),
            "smooth": Constant(1.0),
            **settings,
        }
    )


def every_one(_, log_w, __):
    return 0.0, log_w


def steered(m, score, iterations):
    state, history = m.init(), History()
    for _ in range(iterations):
        x = m.ask(state)
        state, record = m.tell(state, x, score(x))
        history = history.append(record)
    return state, history


def test_every_sample_is_weighted_by_the_mixture_of_all_densities_in_proportion():
    pool, x = filled(), np.concatenate(batches())
    mixture = sum(n / 100 * np.exp(v.log_density(x)) for v, n in zip(V, SIZES, strict=True))
    np.testing.assert_array_equal(pool.x, x)
    np.testing.assert_array_equal(pool.score, total(x))
    np.testing.assert_allclose(np.exp(pool.log_w), np.exp(U.log_density(x)) / mixture, rtol=1e-12)


def test_no_weight_exceeds_the_inverse_of_the_nominal_share():
    assert filled().log_w.max() <= -math.log(30 / 100)


def test_the_weights_of_the_pool_do_not_depend_on_the_order_of_its_batches():
    forth, back = filled(), Pool()
    for v, x in zip(V[::-1], batches()[::-1], strict=True):
        back = back.with_batch(U, v, x, total(x))
    a, b = (pool.log_w[np.argsort(pool.score)] for pool in (forth, back))
    np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def test_the_mean_weight_is_one_and_means_are_those_of_the_nominal_density():
    pool = Pool()
    for i, v in enumerate(V):
        x = v.sample(np.random.default_rng(i), 20_000)
        pool = pool.with_batch(U, v, x, total(x))
    w = np.exp(pool.log_w)
    error = w.std() / math.sqrt(len(w))
    assert abs(w.mean() - 1) < 5 * error
    hit = w * (pool.score >= 15.0)  # e^-15 (1 - 2 e^(15/2)), the rates being 1 and 1/2
    exact = 2 * math.exp(-7.5) - math.exp(-15)
    assert abs(hit.mean() - exact) < 5 * hit.std() / math.sqrt(len(w))


def test_a_pool_is_plain_arrays_and_comes_back_from_them():
    pool = filled()
    memory = pool.as_memory()
    assert all(isinstance(a, np.ndarray) and a.dtype == float for a in memory.values())
    again = Pool.of(memory)
    assert len(again.densities) == 3
    for name in ("x", "score", "log_f", "log_q", "sizes"):
        np.testing.assert_array_equal(getattr(again, name), getattr(pool, name))
    np.testing.assert_equal(again.densities, pool.densities)


def test_more_than_ten_densities_come_back_in_their_order():
    pool = Pool()
    for i in range(12):
        v = Exponential([1.0 + i, 2.0])
        x = v.sample(np.random.default_rng(i), 5)
        pool = pool.with_batch(U, v, x, total(x))
    again = Pool.of(pool.as_memory())
    assert [float(d["mean"][0]) for d in again.densities] == [1.0 + i for i in range(12)]


def test_the_memory_of_others_is_no_pool():
    assert Pool.of({"settled": np.ones(1)}).x is None
    assert Pool.of({}).sizes.size == 0


def test_the_variation_foreseen_is_that_of_the_weights_under_the_density():
    u, v, gamma = Normal([0.0], [1.0]), Normal([3.0], [1.0]), 3.0
    pool = Pool()
    for i, one in enumerate((u, Normal([3.0], [1.5]))):
        x = one.sample(np.random.default_rng(i), 100_000)
        pool = pool.with_batch(u, one, x, total(x))
    p = stats.norm.sf(gamma)  # E[W^2; X >= 3] under N(3, 1) is e^9 P(X >= 6)
    exact = math.sqrt(math.exp(9) * stats.norm.sf(2 * gamma) / p**2 - 1)
    assert pool.variation(v, gamma) == pytest.approx(exact, rel=0.03)


def test_a_density_is_foreseen_to_be_crude_where_it_is_the_nominal_one():
    u, pool = Normal([0.0], [1.0]), Pool()
    x = u.sample(np.random.default_rng(0), 100_000)
    pool = pool.with_batch(u, u, x, total(x))
    share = (x >= 1.0).mean()
    assert pool.variation(u, 1.0) == pytest.approx(math.sqrt(1 / share - 1), rel=1e-9)
    assert pool.variation(u, -np.inf) == pytest.approx(0, abs=1e-6)


def test_nothing_is_foreseen_before_the_level_was_reached():
    assert filled().variation(U, 1e9) == math.inf


def test_a_step_fits_all_samples_so_far():
    m = method(gamma=1e9, select=every_one)
    state, _ = steered(m, total, 3)
    pool = Pool.of(state.memory)
    w = np.exp(pool.log_w)
    assert len(w) == 600
    np.testing.assert_allclose(state.v.mean, w @ pool.x / w.sum(), rtol=1e-12)


def test_the_record_is_that_of_the_whole_pool():
    m = method()
    state, history = steered(m, total, 8)
    record, pool = history[-1], Pool.of(state.memory)
    assert (record.n, record.nfev, len(pool.score)) == (200, 1600, 1600)
    hit = pool.score >= 20.0
    w = np.exp(pool.log_w[hit])
    assert record.gamma == 20.0
    assert record.n_elite == hit.sum() > record.n_hit == hit[-200:].sum() > 0
    assert record.log_mass == pytest.approx(math.log(w.sum() / 1600), rel=1e-12)
    assert record.ess == pytest.approx(w.sum() ** 2 / (w @ w), rel=1e-12)
    assert record.max_weight == pytest.approx(w.max() / w.sum(), rel=1e-12)
    assert record.variation == pytest.approx(pool.variation(state.v, 20.0), rel=1e-12)
    exact = 2 * math.exp(-10) - math.exp(-20)
    assert abs(math.exp(record.log_mass) / exact - 1) < 5 / math.sqrt(record.ess)


def test_the_variation_foreseen_is_that_of_an_independent_sample():
    state, history = steered(method(), total, 8)
    x = state.v.sample(np.random.default_rng(3), 50_000)
    w = np.exp(likelihood_ratio(U, state.v, x)) * (total(x) >= 20.0)
    assert history[-1].variation == pytest.approx(w.std() / w.mean(), rel=0.3)


def test_a_failed_score_is_in_the_pool_but_never_elite():
    def failing(x):
        return np.where(x[:, 0] > 6, np.nan, total(x))

    state, history = steered(method(), failing, 6)
    pool = Pool.of(state.memory)
    assert len(pool.score) == 1200
    assert (pool.score[pool.x[:, 0] > 6] == -np.inf).all()
    assert sum(history.column("n_bad")) == (pool.x[:, 0] > 6).sum() > 0
    assert history[-1].n_elite > 0
    assert state.v.mean[0] < 6  # not one of them was fitted


def test_samples_of_discrete_families_are_pooled_too():
    u = Bernoulli([0.2] * 10)
    state, history = steered(method(nominal=u, gamma=9.0), total, 8)
    assert history[-1].gamma == 9.0
    exact = stats.binom(10, 0.2).sf(8)
    assert abs(math.exp(history[-1].log_mass) / exact - 1) < 5 / math.sqrt(history[-1].ess)
    assert state.memory["pool.x"].shape == (1600, 10)


def test_a_cut_after_any_iteration_changes_no_bit():
    wide = Stretched([0.0] * 2, [1.0] * 2, [1.0, 2.0], [0.5, 0.5])
    first = Defended.by(wide, GaussianMixture.around([0.0] * 2, [1.0] * 2, 3))
    m = method(nominal=Normal([0.0] * 2, [1.0] * 2), gamma=5.0, first=first)
    whole, history = steered(m, total, 6)
    for t in range(1, 6):
        state, begun = steered(m, total, t)
        state, begun = loads(dumps(state, begun, {}), first)[:2]
        for _ in range(6 - t):
            x = m.ask(state)
            state, record = m.tell(state, x, total(x))
            begun = begun.append(record)
        assert begun == history
        np.testing.assert_equal(dict(state.memory), dict(whole.memory))
        np.testing.assert_equal(state.v.parameters(), whole.v.parameters())
