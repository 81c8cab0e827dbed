"""What in a store is only in the way: runs nobody went on with, checkpoints of finished ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from experiments.store import Run, Store
from experiments.tables import runs

ABANDONED = ("planned", "running", "interrupted", "failed")  # a killed one is "running"


@dataclass(frozen=True)
class Prunable:
    """Runs to be deleted, how many finished ones have a checkpoint, and all checkpoints' bytes."""

    runs: tuple[Run, ...]
    checkpoints: int
    n_bytes: int

    def __bool__(self) -> bool:
        return bool(self.runs or self.checkpoints)


def prunable(store: Store, days: float) -> Prunable:
    """Runs that have not ended well and were not touched for so many days; done runs' checkpoints.

    A run that somebody is at is not among them, however long its iterations take.
    """
    since = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    old = (runs.c.status.in_(ABANDONED)) & (runs.c.touched < since)
    sized = (sa.func.count(runs.c.checkpoint), sa.func.sum(sa.func.length(runs.c.checkpoint)))
    done = sa.select(*sized).where(runs.c.status == "done")
    ids = store.database.read(lambda c: c.scalars(sa.select(runs.c.id).where(old)).all())
    found = tuple(run for run in store.runs(ids=ids) if not store.busy(run))
    n, n_bytes = store.database.read(lambda c: c.execute(done).one())
    theirs = sum(len(store.checkpoint(run) or b"") for run in found)
    return Prunable(found, n, int(n_bytes or 0) + theirs)


def prune(store: Store, found: Prunable) -> None:
    """Delete them, but for runs that were touched since, and give their space back."""
    touched = {run.id: run.touched for run in found.runs}
    store.delete(run for run in store.runs(ids=touched) if run.touched == touched[run.id])
    emptied = sa.update(runs).where((runs.c.status == "done") & runs.c.checkpoint.is_not(None))
    store.database.write(lambda connection: connection.execute(emptied.values(checkpoint=None)))
    store.database.compact()
