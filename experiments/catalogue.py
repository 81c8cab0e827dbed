"""Named experiments: one TOML file each in ``catalogue/``, checked before anything runs."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from experiments.settings import DRIVERS, changed, complete, of_problem, parse
from problems import nearest

FOLDER = Path(__file__).parent / "catalogue"
KEYS = {  # what a file may hold, and the type of it
    "description": str,
    "problem": str,
    "job": str,
    "seed": int,
    "settings": dict,  # of the problem
    "method": dict,  # keyword arguments of the driver
}
REQUIRED = ("description", "problem", "job")


@dataclass(frozen=True)
class Experiment:
    """A problem, what to do with it, and every setting of both."""

    name: str
    description: str
    problem: str
    job: str  # estimate, expectation, maximize or minimize
    settings: dict[str, Any]
    seed: int = 1

    def changed(self, assignments: Iterable[str], seed: int | None = None) -> Experiment:
        """With other settings (``key=value``) and perhaps another seed.

        >>> find("bridge").changed(["gamma=3"]).settings["gamma"]
        3
        """
        given = parse(assignments)
        new = complete(self.problem, self.job, given)
        settings = changed(self.settings, {key: new[key] for key in given}, self.job)
        return replace(self, settings=settings, seed=self.seed if seed is None else seed)


def names() -> list[str]:
    """The experiments of the catalogue.

    >>> "bridge" in names() and "maxcut" in names()
    True
    """
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def find(name: str) -> Experiment:
    """The experiment of that name; an unknown one is answered by the nearest."""
    if name not in names():
        raise ValueError(f"there is no experiment {name!r}" + nearest(name, names()))
    return read(FOLDER / f"{name}.toml")


def read(path: Path) -> Experiment:
    """Read and check an experiment file; every complaint begins with the file's name."""
    try:
        return _experiment(path, tomllib.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:  # tomllib's and Unicode's too
        raise ValueError(f"{path.name}: {error}") from error


def _experiment(path: Path, table: dict[str, Any]) -> Experiment:
    for key, value in table.items():
        if key not in KEYS:
            raise ValueError(f"no key {key!r}" + nearest(key, list(KEYS)))
        if type(value) is not KEYS[key]:
            raise ValueError(f"{key} must be a {_toml(KEYS[key])}; got {value!r}")
    if missing := [key for key in REQUIRED if key not in table]:
        raise ValueError(f"the key {missing[0]} is missing; expected {', '.join(REQUIRED)}")
    problem, job, seed = table["problem"], table["job"], table.get("seed", 1)
    if job not in DRIVERS:
        raise ValueError(f"no job {job!r}" + nearest(job, list(DRIVERS)))
    if seed < 0:
        raise ValueError(f"seed must be at least 0; got {seed}")
    given = _given(problem, table.get("settings", {}), table.get("method", {}))
    settings = complete(problem, job, given, base=path.parent)
    return Experiment(path.stem, table["description"], problem, job, settings, seed)


def _given(problem: str, settings: dict[str, Any], method: dict[str, Any]) -> dict[str, Any]:
    """Both tables of a file as one; each of them holds its own."""
    ours = of_problem(problem)
    for key in settings:
        if key not in ours:
            raise ValueError(
                f"the problem {problem!r} has no setting {key!r}" + nearest(key, sorted(ours))
            )
    for key in method:
        if key in ours:
            raise ValueError(f"{key} is a setting of the problem: move it to [settings]")
    return settings | method


def _toml(kind: type) -> str:
    return {str: "string", int: "whole number", dict: "table"}[kind]
