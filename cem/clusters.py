"""The workers of a Dask cluster as an executor.

Dask has one of its own, ``client.get_executor()``. It reads a result as an error if the worker that
computed it dies as it arrives (distributed 2026.8: the status is looked at only after the value has
come). Here what has come counts; and Dask need not keep it, nor compute it again, once it is here.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future
from functools import partial
from typing import Any


class DaskWorkers(Executor):
    """Calls done by whoever is free on a cluster; ``options`` are those of ``client.submit``."""

    def __init__(self, client: Any, **options: Any) -> None:
        self.client = client
        self.options = {"pure": False, **options}

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have ``fn(*args, **kwargs)`` called; a call that is cancelled is not waited for."""
        task = self.client.submit(partial(fn, **kwargs) if kwargs else fn, *args, **self.options)
        future: Future[Any] = Future()
        future.add_done_callback(partial(_cancelled_too, weakref.ref(task)))
        self.client.loop.add_callback(_delivered, task, future)
        return future


def executor_of(workers: Any) -> Any:
    """A `DaskWorkers` from a client of Dask or its executor; anything else as it is."""
    dask = sys.modules.get("distributed")  # whoever has a client has imported it
    if dask is None:
        return workers
    if isinstance(workers, dask.Client):
        return DaskWorkers(workers)
    if isinstance(workers, dask.cfexecutor.ClientExecutor):
        return DaskWorkers(workers._client, **workers._kwargs)  # noqa: SLF001 - nothing else tells
    return workers


async def _delivered(task: Any, future: Future[Any]) -> None:
    """What comes of a task, in the loop of its client."""
    try:
        value = await task
    except CancelledError:  # by the scheduler, or because the future was
        future.cancel()
        future.set_running_or_notify_cancel()
    except Exception as error:  # noqa: BLE001 - whatever was raised there
        if future.set_running_or_notify_cancel():
            future.set_exception(error)
    else:
        if future.set_running_or_notify_cancel():
            future.set_result(value)


def _cancelled_too(of: weakref.ref[Any], future: Future[Any]) -> None:
    task = of() if future.cancelled() else None
    if task is not None and task.status != "cancelled":
        task.cancel()
