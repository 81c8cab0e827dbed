"""Design points of surfaces whose nearest point is known; honest where there is none."""

import math

import numpy as np
import pytest
from scipy import stats

from cem.families import Exponential, MultivariateNormal, Normal
from cem.reliability import design_point, design_points
from cem.weighted import WeightedSample
from cem.weights import likelihood_ratio


class Counted:
    """A problem that counts the points it is asked about."""

    def __init__(self, score):
        self.score, self.n = score, 0

    def __call__(self, x):
        self.n += len(x)
        return self.score(x)


def standard(d):
    return Normal(np.zeros(d), np.ones(d))


def drawn(score, gamma, d=2, nominal=None, widen=3.0, n=5000):
    nominal = nominal or standard(d)
    v = Normal(nominal.mean, widen * nominal.std)
    x = v.sample(np.random.default_rng(0), n)
    return WeightedSample(x, score(x), likelihood_ratio(nominal, v, x), nominal, gamma)


def plane(x):
    return x @ np.array([0.8, 0.6])


def parabola(x):
    """Of the ERA examples, number 4: failure is 5 - x2 - (x1 - 0.1)^2 / 2 <= 0."""
    return x[:, 1] + 0.5 * (x[:, 0] - 0.1) ** 2


def four_branches(x):
    a, b = (x[:, 0] - x[:, 1]), (x[:, 0] + x[:, 1]) / math.sqrt(2)
    return -np.minimum(3 + 0.1 * a**2 - np.abs(b), 7 / math.sqrt(2) - np.abs(a))


# One point


def test_without_the_problem_it_is_the_failing_sample_nearest_to_the_origin():
    sample = drawn(plane, 3.0)
    found = design_point(sample)
    failing = sample.x[sample.score >= 3.0]
    assert found.beta == np.linalg.norm(failing, axis=1).min() == np.linalg.norm(found.u)
    assert (found.converged, found.n_calls) == (False, 0)
    assert found.message == "the nearest failing sample, not refined"


@pytest.mark.parametrize("d", [2, 10, 100])
def test_a_plane_has_its_foot_and_form_is_exact(d):
    direction = np.arange(1.0, d + 1) / np.linalg.norm(np.arange(1.0, d + 1))
    problem = Counted(lambda x: x @ direction)
    found = design_point(drawn(lambda x: x @ direction, 3.5, d), problem)
    assert found.converged
    assert found.beta == pytest.approx(3.5, rel=1e-6)
    assert found.u == pytest.approx(3.5 * direction, rel=1e-5, abs=1e-6)
    assert found.importance == pytest.approx(direction**2, abs=1e-6)
    assert found.importance.sum() == pytest.approx(1, rel=1e-12)
    assert found.form_probability == pytest.approx(stats.norm.sf(3.5), rel=1e-5)
    assert found.n_calls == problem.n <= 3 * (d + 1) + 20


def test_a_curved_surface_has_its_nearest_point():
    found = design_point(drawn(parabola, 5.0), parabola)
    t = np.linspace(-4, 4, 2_000_001)
    distance = np.hypot(t, 5 - 0.5 * (t - 0.1) ** 2)
    assert found.converged
    assert found.beta == pytest.approx(distance.min(), rel=1e-5)
    assert parabola(found.u[None]) == pytest.approx([5.0], rel=1e-3)
    assert abs(found.u[0] - t[distance.argmin()]) < 0.02


def test_inputs_of_any_mean_and_deviation_are_standardised():
    nominal = Normal([10.0, -2.0], [2.0, 0.5])
    found = design_point(
        drawn(lambda x: x.sum(axis=1), 18.0, nominal=nominal), lambda x: x.sum(axis=1)
    )
    assert found.beta == pytest.approx(10 / math.sqrt(4.25), rel=1e-6)
    assert found.importance == pytest.approx([4 / 4.25, 0.25 / 4.25], abs=1e-5)
    assert found.x == pytest.approx(nominal.mean + nominal.std * found.u)


def test_the_physical_point_is_the_problems():
    class Scaled:
        def to_physical(self, u):
            return 5 + 2 * u

        def __call__(self, u):
            return plane(u)

    found = design_point(drawn(plane, 3.0), Scaled())
    assert found.x == pytest.approx(5 + 2 * found.u)


