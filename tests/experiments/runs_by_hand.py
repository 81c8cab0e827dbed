"""Runs as a store would give them, each with its history, for tests of comparisons and pictures."""

import itertools
import math

from cem.state import History, Record
from experiments.store import Run

NOTHING = -1.0  # in place of effective samples: an iteration that steers
KEYS = itertools.count(1)


def run(variation, seed, job, status, result, settings=None):
    return Run(
        id=next(KEYS),
        study="s",
        variation=variation,
        experiment="e",
        problem="p",
        job=job,
        settings=settings or {},
        seed=seed,
        versions={},
        created="",
        status=status,
        touched="",
        seconds=1.5,
        result=result if status == "done" else None,
        error=None,
        note="",
        tags=[],
    )


def record(t, nfev, **own):
    usual = dict.fromkeys(Record._fields, 0.0)
    return Record(**usual | {"t": t, "nfev": nfev, "loss": 1.0, "entropy": 1.0} | own)


def searched(variation, seed, scores, *, job="maximize", status="done", known=None):
    """A search of 100 samples an iteration, with the best score so far after each."""
    sign = -1.0 if job == "minimize" else 1.0
    history = History(record(t, 100 * t, best=sign * s) for t, s in enumerate(scores, 1))
    settings = {"rho": float(variation[4:])} if variation[4:].replace(".", "").isdigit() else {}
    result = {"success": True, "nfev": 100 * len(scores), "known": known}
    result["fun"] = scores[-1] if scores else None
    return run(variation, seed, job, status, result, settings), history


def estimated(variation, seed, p, error, *, known=None, success=True, steps=()):
    """An estimate of 1000 evaluations; steps are evaluations and effective samples."""
    history = History(
        record(t, nfev)
        if ess == NOTHING
        else record(t, nfev, ess=ess, loss=math.nan, entropy=math.nan)
        for t, (nfev, ess) in enumerate(steps, 1)
    )
    result = {
        "success": success,
        "nfev": 1000,
        "known": known,
        "probability": p,
        "relative_error": error,
        "confidence_interval": [0.0, 1.0] if error is None else _interval(p, error),
    }
    return run(variation, seed, "estimate", "done", result), history


def _interval(p, error):
    return [p * (1 - 1.96 * error), p * (1 + 1.96 * error)]


def plan(variations, target=None):
    return {
        "variations": [{"name": n, "changes": changes} for n, changes in variations.items()],
        "target": target,
    }
