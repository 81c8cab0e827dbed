"""Functions of one point and of a batch are told apart, and scored rightly whichever they are."""

import importlib
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.optimize import NonlinearConstraint, rosen

import cem
from cem.parallel import Each
from cem.pointwise import batched

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


def tilted(x):
    """On a batch it gives a number for every sample, and a wrong one."""
    return x @ C[: x.shape[-1]] - np.mean(x) ** 2


def peaked(x):
    return x @ C[: x.shape[-1]] + np.max(x)


def penalised(x):
    """On a batch without a sample near an end of the box it gives the right numbers."""
    return x @ C[: x.shape[-1]] + (1000.0 if (x < -2.9).any() else 0.0)


def priced(x):
    return x @ C[: x.shape[-1]] + 100.0 * max(0.0, np.sum(x) - 2.0)


def scaled(x):
    return np.dot(x, x) / np.linalg.norm(C)


def unbounded(x):
    return x @ C[: x.shape[-1]] + np.max(x) if x.ravel()[0] < 2.9 else np.inf


POINTS = [ackley, branched, in_brackets, in_place, peaked, penalised, priced, rosen, scaled, tilted]
POINTS += [unbounded, waves]


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


def same_values(f, g, d):
    x = np.random.default_rng(3).uniform(-3, 3, (d, d))  # as many samples as coordinates
    np.testing.assert_allclose(f(x.copy()), [np.squeeze(g(p.copy())) for p in x], rtol=1e-13)


@pytest.mark.parametrize("d", [2, 3, 5])
@pytest.mark.parametrize("f", POINTS)
def test_a_function_of_one_point_is_scored_point_by_point(f, d):
    found = batched(f, [(-3, 3)] * d)
    assert isinstance(found, Each)
    same_values(found, f, d)


@pytest.mark.parametrize("d", [2, 3, 5])
@pytest.mark.parametrize("f", BATCHES)
def test_a_function_of_a_batch_is_left_as_it_is(f, d):
    assert batched(f, [(-3, 3)] * d) is f


@pytest.mark.parametrize(
    "f", [lambda x: x**2, lambda x: math.sin(x[0]), lambda x: x[0] ** 2, rosen]
)
def test_one_coordinate_is_told_apart_too(f):
    assert isinstance(batched(f, [(-3, 3)]), Each)
    assert batched(columns, [(-3, 3)]) is columns


def test_a_function_of_one_point_may_fail_at_some_of_the_points_it_is_tried_on():
    def somewhere(x):
        tried.append(x.copy())
        if len(tried) == 2:
            raise ValueError("not here")
        return math.sqrt(x[0])

    tried = []
    assert isinstance(batched(somewhere, [(0, 1)] * 5), Each)
    assert [x.shape for x in tried] == [(3, 5), (5,), (5,)]


def test_objects_that_say_what_they_are_are_not_tried():
    def fail(_):
        raise AssertionError

    wrapped = cem.each(fail)
    assert batched(wrapped, [(0, 1)]) is wrapped
    assert batched(fail) is fail  # without a box there is nothing to try it on
    assert batched(fail, [(0, 1)], vectorized=False) == wrapped
    assert batched(wrapped, vectorized=False) is wrapped

    class Problem:
        def __call__(self, x):
            raise AssertionError(x)

        def nominal(self):
            raise AssertionError

    problem = Problem()
    assert batched(problem, [(0, 1)]) is problem


def test_it_takes_few_calls_and_they_are_not_counted():
    calls = []

    def counted(x):
        calls.append(np.shape(x))
        return rosen(x)

    found = cem.minimize(counted, bounds=[(-2, 2)] * 4, rng=1, max_iterations=3)
    assert calls[:2] == [(3, 4), (4,)]
    assert len(calls) == found.nfev + 2
    calls.clear()
    again = cem.minimize(counted, bounds=[(-2, 2)] * 4, rng=1, max_iterations=3, vectorized=False)
    assert calls == [(4,)] * again.nfev
    assert again.history == found.history


def test_vectorized_is_checked_by_the_shape_of_one_small_batch():
    assert batched(columns, [(0, 1)] * 2, vectorized=True) is columns
    with pytest.raises(ValueError, match=r"batch of shape \(3, 11\), got \(11,\).*f\(x\.T\)"):
        cem.minimize(rosen, bounds=[(-2, 2)] * 11, vectorized=True)
    found = cem.minimize(lambda x: rosen(x.T), bounds=[(-2, 2)] * 2, vectorized=True, rng=1)
    assert found.fun < 1e-9
    with pytest.raises(TypeError, match="vectorized must be True, False or None; got 1"):
        cem.minimize(columns, bounds=[(-2, 2)] * 2, vectorized=1)


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


def test_no_warning_of_the_trial_reaches_the_user():
    with np.errstate(all="raise"):
        assert isinstance(batched(lambda x: np.log(-abs(x[0])) + x[0], [(0, 1)] * 3), Each)


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
    where = "could not be found out .* vectorized=True or False would tell: chunk 1 of 1 was not"
    with pytest.raises(RuntimeError, match=where + ".* 3 processes ended abruptly over it"):
        cem.minimize(bad.deadly, bounds=[(0, 1)] * 2, workers=2)
    with pytest.raises(TimeoutError, match=where + ".* it took longer than 0.5 s"):
        cem.minimize(bad.slow, bounds=[(0, 1)] * 2, evaluation_timeout=0.5)


@pytest.mark.parametrize(
    ("f", "bounds", "x"),
    [
        (rosen, [(-2, 2)] * 2, [1, 1]),
        (rosen, [(-2, 2)] * 11, [1] * 11),  # of as many samples as coordinates
        (ackley, [(-5, 5)] * 2, [0, 0]),
        (waves, [(-4, 6), (0, 6)], [-1.130597, math.pi]),
        (in_brackets, [(-4, 6)] * 2, [1, 0]),
        (tilted, [(0, 1)] * 5, [0, 1, 0, 0, 0]),
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
    with pytest.raises(KeyError, match="a result has no 'hess'"):
        found["hess"]
