"""From runs and their histories to a `Comparison`: all its numbers, and no words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cem.state import History
from experiments.comparison.judging import quantile
from experiments.comparison.measures import Measure, Target, known_of, measures, targets
from experiments.comparison.outcomes import Outcome, outcomes
from experiments.comparison.pairs import Pair, pairs
from experiments.comparison.variations import Variation, variation
from experiments.store import Run
from experiments.task import strict, word_of


@dataclass(frozen=True)
class Comparison:
    """Everything that is said and drawn of a study, or of loose runs.

    ``known`` is the exact value or optimum where all runs have the same, ``n_known`` how many
    different ones there are. ``best`` is the name of the best variation, ``pairs`` are all pairs of
    few variations and those with the best of many, ``n_tests`` is how many tests the p-values are
    corrected for. ``noisy`` says whether the answers were judged anew, so that the scores on the
    way to them are lucky ones.
    """

    study: str | None
    problem: str
    job: str
    known: float | None
    n_known: int
    target: Target | None
    variations: tuple[Variation, ...]
    best: str | None
    pairs: tuple[Pair, ...]
    n_tests: int
    noisy: bool

    @property
    def figure(self) -> str:
        """What the runs are about: ``"best score"``, ``"probability"`` or ``"mean"``."""
        return word_of(self.job)

    def as_dict(self) -> dict[str, Any]:
        """All of it but the curves, in strict JSON: what is infinite or not known is null."""
        return strict({
            "study": self.study,
            "problem": self.problem,
            "job": self.job,
            "figure": self.figure,
            "known": self.known,
            "noisy": self.noisy,
            "target": self.target and asdict(self.target),
            "best": self.best,
            "variations": [one.as_dict() for one in self.variations],
            "tests": self.n_tests,
            "pairs": [asdict(pair) | {"verdict": pair.verdict} for pair in self.pairs],
        })  # fmt: skip


def of(
    runs: Sequence[Run],
    histories: Mapping[int, History],
    plan: Mapping[str, Any] | None = None,
    *,
    target: float | Sequence[float] | None = None,
) -> Comparison:
    """Compare runs by their variations, in the order of the study's plan.

    A run without a variation goes by its experiment's name. ``target`` overrides that of the plan;
    of several the first is judged by, and all have a profile. Raises ValueError without runs, and
    for runs of several problems or jobs.
    """
    job, problem = _kind(runs)
    plan = plan or {}
    groups = _groups(runs, plan)
    found = {name: outcomes(own, histories) for name, own in groups.items()}
    everyone = [one for own in found.values() for one in own]
    goals = targets(found, job, plan, target)
    by = measures(found, job, goals[0] if goals else None)
    keys = _keys(groups, plan)
    variations = tuple(
        variation(name, own, found[name], changes=_chosen(own, keys), job=job, targets=goals)
        for name, own in groups.items()
    )
    best = _best(variations, found, by[0])
    told, n_tests = pairs(found, by, best)
    studies = {run.study for run in runs}
    return Comparison(
        study=studies.pop() if len(studies) == 1 else None,
        problem=problem,
        job=job,
        known=known_of(everyone),
        n_known=len({one.known for one in everyone if one.known is not None}),
        target=goals[0] if goals else None,
        variations=variations,
        best=best,
        pairs=told,
        n_tests=n_tests,
        noisy=any(one.is_noisy for one in everyone),
    )


def _kind(runs: Sequence[Run]) -> tuple[str, str]:
    """The one job and problem of all runs."""
    if not runs:
        raise ValueError("there is nothing to compare: expected runs, got none")
    kinds = sorted({(run.job, run.problem) for run in runs})
    if len(kinds) > 1:
        few = ", ".join(f"{job} {problem}" for job, problem in kinds[:4])
        raise ValueError(f"only runs of one problem and job can be compared; got {few}")
    return kinds[0]


def _groups(runs: Sequence[Run], plan: Mapping[str, Any]) -> dict[str, list[Run]]:
    """The runs of every variation; those of the plan first, in its order, if it has runs here."""
    groups: dict[str, list[Run]] = {v["name"]: [] for v in plan.get("variations", ())}
    for run in runs:
        groups.setdefault(run.variation or run.experiment, []).append(run)
    return {name: own for name, own in groups.items() if own}


def _keys(groups: Mapping[str, Sequence[Run]], plan: Mapping[str, Any]) -> list[str]:
    """The settings that make the difference: those of the plan, or else those that differ."""
    planned = [key for v in plan.get("variations", ()) for key in v["changes"]]
    first = [own[0].settings for own in groups.values()]
    keys = dict.fromkeys(planned or (key for one in first for key in one))
    return [key for key in keys if any(one.get(key) != first[0].get(key) for one in first)]


def _chosen(runs: Sequence[Run], keys: Sequence[str]) -> dict[str, Any]:
    return {key: runs[0].settings.get(key) for key in keys}


def _best(
    variations: Sequence[Variation], found: Mapping[str, Sequence[Outcome]], by: Measure
) -> str | None:
    """The one with the least median loss, of an estimate with the least work.

    Of equals the one with the lower upper quartile, then with fewer evaluations.
    """

    def rank(one: Variation) -> tuple[float, ...]:
        losses = [by.loss(outcome) for outcome in found[one.name]]
        half, most = float(quantile(losses, 0.5)), float(quantile(losses, 0.75))
        if one.work is not None:
            return (math.inf if half == math.inf else one.work,)
        return half, most, one.evaluations if one.done else math.inf

    ended = [one for one in variations if found[one.name]]
    return min(ended, key=rank).name if ended else None
