"""Planning: scores are the rewards along a plan, and coloured noise finds plans sooner."""

import math

import numpy as np
import pytest

import cem
from cem.testing import ProblemContract
from problems.planning import Planning
from problems.policy import Pendulum

RNG = np.random.default_rng(4)


class TestPlanning(ProblemContract):
    problem = Planning(horizon=20)


def test_the_score_is_the_sum_of_the_rewards_along_the_plan():
    task = Planning(horizon=12, angle=2.0, speed=-1.0)
    for plan in task.nominal().sample(RNG, 5):
        state, total = np.array([[2.0], [-1.0]]), 0.0
        for torque in plan:
            state, reward, _ = Pendulum().step(state, np.array([torque]))
            total += reward[0]
        end, score = task.follow(plan[None])
        assert score[0] == total
        np.testing.assert_array_equal(end, state)


def test_a_plan_that_is_left_over_scores_the_rest():
    task = Planning(horizon=5, angle=1.0)
    plan = np.array([0.5, -1.0, 2.0, 0.0, 1.0])
    rest = Planning(horizon=4, angle=task.after(0.5).angle, speed=task.after(0.5).speed)
    first = -(1.0**2 + 0.001 * 0.5**2)
    assert task(plan[None])[0] == pytest.approx(first + rest(plan[None, 1:])[0], rel=1e-13)


def test_torques_beyond_the_limit_count_as_the_limit():
    task = Planning(horizon=3)
    assert task(np.array([[9.0, -9.0, 1.0]])) == task(np.array([[2.0, -2.0, 1.0]]))


def test_nothing_beats_rest_at_the_top():
    task = Planning(horizon=10, angle=0.0)
    assert task(np.zeros((1, 10)))[0] == 0
    assert task(task.nominal().sample(RNG, 1000)).max() < 0


def test_the_report_says_where_the_plan_ends():
    class Found:
        x = np.zeros(4)

    turned = Planning(horizon=4, angle=2 * math.pi).report(Found)["in the end"].split()
    assert float(turned[0]) < 1e-9  # a whole turn is upright, too
    assert Planning(horizon=4).report(Found)["in the end"].startswith("180 degrees from upright")


def test_coloured_noise_finds_a_better_plan_than_white_noise_with_as_many_samples():
    def best(beta):
        task = Planning(beta=beta)
        runs = (cem.maximize(task, n_samples=100, max_iterations=20, rng=s) for s in range(5))
        return np.median([found.fun for found in runs])

    assert best(2.0) > best(0.0) + 30


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Planning(horizon=0), r"must have 1 axes and at least one element"),
        (lambda: Planning(beta=-1.0), r"beta must be finite and not negative; got -1"),
        (lambda: Planning(angle=math.nan), "angle must be finite; got nan"),
        (lambda: Planning(horizon=3)(np.zeros((2, 4))), r"shape \(n, 3\); got \(2, 4\)"),
    ],
)
def test_a_mistake_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
