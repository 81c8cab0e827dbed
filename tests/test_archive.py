"""Smoothings that remember samples."""

import math

import numpy as np
import pytest

import cem
from cem import Bernoulli, Constant, CrossEntropyMethod, Elite, Normal, Ranked, Settling, stopping
from cem.archive import Face, Keeping
from cem.checkpoint import dumps, loads
from cem.run import run
from cem.smoothing import Fit


def sphere(x):
    return -(x**2).sum(axis=1)


def method(smooth, *, select=None, n_samples=20, rng=3, nominal=None):
    return CrossEntropyMethod(
        nominal=nominal or Normal([2.0, 2.0], [1.0, 1.0]),
        n_samples=n_samples, select=select or Elite(0.25), smooth=smooth, rng=rng,
    )  # fmt: skip


def steps(method, iterations, problem=sphere):
    """The batch, its scores, the state before and after, and the record, of every iteration."""
    state = method.init()
    for _ in range(iterations):
        x = method.ask(state)
        score = problem(x)
        new, record = method.tell(state, x, score)
        yield x, score, state, new, record
        state = new


# Keeping


def test_with_all_the_elite_kept_it_is_the_best_of_all_samples_so_far():
    xs, scores = [], []
    for x, score, _, new, _ in steps(method(Keeping(Constant(1.0), share=1.0)), 12):
        xs.append(x)
        scores.append(score)
        best = np.concatenate(xs)[np.argsort(-np.concatenate(scores))[:5]]
        np.testing.assert_allclose(new.v.mean, best.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(new.v.std, best.std(axis=0), rtol=1e-9)


def test_a_share_of_the_elite_competes_with_the_next_batch():
    kept_x, kept = np.empty((0, 2)), np.empty(0)
    for x, score, _, new, _ in steps(method(Keeping(Constant(1.0), share=0.3)), 12):
        x, score = np.concatenate([x, kept_x]), np.concatenate([score, kept])  # noqa: PLW2901
        best = np.argsort(-score)[:5]
        np.testing.assert_allclose(new.v.mean, x[best].mean(axis=0), rtol=1e-12)
        kept_x, kept = x[best[:2]], score[best[:2]]  # ceil(0.3 * 5)
        assert new.memory["kept"].tolist() == kept_x.tolist()
        assert new.memory["kept_score"].tolist() == kept.tolist()


def test_the_ith_best_has_the_ith_largest_weight():
    keep = Keeping(Constant(1.0), share=1.0)
    state = cem.State(Normal([0.0], [1.0]), memory={
        "kept": np.array([[5.0], [1.0]]), "kept_score": np.array([5.0, 1.0])
    })  # fmt: skip
    x = np.array([[3.0], [7.0], [0.0]])
    fit = Fit(x, x[:, 0], 3.0, x[:2], np.array([0.25, 0.75]), Normal([6.0], [1.0]))
    v, memory = keep(state, fit)
    assert v.mean.item() == 0.75 * 7 + 0.25 * 5
    assert memory["kept_score"].tolist() == [7.0, 5.0]


def test_of_equal_scores_the_new_sample_is_elite():
    keep = Keeping(Constant(1.0), share=1.0)
    memory = {"kept": np.array([[9.0]]), "kept_score": np.array([1.0])}
    x = np.array([[4.0], [5.0]])
    fit = Fit(x, np.array([1.0, 0.0]), 1.0, x[:1], np.ones(1), Normal([4.0], [0.0]))
    v, _ = keep(cem.State(Normal([0.0], [1.0]), memory=memory), fit)
    assert v.mean.item() == 4.0


def test_the_first_fit_and_what_belongs_to_it_are_handed_on_as_they_are():
    seen = []
    x = np.array([[1.0], [0.0]])
    fit = Fit(x, x[:, 0], 1.0, x[:1], np.ones(1), Normal([1.0], [0.0]))
    keep = Keeping(lambda state, fit: (state.v, {"own": seen.append(fit) or np.ones(1)}))
    _, memory = keep(cem.State(Normal([0.0], [1.0])), fit)
    assert seen[0] is fit
    assert memory.keys() == {"own", "kept", "kept_score"}


def test_a_small_batch_with_an_elite_that_is_kept_needs_fewer_evaluations():
    def evaluations(smooth):
        runs = [
            cem.maximize(
                sphere, Normal([1.0] * 3, [1.0] * 3), smooth=smooth, n_samples=20,
                select=Elite(0.25), target=-1e-6, rng=seed,
            )
            for seed in range(30)
        ]  # fmt: skip
        return np.median([run.nfev if run.fun >= -1e-6 else math.inf for run in runs])

    assert evaluations(Keeping(Constant(0.3))) < 0.9 * evaluations(Constant(0.3))


@pytest.mark.parametrize("share", [0, -0.1, 1.1, np.nan])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ValueError, match=r"^share, .* must lie in \(0, 1\]; got"):
        Keeping(Constant(), share)


