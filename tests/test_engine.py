"""One iteration as pure functions, and what its record says."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

import cem
from cem import Bernoulli, CrossEntropyMethod, Elite, Exponential, Normal, Settling
from cem.loss import empirical_cross_entropy, entropy, kl_divergence
from cem.methods import Case, method_of
from cem.smoothing import Constant
from cem.weights import effective_sample_size, normalise
from problems.rare_event.bridge import Bridge


def ones(x):
    return x.sum(axis=1)


def method(**settings):
    return CrossEntropyMethod(
        **{"nominal": Bernoulli([0.5] * 8), "n_samples": 100, "rng": 1, **settings}
    )


def test_asking_twice_gives_the_batch_twice():
    m = method()
    state = m.init()
    np.testing.assert_array_equal(m.ask(state), m.ask(state))
    np.testing.assert_array_equal(m.ask(state), method().ask(method().init()))


def test_the_next_batch_is_another_one():
    m = method(smooth=lambda state, _: (state.v, {}))  # the density does not move
    state, _ = m.tell(m.init(), m.ask(m.init()), ones(m.ask(m.init())))
    np.testing.assert_equal(state.v.parameters(), m.nominal.parameters())
    assert not np.array_equal(m.ask(state), m.ask(m.init()))


def test_telling_changes_nothing_that_it_was_given():
    m = method()
    state, x = m.init(), m.ask(m.init())
    score = ones(x).astype(float)
    score[3] = np.nan
    kept = x.copy(), score.copy()
    first = m.tell(state, x, score)
    second = m.tell(state, x, score)
    np.testing.assert_array_equal(x, kept[0])
    np.testing.assert_array_equal(score, kept[1])
    assert (state.t, state.nfev, state.best.x) == (0, 0, None)
    np.testing.assert_equal(first[0].v.parameters(), second[0].v.parameters())
    assert first[1] == second[1]


def test_the_order_of_the_batch_does_not_matter():
    m = method(nominal=Normal([0.0] * 3, [1.0] * 3))
    x = m.ask(m.init())
    order = np.random.default_rng(0).permutation(len(x))
    a, b = m.tell(m.init(), x, ones(x)), m.tell(m.init(), x[order], ones(x)[order])
    np.testing.assert_allclose(a[0].v.mean, b[0].v.mean, rtol=1e-12)
    np.testing.assert_allclose(a[0].v.std, b[0].v.std, rtol=1e-12)
    np.testing.assert_allclose(a[1], b[1], rtol=1e-10, atol=1e-12)
    assert a[0].best.x.tolist() == b[0].best.x.tolist()


def test_a_monotone_change_of_the_scores_leaves_the_step_as_it_was():
    m = method()
    x = m.ask(m.init())
    a, b = m.tell(m.init(), x, ones(x)), m.tell(m.init(), x, np.exp(ones(x)) - 5)
    np.testing.assert_array_equal(a[0].v.p, b[0].v.p)
    assert a[1].n_elite == b[1].n_elite


def test_the_settings_are_frozen():
    with pytest.raises(FrozenInstanceError):
        method().n_samples = 3


def test_the_record_says_what_the_step_did():
    m = method(smooth=Constant(0.5))
    x = m.ask(m.init())
    score = ones(x).astype(float)
    state, record = m.tell(m.init(), x, score)
    elite = score >= record.gamma
    fitted = Bernoulli(x[elite].mean(axis=0))
    assert (record.t, record.nfev, record.n, record.n_bad) == (1, 100, 100, 0)
    assert record.gamma == sorted(score)[-10]
    assert record.top == record.best == score.max()
    assert record.n_elite == elite.sum()
    assert record.log_mass == pytest.approx(np.log(elite.mean()), rel=1e-12)
    assert record.ess == pytest.approx(elite.sum(), rel=1e-12)
    assert record.max_weight == pytest.approx(1 / elite.sum(), rel=1e-12)
    assert record.loss == pytest.approx(empirical_cross_entropy(fitted.log_density(x[elite])))
    np.testing.assert_allclose(state.v.p, 0.25 + 0.5 * fitted.p, rtol=1e-12)
    assert record.entropy == pytest.approx(entropy(state.v), rel=1e-12)
    assert record.kl == pytest.approx(kl_divergence(state.v, m.nominal), rel=1e-12)
    assert record.spread == state.v.spread().max()
    assert record.n_hit == 0  # the level asked for is infinite
    assert record.variation == pytest.approx(np.sqrt(100 / elite.sum() - 1), rel=1e-12)


def test_with_likelihood_ratios_the_record_says_how_they_weigh():
    u, v = Exponential([1.0] * 3), Exponential([2.0, 1.5, 1.0])
    m = method(nominal=u, gamma=9.0, log_weight=cem.likelihood_ratio, smooth=Constant(1.0))
    x = v.sample(np.random.default_rng(0), 100)
    score = ones(x)
    state, record = m.tell(cem.State(v, t=4, nfev=400), x, score)
    elite = score >= min(9.0, sorted(score)[-10])
    log_w = u.log_density(x[elite]) - v.log_density(x[elite])
    w = np.exp(log_w)
    assert record.gamma == 9.0
    assert (record.t, record.nfev, record.n_elite) == (5, 500, elite.sum())
    assert record.log_mass == pytest.approx(np.log(w.sum() / 100), rel=1e-12)
    assert record.ess == pytest.approx(effective_sample_size(w), rel=1e-12)
    assert record.max_weight == pytest.approx(w.max() / w.sum(), rel=1e-12)
    assert record.n_hit == (score >= 9.0).sum() > 0
    z = np.zeros(100)
    z[elite] = w
    assert record.variation == pytest.approx(z.std() / z.mean(), rel=1e-12)
    np.testing.assert_allclose(state.v.mean, w @ x[elite] / w.sum(), rtol=1e-12)
    loss = empirical_cross_entropy(state.v.log_density(x[elite]), normalise(log_w)[0])
    assert record.loss == pytest.approx(loss, rel=1e-12)


def test_a_refit_never_costs_more_than_the_density_before():
    m = method(nominal=Normal([0.0] * 2, [1.0] * 2), smooth=Constant(1.0))
    state = m.init()
    for _ in range(10):
        x = m.ask(state)
        score = -(x**2).sum(axis=1)
        new, record = m.tell(state, x, score)
        elite = x[score >= record.gamma]
        assert record.loss <= empirical_cross_entropy(state.v.log_density(elite)) + 1e-12
        state = new


def test_bad_scores_are_counted_and_are_never_elite_nor_best():
    m = method()
    x = m.ask(m.init())
    score = ones(x).astype(float)
    score[:3] = np.nan, np.inf, -np.inf
    state, record = m.tell(m.init(), x, score)
    assert record.n_bad == 3
    assert record.top == state.best.score == score[3:].max()
    elite = np.flatnonzero(score[3:] >= record.gamma) + 3
    expected = 0.7 * x[elite].mean(axis=0) + 0.15
    np.testing.assert_allclose(state.v.p, expected, rtol=1e-12)


def test_a_batch_of_bad_scores_only_is_refused():
    m = method()
    x = m.ask(m.init())
    with pytest.raises(ValueError, match="got 99 NaN and 1 infinite scores of 100 in iteration 1"):
        m.tell(m.init(), x, np.array([np.inf] + [np.nan] * 99))


@pytest.mark.parametrize(
    ("score", "error", "message"),
    [
        (np.zeros(99), ValueError, r"expected shape \(100,\), got \(99,\)"),
        (np.zeros((100, 8)), ValueError, r"expected shape \(100,\), got \(100, 8\); reduce over"),
        (1.0, ValueError, r"expected shape \(100,\), got \(\); a function of one point must be"),
        (np.zeros(100) + 1j, TypeError, r"real numbers: .* got dtype complex128"),
        (np.full(100, "a"), TypeError, r"real numbers: .* got dtype <U1"),
        (np.full(100, None), TypeError, r"real numbers: .* got dtype object"),
    ],
)
def test_told_scores_are_checked(score, error, message):
    m = method()
    with pytest.raises(error, match=message):
        m.tell(m.init(), m.ask(m.init()), score)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, np.bool_, np.float32])
def test_scores_may_be_of_any_real_type(dtype):
    m = method()
    x = m.ask(m.init())
    score = ones(x) > 4 if dtype is np.bool_ else ones(x)
    a, b = m.tell(m.init(), x, score.astype(dtype)), m.tell(m.init(), x, score.astype(float))
    assert a[1] == b[1]
    assert type(a[1].gamma) is float


def test_ask_and_tell_by_hand_give_the_bits_of_maximize():
    family = Normal([3.0, -2.0], [1.0, 2.0])

    def score(x):
        return -((x - 1) ** 2).sum(axis=1)

    found = cem.maximize(score, family, n_samples=120, rho=0.2, alpha=0.8, rng=5, max_iterations=30)
    m = CrossEntropyMethod(
        nominal=family, n_samples=120, select=Elite(0.2), smooth=Constant(0.8), rng=5
    )
    state, history = m.init(), cem.History()
    for _ in range(found.nit):
        x = m.ask(state)
        state, record = m.tell(state, x, score(x))
        history = history.append(record)
    assert state.best.x.tolist() == found.x.tolist()
    assert state.best.score == found.fun
    assert history == found.history
    np.testing.assert_equal(state.v.parameters(), found.family.parameters())


def test_a_method_may_begin_elsewhere_than_at_its_nominal_density():
    u, first = Exponential([1.0]), Exponential([4.0])
    m = method(nominal=u, first=first, gamma=6.0, log_weight=cem.likelihood_ratio)
    assert m.init().v is first
    assert method(nominal=u).init().v is u
    x = m.ask(m.init())
    _, record = m.tell(m.init(), x, ones(x))
    w = np.exp(u.log_density(x) - first.log_density(x))[ones(x) >= record.gamma]
    assert record.log_mass == pytest.approx(np.log(w.sum() / 100), rel=1e-12)


def test_ask_and_tell_by_hand_give_the_steering_of_the_default_estimate():
    bridge = Bridge(1.0)
    found = cem.estimate(bridge, n_samples=300, n_final=100, rng=3)
    plan = method_of("auto")(
        Case(problem=bridge, nominal=bridge.nominal(), gamma=1.0, rng=3, n_samples=300)
    )
    m, state, history = plan.steering, plan.steering.init(), cem.History()
    for _ in range(found.nit):
        x = m.ask(state)
        state, record = m.tell(state, x, bridge(bridge.nominal().at_normal(x)))
        history = history.append(record)
    assert history == found.levels
    np.testing.assert_equal(state.v.parameters(), found.family.parameters())


def test_ask_and_tell_by_hand_give_the_levels_of_estimate():
    bridge = Bridge(2.0)
    found = cem.estimate(bridge, method="multilevel", n_samples=500, n_final=500, rng=3)
    m = CrossEntropyMethod(
        nominal=bridge.nominal(),
        n_samples=500,
        smooth=Settling(2.0, 0.9),
        gamma=2.0,
        log_weight=cem.likelihood_ratio,
        rng=3,
    )
    state, history = m.init(), cem.History()
    for _ in range(found.nit):
        x = m.ask(state)
        state, record = m.tell(state, x, bridge(x))
        history = history.append(record)
    assert history == found.levels
    np.testing.assert_equal(state.v.parameters(), found.family.parameters())
