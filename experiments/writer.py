"""Adding to a run: the one process that does so, every iteration in a transaction of its own."""

from __future__ import annotations

import math
import os
import socket
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cem.state import Record
from experiments.complaints import ReplacedError, StoreError
from experiments.database import Database
from experiments.tables import iterations, runs

ADD = sa.insert(iterations)
CHANGE = sa.update(runs).where(
    (runs.c.id == sa.bindparam("key")) & (runs.c.writer == sa.bindparam("mine"))
)
SILENCE = timedelta(seconds=120)  # after which a writer on another machine is taken for dead


@dataclass(frozen=True)
class Writer:
    """Adds to one run; `token` says in the store who it is: host, process, and a word of its own.

    The token is in the row of the run from the beginning, and whoever finds another one there has
    been replaced.
    """

    database: Database
    key: int  # of the run
    name: str
    token: str

    def add(self, record: Record, checkpoint: bytes, seconds: float) -> None:
        """Commit an iteration: its row, the checkpoint after it and the time, or none of them."""
        self.add_all([record], checkpoint, seconds)

    def add_all(
        self, records: Sequence[Record], checkpoint: bytes, seconds: float, **row: Any
    ) -> None:
        """Commit several iterations with the checkpoint after the last, the time, and more."""
        rows = [_row(self.key, record) for record in records]
        values = _columns(checkpoint=checkpoint, seconds=seconds, **row)

        def work(connection: Connection, again: bool) -> None:
            self._update(connection, values)
            if rows and not (again and self._is_there(connection, rows[0]["t"], rows[-1]["t"])):
                connection.execute(ADD, rows)

        self.database.write_once(work)

    def end(self, status: str, seconds: float, **row: Any) -> None:
        """Commit how the run ended: its status, and its result or error."""
        values = _columns(status=status, seconds=seconds, **row)
        self.database.write(lambda connection: self._update(connection, values))

    def take_over(self) -> None:
        """Become who adds to the run, whoever did so before."""
        values = {"writer": self.token, "status": "running", "error": None, "touched": now()}
        took = sa.update(runs).where(runs.c.id == self.key).values(values)
        if self.database.write(lambda connection: connection.execute(took).rowcount) != 1:
            raise ReplacedError(f"run {self.name} is no more in the store {self.database.name}")

    def _update(self, connection: Connection, values: dict[str, Any]) -> None:
        row = {**values, "touched": now(), "key": self.key, "mine": self.token}
        if connection.execute(CHANGE, row).rowcount != 1:
            raise ReplacedError(f"run {self.name} was taken over by another process, or deleted")

    def _is_there(self, connection: Connection, first: int, last: int) -> bool:
        """Whether these iterations were committed, though the answer was lost on its way."""
        last_of_all = sa.select(sa.func.max(iterations.c.t)).where(iterations.c.run == self.key)
        there = connection.scalar(last_of_all) or 0
        if there not in {first - 1, last}:
            raise StoreError(
                f"run {self.name} had {first - 1} iterations in the store {self.database.name}, "
                f"and has {there} since its server came back; go on with: cem resume {self.name}"
            )
        return there == last


def token() -> str:
    """A writer's: host, process and when that began, and a word that no other has."""
    return f"{host()}:{os.getpid()}:{_born(os.getpid())}-{uuid.uuid4().hex}"


def is_at_work(writer: str, touched: str) -> bool:
    """Whether that writer, not one of this process, may still be adding to its run.

    On this machine its process lives; on another one it has touched the run lately.

    >>> is_at_work("", ""), is_at_work(token(), "")
    (False, False)
    """
    if writer.count(":") < 2:  # nobody, or a program of before
        return False
    where, pid, word = writer.rsplit(":", 2)
    if where != host() or os.name == "nt":  # where nobody can be asked whether he lives
        return datetime.now(UTC) - datetime.fromisoformat(touched) < SILENCE
    return int(pid) != os.getpid() and _born(int(pid)) == word.partition("-")[0]


def now() -> str:
    """The time in UTC, to the microsecond: two commits have two."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def storable(text: str) -> str:
    r"""Text that every database takes: no NUL, and nothing that is not Unicode.

    >>> storable("a\0b\udc80")
    'a\\0b\\udc80'
    """
    return text.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()


@cache
def host() -> str:
    """The name of this machine."""
    return socket.gethostname()


def _born(pid: int) -> str | None:
    """When that process began, in the system's ticks; None if it is dead, "" if nobody can say.

    So a process that got the number of a dead one is not taken for it.
    """
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return "" if _lives(pid) else None
    return None if state == "Z" else rest[18]


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's, say
        return True
    return True


def _columns(**values: Any) -> dict[str, Any]:
    """The values as the table of runs takes them."""
    if values.get("error"):
        values["error"] = storable(values["error"])
    return values


def _row(key: int, record: Record) -> dict[str, Any]:
    """The columns of a record; a database has no NaN, but can leave a field empty."""
    return {"run": key} | {k: None if math.isnan(a) else a for k, a in record._asdict().items()}
