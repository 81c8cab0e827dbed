"""A study: one problem, variations of its settings, and seeds; a TOML file, checked as a whole."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product, starmap
from pathlib import Path
from typing import Any

import problems
from experiments import catalogue
from experiments.settings import DRIVERS, changed, complete, known, of_problem, replanned
from experiments.toml_file import TomlFile
from experiments.trial import blamed, trial
from problems import nearest

KEYS: dict[str, tuple[type, ...]] = {  # what a file may hold, and the types of it
    "name": (str,),
    "description": (str,),
    "problem": (str,),
    "experiment": (str,),
    "job": (str,),
    "seeds": (int, list),
    "target": (float, int),
    "settings": (dict,),
    "budget": (dict,),
    "grid": (dict,),
    "variations": (list,),
}
BUDGET = ("max_evaluations", "max_iterations", "time_limit")
MOST_RUNS = 10_000
BASE = "base"  # the name of the variation that changes nothing
NAME = re.compile(r"\w[\w .+-]{0,99}")


@dataclass(frozen=True)
class Variation:
    """What one variation changes, and all its settings."""

    name: str
    changes: dict[str, Any]
    settings: dict[str, Any]


@dataclass(frozen=True)
class Study:
    """What a study file says, with every setting of every variation."""

    name: str
    description: str
    experiment: str  # what its runs are called by: of the catalogue, or the problem
    problem: str
    job: str
    settings: dict[str, Any]
    variations: tuple[Variation, ...]
    seeds: tuple[int, ...]
    target: float | None
    text: str

    def plan(self) -> dict[str, Any]:
        """What the store keeps of it, in strict JSON."""
        return {
            "description": self.description,
            "problem": self.problem,
            "job": self.job,
            "settings": self.settings,
            "variations": [{"name": v.name, "changes": v.changes} for v in self.variations],
            "seeds": list(self.seeds),
            "target": self.target,
            "text": self.text,
        }

    def rows(self) -> list[dict[str, Any]]:
        """Its runs, one of every variation for the first seed, then for the next."""
        about = {"experiment": self.experiment, "problem": self.problem, "job": self.job}
        return [
            {**about, "variation": v.name, "settings": v.settings, "seed": seed}
            for seed in self.seeds
            for v in self.variations
        ]


def read(path: Path) -> Study:
    """Read and check a study file; a complaint names the file and, where there is one, the line."""
    file = TomlFile.read(path)
    file.check(KEYS)
    said = file.table
    name = said.get("name", path.stem)
    with file.at("name"):
        if not NAME.fullmatch(name):
            raise ValueError(
                "the name of a study must be at most 100 letters, digits, blanks and . + - _; got "
                f"{name!r}" + ("" if "name" in said else ": rename the file, or say name = ...")
            )
    base = _base(file)
    given = {**_settings(file, base, "settings"), **_budget(file, base)}
    seeds = _seeds(file)
    _check_number(file, len(seeds))
    vary = partial(_varied, base, given)
    settings = vary({})
    target = said.get("target")
    if target is not None and not math.isfinite(target):
        with file.at("target"):
            raise ValueError(f"target must be a finite number; got {target}")
    changes = ((name, one, vary(one)) for name, one in _all(file, base))
    return Study(
        name=name,
        description=said.get("description", ""),
        experiment=base.name,
        problem=base.problem,
        job=base.job,
        settings=settings,
        variations=tuple(_told_apart(file, base, seeds[0], starmap(Variation, changes))),
        seeds=seeds,
        target=None if target is None else float(target),
        text=file.text,
    )


def _base(file: TomlFile) -> catalogue.Experiment:
    """What the settings of the file are added to."""
    said = file.table
    if ("problem" in said) == ("experiment" in said):
        some = ", ".join(key for key in ("problem", "experiment") if key in said) or "neither"
        raise ValueError(
            f"{file.path.name}: expected either problem or experiment, such as problem = "
            f'"bridge"; got {some}'
        )
    if "experiment" in said:
        with file.at("experiment"):
            found = catalogue.find(said["experiment"])
        if said.get("job", found.job) != found.job:
            with file.at("job"):
                raise ValueError(
                    f"the job of the experiment {found.name!r} is {found.job!r}; got "
                    f"{said['job']!r}: leave it out, or give problem = {found.problem!r}"
                )
        return found
    problem = said["problem"]
    with file.at("problem"):
        if problem not in problems.names() and problem in catalogue.names():
            raise ValueError(
                f"{problem!r} is an experiment of the problem "
                f'{catalogue.find(problem).problem!r}: expected experiment = "{problem}"'
            )
        of_problem(problem)
        job = said.get("job") or _usual_job(problem)
    with file.at("job"):
        if job not in DRIVERS:
            raise ValueError(f"no job {job!r}" + nearest(job, list(DRIVERS)))
    return catalogue.Experiment(problem, "", problem, job, complete(problem, job, {}))


def _usual_job(problem: str) -> str:
    """The job of the experiments of the catalogue with this problem."""
    all_of_them = map(catalogue.find, catalogue.names())
    jobs = {experiment.job for experiment in all_of_them if experiment.problem == problem}
    if len(jobs) != 1:
        raise ValueError(
            f"the catalogue does not tell what to do with {problem!r}: expected a key job, one of "
            f"{', '.join(DRIVERS)}"
        )
    return jobs.pop()


def _settings(file: TomlFile, base: catalogue.Experiment, table: str) -> dict[str, Any]:
    return _checked(file, base, file.table.get(table, {}), table)


def _checked(
    file: TomlFile, base: catalogue.Experiment, given: dict[str, Any], *where: str | int
) -> dict[str, Any]:
    """Settings, one by one; an error has the line of its key."""
    return {key: _value(file, base, key, value, *where, key) for key, value in given.items()}


def _value(
    file: TomlFile, base: catalogue.Experiment, key: str, value: Any, *where: str | int
) -> Any:
    """A setting as it will be used: ``"none"`` is no value, and a path counts from the file."""
    value = None if value == "none" else value
    with file.at(*where):
        if key in KEYS and key not in known(base.problem, base.job):
            raise ValueError(
                f"{key} is no setting: expected it above the first [table] of the file"
            )
        folder = file.path.absolute().parent
        return complete(base.problem, base.job, {key: value}, base=folder)[key]


def _budget(file: TomlFile, base: catalogue.Experiment) -> dict[str, Any]:
    for key in file.table.get("budget", {}):
        with file.at("budget", key):
            if key not in BUDGET:
                raise ValueError(f"no budget {key!r}" + nearest(key, list(BUDGET)))
            if key in file.table.get("settings", {}):
                raise ValueError(f"{key} is in [settings] too: expected it in one of them")
    return _settings(file, base, "budget")


def _seeds(file: TomlFile) -> tuple[int, ...]:
    """``seeds = 50`` is 1 to 50."""
    said = file.table.get("seeds", 1)
    if isinstance(said, int):
        with file.at("seeds"):
            if not 1 <= said <= MOST_RUNS:
                raise ValueError(f"seeds must be 1 to {MOST_RUNS:,}, or a list; got {said}")
        return tuple(range(1, said + 1))
    with file.at("seeds"):
        if not said:
            raise ValueError("seeds is empty: expected at least one")
    for at, seed in enumerate(said):
        with file.at("seeds", at):
            if type(seed) is not int or seed < 0:
                raise ValueError(f"a seed must be a whole number of at least 0; got {seed!r}")
            if seed in said[:at]:
                raise ValueError(f"the seed {seed} is given twice")
    return tuple(said)


def _check_number(file: TomlFile, n_seeds: int) -> None:
    """Refuse what no one means, before it is written out."""
    grid = file.table.get("grid", {})
    for key, values in grid.items():
        with file.at("grid", key):
            if not isinstance(values, list) or not values:
                raise ValueError(
                    f"{key} in [grid] must be a list of at least one value; got {values!r}"
                )
    lengths = [len(values) for values in grid.values()] or [
        len(file.table.get("variations", [])) or 1
    ]
    variations = math.prod(lengths)
    if (runs := variations * n_seeds) > MOST_RUNS:
        raise ValueError(
            f"{file.path.name}: it makes {runs:,} runs ({variations:,} variations, "
            f"{' x '.join(map(str, lengths))}, with {n_seeds:,} seeds each); expected at most "
            f"{MOST_RUNS:,}: take fewer values or seeds, or several files"
        )


def _all(file: TomlFile, base: catalogue.Experiment) -> Iterator[tuple[str, dict[str, Any]]]:
    """The name and the changes of every variation."""
    said = file.table
    if "grid" in said and "variations" in said:
        with file.at("variations"):
            raise ValueError("expected [grid] or [[variations]]; got both")
    if "grid" in said:
        with file.at("grid"):
            if not said["grid"]:
                raise ValueError("[grid] is empty: expected lists, such as rho = [0.01, 0.1]")
        columns = [
            [_value(file, base, key, value, "grid", key, at) for at, value in enumerate(values)]
            for key, values in said["grid"].items()
        ]
        for values in product(*columns):
            changes = dict(zip(said["grid"], values, strict=True))
            yield _in_words(changes), changes
        return
    with file.at("variations"):
        if said.get("variations") == []:
            raise ValueError("variations is empty: expected at least one")
    for at, table in enumerate(said.get("variations", [{}])):
        with file.at("variations", at):
            if not isinstance(table, dict):
                raise TypeError(f"a variation must be a table of settings; got {table!r}")
        given = dict(table)
        is_setting = "name" in known(base.problem, base.job)
        name = None if is_setting else given.pop("name", None)
        changes = _checked(file, base, given, "variations", at)
        with file.at("variations", at, "name"):
            fits = isinstance(name, str) and name.strip() and name.isprintable()
            if name is not None and not fits:
                raise ValueError(f"the name of a variation must be a word; got {name!r}")
        yield name or _in_words(changes), changes


def _in_words(changes: dict[str, Any]) -> str:
    """What differs, as a name.

    >>> _in_words({"rho": 0.1, "method": "ce", "alpha": None})
    'rho=0.1, method=ce, alpha=none'
    """
    return ", ".join(f"{key}={_word(value)}" for key, value in changes.items()) or BASE


def _word(value: Any) -> str:
    if isinstance(value, str) and value.startswith("/"):
        return Path(value).name
    return value if isinstance(value, str) else "none" if value is None else json.dumps(value)


def _varied(
    base: catalogue.Experiment, given: dict[str, Any], changes: dict[str, Any]
) -> dict[str, Any]:
    """All settings: the changes come before what is given for all, and that before the base."""
    return replanned(base.settings, changed(given, changes))


def _told_apart(
    file: TomlFile, base: catalogue.Experiment, seed: int, variations: Iterable[Variation]
) -> Iterator[Variation]:
    """Refuse two variations of one name or with the same settings, and one that cannot begin."""
    seen: dict[str, str] = {}
    begin = trial(base, seed)
    key = next((key for key in ("grid", "variations") if key in file.table), "settings")
    for at, variation in enumerate(variations):
        where = (key, at) if key == "variations" else (key,)
        same = json.dumps(_as_floats(variation.settings), sort_keys=True)
        with file.at(*where):
            if variation.name in seen.values():
                raise ValueError(f"two variations are called {variation.name!r}")
            if same in seen:
                raise ValueError(
                    f"the variations {seen[same]!r} and {variation.name!r} have the same settings"
                )
        seen[same] = variation.name
        with blamed(file, variation.changes, variation.settings, *where):
            begin(variation.settings)
        yield variation


def _as_floats(value: Any) -> Any:
    """The same with 1 for 1.0 everywhere, so that what is equal reads equal."""
    if isinstance(value, dict):
        return {key: _as_floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_floats(item) for item in value]
    return float(value) if type(value) is int and abs(value) < 2**53 else value
