"""Run a study: slices of its runs go to whoever is free, and what comes back into the store.

This process alone writes. Several of them may sweep one study at a time, on several machines.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from cem.state import History
from experiments.clock import Every
from experiments.complaints import AwayError, ReplacedError, StoreError
from experiments.crew import Crew
from experiments.progress import ELSEWHERE, Page
from experiments.settings import checksum, may_be_files
from experiments.slices import SECONDS, Slice, Spec, advance
from experiments.store import Run, Store
from experiments.study import Study
from experiments.task import one_line, versions
from experiments.writer import Writer

BREATH = 0.2  # seconds between two looks at the clock and at who asks for an end
TOUCH = 30.0  # seconds between two signs of life to other machines
FEW = 5  # variations, or seeds, that a sentence names
POLL = 2.0  # seconds between two looks at the runs of other processes, and at who is there to work

UNPLANNED = {
    "versions": {},
    "created": "",
    "status": "planned",
    "touched": "",
    "seconds": 0.0,
    "result": None,
    "error": None,
    "note": "",
    "tags": [],
}


@dataclass(frozen=True)
class Flight:
    """A slice that is being done, and all that it began with."""

    run: Run
    writer: Writer
    spec: Spec
    saved: bytes | None
    history: History
    used: float


def plan(study: Study, store: Store) -> list[Run]:
    """The runs of a study in the store, planned where they are not there; see `Store.plan`.

    Raises ValueError if one that has iterations was made with other settings than the study has
    now, or from a file that has changed; one that has none, because it was only planned or failed
    at once, is planned anew.
    """
    runs, rows = foreseen(study, store), study.rows()
    stale = [run for run, row in zip(runs, rows, strict=True) if run.id > 0 and _differs(run, row)]
    store.delete(stale)
    made_with = versions()
    said = study.plan() | {"contents": _contents(study)}
    return store.plan(study.name, said, [row | {"versions": made_with} for row in rows])


def foreseen(study: Study, store: Store) -> list[Run]:
    """The runs that `plan` will give, without planning them."""
    there = {(run.variation, run.seed): run for run in store.runs(study.name)}
    begun = store.counts([run.id for run in there.values()])
    _check_contents(study, store, [run for run in there.values() if run.id in begun])
    found = []
    for at, row in enumerate(study.rows(), 1):
        run = there.get((row["variation"], row["seed"]))
        if run is None:
            run = Run(**UNPLANNED | row | {"id": -at, "study": study.name})
        elif run.id in begun or run.status in {"running", "done"}:
            _check_same(study, run, row)
        found.append(run)
    return found


def _differs(run: Run, row: dict[str, Any]) -> dict[str, str]:
    """What a run was made, or planned, with otherwise than its row says: in words, by name."""
    then = {"problem": run.problem, "job": run.job, **run.settings}
    now = {"problem": row["problem"], "job": row["job"], **row["settings"]}
    return {
        key: f"{key} = {then.get(key)!r}, now {now.get(key)!r}"
        for key in sorted({*then, *now})
        if then.get(key) != now.get(key)
    }


def _check_same(study: Study, run: Run, row: dict[str, Any]) -> None:
    """Refuse a run that was made with something else, and say what."""
    if other := _differs(run, row):
        raise ValueError(
            f"run {run.name} of the study {study.name!r} ({run.variation}, seed {run.seed}) was "
            f"made with other settings: {'; '.join(other.values())}; give the study another name "
            "(name = ...), undo the change, or delete its runs"
        )


def _contents(study: Study) -> dict[str, str]:
    """A checksum of every file from which runs are made, by its path."""
    keys = may_be_files(study.problem)
    named = {v.settings[key] for v in study.variations for key in keys if v.settings.get(key)}
    paths = filter(Path.is_absolute, map(Path, sorted(named)))
    return {str(path): checksum(path) for path in paths}


def _check_contents(study: Study, store: Store, made: list[Run]) -> None:
    """Refuse a file that is not what it was when a run was made from it."""
    if not made:
        return
    keys = may_be_files(study.problem)
    then, now = store.study(study.name).plan.get("contents", {}), _contents(study)
    other = {path for path in then.keys() & now.keys() if then[path] != now[path]}
    for run in made:
        if changed := other & {run.settings.get(key) for key in keys}:
            raise ValueError(
                f"{changed.pop()} is not what it was when run {run.name} of the study "
                f"{study.name!r} was made: bring it back, give the study another name (name = "
                "...), or delete its runs"
            )


def no_more_in(study: Study, runs: list[Run]) -> list[str]:
    """What the store has of a study that its file does not speak of any more, in sentences."""
    names, seeds = {v.name for v in study.variations}, set(study.seeds)
    gone = [run for run in runs if run.variation not in names or run.seed not in seeds]
    if not gone:
        return []
    variations = sorted({str(run.variation) for run in gone} - names)
    others = sorted({run.seed for run in gone if run.variation in names})
    few = [f"the variations {_some('; ', variations)}"] if variations else []
    few += [f"the seeds {_some(', ', others)}"] if others else []
    return [f"{len(gone)} runs stay in the store that are no longer in the file: {', '.join(few)}"]


def _some(between: str, words: list[Any]) -> str:
    """The first of them, and how many more there are.

    >>> _some(", ", [3, 4]), _some(", ", [*range(100)])
    ('3, 4', '0, 1, 2, 3, 4 and 95 more')
    """
    more = f" and {len(words) - FEW} more" if len(words) > FEW else ""
    return between.join(map(str, words[:FEW])) + more


class Sweep:
    """The runs of a study on their way; `go` brings them to their ends."""

    def __init__(
        self,
        store: Store,
        crew: Crew,
        page: Page,
        stop_asked: Callable[[], bool],
        evaluation_timeout: float | None = None,
    ) -> None:
        self.store, self.crew, self.page = store, crew, page
        self.stop_asked = stop_asked
        self.advance = partial(advance, evaluation_timeout=evaluation_timeout)
        runs = [run for run in page.standing.runs.values() if run.status != "done"]
        self.waiting = deque(sorted(runs, key=lambda run: run.status == "planned"))
        self.elsewhere: list[Run] = []  # at which another process is
        self.flying: dict[Future[Slice], Flight] = {}
        self.poll, self.touch, self.call = Every(POLL), Every(TOUCH), Every(POLL)
        self.room = crew.at_once()  # for flights

    def go(self) -> None:
        """Work until no run is left, or until somebody asks for an end: what flies then lands.

        On any error all that was committed stays, and runs that were begun are interrupted.
        """
        try:
            while not self._is_over():
                self._call()
                self._start()
                self._recall()
                self._land()
                self._touch()
                self.page.show()
        except AwayError:  # nobody to tell
            raise
        except BaseException:
            self._interrupt()
            raise

    def _is_over(self) -> bool:
        if self.flying:
            return False
        return self.stop_asked() or not (self.waiting or self.elsewhere)

    def _call(self) -> None:
        """See now and then who is there: workers of a cluster come and go."""
        if self.call.is_time():
            self.room = self.crew.at_once()
            self.page.staffed(self.room > 0)

    def _start(self) -> None:
        """Have as many slices done at a time as the crew can take."""
        while len(self.flying) < self.room and self.waiting and not self.stop_asked():
            run = self.waiting.popleft()
            if self.store.busy(run):
                self._leave(run)
            else:
                self._board(run)

    def _recall(self) -> None:
        """Take back what nobody has begun yet, once an end is asked for."""
        if self.stop_asked():
            for future in [future for future in self.flying if future.cancel()]:
                flight = self.flying.pop(future)
                with contextlib.suppress(ReplacedError):
                    flight.writer.end("interrupted", flight.used)
                self.page.now(replace(flight.run, status="interrupted", seconds=flight.used))

    def _board(self, run: Run) -> None:
        """Go on with a run where the store has it, once nobody else can add to it."""
        if not (found := self.store.runs(ids=[run.id])):
            self.page.now(replace(run, status="failed", error="it is no more in the store"))
        elif found[0].status == "done":  # by another process
            self.page.now(found[0])
        else:
            with self.store.writer(run) as writer:
                run = self.store.again(run)
            if run.result is None:
                self._begin(run, writer)
            else:  # it was as quick
                writer.end("done", run.seconds)
                self.page.now(replace(run, status="done"))

    def _begin(self, run: Run, writer: Writer) -> None:
        self.page.now(run)
        saved = self.store.checkpoint(run) if run.seconds else None  # none is there yet
        history = History() if saved is None else self.store.history(run)
        spec = Spec(run.name, run.problem, run.job, json.dumps(run.settings), run.seed)
        self._submit(Flight(run, writer, spec, saved, history, run.seconds if saved else 0.0))

    def _submit(self, flight: Flight) -> None:
        args = (flight.spec, flight.saved, flight.history, flight.used, SECONDS)
        future = self.crew.executor.submit(self.advance, *args)
        self.flying[future] = flight

    def _land(self) -> None:
        """Commit what has been done, and send on what is not at its end."""
        if self.flying:
            done, _ = wait(self.flying, timeout=BREATH, return_when=FIRST_COMPLETED)
            for future in done:
                flight = self._committed(self.flying[future], self._done(future))
                del self.flying[future]
                if flight is not None:
                    self._submit(flight)
        elif self.poll.is_time():
            self.waiting.extend(self.elsewhere)
            self.elsewhere.clear()
        else:
            time.sleep(BREATH)

    def _touch(self) -> None:
        """Show other machines now and then that this one is at its runs, however long they take."""
        if self.touch.is_time():
            for flight in self.flying.values():
                with contextlib.suppress(ReplacedError):  # which will be seen when it lands
                    flight.writer.end("running", flight.used)

    def _interrupt(self) -> None:
        """Say in the store that nobody is at the runs any more."""
        with contextlib.suppress(StoreError):
            for future, flight in self.flying.items():
                future.cancel()
                with contextlib.suppress(ReplacedError):
                    flight.writer.end("interrupted", flight.used)

    def _done(self, future: Future[Slice]) -> Slice:
        try:
            return future.result()
        except self.crew.lost as error:
            return Slice((), None, None, f"its worker died again and again: {one_line(error)}", 0.0)

    def _committed(self, flight: Flight, found: Slice) -> Flight | None:
        """The next slice of a run whose last one is in the store now; None if it has none."""
        used = flight.used + found.seconds
        row: dict[str, Any] = {}
        if found.outcome is not None:
            row = {"status": "done", "result": found.outcome}
        elif found.error is not None:
            row = {"status": "failed", "error": found.error}
        elif self.stop_asked():
            row = {"status": "interrupted"}
        try:
            if found.records:
                flight.writer.add_all(found.records, found.checkpoint, used, **row)
            elif row:
                flight.writer.end(seconds=used, **row)
        except ReplacedError:
            self._leave(flight.run)
            return None
        self.page.worked(found.seconds)
        if row:
            self.page.now(replace(flight.run, seconds=used, **row))
            return None
        self.page.now(replace(flight.run, seconds=used))
        history = History((*flight.history, *found.records))
        return replace(flight, saved=found.checkpoint, history=history, used=used)

    def _leave(self, run: Run) -> None:
        """Leave a run to the process that is at it, for now."""
        self.elsewhere.append(run)
        self.page.now(replace(run, status=ELSEWHERE))
