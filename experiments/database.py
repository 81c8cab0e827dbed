"""Opening a database to be a store: SQLite by default, PostgreSQL by URL.

No SQL here or in the store belongs to one of them, except the pragmas of SQLite. Whatever the
database complains of becomes a `StoreError`: one line, in the words of who named the store.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, ExceptionContext
from sqlalchemy.schema import CreateTable

from experiments.tables import VERSION, iterations, runs, store, studies, tables

DEFAULT = "sqlite:///cem-runs.db"
PATIENCE = 30  # seconds to wait for another process's write


class StoreError(ValueError):
    """The store cannot be used, and why, in one line."""


def connect(url: str | None, *, create: bool) -> tuple[Engine, str]:
    """The engine of a store, tables and all, and its name in messages."""
    where = _url(url or os.environ.get("CEM_STORE") or DEFAULT)
    name = where.render_as_string(hide_password=True)
    path = _file(where)
    absent = path is not None and not path.exists() and not create
    engine = _engine(sa.make_url("sqlite://") if absent else where, name)
    try:
        with engine.begin() as connection:
            _prepare(connection, name)
    except BaseException:
        engine.dispose()
        raise
    return engine, name


def _url(text: str) -> URL:
    try:
        return sa.make_url(text if "://" in text else f"sqlite:///{text}")
    except (sa.exc.ArgumentError, ValueError) as error:
        raise StoreError(
            f"the store must be a path or a database URL such as {DEFAULT}; got {text!r}"
        ) from error


def _file(url: URL) -> Path | None:
    """The file of an SQLite store."""
    named = url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}
    return Path(str(url.database)) if named else None


def _engine(url: URL, name: str) -> Engine:
    sqlite = url.get_backend_name() == "sqlite"
    try:
        engine = sa.create_engine(url, connect_args={"timeout": PATIENCE} if sqlite else {})
    except (sa.exc.SQLAlchemyError, ImportError) as error:
        raise StoreError(f"the store {name} cannot be used: {error}") from error

    @sa.event.listens_for(engine, "handle_error")
    def _say(context: ExceptionContext) -> None:
        raise StoreError(_why(url, name, context.original_exception)) from None

    if sqlite:

        @sa.event.listens_for(engine, "connect")
        def _pragmas(connection: Any, _: object) -> None:
            _write_ahead(connection)
            connection.execute("PRAGMA synchronous = NORMAL")

    return engine


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


def _is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _why(url: URL, name: str, error: BaseException) -> str:
    """What went wrong, in the words of the person who named the store."""
    said = " ".join(str(error).split())
    path = _file(url)
    if "not a database" in said:
        return f"{name} is not a store: the file is no SQLite database, or is damaged"
    if "unable to open" in said and path is not None:
        folder = path.absolute().parent
        likely = (
            f"{folder} cannot be written" if folder.is_dir() else f"there is no folder {folder}"
        )
        return f"the store {name} cannot be opened: {'it is a folder' if path.is_dir() else likely}"
    if "readonly" in said:
        return f"the store {name} cannot be written: the file or its folder is read-only"
    if "locked" in said:
        return f"the store {name} is locked: another process has held it for {PATIENCE} s"
    return f"the store {name} cannot be used: {said}"


def _prepare(connection: Connection, name: str) -> None:
    """Make the tables in a new store, and refuse a database that is something else.

    Several processes may do so at once.
    """
    found = set(sa.inspect(connection).get_table_names())
    if found and store.name not in found and (_is_sqlite(connection) or runs.name in found):
        raise StoreError(
            f"{name} is not a store: it holds other tables ({', '.join(sorted(found)[:5])})"
        )
    version = sa.select(sa.func.max(store.c.version))
    if not found.issuperset(tables.tables):
        for table in (store, studies, runs, iterations):
            connection.execute(CreateTable(table, if_not_exists=True))
    if connection.scalar(version) is None:
        with contextlib.suppress(StoreError), connection.begin_nested():
            connection.execute(sa.insert(store).values(version=VERSION))
    if (there := connection.scalar(version)) != VERSION:
        raise StoreError(f"the store {name} has tables of version {there}; expected {VERSION}")
