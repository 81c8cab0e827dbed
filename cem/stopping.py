"""Stop rules: functions of the history that give a reason, or None to go on."""

from __future__ import annotations

import time
from itertools import takewhile
from typing import NamedTuple

import numpy as np

from cem.scores import positive_number, real_number, whole_number
from cem.state import History, Record
from cem.typing import StopRule

EPS = float(np.finfo(float).eps)
FEW_FOR_RTOL = 30.0  # effective samples below which no relative error is trusted


class Stop(NamedTuple):
    """Why a run stopped: the sentence the user will read, and whether it is what was wanted."""

    message: str
    success: bool


def iterations(most: int) -> StopRule:
    """Stop after ``most`` iterations."""

    def rule(history: History) -> Stop | None:
        if len(history) < most:
            return None
        return Stop(f"the limit of {most} iterations was reached", success=False)

    return rule


def evaluations(most: int, *, reserve: int = 0, upcoming: int) -> StopRule:
    """Stop before the evaluations exceed ``most``, of which ``reserve`` are kept for later.

    ``upcoming`` is the size of the next batch.
    """

    def rule(history: History) -> Stop | None:
        used = history[-1].nfev if history else 0
        if used + upcoming + reserve <= most:
            return None
        kept = f" ({reserve} kept for the final sample)" if reserve else ""
        return Stop(f"the budget of {most} evaluations was spent{kept}", success=False)

    return rule


def time_limit(seconds: float) -> StopRule:
    """Stop once ``seconds`` of wall-clock time have passed since this call."""
    end = time.monotonic() + seconds

    def rule(history: History) -> Stop | None:  # noqa: ARG001 - the clock is not in the history
        if time.monotonic() < end:
            return None
        return Stop(f"the time limit of {seconds:g} s was reached", success=False)

    return rule


def target(score: float) -> StopRule:
    """Stop once the best score is ``score`` or better."""
    score = real_number("target", score)
    if np.isnan(score):
        raise ValueError("target must not be NaN; got nan")

    def rule(history: History) -> Stop | None:
        if not history or history[-1].best < score:
            return None
        return Stop("the target was reached", success=True)

    return rule


def stalled(d: int = 5, patience: int = 50) -> StopRule:
    """Stop once the elite have all scored alike for ``d`` iterations, or nothing rose for many.

    That the elite are alike matters: while the density is still symmetric between several optima,
    a level of whole numbers can stand still by chance long before anything has been found. So a
    level that merely stands still, and the best score with it, is given ``patience`` iterations.
    """

    def rule(history: History) -> Stop | None:
        recent = history[-d:]
        if len(recent) == d and all(r.top == r.gamma == recent[-1].gamma for r in recent):
            return Stop(f"converged: every elite scored the same for {d} iterations", success=True)
        long = history[-patience - 1 :]
        if len(long) <= patience or long[-1].best > long[0].best:
            return None
        if max(record.gamma for record in long[1:]) > long[0].gamma:
            return None
        return Stop(
            f"stalled: neither the level nor the best score rose for {patience} iterations",
            success=True,
        )

    return rule


def reliable(d: int = 5) -> StopRule:
    """Stop once the level has been the best score for ``d`` iterations: nothing is left to rise.

    With `cem.archive.Face`, whose answer Rubinstein and Kroese (2004) then call reliable.
    """

    def rule(history: History) -> Stop | None:
        recent = history[-d:]
        if len(recent) < d or any(r.gamma != r.best or r.best != recent[0].best for r in recent):
            return None
        return Stop(f"reliable: the level was the best score for {d} iterations", success=True)

    return rule


def unreliable(n_most: int) -> StopRule:
    """Stop once neither the level nor the best score rose although ``n_most`` samples were pooled.

    With `cem.archive.Face` of the same ``n_most``, which leaves the density as it is until then.
    """

    def rule(history: History) -> Stop | None:
        pooled = sum(record.n for record in takewhile(_stood_still, reversed(history)))
        if pooled < n_most:
            return None
        return Stop(
            f"unreliable: neither the level nor the best score rose, although {pooled} samples "
            "were pooled; raise n_most, or lower alpha",
            success=False,
        )

    return rule


def _stood_still(record: Record) -> bool:
    return record.kl == 0


def degenerate(shrink: float = 1e-10) -> StopRule:
    """Stop once the density is ``shrink`` times as wide as at first: nothing new can come of it.

    A continuous density that has lost a direction altogether (its entropy is ``-inf``) has done
    so by accident, not by converging, and is no success.
    """

    def rule(history: History) -> Stop | None:
        if not history:
            return None
        last = history[-1]
        if last.entropy == -np.inf:
            return Stop(
                f"the density collapsed in iteration {last.t}: its {last.n_elite} elite samples "
                "were all alike in some direction; raise n_samples or rho, or lower alpha",
                success=False,
            )
        if last.spread > shrink * history[0].spread:
            return None
        return Stop("converged: the sampling density is concentrated on one point", success=True)

    return rule


def flat(tolerance: float = 1e-11) -> StopRule:
    """Stop once the best samples of a while, and the elite of the last batch, have scored alike.

    Scores within the tolerance are alike. It is absolute; if at first the scores of the elite
    differed by less than one, it is relative to that. Less than a few roundings is always alike.
    """

    def rule(history: History) -> Stop | None:
        if not history or len(history) <= (n := _while(history[-1].n)):
            return None
        first, last, tops = history[0], history[-1], [record.top for record in history[-n:]]
        alike = max(tolerance * min(1.0, first.top - first.gamma), 4 * EPS * abs(last.top))
        if max(max(tops) - min(tops), last.top - last.gamma) > alike:
            return None
        return Stop("converged: the scores of the elite do not differ any more", success=True)

    return rule


