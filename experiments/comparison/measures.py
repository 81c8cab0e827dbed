"""What runs are judged by: measures, which are losses, and the target that is to be reached."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.comparison.judging import quantile
from experiments.comparison.outcomes import Outcome, sign_of
from experiments.task import is_estimated

USUAL = 0.1  # the relative error that an estimate is to reach if nobody says another


@dataclass(frozen=True)
class Measure:
    """A loss by which runs are judged: lower is better, infinite where a run failed.

    A measure that is a ``ratio`` is a logarithm: of two, one is so many times the other. ``sign``
    is -1 where the user's number is the negative of the loss. ``missed`` says of a run in words
    that its loss is infinite.
    """

    name: str
    loss: Callable[[Outcome], float]
    ratio: bool = False
    sign: float = 1.0
    missed: str = "failed"


@dataclass(frozen=True)
class Target:
    """A score or a relative error to reach, and where it is from.

    Unless it was ``given`` before the runs were seen, nothing is tested at it.
    """

    value: float
    why: str
    given: bool = True


def measures(
    found: Mapping[str, Sequence[Outcome]], job: str, target: Target | None
) -> tuple[Measure, ...]:
    """Of a search the best score, and how soon a given target is reached.

    Of an estimate not the figure: two good methods differ in it by chance only. It is the squared
    error times the evaluations, which no longer sample makes better or worse: the true error where
    the exact value is known, and the reported one.
    """
    if is_estimated(job):
        missed = "had no success"
        name = "reported relative variance x evaluations"
        reported = Measure(name, _reported, ratio=True, missed=missed)
        done = [one for own in found.values() for one in own if one.done]
        if not done or not all(one.known for one in done):
            return (reported,)
        true = Measure("squared error x evaluations", _squared, ratio=True, missed=missed)
        return true, reported
    sign = sign_of(job)
    score = Measure("best score", lambda one: _score(one, sign), sign=-sign)
    if target is None or not target.given:
        return (score,)

    def length(one: Outcome) -> float:
        return _log(one.length(target.value, sign))

    name = f"evaluations to reach {target.value:.10g}"
    return score, Measure(name, length, ratio=True, missed="did not reach it")


def targets(
    found: Mapping[str, Sequence[Outcome]],
    job: str,
    plan: Mapping[str, Any],
    asked: float | Sequence[float] | None = None,
) -> tuple[Target, ...]:
    """What is to be reached: the first counts, the others have a profile each.

    Those asked for, or the study's; else of an estimate a relative error of 10 %, of a search the
    optimum if it is known and any run found it, or the best median among the variations.
    """
    if asked is not None:
        values = [asked] if isinstance(asked, int | float) else list(asked)
        if not values or not all(map(math.isfinite, values)):
            raise ValueError(f"a target must be a finite number; got {asked!r}")
        return tuple(Target(float(value), "as asked for") for value in values)
    if plan.get("target") is not None:
        return (Target(float(plan["target"]), "the target of the study"),)
    if is_estimated(job):
        return (Target(USUAL, "as no other was asked for"),)
    everyone = [one for own in found.values() for one in own]
    known, sign = known_of(everyone), sign_of(job)
    if known is not None and any(one.length(known, sign) < math.inf for one in everyone):
        return (Target(known, "the known optimum"),)
    losses = [[_score(one, sign) for one in own] for own in found.values() if own]
    least = min((float(quantile(own, 0.5)) for own in losses), default=math.inf)
    if least == math.inf:
        return ()
    return (Target(-sign * least + 0.0, "the best median of a variation", given=False),)


def known_of(found: Sequence[Outcome]) -> float | None:
    """The exact value or optimum, if it is the same for all runs that are done."""
    kinds = {one.known for one in found if one.done}
    return kinds.pop() if len(kinds) == 1 else None


def _score(one: Outcome, sign: float) -> float:
    return math.inf if one.figure is None else -sign * one.figure


def _reported(one: Outcome) -> float:
    return 2 * _log(one.reported) + _log(one.spent) if one.success else math.inf


def _squared(one: Outcome) -> float:
    if not one.success or one.error is None:
        return math.inf
    return 2 * _log(abs(one.error)) + _log(one.spent)


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf
