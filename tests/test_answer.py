"""The answer to a noisy problem is a mean by fresh numbers, and its interval holds the truth."""

import math

import numpy as np
import pytest
from scipy.stats import binom, t

import cem
from cem.answer import Noise, Remembering, candidates, no_longer_rising, t_interval
from cem.borders import Negated
from cem.noise import FINAL, CommonNumbers, numbered
from cem.parallel import Evaluation
from cem.randomness import root_of
from cem.state import Best, History, Record, State
from problems.noisy import problem

SPHERE = problem("sphere", d=2)
ONEMAX = problem("onemax", d=20, sd=2.0)


def levels(gamma):
    blank = Record(*range(16))
    return History(blank._replace(gamma=float(g)) for g in gamma)


def test_the_answer_is_the_mean_of_fresh_scores_of_one_point():
    found = cem.minimize(SPHERE, n_samples=100, rng=5)
    evaluate = Evaluation(Negated(numbered(SPHERE)), root_of(5))
    fresh = -evaluate.replications(found.x[None], found.nit, FINAL, range(100))[:, 0]
    assert found.fun == pytest.approx(fresh.mean(), rel=1e-12)
    assert found.standard_error == pytest.approx(fresh.std(ddof=1) / 10, rel=1e-12)
    expected = t.interval(0.9, 99, loc=fresh.mean(), scale=fresh.std(ddof=1) / 10)
    np.testing.assert_allclose(found.confidence_interval(0.9), expected, rtol=1e-10)


@pytest.mark.parametrize(
    ("noisy", "drive"),
    [
        (SPHERE, cem.minimize),
        (problem("sphere", d=2, sd=0.1, relative=1.0), cem.minimize),
        (ONEMAX, cem.maximize),
    ],
)
def test_the_interval_holds_the_true_mean_as_often_as_it_says(noisy, drive):
    runs = 120
    held = {0.5: 0, 0.95: 0}
    for seed in range(runs):
        found = drive(noisy, n_samples=60, max_iterations=15, noise=Noise(n_final=20), rng=seed)
        true = noisy.mean(found.x[None])[0]
        for level in held:
            low, high = found.confidence_interval(level)
            held[level] += bool(low <= true <= high)
    for level, n in held.items():
        assert binom.cdf(n, runs, level) > 1e-6
        assert binom.sf(n - 1, runs, level) > 1e-6


def test_the_answer_is_not_the_luckiest_sample():
    found = cem.maximize(ONEMAX, n_samples=100, rng=1)
    assert found.state.best.score > 23  # twenty ones, and luck
    assert abs(found.fun - 20) < 1
    assert found.x.sum() == 20


def test_the_race_prefers_the_mean_of_the_density_to_lucky_samples():
    v = cem.Normal([0.0, 0.0], [1e-9, 1e-9])
    far = np.full((5, 2), 3.0) + np.arange(5)[:, None]
    state = State(v, t=4, best=Best(far[0], 9.0), memory={"candidates": far})
    answer = Noise().answer(Evaluation(Negated(numbered(SPHERE)), root_of(1)), state)
    assert answer.x.tolist() == [0.0, 0.0]
    assert answer.race.guaranteed
    assert answer.message.startswith("the answer won a race of 6, for a difference of ")


def test_a_race_that_does_not_end_says_so():
    state = State(cem.Normal([0.0], [1.0]), best=Best(np.array([1e-9]), 0.0))
    noise = Noise(indifference=1e-6, first=5, most=12)
    noisy = problem("sphere", d=1)
    answer = noise.answer(Evaluation(numbered(noisy), root_of(1)), state)
    assert answer.message.startswith(
        "the answer leads a race of 2 that 24 scores did not end: none"
    )
    assert answer.nfev == 2 * 12 + 100


def test_candidates_are_the_best_of_late_iterations_the_best_of_all_and_the_mode_each_once():
    method = cem.CrossEntropyMethod(
        nominal=cem.Normal([0.0], [1.0]),
        n_samples=30,
        smooth=Remembering(cem.Constant(), n=3),
        rng=1,
    )
    state, tops = method.init(), []
    for _ in range(5):
        x = method.ask(state)
        score = -np.abs(x[:, 0] - 1)
        tops.insert(0, x[score.argmax()])
        state, _ = method.tell(state, x, score)
    np.testing.assert_array_equal(state.memory["candidates"], tops[:3])
    expected = np.array([*tops[:3], state.best.x, state.v.mean])
    assert sorted(candidates(state).ravel()) == sorted(set(expected.ravel()))


