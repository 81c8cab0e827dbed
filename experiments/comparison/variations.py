"""What is said of the runs of one variation: a `Variation`, from its runs and their outcomes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from experiments.comparison.curves import Band, Profile, band, profile
from experiments.comparison.judging import (
    Interval,
    clopper_pearson,
    quantile,
    running_time,
    wilson,
)
from experiments.comparison.measures import Target
from experiments.comparison.outcomes import ENDED, Outcome, sign_of
from experiments.store import Run
from experiments.task import is_estimated

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Spread:
    """One number over runs: its median, the quantiles at 5, 25, 75 and 95 %, its extremes.

    Scores of failed runs are infinitely bad. Of an estimate the extremes are least and largest.
    """

    low: float
    lower: float
    median: float
    upper: float
    high: float
    best: float
    worst: float


@dataclass(frozen=True)
class Share:
    """``count`` of ``of``, with the 95 % interval of the share behind it."""

    count: int
    of: int
    interval: Interval

    @property
    def share(self) -> float:
        """The share itself."""
        return self.count / self.of


@dataclass(frozen=True)
class Running:
    """The expected running time in evaluations, with its interval; infinite if none hit."""

    time: float
    interval: Interval


@dataclass(frozen=True)
class Variation:
    """The runs of one variation; what cannot be known is None, or NaN of a number.

    ``doubtful`` counts runs that are done but no success, ``repeated`` those whose seed another run
    had too: these are left out. ``evaluations`` and ``seconds`` are medians over those that are
    done; ``reached`` and ``running`` are of the target. Of estimates only: ``relative_error`` is
    the median of what the runs report, ``rms_error`` the root mean square of ``estimate / exact -
    1``, ``coverage`` how many of the 95 % intervals hold the exact value, ``work`` the relative
    variance times the evaluations, the true one where the exact value is known, else the reported.
    """

    name: str
    changes: dict[str, Any]
    done: int
    failed: int
    unfinished: int
    repeated: int
    doubtful: int
    figure: Spread | None
    evaluations: float
    seconds: float
    reached: Share | None
    running: Running | None
    relative_error: float | None
    rms_error: float | None
    coverage: Share | None
    work: float | None
    band: Band | None
    profiles: tuple[Profile, ...]

    def as_dict(self) -> dict[str, Any]:
        """All of it but the curves."""
        curves = {"band", "profiles"}
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in curves}
        nested = ("figure", "reached", "running", "coverage")
        return own | {key: asdict(own[key]) for key in nested if own[key] is not None}


def variation(
    name: str,
    runs: Sequence[Run],
    found: Sequence[Outcome],
    *,
    changes: Mapping[str, Any],
    job: str,
    targets: Sequence[Target],
) -> Variation:
    """The variation of that name: all its runs, and the outcomes of those that have ended."""
    sign, estimated = sign_of(job), is_estimated(job)
    done = [one for one in found if one.done]
    exact = bool(done) and all(one.known for one in done)
    rms = _rms(done) if estimated and exact else None
    curves = [profile(found, target.value, sign) for target in targets]
    unfinished = sum(run.status not in ENDED for run in runs)
    return Variation(
        name=name,
        changes=dict(changes),
        done=len(done),
        failed=len(found) - len(done),
        unfinished=unfinished,
        repeated=len(runs) - unfinished - len(found),
        doubtful=sum(not one.success for one in done),
        figure=_spread(found, job),
        evaluations=_median([one.spent for one in done]),
        seconds=_median([one.seconds for one in done]),
        **_at_target(found, targets[0] if targets else None, sign),
        relative_error=_median([one.reported for one in done]) if estimated and done else None,
        rms_error=rms,
        coverage=_coverage(done) if estimated and exact else None,
        work=_work(done, rms) if estimated and done else None,
        band=band(found, sign),
        profiles=tuple(curve for curve in curves if curve),
    )


def scores(found: Sequence[Outcome], sign: float) -> list[float]:
    """The best scores of searches; that of a failed run is infinitely bad."""
    return [-sign * math.inf if one.figure is None else one.figure for one in found]


def _spread(found: Sequence[Outcome], job: str) -> Spread | None:
    sign = sign_of(job)
    estimates = [one.figure for one in found if one.figure is not None]
    values = estimates if is_estimated(job) else scores(found, sign)
    if not values:
        return None
    best, worst = sorted((max(values), min(values)), reverse=sign > 0)
    return Spread(*(float(quantile(values, q)) for q in QUANTILES), best, worst)


def _at_target(found: Sequence[Outcome], target: Target | None, sign: float) -> dict[str, Any]:
    if target is None or not found:
        return {"reached": None, "running": None}
    length = np.array([one.length(target.value, sign) for one in found])
    hit, spent = np.isfinite(length), np.array([one.spent for one in found])
    count = int(hit.sum())
    return {
        "reached": Share(count, len(found), wilson(count, len(found))),
        "running": Running(*running_time(np.where(hit, length, spent), hit)),
    }


def _rms(done: Sequence[Outcome]) -> float:
    errors = [(one.figure or 0.0) / one.known - 1 for one in done if one.known]
    return math.sqrt(float(np.mean(np.square(errors))))


def _coverage(done: Sequence[Outcome]) -> Share | None:
    told = [one.covered for one in done if one.covered is not None]
    return Share(sum(told), len(told), clopper_pearson(sum(told), len(told))) if told else None


def _work(done: Sequence[Outcome], rms: float | None) -> float:
    if rms is not None:
        return rms**2 * float(np.mean([one.spent for one in done]))
    return _median([one.reported**2 * one.spent for one in done])


def _median(values: Sequence[float]) -> float:
    return float(quantile(values, 0.5)) if values else math.nan
