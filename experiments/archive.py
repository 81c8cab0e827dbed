"""The file that carries studies and runs between stores: JSON lines, whole or not there at all.

The first line says what the file is and how much is in it; a line for every study and then for
every run follows. A run has its iterations (``null`` is NaN, what is infinite is written as in
`experiments.plain`) and, in base64, the checkpoint that it can go on from, if it has one.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import math
import os
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from errno import ENOENT
from pathlib import Path
from types import NoneType
from typing import IO, Any, get_type_hints

from cem.state import Record
from experiments import plain
from experiments.task import FIGURES, UNFINISHED

FORMAT, VERSION = "cem-archive", 1
STATUSES = ("planned", "running", "interrupted", "failed", "done")
LONGEST = 2**30  # characters of a line; a longer one is no run
HEADER = {"format": str, "version": int, "cem": str, "fields": list, "studies": int, "runs": int}
STUDY = {"study": str, "created": str, "plan": dict}
RUN = {
    "run": str,  # its name in the store it comes from
    "study": str | None,
    "variation": str | None,
    "experiment": str,
    "problem": str,
    "job": str,
    "settings": dict,
    "seed": int,
    "versions": dict,
    "created": str,
    "status": str,
    "touched": str,
    "seconds": float,
    "result": dict | None,
    "error": str | None,
    "note": str,
    "tags": list,
    "checkpoint": str | None,
    "iterations": list,
}
WHOLE = [kind is int for kind in get_type_hints(Record).values()]
Said = dict[str, Any]


def header(studies: int, runs: int, version: str) -> Said:
    """The first line, of an archive with so many studies and runs."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "cem": version,
        "fields": list(Record._fields),
        "studies": studies,
        "runs": runs,
    }


def number(value: float | None) -> float | None:
    """A number of an iteration as it is written; what was not computed is ``null``."""
    return None if value is None or math.isnan(value) else value


def write(path: Path, lines: Iterable[Said]) -> int:
    """Write them, compressed if the name ends with .gz; how many bytes the file has."""
    with _replacing(path) as raw:
        if path.suffix == ".gz":  # without a name or time in it: the same bytes again
            with gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as file:
                file.writelines(f"{plain.dumps(line)}\n".encode() for line in lines)
        else:
            raw.writelines(f"{plain.dumps(line)}\n".encode() for line in lines)
    return path.stat().st_size


