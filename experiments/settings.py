"""The settings of an experiment: one flat table, shared by its problem and its driver.

Every setting is written down, defaults too, so that a stored run means the same for ever.
"""

from __future__ import annotations

import inspect
import math
import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from types import NoneType
from typing import Any

import cem
import problems
from cem import methods, refining
from cem.study import study
from problems import nearest

DRIVERS: dict[str, Callable[..., Any]] = {
    "estimate": cem.estimate,
    "expectation": cem.expectation,
    "maximize": cem.maximize,
    "minimize": cem.minimize,
}
METHODS: dict[str, Iterable[str]] = {  # that a driver knows by name
    "estimate": methods.METHODS,
    "expectation": methods.METHODS,
    "maximize": ("ce", *refining.METHODS),
    "minimize": ("ce", *refining.METHODS),
}
PLAIN = {  # the annotations that are checked here: what fits, and how to say so
    "bool": (bool, "true or false"),
    "float": (int | float, "a number"),
    "int": (int, "a whole number"),
    "str": (str, "a word"),
    "Mapping[str, float]": (dict, "a table of numbers"),
    "None": (NoneType, ""),
}
PATH = (str, "the path of a file")
EITHER = ({"n_final", "rtol"},)  # settings of which one rules out the others
PLANNED = {"n_samples", "rho", "alpha", "preset"}  # by a method
BY_LEVELS = (None, "ce", "auto", "multilevel")  # the methods for which experiments set them
Settings = Mapping[str, Any]


def of_problem(problem: str) -> dict[str, inspect.Parameter]:
    """The settings that belong to the problem."""
    return problems.settings(problem)


def of_driver(job: str) -> dict[str, inspect.Parameter]:
    """The keyword arguments of the driver that a plain number or word can fill.

    >>> "rho" in of_driver("maximize"), "callback" in of_driver("maximize")
    (True, False)
    >>> "n_final" in of_driver("expectation")  # one of its **options
    True
    """
    parameters = dict(inspect.signature(DRIVERS[job]).parameters)
    if "options" in parameters:
        parameters = {**inspect.signature(study).parameters, **parameters}
    del parameters["evaluation_timeout"]  # decides when to give up, not what comes out
    return {k: p for k, p in parameters.items() if _kinds(str(p.annotation))}


def known(problem: str, job: str) -> dict[str, inspect.Parameter]:
    """Every setting by name; where problem and driver share one (``gamma``), it is the problem's.

    >>> sorted(known("bridge", "estimate"))[:4]
    ['alpha', 'chunk_size', 'gamma', 'max_evaluations']
    """
    ours = of_problem(problem)
    return ours | _of_driver_only(job, ours)


def complete(
    problem: str, job: str, given: Settings, *, base: str | os.PathLike[str] = "."
) -> dict[str, Any]:
    """The given settings and the defaults of all others; paths are taken from ``base``.

    A single word that is no file there may be the name of something else, and is kept.

    Raises ValueError for a setting that is not known or not plain.
    """
    parameters = known(problem, job)
    for key, value in given.items():
        if key not in parameters:
            raise ValueError(f"no setting {key!r}" + nearest(key, sorted(parameters)))
        _check(key, value, str(parameters[key].annotation))
    if given.get("method") is not None and "method" not in of_problem(problem):
        _check_method(job, given["method"])
    defaults = {k: p.default for k, p in parameters.items() if plain(p.default)}
    paths = (k for k, v in given.items() if v is not None and _is_path(parameters[k]))
    absolute = {k: _absolute(given[k], base) for k in paths}
    return defaults | dict(given) | absolute


def changed(settings: Settings, new: Settings) -> dict[str, Any]:
    """The settings with new ones; where one rules out another, the new one counts.

    >>> changed({"n_final": 1000, "rtol": None, "rho": 0.1}, {"rtol": 0.05})
    {'n_final': None, 'rtol': 0.05, 'rho': 0.1}
    """
    ruled_out = {key for keys in EITHER if keys & new.keys() for key in keys & settings.keys()}
    return {**settings, **dict.fromkeys(ruled_out), **new}


