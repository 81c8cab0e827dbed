"""Samples drawn by whoever scores them: the same bits for all, the same fit, and in little room."""

import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.reduction import ForkingPickler

import numpy as np
import pytest

import cem
from cem.randomness import Purpose, root_of, stream
from cem.sampling import Chunk, Elsewhere, Undrawn, sampling_of
from problems.maxcut import two_blocks

NORMAL = cem.Normal([2.0] * 3, [1.0] * 3)
ROOT = root_of(5)
CUT = two_blocks(40, 20)
PLACE = {"sampling": "workers"}
FAMILIES = [
    cem.Normal([0.0, 1e6, -3.0], [1.0, 1e-3, 0.0]),
    cem.Bernoulli([0.1, 0.5, 1.0]),
    cem.Categorical([[0.2, 0.8], [0.1, 0.3, 0.6]]),
    cem.Exponential([1e-3, 1.0, 1e3]),
    cem.MultivariateNormal([1.0, 50.0], [[4.0, 1.0], [1.0, 1.0]]),
]


def square(x):
    return -np.square(x).sum(axis=1)


def maximized(workers=1, **settings):
    usual = {"n_samples": 150, "chunk_size": 40, "rng": 3, "max_iterations": 6, "rho": 0.2}
    return cem.maximize(square, NORMAL, workers=workers, **usual | PLACE | settings)


def backwards(function, chunks):
    """A map that does the last chunk first."""
    return [function(chunk) for chunk in [*chunks][::-1]][::-1]


def undrawn(family, n=1000, size=64):
    return Undrawn(family, ROOT, 4, n, size, map)


def whole(x):
    """The batch in one place, from its chunks."""
    return np.concatenate([x[a : a + x.size].drawn() for a in range(0, len(x), x.size)])


def test_a_chunk_comes_from_a_stream_of_its_own_address():
    chunk = Chunk(NORMAL, ROOT, 4, 128, 10)
    expected = NORMAL.sample(stream(ROOT, Purpose.SAMPLE, 4, 128), 10)
    np.testing.assert_array_equal(chunk.drawn(), expected)
    np.testing.assert_array_equal(chunk[2:4], expected[2:4])


def test_one_sample_and_some_samples_are_those_of_the_batch():
    x = undrawn(NORMAL)
    for i in (0, 63, 64, 999):
        np.testing.assert_array_equal(x[i], whole(x)[i])
    for chosen in (np.array([3, 70, 71, 998]), whole(x)[:, 0] > 3.0):
        np.testing.assert_array_equal(np.asarray(x[chosen]), whole(x)[chosen])
        assert len(x[chosen]) == len(whole(x)[chosen])


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: type(f).__name__)
def test_the_fit_from_sums_over_chunks_is_that_to_the_samples(family):
    x = undrawn(family, 5000)
    score = whole(x)[:, 0] + 0.1 * np.sin(np.arange(5000))
    chosen = np.flatnonzero(score >= np.sort(score)[-500])
    for w in (np.full(len(chosen), 1 / len(chosen)), np.random.default_rng(0).random(len(chosen))):
        there, here = family.fit(x[chosen], w), family.fit(whole(x)[chosen], w)
        for name, array in here.parameters().items():
            np.testing.assert_allclose(there.parameters()[name], array, rtol=1e-12, atol=0)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: type(f).__name__)
def test_the_fit_to_one_sample_is_a_point(family):
    x = undrawn(family, 100)
    there = family.fit(x[np.array([70])], np.ones(1))
    here = family.fit(whole(x)[70:71], np.ones(1))
    for name, array in here.parameters().items():
        np.testing.assert_allclose(there.parameters()[name], array, rtol=1e-12, atol=0)


def test_a_run_agrees_with_one_that_has_the_same_batches_here():
    method = cem.CrossEntropyMethod(nominal=NORMAL, n_samples=500, rng=1)
    elsewhere = Elsewhere(method, size=64, map=map)
    state = twin = elsewhere.init()
    for _ in range(5):
        x = elsewhere.ask(state)
        score = square(whole(x))
        state, record = elsewhere.tell(state, x, score)
        twin, expected = method.tell(twin, whole(x), score)
        np.testing.assert_allclose(np.array(record), np.array(expected), rtol=1e-11)
        np.testing.assert_array_equal(state.best.x, twin.best.x)


def test_threads_processes_and_any_order_give_the_bits_of_one(same_run):
    def cut(workers):
        return cem.maximize(
            CUT, rng=3, n_samples=150, chunk_size=40, max_iterations=6, workers=workers, **PLACE
        )

    alone = cut(1)
    with ThreadPoolExecutor(2) as threads:
        assert same_run(cut(threads), alone)
    assert same_run(cut(2), alone)
    assert same_run(cut(backwards), alone)


