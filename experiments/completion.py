"""What a shell may complete: experiments, runs, studies, settings. Reads only, and never fails."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from textwrap import shorten
from typing import Any

import typer

from experiments import summaries

FILE = "cem-runs.db"  # the store, if no other is named
PATIENCE = 2  # seconds for a server to answer
WIDTH = 60  # of what is said of a word: it has to stay on one line


def experiments(incomplete: str) -> list[tuple[str, str]]:
    """Experiments of the catalogue, each with what it is about."""
    try:
        found = [each for each in summaries.of_all() if each.name.startswith(incomplete)]
    except Exception:  # noqa: BLE001 - whatever it is, a shell wants no error
        return []
    return [(each.name, shorten(each.description, WIDTH, placeholder=" ...")) for each in found]


def settings(ctx: typer.Context, incomplete: str) -> list[str]:
    """``KEY=`` for every setting of the experiment."""
    try:
        from experiments import catalogue

        name = ctx.params["name"] or ctx.args[0]  # left there by a --set without its value
        keys = catalogue.find(name).settings
    except Exception:  # noqa: BLE001 - whatever it is, a shell wants no error
        return []
    return [f"{key}=" for key in sorted(keys) if key.startswith(incomplete)]


def runs(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Runs of the store, the last first, each with its status."""
    rows = _rows(ctx, "SELECT experiment, id, status FROM runs ORDER BY id DESC LIMIT 10000")
    named = [("last", "the last run")] if rows else []
    named += [(f"{experiment}-{key:04d}", status) for experiment, key, status in rows]
    return [(name, status) for name, status in named if name.startswith(incomplete)]


def studies(ctx: typer.Context, incomplete: str) -> list[str]:
    """Studies of the store."""
    rows = _rows(ctx, "SELECT name FROM studies ORDER BY name")
    return [name for (name,) in rows if name.startswith(incomplete)]


def _rows(ctx: typer.Context, query: str) -> list[Any]:
    """What a store answers; nothing if it is not there, or is no store."""
    try:
        with closing(_connected(ctx.params.get("store") or os.environ.get("CEM_STORE"))) as store:
            return store.execute(query).fetchall()
    except Exception:  # noqa: BLE001 - whatever it is, a shell wants no error
        return []


def _connected(url: str | None) -> Any:
    """A connection that only reads and leaves no file behind, without the weight of SQLAlchemy."""
    scheme, separator, rest = (url or FILE).rpartition("://")
    if scheme.startswith("postgresql"):
        import psycopg

        return psycopg.connect(f"postgresql://{rest}", connect_timeout=PATIENCE)
    path = Path(rest.removeprefix("/") if separator else rest).absolute()
    at_rest = not Path(f"{path}-wal").exists()  # else there is a log to be read with it
    return sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable={at_rest:d}", uri=True)
