"""Opening a database to be a store: SQLite by default, PostgreSQL by URL.

Nothing in the store is written for one of them: what they need differently is here. Whatever the
database complains of becomes a `StoreError`: one line, in the words of who named the store.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, ExceptionContext
from sqlalchemy.pool import StaticPool
from sqlalchemy.schema import CreateIndex, CreateTable

from experiments import migrations, plain
from experiments.complaints import AwayError, StoreError, complaint, may_pass
from experiments.tables import VERSION, iterations, runs, store, studies, tables

DEFAULT = "sqlite:///cem-runs.db"
PATIENCE = 30  # seconds to wait for another process's write, or for a server that went away
PAUSE = 0.1  # seconds between two tries to reach one
POSTGRESQL = "postgresql+psycopg"
REACHING = {  # a server; of what libpq knows, and in its units
    "connect_timeout": PATIENCE,
    "keepalives_idle": PATIENCE,
    "tcp_user_timeout": PATIENCE * 1000,
}
LOCK = 0x63656D  # the number of our advisory lock in PostgreSQL
Found = TypeVar("Found")


class Database:
    """A database with the tables of a store: what is read and written happens whole or not at all.

    Work is a function of a connection, called in a transaction. If the server goes away meanwhile
    the work is done again when it is back, for up to `PATIENCE` seconds; then it is an `AwayError`.
    """

    def __init__(self, url: str | None, *, create: bool, patience: float) -> None:
        where = _url(url or os.environ.get("CEM_STORE") or DEFAULT)
        self.name = where.render_as_string(hide_password=True)
        path = file_of(where)
        absent = path is not None and not path.exists() and not create
        self.engine = _engine(sa.make_url("sqlite://") if absent else where, self.name)
        self.writing = self.engine.execution_options(writing=True)
        self.reading = self.engine if self.is_sqlite else _of_one_moment(self.engine)
        try:
            _patiently(lambda _: self._prepare(), patience)
        except BaseException:
            self.close()
            raise

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file (or in memory), not a server."""
        return self.engine.dialect.name == "sqlite"

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def read(self, work: Callable[[Connection], Found]) -> Found:
        """What the work finds, all of it as at one moment."""

        def once(_: bool) -> Found:
            with self.reading.begin() as connection:
                return work(connection)

        return _patiently(once)

    def write(self, work: Callable[[Connection], Found]) -> Found:
        """Do the work and commit it. It may be done twice: when the answer to a commit was lost."""
        return self.write_once(lambda connection, _: work(connection))

    def write_once(self, work: Callable[[Connection, bool], Found]) -> Found:
        """The same for work that looks whether it was committed before, where it is told so."""

        def once(again: bool) -> Found:
            with self.writing.begin() as connection:
                return work(connection, again)

        return _patiently(once)

    def alone(self, connection: Connection) -> None:
        """Let nobody else who asks for the same into the store until this transaction ends."""
        if not self.is_sqlite:  # there, who writes is alone
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))

    def size(self) -> int:
        """How many bytes it takes on the disk."""
        if self.is_sqlite:
            pages = sa.text(
                "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
            )
            return self.read(lambda connection: connection.scalar(pages))
        sizes = [sa.func.pg_total_relation_size(name) for name in tables.tables]
        return sum(self.read(lambda connection: connection.execute(sa.select(*sizes)).one()))

    def compact(self) -> None:
        """Give the space of what was deleted back."""
        outside = {"outside": True} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        with self.engine.execution_options(**outside).connect() as connection:
            connection.exec_driver_sql("VACUUM")
            if self.is_sqlite:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def _prepare(self) -> None:
        """Make the tables in a new store, bring those of an old one up to date.

        Several processes may do so at once. A database that is something else is refused.
        """
        with self.reading.begin() as connection:
            if self._version(connection) == VERSION:
                return
        with self.writing.begin() as connection:
            self.alone(connection)
            version = self._version(connection)
            if version is None:
                for table in (store, studies, runs, iterations):
                    connection.execute(CreateTable(table))
                    for index in table.indexes:
                        connection.execute(CreateIndex(index))
                connection.execute(sa.insert(store).values(version=VERSION))
            elif version != VERSION:
                try:
                    migrations.upgrade(connection, version, self.name)
                except ValueError as error:
                    raise StoreError(str(error)) from None

    def _version(self, connection: Connection) -> int | None:
        """Of the tables; None if there are none yet."""
        found = set(sa.inspect(connection).get_table_names())
        if store.name in found:
            return connection.scalar(sa.select(sa.func.max(store.c.version)))
        if found and (self.is_sqlite or found.intersection(tables.tables)):
            few = ", ".join(sorted(found)[:5])
            raise StoreError(f"{self.name} is not a store: it holds other tables ({few})")
        return None


