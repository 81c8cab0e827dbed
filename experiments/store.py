"""The store: every run and every iteration, committed as it happens, in a database."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cem.state import History, Record
from experiments.database import StoreError, connect
from experiments.tables import iterations, runs
from problems import nearest

KEPT = [column for column in runs.c if column.name not in {"writer", "checkpoint"}]


@dataclass(frozen=True)
class Run:
    """One row of the table of runs, without its checkpoint."""

    id: int
    study: str | None
    variation: str | None  # of the study
    experiment: str
    problem: str
    job: str
    settings: dict[str, Any]
    seed: int
    versions: dict[str, str]
    created: str
    status: str
    touched: str
    seconds: float
    result: dict[str, Any] | None
    error: str | None
    note: str
    tags: list[str]

    @property
    def name(self) -> str:
        """What people call it: ``bridge-0007``."""
        return f"{self.experiment}-{self.id:04d}"


class Store:
    """An open store; a context manager that closes it.

    ``url`` defaults to the variable CEM_STORE, then to ``cem-runs.db`` in the working directory.
    A plain path is taken for an SQLite file. Without ``create`` a file that does not exist yet
    is read as an empty store, and is not made.

    >>> with Store("none.db", create=False) as store:
    ...     store.runs()
    []
    """

    def __init__(self, url: str | None = None, *, create: bool = True) -> None:
        self.engine, self.name = connect(url, create=create)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.dispose()

    def begin(self, **row: Any) -> Run:
        """A new run: experiment, problem, job, settings, seed, versions."""
        now = _now()
        row |= {
            "seed": str(row["seed"]),
            "created": now,
            "touched": now,
            "status": "running",
            "writer": "",
            "seconds": 0.0,
            "note": "",
            "tags": [],
        }
        with self.engine.begin() as connection:
            made = connection.execute(sa.insert(runs).values(**row).returning(runs.c.id))
            key = made.scalar_one()
        return self._get(key)

    def runs(self) -> list[Run]:
        """All runs, oldest first."""
        with self.engine.connect() as connection:
            return [_run(row) for row in connection.execute(sa.select(*KEPT).order_by(runs.c.id))]

    def find(self, name: str) -> Run:
        """The run of that name, or with a name that begins so, or the ``last``."""
        with self.engine.connect() as connection:
            rows = connection.execute(sa.select(runs.c.experiment, runs.c.id).order_by(runs.c.id))
            ids = {f"{experiment}-{key:04d}": key for experiment, key in rows}
        if not ids:
            raise ValueError(f"there is no run {name!r}: the store {self.name} holds no runs")
        if name == "last":
            return self._get(max(ids.values()))
        found = [name] if name in ids else [run for run in ids if run.startswith(name)]
        if not found:
            latest = list(ids)[-10:]
            raise ValueError(f"there is no run {name!r} in {self.name}" + nearest(name, latest))
        if len(found) > 1:
            few = ", ".join(found[-10:])
            raise ValueError(f"{len(found)} runs begin with {name!r}: expected one; got {few}")
        return self._get(ids[found[0]])

    def history(self, run: Run) -> History:
        """The records of a run, bit for bit."""
        columns = [iterations.c[name] for name in Record._fields]
        query = sa.select(*columns).where(iterations.c.run == run.id).order_by(iterations.c.t)
        with self.engine.connect() as connection:
            rows = connection.execute(query).all()
        return History(Record._make(math.nan if a is None else a for a in row) for row in rows)

    def counts(self) -> dict[int, tuple[int, int]]:
        """How many iterations and evaluations of every run are in the store, by its id."""
        query = sa.select(
            iterations.c.run, sa.func.count(), sa.func.max(iterations.c.nfev)
        ).group_by(iterations.c.run)
        with self.engine.connect() as connection:
            return {run: (nit, nfev) for run, nit, nfev in connection.execute(query)}

    def checkpoint(self, run: Run) -> bytes | None:
        """The checkpoint of a run's last iteration, if it has one."""
        with self.engine.connect() as connection:
            return connection.scalar(sa.select(runs.c.checkpoint).where(runs.c.id == run.id))

    @contextmanager
    def writer(self, run: Run) -> Iterator[Writer]:
        """Become the one process that may add to the run; whoever did so before stops."""
        with self.engine.connect() as connection:
            with connection.begin():
                token = {"writer": uuid.uuid4().hex}
                values = {**token, "status": "running", "error": None}
                connection.execute(sa.update(runs).where(runs.c.id == run.id).values(values))
            yield Writer(connection, run, token["writer"])

    def _get(self, key: int) -> Run:
        with self.engine.connect() as connection:
            return _run(connection.execute(sa.select(*KEPT).where(runs.c.id == key)).one())


@dataclass(frozen=True)
class Writer:
    """Adds to one run, on one connection."""

    connection: Connection
    run: Run
    token: str

    def add(self, record: Record, checkpoint: bytes, seconds: float) -> None:
        """Commit an iteration: its row, the checkpoint after it and the time, or none of them."""
        row = {
            name: None if math.isnan(value) else value for name, value in record._asdict().items()
        }
        with self.connection.begin():
            self._update(checkpoint=checkpoint, seconds=seconds)
            self.connection.execute(sa.insert(iterations), {"run": self.run.id, **row})

    def end(self, status: str, seconds: float, **row: Any) -> None:
        """Commit how the run ended: its status, and its result or error."""
        with self.connection.begin():
            self._update(status=status, seconds=seconds, **row)

    def _update(self, **values: Any) -> None:
        values["touched"] = _now()
        mine = (runs.c.id == self.run.id) & (runs.c.writer == self.token)
        if self.connection.execute(sa.update(runs).where(mine).values(values)).rowcount != 1:
            raise StoreError(
                f"run {self.run.name} was taken over by another process, which goes on with it"
            )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _run(row: Iterable[Any]) -> Run:
    named = dict(zip((column.name for column in KEPT), row, strict=True))
    return Run(**named | {"seed": int(named["seed"])})
