"""Functions of one point and of a batch are told apart, and scored rightly whichever they are."""

import importlib
import math
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, NonlinearConstraint, rosen

import cem
from cem.parallel import OnePointError
from cem.pointwise import Tried

C = np.array([1.0, -2.0, 3.0, 0.5, 1.5])


def ackley(x):
    arg1 = -0.2 * np.sqrt(0.5 * (x[0] ** 2 + x[1] ** 2))
    arg2 = 0.5 * (np.cos(2.0 * np.pi * x[0]) + np.cos(2.0 * np.pi * x[1]))
    return -20.0 * np.exp(arg1) - np.exp(arg2) + 20.0 + np.e


def waves(x):
    return math.sin(x[0]) + math.cos(x[1]) + 0.1 * (x[0] - 1) ** 2


def branched(x):
    return x[0] ** 2 if x[0] > 1 else abs(x[1]) + 1


def in_place(x):
    x -= 0.5
    return np.dot(x, x)


def in_brackets(x):
    return [(x[0] - 1) ** 2 + x[1] ** 2]


def penalised(x):
    return 1000.0 if (x < -2.9).any() else float(np.sum(x**2))


def scaled(x):
    return np.dot(x, x) / np.linalg.norm(C)


POINTS = [ackley, branched, in_brackets, in_place, penalised, rosen, scaled, waves]


def columns(x):
    return (x**2).sum(axis=1)


def by_index(x):
    return x[:, 0] ** 2 + np.abs(x[:, 1])


def either(x):
    return ((x - 1) ** 2).sum(axis=-1)


def linear(x):
    return x @ C[: x.shape[-1]]


def loop(x):
    return [float(p @ p) for p in x]


BATCHES = [columns, by_index, either, linear, loop]


BOX = {"bounds": [(-3, 3)] * 3, "rng": 4, "max_iterations": 6}


@pytest.mark.parametrize("n", [2, 3, 5, 9])
@pytest.mark.parametrize("d", [1, 2, 3, 5])
@pytest.mark.parametrize("f", POINTS)
def test_the_first_batch_tells_a_function_of_one_point(f, d, n):
    x = np.random.default_rng(n).uniform(-3, 3, (n, max(d, 2) if f in {ackley, waves} else d))
    if f in {branched, in_brackets} and d == 1:
        return
    kept = x.copy()
    with pytest.raises(
        OnePointError, match=r"it takes one point: say vectorized=False, or pass cem"
    ):
        Tried(f)(x)
    np.testing.assert_array_equal(x, kept)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 9])
@pytest.mark.parametrize("d", [2, 3, 5])
@pytest.mark.parametrize("f", BATCHES)
def test_a_function_of_a_batch_is_scored_as_it_is(f, d, n):
    x = np.random.default_rng(n).uniform(-3, 3, (n, d))
    np.testing.assert_array_equal(Tried(f)(x), f(x))


def test_a_function_of_one_point_may_fail_at_the_first_of_them():
    def somewhere(x):
        return math.sqrt(x[0])

    with pytest.raises(OnePointError):
        Tried(somewhere)(np.array([[-1.0, 2.0], [4.0, 2.0], [4.0, 2.0]]))


@pytest.mark.parametrize("driver", [cem.minimize, cem.maximize])
def test_objects_that_say_what_they_are_are_not_tried(driver):
    class Problem:
        """Its first batch has as many samples as coordinates, and is not split."""

        sizes: ClassVar = []

        def __call__(self, x):
            self.sizes.append(len(x))
            return x.sum(axis=1)

        def nominal(self):
            raise AssertionError

    driver(Problem(), bounds=[(0, 1)] * 3, n_samples=3, rng=1, max_iterations=1)
    assert Problem.sizes == [3]


@pytest.mark.parametrize("driver", [cem.minimize, cem.maximize])
@pytest.mark.parametrize("f", BATCHES)
def test_every_sample_of_a_function_of_a_batch_is_scored_once_and_counted(driver, f):
    scored = []

    def counted(x):
        scored.append(len(x))
        return f(x)

    assert driver(counted, **BOX).nfev == sum(scored)


