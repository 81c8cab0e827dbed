"""Whether the variations of a study can begin: tried before any run, blamed on a line."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NoReturn

import problems
from experiments import TOLD
from experiments.catalogue import Experiment
from experiments.settings import DRIVERS, split
from experiments.task import one_line
from experiments.toml_file import TomlFile


class Begun(BaseException):
    """The first iteration is about to begin: no error, and nobody else's to catch."""


def trial(base: Experiment, seed: int) -> Callable[[dict[str, Any]], None]:
    """What tries settings: it goes as far as the first iteration, so that any error is seen now.

    It draws no sample, and asks the problem for a score only where a local search is tried out. The
    problem stays loaded while its own settings stay the same.
    """

    @lru_cache(maxsize=1)
    def loaded(settings: str) -> Any:
        return problems.load(base.problem, **json.loads(settings))

    def asked(_: Any) -> NoReturn:
        raise Begun

    def tried(settings: dict[str, Any]) -> None:
        of_problem, keywords = split(base.problem, base.job, settings)
        with contextlib.suppress(Begun):  # a stop rule is asked before anything is drawn
            problem = loaded(json.dumps(of_problem))
            DRIVERS[base.job](problem, **keywords | {"until": [asked], "rng": seed})

    return tried


@contextmanager
def blamed(
    file: TomlFile, changes: dict[str, Any], settings: dict[str, Any], *where: str | int
) -> Iterator[None]:
    """Whatever is wrong in here is wrong on the line of the setting that the error speaks of."""
    try:
        yield
    except TOLD as error:
        places = [(*where, key) for key in changes]
        places += [(table, key) for table in ("settings", "budget") for key in settings]
        spoken_of = (at for at in places if _speaks_of(error, at[-1], settings))
        with file.at(*next((at for at in spoken_of if file.holds(*at)), where)):
            raise ValueError(one_line(error)) from error


def _speaks_of(error: Exception, key: Any, settings: dict[str, Any]) -> bool:
    value = settings.get(key)
    named = isinstance(value, str) and len(value) > 1 and value in str(error)
    return named or re.search(rf"\b{key}\b", str(error)) is not None