# Face


def test_batches_are_pooled_until_the_level_or_the_best_score_rises():
    face = Face(Constant(0.7), n_elite=5, n_most=200)
    pool_x, pool, risen, moves = np.empty((0, 2)), np.empty(0), (-np.inf, -np.inf), []

    def steep(x):  # whole numbers, for ties
        return np.floor(5 * sphere(x))

    for x, score, old, new, record in steps(method(face), 60, steep):
        in_vain = len(pool) >= 200
        pool_x, pool = np.concatenate([x, pool_x]), np.concatenate([score, pool])
        best = np.argsort(-pool, kind="stable")[:5]
        level, top = pool[best[-1]], pool[best[0]]
        moves.append(level > risen[0] or top > risen[1] or in_vain)
        if moves[-1]:
            v = old.v.smooth(old.v.fit(pool_x[best], np.ones(5)), 0.7)
            np.testing.assert_allclose(new.v.mean, v.mean, rtol=1e-12)
            np.testing.assert_allclose(new.v.std, v.std, rtol=1e-9)
            risen = (level, max(top, risen[1]))
            pool_x, pool = pool_x[:0], pool[:0]
        else:
            assert new.v is old.v
        assert (record.kl > 0) == moves[-1]
        assert new.memory["risen_to"].tolist() == list(risen)
        assert new.memory["pool"].tolist() == pool_x.tolist()
    assert 5 < sum(moves) < 60


def test_v_does_not_move_before_there_are_samples_enough_for_an_elite():
    sizes = [
        len(new.memory["pool"])
        for *_, new, _ in steps(method(Face(Constant(), n_elite=50, n_most=100)), 3)
    ]
    assert sizes == [20, 40, 0]


def test_a_best_score_that_rose_while_there_were_too_few_still_counts():
    scores = iter([[5.0, 0.0], [1.0, 0.0]])
    face = Face(Constant(), n_elite=3, n_most=100)
    engine = method(face, n_samples=2, select=Elite(0.5))
    *_, (_, _, old, new, _) = steps(engine, 2, lambda x: np.array(next(scores)) + 0 * x[:, 0])
    assert new.v is not old.v
    assert new.memory["risen_to"].tolist() == [0.0, 5.0]


def test_failed_scores_are_never_fitted():
    def half(x):
        return np.where(np.arange(len(x)) < 18, np.nan, sphere(x))

    engine = method(Face(Constant(1.0), n_elite=5, n_most=100))
    x, score, _, new, _ = next(steps(engine, 1, half))
    np.testing.assert_allclose(new.v.mean, x[18:].mean(axis=0), rtol=1e-12)
    assert new.memory["risen_to"].tolist() == [-np.inf, score[18:].max()]


def test_what_is_pooled_keeps_what_the_wrapped_smoothing_remembers():
    settle = Settling(gamma=-np.inf)
    settled = [
        (new.v is not old.v, new.memory["settled"].item())
        for _, _, old, new, _ in steps(method(Face(settle, n_elite=5, n_most=60)), 40)
    ]
    assert [n for _, n in settled] == np.cumsum([moved for moved, _ in settled]).tolist()


def test_after_so_many_samples_in_vain_v_moves_whatever_the_next_batch_brings():
    engine = method(Face(Constant(), n_elite=5, n_most=60))
    moved = [
        new.v is not old.v for _, _, old, new, _ in steps(engine, 9, lambda x: np.ones(len(x)))
    ]
    assert moved == [True, False, False, False, True, False, False, False, True]


