"""What the files of the catalogue say of themselves, read without loading anything they name."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "catalogue"


@dataclass(frozen=True)
class Summary:
    """The head of one file."""

    name: str
    description: str
    problem: str
    job: str


def of_all() -> list[Summary]:
    """Every experiment of the catalogue, by name.

    >>> [each.problem for each in of_all() if each.name == "bridge"]
    ['bridge']
    """
    return sorted(map(_summary, FOLDER.glob("*.toml")), key=lambda summary: summary.name)


def _summary(path: Path) -> Summary:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        return Summary(path.stem, table["description"], table["problem"], table["job"])
    except (KeyError, ValueError):  # who reads all of it says what is wrong
        from experiments import catalogue

        found = catalogue.read(path)
        return Summary(path.stem, found.description, found.problem, found.job)
