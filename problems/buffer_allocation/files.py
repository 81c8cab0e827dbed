"""Machine data in a CSV file: a line per machine, its times, how they vary and how it fails."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cem.typing import Array
from problems import nearest
from problems.buffer_allocation.line import ProductionLine

FAILING = ("mean_time_to_failure", "mean_time_to_repair")
COLUMNS = ("machine", "mean_time", "rate", "cv", "distribution", *FAILING)
MOST_MACHINES = 10_000  # more lines than any line has machines; a longer file is a mistake


class Machines(NamedTuple):
    """The machines of a file: their names, from the first to the last, and the line they make."""

    names: tuple[str, ...]
    line: ProductionLine


@dataclass(frozen=True)
class Fixed:
    """A service time that is always the same, with what `ProductionLine` asks of a distribution.

    >>> ProductionLine([Fixed(0.5), 1.2]).rates
    array([2. , 1.2])
    """

    time: float

    def mean(self) -> float:
        """The time."""
        return self.time

    def support(self) -> tuple[float, float]:
        """From the time to the time."""
        return self.time, self.time

    def rvs(self, size: Any, random_state: Any = None) -> Array:
        """The time, so often; nothing is drawn."""
        del random_state
        return np.full(size, self.time)


def read_machines(path: str | PathLike[str], failures: str = "operation") -> Machines:
    """Read a CSV file with a line of names and then a line per machine, in the order of the jobs.

    ``machine`` is a name. ``mean_time`` is that of a job, or ``rate`` its inverse: one of the two
    columns. All others may be missing or have empty cells. ``cv``, the standard deviation of the
    time over its mean, is 1 by default; 0 is a time that is always the same. ``distribution`` is
    ``exponential`` (the default without ``cv``), ``gamma`` (the default with it) or ``lognormal``.
    A machine that fails has both of ``mean_time_to_failure`` and ``mean_time_to_repair``, whose
    times are exponential; ``failures`` is that of `ProductionLine`: with ``"operation"`` the time
    to failure counts time at work only. All times are in one unit, and the throughput is in jobs
    per that unit.

    Raises ValueError, naming the file and the line, for anything else.
    """
    path = Path(path)
    lines = _lines(path)
    number, head = lines[0]
    columns = _columns(f"{path}, line {number}", [word.strip() for word in head])
    machines = [_Machine.of(f"{path}, line {n}", columns, words) for n, words in lines[1:]]
    names = [machine.name for machine in machines]
    for i, name in enumerate(names):
        if name in names[:i]:
            raise ValueError(
                f"{path}, line {lines[i + 1][0]}: every machine needs a name of its own; "
                f"{name!r} is that of line {lines[names.index(name) + 1][0]}"
            )
    if len(machines) < 2:
        raise ValueError(f"{path}: a line has at least two machines; got {len(machines)}")
    service = [machine.service for machine in machines]
    if not any(machine.failure_rate for machine in machines):
        return Machines(tuple(names), ProductionLine(service))
    rates = [[m.failure_rate for m in machines], [m.repair_rate for m in machines]]
    return Machines(tuple(names), ProductionLine(service, *rates, failures))


class _Machine(NamedTuple):
    name: str
    service: Any
    failure_rate: float
    repair_rate: float

    @classmethod
    def of(cls, where: str, columns: list[str], words: list[str]) -> _Machine:
        """A machine from its line of the file."""
        if len(words) != len(columns):
            raise ValueError(f"{where}: expected {len(columns)} cells; got {len(words)}")
        cells = dict(zip(columns, map(str.strip, words), strict=True))
        if not cells["machine"]:
            raise ValueError(f"{where}: expected the name of a machine; got an empty cell")
        given = {
            name: _number(where, name, cells[name])
            for name in COLUMNS
            if name not in {"machine", "distribution"} and cells.get(name)
        }
        service = _service(where, given, cells.get("distribution", ""))
        if (n := len(given.keys() & set(FAILING))) == 1:
            raise ValueError(f"{where}: a machine that fails needs both of {' and '.join(FAILING)}")
        failure, repair = (1 / given[name] for name in FAILING) if n else (0.0, 1.0)
        return cls(cells["machine"], service, failure, repair)


def _service(where: str, given: dict[str, float], kind: str) -> Any:
    """A rate if the times are exponential, else their distribution."""
    if "mean_time" not in given and "rate" not in given:
        raise ValueError(f"{where}: expected the mean time or the rate; got an empty cell")
    mean = given["mean_time"] if "mean_time" in given else 1 / given["rate"]
    cv = given.get("cv", 1.0)
    kind = kind or ("gamma" if "cv" in given else "exponential")
    if kind not in {"exponential", "gamma", "lognormal"}:
        raise ValueError(
            f"{where}: unknown distribution {kind[:40]!r}; known: exponential, gamma, lognormal"
        )
    if kind == "exponential" and cv != 1:
        raise ValueError(
            f"{where}: exponential times have the cv 1; got {cv:g}: leave the cv out, or take "
            "gamma or lognormal"
        )
    if cv == 0:
        return Fixed(mean)
    if kind == "exponential" or (kind == "gamma" and cv == 1):
        return 1 / mean
    from scipy import stats

    if kind == "gamma":
        return stats.gamma(cv**-2, scale=mean * cv**2)
    variance = math.log1p(cv**2)  # of the logarithm
    return stats.lognorm(math.sqrt(variance), scale=mean * math.exp(-variance / 2))


def _number(where: str, name: str, word: str) -> float:
    try:
        number = float("nan" if "_" in word else word)
    except ValueError:
        number = math.nan
    what = "0 or a number from 0.001 to 100" if name == "cv" else "a positive number"
    good = number == 0 or 1e-3 <= number <= 100 if name == "cv" else 0 < number < math.inf
    if not good:
        raise ValueError(f"{where}: expected {what} as {name}; got {word[:40]!r}")
    return number


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """All lines that are not empty, with their numbers."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, skipinitialspace=True, strict=True)
            lines = []
            for words in reader:
                if any(map(str.strip, words)):
                    lines.append((reader.line_num, words))
                if len(lines) > MOST_MACHINES:
                    raise ValueError(f"{path}: expected at most {MOST_MACHINES} machines")
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is not a CSV file: {error}") from error
    if not lines:
        raise ValueError(f"{path}: expected a line of names and a line per machine; got none")
    return lines


def _columns(where: str, names: list[str]) -> list[str]:
    for i, name in enumerate(names):
        if name not in COLUMNS:
            raise ValueError(f"{where}: unknown column {name[:40]!r}" + nearest(name, [*COLUMNS]))
        if name in names[:i]:
            raise ValueError(f"{where}: the column {name!r} is there twice")
    if "machine" not in names or ("mean_time" in names) == ("rate" in names):
        raise ValueError(
            f"{where}: expected the columns machine and either mean_time or rate; got "
            + ", ".join(names)
        )
    return names
