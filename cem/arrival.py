"""Stop rules of an estimate: at its level, stuck below it, precise enough."""

from __future__ import annotations

from cem.state import History
from cem.stopping import Stop
from cem.tally import relative_error
from cem.typing import StopRule

PAYS = 0.8  # of the size of the final sample is left by an iteration that pays
GOOD = 0.035  # relative error for which one more batch would do
KNOWN = 0.9  # of the relative error is aimed at where the variation of the weights is known
FEW_FOR_RTOL = 30.0  # effective samples below which no relative error is trusted


def level_settled(
    gamma: float, *, ess: float = 100.0, most: int = 20, what: str = "level"
) -> StopRule:
    """Stop once the fits at the level ``gamma`` rest on ``ess`` effective samples together.

    After ``most`` iterations at the level it is settled as well as it will be.
    """

    def rule(history: History) -> Stop | None:
        there = [record.ess for record in history[-most:] if record.gamma >= gamma]
        if not there or (sum(there) < ess and len(there) < most):
            return None
        return Stop(f"the {what} {gamma:g} was reached", success=True)

    return rule


def level_stuck(gamma: float, d: int = 10, *, what: str = "level") -> StopRule:
    """Stop if the level has not risen for ``d`` iterations and is still below ``gamma``."""

    def rule(history: History) -> Stop | None:
        recent = [record.gamma for record in history[-d - 1 :]]
        if len(recent) <= d or recent[0] >= gamma or max(recent[1:]) > recent[0]:
            return None
        return Stop(
            f"the {what} {gamma:g} was not reached: it has not risen above {max(recent):g} for {d} "
            f"iterations; raise n_samples, try another method, or check that the {what} can occur",
            success=False,
        )

    return rule


def well_aimed(gamma: float, n: int) -> StopRule:
    """Stop once a further iteration of ``n`` samples at the level would not pay for itself.

    For records whose ``variation`` is foreseen, as those of `cem.pooling.Pooled`: the final sample
    grows with its square. It pays while each iteration at the level has lowered that by a fifth,
    unless ``n`` samples are enough for a relative error of 3.5 %.
    """

    def rule(history: History) -> Stop | None:
        there = [record.variation for record in history[-2:] if record.gamma >= gamma]
        if len(there) < 2:
            return None
        before, now = there
        if now**2 < PAYS * before**2 and (now / GOOD) ** 2 > n:
            return None
        return Stop(f"the level {gamma:g} was reached", success=True)

    return rule


def sampled(most: int, since: int, rtol: float | None = None) -> StopRule:
    """Stop after a final sample of ``most``, counted from ``since`` evaluations.

    If it was to reach the relative error ``rtol``, that is no success.
    """

    def rule(history: History) -> Stop | None:
        if not history or history[-1].nfev - since < most:
            return None
        short = "" if rtol is None else f", short of the relative error {rtol:g}"
        return Stop(f"a final sample of {most} was drawn{short}", success=rtol is None)

    return rule


def precise(rtol: float, since: int, first: float | None = None, *, last: int = 0) -> StopRule:
    """Stop once the relative error is ``rtol`` or less and 30 effective samples are behind it.

    It is looked at once ``first`` samples, counted from ``since`` evaluations, have been drawn; if
    it is too large, as many as that takes by the variation seen are drawn before it is looked at
    again, ``last`` at most. To stop at the first block that happens to look well would be biased,
    since a sample that has missed the largest weights looks best. Without ``first`` it is.
    """

    def rule(history: History) -> Stop | None:
        sampled = [record for record in history if record.nfev > since]
        point = 0.0 if first is None else min(first, last)
        for record in sampled[-1:] if first is None else sampled:
            n = record.nfev - since
            if n < point:
                continue
            if record.ess >= FEW_FOR_RTOL and relative_error(record.ess, n) <= rtol:
                return Stop(f"the relative error {rtol:g} was reached", success=True)
            point = min((record.variation / (KNOWN * rtol)) ** 2, last)
        return None

    return rule


def unaffordable(max_evaluations: int | None, block: int, last: int) -> StopRule:
    """Stop before a block of a final sample that the budget does not allow.

    What was kept for the sample while steering is free now; it ends at ``last`` evaluations.
    """

    def rule(history: History) -> Stop | None:
        used = history[-1].nfev if history else 0
        if max_evaluations is None or used + min(block, last - used) <= max_evaluations:
            return None
        return Stop(f"the budget of {max_evaluations} evaluations was spent", success=False)

    return rule
