"""Named limit states of more than two variables, or of as many as one likes."""

from __future__ import annotations

import math

import numpy as np

from cem.typing import Batch, Vector
from problems.rare_event.limit_state.cases import (
    Case,
    case_of,
    gumbel,
    integral,
    lognormal,
    normal,
    normal_density,
    normal_tail,
    radial_tail,
    standard_normals,
    sum_of,
    uniform,
)

CASES: dict[str, Case] = {}


@case_of(
    CASES,
    lambda: [lognormal(120, 12)] * 4 + [lognormal(50, 10), lognormal(40, 8)],
    7.897937100094605e-4,
)
def rp8(x: Batch) -> Vector:
    """A frame: linear in six lognormal variables. RPRepo."""
    return x @ np.array([1.0, 2.0, 2.0, 1.0, -5.0, -5.0])


@case_of(
    CASES,
    lambda: [
        uniform(70, 80),
        normal(39, 0.1),
        gumbel(1500, 350),
        normal(400, 0.1),
        normal(250_000, 35_000),
    ],
    7.728523884442e-4,
)
def rp14(x: Batch) -> Vector:
    """A shaft under bending and torsion: uniform, normal and Gumbel variables. RPRepo."""
    strength, diameter, force, arm, torque = x.T
    moment = np.sqrt(force**2 * arm**2 / 16 + torque**2)
    return strength - 32 / (math.pi * diameter**3) * moment


@case_of(
    CASES,
    lambda: [normal(mean, mean / 10) for mean in (350.0, 50.8, 3.81, 173.0, 9.38, 33.1, 0.036)],
    8.0505083e-3,
)
def rp38(x: Batch) -> Vector:
    """A rational function of seven variables, with products and cubes. RPRepo."""
    a, b, c, d, e, f, h = x.T
    up = d**2 - 4 * e * f * h**2 + d * (f + 4 * e + 2 * f * h)
    return 155_900 - a * (b / c) ** 3 / 2 * up / (d * e * (d + f + 2 * f * h))


def _rp63() -> float:
    from scipy.stats import chi2

    def both(y: float) -> float:
        return float(chi2.pdf(y, 99)) * normal_tail(0.1 * y - 4.5)

    return integral(both, 0, 99) + integral(both, 99, 500)


@case_of(CASES, lambda: standard_normals(100), _rp63)
def rp63(x: Batch) -> Vector:
    """A paraboloid in 100 dimensions: 99 variables must be small together. RPRepo."""
    return 0.1 * np.square(x[:, 1:]).sum(axis=1) - x[:, 0] - 4.5


def _rp77() -> float:
    def up(z: float) -> float:  # x3 = 4 + z up to 5, and x1 - x2 below it
        return normal_density(z) * normal_tail((6 - z) / math.sqrt(1.25))

    def down(z: float) -> float:  # x3 above 5, and x2 above it
        return normal_density(z) * normal_tail(4 + z)

    return integral(up, -math.inf, 1) + integral(down, 1, math.inf)


@case_of(CASES, lambda: [normal(10, 0.5), normal(0, 1), normal(4, 1)], _rp77)
def rp77(x: Batch) -> Vector:
    """Discontinuous: another formula where the third variable is above 5. RPRepo."""
    a, b, c = x.T
    return np.where(c <= 5, a - b - c, c - b)


@case_of(CASES, standard_normals, lambda n, beta: normal_tail(beta), n=10, beta=3.5)  # noqa: ARG005
def linear(x: Batch, beta: float) -> Vector:
    """A half-space, the same in all directions of many: likelihood ratios degenerate with ``n``."""
    return beta * math.sqrt(x.shape[1]) - sum_of(x)


@case_of(CASES, standard_normals, lambda n, beta: 2 * normal_tail(beta), n=10, beta=4.0)  # noqa: ARG005
def twosided(x: Batch, beta: float) -> Vector:
    """Two half-spaces on opposite sides, across the diagonal."""
    return beta - np.abs(sum_of(x)) / math.sqrt(x.shape[1])


@case_of(CASES, standard_normals, lambda n, beta: 2 * normal_tail(beta), n=2, beta=4.0)  # noqa: ARG005
def twosided_x1(x: Batch, beta: float) -> Vector:
    """Two half-spaces on opposite sides, across the first axis."""
    return beta - np.abs(x[:, 0])


@case_of(CASES, standard_normals, radial_tail, n=100, r=13.0)
def shell(x: Batch, r: float) -> Vector:
    """Outside of a ball of many dimensions, where nearly all the mass is near its surface."""
    return r - np.sqrt(np.square(x).sum(axis=1))


@case_of(CASES, standard_normals, radial_tail, n=2, r=5.0)
def sphere(x: Batch, r: float) -> Vector:
    """Outside of a ball again, with a slope that leads to one side. ERA software, CE example 6.

    The value of 1e-6 that is printed there is not that of its radius, 5.
    """
    square = np.square(x).sum(axis=1) / r**2
    return 1 - square - x[:, 0] / r * (1 - square) / (1 + square)
