"""Run one experiment, or go on with one, every iteration in the store; and say how it ended."""

from __future__ import annotations

import contextlib
import math
import platform
import time
from collections.abc import Iterable
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Any

import numpy as np
import scipy

import cem
import problems
from cem.engine import CrossEntropyMethod
from cem.methods import Case, method_of
from cem.session import chunk_size_of, nominal_of
from cem.state import History, Record, State
from cem.typing import Callback, Family
from experiments.catalogue import Experiment
from experiments.database import StoreError
from experiments.settings import DRIVERS, files, split
from experiments.store import Run, Store

UNFINISHED = {  # the part of a result that every job has
    "success": None,
    "message": None,
    "warnings": None,
    "nfev": None,
    "nit": None,
}
ESTIMATED = ("std_error", "relative_error", "confidence_interval", "method")
FIGURES = {  # and the part that depends on it; the figure itself comes first
    "estimate": ("probability", *ESTIMATED),
    "expectation": ("mean", *ESTIMATED),
    "maximize": ("fun", "x"),
    "minimize": ("fun", "x"),
}


@dataclass(frozen=True)
class Task:
    """A problem, its driver and what it is called with; ``identity`` is what decides the bits."""

    problem: Any
    job: str
    keywords: dict[str, Any]
    identity: dict[str, Any]


def begin(experiment: Experiment, store: Store) -> tuple[Run, Task]:
    """A new run of an experiment in the store, with nothing done yet."""
    task = prepare(experiment.problem, experiment.job, experiment.settings, experiment.seed)
    run = store.begin(
        experiment=experiment.name,
        problem=experiment.problem,
        job=experiment.job,
        settings=experiment.settings,
        seed=experiment.seed,
        versions=versions(),
    )
    return run, task


def go(
    run: Run,
    store: Store,
    task: Task | None = None,
    *,
    workers: int = 1,
    watch: Iterable[Callback] = (),
) -> Run:
    """Go on where the store has a run, be it at the beginning; a finished one is left as it is.

    The bits are those of a run that was never cut. Returns the run as it is in the store then.
    """
    if run.status == "done":
        return run
    task = task or prepare(run.problem, run.job, run.settings, run.seed)
    start = restore(task, store, run)
    since = time.monotonic() - (run.seconds if start else 0.0)
    keywords = dict(task.keywords)
    if start and keywords.get("time_limit") is not None:  # what is left of it
        keywords["time_limit"] = max(keywords["time_limit"] - run.seconds, 1e-9)
    with store.writer(run) as writer:

        def recorder(state: State, record: Record) -> None:
            checkpoint = cem.checkpoint.dumps(state, History(), task.identity)
            writer.add(record, checkpoint, time.monotonic() - since)

        try:
            found = DRIVERS[task.job](
                task.problem, workers=workers, callback=[recorder, *watch], start=start, **keywords
            )
        except BaseException as error:
            broken = isinstance(error, Exception)
            status, text = ("failed", one_line(error)) if broken else ("interrupted", None)
            with contextlib.suppress(StoreError):
                writer.end(status, time.monotonic() - since, error=text)
            if done := store.counts().get(run.id):
                error.add_note(f"run {run.name} keeps its {done[0]} iterations")
            raise
        about = {"known": _known(task.problem), "report": _report(task.problem, found)}
        result = outcome(found, task.job) | about
        writer.end("done", time.monotonic() - since, result=strict(result))
    return store.find(run.name)


def restore(task: Task, store: Store, run: Run) -> tuple[State, History] | None:
    """Where a run is; None before its first iteration.

    Raises ValueError, naming what differs, if the checkpoint was made with anything else than the
    task: other defaults of another version of the program, say, or a graph file that has changed.
    """
    saved = store.checkpoint(run)
    if saved is None:
        return None
    name = f"the checkpoint of run {run.name}"
    state = cem.checkpoint.loads(saved, densities_of(task), task.identity, name=name).state
    history = store.history(run)
    if len(history) != state.t:
        raise StoreError(
            f"{name} was made after iteration {state.t}, but the store holds {len(history)}; it is "
            "likely damaged"
        )
    return state, history


def densities_of(task: Task) -> tuple[Family, ...]:
    """The density that a run begins with, and others whose families it may change to."""
    nominal = nominal_of(task.problem, None)
    if task.job != "estimate":
        return (nominal,)
    known = {"gamma": getattr(task.problem, "gamma", None), **task.keywords}
    asked = {f.name: known[f.name] for f in fields(Case) if f.name in known}
    plan = method_of(task.keywords["method"])(Case(problem=task.problem, nominal=nominal, **asked))
    return plan.steering.init().v, plan.nominal