@pytest.mark.parametrize("driver", [cem.minimize, cem.maximize])
def test_a_function_of_one_point_is_called_once_too_often_at_most(driver):
    calls = []

    def counted(x):
        calls.append(np.shape(x))
        return rosen(x)

    found = driver(counted, **BOX)
    assert calls[1:] == [(3,)] * (found.nfev + 1)  # one to see that it gives a number
    assert len(calls[0]) == 2
    calls.clear()
    again = driver(counted, **BOX, vectorized=False)
    assert calls == [(3,)] * again.nfev
    assert again.history == found.history


def test_as_many_samples_as_coordinates_are_no_answer_for_the_coordinates():
    found = cem.minimize(rosen, bounds=[(-2, 2)] * 4, n_samples=4, rng=1, max_iterations=5)
    wrapped = cem.minimize(
        cem.each(rosen), bounds=[(-2, 2)] * 4, n_samples=4, rng=1, max_iterations=5
    )
    assert found.history == wrapped.history


def test_vectorized_is_checked_by_the_shape_of_what_comes_back():
    with pytest.raises(ValueError, match=r"batch of shape \(1, 11\), got \(11,\).*f\(x\.T\)"):
        cem.minimize(rosen, bounds=[(-2, 2)] * 11, n_samples=11, vectorized=True)
    found = cem.minimize(lambda x: rosen(x.T), bounds=[(-2, 2)] * 2, vectorized=True, rng=1)
    assert found.fun < 1e-9
    with pytest.raises(TypeError, match="vectorized must be True, False or None; got 1"):
        cem.minimize(columns, bounds=[(-2, 2)] * 2, vectorized=1)


def test_a_generator_gives_the_same_run_as_to_the_function_wrapped_by_hand(same_run):
    tried, wrapped = (
        cem.minimize(f, **BOX | {"rng": np.random.default_rng(5)}) for f in (rosen, cem.each(rosen))
    )
    assert same_run(tried, wrapped)


def test_a_run_of_a_function_of_one_point_is_resumed(tmp_path, same_run):
    options = {"bounds": [(-2, 2)] * 3, "rng": 4}
    whole = cem.minimize(rosen, max_iterations=8, **options)
    path = tmp_path / "cut.npz"
    cem.minimize(rosen, max_iterations=3, checkpoint=path, **options)
    assert same_run(cem.minimize(rosen, max_iterations=8, checkpoint=path, **options), whole)


def test_a_batch_that_fails_later_is_not_begun_anew():
    seen = []

    def later(x):
        if len(seen) == 2:
            raise ValueError("no more")
        return np.sum(x**2, axis=-1)

    with pytest.raises(ValueError, match="no more"):
        cem.minimize(later, **BOX, callback=lambda state, _: seen.append(state.t))
    assert seen == [1, 2]


def test_vectorized_goes_for_families_too():
    start = cem.Normal([0.0] * 3, [1.0] * 3)
    given = cem.minimize(rosen, start, rng=1, vectorized=False, max_iterations=4)
    wrapped = cem.minimize(cem.each(rosen), start, rng=1, max_iterations=4)
    assert given.history == wrapped.history


@pytest.mark.parametrize("driver", [cem.minimize, cem.maximize])
def test_a_run_is_that_of_the_function_wrapped_by_hand(driver, same_run):
    options = {"bounds": [(-3, 3)] * 2, "rng": 4, "max_iterations": 5}
    assert same_run(driver(waves, **options), driver(cem.each(waves), **options))


def test_errors_of_a_function_that_can_take_neither_are_those_of_a_batch():
    with pytest.raises(ValueError, match=r"raised KeyError: 'gone' on sample 0 of iteration 1"):
        cem.minimize(lambda _: {}["gone"], bounds=[(0, 1)] * 2, rng=1)
    with pytest.raises(ValueError, match=r"one score per sample"):
        cem.minimize(lambda x: np.ones((len(x), 3)), bounds=[(0, 1)] * 2, rng=1)


