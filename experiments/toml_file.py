"""A TOML file whose mistakes are named with their line."""

from __future__ import annotations

import tomllib
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from problems import nearest

KINDS = {  # of values, and what they are called
    str: "a string",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a table",
}
OPEN = ("", "]", "]]", "]}", "]}]", '"""', "'''", '"""]', "''']")  # what may end an unfinished one


@dataclass(frozen=True)
class TomlFile:
    """The text of a file and what it says."""

    path: Path
    text: str
    table: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> TomlFile:
        """Read it; every complaint begins with the file's name."""
        try:
            text = path.read_text(encoding="utf-8-sig")  # some editors begin it with a mark
            return cls(path, text, tomllib.loads(f"{text}\n#"))  # so that no line is "the end"
        except ValueError as error:  # tomllib's, with its line, and Unicode's too
            raise ValueError(f"{path.name}: {error}") from error
        except RecursionError as error:
            raise ValueError(f"{path.name}: its lists or tables are nested too deeply") from error

    def check(self, known: Mapping[str, tuple[type, ...]]) -> None:
        """Refuse keys that are not known, and values of another type."""
        for key, value in self.table.items():
            with self.at(key):
                if key not in known:
                    raise ValueError(f"no key {key!r}" + nearest(key, list(known)))
                if type(value) not in known[key]:
                    kinds = " or ".join(KINDS[kind] for kind in known[key])
                    raise ValueError(f"{key} must be {kinds}; got {value!r}")

    def line(self, *where: str | int) -> int:
        r"""The line on which a key, or an element of a list, is first spoken of, from 1.

        >>> text = "[grid]\n# two\nrho = [\n0.1]"
        >>> TomlFile(Path("a.toml"), text, tomllib.loads(text)).line("grid", "rho")
        3
        """
        lines = self.text.split("\n")

        def said(n: int) -> bool:
            return _holds(_beginning("\n".join(lines[: n + 1])), where)

        return bisect_left(range(len(lines)), True, key=said) + 1

    def holds(self, *where: str | int) -> bool:
        """Whether it speaks of a key, or of an element of a list."""
        return _holds(self.table, where)

    @contextmanager
    def at(self, *where: str | int) -> Iterator[None]:
        """Whatever is wrong in here is wrong on the line of that key, or of what it is part of."""
        try:
            yield
        except (ValueError, TypeError, OSError) as error:
            while where and not self.holds(*where):
                where = where[:-1]
            on = f", line {self.line(*where)}" if where else ""
            file = error.filename if isinstance(error, OSError) else None
            said = f"{error.strerror}: {file}" if file else str(error)
            raise ValueError(f"{self.path.name}{on}: {said}") from error


def _beginning(text: str) -> dict[str, Any]:
    """What the first lines of a file say, be they the beginning of a list."""
    for end in OPEN:
        try:
            return tomllib.loads(text + end)
        except tomllib.TOMLDecodeError:
            continue
    return {}


def _holds(table: Any, where: tuple[str | int, ...]) -> bool:
    for key in where:
        there = range(len(table)) if isinstance(table, list) else table
        if not isinstance(table, dict | list) or key not in there:
            return False
        table = table[key]
    return True
