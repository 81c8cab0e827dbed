"""Walk keeps the family contract; crossings in closed form, and a plain Python twin."""

import numpy as np
import pytest

from cem import Exponential, Gamma, Normal, Product
from cem.families.paths import Paths
from cem.families.walk import Walk
from cem.testing import FamilyContract

QUEUE = Walk(Exponential([1.0, 2.0]), [1, -1], 3.0, 8)
TILTED = Walk(
    Exponential([2.0, 1.0]), [1, -1], 3.0, 8, floor=-2.0, top=[1.5], rest=Exponential([1.0, 2.0])
)
PARTS = Product(service=Gamma([2.0], [2.0]), gap=Exponential([2.0]))


class TestWalk(FamilyContract):
    family = QUEUE
    n = 4000
    spread_is_std = False
    degrees = 3


class TestWalkTiltedUntilItIsAtTheTop(FamilyContract):
    family = TILTED
    n = 4000
    spread_is_std = False
    degrees = 3


class TestWalkOfDifferentParts(FamilyContract):
    family = Walk(PARTS, [1, -1], 2.0, 5)
    n = 2000
    spread_is_std = False
    degrees = 4


def sums(x, rise):
    return [np.cumsum(x[i] @ rise) for i in range(len(x))]


def only(*steps):
    return Paths(np.array(steps, dtype=float), [len(steps)])


def test_a_walk_ends_at_the_goal_at_the_floor_or_after_most_steps_and_not_before():
    x = TILTED.sample(np.random.default_rng(0), 500)
    ends = set()
    for s in sums(x, [1, -1]):
        assert ((s[:-1] < 3) & (s[:-1] > -2)).all()
        assert len(s) <= 8
        ends.add("goal" if s[-1] >= 3 else "floor" if s[-1] <= -2 else len(s))
    assert ends == {"goal", "floor", 8}


def test_the_density_is_that_of_the_steps_up_to_the_top_and_of_the_rest_from_there():
    x = only([1.0, 0.5], [1.5, 0.25], [1.0, 0.5], [2.0, 0.1])  # 0.5, 1.75: from here the rest
    tilted, rest = TILTED.step.log_density(x.steps), TILTED.rest.log_density(x.steps)
    assert TILTED.log_density(x)[0] == pytest.approx(tilted[:2].sum() + rest[2:].sum(), rel=1e-14)


def test_the_fit_is_that_of_the_family_of_a_step_to_all_steps_before_the_top():
    x = QUEUE.sample(np.random.default_rng(1), 3000)
    w = (QUEUE.highest(x) >= 1.2).astype(float)
    fitted = QUEUE.fit(x, w)
    assert 0.9 <= fitted.top[0] <= 1.5
    before = [
        steps[: 1 + np.argmax(s >= fitted.top[0])] if s.max() >= fitted.top[0] else steps
        for steps, s in zip((x[i] for i in np.flatnonzero(w)), sums(x[w > 0], [1, -1]), strict=True)
    ]
    np.testing.assert_allclose(fitted.step.mean, np.concatenate(before).mean(axis=0), rtol=1e-12)


def test_tilted_means_cross_a_level_with_the_likelihood_ratio_of_the_martingale():
    nominal = Walk(Exponential([1.0, 2.0]), [1, -1], 10.0, 5000)  # services, gaps
    swapped = nominal.replace(mean=np.array([2.0, 1.0]))
    x = swapped.sample(np.random.default_rng(0), 2000)
    w = np.exp(nominal.log_density(x) - swapped.log_density(x))
    np.testing.assert_allclose(w, np.exp(-0.5 * nominal.highest(x)), rtol=1e-9)
    exact = 0.5 * np.exp(-5.0)  # the M/M/1 wait in equilibrium
    assert abs(w.mean() - exact) < 5 * w.std() / np.sqrt(2000) < 0.1 * exact


def test_a_walk_of_one_step_is_its_step():
    f = Walk(Normal([0.5], [2.0]), [1.0], 1.0, 1)
    x = f.sample(np.random.default_rng(0), 50)
    assert x.length.tolist() == [1] * 50
    np.testing.assert_array_equal(f.log_density(x), f.step.log_density(x.steps))
    np.testing.assert_array_equal(f.highest(x), x.steps[:, 0])


@pytest.mark.parametrize(
    "steps",
    [
        ([1.0, 0.5],),  # inside, and on its way
        ([4.0, 0.5], [1.0, 1.0]),  # goes on after the goal
        ([0.5, 3.0], [1.0, 1.0]),  # goes on after the floor
        tuple([1.0, 1.0] for _ in range(9)),  # too long
    ],
)
def test_a_walk_that_ends_too_early_or_too_late_has_no_density_and_is_not_fitted(steps):
    x = only(*steps)
    assert TILTED.log_density(x)[0] == -np.inf
    with pytest.raises(ValueError, match=r"must end when they are at the goal, at the floor, or"):
        TILTED.fit(x, np.ones(1))


def test_steps_off_the_support_have_no_density():
    assert TILTED.log_density(only([-1.0, 3.0]))[0] == -np.inf


def test_smoothing_and_widening_are_those_of_the_step_up_to_the_new_top():
    other = TILTED.replace(mean=np.array([4.0, 3.0]), top=np.array([2.4]))
    half = TILTED.smooth(other, 0.5)
    assert (half.step.mean.tolist(), half.top.tolist()) == ([3.0, 2.0], [2.4])
    walk = Walk(Normal([0.0], [0.1]), [1.0], 1.0, 3)
    assert walk.no_narrower_than(walk.replace(std=np.ones(1))).step.std.tolist() == [1.0]


def test_parts_of_different_families_rise_side_by_side():
    x = Walk(PARTS, [1, -1], 2.0, 5).sample(np.random.default_rng(0), 20)
    rises = (x.steps["service"] - x.steps["gap"])[:, 0]
    expected = [np.cumsum(rises[a : a + n]).max() for a, n in zip(x.starts, x.length, strict=True)]
    assert Walk(PARTS, [1, -1], 2.0, 5).highest(x).tolist() == expected


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"rise": [1.0]}, ValueError, r"one number per coordinate of a step, shape \(2,\); got"),
        ({"goal": 0.0}, ValueError, r"goal must be positive"),
        ({"most": 0}, ValueError, r"most must be at least 1; got 0"),
        ({"floor": 1.0}, ValueError, r"floor must be zero or below.*; got 1"),
        ({"top": [1.0]}, ValueError, r"top must be one of the 10 multiples of goal / 10 = 0\.3"),
        ({"top": [0.0]}, ValueError, r"top must be one of the 10 multiples"),
        ({"step": 3}, TypeError, r"step must be a family"),
    ],
)
def test_bad_settings_are_named(wrong, error, message):
    good = {"step": Exponential([1.0, 2.0]), "rise": [1, -1], "goal": 3.0, "most": 8}
    Walk(**good)
    with pytest.raises(error, match=message):
        Walk(**good | wrong)


def test_a_checkpoint_knows_the_rest_and_the_types_of_the_parts():
    rest = {
        Walk(Exponential([1.0]), [1], 1.0, 3, rest=r).made_of
        for r in (Exponential([1.0]), Exponential([2.0]), Gamma([1.0], [1.0]))
    }
    assert len(rest) == 3
