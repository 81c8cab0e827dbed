"""What the files of TSPLIB 95 have in common: keywords, sections, and numbers strictly read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Self

from problems import nearest
from problems.tables import read_text

MOST_BYTES = 1 << 26  # of a file
WHOLE = re.compile(r"[+-]?\d{1,30}", re.ASCII)
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
KEYS = (
    *("NAME", "TYPE", "COMMENT", "DIMENSION", "CAPACITY", "EDGE_WEIGHT_TYPE"),
    *("EDGE_WEIGHT_FORMAT", "EDGE_DATA_FORMAT", "NODE_COORD_TYPE", "DISPLAY_DATA_TYPE"),
)
SECTIONS = (
    *("NODE_COORD_SECTION", "DEPOT_SECTION", "DEMAND_SECTION", "EDGE_DATA_SECTION"),
    *("FIXED_EDGES_SECTION", "DISPLAY_DATA_SECTION", "TOUR_SECTION", "EDGE_WEIGHT_SECTION"),
)
Lines = list[tuple[int, str]]  # with their numbers in the file, from 1


@dataclass(frozen=True)
class Keywords:
    """A file as its keywords with their values, and its sections with their lines."""

    path: Path
    header: dict[str, tuple[int, str]]  # the line of it, and what follows the colon
    sections: dict[str, tuple[int, Lines]]

    @classmethod
    def read(cls, path: str | PathLike[str]) -> Self:
        """Split a file at its keywords; ValueError for a word that the standard does not know."""
        path = Path(path)
        # Comments may be in any language: latin-1 reads all bytes.
        text = read_text(path, "a file of TSPLIB", MOST_BYTES, encoding="latin-1")
        file = cls(path, {}, {})
        section: Lines | None = None
        ended = False
        for number, line in enumerate(re.split("\r\n|\n|\r", text), start=1):
            if not (content := line.strip()):
                continue
            if ended:
                raise ValueError(f"{file.at(number)}: expected nothing after EOF; got {_cut(line)}")
            if content[0].isalpha():
                section = file._keyword(number, content)
                ended = content == "EOF"
            elif section is None:
                raise ValueError(f"{file.at(number)}: expected a keyword; got {_cut(line)}")
            else:
                section.append((number, content))
        return file

    def _keyword(self, number: int, content: str) -> Lines | None:
        """Note a keyword; the list for the lines that follow if it opens a section."""
        key, colon, value = (part.strip() for part in content.partition(":"))
        if content == "EOF":
            return None
        if key not in KEYS and key not in SECTIONS:
            known = nearest(key[:40], [*KEYS, *SECTIONS, "EOF"])
            raise ValueError(f"{self.at(number)}: there is no keyword {_cut(key)}{known}")
        if key != "COMMENT" and (key in self.header or key in self.sections):
            raise ValueError(f"{self.at(number)}: {key} is there twice")
        if key in KEYS and not colon:
            raise ValueError(f"{self.at(number)}: expected '{key} : value'; got {_cut(content)}")
        if key in KEYS:
            self.header[key] = (number, value)
            return None
        if value:
            raise ValueError(f"{self.at(number)}: expected nothing after {key}; got {_cut(value)}")
        lines: Lines = []
        self.sections[key] = (number, lines)
        return lines

    def at(self, line: int) -> str:
        """The place of a line, to begin a message with."""
        return f"{self.path}, line {line}"

    def where(self, key: str) -> str:
        """The place of a keyword, to begin a message with."""
        found = self.header.get(key) or self.sections.get(key)
        return str(self.path) if found is None else self.at(found[0])

    def value(self, key: str) -> str:
        """The first word after a keyword, which must be there."""
        words = self.header.get(key, (0, ""))[1].split()
        if not words:
            raise ValueError(f"{self.where(key)}: expected a line '{key} : value'; got none")
        return words[0]

    def choice(self, key: str, known: Sequence[str], others: Mapping[str, str]) -> str:
        """The value of a keyword that must be one of a few; ``others`` say why they are refused."""
        word = self.value(key)
        if word in others:
            why = f"{others[word]}; expected {' or '.join(known[:2])}"
            raise ValueError(f"{self.where(key)}: cannot use {key} {word}: {why}")
        if word not in known:
            meant = nearest(word[:40], list(known))
            raise ValueError(f"{self.where(key)}: there is no {key} {_cut(word)} here{meant}")
        return word

    def refuse(self, keys: Sequence[str], kind: str) -> None:
        """Raise ValueError if one of these is there, which a file of this kind cannot have."""
        for key in keys:
            if key in self.header or key in self.sections:
                raise ValueError(f"{self.where(key)}: {key} does not go with {kind}")

    def lines(self, section: str) -> Lines:
        """The lines of a section, which must be there."""
        if section not in self.sections:
            raise ValueError(f"{self.path}: expected the section {section}; got none")
        return self.sections[section][1]

    def numbers(self, section: str) -> Iterator[int | float]:
        """The numbers of a section one by one, however they are broken into lines."""
        for line, text in self.lines(section):
            for word in text.split():
                yield number(self.at(line), word)

    def until_minus_one(self, section: str, n: int | None = None) -> list[int]:
        """The nodes of a section that ends with -1, from 1 to ``n``; nothing may follow but -1."""
        nodes, ended = [], False
        for line, text in self.lines(section):
            for word in text.split():
                if word == "-1":
                    ended = True
                elif ended:
                    raise ValueError(
                        f"{self.at(line)}: expected nothing after -1; got {_cut(word)}"
                    )
                else:
                    nodes.append(whole(self.at(line), word, 1, n))
        if not ended:
            raise ValueError(
                f"{self.where(section)}: expected -1 at the end of the section; got none: the "
                "file is likely truncated"
            )
        return nodes


def whole(where: str, word: str, least: int, most: int | None = None) -> int:
    """A whole number within bounds."""
    limit = f"at least {least}" if most is None else f"from {least} to {most}"
    value = int(word) if WHOLE.fullmatch(word) else None
    if value is None or value < least or (most is not None and value > most):
        raise ValueError(f"{where}: expected a whole number {limit}; got {_cut(word)}")
    return value


def number(where: str, word: str) -> int | float:
    """A finite number; one without a point or exponent is whole.

    >>> number("here", "17"), number("here", "1.7e1")
    (17, 17.0)
    """
    if WHOLE.fullmatch(word):
        return int(word)
    value = float(word) if NUMBER.fullmatch(word) else float("inf")
    if abs(value) == float("inf"):
        raise ValueError(f"{where}: expected a finite number; got {_cut(word)}")
    return value


def count(n: int, what: str) -> str:
    """How many there are, in words.

    >>> count(1, "node"), count(3, "node")
    ('1 node', '3 nodes')
    """
    return f"{n} {what}" + ("" if n == 1 else "s")


def _cut(text: str) -> str:
    """As much of what a file holds as a message can."""
    return repr(text[:40])
