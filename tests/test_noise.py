"""Noisy scores come from addresses: shared or not, repeated or not, and every one is counted."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.special import ndtr

import cem
from cem.answer import Noise, NoisyOptimum
from cem.borders import Boxed, Negated
from cem.noise import (
    AGAIN,
    CommonNumbers,
    Costed,
    FreshNumbers,
    Replicated,
    Rescored,
    is_noisy,
    numbered,
)
from cem.parallel import Evaluation
from cem.randomness import Purpose, branch, root_of, stream
from problems.noisy import problem

ROOT = root_of(7)
SPHERE = problem("sphere", d=3)
X = np.random.default_rng(0).standard_normal((10, 3))


class Counting:
    """First coordinate plus noise; it counts its scores."""

    def __init__(self):
        self.scored = 0

    def bind(self, rng):
        def score(x):
            self.scored += len(x)
            return x[:, 0] + rng.standard_normal(len(x))

        return score


def backwards(function, chunks):
    return [function(chunk) for chunk in [*chunks][::-1]][::-1]


def noise_at(n, *index, root=ROOT):
    return stream(root, Purpose.NOISE, *index).standard_normal(n)


def test_every_chunk_has_the_stream_of_its_address():
    score = Evaluation(numbered(SPHERE), ROOT, chunk_size=4)(X, t=5)
    noise = [noise_at(4, 5, 0), noise_at(4, 5, 4), noise_at(2, 5, 8)]
    np.testing.assert_array_equal(score, SPHERE.mean(X) + np.concatenate(noise))


def test_every_replication_has_a_root_of_its_own():
    evaluate = Evaluation(numbered(SPHERE), ROOT, chunk_size=4)
    scores = evaluate.replications(X, 5, AGAIN, range(2, 4))
    for row, i in zip(scores, (2, 3), strict=True):
        root = branch(ROOT, Purpose.REPLICATION, AGAIN, i)
        np.testing.assert_array_equal(row, Evaluation(evaluate.problem, root, chunk_size=4)(X, 5))
    assert len({*scores.ravel(), *evaluate(X, 5)}) == 30


def test_a_problem_without_noise_is_scored_alike_in_every_replication():
    scores = Evaluation(SPHERE.mean, ROOT).replications(X, 0, AGAIN, range(3))
    np.testing.assert_array_equal(scores, np.tile(SPHERE.mean(X), (3, 1)))


@pytest.mark.parametrize("size", [1, 4, 512])
@pytest.mark.parametrize("renewed", [True, False])
def test_common_numbers_are_those_of_the_iteration_or_of_the_run(size, renewed):
    evaluate = Evaluation(CommonNumbers(SPHERE, renewed=renewed), ROOT, chunk_size=size)
    for t in (0, 3):
        noise = noise_at(1, *([t] if renewed else []))
        np.testing.assert_array_equal(evaluate(X, t), SPHERE.mean(X) + noise)


def test_common_numbers_are_new_in_every_replication_even_where_the_run_keeps_them():
    evaluate = Evaluation(CommonNumbers(SPHERE, renewed=False), ROOT)
    noise = evaluate.replications(X, 3, AGAIN, range(50)) - SPHERE.mean(X)
    assert np.ptp(noise, axis=1).max() < 1e-12
    assert len(set(noise[:, 0].round(9))) == 50


def test_a_replicated_score_is_the_mean_of_scores_from_one_stream():
    mean = Replicated(SPHERE, 4).bind(stream(ROOT, Purpose.NOISE))
    noise = stream(ROOT, Purpose.NOISE).standard_normal((4, 10))
    np.testing.assert_allclose(mean(X), SPHERE.mean(X) + noise.mean(axis=0), rtol=1e-14)


def test_a_replicated_score_tells_its_standard_error():
    value, error = Replicated(SPHERE, 4).bind(stream(ROOT, Purpose.NOISE)).with_error(X)
    noise = stream(ROOT, Purpose.NOISE).standard_normal((4, 10))
    np.testing.assert_allclose(error, np.sqrt(noise.var(axis=0, ddof=1) / 4), rtol=1e-13)
    np.testing.assert_allclose(value, SPHERE.mean(X) + noise.mean(axis=0), rtol=1e-14)


def test_one_replication_has_no_standard_error():
    with pytest.raises(ValueError, match="needs at least 2 replications; got n=1"):
        Replicated(SPHERE, 1).bind(np.random.default_rng(0)).with_error(X)


def test_common_numbers_of_a_replicated_problem_differ_between_the_replications():
    score = Evaluation(CommonNumbers(Replicated(SPHERE, 9)), ROOT)(X, 2)
    np.testing.assert_allclose(score, SPHERE.mean(X) + noise_at(9, 2).mean(), rtol=1e-13)


def test_a_wrapper_is_noisy_if_what_it_wraps_is():
    for wrap in (Negated, lambda p: Boxed(p, np.zeros(3), np.ones(3), cem.Normal)):
        assert is_noisy(wrap(numbered(SPHERE)))
        assert not is_noisy(wrap(SPHERE.mean))


def test_a_wrapper_has_what_the_wrapped_has():
    whole = CommonNumbers(Replicated(SPHERE, 5))
    assert Negated(whole).cost == 5
    assert whole.nominal().parameters().keys() == {"mean", "cov"}
    assert not hasattr(FreshNumbers(Counting()), "nominal")
    assert not hasattr(FreshNumbers(Counting()), "chunk_size")


def test_numbering_leaves_numbered_and_exact_problems_as_they_are():
    common = CommonNumbers(SPHERE)
    assert numbered(common) is common
    assert numbered(len) is len


def test_the_bits_of_a_noisy_run_do_not_depend_on_the_workers(same_run):
    settings = {"n_samples": 100, "chunk_size": 30, "rng": 3, "max_iterations": 5}
    settings["noise"] = Noise(times=2, n_final=30)
    serial = cem.minimize(SPHERE, **settings)
    with ThreadPoolExecutor(2) as threads:
        for workers in (backwards, threads, 2):
            other = cem.minimize(SPHERE, workers=workers, **settings)
            assert same_run(other, serial)
            assert other.confidence_interval() == serial.confidence_interval()


@pytest.mark.parametrize("wrap", [numbered, CommonNumbers, lambda p: Replicated(p, 2)])
def test_a_cut_noisy_run_resumes_to_the_same_bits(wrap, tmp_path, same_run):
    noisy = wrap(SPHERE)
    settings = {"n_samples": 50, "rng": 3, "noise": Noise(times=1, n_final=30)}
    path = tmp_path / "run.npz"
    cem.minimize(noisy, max_iterations=3, checkpoint=path, **settings)
    resumed = cem.minimize(noisy, max_iterations=7, checkpoint=path, **settings)
    uncut = cem.minimize(noisy, max_iterations=7, **settings)
    assert same_run(resumed, uncut)
    assert resumed.confidence_interval() == uncut.confidence_interval()


def test_a_checkpoint_made_with_other_settings_of_the_noise_is_refused(tmp_path):
    settings = {"n_samples": 50, "rng": 3, "max_iterations": 2, "checkpoint": tmp_path / "run.npz"}
    cem.minimize(SPHERE, **settings)
    with pytest.raises(ValueError, match="other settings: noise = "):
        cem.minimize(SPHERE, noise=Noise(times=1), **settings)


def test_minimising_is_maximising_with_the_sign_turned():
    class Turned:
        def bind(self, rng):
            bound = SPHERE.bind(rng)
            return lambda x: -bound(x)

    down = cem.minimize(SPHERE, n_samples=100, rng=1)
    up = cem.maximize(Turned(), SPHERE.nominal(), n_samples=100, rng=1)
    np.testing.assert_array_equal(down.x, up.x)
    assert (down.fun, down.nfev, down.standard_error) == (-up.fun, up.nfev, up.standard_error)


def test_a_noisy_answer_lies_in_its_box():
    found = cem.minimize(SPHERE, bounds=[(0.5, 2.0)] * 3, n_samples=100, rng=1, max_iterations=10)
    assert isinstance(found, NoisyOptimum)
    assert ((found.x >= 0.5) & (found.x <= 2.0)).all()
    assert SPHERE.mean(found.x[None])[0] < 1.5


@pytest.mark.parametrize("rng", range(3))
@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("times", [0, 2])
def test_nfev_counts_every_score_of_search_race_and_answer(n, times, rng):
    counting = Counting()
    noisy = Replicated(counting, n) if n > 1 else counting
    found = cem.maximize(
        noisy,
        cem.Normal([0.0], [1.0]),
        n_samples=40,
        max_iterations=4,
        noise=Noise(times=times, most=40, n_final=20),
        rng=rng,
    )
    assert found.nfev == counting.scored


@pytest.mark.parametrize("times", [0, 3])
def test_a_budget_of_evaluations_is_kept_and_all_but_used(times):
    counting = Counting()
    noise = Noise(times=times, most=40, n_final=20)
    found = cem.maximize(
        Replicated(counting, 2),
        cem.Normal([0.0], [1.0]),
        n_samples=40,
        max_evaluations=2400,
        noise=noise,
        rng=1,
    )
    assert found.nfev == counting.scored <= 2400
    assert "the budget of 2400 evaluations was spent" in found.message
    an_iteration = found.state.nfev // found.nit
    assert found.state.nfev + an_iteration > 2400 - 2 * noise.most_spent


def test_the_best_are_scored_again_and_have_the_mean():
    evaluate = Evaluation(numbered(SPHERE), ROOT)
    once = evaluate(X, 3)
    score = Rescored(evaluate, share=0.3, times=4)(X, 3)
    best = np.argsort(-once)[:3]
    again = evaluate.replications(X[best], 3, AGAIN, range(4))
    np.testing.assert_allclose(score[best], np.vstack([once[best], again]).mean(axis=0))
    rest = np.setdiff1d(np.arange(10), best)
    np.testing.assert_array_equal(score[rest], once[rest])


def test_scoring_again_looks_at_no_failed_score_and_changes_none_of_the_callers():
    mine = np.array([np.nan, 1.0, np.inf, 3.0, 2.0])
    score = Rescored(Evaluation(lambda x: mine[: len(x)], ROOT), share=0.4, times=1)(mine, 0)
    np.testing.assert_array_equal(mine, [np.nan, 1.0, np.inf, 3.0, 2.0])
    assert np.isnan(score[[0, 3]]).all()  # the second look took the first two of mine
    assert score[[1, 2, 4]].tolist() == [1.0, np.inf, 1.5]


def test_second_looks_choose_a_better_elite():
    x = np.linspace(0, 1, 200)[:, None]
    evaluate = Evaluation(numbered(Counting()), ROOT)
    looked = Rescored(evaluate, share=0.4, times=8)
    gained = [x[np.argsort(looked(x, t))[-20:]].mean() for t in range(40)]
    plain = [x[np.argsort(evaluate(x, t))[-20:]].mean() for t in range(40)]
    rise = np.subtract(gained, plain)
    assert rise.mean() > 5 * rise.std(ddof=1) / np.sqrt(40)


def test_a_costed_method_has_the_bits_of_the_plain_one():
    method = cem.CrossEntropyMethod(nominal=cem.Normal([0.0], [1.0]), n_samples=30, rng=None)
    twin = Costed(method, lambda n: 7 * n)
    x = method.ask(method.init())
    np.testing.assert_array_equal(twin.ask(twin.init()), x)
    state, record = twin.tell(twin.init(), x, x[:, 0])
    assert (state.nfev, record.nfev, record.n) == (210, 210, 30)


def test_the_probability_of_a_noisy_score_is_estimated():
    found = cem.estimate(
        numbered(Counting()), cem.Normal([0.0], [1.0]), gamma=2.0, n_final=20_000, rng=1
    )
    exact = ndtr(-2.0 / np.sqrt(2))  # x plus noise has variance two
    assert abs(found.probability - exact) < 5 * found.std_error < 0.2 * exact


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (lambda: CommonNumbers(len), TypeError, "CommonNumbers is for a noisy problem, one with"),
        (lambda: Replicated(CommonNumbers(SPHERE), 2), TypeError, "put it around the other way$"),
        (lambda: Replicated(SPHERE, 0), ValueError, "the replications of a score, must be at le"),
        (lambda: numbered(SPHERE)(X), TypeError, "give it a generator first, as in problem.bind"),
        (lambda: Rescored(len, share=0.0), ValueError, r"must lie in \(0, 1\]; got 0.0"),
        (lambda: Rescored(len, times=0), ValueError, "how often the best are scored again, must"),
        (lambda: cem.minimize(SPHERE, target=1.0), TypeError, "takes no target: one lucky score"),
        (
            lambda: cem.minimize(SPHERE.mean, SPHERE.nominal(), noise=Noise()),
            TypeError,
            r"noise= is for a noisy problem, one with a method bind\(rng\); got one whose scores",
        ),
        (lambda: cem.minimize(SPHERE, max_evaluations=500), ValueError, "allow one iteration of"),
    ],
)
def test_what_cannot_work_is_refused(wrong, error, message):
    with pytest.raises(error, match=message):
        wrong()


def test_a_noisy_problem_that_raises_is_named_with_sample_iteration_and_seed():
    class Fragile:
        def bind(self, rng):
            def score(x):
                if (x > 2).any():
                    raise RuntimeError("no licence")
                return rng.random(len(x))

            return score

    x = np.arange(4.0)[:, None]
    with pytest.raises(ValueError, match=r"no licence on sample 3 of iteration 1 \(rng=7\)"):
        Evaluation(numbered(Fragile()), ROOT, chunk_size=2)(x, 0)
