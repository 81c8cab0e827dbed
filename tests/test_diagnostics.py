"""Questions to a finished run."""

import numpy as np
import pytest

import cem
from cem.diagnostics import open_coordinates, weight_warnings
from cem.tally import Tally
from problems.rare_event.bridge import Bridge


def test_even_weights_on_many_samples_are_not_warned_of():
    assert weight_warnings(Tally().add(np.zeros(100), 1000)) == []
    assert weight_warnings(cem.estimate(Bridge(), n_final=20_000, rng=1).tally) == []


def test_an_estimate_without_a_hit_is_warned_of():
    said = ["no sample reached the level: the estimate is 0, and only its interval says much"]
    assert weight_warnings(Tally().add(np.array([]), 1000)) == said


def test_an_estimate_on_few_effective_samples_is_warned_of():
    (said,) = weight_warnings(Tally().add(np.zeros(99), 1000))
    assert said == (
        "the estimate rests on 99 effective samples of 1000: its error bar is rough; raise n_final"
    )


def test_one_sample_with_more_than_a_tenth_of_the_weight_is_warned_of():
    log_w = np.zeros(4000)
    log_w[0] = np.log(500)
    few, heavy = weight_warnings(Tally().add(log_w, 5000))
    assert few.startswith("the estimate rests on 79.7 effective samples of 5000")
    assert heavy.startswith("one sample carries 11% of the estimate: the weights are heavy-tailed")
    log_w[0] = np.log(400)
    assert weight_warnings(Tally().add(log_w, 5000)) == []


@pytest.mark.parametrize(
    ("family", "expected"),
    [
        (cem.Bernoulli([1.0, 0.5, 0.0, 0.9]), [1, 3]),
        (cem.Bernoulli([0.0, 1.0]), []),
        (cem.Normal([0.0] * 4, [1.0, 2.0, 0.1, 0.11]), [1, 0, 3]),
        (cem.Categorical([[0.5, 0.5], [1.0, 0.0], [0.999, 0.001]]), [0, 2]),
    ],
)
def test_open_coordinates_are_those_not_decided_yet_widest_first(family, expected):
    assert open_coordinates(family).tolist() == expected


def test_the_share_says_how_narrow_a_decided_coordinate_is():
    family = cem.Normal([0.0] * 3, [1.0, 0.5, 0.2])
    assert open_coordinates(family, share=0.3).tolist() == [0, 1]


def test_after_a_convergence_to_a_point_nothing_that_matters_is_open():
    found = cem.maximize(lambda x: -abs(x[:, :2].sum(axis=1) - 2), cem.Bernoulli([0.5] * 3), rng=1)
    assert open_coordinates(found.family, share=0.2).tolist() == [2]
