"""One estimate from its plan: steer the density, freeze it, sample it, and count."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from cem import arrival, stopping
from cem.diagnostics import disagreement, weight_warnings
from cem.intermediate import watchers
from cem.measured import CRUDE, levels_of
from cem.measurement import Event, Mean, Measurement
from cem.methods import Case, Plan
from cem.randomness import name_of
from cem.run import run
from cem.scores import positive_number, whole_number
from cem.session import session
from cem.state import History, State
from cem.stopping import Stop
from cem.tally import Tally
from cem.typing import Callback, StopRule

FEW = 10.0  # effective samples below which no estimate is called a success


def study(
    case: Case,
    plan: Plan,
    of: Event | Mean,
    *,
    n_final: int | None = None,
    rtol: float | None = None,
    workers: Any = 1,
    evaluation_timeout: float | None = None,
    chunk_size: int,
    callback: Callback | Iterable[Callback] | None = None,
    max_evaluations: int | None = None,
    max_iterations: int | None = None,
    time_limit: float | None = None,
    until: Iterable[StopRule] = (),
    checkpoint: Any = None,
    start: tuple[State, History] | None = None,
) -> dict[str, Any]:
    """Steer as planned, then measure; the fields of the result, whatever it is of."""
    n = plan.n_samples
    n_most, rtol = _size(plan, n_final, rtol)
    reserve = n_most if rtol is None else n
    most = plan.most_iterations if max_iterations is None else max_iterations
    stopping.check_room(max_evaluations, n, reserve)
    clock = stopping.limits(None, time_limit)
    limits = [*stopping.limits(most, None), *clock, *stopping.room(max_evaluations, n, reserve)]
    rules = [*plan.ends, *until, *limits]
    with session(
        plan.problem,
        plan.steering,
        workers=workers,
        evaluation_timeout=evaluation_timeout,
        chunk_size=chunk_size,
        callback=watchers(callback),
        checkpoint=checkpoint,
        start=start,
        n_final=0 if n_final is None else int(n_final),
        rtol=0.0 if rtol is None else float(rtol),
    ) as ready:
        measuring = Measurement(
            nominal=plan.nominal,
            n_block=n if rtol is not None else plan.n_block or n,
            n_most=n_most,
            of=of,
            root=ready.method.root,
        )
        state, history = ready.start
        if "tally" in state.memory:  # resumed while measuring: why the steering ended is history
            levels = levels_of(history, Tally.from_array(state.memory["tally"]))
            reasons = (rule(levels) for rule in rules)
            steered = next(filter(None, reasons), Stop("the steering was cut short", success=False))
        else:
            state, levels, steered = run(
                ready.method,
                ready.evaluate,
                until=rules,
                start=ready.start,
                callbacks=ready.callbacks,
            )
            aimed = _reached(levels, of.gamma) and (plan.aim is None or plan.aim(levels))
            state, history = measuring.begin(state, state.v if aimed else None), levels
        since = levels[-1].nfev if levels else 0
        enough = []
        if rtol is not None:
            last = n_most if max_evaluations is None else min(n_most, max_evaluations - since - n)
            first = plan.foreseen(levels, rtol) if plan.foreseen else None
            enough.append(arrival.precise(rtol, since, first, last=last))
        state, history, measured = run(
            measuring,
            ready.evaluate,
            until=[
                stopping.mostly_bad,
                *enough,
                arrival.sampled(n_most, since, rtol),
                arrival.unaffordable(max_evaluations, n, since + n_most),
                *clock,
            ],
            start=(state, history),
            callbacks=ready.callbacks,
        )
    reached = _reached(levels, of.gamma) or plan.steers_nowhere
    tally = Tally.from_array(state.memory["tally"])
    few = f"; only {tally.ess:.3g} effective samples reached the level" if tally.ess < FEW else ""
    return {
        "std_error": tally.std_error,
        "relative_error": tally.relative_error,
        "ess": tally.ess,
        "max_weight": tally.max_weight,
        "warnings": tuple(_warnings(history, levels, tally, of.gamma, reached=reached)),
        "method": plan.why,
        "tally": tally,
        "measurement": measuring,
        "nominal": case.nominal,
        "outward": getattr(plan.problem, "outward", None),
        "nit": len(levels),
        "nfev": state.nfev,
        "success": reached and measured.success and not few,
        "message": f"{steered.message}; {measured.message}{few}",
        "family": state.v,
        "history": history,
        "state": state,
        "seed": name_of(ready.method.root),
    }


def _warnings(
    history: History, levels: History, tally: Tally, gamma: float, *, reached: bool
) -> list[str]:
    warnings = [] if reached else [CRUDE]
    if n_bad := sum(record.n_bad for record in history[len(levels) :]):
        warnings.append(
            f"{n_bad} of the {int(tally.n)} final scores were NaN or infinite, and were taken not "
            "to reach the level"
        )
    return [*warnings, *weight_warnings(tally), *disagreement(levels, tally, gamma)]


def _reached(levels: History, gamma: float) -> bool:
    """Whether the density was fitted at the level, and is still one."""
    return bool(levels) and levels[-1].gamma >= gamma and levels[-1].entropy > -math.inf


def _size(plan: Plan, n_final: int | None, rtol: float | None) -> tuple[int, float | None]:
    """The most samples at the final density, and the relative error that ends it before."""
    if n_final is not None:
        if rtol is not None:
            raise TypeError("pass n_final or rtol, not both: each says when the final sample ends")
        return whole_number("n_final", n_final), None
    if rtol is not None:
        return 1000 * plan.n_samples, positive_number("rtol", rtol)
    if plan.n_final is not None:
        return plan.n_final, None
    return plan.most_blocks * plan.n_samples, plan.rtol
