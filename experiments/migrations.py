"""Older stores brought up to date: one step for every version of the tables that was released.

A step is plain SQL that SQLite and PostgreSQL both understand; all that a store needs are taken in
one transaction, by one process at a time (`experiments.database`), so that it is of the one version
or of the other, whatever happens meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.schema import CreateTable

from experiments.tables import VERSION, store, studies

STUDIES = """
ALTER TABLE runs ADD COLUMN study VARCHAR REFERENCES studies (name)
ALTER TABLE runs ADD COLUMN variation VARCHAR
ALTER TABLE runs ADD COLUMN touched VARCHAR DEFAULT '' NOT NULL
ALTER TABLE runs ADD COLUMN note TEXT DEFAULT '' NOT NULL
ALTER TABLE runs ADD COLUMN tags JSON DEFAULT '[]' NOT NULL
UPDATE runs SET touched = created
CREATE UNIQUE INDEX runs_of_a_study ON runs (study, variation, seed)
"""


def _studies(connection: Connection) -> None:
    """Runs may belong to a study, have a note and tags, and say when they were last touched."""
    connection.execute(CreateTable(studies))
    for statement in STUDIES.strip().splitlines():
        connection.execute(sa.text(statement))


STEPS: dict[int, Callable[[Connection], None]] = {3: _studies}  # by the version they begin with


def upgrade(connection: Connection, version: int, name: str) -> None:
    """Take the steps from that version to this program's; ValueError if there are none."""
    if version > VERSION:
        raise ValueError(
            f"the store {name} was made by a newer cem: its tables have version {version}, and "
            f"this one knows versions up to {VERSION}; update it (pip install --upgrade cemkit)"
        )
    if version < min(STEPS):
        raise ValueError(
            f"the store {name} is too old: its tables have version {version}; expected "
            f"{min(STEPS)} to {VERSION}"
        )
    for step in range(version, VERSION):
        STEPS[step](connection)
    connection.execute(sa.update(store).values(version=VERSION))
