"""Problems for the cross-entropy method: one file each, or one folder. They are found by name.

A module or package anywhere below this one is a problem if it defines ``problem``, a class or
function whose arguments are the settings. Its name is that of the file, with dashes.
"""

from __future__ import annotations

import difflib
import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["load", "names", "settings"]

MOST_LISTED = 30


def names() -> list[str]:
    """The names that `load` knows.

    >>> "bridge" in names() and "maxcut" in names()
    True
    """
    return sorted(_found())


def load(name: str, /, **values: Any) -> Any:
    """The problem of that name with these settings; an unknown one is answered by the nearest.

    >>> load("bridge", gamma=3.0)
    Bridge(gamma=3.0)
    """
    known = settings(name)
    for key in values:
        if key not in known:
            raise ValueError(
                f"the problem {name!r} has no setting {key!r}" + nearest(key, sorted(known))
            )
    return _found()[name](**values)


def settings(name: str) -> dict[str, inspect.Parameter]:
    """The settings that a problem takes, by name.

    >>> settings("bridge")["gamma"].default
    2.0
    """
    found = _found()
    if name not in found:
        raise ValueError(f"there is no problem {name!r}" + nearest(name, sorted(found)))
    return dict(inspect.signature(found[name]).parameters)


def nearest(word: str, known: list[str]) -> str:
    """The end of a message about an unknown word: what was likely meant, and what there is.

    Where there is much and one of them is meant, only the nearest are listed.

    >>> nearest("gama", ["gamma", "rho"])
    "; did you mean 'gamma'? known: gamma, rho"
    """
    close = difflib.get_close_matches(word, known, n=1)
    if close and len(known) > MOST_LISTED:
        near = difflib.get_close_matches(word, known, n=5, cutoff=0.0)
        known = [*near, f"and {len(known) - len(near)} more"]
    meant = f"; did you mean {close[0]!r}?" if close else ";"
    return f"{meant} known: {', '.join(known) or 'none'}"


def file_of(instance: str | PathLike[str], known: list[str]) -> Path:
    """The path of an instance's file; a bare word that is no file is taken for an unknown name.

    >>> file_of("p4", ["p43"])
    Traceback (most recent call last):
    ValueError: there is no instance 'p4' and no file of this name; did you mean 'p43'? known: p43
    """
    path = Path(instance)
    if str(instance) == path.name and not path.suffix and not path.exists():
        raise ValueError(
            f"there is no instance {path.name!r} and no file of this name"
            + nearest(path.name, known)
        )
    return path


def check_whole(name: str, value: Any, least: int) -> None:
    """Refuse a setting that is no whole number, or too small a one."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be a whole number; got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}; got {value}")


def check_every(name: str, values: Any, good: Any, must: str, where: str) -> None:
    """Refuse an array with a bad entry, and name the first: what it must be, and where it is not.

    >>> check_every("mean", [1.0, -2.0], np.array([True, False]), "positive", "activity")
    Traceback (most recent call last):
    ValueError: every mean must be positive; got -2 for activity 1
    """
    if not good.all():
        at = int((~good).argmax())
        raise ValueError(f"every {name} must be {must}; got {values[at]:g} for {where} {at}")


def _found() -> dict[str, Any]:
    return {name.replace("_", "-"): factory for name, factory in _walk(__name__, __path__)}


def _walk(package: str, path: Any) -> Iterator[tuple[str, Any]]:
    for info in pkgutil.iter_modules(path):
        module = import_module(f"{package}.{info.name}")
        if hasattr(module, "problem"):
            yield info.name, module.problem
        elif info.ispkg:
            yield from _walk(module.__name__, module.__path__)
