import numpy as np
import pytest
from mpc import control

from problems.planning import Planning


@pytest.mark.parametrize("seed", [1, 2])
def test_the_pendulum_is_swung_up_and_held(seed):
    angle, _, torque = control(Planning(horizon=30), 100, seed).T
    assert angle[0] == np.pi
    assert (np.abs(torque) <= 2).all()
    assert np.cos(angle[-25:]).min() > 0.9


# ruff: noqa: ANN001, ANN201, D100, D103, INP001, S101 - as it would be written under tests/
