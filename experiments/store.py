"""The store: every run and every iteration, committed as it happens, in a database."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cem.state import History, Record
from experiments.database import Database
from experiments.tables import iterations, runs, studies
from experiments.writer import Writer, is_at_work, now, storable, token
from problems import nearest

KEPT = [column for column in runs.c if column.name not in {"writer", "checkpoint"}]
NEW = {"writer": "", "seconds": 0.0, "note": "", "tags": []}
AT_ONCE = 500  # runs asked for by their number in one query


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


@dataclass(frozen=True)
class StudyRow:
    """One row of the table of studies; `plan` is what its file says."""

    name: str
    created: str
    plan: dict[str, Any]


class Store:
    """An open store; a context manager that closes it.

    ``url`` defaults to the variable CEM_STORE, then to ``cem-runs.db`` in the working directory.
    A plain path is taken for an SQLite file. Without ``create`` a file that does not exist yet
    is read as an empty store, and is not made. For a server that does not answer at first,
    ``patience`` seconds are waited; for one that goes away later, `database.PATIENCE`.

    >>> with Store("none.db", create=False) as store:
    ...     store.runs()
    []
    """

    def __init__(
        self, url: str | None = None, *, create: bool = True, patience: float = 0.0
    ) -> None:
        self.database = Database(url, create=create, patience=patience)
        self.name = self.database.name

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.database.close()

    def begin(self, **row: Any) -> Run:
        """A new run: experiment, problem, job, settings, seed, versions."""
        when = now()
        row |= NEW | {"seed": str(row["seed"]), "created": when, "touched": when}
        row |= {"status": "running", "writer": token()}

        def work(connection: Connection, again: bool) -> int:
            mine = sa.select(runs.c.id).where(runs.c.writer == row["writer"])
            if again and (made := connection.scalar(mine)):  # and only the answer was lost
                return made
            return connection.scalar(sa.insert(runs).values(**row).returning(runs.c.id))

        return self._get(self.database.write_once(work))

    def plan(self, name: str, plan: dict[str, Any], rows: Sequence[dict[str, Any]]) -> list[Run]:
        """The runs of a study, in the order of the rows; those not there yet are planned.

        A row has variation, experiment, problem, job, settings, seed and versions. A run that is
        there is left as it is, whatever its row says now.
        """
        when = now()
        common = NEW | {"study": name, "status": "planned", "created": when, "touched": when}
        planned = [row | common | {"seed": str(row["seed"])} for row in rows]
        pairs = sa.select(runs.c.variation, runs.c.seed).where(runs.c.study == name)

        def work(connection: Connection) -> None:
            self.database.alone(connection)
            known = sa.select(studies.c.name).where(studies.c.name == name)
            if connection.scalar(known) is None:
                values = {"name": name, "created": when, "plan": plan}
                connection.execute(sa.insert(studies).values(values))
            else:
                changed = sa.update(studies).where(studies.c.name == name)
                connection.execute(changed.values(plan=plan))
            there = set(map(tuple, connection.execute(pairs)))
            fresh = [row for row in planned if (row["variation"], row["seed"]) not in there]
            if fresh:
                connection.execute(sa.insert(runs), fresh)

        self.database.write(work)
        found = {(run.variation, run.seed): run for run in self.runs(name)}
        return [found[row["variation"], row["seed"]] for row in rows]

    def studies(self) -> list[StudyRow]:
        """All studies, oldest first."""
        query = sa.select(studies).order_by(studies.c.created, studies.c.name)
        return self.database.read(lambda c: [StudyRow(*row) for row in c.execute(query)])

    def study(self, name: str) -> StudyRow:
        """The study of that name; ValueError with the nearest one if there is none."""
        found = {study.name: study for study in self.studies()}
        if name not in found:
            raise ValueError(f"there is no study {name!r} in {self.name}" + nearest(name, [*found]))
        return found[name]

    def tallies(self) -> dict[str, dict[str, int]]:
        """How many runs of every study there are of each status."""
        count = sa.select(runs.c.study, runs.c.status, sa.func.count())
        query = count.where(runs.c.study.is_not(None)).group_by(runs.c.study, runs.c.status)
        rows = self.database.read(lambda connection: connection.execute(query).all())
        return {study: {s: n for of, s, n in rows if of == study} for study, *_ in rows}

    def runs(self, study: str | None = None, ids: Iterable[int] | None = None) -> list[Run]:
        """All runs, those of a study or of these numbers, oldest first."""
        query = sa.select(*KEPT).order_by(runs.c.id)
        if study is not None:
            query = query.where(runs.c.study == study)
        if ids is None:
            return self.database.read(lambda c: [_run(row) for row in c.execute(query)])
        parts = [query.where(runs.c.id.in_(part)) for part in _parts(sorted(set(ids)))]
        return self.database.read(lambda c: [_run(row) for q in parts for row in c.execute(q)])

    def find(self, name: str) -> Run:
        """The run of that name, or with a name that begins so, or the ``last``."""
        query = sa.select(runs.c.experiment, runs.c.id).order_by(runs.c.id)
        rows = self.database.read(lambda connection: connection.execute(query).all())
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

    def again(self, run: Run) -> Run:
        """The run as it is now."""
        return self._get(run.id)

    def history(self, run: Run) -> History:
        """The records of a run, bit for bit."""
        return self.histories([run])[run.id]

    def histories(self, found: Iterable[Run]) -> dict[int, History]:
        """The records of every one of these runs, by its number; in few queries."""
        ids = [run.id for run in found]
        columns = [iterations.c[name] for name in ("run", *Record._fields)]
        query = sa.select(*columns).order_by(iterations.c.run, iterations.c.t)
        parts = [query.where(iterations.c.run.in_(part)) for part in _parts(ids)]
        rows = self.database.read(lambda c: [row for q in parts for row in c.execute(q)])
        records = groupby(rows, key=lambda row: row[0])
        return dict.fromkeys(ids, History()) | {
            run: History(Record._make(math.nan if a is None else a for a in row[1:]) for row in own)
            for run, own in records
        }

    def counts(self, ids: Iterable[int] | None = None) -> dict[int, tuple[int, int]]:
        """How many iterations and evaluations of every run are in the store, by its number."""
        query = sa.select(
            iterations.c.run, sa.func.count(), sa.func.max(iterations.c.nfev)
        ).group_by(iterations.c.run)
        parts = [query]
        if ids is not None:
            parts = [query.where(iterations.c.run.in_(part)) for part in _parts([*ids])]
        rows = self.database.read(lambda c: [row for q in parts for row in c.execute(q)])
        return {run: (nit, nfev) for run, nit, nfev in rows}

    def stamps(self) -> dict[int, tuple[Any, ...]]:
        """Of every run, by its number, what is another whenever anything about the run is."""
        query = sa.select(runs.c.id, runs.c.touched, runs.c.status, runs.c.note, runs.c.tags)
        rows = self.database.read(lambda connection: connection.execute(query).all())
        return {key: (*stamp, tuple(tags)) for key, *stamp, tags in rows}

    def checkpoint(self, run: Run) -> bytes | None:
        """The checkpoint of a run's last iteration, if it has one."""
        query = sa.select(runs.c.checkpoint).where(runs.c.id == run.id)
        return self.database.read(lambda connection: connection.scalar(query))

    def busy(self, run: Run) -> bool:
        """Whether a process other than this one is at the run now."""
        query = sa.select(runs.c.status, runs.c.writer, runs.c.touched).where(runs.c.id == run.id)
        row = self.database.read(lambda connection: connection.execute(query).one_or_none())
        return row is not None and row.status == "running" and is_at_work(row.writer, row.touched)

    @contextmanager
    def writer(self, run: Run) -> Iterator[Writer]:
        """Become the one process that may add to the run; whoever did so before stops."""
        writer = Writer(self.database, run.id, run.name, token())
        writer.take_over()
        yield writer

    def note(self, run: Run, text: str) -> Run:
        """Write a note on the run, in place of the one it has."""
        return self._mark(run, note=storable(text))

    def tag(self, run: Run, tags: Iterable[str]) -> Run:
        """Give the run these tags, in place of those it has."""
        return self._mark(run, tags=sorted(map(storable, set(tags))))

    def delete(self, found: Iterable[Run], *, study: str | None = None) -> None:
        """Delete these runs with all that belongs to them, and then the study of that name."""
        ids = [run.id for run in found]

        def work(connection: Connection) -> None:
            for part in _parts(ids):
                connection.execute(sa.delete(iterations).where(iterations.c.run.in_(part)))
                connection.execute(sa.delete(runs).where(runs.c.id.in_(part)))
            if study is not None:
                connection.execute(sa.delete(studies).where(studies.c.name == study))

        self.database.write(work)

    def _mark(self, run: Run, **values: Any) -> Run:
        changed = sa.update(runs).where(runs.c.id == run.id).values(values)
        self.database.write(lambda connection: connection.execute(changed))
        return self._get(run.id)

    def _get(self, key: int) -> Run:
        if not (found := self.runs(ids=[key])):
            raise ValueError(f"run number {key} is no more in the store {self.name}")
        return found[0]


def _parts(ids: Sequence[int]) -> list[Sequence[int]]:
    return [ids[i : i + AT_ONCE] for i in range(0, len(ids), AT_ONCE)]


def _run(row: Iterable[Any]) -> Run:
    named = dict(zip((column.name for column in KEPT), row, strict=True))
    return Run(**named | {"seed": int(named["seed"])})
