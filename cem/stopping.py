"""Stop rules: functions of the history that give a reason, or None to go on."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import takewhile
from typing import NamedTuple

import numpy as np

from cem.scores import positive_number, real_number, whole_number
from cem.state import History, Record
from cem.typing import StopRule

EPS = float(np.finfo(float).eps)


class Stop(NamedTuple):
    """Why a run stopped: the sentence the user will read, and whether it is what was wanted."""

    message: str
    success: bool


NOTHING_LEARNT = Stop("every sample scored the same: there is nothing to go by", success=False)


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
    """Stop where ``seconds`` of wall-clock time since this call are nearest to their end.

    That is when they have passed, or when less than half of what the last iteration took is left;
    the first one does not tell, since what is compiled is loaded in it.
    """
    end = time.monotonic() + seconds
    asked = [np.inf, np.inf]  # when, the last two times

    def rule(history: History) -> Stop | None:  # noqa: ARG001 - the clock is not in the history
        now = time.monotonic()
        first = asked[0] == np.inf
        taken = 0.0 if first else now - asked[1]
        asked[:] = asked[1], now
        if now < end and now + taken / 2 <= end:
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
    Where every sample has scored the same from the first on, nothing was learnt: no success.
    """

    def rule(history: History) -> Stop | None:
        recent = history[-d:]
        if len(recent) == d and all(-np.inf < r.top == r.gamma == recent[-1].gamma for r in recent):
            if _learnt_nothing(history):
                return NOTHING_LEARNT
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


def _learnt_nothing(history: History) -> bool:
    """Whether every sample has scored the same from the first on."""
    return history[0].n_elite == history[0].n and history[0].top == history[-1].top


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

    At the top of a smooth hill the scores then differ by ``shrink^2`` of all that was gained, or
    by rounding. If by more, the top is an edge, or the density has closed too early. A continuous
    density that has lost a direction altogether, so that its entropy is ``-inf``, is no success.
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
        differ = max(r.top for r in history[-2:]) - min(r.gamma for r in history[-2:])
        gained = last.best - history[0].gamma
        if differ <= max(shrink**1.5 * gained, 4 * EPS * abs(last.top)):
            message = "converged: the sampling density is concentrated on one point"
            return Stop(message, success=True)
        return Stop(
            "the sampling density closed on one point while its scores still differed: at an edge, "
            "or too early; in doubt raise n_samples or rho, or lower alpha",
            success=True,
        )

    return rule


def unbounded(grow: float = 1e30) -> StopRule:
    """Stop once the density is ``grow`` times as wide as at first, before it leaves the doubles."""

    def rule(history: History) -> Stop | None:
        if not history or not 0 < grow * history[0].spread < history[-1].spread:
            return None
        return Stop(
            f"the density is {grow:g} times as wide as at first: the scores seem to rise for ever; "
            "give bounds",
            success=False,
        )

    return rule


def flat(d: int = 10, tolerance: float = 1e-11) -> StopRule:
    """Stop once the best samples of a while, and the elite of the last batch, have scored alike.

    The while is ``10 + 30 d / n`` iterations, for ``d`` coordinates: Hansen (2009).

    Scores within the tolerance are alike. It is absolute; if at first the scores of the elite
    differed by less than one, it is relative to that. Less than a few roundings is always alike.
    """

    def rule(history: History) -> Stop | None:
        if not history or len(history) <= (n := _while(d, history[-1].n)):
            return None
        first, last, tops = history[0], history[-1], [record.top for record in history[-n:]]
        alike = max(tolerance * min(1.0, first.top - first.gamma), 4 * EPS * abs(last.top))
        if not max(max(tops) - min(tops), last.top - last.gamma) <= alike:  # or not a number
            return None
        if _learnt_nothing(history):
            return NOTHING_LEARNT
        return Stop("converged: the scores of the elite do not differ any more", success=True)

    return rule


def stagnant(window: int, few: int = 20) -> StopRule:
    """Stop once neither the best samples nor the levels rose over ``window`` iterations.

    The medians of the ``few`` first and last of these are compared: Hansen (2009). Unlike
    `stalled`, it sees through levels that go up and down.
    """

    def rule(history: History) -> Stop | None:
        if len(history) < max(window, 2 * few):
            return None
        then, now = history[-window : -window + few], history[-few:]
        if _middle(r.top for r in now) > _middle(r.top for r in then):
            return None
        if _middle(r.gamma for r in now) > _middle(r.gamma for r in then):
            return None
        return Stop(
            f"stalled: neither the best samples nor the level rose over {window} iterations",
            success=True,
        )

    return rule


def beaten(d: int = 10, share: float = 0.1) -> StopRule:
    """Stop a search that is settling where it is worse than one before it.

    It is settling if over a while its best samples, and the elite of the last batch, differ by less
    than ``share`` of what they are short of the best score so far.
    """

    def rule(history: History) -> Stop | None:
        if not history or len(history) <= (n := _while(d, history[-1].n)):
            return None
        last, tops = history[-1], [record.top for record in history[-n:]]
        short = share * (last.best - max(tops))
        if not max(max(tops) - min(tops), last.top - last.gamma) < short:  # or not a number
            return None
        return Stop("settled where another search has been better", success=True)

    return rule


def _middle(numbers: Iterable[float]) -> float:
    """The upper median."""
    in_order = sorted(numbers)
    return in_order[len(in_order) // 2]


def _while(d: int, n: int) -> int:
    """Iterations of ``n`` samples in which a search that is still alive gets better."""
    return 10 + 30 * d // n


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


def failing(share: float = 0.9, over: int = 100) -> StopRule:
    """Stop if more than ``share`` of the last ``over`` scores or more are NaN or infinite."""

    def rule(history: History) -> Stop | None:
        n = n_bad = 0
        for record in reversed(history):
            n, n_bad = n + record.n, n_bad + record.n_bad
            if n >= over:
                break
        if n < over or n_bad <= share * n:
            return None
        return Stop(
            f"{n_bad} of the last {n} scores were NaN or infinite: the problem fails on most of "
            "what is sampled",
            success=False,
        )

    return rule


def limits(max_iterations: int | None, max_seconds: float | None) -> list[StopRule]:
    """The rules `iterations` and `time_limit`, checked, as far as they are asked for."""
    rules = []
    if max_iterations is not None:
        rules.append(iterations(whole_number("max_iterations", max_iterations)))
    if max_seconds is not None:
        rules.append(time_limit(positive_number("time_limit", max_seconds)))
    return rules


def room(max_evaluations: int | None, upcoming: int, reserve: int = 0) -> list[StopRule]:
    """The rule `evaluations` for batches of so many, if it is asked for."""
    if max_evaluations is None:
        return []
    return [evaluations(max_evaluations, reserve=reserve, upcoming=upcoming)]


def check_room(max_evaluations: int | None, first: int, reserve: int = 0) -> None:
    """Raise ValueError if not even the first batch, and what is kept for later, can be afforded."""
    if max_evaluations is None:
        return
    whole_number("max_evaluations", max_evaluations)
    if max_evaluations < first + reserve:
        kept = f" and a final sample of {reserve}" if reserve else ""
        raise ValueError(
            f"max_evaluations must allow one iteration of {first} samples{kept}; got "
            f"{max_evaluations}: lower n_samples or raise max_evaluations"
        )
