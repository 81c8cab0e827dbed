"""estimate: the loop with a finite level and likelihood ratios, then an independent sample."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.random import SeedSequence

from cem import arrival, stopping
from cem.diagnostics import weight_warnings
from cem.engine import CrossEntropyMethod
from cem.randomness import Purpose, name_of, stream
from cem.results import Result
from cem.run import run
from cem.scores import checked_scores, finite_or_worst, positive_number, real_number, whole_number
from cem.selection import Elite
from cem.session import chunk_size_of, nominal_of, session
from cem.smoothing import Settling
from cem.state import History, Record, State
from cem.stopping import Stop
from cem.tally import ConfidenceInterval, Tally
from cem.typing import Batch, Callback, Family, Problem, Selection, Smoothing, StopRule, Vector
from cem.weights import likelihood_ratio

MAX_ITERATIONS = 100
MOST_BLOCKS = 1000  # of an open-ended final sample
FEW = 10.0  # effective samples below which no estimate is called a success
CRUDE = "the level was not reached: the figure is crude Monte Carlo's, from the nominal density"


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Estimate(Result):
    """An estimate of ``ell = P(S(X) >= gamma)``; the rest is in `cem.results.Result`.

    Attributes
    ----------
    probability : float
        The estimate: the mean of ``I{S >= gamma} W`` over an independent sample.
    std_error, relative_error : float
        Its standard error, and that over the estimate; ``inf`` if nothing reached the level.
    ess, max_weight : float
        Effective number of samples behind the estimate, and the largest share of a single one.
    warnings : tuple of str
        What may be wrong with it.
    tally : Tally
        The sums that all of this is computed from.
    """

    probability: float
    std_error: float
    relative_error: float
    ess: float
    max_weight: float
    warnings: tuple[str, ...]
    tally: Tally = field(repr=False)

    @property
    def levels(self) -> History:
        """The steering part of the history; the rest is the final sample, block by block."""
        return _levels(self.state, self.history)

    def confidence_interval(self, level: float = 0.95) -> ConfidenceInterval:
        """A two-sided interval that covers ``ell`` with probability ``level``.

        Likelihood ratios are skewed to the right, so an estimate that is too low reports too small
        an error. The interval takes the sample's skewness out of the t statistic by a monotone
        cubic before it is inverted, and counts effective samples as degrees of freedom. After
        crude Monte Carlo it is Clopper and Pearson's exact one.
        """
        return self.tally.interval(level)


@dataclass(frozen=True, kw_only=True, eq=False)
class Measurement:
    """The last part of an estimate as a method: sample the frozen density, and only count."""

    nominal: Any  # f(.; u), a Family
    n_block: int  # samples per iteration
    n_most: int  # samples in all
    gamma: float
    root: SeedSequence

    def init(self) -> State:
        """Measuring starts at the nominal density unless it is told otherwise."""
        return self.begin(State(self.nominal))

    def begin(self, state: State, v: Any = None) -> State:
        """A state that measures at ``v``; by default at the nominal one: crude Monte Carlo."""
        tally = Tally(plain=float(v is None))
        return replace(state, v=v or self.nominal, memory={"tally": tally.as_array()})

    def ask(self, state: State) -> Batch:
        """The next block of the independent sample."""
        done = int(Tally.from_array(state.memory["tally"]).n)
        n = min(self.n_block, self.n_most - done)
        return state.v.sample(stream(self.root, Purpose.FINAL, state.t), n)

    def tell(self, state: State, x: Batch, score: Vector) -> tuple[State, Record]:
        """Add the block to the tally; the record's numbers are those of all blocks so far."""
        score, n_bad = finite_or_worst(checked_scores(score, len(x)), state.t + 1)
        hit = score >= self.gamma
        tally = Tally.from_array(state.memory["tally"])
        log_w = likelihood_ratio(self.nominal, state.v, x[hit])
        tally = tally.add(log_w[log_w > -np.inf], len(x))
        best = state.best.or_better(x, score)
        memory = {"tally": tally.as_array()}
        new = replace(state, t=state.t + 1, nfev=state.nfev + len(x), best=best, memory=memory)
        return new, Record(
            t=new.t,
            restart=new.restart,
            nfev=new.nfev,
            n=len(x),
            n_bad=n_bad,
            gamma=self.gamma,
            top=float(score.max()),
            best=best.score,
            n_elite=int(tally.hits),
            log_mass=tally.log_probability,
            ess=tally.ess,
            max_weight=tally.max_weight,
            loss=math.nan,
            entropy=math.nan,
            kl=0.0,
            spread=float(state.v.spread().max()),
        )


