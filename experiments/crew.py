"""Who does the work of a sweep: this process, several of its own, or a Dask cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cem.processes import LostError, Processes
from experiments.task import versions

PATIENCE = 20  # seconds for a cluster to answer


@dataclass(frozen=True)
class Crew:
    """An executor, and how many calls it does at a time."""

    executor: Executor
    workers: int
    lost: tuple[type[Exception], ...]  # raised when the worker of a call dies again and again
    at_once: int  # calls to have submitted


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
        yield Crew(Here(), 1, (), 1)
    else:
        n = workers if workers > 0 else os.cpu_count() or 1
        with Processes(n) as pool:
            yield Crew(pool, n, (LostError,), 2 * n)


@contextmanager
def cluster(address: str) -> Iterator[Crew]:
    """The workers of a Dask scheduler such as ``tcp://10.0.0.1:8786``.

    Raises RuntimeError if there are none, or if one has other versions than this process, so that
    its bits might be others.
    """
    try:
        from distributed import Client, KilledWorker
        from distributed.comm import CommClosedError
    except ImportError as error:
        raise ImportError(
            "a cluster needs the package distributed: pip install cemkit[cluster]"
        ) from error
    with Client(address, timeout=PATIENCE, set_as_default=False) as client:
        threads = sum(client.nthreads().values())
        if not threads:
            raise RuntimeError(f"the cluster at {address} has no workers: start some first")
        ours = _deciding(versions())
        for worker, theirs in client.run(versions).items():
            if (other := _deciding(theirs)) != ours:
                few = ", ".join(
                    f"{k} {other.get(k)}, here {v}" for k, v in ours.items() if other.get(k) != v
                )
                raise RuntimeError(
                    f"the worker {worker} has other versions than this process: {few}"
                )
        try:
            yield Crew(client.get_executor(pure=False), threads, (KilledWorker,), 2 * threads)
        except (CancelledError, CommClosedError) as error:
            raise RuntimeError(
                f"the cluster at {address} has gone ({type(error).__name__}); the same command "
                "goes on when it is back, or with another"
            ) from error


def _deciding(versions: dict[str, str]) -> dict[str, str]:
    return {name: version for name, version in versions.items() if name != "machine"}
