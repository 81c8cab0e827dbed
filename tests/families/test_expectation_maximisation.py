"""EM ends at a maximum, takes out what is too small, and BIC counts the components."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize

from cem.families.expectation_maximisation import (
    CLOSE,
    Maximisation,
    Mixed,
    _missed_least,
    likeliest,
    log_total,
    seeded,
    shared,
)
from cem.families.mixture import _refit


def standardised(x):
    return (x - x.mean(axis=0)) / x.std(axis=0)


def fit(x, k, **options):
    w = np.full(len(x), 1 / len(x))
    return likeliest(x, w, [seeded(x, w, k)], _refit, **({"cost": 3, "least": 2} | options))


def loss(x, weight, mean, variance):
    z = (x - mean[:, None]) ** 2 / variance[:, None]
    f = weight[:, None] * np.exp(-z / 2) / np.sqrt(2 * np.pi * variance[:, None])
    return -np.log(f.sum(axis=0)).mean()


def test_two_overlapping_components_are_those_of_a_general_optimiser():
    rng = np.random.default_rng(0)
    x = standardised(np.concatenate([rng.normal(size=300), rng.normal(size=200) / 2 + 3])[:, None])

    def objective(v):
        p = 1 / (1 + math.exp(-v[0]))
        return loss(x[:, 0], np.array([p, 1 - p]), v[1:3], np.exp(v[3:]))

    best = minimize(objective, [0.0, -1.0, 1.0, -1.0, -1.0], method="BFGS", options={"gtol": 1e-9})
    weight, found = fit(x, 2)
    at = loss(x[:, 0], weight, found.mean[:, 0], found.cov[:, 0, 0])
    assert abs(at - best.fun) < 100 * CLOSE
    np.testing.assert_allclose(np.sort(found.mean[:, 0]), np.sort(best.x[1:3]), atol=1e-4)


@pytest.mark.parametrize("n_clusters", [1, 2, 5])
def test_bic_counts_the_clusters(n_clusters):
    rng = np.random.default_rng(0)
    at = rng.permutation(n_clusters)[np.arange(500) % n_clusters] * 10.0
    x = standardised(rng.normal(size=(500, 1)) + at[:, None])
    assert len(fit(x, 7)[0]) == n_clusters


def test_what_a_component_costs_decides():
    x = standardised(np.concatenate([np.linspace(-1, 1, 60), np.linspace(3, 5, 60)])[:, None])
    weight, found = fit(x, 2)
    one, two = loss(x[:, 0], np.ones(1), np.zeros(1), np.ones(1)), 0.0
    two = loss(x[:, 0], weight, found.mean[:, 0], found.cov[:, 0, 0])
    gain = 2 * 120 * (one - two) / math.log(120)
    assert len(fit(x, 2, cost=gain - 0.1)[0]) == 2
    assert len(fit(x, 2, cost=gain + 0.1)[0]) == 1


def test_a_component_of_too_few_effective_samples_is_taken_out():
    x = standardised(np.concatenate([np.linspace(-1, 1, 60), np.linspace(30, 31, 7)])[:, None])
    assert [len(fit(x, 2, least=least)[0]) for least in (6.5, 7.5)] == [2, 1]


def test_seeds_fall_into_different_clusters_and_are_the_same_in_any_order():
    rng = np.random.default_rng(0)
    x = standardised(rng.normal(size=(400, 3)) / 9 + np.eye(3)[rng.integers(3, size=400)] * 4)
    w = np.full(400, 1 / 400)
    nearest = seeded(x, w, 3).argmax(axis=0)
    assert len({tuple(np.unique(nearest[x[:, j] > 1])) for j in range(3)}) == 3
    order = rng.permutation(400)
    np.testing.assert_allclose(seeded(x[order], w, 3), seeded(x, w, 3)[:, order], rtol=1e-9)


def test_there_are_no_more_seeds_than_points():
    x = np.array([[-1.0], [-1.0], [1.0], [1.0]])
    assert seeded(x, np.full(4, 0.25), 9).shape == (2, 4)


def overlapping(n=600, d=2):
    """A start and the iterations on two components that overlap: plain EM is slow there."""
    rng = np.random.default_rng(1)
    x = standardised(rng.normal(size=(n, d)) + 2.0 * (rng.random(n) < 0.3)[:, None])
    w = rng.random(n)
    w /= w.sum()
    em = Maximisation(x, w, _refit, 6)
    return em, em.step(shared(seeded(x, w, 2)))


def test_leaps_end_where_plain_steps_do_but_in_fewer(monkeypatch):
    em, start = overlapping()
    before, plain, n_plain = start, em.step(start.joint), 1
    while before.loss - plain.loss >= CLOSE:
        before, plain, n_plain = plain, em.step(plain.joint), n_plain + 1
    n_steps, step = [], Maximisation.step
    monkeypatch.setattr(Maximisation, "step", lambda *a: (n_steps.append(1), step(*a))[1])
    last = em.maximised(start, close=CLOSE)
    assert last.loss == pytest.approx(plain.loss, abs=100 * CLOSE)
    np.testing.assert_allclose(last.components.mean, plain.components.mean, atol=1e-4)
    assert len(n_steps) < n_plain / 2


def test_neither_a_step_nor_a_leap_raises_the_loss():
    em, start = overlapping()
    for _ in range(20):
        first = em.step(start.joint)
        second = em.step(first.joint)
        ahead = em.leap(start, first, second)
        assert start.loss + 1e-13 >= first.loss >= second.loss - 1e-13
        assert ahead.loss <= second.loss
        start = ahead


def test_steps_are_those_of_the_textbook():
    em, start = overlapping(50)
    found = em.step(start.joint)
    r = em.w * start.joint.share
    for j in range(2):
        mean, z = r[j] @ em.x / r[j].sum(), em.x - r[j] @ em.x / r[j].sum()
        np.testing.assert_allclose(found.weight[j], r[j].sum(), rtol=1e-14)
        np.testing.assert_allclose(found.components.mean[j], mean, atol=1e-14)
        exact = (z.T * r[j]) @ z / r[j].sum()
        np.testing.assert_allclose(found.components.cov[j], exact, rtol=1e-12)
    exact = np.logaddexp.reduce(found.joint.log_f, axis=0)
    np.testing.assert_allclose(found.joint.total, exact, atol=1e-14)
    np.testing.assert_allclose(found.joint.share, np.exp(found.joint.log_f - exact), rtol=1e-12)
    assert found.loss == pytest.approx(-em.w @ exact, rel=1e-13)


def test_points_of_a_component_taken_out_go_to_the_others_however_far_they_are():
    x = np.concatenate([np.linspace(-1, 1, 60), 1e4 + np.linspace(0, 1, 6)])[:, None]
    w = np.full(66, 1 / 66)
    log_f = -0.5 * (x[:, 0] - np.array([[-0.5], [0.5], [1e4]])) ** 2
    found = Maximisation(x, w, _refit, 7).step(shared(log_f))
    assert found.weight.size == 2
    assert found.weight.sum() == pytest.approx(1, rel=1e-14)
    assert found.weight @ found.components.mean == pytest.approx(w @ x, rel=1e-12)


@pytest.mark.parametrize("apart", [0.1, 3.0, 100.0])
def test_the_component_missed_least_is_that_without_which_the_loss_is_least(apart):
    x = np.random.default_rng(0).normal(size=200)
    w = np.full(200, 1 / 200)
    weight, at = np.array([0.3, 0.2, 0.4, 0.1]), apart * np.array([0.0, 3.0, -2.0, 2.5])
    log_f = np.log(weight)[:, None] - 0.5 * (x + at[np.arange(200) % 4] - at[:, None]) ** 2
    without = [
        w @ np.logaddexp.reduce(np.delete(log_f, j, axis=0), axis=0) - math.log1p(-weight[j])
        for j in range(4)
    ]
    assert _missed_least(Mixed(weight, None, shared(log_f), 0.0), w)[0] == np.argmax(without)


def test_a_total_is_right_at_the_ends_and_without_a_warning():
    inf = np.inf
    log_f = np.array([[-inf, inf, 1.0, -2000.0, np.nan, 0.0], [-inf, 5.0, -inf, -2001.0, 0.0, 0.0]])
    exact = [-inf, inf, 1.0, -2000 + math.log1p(math.exp(-1)), -inf, math.log(2)]
    np.testing.assert_allclose(log_total(log_f), exact, rtol=1e-15)


@pytest.mark.parametrize("n_clusters", [1, 3, 6])
def test_the_mixture_found_is_the_best_of_all_numbers_of_components(n_clusters, monkeypatch):
    rng = np.random.default_rng(n_clusters)
    x = standardised(rng.normal(size=(400, 2)) + 8.0 * rng.integers(n_clusters, size=(400, 1)))
    w = np.full(400, 1 / 400)
    em, price = Maximisation(x, w, _refit, 6), 3 * math.log(400) / 400
    every, log_joint = [em.step(shared(np.zeros((1, 400))))], seeded(x, w, 8)
    while len(log_joint) > 1:
        every.append(em.maximised(em.step(shared(log_joint)), close=CLOSE))
        log_joint = every[-1].joint.log_f
        log_joint = np.delete(log_joint, _missed_least(every[-1], w)[0], axis=0)
    best = min(every, key=lambda m: m.loss + price * len(m.weight))
    n_steps, step = [], Maximisation.step
    monkeypatch.setattr(Maximisation, "step", lambda *a: (n_steps.append(1), step(*a))[1])
    weight, found = likeliest(x, w, [seeded(x, w, 8)], _refit, cost=6, least=6)
    np.testing.assert_allclose(np.sort(weight), np.sort(best.weight), atol=1e-4)
    order, expected = found.mean[:, 0].argsort(), best.components.mean[:, 0].argsort()
    np.testing.assert_allclose(found.mean[order], best.components.mean[expected], atol=1e-3)
    assert len(weight) == n_clusters
    assert len(n_steps) < 40
