"""Planning: the torques that swing a pendulum up, scored by what they would bring together."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cem.families.coloured_normal import ColouredNormal
from cem.typing import Array, Batch, Vector
from problems.policy.twins import Pendulum

PENDULUM = Pendulum()


@dataclass(frozen=True)
class Planning:
    """Score: the sum of the rewards of `Pendulum` along a plan, one torque for every step.

    The pendulum is at an ``angle`` from upright, in radians, and turns at a ``speed``, in radians
    per second; by default it hangs still. A step is 0.05 s. Torques beyond 2 N m are cut to that.
    The start is a normal density of torques with coloured noise, see `ColouredNormal`.

    >>> upright = Planning(horizon=3, angle=0.0)
    >>> upright(np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0]])).round(4)
    array([ 0.    , -0.0238])
    """

    horizon: int = 80
    beta: float = 2.0
    angle: float = math.pi
    speed: float = 0.0

    def __post_init__(self) -> None:
        _ = self.nominal()  # refuses what is no horizon and no colour
        for name in ("angle", "speed"):
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"{name} must be finite; got {getattr(self, name)!r}")

    def __call__(self, x: Batch) -> Vector:
        """The scores of plans, shape ``(n, horizon)`` in, ``(n,)`` out."""
        return self.follow(x)[1]

    def follow(self, x: Batch) -> tuple[Array, Vector]:
        """Where the plans lead, angles and speeds of shape ``(2, n)``, and their scores."""
        x = np.asarray(x, dtype=float)
        if x.ndim != 2 or x.shape[1] != self.horizon:
            raise ValueError(f"expected plans of shape (n, {self.horizon}); got {x.shape}")
        state, total = np.array([[self.angle], [self.speed]]).repeat(len(x), axis=1), 0.0
        for torque in x.T:
            state, reward, _ = PENDULUM.step(state, torque)
            total = total + reward
        return state, total

    def after(self, torque: float) -> Planning:
        """The problem that is left to plan for, one step later."""
        state, _, _ = PENDULUM.step(np.array([[self.angle], [self.speed]]), np.array([torque]))
        angle, speed = state[:, 0].tolist()
        return replace(self, angle=angle, speed=speed)

    def nominal(self) -> ColouredNormal:
        """Torques about zero, with a standard deviation of the largest there is."""
        std = np.full(self.horizon, PENDULUM.torque)
        return ColouredNormal(np.zeros(self.horizon), std, self.beta, self.horizon)

    def report(self, found: Any) -> dict[str, str]:
        """Where the best plan, ``found.x``, leaves the pendulum."""
        (angle,), (speed,) = self.follow(found.x[None])[0]
        off = math.degrees(abs(math.remainder(angle, 2 * math.pi)))
        return {"in the end": f"{off:.3g} degrees from upright, at {speed:.3g} rad/s"}


problem = Planning
