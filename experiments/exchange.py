"""Runs and studies from a store to an archive and back into any other store, bit for bit."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

import cem
from cem.state import Record
from experiments import archive
from experiments.archive import Archive, Said
from experiments.store import Run, Store
from experiments.tables import iterations, runs, studies

COPIED = [column for column in runs.c if column.name not in {"id", "writer"}]
NUMBERS = [iterations.c[name] for name in Record._fields]


@dataclass(frozen=True)
class Loaded:
    """What an archive brought: the new names of its runs by their old ones, and what was left."""

    added: dict[str, str] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)


def save(
    store: Store,
    path: Path,
    found: Sequence[Run],
    named: Sequence[str] = (),
    *,
    all_checkpoints: bool,
) -> int:
    """Write these runs, their studies and those named into an archive; its size in bytes.

    A finished run's checkpoint, which nothing needs any more, is written with ``all_checkpoints``.
    """
    names = sorted({run.study for run in found if run.study} | set(named))

    def lines(connection: Connection) -> Iterator[Said]:
        yield archive.header(len(names), len(found), cem.__version__)
        for name in names:
            row = connection.execute(sa.select(studies).where(studies.c.name == name)).one()
            yield {"study": row.name, "created": row.created, "plan": row.plan}
        for run in found:
            yield _said(connection, run, all_checkpoints=all_checkpoints)

    return store.database.read(lambda connection: archive.write(path, lines(connection)))


def load(store: Store, path: Path, *, skip: bool) -> Loaded:
    """Add what is in an archive, all of it or nothing.

    A run is there already if one of its study has its variation and seed, or for one without a
    study its name, seed and time of beginning: ValueError, or with ``skip`` it is left as it is. A
    run that is only planned gives way to one that was begun.
    """
    mark = f"import-{uuid.uuid4().hex}"  # in the place of a writer: who asks again finds it
    ended: list[Loaded] = []

    def work(connection: Connection, again: bool) -> Loaded:
        marked = sa.select(sa.exists().where(runs.c.writer == mark))
        if again and ended and connection.scalar(marked):  # and only the answer was lost
            return ended[-1]
        store.database.alone(connection)
        loading = _Loading(connection, Archive(path), mark, skip)
        for said in loading.file:
            if "run" in said:
                loading.run(said)
            else:
                loading.study(said)
        ended.append(loading.loaded)
        return loading.loaded

    return store.database.write_once(work)


@dataclass
class _Loading:
    """An archive on its way into a store, in one transaction."""

    connection: Connection
    file: Archive
    mark: str
    skip: bool
    loaded: Loaded = field(default_factory=Loaded)
    there: dict[tuple[Any, ...], Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        columns = (runs.c.id, runs.c.status, *(runs.c[name] for name in KEYS))
        for row in self.connection.execute(sa.select(*columns)):
            self.there[_key(row._asdict())] = row

    def study(self, said: Said) -> None:
        name = said.pop("study")
        there = sa.select(studies.c.plan).where(studies.c.name == name)
        row = self.connection.execute(there).one_or_none()
        if row is None:
            self.connection.execute(sa.insert(studies).values(name=name, **said))
        elif row.plan != said["plan"] and not self.skip:
            other = [k for k in row.plan | said["plan"] if row.plan.get(k) != said["plan"].get(k)]
            raise self.file.wrong(
                f"the study {name!r} is in the store with another {other[0]}; rename one, or keep "
                "the store's with --skip"
            )

    def run(self, said: Said) -> None:
        name, rows = said.pop("run"), said.pop("iterations")
        said["seed"] = str(said["seed"])
        there = self.there.get(_key(said))
        if there is not None and said["status"] == "planned":
            self.loaded.skipped.append(name)
            return
        if there is not None and there.status != "planned":
            if not self.skip:
                raise self.file.wrong(
                    f"the run {name} is in the store already, as {_name(said, there.id)}; keep "
                    "what the store has with --skip"
                )
            self.loaded.skipped.append(name)
            return
        key = self._put(said | {"writer": self.mark}, None if there is None else there.id)
        if rows:
            fields = ("run", *Record._fields)
            values = [dict(zip(fields, (key, *row), strict=True)) for row in rows]
            self.connection.execute(sa.insert(iterations), values)
        self.loaded.added[name] = _name(said, key)

    def _put(self, values: Said, key: int | None) -> int:
        """Its row, in place of one that was planned if there is one; the number it has."""
        if key is not None:
            self.connection.execute(sa.update(runs).where(runs.c.id == key).values(values))
            return key
        made = sa.insert(runs).values(values).returning(runs.c.id, runs.c.status)
        row = self.connection.execute(made).one()
        self.there[_key(values)] = row
        return row.id


KEYS = ("study", "variation", "seed", "experiment", "created")


def _key(row: Said) -> tuple[Any, ...]:
    """What no two runs share."""
    own = ("study", "variation", "seed") if row["study"] else ("seed", "experiment", "created")
    return tuple(row[name] for name in own)


def _name(said: Said, key: int) -> str:
    return f"{said['experiment']}-{key:04d}"


def _said(connection: Connection, run: Run, *, all_checkpoints: bool) -> Said:
    """The line of a run, as it is now."""
    found = connection.execute(sa.select(*COPIED).where(runs.c.id == run.id)).one_or_none()
    if found is None:
        raise ValueError(f"run {run.name} was deleted meanwhile")
    row = found._asdict()
    query = sa.select(*NUMBERS).where(iterations.c.run == run.id).order_by(iterations.c.t)
    rows = [list(map(archive.number, numbers)) for numbers in connection.execute(query)]
    saved = row["checkpoint"] if all_checkpoints or row["status"] != "done" else None
    text = None if saved is None else base64.b64encode(saved).decode()
    row |= {"seed": int(row["seed"]), "checkpoint": text}
    return {"run": run.name, **row, "iterations": rows}