def beaten(share: float = 0.1) -> StopRule:
    """Stop a search that is settling where it is worse than one before it.

    It is settling if over a while its best samples, and the elite of the last batch, differ by less
    than ``share`` of what they are short of the best score so far.
    """

    def rule(history: History) -> Stop | None:
        if not history or len(history) <= (n := _while(history[-1].n)):
            return None
        last, tops = history[-1], [record.top for record in history[-n:]]
        short = share * (last.best - max(tops))
        if max(max(tops) - min(tops), last.top - last.gamma) >= short:
            return None
        return Stop("settled where another search has been better", success=True)

    return rule


def _while(n: int) -> int:
    """Iterations of ``n`` samples in which a search that is still alive gets better."""
    return 10 + 300 // n


def mostly_bad(history: History) -> Stop | None:
    """Stop if more than half of the scores of an iteration are NaN or infinite."""
    if not history or 2 * history[-1].n_bad <= history[-1].n:
        return None
    last = history[-1]
    return Stop(
        f"{last.n_bad} of the {last.n} scores of iteration {last.t} were NaN or infinite, more "
        "than half: the problem fails on most of what is sampled",
        success=False,
    )


def level_settled(gamma: float, *, ess: float = 100.0, most: int = 20) -> StopRule:
    """Stop once the fits at the level ``gamma`` rest on ``ess`` effective samples together.

    After ``most`` iterations at the level it is settled as well as it will be.
    """

    def rule(history: History) -> Stop | None:
        there = [record.ess for record in history[-most:] if record.gamma >= gamma]
        if not there or (sum(there) < ess and len(there) < most):
            return None
        return Stop(f"the level {gamma:g} was reached", success=True)

    return rule


def level_stuck(gamma: float, d: int = 10) -> StopRule:
    """Stop if the level has not risen for ``d`` iterations and is still below ``gamma``."""

    def rule(history: History) -> Stop | None:
        recent = [record.gamma for record in history[-d - 1 :]]
        if len(recent) <= d or recent[0] >= gamma or max(recent[1:]) > recent[0]:
            return None
        return Stop(
            f"the level {gamma:g} was not reached: it has not risen above {max(recent):g} for {d} "
            "iterations; lower rho, raise n_samples, or check that the level can occur",
            success=False,
        )

    return rule


def sampled(most: int, since: int, *, success: bool) -> StopRule:
    """Stop after a final sample of ``most``, counted from ``since`` evaluations."""

    def rule(history: History) -> Stop | None:
        if not history or history[-1].nfev - since < most:
            return None
        return Stop(f"a final sample of {most} was drawn", success=success)

    return rule


def precise(rtol: float, since: int) -> StopRule:
    """Stop once the relative error is ``rtol`` or less and 30 effective samples are behind it."""

    def rule(history: History) -> Stop | None:
        n = history[-1].nfev - since if history else 0
        if n == 0 or history[-1].ess < FEW_FOR_RTOL:
            return None
        if max(0.0, 1 / history[-1].ess - 1 / n) > rtol**2:
            return None
        return Stop(f"the relative error {rtol:g} was reached", success=True)

    return rule


def limits(
    max_evaluations: int | None,
    max_iterations: int | None,
    max_seconds: float | None,
    first: int,
    reserve: int = 0,
) -> list[StopRule]:
    """The budgets of a run, checked: evaluations, iterations and seconds.

    ``first`` is the size of the first batch, ``reserve`` what is kept for a final sample.
    """
    rules = []
    if max_iterations is not None:
        rules.append(iterations(whole_number("max_iterations", max_iterations)))
    if max_evaluations is not None:
        whole_number("max_evaluations", max_evaluations)
        if max_evaluations < first + reserve:
            kept = f" and a final sample of {reserve}" if reserve else ""
            raise ValueError(
                f"max_evaluations must allow one iteration of {first} samples{kept}; got "
                f"{max_evaluations}: lower n_samples or raise max_evaluations"
            )
        rules += room(max_evaluations, first, reserve)
    if max_seconds is not None:
        rules.append(time_limit(positive_number("time_limit", max_seconds)))
    return rules


def room(max_evaluations: int | None, upcoming: int, reserve: int = 0) -> list[StopRule]:
    """The rule `evaluations` for a search with batches of so many, if there is a limit at all."""
    if max_evaluations is None:
        return []
    return [evaluations(max_evaluations, reserve=reserve, upcoming=upcoming)]


def while_sampling(
    steering: list[StopRule], max_evaluations: int | None, block: int, last: int
) -> list[StopRule]:
    """The budgets of a final sample in blocks, which ends at ``last`` evaluations.

    Of the limits of the steering the clock stays; what was kept for the sample is free now.
    """
    clock = [rule for rule in steering if rule.__qualname__.startswith("time_limit")]

    def affordable(history: History) -> Stop | None:
        used = history[-1].nfev if history else 0
        if max_evaluations is None or used + min(block, last - used) <= max_evaluations:
            return None
        return Stop(f"the budget of {max_evaluations} evaluations was spent", success=False)

    return [affordable, *clock]
