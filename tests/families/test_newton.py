"""Newton's method finds roots from anywhere, and says so where there is none."""

import numpy as np
import pytest

from cem.families.newton import increasing_root


def test_every_element_has_its_own_root():
    target = np.array([-1e3, -2.0, 0.0, 1e-9, 5.0])
    found = increasing_root(lambda t: (np.sinh(t) - target, np.cosh(t)), np.ones(5))
    np.testing.assert_allclose(found, np.arcsinh(target), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("start", [-30.0, -2.0, 1.0, 7.0])
def test_steps_that_leave_the_bracket_are_halved(start):
    # Newton's own steps for the arctangent run away from any start beyond 1.39
    found = increasing_root(lambda t: (np.arctan(t - 1), 1 / (1 + (t - 1) ** 2)), np.array([start]))
    assert found[0] == pytest.approx(1.0, abs=1e-12)


def test_a_function_without_a_root_is_reported():
    with pytest.raises(RuntimeError, match=r"^Newton's method found no root in 200 steps; it was"):
        increasing_root(lambda t: (np.full_like(t, np.nan), np.ones_like(t)), np.zeros(2))
