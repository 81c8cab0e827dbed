"""The workers of a Dask cluster as an executor.

Dask has one of its own, ``client.get_executor()``. It reads a result as an error if the worker that
computed it dies as it arrives (distributed 2026.8: the status is looked at only after the value has
come). Here what has come counts; and Dask need not keep it, nor compute it again, once it is here.
"""

from __future__ import annotations

import asyncio
import sys
import traceback
import weakref
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future
from functools import partial
from typing import Any


class DaskWorkers(Executor):
    """Calls done by whoever is free on a cluster; ``options`` are those of ``client.submit``.

    A call whose task the cluster or its client lets go raises CancelledError, with the reason.
    """

    def __init__(self, client: Any, **options: Any) -> None:
        if client.asynchronous:  # what comes would come in the very loop that waits for it
            raise TypeError(
                "a client cannot be waited for in its own event loop: expected a call from another "
                "thread, await asyncio.to_thread(...), or a client that is not asynchronous"
            )
        self.client = client
        self.options = {"pure": False, **options}

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have ``fn(*args, **kwargs)`` called; a call that is cancelled is not waited for."""
        task = self.client.submit(partial(_called, fn, **kwargs), *args, **self.options)
        future: Future[Any] = Future()
        future.add_done_callback(partial(_let_go, weakref.ref(task)))
        self.client.loop.add_callback(_delivered, task, future)
        if self.client.status in {"closing", "closed"}:  # it may have missed this one
            raise RuntimeError("cannot submit: the client has been closed")
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


def _called(fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """The call, there; an error brings as text where it comes from: its cause may not travel."""
    try:
        return fn(*args, **kwargs)
    except Exception as error:
        error.add_note(traceback.format_exc())
        error.__cause__ = error.__context__ = None
        raise


async def _delivered(task: Any, future: Future[Any]) -> None:
    """What comes of a task, in the loop of its client."""
    try:
        value = await task
    except asyncio.CancelledError:  # the loop ends
        _failed(future, CancelledError("its client was closed"))
        raise
    except Exception as error:  # noqa: BLE001 - whatever was raised there, or on the way
        lost = isinstance(error, OSError) or task.client.status != "running"
        if lost and task.status != "error":
            error = CancelledError(f"{type(error).__name__}: {error}")
        _failed(future, error)
    else:
        if future.set_running_or_notify_cancel():
            future.set_result(value)
    finally:
        task.release()  # a client keeps an error, and with its frames the task, till it is closed


def _failed(future: Future[Any], error: Exception) -> None:
    if future.set_running_or_notify_cancel():
        future.set_exception(error)


def _let_go(of: weakref.ref[Any], future: Future[Any]) -> None:
    task = of() if future.cancelled() else None
    if task is not None:
        task.release()