def test_a_run_in_vain_is_called_unreliable_before_v_moves():
    state, history, stop = run(
        method(Face(Constant(), n_elite=5, n_most=60)),
        lambda x, t: np.ones(len(x)) + 0 * t,
        until=[stopping.unreliable(60)],
    )
    assert len(history) == 4
    assert len(state.memory["pool"]) == 60
    assert not stop.success
    assert stop.message.startswith("unreliable: neither the level nor the best score rose, alth")


def test_a_run_that_can_rise_no_more_is_called_reliable():
    nominal = Bernoulli([0.5] * 20)
    engine = method(Face(Constant(), n_elite=10, n_most=2000), n_samples=50, nominal=nominal)
    state, history, stop = run(
        engine,
        lambda x, t: x.sum(axis=1) + 0 * t,
        until=[stopping.reliable(5), stopping.unreliable(2000)],
    )
    assert state.best.score == 20
    assert stop == ("reliable: the level was the best score for 5 iterations", True)
    assert all(record.gamma == 20 for record in history[-5:])


def test_every_family_that_stays_has_a_divergence_of_exactly_zero():
    x = np.random.default_rng(0).random((30, 2)) + 0.5
    for nominal in [
        cem.MultivariateNormal([1.0, 1.0], [[0.3, 0.1], [0.1, 0.2]]),
        cem.Gamma([2.0, 3.0], [1.0, 2.0]),
        cem.LogNormal([0.0, 0.1], [1.0, 0.7]),
        cem.TruncatedNormal([1.0, 1.0], [1.0, 1.0], low=[0.0, 0.0], high=[2.0, 2.0]),
    ]:
        engine = method(lambda state, fit: (state.v, {}), nominal=nominal)  # noqa: ARG005
        _, record = engine.tell(engine.init(), x, sphere(x))
        assert record.kl == 0


@pytest.mark.parametrize(
    ("numbers", "error", "message"),
    [
        ((0, 9), ValueError, "^n_elite must be at least 1; got 0$"),
        ((2, 9.0), TypeError, "^n_most must be an int"),
        ((9, 8), ValueError, "^n_elite must not exceed n_most, .* got 9 and 8$"),
    ],
)
def test_numbers_of_samples_that_are_none_are_refused(numbers, error, message):
    with pytest.raises(error, match=message):
        Face(Constant(), *numbers)


@pytest.mark.parametrize("wrap", [Keeping, lambda of: Face(of, 5, 50)])
def test_only_smoothings_are_wrapped(wrap):
    with pytest.raises(TypeError, match=r"wraps a smoothing"):
        wrap(0.7)


# In the loop


SMOOTHINGS = [
    Keeping(Constant(0.7), 0.3),
    Face(Constant(0.7), n_elite=10, n_most=200),
    Keeping(Face(Constant(0.7), n_elite=10, n_most=200)),
]
FAMILIES = [Normal([0.0] * 3, [4.0] * 3), Bernoulli([0.5] * 30)]


def ones(x):
    return -((x - 1.0) ** 2).sum(axis=1)


@pytest.mark.parametrize("family", FAMILIES, ids=["normal", "bernoulli"])
@pytest.mark.parametrize("select", [Elite(0.2), Ranked(0.2)], ids=repr)
@pytest.mark.parametrize("smooth", SMOOTHINGS, ids=repr)
def test_a_run_cut_after_any_iteration_and_resumed_gives_the_same_bits(
    smooth, select, family, same_run
):
    settings = {"smooth": smooth, "select": select, "n_samples": 60, "rng": 4}
    settings["max_iterations"] = 12
    saved = []
    whole = cem.maximize(
        ones, family, **settings, callback=lambda state, record: saved.append((state, record))
    )
    for t, (state, _) in enumerate(saved, start=1):
        start = loads(dumps(state, cem.History(whole.history[:t]), {}), family)[:2]
        assert same_run(cem.maximize(ones, family, **settings, start=start), whole)


@pytest.mark.parametrize("family", FAMILIES, ids=["normal", "bernoulli"])
@pytest.mark.parametrize("smooth", SMOOTHINGS, ids=repr)
def test_every_smoothing_nears_the_optimum(smooth, family):
    found = cem.maximize(ones, family, smooth=smooth, n_samples=60, rng=1, max_iterations=200)
    assert found.x == pytest.approx(np.ones(family.n_coordinates), abs=1e-2)
