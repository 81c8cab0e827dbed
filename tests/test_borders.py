"""The box around a problem: what scores outside, and what is found on its border."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cem
from cem import Normal, Record, State
from cem.borders import Boxed


def hill(x):
    return -((x - 1) ** 2).sum(axis=1)


def test_a_sample_is_its_own_point_but_for_the_edges_of_the_box():
    box = Boxed(hill, np.array([0.0, -50.0]), np.array([100.0, 50.0]), Normal)  # edges of 1
    x = np.array([[1.0, 49.0], [50.0, 0.0], [99.0, -49.0]])
    np.testing.assert_array_equal(box.inside(x), x)
    outside = np.array([[-1.0, 51.0], [-99.0, 1e300], [101.0, -np.inf]])
    assert box.inside(outside).tolist() == [[0, 50], [0, 50], [100, -50]]
    np.testing.assert_allclose(box.inside(np.array([[0.0, 50.0], [-0.5, 50.5]])), [
        [0.25, 49.75], [0.0625, 49.9375],
    ])  # fmt: skip
    assert box(x).tolist() == hill(box.inside(x)).tolist()


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))
def test_points_never_leave_the_box_and_rise_with_the_samples(low, width):
    box = Boxed(hill, np.array([low]), np.array([low + width]), Normal)
    x = np.linspace(low - width / 5, low + 1.2 * width, 99)[:, np.newaxis]
    points = box.inside(x)
    assert points.min() >= low
    assert points.max() <= low + width
    assert (np.diff(points[:, 0]) >= -1e-15 * (abs(low) + width)).all()


def test_the_price_of_a_sample_outside_has_the_scale_of_the_scores_and_of_the_density():
    class Told:
        def tell(self, state, _, score):
            return state, Record(*range(16))._replace(top=score)

    box = Boxed(hill, np.array([0.0]), np.array([2.0]), Normal)  # samples go up to 2.02
    x, score = np.array([[1.0], [2.0], [5.0], [-3.0]]), np.array([0.0, 1.0, 2.0, np.nan])
    for width, unit in ((1.0, 1.0), (4.0, 1.0), (1.0, 1e-9)):
        state = State(Normal([1.0], [width]))
        new, record = box.around(Told()).tell(state, x, score * unit)
        told = np.array([0.0, 1.0, 2.0 - 1.0 * (2.98 / width) ** 2, np.nan]) * unit
        np.testing.assert_allclose(record.top, told)
        assert (new.best.x.item(), new.best.score, record.best) == (5.0, 2 * unit, 2 * unit)


def test_a_corner_of_many_coordinates_is_found_in_few_evaluations():
    found = cem.minimize(lambda x: x.sum(axis=1), bounds=[(2, 5)] * 20, target=40 + 1e-8, rng=3)
    assert found.fun == pytest.approx(40, abs=1e-8)
    assert found.nfev < 8000


@pytest.mark.parametrize("preset", ["default", "textbook"])
@pytest.mark.parametrize("at", [[-5.0, 5.0], [-5.0, 1.0], [4.999, -4.999]])
def test_an_optimum_on_the_border_of_a_box_is_found(preset, at):
    def f(x):
        assert (np.abs(x) <= 5).all()
        return -np.abs(x - np.array(at) * 1.5 * (np.abs(at) == 5) - at * (np.abs(at) != 5)).sum(
            axis=1
        )

    found = cem.maximize(f, bounds=[(-5, 5)] * 2, preset=preset, rng=1)
    np.testing.assert_allclose(found.x, at, atol=1e-6)
    assert found.fun == f(found.x[np.newaxis])[0]
