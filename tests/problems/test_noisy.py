"""Noise around known functions: the mean is theirs, the spread is what was asked for."""

import numpy as np
import pytest

from cem.testing import ProblemContract
from problems import binary, continuous
from problems.noisy import Noisy, problem

NOISY = problem("rastrigin", d=3, sd=0.5, relative=0.1)


class TestTheMeanOfNoisy(ProblemContract):
    problem = staticmethod(NOISY.mean)
    nominal = NOISY.nominal()


def test_the_mean_is_the_exact_function():
    x = NOISY.nominal().sample(np.random.default_rng(0), 9)
    exact = continuous.Continuous("rastrigin", 3)(x)
    np.testing.assert_array_equal(NOISY.mean(x), exact)
    np.testing.assert_array_equal(NOISY.sd_at(x), 0.5 + 0.1 * exact)


def test_scores_are_the_mean_plus_one_normal_number_each():
    x = NOISY.nominal().sample(np.random.default_rng(0), 9)
    noise = np.random.default_rng(4).standard_normal(9)
    expected = NOISY.mean(x) + NOISY.sd_at(x) * noise
    np.testing.assert_array_equal(NOISY.bind(np.random.default_rng(4))(x), expected)


def test_the_best_mean_is_known():
    assert problem("trigonometric").exact() == 1.0
    assert problem("onemax", d=7).exact() == 7.0
    assert Noisy(binary.Knapsack((1,), (1,), 1)).exact() is None


def test_an_answer_is_reported_beside_the_truth():
    class Found:
        x = np.array([1, 1, 0])

        def confidence_interval(self):
            return 1.5, 2.25

    report = problem("onemax", d=3).report(Found())
    assert report == {"interval": "1.5 to 2.25", "true mean": "2"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sd": -1.0}, "sd must be at least 0 and finite; got -1.0"),
        ({"relative": np.nan}, "relative must be at least 0 and finite; got nan"),
        ({"function": "onemex"}, "there is no function 'onemex'; did you mean 'onemax'"),
    ],
)
def test_what_cannot_work_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        problem(**settings)
