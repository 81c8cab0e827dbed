"""Named experiments: one TOML file each in ``catalogue/``, checked before anything runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import problems
from experiments.settings import DRIVERS, complete, of_problem, parse, replanned
from experiments.toml_file import TomlFile
from problems import nearest

FOLDER = Path(__file__).parent / "catalogue"
KEYS: dict[str, tuple[type, ...]] = {  # what a file may hold, and the type of it
    "description": (str,),
    "problem": (str,),
    "job": (str,),
    "seed": (int,),
    "settings": (dict,),  # of the problem
    "method": (dict,),  # keyword arguments of the driver
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
        settings = replanned(self.settings, {key: new[key] for key in given})
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
        if name in problems.names():
            own = ", ".join(n for n in names() if find(n).problem == name)
            instead = f"one of its experiments, {own}, or " if own else ""
            raise ValueError(
                f"{name!r} is a problem, no experiment: expected {instead}a study with problem = "
                f'"{name}", run by cem sweep'
            )
        raise ValueError(f"there is no experiment {name!r}" + nearest(name, names()))
    return read(FOLDER / f"{name}.toml")


def read(path: Path) -> Experiment:
    """Read and check an experiment file; every complaint begins with the file's name and line."""
    file = TomlFile.read(path)
    file.check(KEYS)
    table = file.table
    with file.at():
        if missing := [key for key in REQUIRED if key not in table]:
            raise ValueError(f"the key {missing[0]} is missing; expected {', '.join(REQUIRED)}")
    problem, job, seed = table["problem"], table["job"], table.get("seed", 1)
    with file.at("job"):
        if job not in DRIVERS:
            raise ValueError(f"no job {job!r}" + nearest(job, list(DRIVERS)))
    with file.at("seed"):
        if seed < 0:
            raise ValueError(f"seed must be at least 0; got {seed}")
    given = {**_given(file, problem, job, "settings"), **_given(file, problem, job, "method")}
    return Experiment(
        path.stem, table["description"], problem, job, complete(problem, job, {}) | given, seed
    )


def _given(file: TomlFile, problem: str, job: str, table: str) -> dict[str, Any]:
    """The settings of one table of a file; each of the two holds its own."""
    with file.at("problem"):
        ours = of_problem(problem)
    given = {}
    for key, value in file.table.get(table, {}).items():
        with file.at(table, key):
            if table == "settings" and key not in ours:
                raise ValueError(
                    f"the problem {problem!r} has no setting {key!r}" + nearest(key, sorted(ours))
                )
            if table == "method" and key in ours:
                raise ValueError(f"{key} is a setting of the problem: move it to [settings]")
            given[key] = complete(problem, job, {key: value}, base=file.path.parent)[key]
    return given