def test_an_edge_of_the_surface_is_no_success_but_a_failing_point_near_it():
    def both(x):
        return x.min(axis=1)

    found = design_point(drawn(both, 3.0), both)
    assert not found.converged
    assert "edge" in found.message or "not converge" in found.message
    assert both(found.u[None])[0] >= 3.0
    assert 3 * math.sqrt(2) <= found.beta < 3 * math.sqrt(2) * 1.15


def test_a_flat_score_is_no_success_but_a_point_on_the_surface():
    def step(x):
        return (x[:, 0] >= 3.0).astype(float)

    found = design_point(drawn(step, 1.0), step)
    assert not found.converged
    assert found.message == "the surface is flat there: no gradient leads on"
    assert step(found.u[None])[0] == 1.0


def test_the_calls_are_limited_and_said_to_be_spent():
    problem = Counted(parabola)
    found = design_point(drawn(parabola, 5.0), problem, max_evaluations=17)
    assert found.n_calls == problem.n <= 17
    assert not found.converged
    assert found.message == "the 17 calls were spent before HL-RF converged"
    assert parabola(found.u[None])[0] >= 5.0


# Several points


def test_a_surface_near_on_four_sides_has_four_design_points():
    found = design_points(drawn(four_branches, 0.0, n=20_000), four_branches)
    assert [point.beta for point in found] == pytest.approx([3, 3, 3.5, 3.5], rel=1e-5)
    assert all(point.converged for point in found)
    sides = {tuple(np.sign(point.u).tolist()) for point in found}
    assert len(sides) == 4


def test_a_surface_near_on_one_side_has_one():
    assert len(design_points(drawn(plane, 3.0), plane)) == 1
    assert len(design_points(drawn(plane, 3.0))) == 1


def test_several_starts_that_lead_to_one_point_are_one_point():
    found = design_points(drawn(lambda x: plane(x[:, :2]), 3.0, d=50), lambda x: plane(x[:, :2]))
    assert len(found) == 1
    assert found[0].beta == pytest.approx(3.0, rel=1e-6)


def test_a_narrower_angle_finds_no_fewer_and_most_is_the_most():
    sample = drawn(four_branches, 0.0)
    assert len(design_points(sample, angle=30.0)) >= len(design_points(sample, angle=60.0)) == 4
    assert len(design_points(sample, most=2)) == 2
    assert design_points(sample)[0].beta == design_point(sample).beta


# Bad input


def test_only_normal_inputs_have_a_design_point():
    for nominal in (Exponential([1.0]), Normal([0.0], [0.0]), MultivariateNormal([0.0], [[1.0]])):
        sample = WeightedSample(np.ones((1, 1)), np.ones(1), np.zeros(1), nominal, 1.0)
        with pytest.raises(TypeError, match=r"^a design point is a point of standard normal space"):
            design_point(sample)


def test_without_a_failing_sample_there_is_nothing_to_start_from():
    with pytest.raises(
        ValueError, match=r"^expected a sample that reached the level 100; got none"
    ):
        design_point(drawn(plane, 100.0))


def test_an_event_that_holds_at_the_mean_has_none():
    with pytest.raises(ValueError, match=r"^the origin, the mean of the inputs, fails"):
        design_point(drawn(plane, -1.0), plane)


def test_a_problem_that_is_not_the_samples_is_found_out():
    with pytest.raises(ValueError, match="does not fail when it is scored again"):
        design_point(drawn(plane, 3.0), lambda x: plane(x) - 1000)


def test_scores_that_are_no_numbers_are_named():
    def broken(x):
        return np.where(plane(x) > 2, plane(x), np.nan)

    with pytest.raises(ValueError, match="needs finite scores; got NaN"):
        design_point(drawn(plane, 3.0), broken)


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"angle": 0}, ValueError),
        ({"angle": 181.0}, ValueError),
        ({"angle": "wide"}, TypeError),
        ({"most": 0}, ValueError),
        ({"max_evaluations": 0}, ValueError),
    ],
)
def test_settings_out_of_range_are_refused(settings, error):
    with pytest.raises(error, match=next(iter(settings))):
        design_points(drawn(plane, 3.0), plane, **settings)
