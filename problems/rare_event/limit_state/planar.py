"""Named limit states of two variables, where all can be drawn; RP stands for RPRepo.

Those from RPRepo (rprepo.readthedocs.io) are as in otbenchmark 0.2.1, with probabilities computed
anew: some of those listed there are off by a few per cent.
"""

from __future__ import annotations

import math

import numpy as np

from cem.typing import Batch, Vector
from problems.rare_event.limit_state.cases import (
    Case,
    case_of,
    integral,
    lognormal,
    normal,
    normal_tail,
    plane,
    radial_tail,
)

CASES: dict[str, Case] = {}
ROOT_2 = math.sqrt(2)


@case_of(CASES, lambda: [normal(10, 3)] * 2, 2.8599456875398363e-3)
def rp24(x: Batch) -> Vector:
    """A quartic valley: the failures lie in a narrow strip. RPRepo."""
    a, b = x.T
    return 2.5 - 0.2357 * (a - b) + 0.00463 * (a + b - 20) ** 4


@case_of(CASES, plane, 4.1485662937597464e-5)
def rp25(x: Batch) -> Vector:
    """A parallel system: two conditions with a corner between them. RPRepo."""
    a, b = x.T
    return np.maximum(a**2 - 8 * b + 16, -16 * a + b + 32)


@case_of(CASES, plane, 3.478946320931085e-3)
def rp35(x: Batch) -> Vector:
    """A main region, and two corners that a single density misses. RPRepo."""
    a, b = x.T
    return np.minimum(2 - b + np.exp(-0.1 * a**2) + (0.2 * a) ** 4, 4.5 - a * b)


@case_of(CASES, lambda: [normal(1.5, 1), normal(2.5, 1)], 3.1320485686682366e-2)
def rp53(x: Batch) -> Vector:
    """A wave: several regions side by side. RPRepo."""
    a, b = x.T
    return np.sin(2.5 * a) + 2 - (a**2 + 4) * (b - 1) / 20


@case_of(CASES, plane, 2.8237506584294518e-2)
def rp57(x: Batch) -> Vector:
    """A parallel system, or a disc far away from it: two regions of different kinds. RPRepo."""
    a, b = x.T
    parallel = np.maximum(3 - a**2 + b**3, 2 - a - 8 * b)
    return np.minimum(parallel, (a + 3) ** 2 + (b + 3) ** 2 - 4)


@case_of(CASES, plane, 5.471280529020618e-3)
def rp89(x: Batch) -> Vector:
    """Two regions on either side, inside of a parabola. RPRepo."""
    a, b = x.T
    return np.minimum(8 - a**2 - b, 6 - a / 5 - b)


def _rp111() -> float:
    from scipy.special import k0

    return 2 / math.pi * integral(k0, 12.5, math.inf)


@case_of(CASES, plane, _rp111)
def rp111(x: Batch) -> Vector:
    """Four regions on the diagonals, equally likely: ``12.5 - |x1 x2|``. RPRepo."""
    return 12.5 - np.abs(x[:, 0] * x[:, 1])


@case_of(CASES, plane, 2.2227950661944393e-3)
def four_branch(x: Batch) -> Vector:
    """A series system of four: four regions around the centre, of two kinds. otbenchmark."""
    return _four_branches(x, 7)


@case_of(CASES, plane, 4.457331490626e-3)
def four_branch_6(x: Batch) -> Vector:
    """The series system of four with its straight branches nearer, at ``6 / sqrt(2)``."""
    return _four_branches(x, 6)


def _four_branches(x: Batch, straight: float) -> Vector:
    a, b = x.T
    curved = 3 + 0.1 * (a - b) ** 2 - np.abs(a + b) / ROOT_2
    return np.minimum(curved, straight / ROOT_2 - np.abs(a - b))


@case_of(CASES, plane, 4.8944434492e-3)
def two_branch(x: Batch) -> Vector:
    """A plane and a parabola on opposite sides. ERA software, cross-entropy example 3."""
    a, b = x.T
    curved = 0.1 * (a - b) ** 2 - (a + b) / ROOT_2 + 2.5
    return np.minimum(3.2 + (a + b) / ROOT_2, curved)


@case_of(CASES, plane, 3.01631190131e-3)
def parabola(x: Batch) -> Vector:
    """Bent around the centre: two regions, one a little nearer. ERA software, CE example 4."""
    return 5 - x[:, 1] - 0.5 * (x[:, 0] - 0.1) ** 2


@case_of(CASES, lambda: [normal(4, 1), normal(2, 1)], lambda: normal_tail(ROOT_2))
def r_s(x: Batch) -> Vector:
    """Strength less load: linear, and not rare. otbenchmark."""
    return x[:, 0] - x[:, 1]


@case_of(CASES, lambda: [lognormal(300, 30), normal(75_000, 5_000)], 2.919819462483083e-2)
def axial_stressed_beam(x: Batch) -> Vector:
    """Strength less stress, with a lognormal strength. otbenchmark."""
    return x[:, 0] - x[:, 1] / (100 * math.pi)


@case_of(CASES, plane, lambda r: radial_tail(2, r), r=5.25)
def ring(x: Batch, r: float) -> Vector:
    """Outside of a circle: failure in all directions alike, and no design point."""
    return r - np.hypot(x[:, 0], x[:, 1])


@case_of(CASES, plane, lambda beta: normal_tail(beta) ** 2, beta=3.0)
def parallel(x: Batch, beta: float) -> Vector:
    """Both variables above ``beta``: a corner that is rarer than its nearest point suggests."""
    return beta - x.min(axis=1)


@case_of(CASES, plane, 1.12855845957881e-5)
def metaball(x: Batch) -> Vector:
    """Deceptive: from the centre the way to the failures leads through what looks safer.

    The design point is near ``(-4.27, 0)``; samples are led to the other side. Its probability,
    in the literature 1.13e-5, is an integral over directions, of which the rest is known.
    """
    a, b = x.T
    one = 30 / ((4 * (a + 2) ** 2 / 9 + b**2 / 25) ** 2 + 1)
    two = 20 / (((a - 2.5) ** 2 / 4 + (b - 0.5) ** 2 / 25) ** 2 + 1)
    return one + two - 5
