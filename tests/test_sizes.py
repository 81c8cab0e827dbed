"""How many samples an iteration draws."""

import numpy as np
import pytest

import cem
from cem.sizes import Decaying, size_of


def test_the_size_falls_geometrically_and_is_rounded_up():
    size = Decaying(100, factor=1.25, least=20)
    assert [size(t) for t in range(9)] == [100, 80, 64, 52, 41, 33, 27, 21, 20]
    assert size(10_000) == 20


def test_a_factor_of_one_keeps_the_size():
    assert [Decaying(7, factor=1)(t) for t in (0, 5)] == [7, 7]


def test_a_number_is_a_size_for_all_iterations_and_a_rule_one_for_each():
    assert size_of(5, 3) == 5
    assert size_of(lambda t: 10 + t, 3) == 13


@pytest.mark.parametrize("size", [0, -1, lambda t: 0 * t])
def test_a_batch_of_no_samples_is_refused(size):
    with pytest.raises(ValueError, match=r"^n_samples must be at least 1; got"):
        size_of(size, 0)


@pytest.mark.parametrize("size", [1.5, "8", lambda t: t + 2.0])
def test_a_size_that_is_no_whole_number_is_refused(size):
    with pytest.raises(TypeError, match=r"^n_samples must be an int; got"):
        size_of(size, 0)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"n": 0}, ValueError, "^n, the samples of the first iteration, must be at least 1; got 0"),
        ({"n": 9, "least": 0}, ValueError, "^least, .* must be at least 1; got 0"),
        ({"n": 9, "factor": 0.5}, ValueError, r"^factor, .* must be at least 1; got 0\.5$"),
        ({"n": 9, "factor": np.inf}, ValueError, "^factor, .* must be at least 1; got inf$"),
        ({"n": 9, "factor": np.nan}, ValueError, "^factor, .* must be at least 1; got nan$"),
        ({"n": 9.0}, TypeError, "^n, .* must be an int"),
    ],
)
def test_settings_that_are_none_are_refused(settings, error, message):
    with pytest.raises(error, match=message):
        Decaying(**settings)


def test_sizes_read_the_same_whether_pythons_or_numpys():
    assert repr(Decaying(np.int64(9), np.float64(2), np.int64(3))) == repr(Decaying(9, 2, 3))


def test_the_batches_of_a_run_follow_the_rule():
    method = cem.CrossEntropyMethod(
        nominal=cem.Bernoulli([0.5] * 6), n_samples=Decaying(40, 2.0, 15), rng=1
    )
    state, sizes = method.init(), []
    for _ in range(4):
        x = method.ask(state)
        state, record = method.tell(state, x, x.sum(axis=1))
        sizes.append(record.n)
    assert sizes == [40, 20, 15, 15]
    assert state.nfev == 90
