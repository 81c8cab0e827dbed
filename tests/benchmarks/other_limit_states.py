"""Limit states on which no default was chosen, each with its probability; for rare_events.py."""

from __future__ import annotations

import math

import numpy as np

import problems
from problems.rare_event import LimitState
from problems.rare_event.limit_state.cases import integral, normal_tail, standard_normals


def far(u, beta):
    """The distance to a half-space whose normal is the diagonal."""
    return beta - u.sum(axis=1) / math.sqrt(u.shape[1])


def any_of(*tails):
    """The probability that one of several independent events occurs."""
    return -math.expm1(sum(math.log1p(-p) for p in tails))


def over_normal(tail):
    """The mean of ``tail(Z)`` for a standard normal ``Z``."""
    return integral(lambda z: math.exp(-z * z / 2) / math.sqrt(2 * math.pi) * tail(z), -12, 12)


def three(u):
    return np.minimum(np.minimum(3.5 - u[:, 0], 4 + u[:, 1]), 4.5 - u[:, 2])


def three_alike(u):
    return np.minimum(np.minimum(4 - u[:, 0], 4 + u[:, 1]), 4 - u[:, 2])


def two_means(u):
    half = u.shape[1] // 2
    other = (u[:, :half].sum(axis=1) - u[:, half:].sum(axis=1)) / math.sqrt(u.shape[1])
    return np.minimum(far(u, 3.5), 3.7 + other)


def strip(u):
    """A half-space, and a narrow strip beside it."""
    return np.minimum(4 - u[:, 0], np.maximum(u[:, 1] + 3.5, abs(u[:, 2]) - 0.1))


def unannounced(u):
    """A half-space, and a nearer one that nothing leads to."""
    return np.minimum(5 - u[:, 0], np.where(u[:, 1] < -3.8, -1, 5 + 0.5 * u[:, 0]))


def turned(u):
    """The metaball about another axis, among variables that do not matter."""
    c, s = math.cos(1.0), math.sin(1.0)
    return METABALL.g(u[:, :2] @ np.array([[c, -s], [s, c]]))


METABALL = problems.load("limit-state", name="metaball")
t = normal_tail
NAMED = [
    ("linear", {"n": 1, "beta": 4.0}),
    ("linear", {"n": 3, "beta": 4.0}),
    ("linear", {"n": 5, "beta": 5.0}),
    ("linear", {"n": 20, "beta": 3.5}),
    ("linear", {"n": 30, "beta": 4.0}),
    ("linear", {"n": 200, "beta": 3.5}),
    ("linear", {"n": 10, "beta": 8.0}),
    ("linear", {"n": 10, "beta": 1.0}),
    ("twosided", {"n": 5, "beta": 4.0}),
    ("twosided", {"n": 50, "beta": 4.0}),
    ("twosided_x1", {"n": 100, "beta": 4.0}),
    ("ring", {"r": 4.0}),
    ("ring", {"r": 6.0}),
    ("shell", {"n": 20, "r": 7.2}),
    ("shell", {"n": 200, "r": 17.2}),
    ("sphere", {"n": 10, "r": 6.85}),
    ("parallel", {"beta": 4.0}),
    ("parabola", {}),
    ("two_branch", {}),
    ("four_branch_6", {}),
    ("lognormal_sum", {"level": 100.0}),
    ("weibull_sum", {"level": 100.0}),
    ("gammasum", {"n": 10, "level": 40.0}),
    ("bridge5_exp", {"level": 3.0}),
]
OWN = {  # name: variables, g, probability
    "cubic": (
        2,
        lambda u: 4 - u[:, 0] - 0.1 * u[:, 1] ** 3,
        over_normal(lambda z: t(4 - z**3 / 10)),
    ),
    "concave, 5": (
        5,
        lambda u: 3.5 - u[:, 0] + 0.5 * u[:, 1] ** 2,
        over_normal(lambda z: t(3.5 + 0.5 * z * z)),
    ),
    "convex, 5": (
        5,
        lambda u: 4.5 - u[:, 0] - 0.3 * u[:, 1] ** 2,
        over_normal(lambda z: t(4.5 - 0.3 * z * z)),
    ),
    "slab, 10": (10, lambda u: np.maximum(far(u, 3.5), -far(u, 3.6)), t(3.5) - t(3.6)),
    "three modes, 5": (5, three, any_of(t(3.5), t(4), t(4.5))),
    "two modes, 30": (30, two_means, any_of(t(3.5), t(3.7))),
    "three modes, 50": (50, three_alike, any_of(*[t(4)] * 3)),
    "six modes, 3": (3, lambda u: 4.5 - abs(u).max(axis=1), any_of(*[t(4.5)] * 6)),
    "six modes, 10": (10, lambda u: 4.5 - abs(u[:, :3]).max(axis=1), any_of(*[t(4.5)] * 6)),
    "twenty modes, 10": (10, lambda u: 4.5 - abs(u).max(axis=1), any_of(*[t(4.5)] * 20)),
    "narrow strip, 3": (3, strip, any_of(t(4), t(3.5) * (1 - 2 * t(0.1)))),
    "unannounced, 3": (3, unannounced, any_of(t(5), t(3.8))),
    "unannounced, 10": (10, unannounced, any_of(t(5), t(3.8))),
    "metaball turned": (2, turned, METABALL.exact()),
    "metaball, 5": (5, turned, METABALL.exact()),
    "whole numbers, 10": (10, lambda u: np.floor(far(u, 3.5)), t(3.5)),
    "whole numbers, 50": (50, lambda u: np.floor(far(u, 3.5)), t(3.5)),
    "yes or no, 2": (2, lambda u: np.where(far(u, 4) < 0, -1.0, 1.0), t(4)),
    "yes or no, 10": (10, lambda u: np.where(far(u, 5) < 0, -1.0, 1.0), t(5)),
    "jump, 5": (5, lambda u: np.where(far(u, 3.8) < 0, -0.5, 3 - 0.3 * far(u, 3.8)), t(3.8)),
    "tiny scale, 5": (5, lambda u: 1e-9 * far(u, 4), t(4)),
    "huge scale, 5": (5, lambda u: np.expm1(3 * far(u, 4)), t(4)),
}


