"""Whoever scores the chunks, the bits are the same; whatever goes wrong is told in a sentence."""

import multiprocessing
import os
import signal
import sys
import threading
import time
import types
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

import cem
from cem.parallel import Evaluation, mapping
from cem.processes import Processes
from cem.randomness import root_of
from problems.maxcut import two_blocks
from problems.rare_event.bridge import Bridge

CUT = two_blocks(40, 20)


class Wave:
    """A score whose last bits depend on everything, and that says which batches it was given."""

    def __init__(self):
        self.sizes = []

    def __call__(self, x):
        self.sizes.append(len(x))
        return np.sin(x).sum(axis=1)


def backwards(function, chunks):
    """A map that does the last chunk first."""
    return [function(chunk) for chunk in [*chunks][::-1]][::-1]


def shuffled(function, chunks):
    """A map that does the chunks in any order, and gives the scores in theirs."""
    chunks = [*chunks]
    scores = {}
    for i in np.random.default_rng(0).permutation(len(chunks)):
        scores[i] = function(chunks[i])
    return (scores[i] for i in range(len(chunks)))


def maximized(workers, **settings):
    return cem.maximize(
        CUT, rng=3, n_samples=150, chunk_size=40, max_iterations=6, workers=workers, **settings
    )


def estimated(workers):
    return cem.estimate(
        Bridge(2.0), n_samples=150, n_final=400, chunk_size=40, rng=3, workers=workers
    )


@pytest.fixture(scope="module")
def serial():
    return maximized(1), estimated(1)


@pytest.fixture(scope="module")
def pool():
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as workers:
        yield workers


@pytest.mark.parametrize("order", [map, backwards, shuffled])
def test_the_order_in_which_chunks_are_scored_does_not_matter(order, serial, same_run):
    assert same_run(maximized(order), serial[0])
    assert same_run(estimated(order), serial[1])


def test_two_threads_give_the_bits_of_one(serial, same_run):
    with ThreadPoolExecutor(2) as threads:
        assert same_run(maximized(threads), serial[0])
        assert same_run(estimated(threads), serial[1])


def test_two_processes_give_the_bits_of_one(serial, same_run):
    assert same_run(maximized(2), serial[0])
    assert same_run(estimated(2), serial[1])


def test_a_multiprocessing_pool_gives_the_bits_of_one_and_is_left_open(pool, serial, same_run):
    assert same_run(maximized(pool), serial[0])
    assert same_run(estimated(pool), serial[1])


def test_all_cores_give_the_bits_of_one(monkeypatch, serial, same_run):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert same_run(maximized(-1), serial[0])


def test_an_executor_of_the_callers_is_left_open():
    with ThreadPoolExecutor(2) as threads:
        maximized(threads)
        assert threads.submit(int, "3").result() == 3


def test_chunks_depend_on_the_chunk_size_only():
    sizes = {}
    for workers in (map, backwards):
        wave = Wave()
        family = cem.Normal([0.0] * 3, [1.0] * 3)
        cem.maximize(
            wave, family, n_samples=100, chunk_size=30, rng=0, max_iterations=1, workers=workers
        )
        sizes[workers] = sorted(wave.sizes)
    assert sizes[map] == sizes[backwards] == [10, 30, 30, 30]


def test_a_function_of_one_point_is_shared_out_in_small_chunks():
    chunks = []

    def watching(function, numbered):
        numbered = [*numbered]
        chunks.extend(len(x) for _, x in numbered)
        return map(function, numbered)

    family = cem.Bernoulli([0.5] * 4)
    found = cem.maximize(
        cem.each(sum), family, n_samples=20, rng=0, max_iterations=1, workers=watching
    )
    assert chunks == [8, 8, 4]
    assert (
        found.fun
        == cem.maximize(lambda x: x.sum(axis=1), family, n_samples=20, rng=0, max_iterations=1).fun
    )


def test_each_calls_its_function_once_per_sample_in_order():
    seen = []

    def first(point):
        seen.append(point.tolist())
        return point[0]

    x = np.array([[3.0, 1.0], [5.0, 2.0]])
    assert cem.each(first)(x).tolist() == [3.0, 5.0]
    assert seen == x.tolist()


def shifted(x):
    """Works in place, on a batch and on one point."""
    x -= 1.0
    return -np.square(x).sum(axis=-1)


@pytest.mark.parametrize("problem", [shifted, cem.each(shifted)], ids=["batch", "each"])
def test_a_problem_that_works_in_place_changes_no_sample(problem):
    x = np.random.default_rng(1).normal(size=(20, 3))
    before = x.copy()
    score = Evaluation(problem, root_of(1), chunk_size=8)(x, 0)
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(score, shifted(before))


