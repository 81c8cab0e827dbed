"""A comparison on paper: its tables, its sentences and its figures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from cem.state import History
from experiments.store import Run

FIGURES = {  # and what they show
    "bands": "The median over the seeds, and the middle half of them, against evaluations.",
    "profiles": "The share of runs that had reached the target after so many evaluations.",
    "settings": "What came out, against the settings that were varied.",
}
NUMBER = re.compile(  # how a number begins, and what stands where there is none
    r"[-\N{MINUS SIGN}+<>]?\s?\d[^A-Za-z]*(e[-+]?\d|to|x|s|%|$|\s)"
    r"|[-\N{EN DASH}\N{EM DASH}]?$|-?inf|never|failed"
)


@dataclass(frozen=True)
class Table:
    """Cells of text; ``kinds`` says of every column whether it holds a ``number`` or ``text``."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    @property
    def kinds(self) -> list[str]:
        """By what its cells begin with; the first column names the rows.

        >>> Table("", ("a", "b", "c"), [("1", "0.5 (3 %)", "x"), ("2", "-", "y")]).kinds
        ['text', 'number', 'text']
        """
        columns = list(zip(*self.rows, strict=True))[1:]
        numeric = [all(NUMBER.match(cell) for cell in column) for column in columns]
        return ["text", *("number" if yes else "text" for yes in numeric)]


@dataclass(frozen=True)
class Figure:
    """A drawing, and what it shows."""

    svg: Markup
    caption: str


@dataclass(frozen=True)
class Compared:
    """Everything that is said of runs of one kind."""

    title: str
    tables: list[Table]
    sentences: Sequence[str]
    figures: list[Figure]


def compared(
    runs: Sequence[Run], histories: Mapping[int, History], plan: Mapping[str, Any] | None
) -> list[Compared]:
    """Every kind of run, one problem and one job, compared with its like; a lone one is not."""
    from experiments import comparison, figures

    found = []
    for problem, job in dict.fromkeys((run.problem, run.job) for run in runs):
        like = [run for run in runs if (run.problem, run.job) == (problem, job)]
        if len(like) == 1:
            continue
        result = comparison.of(like, histories, plan)
        title = f"{job} {problem}".capitalize() if plan is None else "The variations compared"
        drawn = [name for name in FIGURES if name != "settings" or figures.has_settings(result)]
        pictures = []
        for name in drawn:
            svg = figures.svg(getattr(figures, name)(result), f"{name}-{len(found)}")
            pictures.append(Figure(Markup(svg), FIGURES[name]))  # noqa: S704 - escaped there
        tables = [Table(t.title, t.header, t.rows) for t in comparison.tables(result)]
        found.append(Compared(title, tables, comparison.sentences(result), pictures))
    return found
