"""Design points: where failure is most likely, which inputs cause it, and what FORM makes of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from cem.families import Normal
from cem.scores import checked_scores, real_number, whole_number
from cem.typing import Array, Batch, Problem, Vector
from cem.weighted import WeightedSample

NEAREST = 1000  # failing samples that are looked at for several design points
STEP = 1e-5  # of a difference quotient, in standard deviations
NEAR = 1e-3  # relative: how near the surface and the shortest way to it count as there
MOST_STEPS = 100  # of HL-RF
MOST_HALVINGS = 10  # of one of them


@dataclass(frozen=True, eq=False, kw_only=True)
class DesignPoint:
    """The most likely point of failure, of standard normal inputs ``u``.

    Attributes
    ----------
    u : Vector
        The point, shape ``(d,)``.
    x : Vector
        The same in the space of the problem: ``problem.to_physical``, if it has one.
    beta : float
        The reliability index ``|u|``.
    n_calls : int
        Evaluations of the problem that it took.
    converged : bool
        Whether it lies on the surface ``S = gamma`` with the gradient along ``u``, as the nearest
        point does. If not it is a failing point near that, and ``beta`` is too large.
    message : str
        How it was found.
    """

    u: Vector
    x: Any
    beta: float
    n_calls: int
    converged: bool
    message: str

    @property
    def alpha(self) -> Vector:
        """The direction ``u / beta``: how failure pulls at every input."""
        return self.u / self.beta

    @property
    def importance(self) -> Vector:
        """The importance factors ``alpha^2``: shares of the inputs; they sum to one."""
        return self.alpha**2

    @property
    def form_probability(self) -> float:
        """``Phi(-beta)``: the probability if the surface were a plane. To compare, not to report.

        >>> point = DesignPoint(u=np.array([3.0, 4.0]), x=None, beta=5.0, n_calls=0,
        ...                     converged=True, message="")
        >>> point.importance, f"{point.form_probability:.4g}"
        (array([0.36, 0.64]), '2.867e-07')
        """
        return 0.5 * math.erfc(self.beta / math.sqrt(2))


def design_point(
    sample: WeightedSample, problem: Problem | None = None, *, max_evaluations: int = 1000
) -> DesignPoint:
    """The failing sample nearest to the origin; with the problem at hand, the point it leads to.

    The nominal density is a `cem.families.Normal`, whose standardised coordinates are ``u``. The
    refinement is the improved HL-RF iteration with differences for the gradient (Zhang and Der
    Kiureghian, 1995), ``d + 1`` calls and a few more in each step, from where the ray from the
    origin to the sample meets the surface. Where that does not converge, because the surface has an
    edge or the calls are spent, the best failing point is returned, and ``converged`` is false.

    Raises ValueError if no sample failed, or if the origin does; TypeError for another nominal
    density.

    >>> from cem.families import Normal
    >>> x = np.array([[3.1, 0.2], [2.0, 0.0], [3.0, 2.0]])
    >>> sample = WeightedSample(x, x[:, 0], np.zeros(3), Normal([0.0, 0.0], [1.0, 1.0]), gamma=3.0)
    >>> design_point(sample).u
    array([3.1, 0.2])
    >>> found = design_point(sample, lambda x: x[:, 0])
    >>> found.converged, round(found.beta, 6), found.importance.round(6)
    (True, 3.0, array([1., 0.]))
    """
    u, order = _nearest_first(sample)
    return _refined(sample, u[order[0]], problem, max_evaluations)


def design_points(
    sample: WeightedSample,
    problem: Problem | None = None,
    *,
    angle: float = 60.0,
    most: int = 8,
    max_evaluations: int = 1000,
) -> list[DesignPoint]:
    """Several design points, nearest first: for surfaces that come near from several sides.

    They start from those of the 1000 nearest failing samples that have no nearer one within
    ``angle`` degrees, ``most`` of them. That tells directions apart in a few dimensions; in many,
    where all samples are nearly at right angles, most of them lead to the same points. Those that
    do are returned once. ``max_evaluations`` is for each.

    >>> from cem.families import Normal
    >>> x = np.array([[3.5, 0.2], [-4.0, 0.1], [3.0, 1.0]])
    >>> score = np.abs(x[:, 0])
    >>> sample = WeightedSample(x, score, np.zeros(3), Normal([0.0, 0.0], [1.0, 1.0]), gamma=3.0)
    >>> [point.u for point in design_points(sample)]
    [array([3., 1.]), array([-4. ,  0.1])]
    """
    if not 0 < real_number("angle", angle) <= 180:
        raise ValueError(f"angle must lie in (0, 180] degrees; got {angle!r}")
    u, order = _nearest_first(sample)
    starts = list(_starts(u[order[:NEAREST]], math.cos(math.radians(angle))))
    found: list[DesignPoint] = []
    for start in starts[: whole_number("most", most)]:
        point = _refined(sample, start, problem, max_evaluations)
        if not any(np.linalg.norm(point.u - other.u) < 0.1 * point.beta for other in found):
            found.append(point)
    return sorted(found, key=lambda point: point.beta)


def _starts(u: Array, cosine: float) -> Iterator[Vector]:
    """Those that have no nearer one within the angle; ``u`` is sorted by distance."""
    directions = u / np.linalg.norm(u, axis=1, keepdims=True)
    for i, direction in enumerate(directions):
        if i == 0 or (directions[:i] @ direction).max() < cosine:
            yield u[i]


def _nearest_first(sample: WeightedSample) -> tuple[Array, Any]:
    """The failing samples, standardised, and their order by distance from the origin."""
    nominal = sample.nominal
    if not isinstance(nominal, Normal) or not nominal.std.all():
        raise TypeError(
            "a design point is a point of standard normal space: expected a nominal density "
            f"cem.Normal with positive deviations; got {nominal!r}. Bring other inputs there first"
        )
    failing = sample.reached()
    if not failing.any():
        raise ValueError(
            f"expected a sample that reached the level {sample.gamma:g}; got none of {len(sample)}"
        )
    u = (sample.x[failing] - nominal.mean) / nominal.std
    return u, np.argsort(np.linalg.norm(u, axis=1), kind="stable")


def _refined(
    sample: WeightedSample, start: Vector, problem: Problem | None, max_evaluations: int
) -> DesignPoint:
    nominal, physical = sample.nominal, getattr(problem, "to_physical", None)

    def point(u: Vector, n_calls: int, message: str, *, converged: bool) -> DesignPoint:
        x = nominal.mean + nominal.std * u
        return DesignPoint(
            u=u,
            x=x if physical is None else physical(x[None])[0],
            beta=norm(u),
            n_calls=n_calls,
            converged=converged,
            message=message,
        )

    if problem is None:
        return point(start, 0, "the nearest failing sample, not refined", converged=False)
    surface = _Surface(
        problem, nominal, sample.gamma, whole_number("max_evaluations", max_evaluations)
    )
    u, message, converged = _design_point_of(surface, start)
    return point(u, surface.n_calls, message, converged=converged)


class _Spent(Exception):  # noqa: N818 - the calls are, which is a way to end
    """The budget of the refinement does not allow what is asked."""


class _Surface:
    """``g(u) = gamma - S``, zero or below where failure is, with a count of its calls."""

    def __init__(self, problem: Problem, nominal: Normal, gamma: float, most: int) -> None:
        self.problem, self.nominal, self.gamma, self.most = problem, nominal, gamma, most
        self.n_calls = 0

    def __call__(self, u: Batch) -> Vector:
        """``g`` of a batch of shape ``(n, d)``."""
        if self.n_calls + len(u) > self.most:
            raise _Spent
        self.n_calls += len(u)
        score = checked_scores(self.problem(self.nominal.mean + self.nominal.std * u), len(u))
        if not np.isfinite(score).all():
            raise ValueError(
                "the search for a design point needs finite scores; got NaN or an infinite one "
                f"between the origin and a failing sample: {score[~np.isfinite(score)][0]}"
            )
        return self.gamma - score

    def with_gradient(self, u: Vector) -> tuple[float, Vector]:
        """``g(u)`` and its gradient, by forward differences: ``d + 1`` calls."""
        g = self(np.vstack([u, u + STEP * np.eye(u.size)]))
        return float(g[0]), (g[1:] - g[0]) / STEP


def _design_point_of(surface: _Surface, start: Vector) -> tuple[Vector, str, bool]:
    """The point, how it was found, and whether it is one."""
    best = start
    try:
        best = _on_ray(surface, start)
        found = best
        for k in range(1, MOST_STEPS + 1):
            g, gradient = surface.with_gradient(found)
            if g <= 0 and norm(found) < norm(best):
                best = found
            slope = norm(gradient)
            if slope == 0:
                return best, "the surface is flat there: no gradient leads on", False
            normal = gradient / slope
            towards = (normal @ found - g / slope) * normal  # of the linear surface: HL-RF
            if max(norm(towards - found), abs(g) / slope) <= NEAR * norm(found):
                return found, f"HL-RF converged in {k} steps", True
            shorter = _line_search(surface, found, towards - found, g, slope)
            if shorter is None:
                return (
                    best,
                    "HL-RF found no better point: the surface may have an edge there",
                    False,
                )
            found = shorter
    except _Spent:
        return best, f"the {surface.most} calls were spent before HL-RF converged", False
    return best, f"HL-RF did not converge in {MOST_STEPS} steps", False


def _on_ray(surface: _Surface, start: Vector) -> Vector:
    """The failing end of a short interval across the surface, on the ray to a failing point."""
    at_origin, at_start = surface(np.stack([np.zeros_like(start), start]))
    if at_origin <= 0:
        raise ValueError(
            "the origin, the mean of the inputs, fails itself: there is no nearest point at which "
            "failure begins, and nothing that FORM could say"
        )
    if at_start > 0:
        raise ValueError(
            "the failing sample does not fail when it is scored again: the problem is likely not "
            "the one that the sample was scored by, or it is noisy"
        )
    safe, fails = 0.0, 1.0
    while fails - safe > NEAR * fails:
        middle = (safe + fails) / 2
        if surface((middle * start)[None])[0] <= 0:
            fails = middle
        else:
            safe = middle
    return fails * start


def _line_search(
    surface: _Surface, u: Vector, step: Vector, g: float, slope: float
) -> Vector | None:
    """The first of the halved steps that lowers ``|u|^2 / 2 + c |g|``; None if none does.

    With ``c > |u| / |grad g|`` the step leads downhill: Zhang and Der Kiureghian (1995).
    """
    c = 2 * max(norm(u), norm(u + step)) / slope
    merit = norm(u) ** 2 / 2 + c * abs(g)
    for k in range(MOST_HALVINGS):
        there = u + step / 2**k
        if norm(there) ** 2 / 2 + c * abs(float(surface(there[None])[0])) < merit:
            return there
    return None


def norm(u: Vector) -> float:
    """``|u|``."""
    return math.sqrt(float(u @ u))
