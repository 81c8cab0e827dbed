"""Run one experiment, or go on with one, every iteration in the store; and say how it ended."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from typing import Any

import cem
from cem.state import History, Record, State
from cem.typing import Callback
from experiments.catalogue import Experiment
from experiments.database import StoreError
from experiments.store import Run, Store
from experiments.task import (
    FIGURES,
    UNFINISHED,
    Task,
    drive,
    one_line,
    prepare,
    restore,
    strict,
    versions,
)

__all__ = ["FIGURES", "begin", "go", "one_line", "other_versions", "strict", "summary", "versions"]


def begin(experiment: Experiment, store: Store) -> tuple[Run, Task]:
    """A new run of an experiment in the store, with nothing done yet."""
    task = prepare(experiment.problem, experiment.job, experiment.settings, experiment.seed)
    run = store.begin(
        experiment=experiment.name,
        problem=experiment.problem,
        job=experiment.job,
        settings=experiment.settings,
        seed=experiment.seed,
        versions=versions(),
    )
    return run, task


def go(
    run: Run,
    store: Store,
    task: Task | None = None,
    *,
    workers: int = 1,
    evaluation_timeout: float | None = None,
    watch: Iterable[Callback] = (),
) -> Run:
    """Go on where the store has a run, be it at the beginning; a finished one is left as it is.

    The bits are those of a run that was never cut. Returns the run as it is in the store then.
    """
    if run.status == "done":
        return run
    task = task or prepare(run.problem, run.job, run.settings, run.seed)
    start = restore(task, store.checkpoint(run), store.history(run), run.name)
    used = run.seconds if start else 0.0
    since = time.monotonic() - used
    with store.writer(run) as writer:

        def recorder(state: State, record: Record) -> None:
            checkpoint = cem.checkpoint.dumps(state, History(), task.identity)
            writer.add(record, checkpoint, time.monotonic() - since)

        try:
            result = drive(
                task,
                start,
                used,
                callback=[recorder, *watch],
                workers=workers,
                evaluation_timeout=evaluation_timeout,
            )
        except BaseException as error:
            broken = isinstance(error, Exception) and not isinstance(error, StoreError)
            status, text = ("failed", one_line(error)) if broken else ("interrupted", None)
            with contextlib.suppress(StoreError):
                writer.end(status, time.monotonic() - since, error=text)
            if done := store.counts().get(run.id):
                error.add_note(f"run {run.name} keeps its {done[0]} iterations")
            raise
        writer.end("done", time.monotonic() - since, result=result)
    return store.find(run.name)


def summary(run: Run) -> dict[str, Any]:
    """A run as the one JSON object that every command prints; null where nothing is known yet."""
    nothing = UNFINISHED | dict.fromkeys(FIGURES[run.job]) | {"known": None, "report": {}}
    return {
        "name": run.experiment,
        "run": run.name,
        "status": run.status,
        "study": run.study,
        "variation": run.variation,
        "problem": run.problem,
        "job": run.job,
        "settings": run.settings,
        "seed": run.seed,
        "created": run.created,
        "versions": run.versions,
        "seconds": run.seconds,
        "error": run.error,
        "note": run.note,
        "tags": run.tags,
        **nothing,
        **(run.result or {}),
    }


def other_versions(run: Run) -> str | None:
    """A warning, if an unfinished run was begun with other versions than these."""
    now = versions()
    then = {k: v for k, v in run.versions.items() if k != "machine"}
    other = [f"{k} {v}, now {now.get(k)}" for k, v in then.items() if now.get(k) != v]
    if run.status == "done" or not other:
        return None
    return f"run {run.name} was begun with {'; '.join(other)}: its bits may not be the same"
