"""Questions to a finished run."""

import numpy as np
import pytest

import cem
from cem.diagnostics import MORE, disagreement, open_coordinates, weight_warnings
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


def final(probability, ess=400.0, n=1000):
    """A tally of even weights with that mean."""
    return Tally().add(np.full(int(ess), np.log(probability * n / ess)), n)


def test_a_steering_that_tells_another_probability_is_warned_of(history):
    levels = history(gamma=[2.0, 3.0], log_mass=np.log([0.1, 2e-6]), ess=[100.0, 100.0])
    (said,) = disagreement(levels, final(1e-6), 3.0)
    assert said.startswith("the samples of the steering tell 2e-06, the final ones 1e-06, and that")


def test_a_steering_that_tells_less_has_seen_less_and_is_no_cause(history):
    levels = history(gamma=[3.0], log_mass=[np.log(2e-6)], ess=[1e6])
    assert disagreement(levels, final(4e-4), 3.0) == []


def test_a_small_difference_is_no_cause_however_sure_it_is(history):
    levels = history(gamma=[3.0], log_mass=[np.log(2e-6)], ess=[1e6])
    assert disagreement(levels, final(1.01 * 2e-6 / MORE, ess=1000.0), 3.0) == []
    assert len(disagreement(levels, final(0.99 * 2e-6 / MORE, ess=1000.0), 3.0)) == 1


def test_a_steering_of_which_nothing_is_known_tells_nothing(history):
    tally = Tally(n=1000.0, hits=400.0, sum1=400.0, sum2=400.0, sum3=400.0, largest=1.0)
    steering = history(gamma=[3.0], log_mass=[0.0], ess=[0.0])
    assert disagreement(steering, tally, 3.0) == []
    assert disagreement(history(gamma=[3.0], log_mass=[0.0], ess=[900.0]), tally, 3.0) != []


def test_what_may_be_chance_is_not_warned_of(history):
    few = history(gamma=[3.0], log_mass=[np.log(2e-6)], ess=[30.0])  # an error of .18
    assert disagreement(few, final(1e-6), 3.0) == []
    assert len(disagreement(few, final(0.9e-6), 3.0)) == 1  # ln(2 / .9) = .80, 4 errors = .75


def test_only_a_steering_that_ended_at_the_level_and_a_sample_that_hit_can_disagree(history):
    far = {"log_mass": np.log([1e-3, 1e-3]), "ess": [1e3, 1e3]}
    assert disagreement(history(gamma=[3.0, 2.9], **far), final(1e-6), 3.0) == []
    assert disagreement(cem.History(), final(1e-6), 3.0) == []
    assert disagreement(history(gamma=[3.0, 3.0], **far), Tally(n=1000.0), 3.0) == []
    assert len(disagreement(history(gamma=[2.9, 3.0], **far), final(1e-6), 3.0)) == 1


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