def test_a_mean_that_can_be_no_sample_is_no_candidate():
    for v, x in (
        (cem.Poisson([2.5]), np.array([2])),
        (cem.MultivariateNormal([0.0], [[1.0]]), np.array([0.0, 1.0])),
    ):
        assert candidates(State(v, best=Best(x, 0.0))).tolist() == [x.tolist()]


def test_remembering_keeps_what_the_smoothing_inside_remembers():
    class Inner:
        def __call__(self, state, refit):
            return state.v.smooth(refit.v_hat, 0.5), {"mine": np.ones(2)}

    method = cem.CrossEntropyMethod(
        nominal=cem.Bernoulli([0.5] * 3), n_samples=20, smooth=Remembering(Inner(), 2), rng=1
    )
    x = method.ask(method.init())
    state, _ = method.tell(method.init(), x, x.sum(axis=1))
    assert state.memory.keys() == {"mine", "candidates"}


def test_an_answer_that_fails_now_and_then_is_no_success_and_has_no_interval():
    class Rounding:
        def bind(self, rng):
            return lambda x: np.where(rng.random(len(x)) < 0.02, np.nan, -(x[:, 0] ** 2))

    normal = cem.Normal([0.0], [1.0])
    noise = Noise(first=2, most=2, n_final=200)
    found = cem.maximize(Rounding(), normal, n_samples=50, rng=2, max_iterations=30, noise=noise)
    assert not found.success
    assert "of the 200 scores of the answer were NaN or infinite" in found.message
    assert math.isfinite(found.fun)
    assert found.confidence_interval() == (-math.inf, math.inf)


def test_without_noise_the_answer_is_exact():
    noisy = problem("onemax", d=8, sd=0.0)
    found = cem.maximize(noisy, n_samples=100, rng=1)
    assert (found.fun, found.standard_error) == (8.0, 0.0)
    assert found.confidence_interval() == (8.0, 8.0)


def test_a_level_that_rises_beyond_its_noise_goes_on():
    noise = np.random.default_rng(1).standard_normal(40)
    rule = no_longer_rising(20)
    assert rule(levels(np.arange(19))) is None
    assert rule(levels(np.arange(20) + 0.5 * noise[:20])) is None
    stop = rule(levels([*range(30), *(30 + noise[:20])]))
    assert stop.success
    assert stop.message == (
        "converged: the level no longer rose beyond its noise over 20 iterations"
    )


def test_a_level_that_stands_still_or_falls_does_not_rise():
    rule = no_longer_rising(10)
    assert rule(levels(np.full(10, 3.0))) is not None
    assert rule(levels(-np.arange(10))) is not None


def test_the_threshold_is_a_number_of_standard_errors():
    gamma = [0.0, 2.0, 0.0, 2.0]  # halves of variance 2, the difference of means has variance 2
    for rise, goes_on in ((2.01, True), (1.99, False)):
        shifted = np.array(gamma) + rise * np.sqrt(2) * np.array([0, 0, 1, 1])
        assert (no_longer_rising(4)(levels(shifted)) is None) is goes_on


def test_students_interval_agrees_with_scipy():
    for n in (2, 5, 100):
        expected = t.interval(0.95, n - 1, loc=3.0, scale=0.5)
        np.testing.assert_allclose(t_interval(3.0, 0.5, n, 0.95), expected, rtol=1e-10)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Noise(n_final=1), "n_final, the replications of the winner, must be at least 2"),
        (lambda: Noise(share=2.0), r"the part that is scored again, must lie in \(0, 1\]; got 2.0"),
        (lambda: Noise(times=-1), "how often the best are scored again, must be at least 0"),
        (lambda: Noise(candidates=0), "candidates must be at least 1; got 0"),
        (lambda: Noise(indifference=-1.0), "indifference must be positive and finite"),
        (lambda: Noise(most=5), "replications of a candidate, must be at least 20; got 5"),
        (lambda: t_interval(0.0, 1.0, 5, 1.0), "level must lie strictly between 0 and 1; got 1.0"),
    ],
)
def test_what_cannot_work_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()


def test_a_problem_may_bring_what_to_do_about_its_noise():
    class Brings:
        def bind(self, rng):
            return SPHERE.bind(rng)

        def noise(self):
            return Noise(n_final=7)

    class Named(Brings):
        noise = 0.3  # a number of its own

    for noisy, n_final in ((Brings(), 7), (CommonNumbers(Brings()), 7), (Named(), 100)):
        found = cem.minimize(noisy, SPHERE.nominal(), n_samples=50, max_iterations=3, rng=1)
        assert found.n_final == n_final
    given = cem.minimize(
        Brings(), SPHERE.nominal(), n_samples=50, max_iterations=3, rng=1, noise=Noise(n_final=9)
    )
    assert given.n_final == 9
