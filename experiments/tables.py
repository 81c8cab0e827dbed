"""The tables of the store: runs, and their iterations as one column per field of a `Record`."""

from __future__ import annotations

from typing import Any, get_type_hints

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Double,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.types import UserDefinedType

from cem.state import Record

VERSION = 4  # of these tables; experiments.migrations brings older ones here


class Untyped(UserDefinedType[float]):
    """A column without a type, in which SQLite keeps a float as it is; a REAL turns -0.0 to 0.0."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """No word for the type."""
        return ""


def _number(kind: type) -> Any:
    return BigInteger() if kind is int else Double().with_variant(Untyped(), "sqlite")


tables = MetaData()

store = Table(
    "cem_store",
    tables,
    Column("version", Integer, primary_key=True, autoincrement=False),
)

studies = Table(
    "studies",
    tables,
    Column("name", String, primary_key=True),
    Column("created", String, nullable=False),  # ISO 8601, UTC
    Column("plan", JSON, nullable=False),  # what the file says, as experiments.study reads it
)

runs = Table(
    "runs",
    tables,
    Column("id", Integer, primary_key=True),
    Column("study", ForeignKey("studies.name")),
    Column("variation", String),  # of the study: its name, unique with study and seed
    Column("experiment", String, nullable=False),
    Column("problem", String, nullable=False),
    Column("job", String, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("seed", String, nullable=False),  # a seed may have more than 64 bits
    Column("versions", JSON, nullable=False),
    Column("created", String, nullable=False),  # ISO 8601, UTC
    Column("status", String, nullable=False),  # planned, running, done, failed or interrupted
    Column("writer", String, nullable=False),  # the one process that may add to the run
    Column("touched", String, nullable=False, server_default=""),  # ISO 8601, UTC: when it last did
    Column("seconds", Float, nullable=False),
    Column("result", JSON(none_as_null=True)),
    Column("error", Text),
    Column("checkpoint", LargeBinary),
    Column("note", Text, nullable=False, server_default=""),
    Column("tags", JSON, nullable=False, server_default="[]"),  # words
    Index("runs_of_a_study", "study", "variation", "seed", unique=True),
)

iterations = Table(
    "iterations",
    tables,
    Column("run", ForeignKey("runs.id"), primary_key=True),
    Column("t", Integer, primary_key=True, autoincrement=False),
    *(Column(name, _number(kind)) for name, kind in get_type_hints(Record).items() if name != "t"),
)
