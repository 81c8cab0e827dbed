"""maximize and minimize: the loop with the level at infinity and unit weights."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cem import stopping
from cem.engine import CrossEntropyMethod
from cem.families.normal import Normal
from cem.randomness import name_of
from cem.results import Result
from cem.run import run
from cem.scores import real_number
from cem.selection import Elite
from cem.session import chunk_size_of, nominal_of, session
from cem.smoothing import Constant
from cem.state import History, State
from cem.typing import (
    Array,
    Batch,
    Callback,
    Family,
    Problem,
    Selection,
    Smoothing,
    StopRule,
    Vector,
)

MAX_ITERATIONS = 1000


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Optimum(Result):
    """The best that was found; the other attributes are those of `cem.results.Result`.

    Attributes
    ----------
    x : Batch
        The best sample.
    fun : float
        Its score, in the problem's own sign.
    """

    x: Any
    fun: float


def maximize(
    problem: Problem,
    family: Family | None = None,
    *,
    bounds: Any = None,
    n_samples: int | None = None,
    rho: float = 0.1,
    alpha: float | Mapping[str, float] = 0.7,
    select: Selection | None = None,
    smooth: Smoothing | None = None,
    rng: Any = None,
    workers: Any = 1,
    chunk_size: int | None = None,
    callback: Callback | Iterable[Callback] | None = None,
    max_evaluations: int | None = None,
    max_iterations: int | None = None,
    time_limit: float | None = None,
    target: float | None = None,
    until: Iterable[StopRule] = (),
    checkpoint: Any = None,
    start: tuple[State, History] | None = None,
) -> Optimum:
    """Find ``argmax S(x)`` by the cross-entropy method.

    Parameters
    ----------
    problem : callable
        ``S``: takes a batch of ``n`` samples, for most families an array of shape ``(n, d)``, and
        returns ``n`` scores. Wrap a function of one point with `cem.each`. Scores that are NaN or
        infinite are counted, never elite and never best.
    family : Family, optional
        Where to start: the density ``f(.; v_0)``. Not needed if the problem has a method
        ``nominal()``, or with ``bounds``.
    bounds : sequence of (low, high), optional
        One pair per coordinate, or a `scipy.optimize.Bounds`. The search starts from a normal
        density that covers the box, and samples outside are reflected into it.
    n_samples : int, optional
        ``N``, samples per iteration. Default: five per parameter of the family, at least 100.
    rho : float
        Share of the samples that is elite, in (0, 1).
    alpha : float or mapping
        Weight of the new fit in the smoothing ``alpha v_hat + (1 - alpha) v``, in (0, 1]; or one
        for every parameter of the family, such as ``{"mean": 1.0, "cov": 0.3}``.
    select, smooth : optional
        Another selection and smoothing than `cem.Elite` (rho) and `cem.Constant` (alpha).
    rng : int, SeedSequence, Generator or None
        Root of all randomness (SPEC 7). The same root gives the same bits for any ``workers``.
    workers : int or object with ``.map``
        1 scores here; ``n`` uses that many processes, -1 as many as there are cores.
    chunk_size : int, optional
        Samples per call of the problem (default 512; 8 for `cem.each`).
    callback : callable, optional
        Called with ``(state, record)`` after every iteration; several in a list.
    max_evaluations, max_iterations, time_limit, target : optional
        Limits in samples, iterations and seconds, and a score that is good enough.
        Without a limit the run ends after 1000 iterations at the latest.
    until : iterable of stop rules
        Further rules, see `cem.stopping`.
    checkpoint : path, optional
        Save the run there after every iteration, and resume from there if the file exists.
    start : (State, History), optional
        Go on from where another run with the same settings is.

    Returns
    -------
    Optimum

    Raises
    ------
    ValueError, TypeError
        If an argument or a returned score is not what is said above.

    Examples
    --------
    >>> from cem.families import Bernoulli
    >>> found = maximize(lambda x: x.sum(axis=1), Bernoulli([0.5] * 20), rng=1)
    >>> found.fun, found.message
    (20.0, 'converged: every elite scored the same for 5 iterations')
    """
    chunk_size = chunk_size_of(problem, chunk_size)
    if bounds is not None:
        if family is not None:
            raise TypeError("pass bounds or a family, not both: bounds make a family of their own")
        problem = Reflected(problem, *_box(bounds))
        family = problem.nominal()
    family = nominal_of(problem, family)
    max_iterations = MAX_ITERATIONS if max_iterations is None else max_iterations
    if n_samples is None:
        n_samples = max(100, 5 * sum(a.size for a in family.parameters().values()))
    method = CrossEntropyMethod(
        nominal=family,
        n_samples=n_samples,
        select=select or Elite(rho),
        smooth=smooth or Constant(alpha),
        rng=rng,
    )
    rules = [
        *([stopping.target(target)] if target is not None else []),
        stopping.mostly_bad,
        stopping.stalled(),
        stopping.degenerate(),
        *until,
        *stopping.limits(max_evaluations, max_iterations, time_limit, n_samples),
    ]
    with session(
        problem,
        method,
        workers=workers,
        chunk_size=chunk_size,
        callback=callback,
        checkpoint=checkpoint,
        start=start,
    ) as ready:
        state, history, stop = run(
            ready.method,
            ready.evaluate,
            until=rules,
            start=ready.start,
            callbacks=ready.callbacks,
        )
    if state.best.x is None:
        raise ValueError(f"nothing was sampled: {stop.message} before the first iteration")
    inside = problem.inside if isinstance(problem, Reflected) else _as_it_is
    return Optimum(
        x=inside(state.best.x),
        fun=state.best.score,
        nit=len(history),
        nfev=state.nfev,
        success=stop.success,
        message=stop.message,
        family=state.v,
        history=history,
        state=state,
        seed=name_of(ready.method.root),
    )


def minimize(problem: Problem, family: Family | None = None, **options: Any) -> Optimum:
    """Find ``argmin f(x)`` by the cross-entropy method: `maximize` with the sign turned once.

    The arguments, the result and the errors are those of `maximize`. The records of the history
    and what a callback sees hold ``-f``, for inside, higher is always better.

    Examples
    --------
    >>> found = minimize(lambda x: ((x - 3) ** 2).sum(axis=1), bounds=[(-5, 5)] * 2, rng=1)
    >>> found.x.round(6)
    array([3., 3.])
    """
    options["chunk_size"] = chunk_size_of(problem, options.get("chunk_size"))
    if options.get("target") is not None:
        options["target"] = -real_number("target", options["target"])
    if options.get("bounds") is None:
        family = nominal_of(problem, family)
    found = maximize(Negated(problem), family, **options)
    return replace(found, fun=-found.fun)


minimize.__signature__ = inspect.signature(maximize)  # type: ignore[attr-defined] # for help()


@dataclass(frozen=True)
class Negated:
    """``-f``: what is minimised, seen from inside."""

    problem: Problem

    def __call__(self, x: Batch) -> Vector:
        """The scores with their sign turned."""
        score = np.asarray(self.problem(x))
        return -score.astype(float) if score.dtype.kind in "biuf" else score  # refused as it is


@dataclass(frozen=True, eq=False)
class Reflected:
    """A problem on a box, for samples from all of ``R^d``: what falls outside is mirrored in."""

    problem: Problem
    low: Array
    high: Array

    def __call__(self, x: Batch) -> Vector:
        """The scores of the mirrored samples."""
        return self.problem(self.inside(x))

    def inside(self, x: Batch) -> Batch:
        """``x`` mirrored at the faces of the box as often as it takes."""
        width = self.high - self.low
        inside = self.low + width - np.abs((x - self.low) % (2 * width) - width)
        return np.clip(inside, self.low, self.high)  # rounding must not leave the box

    def nominal(self) -> Normal:
        """A normal density at the middle of the box, its standard deviation half the width."""
        return Normal((self.low + self.high) / 2, (self.high - self.low) / 2)


def _box(bounds: Any) -> tuple[Array, Array]:
    pairs = np.stack([bounds.lb, bounds.ub], axis=-1) if hasattr(bounds, "lb") else bounds
    try:
        a = np.asarray(pairs, dtype=float)
    except (TypeError, ValueError) as error:
        raise TypeError(f"bounds must be pairs of numbers (low, high); got {bounds!r}") from error
    if a.ndim != 2 or a.shape[1] != 2 or len(a) == 0:
        raise ValueError(
            f"bounds must be one pair (low, high) per coordinate; got an array of shape {a.shape}"
        )
    with np.errstate(invalid="ignore", over="ignore"):
        width = a[:, 1] - a[:, 0]
    bad = ~(np.isfinite(width) & (width > 0))
    if bad.any():
        at = int(bad.argmax())
        raise ValueError(
            f"bounds must be finite with low < high; got {tuple(a[at].tolist())} for coordinate "
            f"{at}: for an unbounded variable pass a family, such as cem.Normal(mean, std)"
        )
    return a[:, 0], a[:, 1]


def _as_it_is(x: Batch) -> Batch:
    return x
