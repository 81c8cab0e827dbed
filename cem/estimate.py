"""estimate and expectation: steer to where it matters, then sample independently, and count."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cem.arguments import answered
from cem.measured import Estimate, Expectation
from cem.measurement import Event, Mean
from cem.methods import Case, Plan, method_of, tempered
from cem.scores import NOTHING, checked_scores, real_number
from cem.session import check_problem, chunk_size_of, nominal_of
from cem.state import History, State
from cem.study import study
from cem.typing import Batch, Callback, Family, Problem, Selection, Smoothing, StopRule, Vector
from cem.wrapping import Around


@answered()
def estimate(
    problem: Problem,
    nominal: Family | None = None,
    gamma: float | None = None,
    *,
    method: str | Callable[[Case], Plan] = "auto",
    n_samples: int | None = None,
    rho: float | None = None,
    alpha: float | None = None,
    n_final: int | None = None,
    rtol: float | None = None,
    select: Selection | None = None,
    smooth: Smoothing | None = None,
    rng: Any = None,
    workers: Any = 1,
    evaluation_timeout: float | None = None,
    chunk_size: int | None = None,
    callback: Callback | Iterable[Callback] | None = None,
    max_evaluations: int | None = None,
    max_iterations: int | None = None,
    time_limit: float | None = None,
    until: Iterable[StopRule] = (),
    checkpoint: Any = None,
    start: tuple[State, History] | None = None,
) -> Estimate:
    """Estimate ``ell = P(S(X) >= gamma)`` for ``X`` from ``f(.; u)`` by the cross-entropy method.

    First the sampling density is steered to the event; then an independent sample from the frozen
    density gives the estimate. How it is steered depends on ``f(.; u)``, and the result says it:

    - Continuous variables, those of a `problems.rare_event.LimitState` say, are made standard
      normal and explored near and far in all directions. All batches, of 400 samples (four per
      coordinate if that is more), stay in use for every fit of a mixture of normal densities.
    - Whole numbers, bits and choices stay in their own family, in batches of 1000 (ten per
      parameter), which also stay in use.
    - Any other family steers itself by levels ``gamma_1 <= gamma_2 <= ...`` of 1000 samples; at the
      level itself the fits are repeated and averaged until they rest on 100 effective samples (20
      times at most). The final sample is of 10 000.

    In the first two cases the final sample is as large as a relative error of 5 % takes, and it and
    the steering are of at most 20 batches each.

    If the level is not reached, the final sample is drawn from the nominal density instead (crude
    Monte Carlo): its interval is honest, if wide, and the result is no success.

    Parameters
    ----------
    problem : callable
        ``S``: takes a batch of ``n`` samples and returns ``n`` scores. A NaN or infinite score is
        counted and taken not to reach the level.
    nominal : Family, optional
        ``f(.; u)``. Not needed if the problem has a method ``nominal()``.
    gamma : float, optional
        The level. Not needed if the problem has an attribute ``gamma``.
    method : str or callable
        How to steer, by its name in `cem.methods.METHODS`: ``"auto"`` as above; for any family
        ``"multilevel"``, ``"improved"``, ``"pooled"``, ``"markov-chains"`` or ``"crude"``; for
        continuous variables ``"mixture"``, ``"gaussian"``, ``"aligned"`` or ``"directions"``.
    n_samples : int, optional
        ``N``, samples per iteration. Default: as the method has it.
    rho, alpha, select, smooth : optional
        As for `cem.maximize`, in the steering part; with any of them it is by levels.
    n_final : int, optional
        Size of the independent sample. Default: as the method has it.
    rtol : float, optional
        Instead of ``n_final``: sample in blocks of ``n_samples`` until the relative error is
        ``rtol`` or less and 30 effective samples are behind it, or until the budget ends (1000
        blocks, if no other is given).
    rng, workers, evaluation_timeout, chunk_size, callback, checkpoint, start, until
        As for `cem.maximize`.
    max_evaluations, max_iterations, time_limit : optional
        Limits in samples (the final ones included), steering iterations, seconds.

    Returns
    -------
    Estimate

    Raises
    ------
    ValueError, TypeError
        If an argument or a returned score is not what is said above.

    Examples
    --------
    >>> from cem.families import Exponential
    >>> found = estimate(lambda x: x.sum(axis=1), Exponential([1.0]), gamma=20.0, rng=1)
    >>> found.success, abs(found.probability / math.exp(-20.0) - 1) < 4 * found.relative_error
    (True, True)
    """
    check_problem(problem)
    nominal, gamma = nominal_of(problem, nominal), _level_of(problem, gamma)
    case = Case(
        problem=problem,
        nominal=nominal,
        gamma=gamma,
        rng=rng,
        n_samples=n_samples,
        rho=rho,
        alpha=alpha,
        select=select,
        smooth=smooth,
    )
    found = study(
        case,
        method_of(method)(case),
        Event(gamma),
        n_final=n_final,
        rtol=rtol,
        workers=workers,
        evaluation_timeout=evaluation_timeout,
        chunk_size=chunk_size_of(problem, chunk_size),
        callback=callback,
        max_evaluations=max_evaluations,
        max_iterations=max_iterations,
        time_limit=time_limit,
        until=until,
        checkpoint=checkpoint,
        start=start,
    )
    return Estimate(probability=found["tally"].probability, **found)


@answered(estimate)
def expectation(
    problem: Problem,
    nominal: Family | None = None,
    *,
    n_samples: int | None = None,
    rho: float | None = None,
    alpha: float | None = None,
    rng: Any = None,
    chunk_size: int | None = None,
    **options: Any,
) -> Expectation:
    """Estimate ``E[H(X)]``, ``H >= 0``, for ``X`` from ``f(.; u)`` by the cross-entropy method.

    As in `estimate`, with the same options but ``gamma``, ``method``, ``select`` and ``smooth``,
    for there are no levels: the sampling density is fitted to samples with the weights
    ``H^beta W``, where the power ``beta`` is the largest that leaves ``rho N`` effective samples,
    until it is one. So ``H`` may vary over many orders of magnitude. Where ``H`` is the probability
    of an event given ``X``, in closed form, this is conditional Monte Carlo.

    Parameters
    ----------
    problem : callable
        ``H``: takes a batch of ``n`` samples and returns ``n`` finite numbers, zero or above.
    nominal : Family, optional
        ``f(.; u)``. Not needed if the problem has a method ``nominal()``.
    n_samples, rho, alpha, rng, chunk_size, **options
        As for `estimate`: ``n_final``, ``rtol``, ``workers``, ``checkpoint`` and so on.

    Returns
    -------
    Expectation

    Examples
    --------
    >>> from cem.families import Exponential
    >>> found = expectation(lambda x: x[:, 0] ** 4, Exponential([1.0]), rtol=0.01, rng=1)
    >>> abs(found.mean - 24) < 4 * found.std_error
    True
    """
    check_problem(problem)
    if unused := {"gamma", "method", "select", "smooth"} & options.keys():
        raise TypeError(
            f"expectation has no use for {', '.join(sorted(unused))}: powers of H steer it, no "
            "levels; leave it out, or use cem.estimate for the probability of an event"
        )
    case = Case(
        problem=Logarithm(problem),
        nominal=nominal_of(problem, nominal),
        gamma=Mean.gamma,
        rng=rng,
        n_samples=n_samples,
        rho=rho,
        alpha=alpha,
    )
    chunk_size = chunk_size_of(problem, chunk_size)
    found = study(case, tempered(case), Mean(), chunk_size=chunk_size, **options)
    return Expectation(mean=found["tally"].probability, **found)


@dataclass(frozen=True, eq=False)
class Logarithm(Around):
    """The problem whose scores are the logarithms of another's, which are zero or above."""

    problem: Any

    def __call__(self, x: Batch) -> Vector:
        """``ln H(x_i)``, shape ``(n,)``; a very low number for zero."""
        h = checked_scores(self.problem(x), len(x))
        if (h < 0).any():
            at = int((h < 0).argmax())
            raise ValueError(
                f"expectation needs H of zero or above; got {h[at]:g} (take the positive and the "
                "negative part one by one)"
            )
        with np.errstate(divide="ignore"):
            return np.where(h == 0, NOTHING, np.log(h))


def _level_of(problem: Any, gamma: float | None) -> float:
    level = getattr(problem, "gamma", None) if gamma is None else gamma
    if level is None:
        raise TypeError(
            "a level gamma is needed: estimate gives P(S(X) >= gamma); pass gamma=, or give the "
            "problem an attribute gamma"
        )
    number = real_number("gamma", level)
    if not math.isfinite(number):
        raise ValueError(f"gamma must be finite; got {level!r}")
    return number
