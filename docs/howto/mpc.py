"""Model-predictive control: plan, do the first action, look where that led, and plan again.

python docs/howto/mpc.py swing_up.png
"""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import cem
from cem.families.coloured_normal import ColouredNormal
from cem.typing import Array
from problems.planning import Planning

SIZES = (60, 48, 38)  # samples of each iteration: fewer, as the density narrows
ELITE = cem.Elite(at_least=8, at_most=8)
KEPT = 3  # plans of an iteration that stay in the race


def improve(task: Planning, v: ColouredNormal, kept: Array, rng: tuple[int, int]) -> cem.State:
    """A few iterations of the cross-entropy method from the density ``v``."""
    method = cem.CrossEntropyMethod(nominal=v, n_samples=SIZES[0], select=ELITE, rng=rng)
    state = method.init()
    for n in SIZES:
        x = np.vstack([replace(method, n_samples=n).ask(state), state.v.mean, kept])
        score = task(x)
        kept = x[np.argsort(-score)[:KEPT]]
        state, _ = method.tell(state, x, score)
    return state


def one_step_on(plan: Array) -> Array:
    """The plan without its first action, the last one twice."""
    return np.append(plan[1:], plan[-1])


def control(task: Planning, steps: int, seed: int = 1) -> Array:
    """The angle, the speed and the torque at every step, shape ``(steps, 3)``."""
    nominal, rows = task.nominal(), []
    v, kept = nominal, np.empty((0, task.horizon))
    for step in range(steps):
        state = improve(task, v, kept, (seed, step))
        plan = state.best.x
        rows.append((task.angle, task.speed, np.clip(plan[0], -2, 2)))
        task = task.after(plan[0])
        v = nominal.replace(mean=one_step_on(state.v.mean))
        kept = one_step_on(plan)[None]
    return np.array(rows)


def picture(steps: int = 120) -> Figure:
    """The height of the tip and the torque, while the pendulum is swung up and held."""
    angle, _, torque = control(Planning(horizon=30), steps).T
    time = 0.05 * np.arange(steps)
    figure = Figure(figsize=(8, 4), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True)
    above.plot(time, np.cos(angle), color=cem.plot.BLUE)
    above.set(ylabel="height of the tip [m]")
    below.step(time, torque, color=cem.plot.ORANGE, where="post")
    below.set(ylabel="torque [N m]", xlabel="time [s]")
    return figure


if __name__ == "__main__":
    picture().savefig(sys.argv[1])


# ruff: noqa: INP001 - an example of the documentation, not a module of a package
