"""Probing: half-spaces learnt from hits, and the parts of an event that they lead to."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

import cem
from cem.families import AlignedNormals, Normal, Stretched
from cem.families.defended import Defended
from cem.indicators import Sharpened
from cem.pooling import Pool
from cem.probing import Probing, _half_spaces, _points
from cem.weights import likelihood_ratio


def rotation(d):
    return np.linalg.qr(np.random.default_rng(d).standard_normal((d, d)))[0]


def halves(axes, distances, slopes):
    """The event of being in one of these half-spaces, with scores of these slopes."""
    return lambda u: np.max(np.asarray(slopes) * (u @ axes - distances), axis=1)


def of_any(distances):
    return -math.expm1(np.log1p(-stats.norm.sf(distances)).sum())


def probing(d, *, n=400, gamma=0.0, rng=1):
    wide = Stretched(np.zeros(d), np.ones(d), [1.0, 3.5], [0.5, 0.5])
    return Probing(
        nominal=Normal(np.zeros(d), np.ones(d)),
        n_samples=n,
        select=Sharpened(150.0),
        gamma=gamma,
        log_weight=likelihood_ratio,
        rng=rng,
        first=Defended.by(wide, AlignedNormals.standard_normal(d, 12)),
    )


def steps(method, score, most=6):
    """The batches, states and records until a batch is no probe again."""
    state, seen = method.init(), []
    for _ in range(most):
        x = method.ask(state)
        state, record = method.tell(state, x, score(x))
        seen.append((x, state, record))
        if "probe.left" not in state.memory:
            break
    return seen


@pytest.mark.parametrize("d", [5, 12, 20, 40])
def test_a_part_whose_score_rises_late_is_not_missed(d):
    distances = np.array([5.0, 5.0])
    score = halves(rotation(d)[:, :2], distances, [1.0, 5.0])
    nominal = Normal(np.zeros(d), np.ones(d))
    for seed in range(4):
        found = cem.estimate(score, nominal, 0.0, rng=seed)
        assert found.success
        assert abs(found.probability / of_any(distances) - 1) < 4.5 * found.relative_error


def test_half_spaces_that_are_the_event_are_learnt_exactly():
    d, distances, slopes = 6, np.array([3.0, 3.5, 4.0]), np.array([1.0, 3.0, 0.2])
    axes = rotation(d)[:, :3]
    x = 6.0 * axes.T  # every one deep in a half-space of its own
    score = halves(axes, distances, slopes)
    near = (x[:, None] + 0.1 * np.eye(d)).reshape(-1, d)
    axis, distance = _half_spaces(x, score(x), score(near))
    np.testing.assert_allclose(axis, axes.T, atol=1e-9)
    np.testing.assert_allclose(distance, distances, rtol=1e-9)


def test_points_of_half_spaces_are_in_them_and_as_deep_as_a_tail():
    axes = rotation(5)[:, :2].T
    x = _points(np.random.default_rng(1), 20_000, axes, np.array([3.0, 4.0]))
    depth = x @ axes.T - [3.0, 4.0]
    assert (depth.max(axis=1) > 0).all()
    first = depth[:, 0] > 0
    share = 1 / (1 + math.exp(-7 / 8))
    assert abs(first.mean() - share) < 0.01 + stats.norm.sf(3.0)
    assert abs(depth[first, 0].mean() - 1 / 3) < 0.01


def test_probes_are_no_part_of_the_pool_and_are_counted():
    d = 7
    seen = steps(probing(d), halves(rotation(d)[:, :1], [3.0], [1.0]))
    assert len(seen) == 2  # the batch, and hits that are all in the half-space of any of them
    x, state, record = seen[1]
    assert len(x) % d == 0
    assert len(Pool.of(state.memory).score) == 400
    assert record.nfev == state.nfev == 400 + len(x)
    assert record.gamma == seen[0][2].gamma < 0
    np.testing.assert_allclose(record.log_mass, seen[0][2].log_mass)


def test_probes_never_take_more_than_half_a_batch_for_four_iterations():
    d = 30
    seen = steps(probing(d), lambda u: np.linalg.norm(u, axis=1) - 12.0, most=10)
    assert len(seen) == 5
    assert all(len(x) <= 200 for x, _, _ in seen[1:])


def test_scores_that_are_flat_at_the_hits_leave_the_fit_as_it_was():
    seen = steps(probing(3), lambda u: np.where(u[:, 0] > 3.0, 0.0, -1.0))
    (_, first, _), (_, last, _) = seen[0], seen[-1]
    assert len(seen) > 1
    assert last.v is first.v


def test_probes_that_fail_teach_nothing_and_are_told():
    method = probing(3)
    state = method.init()
    x = method.ask(state)
    state, _ = method.tell(state, x, x[:, 0] - 3.0)
    n = len(method.ask(state))
    new, record = method.tell(state, method.ask(state), np.full(n, np.nan))
    assert record.n_bad == n
    assert new.v is state.v


@pytest.mark.parametrize(("n", "gamma"), [(400, 99.0), (400, -1.0), (11, 0.0)])
def test_without_hits_or_with_enough_of_them_or_with_few_samples_nothing_is_probed(n, gamma):
    method = probing(6, n=n, gamma=gamma)
    assert len(steps(method, lambda u: u[:, 0])) == 1


def test_asking_twice_gives_the_same_probes():
    method = probing(4)
    state = method.init()
    x = method.ask(state)
    state, _ = method.tell(state, x, x[:, 0] - 3.0)
    assert np.array_equal(method.ask(state), method.ask(state))
