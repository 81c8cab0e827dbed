"""An argument that does not exist is answered with the one that was meant."""

import inspect

import pytest

import cem
from cem.arguments import ELSEWHERE

SCIPYS = ["args", "disp", "maxiter", "popsize", "seed", "tol", "x0"]  # what differs from SciPy's


def refused(driver, **keywords):
    with pytest.raises(TypeError) as said:
        driver(lambda x: x.sum(axis=1), cem.Normal([0.0], [1.0]), **keywords)
    return str(said.value)


@pytest.mark.parametrize("driver", [cem.maximize, cem.minimize, cem.estimate, cem.expectation])
def test_the_driver_that_was_called_speaks_and_tells_the_nearest_word(driver):
    name = driver.__name__
    assert refused(driver, n_sampels=3) == (
        f"{name}() has no argument 'n_sampels'; did you mean 'n_samples'?"
    )
    assert refused(driver, maxiter=3) == (
        f"{name}() has no argument 'maxiter': expected max_iterations"
    )
    assert refused(driver, qqq=3).startswith(f"{name}() has no argument 'qqq'; it has alpha, ")


@pytest.mark.parametrize("word", SCIPYS)
def test_words_of_scipy_have_their_counterparts(word):
    assert refused(cem.minimize, **{word: 1}).endswith(f"expected {ELSEWHERE[word]}")


def test_every_counterpart_that_is_a_name_is_one():
    names = {word for word in ELSEWHERE.values() if word.isidentifier()}
    assert names <= inspect.signature(cem.maximize).parameters.keys()
    assert names >= {"max_evaluations", "rng", "workers"}


def test_the_drivers_are_still_themselves():
    assert inspect.signature(cem.minimize) == inspect.signature(cem.maximize)
    assert cem.estimate.__module__ == "cem.estimate"
    assert refused(cem.expectation, gamma=3.0).startswith("expectation has no use for gamma")