@dataclass
class Archive:
    """A file that is read line by line; each is checked, and named if it is not as it should be.

    Raises ValueError with the file, the line and what is likely wrong.
    """

    path: Path
    line: int = 0
    left: dict[str, int] = field(default_factory=dict)  # that the header promises

    def __iter__(self) -> Iterator[Said]:
        lines = self._lines()
        self._begin(next(lines, {}))
        studies: set[str] = set()
        for said in lines:
            kind = "runs" if "run" in said else "studies"
            self._check(said, RUN if kind == "runs" else STUDY)
            self.left[kind] -= 1
            if kind == "studies":
                studies.add(said["study"])
            elif said["study"] is not None and said["study"] not in studies:
                raise self.wrong(f"there is no line for the study {said['study']!r} before its run")
            yield self._run(said) if kind == "runs" else said
        if any(self.left.values()):
            missing = ", ".join(f"{n} {kind}" for kind, n in self.left.items() if n)
            raise self.wrong(
                f"the file ends here, but by its first line there are {missing} more; it was "
                "likely cut off"
            )

    def wrong(self, why: str) -> ValueError:
        """The error that names this line."""
        return ValueError(f"{self.path}, line {self.line}: {why}")

    def _lines(self) -> Iterator[Said]:
        with self.path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            file = gzip.GzipFile(fileobj=raw) if packed else raw
            while text := self._next(file):
                self.line += 1
                try:
                    said = plain.loads(text)
                except ValueError as error:
                    raise self.wrong(f"no JSON ({error}); likely cut off or edited") from None
                if not isinstance(said, dict):
                    raise self.wrong(f"expected a JSON object; got {text[:40]!r}")
                yield said

    def _next(self, file: Any) -> bytes:
        try:
            text = file.readline(LONGEST)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise self.wrong(f"the compressed file ends or breaks after it ({error})") from None
        if len(text) == LONGEST:
            raise self.wrong("the next line is too long to be a run")
        return text

    def _begin(self, said: Said) -> None:
        if said.get("format") != FORMAT:
            raise ValueError(
                f"{self.path} is no archive of runs: expected a file that 'cem archive' wrote"
            )
        if said.get("version") != VERSION:
            raise self.wrong(
                f"expected an archive of version {VERSION}; got {said.get('version')!r}; it was "
                "likely written by another version of cem"
            )
        self._check(said, HEADER)
        if said["fields"] != list(Record._fields):
            raise self.wrong(f"expected iterations of {', '.join(Record._fields)}; got others")
        self.left = {"studies": said["studies"], "runs": said["runs"]}

    def _check(self, said: Said, kinds: dict[str, Any]) -> None:
        if other := sorted(set(kinds).symmetric_difference(said)):
            what = "lacks" if other[0] in kinds else "has an unknown"
            raise self.wrong(f"it {what} {other[0]!r}; likely edited, or of another version of cem")
        for key, kind in kinds.items():
            value = said[key]
            if not isinstance(value, kind) or (isinstance(value, bool)):
                name = getattr(kind, "__name__", kind)
                raise self.wrong(f"{key} must be {name}; got {str(value)[:40]!r}")

    def _run(self, said: Said) -> Said:
        """A run's line with its numbers as the store takes them."""
        self._each(STATUSES.__contains__, f"one of {', '.join(STATUSES)}", status=said["status"])
        self._each(FIGURES.__contains__, f"one of {', '.join(FIGURES)}", job=said["job"])
        names = {key: said[key] or "" for key in ("run", "experiment", "variation", "problem")}
        self._each(str.isprintable, "of letters that can be printed", **names)
        self._each(
            _is_time, "a time with its zone", created=said["created"], touched=said["touched"]
        )
        self._each(_are_words, "words", tags=said["tags"], versions=[*said["versions"].values()])
        self._each(lambda seed: seed >= 0, "0 or more", seed=said["seed"])
        if said["result"] is not None:
            self._result(said["result"], FIGURES[said["job"]])
        rows = [self._iteration(t, row) for t, row in enumerate(said["iterations"], 1)]
        return said | {"iterations": rows, "checkpoint": self._bytes(said["checkpoint"])}

    def _each(self, fits: Callable[[Any], bool], wanted: str, **values: Any) -> None:
        for key, value in values.items():
            if not fits(value):
                raise self.wrong(f"{key} must be {wanted}; got {str(value)[:40]!r}")

    def _result(self, said: Said, figures: tuple[str, ...]) -> None:
        if missing := [key for key in (*UNFINISHED, *figures) if key not in said]:
            raise self.wrong(f"result lacks {missing[0]!r}; likely edited")
        figure = said[figures[0]]
        if type(figure) not in (int, float, NoneType):
            raise self.wrong(f"{figures[0]} of result must be a number; got {str(figure)[:40]!r}")

    def _iteration(self, t: int, row: Any) -> list[float | None]:
        where = f"iteration {t}"
        if not isinstance(row, list) or len(row) != len(WHOLE):
            raise self.wrong(f"{where} must be a list of {len(WHOLE)} numbers")
        for name, whole, value in zip(Record._fields, WHOLE, row, strict=True):
            if type(value) not in ((int,) if whole else (float, NoneType)):
                kind = "a whole number" if whole else "a number with a point, or null"
                raise self.wrong(f"{name} of {where} must be {kind}; got {str(value)[:40]!r}")
            if whole and not -(2**63) <= value < 2**63:
                raise self.wrong(f"{name} of {where} is too large: {value}")
        if row[0] != t:
            raise self.wrong(f"expected {where}; got t = {row[0]}: some are missing")
        return row

    def _bytes(self, text: str | None) -> bytes | None:
        try:
            return None if text is None else base64.b64decode(text, validate=True)
        except binascii.Error as error:
            raise self.wrong(f"the checkpoint is damaged: {error}") from None


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _are_words(values: list[Any]) -> bool:
    return all(isinstance(value, str) for value in values)


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of `path` when it is complete; nothing is left if it is not."""
    folder = path.absolute().parent
    if not folder.is_dir():
        raise FileNotFoundError(ENOENT, os.strerror(ENOENT), str(folder))
    handle, name = tempfile.mkstemp(dir=folder, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