def label_of(name, settings):
    return " ".join([name, *(f"{value:g}" for value in settings.values())])


def others():
    """Name, limit state and probability of each."""
    for name, settings in NAMED:
        problem = problems.load("limit-state", name=name, **settings)
        yield label_of(name, settings), problem, problem.exact()
    for name, (n, g, probability) in OWN.items():
        yield name, LimitState(g, standard_normals(n)), probability


def largest_of(directions, distances, slopes):
    """The margin of half-spaces, one per column of ``directions``, each with its own slope."""
    return lambda u: ((distances - u @ directions) * slopes).min(axis=1)


UNLIKE = [  # distances and slopes of two half-spaces along the first two axes
    ((4.5, 4.5), (1, 1.5)),
    ((5.5, 5), (1, 2)),
    ((4.5, 4), (1, 5)),
    ((5, 5), (1, 5)),
    ((5, 5), (2, 1)),
]
TURNED = [  # and of two to six orthogonal ones along no axis
    ((5, 5), (1, 5)),
    ((6, 6), (1, 5)),
    ((7, 7), (1, 5)),
    ((4, 4), (1, 100)),
    ((5, 5, 5), (1, 3, 10)),
    ((4.5, 4, 4.2), (1, 3, 10)),
    ((3, 3.2, 3.4), (1, 3, 10)),
    ((4,) * 6, (1, 2, 4, 8, 16, 32)),
]


def rotation(n, seed):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((n, n)))[0]


def half_spaces(n, directions, distances, slopes):
    g = largest_of(directions[:, : len(slopes)], np.array(distances), np.array(slopes))
    return n, g, any_of(*[t(b) for b in distances])


def bent(v, c):
    """Two parts whose surfaces bend away from the origin, the second five times as steep."""
    away = 4.5 + c * v[:, 1] ** 2
    return np.minimum(away - v[:, 0], 5 * (away - v[:, 2]))


SHAPES = {  # kind: margin in turned coordinates, probability
    "levels off": (
        lambda v: np.minimum(np.tanh(4.5 - v[:, 0]), np.tanh(4 * (4.5 - v[:, 1]))),
        any_of(t(4.5), t(4.5)),
    ),
    "steps": (
        lambda v: np.floor(4 * np.minimum(4.5 - v[:, 0], 5 * (4.5 - v[:, 1]))),
        any_of(t(4.5), t(4.5)),
    ),
    "yes or no": (
        lambda v: np.where(v[:, :2].max(axis=1) > 3.5, -1.0, 1.0),
        any_of(t(3.5), t(3.5)),
    ),
    "bent .3": (
        lambda v: bent(v, 0.3),
        over_normal(lambda z: any_of(*[t(4.5 + 0.3 * z * z)] * 2)),
    ),
    "bent .1": (
        lambda v: bent(v, 0.1),
        over_normal(lambda z: any_of(*[t(4.5 + 0.1 * z * z)] * 2)),
    ),
    "corner": (
        lambda v: np.minimum(3 - v[:, :2].min(axis=1), 5 * (5 - v[:, 2])),
        any_of(t(3) ** 2, t(5)),
    ),
}


def parts():
    """Events of several parts whose scores rise unlike each other, as `others` gives its own."""
    events = {}
    for n in (5, 8, 12, 20, 40):
        for i, setting in enumerate(UNLIKE):
            events[f"unlike {i + 1} in {n}"] = half_spaces(n, np.eye(n), *setting)
    for n in (10, 20, 40):
        for i, setting in enumerate(TURNED):
            events[f"turned {i + 1} in {n}"] = half_spaces(n, rotation(n, n), *setting)
    for n in (3, 10, 20):
        turn = rotation(n, 7)
        for kind, (g, probability) in SHAPES.items():
            events[f"{kind} in {n}"] = n, lambda u, g=g, turn=turn: g(u @ turn), probability
    for name, (n, g, probability) in events.items():
        yield name, LimitState(g, standard_normals(n)), probability
