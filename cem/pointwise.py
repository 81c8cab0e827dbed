"""Functions of one point where functions of a batch are expected: the first batch tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.random import Generator, default_rng

from cem.borders import box
from cem.intermediate import callbacks_of
from cem.parallel import Each, OnePointError, each
from cem.randomness import root_of
from cem.typing import Array, Batch
from cem.wrapping import Around

SOME = 3  # points of a batch that are tried alone before it is told that none can be
Solve = TypeVar("Solve", bound=Callable[..., Any])


def points_too(solve: Solve) -> Solve:
    """The driver, which takes functions of a batch, as one that takes those of one point as well.

    ``vectorized`` says that a function takes a batch, of shape ``(n, d)``, or (False) one point.
    With None and bounds a function is called as one of a batch. If its first batch does not give a
    number for each sample, but a point of it alone does give one, then nothing was done yet, and
    the driver begins again with `cem.each`. So no evaluation is made that is not counted, but for
    that first one; a resumed run is told by a few points of the box instead. Objects that are
    problems, because they are noisy or have a method ``nominal()``, are taken as they are.

    A function of one point which on a batch returns a number for each sample, and not that of the
    sample alone, is taken for one of a batch: say ``vectorized=False``.
    """

    @wraps(solve)
    def either(
        problem: Any, family: Any = None, *, vectorized: bool | None = None, **options: Any
    ) -> Any:
        if not (vectorized is None or isinstance(vectorized, bool)):
            raise TypeError(f"vectorized must be True, False or None; got {vectorized!r}")
        if vectorized is False and not isinstance(problem, Each):
            problem = each(problem)
        if options.get("bounds") is None or _is_problem(problem):
            return solve(problem, family, **options)
        if vectorized:
            return solve(Batched(problem), family, **options)
        tried = Tried(problem)
        if isinstance(options.get("rng"), Generator):
            options["rng"] = root_of(options["rng"])  # the same for both
        found = _as_one_of_a_batch(solve, tried, family, options)
        return solve(each(problem), family, **options) if found is None else found

    return either  # type: ignore[return-value] # the same arguments


def _as_one_of_a_batch(solve: Solve, tried: Tried, family: Any, options: dict[str, Any]) -> Any:
    """The driver's result; None if the function takes one point, and no sample was scored yet.

    That may show late: the first iterations may not have a sample that keeps the constraints.
    """
    resumed, scored = _is_resumed(**options), list[bool]()
    own = callbacks_of(options.get("callback"))
    watch = [*own, lambda state, _: scored.append(state.best.x is not None)]
    try:
        if resumed:
            tried(_some_points(*box(options["bounds"])))
        return solve(tried, family, **options | {"callback": watch})
    except OnePointError:
        if any(scored):
            raise
    if not resumed and options.get("checkpoint") is not None:  # it holds no score
        Path(options["checkpoint"]).unlink(missing_ok=True)
    return None


@dataclass(frozen=True)
class Batched(Around):
    """A function of a batch, whose answer has a shape that cannot be mistaken.

    As many samples as coordinates are scored in two parts: their scores could be anything's.
    """

    problem: Any

    def __call__(self, x: Batch) -> Any:
        """The scores, whatever they are."""
        if len(x) != np.shape(x)[1] or len(x) == 1:
            return self._scores(x)
        first, others = self._scores(x[:1]), self._scores(x[1:])
        right = np.ndim(first) == np.ndim(others) == 1
        return np.concatenate([first, others]) if right else first

    def _scores(self, x: Batch) -> Any:
        score = self.problem(x)
        if np.shape(score) != (len(x),):
            raise ValueError(
                f"a function of a batch returns one number per row: expected shape ({len(x)},) for "
                f"a batch of shape {np.shape(x)}, got {np.shape(score)}; if it takes the points as "
                "columns, as SciPy's vectorized ones do, pass lambda x: f(x.T)"
            )
        return score


@dataclass(frozen=True)
class Tried(Batched):
    """The same, which raises `OnePointError` if the function proves to be one of a single point.

    >>> from scipy.optimize import rosen
    >>> Tried(rosen)(np.ones((3, 2)))
    Traceback (most recent call last):
      ...
    cem.parallel.OnePointError: ... it takes one point: say vectorized=False, or pass cem.each(f)
    """

    def _scores(self, x: Batch) -> Any:
        try:
            score: Any = self.problem(x.copy())
        except Exception as error:
            if _takes_points(self.problem, x):
                raise _of_one(x, f"raised {type(error).__name__}: {error}") from error
            raise
        if np.shape(score) != (len(x),) and _takes_points(self.problem, x):
            raise _of_one(x, f"returned shape {np.shape(score)}")
        return score


def _of_one(x: Batch, did: str) -> OnePointError:
    return OnePointError(
        f"for a batch of shape {np.shape(x)} the function {did}, while it takes one point: say "
        "vectorized=False, or pass cem.each(f)"
    )


def _takes_points(function: Any, x: Batch) -> bool:
    """Whether it gives a number for a point; the first may be one at which it fails."""
    return any(_gives_a_number(function, point.copy()) for point in x[:SOME])


def _gives_a_number(function: Any, point: Array) -> bool:
    try:
        return np.asarray(function(point), dtype=float).size == 1
    except Exception:  # noqa: BLE001 - what it is not made for may fail in any way
        return False


def _is_problem(function: Any) -> bool:
    known = isinstance(function, Around | Each) or not callable(function)
    return known or any(hasattr(function, name) for name in ("bind", "bound_at", "nominal"))


def _is_resumed(checkpoint: Any = None, start: Any = None, **_: Any) -> bool:
    return start is not None or (checkpoint is not None and Path(checkpoint).exists())


def _some_points(low: Array, high: Array) -> Array:
    """Points inside a box: several, but not as many as coordinates."""
    n = 4 if len(low) == SOME else SOME
    return low + (high - low) * (0.1 + 0.8 * default_rng(len(low)).random((n, len(low))))
