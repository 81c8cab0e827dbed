"""What a run does, wherever it is done: its problem, its driver, where it is, how it ended."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import numpy as np
import scipy

import cem
import problems
from cem.engine import CrossEntropyMethod
from cem.logs import LOGGER
from cem.methods import Case, method_of
from cem.session import chunk_size_of, nominal_of
from cem.state import History, State
from cem.typing import Callback, Family
from experiments.settings import DRIVERS, checksum, files, split

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


def is_estimated(job: str) -> bool:
    """Whether the job is an estimate and not a search."""
    return "relative_error" in FIGURES[job]


def word_of(job: str) -> str:
    """What people call the figure that a run is for.

    >>> word_of("minimize"), word_of("expectation")
    ('best score', 'mean')
    """
    return FIGURES[job][0] if is_estimated(job) else "best score"


@dataclass(frozen=True)
class Task:
    """A problem, its driver and what it is called with; ``identity`` is what decides the bits."""

    problem: Any
    job: str
    keywords: dict[str, Any]
    identity: dict[str, Any]


def prepare(problem: str, job: str, settings: dict[str, Any], seed: int) -> Task:
    """Load the problem and find its driver."""
    of_problem, keywords = split(problem, job, settings)
    loaded = problems.load(problem, **of_problem)
    nominal = nominal_of(loaded, None)
    if job in {"maximize", "minimize"} and keywords.get("time_limit") is not None:
        _rehearse(problem, job, json.dumps(settings))
    at_random = CrossEntropyMethod(nominal=nominal, n_samples=1, rng=seed)
    derived = cem.checkpoint.settings_of(at_random)
    identity = {
        "problem": problem,
        "job": job,
        **settings,
        "chunk_size": chunk_size_of(loaded, keywords.get("chunk_size")),
        **{key: derived[key] for key in ("family", "nominal", "rng")},
        **{f"contents of {key}": checksum(path) for key, path in files(problem, settings).items()},
    }
    return Task(loaded, job, keywords | {"rng": seed}, identity)


@cache
def _rehearse(problem: str, job: str, settings: str) -> None:
    """One iteration, so that a time limit counts no kernel that is compiled; once in a process."""
    of_problem, keywords = split(problem, job, json.loads(settings))
    loaded = problems.load(problem, **of_problem)
    LOGGER.disabled = True  # it is no iteration of a run
    try:
        DRIVERS[job](loaded, **keywords | {"max_iterations": 1, "rng": 1})
    finally:
        LOGGER.disabled = False


def restore(
    task: Task, saved: bytes | None, history: History, name: str
) -> tuple[State, History] | None:
    """Where the run of that name is; None before its first iteration.

    Raises ValueError, naming what differs, if the checkpoint was made with anything else than the
    task: other defaults of another version of the program, say, or a graph file that has changed.
    """
    if saved is None:
        return None
    name = f"the checkpoint of run {name}"
    state = cem.checkpoint.loads(saved, densities_of(task), task.identity, name=name).state
    if len(history) != state.t:
        raise ValueError(
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


def drive(
    task: Task,
    start: tuple[State, History] | None,
    used: float,
    *,
    callback: Iterable[Callback],
    workers: int = 1,
    evaluation_timeout: float | None = None,
) -> dict[str, Any]:
    """Go on to the end; the result, in strict JSON. ``used`` is the seconds it took so far."""
    keywords = dict(task.keywords)
    if start and keywords.get("time_limit") is not None:  # what is left of it
        keywords["time_limit"] = max(keywords["time_limit"] - used, 1e-9)
    found = DRIVERS[task.job](
        task.problem,
        workers=workers,
        evaluation_timeout=evaluation_timeout,
        callback=callback,
        start=start,
        **keywords,
    )
    about = {"known": _known(task.problem), "report": _report(task.problem, found)}
    return strict(outcome(found, task.job) | about)


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


def versions() -> dict[str, str]:
    """What the bits depend on besides the settings, and the machine."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "cem": cem.__version__,
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }


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
