"""The box around a problem: what scores outside, and what is found on its border."""

import numpy as np
import pytest

import cem
from cem import Normal, Record, State
from cem.borders import Clipped


def hill(x):
    return -((x - 1) ** 2).sum(axis=1)


def test_what_falls_outside_a_box_scores_as_the_nearest_point_of_it():
    box = Clipped(hill, np.array([0.0, -1.0]), np.array([2.0, 1.0]), Normal)
    x = np.array([[0.5, 0.5], [2.25, 0.0], [-7.0, 9.0]])
    assert box.inside(x).tolist() == [[0.5, 0.5], [2.0, 0.0], [0.0, 1.0]]
    assert box(x).tolist() == hill(box.inside(x)).tolist()


def test_the_price_of_a_sample_outside_has_the_scale_of_the_scores_and_of_the_density():
    class Told:
        def tell(self, state, _, score):
            return state, Record(*range(16))._replace(top=score)

    box = Clipped(hill, np.array([0.0]), np.array([2.0]), Normal)
    x, score = np.array([[1.0], [2.0], [5.0], [-3.0]]), np.array([0.0, 1.0, 2.0, np.nan])
    for width, unit in ((1.0, 1.0), (4.0, 1.0), (1.0, 1e-9)):
        state = State(Normal([1.0], [width]))
        new, record = box.around(Told()).tell(state, x, score * unit)
        told = np.array([0.0, 1.0, 2.0 - 1.0 * (3 / width) ** 2, np.nan]) * unit
        np.testing.assert_allclose(record.top, told)
        assert (new.best.x.item(), new.best.score, record.best) == (5.0, 2 * unit, 2 * unit)


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