def prepare(problem: str, job: str, settings: dict[str, Any], seed: int) -> Task:
    """Load the problem and find its driver."""
    of_problem, keywords = split(problem, job, settings)
    loaded = problems.load(problem, **of_problem)
    nominal = nominal_of(loaded, None)
    if job in {"maximize", "minimize"} and keywords.get("time_limit") is not None:
        once = keywords | {"max_iterations": 1, "rng": seed}
        DRIVERS[job](loaded, **once)  # so that the limit counts no kernel that is compiled
    at_random = CrossEntropyMethod(nominal=nominal, n_samples=1, rng=seed)
    derived = cem.checkpoint.settings_of(at_random)
    identity = {
        "problem": problem,
        "job": job,
        **settings,
        "chunk_size": chunk_size_of(loaded, keywords.get("chunk_size")),
        **{key: derived[key] for key in ("family", "nominal", "rng")},
        **{
            f"contents of {key}": sha256(path.read_bytes()).hexdigest()[:16]
            for key, path in files(problem, settings).items()
        },
    }
    return Task(loaded, job, keywords | {"rng": seed}, identity)


def outcome(found: Any, job: str) -> dict[str, Any]:
    """The part of a result that is stored and printed."""
    common = {key: getattr(found, key, ()) for key in UNFINISHED}
    figures = {key: getattr(found, key) for key in FIGURES[job]}
    if "x" in figures:
        return common | figures | {"x": numbers(found.x)}
    return common | figures | {"confidence_interval": found.confidence_interval()}


def numbers(x: Any) -> list[float]:
    """A sample as a list of plain numbers; a structured one field by field.

    >>> numbers(np.array([([0.5, 2.0], 3)], dtype=[("size", float, (2,)), ("kind", int)])[0])
    [0.5, 2.0, 3]
    """
    if (names := np.asarray(x).dtype.names) is None:
        return np.ravel(x).tolist()
    return [number for name in names for number in numbers(x[name])]


def summary(run: Run) -> dict[str, Any]:
    """A run as the one JSON object that every command prints; null where nothing is known yet."""
    nothing = UNFINISHED | dict.fromkeys(FIGURES[run.job]) | {"known": None, "report": {}}
    return {
        "name": run.experiment,
        "run": run.name,
        "status": run.status,
        "problem": run.problem,
        "job": run.job,
        "settings": run.settings,
        "seed": run.seed,
        "created": run.created,
        "versions": run.versions,
        "seconds": run.seconds,
        "error": run.error,
        **nothing,
        **(run.result or {}),
    }


def versions() -> dict[str, str]:
    """What the bits depend on besides the settings."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "cem": cem.__version__,
    }


def other_versions(run: Run) -> str | None:
    """A warning, if an unfinished run was begun with other versions than these."""
    now = versions()
    other = [f"{k} {v}, now {now.get(k)}" for k, v in run.versions.items() if now.get(k) != v]
    if run.status == "done" or not other:
        return None
    return f"run {run.name} was begun with {'; '.join(other)}: its bits may not be the same"


def strict(value: Any) -> Any:
    """The value in strict JSON: a number that is not finite is null.

    >>> strict({"x": (1.0, math.inf)})
    {'x': [1.0, None]}
    """
    if isinstance(value, dict):
        return {key: strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [strict(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def one_line(error: BaseException) -> str:
    """The text of an error, on one line."""
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.strerror}: {error.filename}"
    return " ".join(str(error).split()) or type(error).__name__


def _known(problem: Any) -> float | None:
    """The true answer, where the problem states it: an optimum or an exact probability.

    A problem says with None, or a ValueError, that it knows none at these settings.
    """
    exact = getattr(problem, "exact", None)
    if not callable(exact):
        return getattr(problem, "optimum", None)
    try:
        return exact()
    except ValueError:
        return None


def _report(problem: Any, found: Any) -> dict[str, str]:
    """What the problem itself has to say of a result, in words, if it has a method ``report``."""
    report = getattr(problem, "report", None)
    if report is None or getattr(found, "x", 0) is None:  # nothing was found
        return {}
    return {str(k): str(v) for k, v in report(found).items()}
