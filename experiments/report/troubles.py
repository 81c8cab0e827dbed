"""What a reader of the page has to know first: runs without a result, without success, warned."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from experiments.report import words
from experiments.report.rows import Row

NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w.]*\w)")
TROUBLE = {  # the states that need a look, and what is said of them
    "failed": "failed",
    "no success": "ended without success",
    "interrupted": "interrupted, and can be resumed",
    "cut": "cut: begun, but no process is at work on it",
    "running": "not finished when this was made",
    "planned": "not begun",
}
Entry = tuple[str, list[Row]]  # what is to be said, and of whom


@dataclass(frozen=True)
class Trouble:
    """Runs that need a look, those with the same message together."""

    headline: str
    entries: list[Entry]


def troubles(rows: Sequence[Row]) -> list[Trouble]:
    """Every run that needs a look, by the kind of trouble."""
    found = []
    for state, what in TROUBLE.items():
        if there := [row for row in rows if row.state == state]:
            headline = f"{words.count(len(there), 'run')} {what}"
            found.append(Trouble(headline, together((row.trouble, row) for row in there)))
    if there := [row for row in rows if row.warnings]:
        each = ((text, row) for row in there for text in row.warnings)
        found.append(Trouble(f"{words.count(len(there), 'run')} with warnings", together(each)))
    return found


def together(each: Iterable[tuple[str, Row]]) -> list[Entry]:
    """One entry for messages that differ in their numbers only, which become ranges.

    >>> together([("7 of 100 are bad", "a"), ("gone", "b"), ("12 of 100 are bad", "c")])
    [('7 to 12 of 100 are bad', ['a', 'c']), ('gone', ['b'])]
    """
    groups: dict[str, list[tuple[str, Row]]] = {}
    for text, row in each:
        groups.setdefault(NUMBER.sub("#", text), []).append((text, row))
    return [
        (_common([text for text, _ in own]), [row for _, row in own]) for own in groups.values()
    ]


def _common(texts: Sequence[str]) -> str:
    seen = zip(*(NUMBER.findall(text) for text in texts), strict=True)
    ranges = iter([sorted(set(numbers), key=float) for numbers in seen])

    def said(_: re.Match[str]) -> str:
        numbers = next(ranges)
        return numbers[0] if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"

    return NUMBER.sub(said, texts[0])