def test_a_run_that_is_resumed_ends_in_the_same_bits(tmp_path, same_run):
    whole_run = maximized()
    maximized(max_iterations=3, checkpoint=tmp_path / "run.npz")
    assert same_run(maximized(checkpoint=tmp_path / "run.npz"), whole_run)


def test_a_checkpoint_of_the_other_sampling_is_refused(tmp_path):
    maximized(checkpoint=tmp_path / "run.npz")
    with pytest.raises(ValueError, match=r"other settings: sampling = 'workers', now None"):
        maximized(checkpoint=tmp_path / "run.npz", sampling="here")


def test_the_result_is_a_sample_that_scores_what_is_said():
    found = maximized()
    assert found.fun == square(found.x[None])[0]
    assert found.fun > -1.0


@pytest.mark.parametrize(
    "family",
    [
        cem.Product(a=cem.Normal([1.0], [1.0]), b=cem.Bernoulli([0.5])),
        cem.Poisson([3.0, 4.0]),
        cem.MirroredBernoulli([0.5] * 8),
    ],
    ids=lambda f: type(f).__name__,
)
def test_a_family_without_sums_gets_its_elite(family, same_run):
    def score(x):
        if isinstance(family, cem.Product):
            return x["a"][:, 0] + x["b"][:, 0]
        return np.asarray(x) @ np.arange(1.0, family.n_coordinates + 1)

    settings = {"n_samples": 100, "chunk_size": 30, "rng": 1, "max_iterations": 4} | PLACE
    alone = cem.maximize(score, family, **settings)
    assert same_run(cem.maximize(score, family, workers=backwards, **settings), alone)
    assert alone.history[-1].gamma > alone.history[0].gamma


def test_the_whole_batch_is_never_in_one_place():
    n, d = 40_000, 50
    family = cem.Normal([1.0] * d, [1.0] * d)
    tracemalloc.start()
    try:
        cem.maximize(
            square, family, n_samples=n, rho=0.01, sampling="workers", rng=1, max_iterations=2
        )
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * n * d / 3


def test_no_sample_goes_through_the_executor():
    sizes = []

    class Counting(ThreadPoolExecutor):
        """Tells how many bytes go and come."""

        def submit(self, fn, /, *args):
            future = super().submit(fn, *args)
            sizes.append(len(ForkingPickler.dumps(args)))
            sizes.append(len(ForkingPickler.dumps(future.result())))
            return future

    n, d = 20_000, 100
    family = cem.Normal([1.0] * d, [1.0] * d)
    with Counting(1) as counting:
        cem.maximize(
            square, family, n_samples=n, rho=0.01, sampling="workers", rng=1, workers=counting,
            max_iterations=1,
        )  # fmt: skip
    assert len(sizes) == 2 * 2 * 10  # chunks of 2048, there and back, scored and summed
    assert sum(sizes) <= 300_000


def test_what_asks_for_the_whole_batch_is_told_so():
    with pytest.raises(TypeError, match=r"^sampling=\"workers\" has the 150 samples of an iterat"):
        maximized(rho=None, preset="icem", n_samples=150)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"bounds": [(0, 1)] * 3}, "bounds"),
        ({"family": NORMAL, "refine": np.add}, "refine"),
        ({"family": NORMAL, "constraints": lambda x: x[:, 0] > 0}, "constraints"),
    ],
)
def test_what_looks_at_the_whole_batch_is_refused_by_name(options, named):
    with pytest.raises(TypeError, match=rf"^sampling=\"workers\" does not go with {named}, which"):
        cem.maximize(square, sampling="workers", **options)


def test_a_noisy_problem_is_refused():
    class Noisy:
        def bind(self, _):
            return square

    with pytest.raises(TypeError, match="does not go with noise"):
        cem.maximize(Noisy(), NORMAL, sampling="workers")


def test_a_sample_on_which_the_problem_raises_is_named():
    def fragile(x):
        if (x[:, 0] > 3.0).any():
            raise RuntimeError("too large")
        return square(x)

    with pytest.raises(ValueError, match=r"RuntimeError: too large on sample \d+ of iteration 1"):
        cem.maximize(fragile, NORMAL, n_samples=150, chunk_size=40, rng=3, sampling="workers")


def test_only_two_places_are_known():
    with pytest.raises(ValueError, match=r'^sampling must be "here" or "workers"; got \'there\'$'):
        sampling_of("there")
