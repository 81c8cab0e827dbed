"""Callbacks in SciPy's manner: what they see, and how they end a run."""

import numpy as np
import pytest
from scipy.optimize import OptimizeResult, differential_evolution

import cem
from cem.intermediate import ASKED, Intermediate, callbacks_of, turned

BOX = [(-1, 2)] * 2


def bowl(x):
    return ((x - 0.3) ** 2).sum(axis=-1) + 1


def search(callback, **options):
    return cem.minimize(bowl, bounds=BOX, rng=1, callback=callback, vectorized=True, **options)


class Seen:
    """A callback object, as SciPy takes them too."""

    def __init__(self, says=None):
        self.results, self.says = [], says

    def __call__(self, intermediate_result):
        self.results.append(intermediate_result)
        return self.says and self.says(intermediate_result)


def test_it_sees_where_the_run_is_in_the_sign_and_the_box_of_the_user():
    seen = Seen()
    found = search(seen, max_iterations=8)
    assert len(seen.results) == found.nit == 8
    for result, record in zip(seen.results, found.history, strict=True):
        assert isinstance(result, OptimizeResult)
        assert (result.nit, result.nfev, result.fun) == (record.t, record.nfev, -record.best)
        assert result.fun == bowl(result.x) >= 1
        assert result.message == "in progress"
    assert np.array_equal(seen.results[-1].x, found.x)


def test_what_is_maximised_keeps_its_sign_and_corners_lie_in_the_box():
    seen = Seen()
    found = cem.maximize(
        lambda x: x.sum(axis=1), bounds=BOX, rng=1, callback=seen, max_iterations=60
    )
    assert seen.results[-1].fun == found.fun
    assert all((r.x >= -1).all() and (r.x <= 2).all() for r in seen.results)
    assert np.allclose(seen.results[-1].x, 2)


@pytest.mark.parametrize("says", [True, np.True_, 1])
def test_what_it_returns_ends_the_run_if_it_is_true(says):
    found = search(Seen(lambda result: says if result.nit == 3 else None))
    assert (found.nit, found.success, found.message) == (3, False, ASKED.message)


@pytest.mark.parametrize("says", [None, False, 0])
def test_what_is_not_true_ends_nothing(says, same_run):
    assert same_run(search(Seen(lambda _: says)), search(None))


def test_stop_iteration_ends_the_run_and_other_errors_are_the_users():
    def stop(intermediate_result):
        if intermediate_result.fun < 1.1:
            raise StopIteration

    found = search(stop)
    assert found.message == "the callback asked for an end"
    assert found.fun < 1.1
    assert -found.history[-2].best >= 1.1

    def fail(intermediate_result):
        raise KeyError(intermediate_result.nit)

    with pytest.raises(KeyError, match="1"):
        search(fail)


def test_it_ends_all_searches_where_the_run_would_begin_anew():
    seen = Seen(lambda result: result.nfev >= 2000)
    found = search(seen, max_evaluations=5000)
    assert found.history[-1].restart > 0
    assert found.nfev == next(r.nfev for r in found.history if r.nfev >= 2000)
    assert found.message.startswith(ASKED.message)


def test_a_run_that_was_asked_to_end_goes_on_as_if_it_never_had(same_run):
    part = search(Seen(lambda result: result.nit == 4), max_iterations=9)
    rest = search(Seen(), max_iterations=9, start=(part.state, part.history))
    assert part.nit == 4
    assert same_run(rest, search(None, max_iterations=9))


def test_a_function_of_state_and_record_is_called_as_ever_and_ends_nothing(same_run):
    seen = []

    def watch(state, record):
        seen.append((state.t, record.t))
        return True

    found = search([watch, Seen()], max_iterations=4)
    assert seen == [(1, 1), (2, 2), (3, 3), (4, 4)]
    assert same_run(found, search(None, max_iterations=4))


def test_nothing_found_yet_is_none():
    seen = Seen(lambda _: True)
    intermediate = Intermediate(seen, sign=-1)
    state = cem.State(cem.Normal([0.0], [1.0]))
    intermediate(state, cem.Record(*range(18)))
    assert seen.results[-1].x is None
    assert seen.results[-1].fun == np.inf


def test_changing_what_it_sees_changes_nothing(same_run):
    def spoil(intermediate_result):
        intermediate_result.x[:] = 7

    assert same_run(search(spoil, max_iterations=5), search(None, max_iterations=5))


def test_the_same_callback_serves_scipy():
    seen = Seen(lambda result: result.nit == 2)
    theirs = differential_evolution(bowl, BOX, callback=seen, rng=1, polish=False)
    ours = search(seen)
    assert theirs.nit == ours.nit == 2
    assert theirs.success is ours.success is False


def test_the_older_manner_of_scipy_is_refused_with_what_to_write():
    def old(x, convergence):
        raise AssertionError(x, convergence)

    for manner in (old, lambda x: x, lambda: None):
        with pytest.raises(TypeError, match=r"expected a function of \(intermediate_result\)"):
            search(manner)


def test_an_estimate_refuses_a_callback_that_would_end_it():
    def enough(intermediate_result):
        raise AssertionError(intermediate_result)

    with pytest.raises(TypeError, match=r"expected a function of \(state, record\); to end it"):
        cem.estimate(lambda x: x.sum(axis=1), cem.Exponential([1.0] * 3), 9.0, callback=enough)


def test_what_cannot_be_called_is_refused():
    with pytest.raises(TypeError, match="must be a function of"):
        search([print, 3])


def test_the_sign_is_turned_as_often_as_asked():
    def f(intermediate_result):
        raise AssertionError(intermediate_result)

    (once,) = turned(f)
    (twice,) = turned(once)
    assert (once.sign, twice.sign, once.function) == (-1, 1, f)
    assert callbacks_of(once) == (once,)
    assert turned([print]) == (print,)


def test_progress_speaks_in_the_users_sign(capsys):
    search(cem.Progress(seconds=0), max_iterations=1)
    best = capsys.readouterr().err.split("best ")[1].split(",")[0]
    assert float(best) >= 1