@pytest.fixture
def bad(tmp_path, monkeypatch):
    """A module that other processes can import."""
    (tmp_path / "bad_functions.py").write_text(
        "import os, time\ndef deadly(x): os._exit(3)\ndef slow(x): time.sleep(60)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    return importlib.import_module("bad_functions")


@pytest.mark.parametrize("workers", [2, "threads"])
def test_it_is_tried_where_the_workers_are(workers, same_run):
    options = {"bounds": [(-2, 2)] * 3, "rng": 4, "max_iterations": 3}
    with ThreadPoolExecutor(2) as threads:
        many = cem.minimize(rosen, workers=threads if workers == "threads" else 2, **options)
    assert same_run(many, cem.minimize(rosen, **options))


def test_a_function_that_ends_its_process_or_hangs_does_not_take_us_with_it(bad):
    with pytest.raises(RuntimeError, match=r"^chunk 1 of 1 was not .* 3 processes ended abruptly"):
        cem.minimize(bad.deadly, bounds=[(0, 1)] * 2, workers=2)
    with pytest.raises(TimeoutError, match=r"^chunk 1 of 1 was not .* it took longer than 0.5 s"):
        cem.minimize(bad.slow, bounds=[(0, 1)] * 2, evaluation_timeout=0.5)


@pytest.mark.parametrize(
    ("f", "bounds", "x"),
    [
        (rosen, [(-2, 2)] * 2, [1, 1]),
        (rosen, [(-2, 2)] * 11, [1] * 11),  # of as many samples as coordinates
        (ackley, [(-5, 5)] * 2, [0, 0]),
        (waves, [(-4, 6), (0, 6)], [-1.130597, math.pi]),
        (in_brackets, [(-4, 6)] * 2, [1, 0]),
    ],
)
def test_functions_of_one_point_are_minimised(f, bounds, x):
    found = cem.minimize(f, bounds=bounds, rng=1, max_iterations=1500)
    assert found.x == pytest.approx(x, abs=1e-5)
    assert found["fun"] == found.fun == np.squeeze(f(found["x"]))


def test_a_constraint_of_one_point_goes_with_a_function_of_one_point():
    inside = NonlinearConstraint(lambda x: x[0] ** 2 + x[1] ** 2, 0, 1)
    found = cem.minimize(
        lambda x: math.exp(x[0]) + x[1], bounds=[(-2, 2)] * 2, constraints=inside, rng=1
    )
    assert math.hypot(*found.x) <= 1 + 1e-12
    grid = np.linspace(0, 2 * np.pi, 200_001)
    assert found.fun == pytest.approx((np.exp(np.cos(grid)) + np.sin(grid)).min(), abs=1e-5)


def test_a_result_is_read_like_those_of_scipy():
    found = cem.minimize(rosen, bounds=[(-2, 2)] * 2, rng=1)
    assert found["nfev"] == found.nfev
    assert "fun" in found
    assert "hess" not in found
    assert dict(found)["fun"] == found.fun
    assert [*found] == [*dict(found)]
    with pytest.raises(KeyError, match="a result has no 'hess'"):
        found["hess"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_function_of_one_point_is_told_where_no_first_sample_keeps_the_constraint(seed, tmp_path):
    def tall(x):
        a, b, c = x
        return a * b + c

    thin = LinearConstraint([[1, 1, 1]], 0.999, 1.001)
    options = {"bounds": [(0, 1)] * 3, "constraints": thin, "rng": seed, "max_evaluations": 2000}
    found = cem.minimize(tall, checkpoint=tmp_path / "run.npz", **options)
    alone = cem.minimize(tall, vectorized=False, **options)
    assert (found.fun, found.nfev) == (alone.fun, alone.nfev)
    assert abs(found.x.sum() - 1) <= 0.001