def test_a_sample_that_makes_the_problem_raise_is_named_with_its_iteration_and_seed():
    def fragile(x):
        if (x[:, 0] == 1).any():
            raise RuntimeError("no licence")
        return x.sum(axis=1)

    x = np.zeros((50, 3), dtype=np.int8)
    x[37, 0] = 1
    evaluate = Evaluation(fragile, root_of(11), chunk_size=20)
    with pytest.raises(
        ValueError,
        match=r"^the problem raised RuntimeError: no licence on sample 37 of iteration 5 "
        r"\(rng=11\); sample: \[1 0 0\]$",
    ) as caught:
        evaluate(x, 4)
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_a_chunk_that_fails_although_none_of_its_samples_does_is_named_by_its_first():
    def together(x):
        if len(x) > 1 and x[0, 0] == 1:
            raise RuntimeError("too many")
        return x.sum(axis=1)

    x = np.repeat([0.0, 1.0], 20)[:, None]
    with pytest.raises(ValueError, match=r"raised RuntimeError: too many on sample 20 of iterat"):
        Evaluation(together, root_of(11), chunk_size=20)(x, 0)


def test_an_error_in_another_process_is_told_as_here(pool):
    with pytest.raises(ValueError, match=r"^the problem raised ValueError: .* on sample 0 of iter"):
        cem.maximize(Bridge(), cem.Normal([0.0] * 4, [1.0] * 4), rng=1, workers=pool)


def test_a_problem_that_cannot_be_sent_to_a_process_is_refused_with_a_way_out():
    family = cem.Bernoulli([0.5] * 4)
    with pytest.raises(TypeError, match=r"cannot be sent to another process .* define it at the t"):
        cem.maximize(lambda x: x.sum(axis=1), family, workers=2)


def test_a_worker_that_dies_is_reported_with_the_likely_causes(tmp_path, monkeypatch):
    (tmp_path / "deadly_problem.py").write_text("import os\n\n\ndef score(x):\n    os._exit(3)\n")
    monkeypatch.syspath_prepend(tmp_path)
    from deadly_problem import score

    with pytest.raises(RuntimeError, match=r"^chunk 1 of 1 was not scored .*3 processes ended ab"):
        cem.maximize(score, cem.Bernoulli([0.5] * 4), n_samples=20, rng=1, workers=2)


def test_a_process_killed_in_the_middle_of_an_iteration_does_not_change_a_bit(
    tmp_path, monkeypatch, same_run
):
    (tmp_path / "slow_problem.py").write_text(
        "import time\ndef score(x): time.sleep(0.02); return x.sum(axis=1)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    from slow_problem import score

    def found(workers):
        return cem.maximize(
            score, cem.Bernoulli([0.5] * 9), rng=3, n_samples=200, chunk_size=20, workers=workers,
            max_iterations=3,
        )  # fmt: skip

    alone = found(1)
    for after in (0.01, 0.1, 0.2):
        with Processes(2) as pool:
            victim = pool.submit(os.getpid).result()
            threading.Timer(after, os.kill, (victim, signal.SIGKILL)).start()
            assert same_run(found(pool), alone)
            assert victim not in {pool.submit(os.getpid).result() for _ in range(9)}


def test_a_problem_that_hangs_is_ended_and_its_chunk_named(tmp_path, monkeypatch):
    (tmp_path / "hanging_problem.py").write_text("import time\ndef score(x): time.sleep(1000)\n")
    monkeypatch.syspath_prepend(tmp_path)
    from hanging_problem import score

    since = time.monotonic()
    with pytest.raises(
        TimeoutError, match=r"^chunk 1 of 1 was not .*: it took longer than 0\.5 s$"
    ):
        cem.maximize(score, cem.Bernoulli([0.5] * 4), n_samples=20, rng=1, evaluation_timeout=0.5)
    assert time.monotonic() - since < 60


def test_a_problem_that_cannot_be_loaded_there_is_told_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "made_up_here", types.ModuleType("made_up_here"))
    monkeypatch.setattr(Wave, "__module__", "made_up_here")
    monkeypatch.setattr(sys.modules["made_up_here"], "Wave", Wave, raising=False)
    with pytest.raises(
        RuntimeError, match=r"^chunk 1 of 1 was not scored .* could not load the pr"
    ):
        cem.maximize(Wave(), cem.Normal([0.0] * 2, [1.0] * 2), n_samples=20, rng=1, workers=2)


def test_the_standard_executor_of_processes_gives_the_bits_of_one(serial, same_run):
    with ProcessPoolExecutor(2, multiprocessing.get_context("forkserver")) as standard:
        assert same_run(maximized(standard), serial[0])


@pytest.mark.parametrize(
    ("workers", "error", "message"),
    [
        (0, ValueError, r"^workers must be -1 \(all cores\) or at least 1; got 0$"),
        (-2, ValueError, r"^workers must be -1 \(all cores\) or at least 1; got -2$"),
        (
            1.5,
            TypeError,
            r"^workers must be an int, or have a method \.map .* got 1\.5 of type flo",
        ),
        (True, TypeError, r"^workers must be an int, or have a method \.map .* got True of type b"),
        ("all", TypeError, r"^workers must be an int, or have a method \.map .* got 'all' of type"),
    ],
)
def test_what_cannot_work_is_refused(workers, error, message):
    with pytest.raises(error, match=message), mapping(workers, CUT):
        pass


def test_a_function_of_one_point_that_meets_a_batch_is_told_how_to_be_wrapped():
    def f(x):
        return 1.0 if x > 0 else 0.0

    with pytest.raises(ValueError, match=r"truth value.*wrap it: cem\.each\(f\)$"):
        cem.maximize(f, cem.Normal([0.0] * 2, [1.0] * 2), rng=1)
