"""What a comparison needs to know of one run: an `Outcome`, from its row and its history."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from cem.state import History
from cem.tally import relative_error
from cem.typing import Array
from experiments.store import Run
from experiments.task import FIGURES, is_estimated

ENDED = ("done", "failed")


@dataclass(frozen=True)
class Outcome:
    """One run that has ended, as numbers.

    ``figure`` is the best score in the user's sign, or the estimate; None if there is none.
    ``relative_error`` is what an estimate reports, infinite if nothing was hit; None of a search.
    ``evaluations`` and ``course`` are the way there: after so many evaluations, the best score so
    far in the user's sign, or the relative error of the final sample so far.
    """

    seed: int
    done: bool
    success: bool
    figure: float | None
    spent: float  # evaluations in all
    seconds: float
    known: float | None
    relative_error: float | None
    covered: bool | None  # whether the 95 % interval holds the known value
    evaluations: Array
    course: Array
    is_mean: bool = False

    @property
    def reported(self) -> float:
        """The reported relative error; infinite where there is none."""
        return math.inf if self.relative_error is None else self.relative_error

    @property
    def error(self) -> float | None:
        """The true error: of a probability ``ln(p / exact)``, of a mean ``mean / exact - 1``.

        None where the exact value is not known.
        """
        if not self.known or self.figure is None:
            return None
        ratio = self.figure / self.known
        if self.is_mean:
            return ratio - 1
        return math.log(ratio) if ratio > 0 else -math.inf

    @property
    def is_noisy(self) -> bool:
        """Whether this is a search whose answer was judged anew: the course has lucky scores."""
        searched = self.relative_error is None and self.figure is not None
        return searched and self.course.size > 0 and self.figure != self.course[-1]

    def length(self, target: float, sign: float) -> float:
        """Evaluations until the target was reached; infinite if it never was.

        Only a success counts of an estimate: an error that is small by mistake is none. Under noise
        only the answer counts, at the end: a score that is good by luck is none.
        """
        if self.relative_error is not None and not self.success:
            return math.inf
        if self.is_noisy and self.figure is not None:
            return self.spent if sign * self.figure >= sign * target else math.inf
        at = np.flatnonzero(sign * self.course >= sign * target)
        return float(self.evaluations[at[0]]) if at.size else math.inf


def sign_of(job: str) -> float:
    """1 where more is better, -1 where less is: scores to minimise, and errors.

    >>> sign_of("maximize"), sign_of("estimate")
    (1.0, -1.0)
    """
    return 1.0 if job == "maximize" else -1.0


def outcomes(runs: Iterable[Run], histories: dict[int, History]) -> list[Outcome]:
    """Of the runs that have ended; a seed counts once, as its last run that is done has it."""
    latest: dict[int, Run] = {}
    for run in runs:
        if run.status in ENDED and not (run.seed in latest and run.status == "failed"):
            latest[run.seed] = run
    return [outcome(run, histories.get(run.id, History())) for run in latest.values()]


def outcome(run: Run, history: History) -> Outcome:
    """The numbers of one run."""
    found = run.result if run.status == "done" and run.result else {}
    figure, known = found.get(FIGURES[run.job][0]), found.get("known")
    estimated = is_estimated(run.job)
    error = covered = None
    if estimated:
        told = found.get("relative_error")
        error = math.inf if told is None else told
        low, high = found.get("confidence_interval") or (None, None)
        if known is not None and low is not None and high is not None:
            covered = low <= known <= high
    evaluations, course = _of_estimate(history) if estimated else _of_search(history, run.job)
    spent = found.get("nfev") or (history[-1].nfev if history else 0)
    if not history and figure is not None:
        evaluations = np.array([float(spent)])
        course = np.array([error if estimated else figure], dtype=float)
    return Outcome(
        seed=run.seed,
        done=run.status == "done",
        success=bool(found.get("success")),
        figure=figure,
        spent=float(spent),
        seconds=run.seconds,
        known=known,
        relative_error=error,
        covered=covered,
        evaluations=evaluations,
        course=course,
        is_mean=run.job == "expectation",
    )


def _of_search(history: History, job: str) -> tuple[Array, Array]:
    return history.column("nfev"), sign_of(job) * history.column("best")


def _of_estimate(history: History) -> tuple[Array, Array]:
    """The relative error as the final sample grows; its records fit nothing, so have no loss."""
    n = len(history)
    while n and math.isnan(history[n - 1].loss) and math.isnan(history[n - 1].entropy):
        n -= 1
    final = History(history[n:])
    evaluations, ess = final.column("nfev"), final.column("ess")
    samples = evaluations - (history[n - 1].nfev if n else 0)
    error = np.full(len(final), np.inf)
    some = (ess > 0) & (samples > 1)
    error[some] = relative_error(ess[some], samples[some])
    return evaluations, error
