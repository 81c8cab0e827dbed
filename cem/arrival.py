"""Stop rules of an estimate: at its level, stuck below it, precise enough."""

from __future__ import annotations

from cem.state import History
from cem.stopping import Stop
from cem.typing import StopRule

FEW_FOR_RTOL = 30.0  # effective samples below which no relative error is trusted


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
