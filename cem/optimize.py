"""maximize and minimize: the loop with the level at infinity and unit weights."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from cem import stopping
from cem.answer import Noise, noise_of
from cem.arguments import answered
from cem.borders import Boxed, Negated, Unbounded, box
from cem.constraints import constraints_of
from cem.engine import CrossEntropyMethod
from cem.intermediate import Intermediate, turned, within
from cem.noise import is_noisy, numbered
from cem.pointwise import points_too
from cem.presets import Plan, Preset, preset_of
from cem.randomness import name_of
from cem.refining import search_of
from cem.restarts import IPOP, AtMost, never, search
from cem.results import Optimum
from cem.run import checked
from cem.sampling import sampling_of
from cem.scores import real_number, whole_number
from cem.selection import Elite
from cem.session import chunk_size_of, nominal_of, session
from cem.sizes import size_of
from cem.smoothing import Constant
from cem.state import History, State
from cem.treatments import Rank
from cem.typing import (
    Callback,
    Family,
    NoisyProblem,
    Problem,
    Refine,
    Restart,
    SampleSize,
    Selection,
    Smoothing,
    StopRule,
)


@answered()
@points_too
def maximize(
    problem: Problem | NoisyProblem,
    family: Family | None = None,
    *,
    bounds: Any = None,
    vectorized: bool | None = None,
    preset: str | Preset | None = None,
    method: str | None = None,
    refine: str | Refine | None = None,
    n_samples: int | SampleSize | None = None,
    rho: float | None = None,
    alpha: float | Mapping[str, float] | None = None,
    select: Selection | None = None,
    smooth: Smoothing | None = None,
    restarts: int | None = None,
    rng: Any = None,
    workers: Any = 1,
    evaluation_timeout: float | None = None,
    sampling: str = "here",
    chunk_size: int | None = None,
    callback: Callback | Iterable[Callback] | None = None,
    max_evaluations: int | None = None,
    max_iterations: int | None = None,
    time_limit: float | None = None,
    target: float | None = None,
    until: Iterable[StopRule] = (),
    checkpoint: Any = None,
    start: tuple[State, History] | None = None,
    noise: Noise | None = None,
    constraints: Any = None,
    infeasible: Rank | None = None,
) -> Optimum:
    """Find ``argmax S(x)`` by the cross-entropy method.

    Parameters
    ----------
    problem : callable
        ``S``: takes a batch of ``n`` samples, for most families an array of shape ``(n, d)``, and
        returns ``n`` scores. A function of one point will do with ``bounds``; else wrap it with
        `cem.each`. Scores that are NaN or infinite are counted, never elite and never best. One
        with a method ``bind(rng)`` is noisy: see `cem.typing.NoisyProblem`.
    family : Family, optional
        Where to start: the density ``f(.; v_0)``. Not needed if the problem has a method
        ``nominal()``, or with ``bounds``.
    bounds : sequence of (low, high), optional
        One pair per coordinate, or a `scipy.optimize.Bounds`. The search starts from a normal
        density that covers the box; the result lies inside or on its border.
    vectorized : bool, optional
        Whether the problem takes a batch, or (False) one point. With bounds that is found out if it
        is not said, by the first batch: see `cem.pointwise.points_too`.
    preset : str or Preset, optional
        A plan for all that is not given, by its name in `cem.presets.PRESETS`: ``"default"``,
        ``"noisy"`` (used if the problem is), ``"textbook"`` (used if a selection or smoothing is
        given), ``"face"`` or ``"icem"``.
    method : str, optional
        ``"ce"``; or with a local search on every sample ``"ce+refine"`` (the default if ``refine``
        is given) and what it is to be compared with: ``"multistart"``, the same from samples of
        the first density, and ``"ils"``, the same from where it ended. See `cem.refining`.
    refine : callable or str, optional
        The local search: ``refine(x, rng)`` returns samples of the same shape, each at least as
        good; or the name of one that the problem brings by its method ``refines()``, the first of
        which is the default.
    n_samples : int or rule, optional
        ``N``, samples per iteration, or a rule such as `cem.Decaying`.
    rho : float, optional
        Share of the samples that is elite, in (0, 1): short for ``select=Elite(rho)``.
    alpha : float or mapping, optional
        Weight of the new fit in the smoothing ``alpha v_hat + (1 - alpha) v``, in (0, 1]; or one
        for every parameter of the family, such as ``{"mean": 1.0, "cov": 0.3}``. Short for
        ``smooth=Constant(alpha)``.
    select, smooth : optional
        A selection and a smoothing: see `cem.selection` and `cem.smoothing`.
    restarts : int, optional
        How often at most the search begins anew once it has converged. Default: as the preset has
        it, until a limit is reached; with a target only, nine times; without either, as few times
        as the preset says, mostly never.
    rng : int, SeedSequence, Generator or None
        Root of all randomness (SPEC 7). The same root gives the same bits for any ``workers``.
    workers : int, executor, client of Dask, or object with ``.map``
        1 scores here; ``n`` uses that many processes, -1 as many as there are cores. A process that
        dies is replaced, and its chunk scored again; after three in vain the error names the chunk.
    evaluation_timeout : float, optional
        Seconds that one call of the problem may take; a process that takes longer is ended, and the
        error names its chunk. Even with one worker that is then a process of its own.
    sampling : str, optional
        ``"here"``, or ``"workers"``: every chunk is drawn where it is scored, parameters go out and
        scores come back, and a batch is never in one place. For batches that are large; see the
        page on clusters. It draws other samples than ``"here"``, the same for any ``workers``.
    chunk_size : int, optional
        Samples per call of the problem (default 512; 8 for `cem.each`; 2048 if the workers draw).
    callback : callable, optional
        Called with ``(state, record)`` after every iteration; several in a list. One whose only
        parameter is named ``intermediate_result`` gets what SciPy's solvers show, and ends the run
        by returning True or raising StopIteration: see `cem.intermediate.Intermediate`.
    max_evaluations, max_iterations, time_limit, target : optional
        Limits in samples, iterations and seconds, and a score that is good enough.
        Without a limit a search has as many iterations as the preset allows.
    until : iterable of stop rules
        Further rules, see `cem.stopping`.
    checkpoint : path, optional
        Save the run there after every iteration, and resume from there if the file exists.
    start : (State, History), optional
        Go on from where another run with the same settings is.
    noise : Noise, optional
        What to do about a noisy problem. Default: what its method ``noise()`` says, if it has one.
    constraints : optional
        A `scipy.optimize.LinearConstraint`, `~scipy.optimize.NonlinearConstraint` or
        `~scipy.optimize.Bounds`, a function of a batch that returns violations (0 where there is
        none) or booleans, or several of these: see `cem.feasibility.Feasibility`. Default: the
        attribute ``constraints`` of the problem, if it has one.
    infeasible : optional
        What becomes of samples that violate them: `cem.treatments.Rank` (the default),
        `~cem.treatments.Penalise`, `~cem.treatments.Resample` or `~cem.treatments.Repair`.

    Returns
    -------
    Optimum
        A `NoisyOptimum` if the problem is noisy.

    Raises
    ------
    ValueError, TypeError
        If an argument or a returned score is not what is said above.

    Examples
    --------
    >>> from cem.families import Bernoulli
    >>> found = maximize(lambda x: x.sum(axis=1), Bernoulli([0.5] * 20), rng=1)
    >>> found.fun, found.message
    (20.0, 'converged: every elite scored the same for 5 iterations; 1 of 1 searches before the last
    had converged')
    """
    about_sampling = sampling_of(sampling)
    del vectorized  # `points_too` has seen to it
    chunk_size = chunk_size_of(problem, chunk_size, about_sampling.chunk_size)
    about_search = search_of(problem, method, refine)
    about_constraints = constraints_of(problem, constraints, infeasible)
    problem = about_constraints.guarded(numbered(problem))
    about_noise = noise_of(problem, noise, target)
    own = {
        "select": _either("select", select, "rho", rho, Elite),
        "smooth": _either("smooth", smooth, "alpha", alpha, Constant),
        "n_samples": n_samples,
    }
    own = {name: part for name, part in own.items() if part is not None}
    about_search.check(own)
    about_sampling.check(
        bounds=bounds is not None,
        refine=about_search.identity != "ce",
        constraints=repr(about_constraints) != "none",
        noise=is_noisy(problem),
    )
    usual = "default" if own.keys() <= {"n_samples"} else "textbook"
    usual = "noisy" if is_noisy(problem) else usual
    chosen = preset_of(preset or about_search.preset or about_sampling.preset or usual)
    about_bounds = Unbounded()
    if bounds is not None:
        if family is not None:
            raise TypeError("pass bounds or a family, not both: bounds make a family of their own")
        problem = about_bounds = Boxed(problem, *box(bounds), chosen.start)
    family = nominal_of(problem, family)
    plan = replace(chosen.plan(family), **own)
    about_search.warm(problem, family)
    problem = about_sampling.scored(problem)
    ce = CrossEntropyMethod(
        nominal=family,
        n_samples=plan.n_samples,
        select=plan.select,
        smooth=about_noise.remembering(plan.smooth),
        rng=rng,
    )
    inside = about_bounds.inside
    callbacks = within(callback, inside)
    n, reserve = size_of(plan.n_samples, 0), partial(about_noise.reserve, problem)
    stopping.check_room(max_evaluations, n, reserve(n))
    rules = [
        *([stopping.target(target)] if target is not None else []),
        stopping.failing(),
        stopping.unbounded(),
        *about_noise.limits(),
        *(c.rule for c in callbacks if isinstance(c, Intermediate)),
        *checked(until),
        *stopping.limits(max_iterations, time_limit),
    ]
    limited = (max_evaluations, max_iterations, time_limit) != (None, None, None)
    restart = _restarting(plan, restarts, limited=limited, wanted=target is not None)
    restart = about_constraints.anew(restart)
    with session(
        problem,
        ce,
        workers=workers,
        evaluation_timeout=evaluation_timeout,
        chunk_size=chunk_size,
        callback=callbacks,
        checkpoint=checkpoint,
        start=start,
        restart=repr(plan.restart),
        restarts=restarts,
        noise=repr(about_noise),
        constraints=repr(about_constraints),
        search=about_search.identity,
        **about_sampling.settings,
    ) as ready:
        evaluate = about_noise.scoring(ready.evaluate)

        def wrapped(this: Any) -> Any:
            this = about_sampling.around(this, ready.evaluate)
            this = about_search.around(this)
            this = about_noise.counting(this, evaluate)
            this = about_bounds.around(this)
            return about_constraints.around(this, inside)

        state, history, stop = search(
            ready.method,
            evaluate,
            wrap=wrapped,
            restart=restart,
            ends=plan.ends if limited else (*plan.ends, stopping.iterations(plan.most_iterations)),
            limits=lambda n: [*rules, *stopping.room(max_evaluations, n, reserve(n))],
            start=ready.start,
            callbacks=ready.callbacks,
        )
        if not history:
            raise ValueError(f"nothing was sampled: {stop.message} before the first iteration")
        stop = about_constraints.judged(stop, state)
        found = Optimum(
            x=None if state.best.x is None else inside(state.best.x),
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
        return found if found.x is None else about_noise.judged(found, ready.evaluate, inside)


def _either(name: str, part: Any, short: str, value: Any, made_by: Callable[[Any], Any]) -> Any:
    """A part, given as it is or by its one number."""
    if part is not None and not callable(part):
        raise TypeError(f"{name} must be a function, such as {made_by(0.5)!r}; got {part!r}")
    if value is None:
        return part
    if part is not None:
        raise TypeError(f"pass {name} or {short}, not both: {short} makes a {name} of its own")
    return made_by(value)


def _restarting(plan: Plan, most: int | None, *, limited: bool, wanted: bool) -> Restart:
    """How to begin anew: as planned while there is a limit, else a few times."""
    if most is not None:
        other = IPOP() if plan.restart is never else plan.restart
        return AtMost(other, whole_number("restarts", most, 0))
    return plan.restart if limited else AtMost(plan.restart, 9 if wanted else plan.restarts)


@answered(maximize)
@points_too
def minimize(
    problem: Problem | NoisyProblem, family: Family | None = None, **options: Any
) -> Optimum:
    """Find ``argmin f(x)`` by the cross-entropy method: `maximize` with the sign turned once.

    The arguments, the result and the errors are those of `maximize`. The records of the history
    hold ``-f``, also those that a callback gets, for inside, higher is always better.

    Examples
    --------
    >>> found = minimize(lambda x: ((x - 3) ** 2).sum(axis=1), bounds=[(-5, 5)] * 2, rng=1)
    >>> found.x.round(6)
    array([3., 3.])
    """
    usual = sampling_of(options.get("sampling", "here")).chunk_size
    options["callback"] = turned(options.get("callback"))
    options["chunk_size"] = chunk_size_of(problem, options.get("chunk_size"), usual)
    if options.get("target") is not None:
        options["target"] = -real_number("target", options["target"])
    if options.get("bounds") is None:
        family = nominal_of(problem, family)
    if options.get("constraints") is None:
        options["constraints"] = getattr(problem, "constraints", None)
    found = maximize(Negated(numbered(problem)), family, **options)
    return replace(found, fun=-found.fun)


minimize.__signature__ = inspect.signature(maximize)  # type: ignore[attr-defined] # for help()
