"""A part of a run, for any process that is free: some seconds of it, without the store."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import cem
from cem.state import History, Record, State
from experiments.task import Task, drive, one_line, prepare, restore

SECONDS = 2.0  # of a slice, or one iteration if that is longer


@dataclass(frozen=True)
class Spec:
    """Which run it is: all that decides its bits, and its name in messages."""

    name: str
    problem: str
    job: str
    settings: str  # as JSON
    seed: int


class Slice(NamedTuple):
    """What was done: the iterations, the checkpoint after them, and the end if it was reached."""

    records: tuple[Record, ...]
    checkpoint: bytes | None  # if there are any
    outcome: dict[str, Any] | None  # of a run that is done, in strict JSON
    error: str | None  # of one that has failed
    seconds: float


class Enough(BaseException):
    """The time of the slice is over: no error, and nobody else's to catch."""


def advance(
    spec: Spec,
    saved: bytes | None,
    history: History,
    used: float,
    seconds: float = SECONDS,
    *,
    evaluation_timeout: float | None = None,
) -> Slice:
    """Go on with a run for about so many seconds, at least one iteration, or to its end.

    ``saved`` is its last checkpoint, ``history`` its records so far, ``used`` the seconds that it
    took. What the problem raises comes back in words, and so does a call of it that takes too long.

    >>> settings = '{"n_samples": 100, "n_final": 100}'
    >>> done = advance(Spec("one", "bridge", "estimate", settings, 1), None, History(), 0.0)
    >>> done.error, done.outcome["nfev"] == done.records[-1].nfev
    (None, True)
    """
    records: list[Record] = []
    state: State | None = None
    outcome = error = task = None
    since = time.monotonic()

    def watch(now: State, record: Record) -> None:
        nonlocal state
        state = now
        records.append(record)
        if time.monotonic() - since >= seconds:
            raise Enough

    try:
        task = _prepared(spec)
        start = restore(task, saved, history, spec.name)
        since = time.monotonic()
        outcome = drive(task, start, used, callback=[watch], evaluation_timeout=evaluation_timeout)
    except Enough:
        pass
    except Exception as failure:  # noqa: BLE001 - the problem is the user's
        error = one_line(failure)
    took = time.monotonic() - since
    checkpoint = cem.checkpoint.dumps(state, History(), task.identity) if task and state else None
    return Slice(tuple(records), checkpoint, outcome, error, took)


@lru_cache(maxsize=8)
def _prepared(spec: Spec) -> Task:
    """The problem of a run stays loaded for the next slices of it."""
    return prepare(spec.problem, spec.job, json.loads(spec.settings), spec.seed)
