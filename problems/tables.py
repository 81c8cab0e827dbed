"""Texts, and tables of numbers between blanks: what the readers of instances share."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np

from cem.typing import Array

MOST_BYTES = 100_000_000  # more than any instance in these formats; a larger file is a mistake


def read_text(
    path: str | PathLike[str], what: str, most: int = MOST_BYTES, *, encoding: str = "utf-8"
) -> str:
    """The text of a file that should hold ``what``.

    Raises ValueError if it has more than ``most`` bytes, before it is read, or other bytes than
    those of a text.
    """
    path = Path(path)
    if (size := path.stat().st_size) > most:
        raise ValueError(f"{path} has {size} bytes: expected {what} of {most} at most")
    try:
        return path.read_text(encoding=encoding)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not a text file: expected {what}") from error


class Numbers:
    """The numbers of a text, taken one table after the other; every complaint names the text.

    >>> numbers = Numbers("made up", "2  1 2  3 4")
    >>> n = numbers.size("n", 1, 10)
    >>> numbers.table(n, n).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    >>> numbers.end()
    """

    def __init__(self, name: str, text: str) -> None:
        self.name, self._words, self._at = name, text.split(), 0

    @classmethod
    def of_file(cls, path: str | PathLike[str]) -> Numbers:
        """The numbers of a file; raises ValueError if it is too large, or no text."""
        return cls(str(path), read_text(path, "a text of numbers", encoding="ascii"))

    def size(self, what: str, least: int, most: int) -> int:
        """The next number, a whole one from ``least`` to ``most``."""
        word = self._words[self._at] if self._at < len(self._words) else "the end"
        if not word.isdecimal() or len(word) > 9 or not least <= int(word) <= most:
            raise ValueError(
                f"{self.name}: expected {what}, a whole number from {least} to {most}; got "
                f"{word[:40]!r}"
            )
        self._at += 1
        return int(word)

    def table(self, rows: int, columns: int) -> Array:
        """The next ``rows * columns`` numbers, row by row, all finite."""
        words = self._words[self._at : self._at + rows * columns]
        if len(words) < rows * columns:
            raise ValueError(
                f"{self.name}: expected a table of {rows} x {columns} numbers, but only "
                f"{len(words)} are left; the file is likely truncated or its sizes are wrong"
            )
        self._at += rows * columns
        return np.array([self._number(word) for word in words]).reshape(rows, columns)

    def end(self) -> None:
        """Refuse a text that goes on."""
        if left := len(self._words) - self._at:
            raise ValueError(
                f"{self.name}: {left} numbers are left over, from {self._words[self._at][:40]!r} "
                "on; the sizes at its beginning are likely wrong"
            )

    def _number(self, word: str) -> float:
        try:
            number = float("nan" if "_" in word else word)
        except ValueError:
            number = np.nan
        if not np.isfinite(number):
            raise ValueError(f"{self.name}: expected finite numbers; got {word[:40]!r}")
        return number