def file_of(url: URL) -> Path | None:
    """The file of an SQLite store."""
    named = url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}
    return Path(str(url.database)) if named else None


def _url(text: str) -> URL:
    try:
        url = sa.make_url(text if "://" in text else f"sqlite:///{text}")
    except (sa.exc.ArgumentError, ValueError) as error:
        raise StoreError(
            f"the store must be a path or a database URL such as {DEFAULT}; got {text!r}"
        ) from error
    return url.set(drivername=POSTGRESQL) if url.drivername in {"postgres", "postgresql"} else url


def _engine(url: URL, name: str) -> Engine:
    sqlite = url.get_backend_name() == "sqlite"
    options: dict[str, Any] = {"connect_args": {"timeout": PATIENCE} if sqlite else {}}
    if url.drivername == POSTGRESQL:
        options["connect_args"] = {k: v for k, v in REACHING.items() if k not in url.query}
    if sqlite and file_of(url) is None:  # one connection is all that sees what is in memory
        options |= {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
    try:
        engine = sa.create_engine(
            url, json_serializer=plain.dumps, json_deserializer=plain.loads, **options
        )
    except ImportError as error:
        how = 'pip install "cemkit[postgres]"' if url.drivername == POSTGRESQL else "install it"
        raise StoreError(f"the store {name} needs a driver: {error}; {how}") from error
    except sa.exc.SQLAlchemyError as error:
        raise StoreError(f"the store {name} cannot be used: {error}") from error

    @sa.event.listens_for(engine, "handle_error")
    def _say(context: ExceptionContext) -> None:
        error = context.original_exception
        unreached = context.connection is None and may_pass(error)
        away = not sqlite and (context.is_disconnect or unreached)
        said = complaint(name, file_of(url), error, away=away, patience=PATIENCE)
        raise (AwayError if away else StoreError)(said) from None

    if sqlite:
        sa.event.listen(engine, "do_connect", _connect)
        sa.event.listen(engine, "begin", _begin)
    return engine


def _of_one_moment(engine: Engine) -> Engine:
    """For transactions of several queries that see one state of the database, as SQLite's do."""
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _connect(_dialect: object, _record: object, where: Any, how: Any) -> sqlite3.Connection:
    """Begin transactions ourselves, and keep a write-ahead log, which outlives the writer's death.

    On a full disk there may be no room for what the connections to such a log share; one that is
    alone needs none, and can read.
    """
    for mode in ("NORMAL", "EXCLUSIVE"):
        connection = sqlite3.connect(*where, **how, isolation_level=None)
        try:
            connection.execute(f"PRAGMA locking_mode = {mode}")
            _write_ahead(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
        except sqlite3.Error as error:
            connection.close()
            full = getattr(error, "sqlite_errorname", "") == "SQLITE_IOERR_SHMSIZE"
            if mode == "EXCLUSIVE" or not full:
                raise
        else:
            return connection
    raise AssertionError  # the second one returns or raises


def _begin(connection: Connection) -> None:
    """Wait for the right to write at the beginning: what has read cannot wait for it any more."""
    options = connection.get_execution_options()
    if not options.get("outside"):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writing") else "BEGIN")


def _write_ahead(connection: Any) -> None:
    """Keep a write-ahead log; SQLite waits for every lock by itself, but not for this one."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return


def _patiently(once: Callable[[bool], Found], patience: float | None = None) -> Found:
    """Do it, and again while the server is away; told whether it is not the first time."""
    patience = PATIENCE if patience is None else patience
    end = None
    while True:
        try:
            return once(end is not None)
        except AwayError as error:
            end = end or time.monotonic() + patience
            if time.monotonic() >= end:
                if patience:
                    error.add_note(f"it was waited for {patience:g} s")
                raise
            time.sleep(PAUSE)
