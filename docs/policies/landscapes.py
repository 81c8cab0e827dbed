"""What the runs of the pictures are on: a valley, a slanted bowl, five pits."""
# ruff: noqa: INP001 - beside a script of the documentation, not a module of a package

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from drawing import Score

import cem
from cem.state import State
from cem.typing import Batch, Vector
from problems.continuous import rosenbrock

PITS = np.array([[-2.5, -2.5], [2.6, -2.2], [-2.2, 2.4], [2.4, 2.6], [0.2, 0.1]])


def valley(x: Batch) -> Vector:
    """Minus Rosenbrock's function: best, 0, at (1, 1)."""
    return -rosenbrock(x)


def bowl(x: Batch) -> Vector:
    """A slanted bowl, ten times as long as wide: best, 0, at (1, 0.5)."""
    along, across = np.array([[0.8, 0.6], [-0.6, 0.8]]) @ (x - [1.0, 0.5]).T
    return -(along**2 + 100 * across**2)


def pits(x: Batch) -> Vector:
    """Five pits; the deepest, upper right, is the narrowest."""
    depth, width = np.array([0.7, 0.8, 0.75, 1.0, 0.6]), np.array([1.1, 0.9, 1.0, 0.8, 1.3])
    square = np.square(x[:, np.newaxis] - PITS).sum(axis=2)
    deepest = (depth * np.exp(-square / (2 * width**2))).max(axis=1)
    return 1 - deepest + 1e-3 * np.square(x).sum(axis=1)


class Landscape(NamedTuple):
    """A function, where to start on it, and how it is drawn."""

    score: Score
    best: tuple[float, float]
    start: Any
    box: Sequence[float]
    height: Score
    levels: Any


VALLEY = Landscape(
    score=valley,
    best=(1.0, 1.0),
    start=cem.Normal([-1.1, 1.4], [0.35, 0.35]),  # to the left, above the valley
    box=(-1.8, 1.8, -0.9, 2.4),
    height=lambda x: np.log10(1e-12 - valley(x)),
    levels=np.arange(-1.5, 3.5, 0.5),
)
BOWL = Landscape(
    score=bowl,
    best=(1.0, 0.5),
    start=cem.MultivariateNormal([-1.4, 1.3], 0.25 * np.eye(2)),
    box=(-2.6, 2.6, -2.6, 2.6),
    height=lambda x: np.sqrt(-bowl(x)),
    levels=np.arange(1, 40, 3),
)


def steps(score: Score, n_steps: int, **settings: Any) -> list[State]:
    """The states of a run, the first one included."""
    method = cem.CrossEntropyMethod(**{"rng": 1, "select": cem.Elite(0.1), **settings})
    states = [method.init()]
    for _ in range(n_steps):
        x = method.ask(states[-1])
        states.append(method.tell(states[-1], x, score(x))[0])
    return states
