"""Who does the work of a sweep: this process, several of its own, or a Dask cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cem.clusters import DaskWorkers
from cem.processes import LostError, Processes
from experiments.task import versions

PATIENCE = 20  # seconds for a cluster to answer


@dataclass(frozen=True)
class Crew:
    """An executor, and how many calls to give it."""

    executor: Executor
    lost: tuple[type[Exception], ...]  # raised when the worker of a call dies again and again
    at_once: Callable[[], int]  # calls to have submitted, as things are now; 0 if nobody is there


class Here(Executor):
    """What is submitted is done at once, in this process.

    >>> Here().submit(abs, -1).result()
    1
    """

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call it; what it raises comes with its result, as of any executor."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - Ctrl-C, too
            future.set_exception(error)
        return future


@contextmanager
def local(workers: int) -> Iterator[Crew]:
    """So many processes, -1: one for each core; 1 is this one."""
    if workers == 1:
        yield Crew(Here(), (), lambda: 1)
    else:
        n = workers if workers > 0 else os.cpu_count() or 1
        with Processes(n) as pool:
            yield Crew(pool, (LostError,), lambda: 2 * n)


@contextmanager
def cluster(address: str) -> Iterator[Crew]:
    """The workers of a Dask scheduler such as ``tcp://10.0.0.1:8786``.

    They may come and go. Raises RuntimeError if none is there at first, or if one has other
    versions than this process, so that its bits might be others.
    """
    try:
        from distributed import Client, KilledWorker
        from distributed.comm import CommClosedError
        from distributed.scheduler import NoWorkerError
    except ImportError as error:
        raise ImportError(
            "a cluster needs the package distributed: pip install cemkit[cluster]"
        ) from error
    with Client(address, timeout=PATIENCE, set_as_default=False) as client:
        try:
            roll = Roll(client)
            if not roll():
                raise RuntimeError(f"the cluster at {address} has no workers: start some first")
            yield Crew(DaskWorkers(client), (KilledWorker,), roll)
        except (CancelledError, CommClosedError, NoWorkerError) as error:
            raise RuntimeError(
                f"the cluster at {address} has gone ({type(error).__name__}); the same command "
                "goes on when it is back, or with another"
            ) from error


class Roll:
    """The workers that are present on a cluster; those that come later are checked as well."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.ours = _deciding(versions())
        self.checked: set[str] = set()

    def __call__(self) -> int:
        """How many calls to have submitted: two for each of their threads, now."""
        if self.client.status == "closed":  # it has given up looking for its scheduler
            raise CancelledError("the client has been closed")
        threads = self.client.nthreads()
        if new := [worker for worker in threads if worker not in self.checked]:
            answers = self.client.run(versions, workers=new, on_error="return")
            for worker, theirs in answers.items():
                if not isinstance(theirs, Exception):  # else it has gone already
                    self._check(worker, _deciding(theirs))
                    self.checked.add(worker)
        return 2 * sum(threads.values())

    def _check(self, worker: str, theirs: dict[str, str]) -> None:
        if theirs != self.ours:
            few = ", ".join(
                f"{k} {theirs.get(k)}, here {v}" for k, v in self.ours.items() if theirs.get(k) != v
            )
            raise RuntimeError(f"the worker {worker} has other versions than this process: {few}")


def _deciding(versions: dict[str, str]) -> dict[str, str]:
    return {name: version for name, version in versions.items() if name != "machine"}