def replanned(settings: Settings, new: Settings) -> dict[str, Any]:
    """The same for an experiment: what it set for its own method is forgotten with another one.

    >>> replanned({"n_final": 1000, "rho": 0.1}, {"method": "improved"})
    {'n_final': 1000, 'rho': None, 'method': 'improved'}
    """
    planned = () if new.get("method") in BY_LEVELS else settings.keys() & PLANNED
    return changed({**settings, **dict.fromkeys(planned)}, new)


def split(problem: str, job: str, settings: Settings) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the problem takes, and what the driver takes.

    >>> split("bridge", "estimate", {"gamma": 3.0, "rho": 0.1})
    ({'gamma': 3.0}, {'rho': 0.1})
    """
    ours = of_problem(problem)
    theirs = _of_driver_only(job, ours)
    return (
        {k: v for k, v in settings.items() if k in ours},
        {k: v for k, v in settings.items() if k in theirs},
    )


def files(problem: str, settings: Settings) -> dict[str, Path]:
    """The settings that name a file: absolute ones, whose annotation mentions a path."""
    found = {k: Path(settings[k]) for k in may_be_files(problem) if settings.get(k)}
    return {k: path for k, path in found.items() if path.is_absolute()}


def may_be_files(problem: str) -> list[str]:
    """The settings of a problem that may name a file.

    >>> may_be_files("maxcut")
    ['graph']
    """
    return [key for key, parameter in of_problem(problem).items() if _is_path(parameter)]


def checksum(path: Path) -> str:
    """What tells the contents of a file from others."""
    return sha256(path.read_bytes()).hexdigest()[:16]


def parse(assignments: Iterable[str]) -> dict[str, Any]:
    """``key=value`` pairs; a value is TOML where it can be, ``none``, or else the word itself.

    >>> parse(["n_samples=1_000", "rho=0.2", "graph=G1.txt"])
    {'n_samples': 1000, 'rho': 0.2, 'graph': 'G1.txt'}
    """
    pairs = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not key.strip():
            raise ValueError(f"--set {assignment}: expected key=value, such as --set n_samples=500")
        pairs[key.strip()] = _value(text.strip())
    return pairs


def plain(value: Any) -> bool:
    """Whether JSON and TOML can both say it."""
    if isinstance(value, list):
        return all(map(plain, value))
    if isinstance(value, dict):
        return all(map(plain, value.values()))
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, bool | int | str)


def _of_driver_only(
    job: str, ours: Mapping[str, inspect.Parameter]
) -> dict[str, inspect.Parameter]:
    return {k: p for k, p in of_driver(job).items() if k not in ours}


def _check(key: str, value: Any, annotation: str) -> None:
    if not plain(value):
        raise ValueError(
            f"{key} must be a finite number, a word, true, false or a list of these; got {value!r}"
        )
    kinds = [PATH, PLAIN["None"]] if "Path" in annotation else _kinds(annotation)
    fits = any(isinstance(value, kind) for kind, _ in kinds)
    if kinds and (not fits or (isinstance(value, bool) and PLAIN["bool"] not in kinds)):
        words = " or ".join(word for _, word in kinds if word)
        raise ValueError(f"{key} must be {words}; got {value!r}")


def _check_method(job: str, name: str) -> None:
    if name not in METHODS[job]:
        raise ValueError(f"no method {name!r}" + nearest(name, list(METHODS[job])))


def _kinds(annotation: str) -> list[Any]:
    """The plain kinds of what an annotation allows; nothing if there is none but None."""
    kinds = [PLAIN[name] for name in annotation.split(" | ") if name in PLAIN]
    return kinds if any(word for _, word in kinds) else []


def _value(text: str) -> Any:
    if text == "none":
        return None
    try:
        table = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    value = table["value"]
    can_be_said = isinstance(value, bool | int | float | str | list | dict)
    return value if can_be_said and len(table) == 1 else text


def _is_path(parameter: inspect.Parameter) -> bool:
    return "Path" in str(parameter.annotation)


def _absolute(value: str, base: str | os.PathLike[str]) -> str:
    path = os.path.abspath(Path(base, Path(value).expanduser()))  # noqa: PTH100 - keeps links
    is_word = Path(value).name == value
    return value if is_word and not Path(path).exists() else path
