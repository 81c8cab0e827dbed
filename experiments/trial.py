"""Whether the variations of a study can begin: tried before any run, blamed on a line."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import problems
from experiments.catalogue import Experiment
from experiments.settings import DRIVERS, split
from experiments.toml_file import TomlFile


class Begun(BaseException):
    """The first scores are asked for: no error, and nobody else's to catch."""


def begin(base: Experiment, settings: dict[str, Any], seed: int) -> None:
    """Go as far as the first scores, so that whatever is out of range is seen before any run."""

    def asked(*_: Any) -> NoReturn:
        raise Begun

    of_problem, keywords = split(base.problem, base.job, settings)
    loaded = problems.load(base.problem, **of_problem)
    with contextlib.suppress(Begun):
        DRIVERS[base.job](loaded, workers=asked, **keywords | {"rng": seed})


@contextmanager
def blamed(
    file: TomlFile, changes: dict[str, Any], settings: dict[str, Any], *where: str | int
) -> Iterator[None]:
    """Whatever is wrong in here is wrong on the line of the setting that the error speaks of."""
    try:
        yield
    except (ValueError, TypeError, OSError) as error:
        places = [(*where, key) for key in changes]
        places += [(table, key) for table in ("settings", "budget") for key in settings]
        spoken_of = (at for at in places if _speaks_of(error, at[-1], settings))
        with file.at(*next((at for at in spoken_of if file.holds(*at)), where)):
            raise


def _speaks_of(error: Exception, key: Any, settings: dict[str, Any]) -> bool:
    value = settings.get(key)
    named = isinstance(value, str) and len(value) > 1 and value in str(error)
    return named or re.search(rf"\b{key}\b", str(error)) is not None