def estimate(
    problem: Problem,
    nominal: Family | None = None,
    gamma: float | None = None,
    *,
    n_samples: int = 1000,
    rho: float = 0.1,
    alpha: float = 0.9,
    n_final: int | None = None,
    rtol: float | None = None,
    select: Selection | None = None,
    smooth: Smoothing | None = None,
    rng: Any = None,
    workers: Any = 1,
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

    First levels ``gamma_1 <= gamma_2 <= ...`` steer the sampling density to the event; at the
    level itself the fits are repeated and averaged until they rest on 100 effective samples (20
    times at most). Then an independent sample from the frozen density gives the estimate. If the
    level is not reached, that sample is drawn from the nominal density instead (crude Monte
    Carlo): its interval is honest, if wide, and the result is no success.

    Parameters
    ----------
    problem : callable
        ``S``: takes a batch of ``n`` samples and returns ``n`` scores. A NaN or infinite score is
        counted and taken not to reach the level.
    nominal : Family, optional
        ``f(.; u)``. Not needed if the problem has a method ``nominal()``.
    gamma : float, optional
        The level. Not needed if the problem has an attribute ``gamma``.
    n_samples, rho, alpha, select, smooth
        As for `cem.maximize`, in the steering part.
    n_final : int, optional
        Size of the independent sample. Default: ten times ``n_samples``.
    rtol : float, optional
        Instead of ``n_final``: sample in blocks of ``n_samples`` until the relative error is
        ``rtol`` or less, at least 30 effective samples are behind it, or the budget ends (a
        million samples for the default ``n_samples``, if no other is given).
    rng, workers, chunk_size, callback, checkpoint, start, until
        As for `cem.maximize`.
    max_evaluations, max_iterations, time_limit : optional
        Limits in samples (the final ones included), steering iterations (default 100), seconds.

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
    nominal, gamma = nominal_of(problem, nominal), _level_of(problem, gamma)
    whole_number("n_samples", n_samples)
    n_most = _most(n_samples, n_final, rtol)
    reserve = n_most if rtol is None else n_samples
    most = MAX_ITERATIONS if max_iterations is None else max_iterations
    stopping.check_room(max_evaluations, n_samples, reserve)
    limits = [
        *stopping.limits(most, time_limit),
        *stopping.room(max_evaluations, n_samples, reserve),
    ]
    steering = CrossEntropyMethod(
        nominal=nominal,
        n_samples=n_samples,
        select=select or Elite(rho),
        smooth=smooth or Settling(gamma, alpha, nominal),
        gamma=gamma,
        log_weight=likelihood_ratio,
        rng=rng,
    )
    rules = [
        arrival.level_settled(gamma),
        stopping.mostly_bad,
        stopping.degenerate(),
        arrival.level_stuck(gamma),
        *until,
        *limits,
    ]
    with session(
        problem,
        steering,
        workers=workers,
        chunk_size=chunk_size_of(problem, chunk_size),
        callback=callback,
        checkpoint=checkpoint,
        start=start,
        n_final=0 if n_final is None else int(n_final),
        rtol=0.0 if rtol is None else float(rtol),
    ) as ready:
        measuring = Measurement(
            nominal=nominal,
            n_block=n_samples,
            n_most=n_most,
            gamma=gamma,
            root=ready.method.root,
        )
        state, history = ready.start
        if "tally" in state.memory:  # resumed while measuring: why the steering ended is history
            reasons = (rule(_levels(state, history)) for rule in rules)
            steered = next(filter(None, reasons), Stop("the steering was cut short", success=False))
        else:
            state, history, steered = run(
                ready.method,
                ready.evaluate,
                until=rules,
                start=ready.start,
                callbacks=ready.callbacks,
            )
            state = measuring.begin(state, state.v if _reached(history, gamma) else None)
        levels = _levels(state, history)
        since = levels[-1].nfev if levels else 0
        state, history, measured = run(
            measuring,
            ready.evaluate,
            until=[
                stopping.mostly_bad,
                *([arrival.precise(rtol, since)] if rtol is not None else []),
                arrival.sampled(n_most, since, success=rtol is None),
                *arrival.while_sampling(limits, max_evaluations, n_samples, since + n_most),
            ],
            start=(state, history),
            callbacks=ready.callbacks,
        )
    return _result(
        state,
        history,
        gamma=gamma,
        steered=steered.message,
        measured=measured,
        seed=name_of(ready.method.root),
    )


def _result(
    state: State, history: History, *, gamma: float, steered: str, measured: Stop, seed: str
) -> Estimate:
    tally = Tally.from_array(state.memory["tally"])
    levels = _levels(state, history)
    reached = _reached(levels, gamma)
    n_bad = sum(record.n_bad for record in history[len(levels) :])
    warnings = [] if reached else [CRUDE]
    if n_bad:
        warnings.append(
            f"{n_bad} of the {int(tally.n)} final scores were NaN or infinite, and were taken not "
            "to reach the level"
        )
    warnings += weight_warnings(tally)
    enough = tally.ess >= FEW
    few = "" if enough else f"; only {tally.ess:.3g} effective samples reached the level"
    return Estimate(
        probability=tally.probability,
        std_error=tally.std_error,
        relative_error=tally.relative_error,
        ess=tally.ess,
        max_weight=tally.max_weight,
        warnings=tuple(warnings),
        tally=tally,
        nit=len(levels),
        nfev=state.nfev,
        success=reached and measured.success and enough,
        message=f"{steered}; {measured.message}{few}",
        family=state.v,
        history=history,
        state=state,
        seed=seed,
    )


def _reached(levels: History, gamma: float) -> bool:
    """Whether the density was fitted at the level, and is still one."""
    return bool(levels) and levels[-1].gamma >= gamma and levels[-1].entropy > -math.inf


def _levels(state: State, history: History) -> History:
    """The steering part of a history: what came before the samples in the tally."""
    n_final = Tally.from_array(state.memory["tally"]).n
    return History(record for record in history if record.nfev <= state.nfev - n_final)


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


def _most(n_samples: int, n_final: int | None, rtol: float | None) -> int:
    if rtol is None:
        return 10 * n_samples if n_final is None else whole_number("n_final", n_final)
    if n_final is not None:
        raise TypeError("pass n_final or rtol, not both: each says when the final sample ends")
    positive_number("rtol", rtol)
    return MOST_BLOCKS * n_samples
