"""Processes that do what is submitted to them, and are replaced when they die or take too long."""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from multiprocessing.reduction import ForkingPickler
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any

TRIES = 3  # of a task whose process ends abruptly
ONE_THREAD_EACH = ("OMP", "OPENBLAS", "MKL", "NUMBA", "VECLIB_MAXIMUM")


class LostError(RuntimeError):
    """The process that did a task ended abruptly, and so did those that tried again."""


class RemoteError(Exception):
    """Where an error came from in another process: its traceback as text."""


@dataclass(frozen=True)
class Task:
    """A call that waits for a process: the function as bytes, what it is called with."""

    code: bytes
    arguments: tuple[Any, ...]
    future: Future[Any]


class Processes(Executor):
    """An executor of ``n`` processes, -1: one for each core, that outlives the death of any.

    If a process dies, another takes its place and does the task again, three times in all; then
    the task's future raises `LostError`. With a ``timeout`` in seconds a task that takes longer is
    ended with its process, and its future raises TimeoutError. All else goes on.

    Functions and arguments are sent by name, so they must be importable. Every process uses one
    thread for linear algebra, ignores Ctrl-C, and ends when its parent does.

    >>> with Processes(2) as pool:
    ...     list(pool.map(abs, [-1, -2, 3]))
    [1, 2, 3]
    """

    def __init__(self, n: int = -1, *, timeout: float | None = None) -> None:
        methods = multiprocessing.get_all_start_methods()
        self._context = multiprocessing.get_context(
            "forkserver" if "forkserver" in methods else "spawn"
        )
        self._timeout = timeout
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._workers: set[Worker] = set()
        self._lock = Lock()  # processes are started, and ended, one at a time
        self._closed = self._killed = False
        self._last: tuple[Any, bytes] = (None, b"")
        n = n if n > 0 else os.cpu_count() or 1
        self._keepers = [Thread(target=self._keep, daemon=True) for _ in range(n)]
        for keeper in self._keepers:
            keeper.start()
        atexit.register(self.shutdown)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have it called; raises what pickling raises if the function cannot be sent."""
        if self._closed:
            raise RuntimeError("cannot submit: the processes have been shut down")
        if kwargs:
            raise TypeError(f"arguments must be positional; got {', '.join(kwargs)} by name")
        if self._last[0] is not fn:
            self._last = (fn, bytes(ForkingPickler.dumps(fn)))
        future: Future[Any] = Future()
        self._tasks.put(Task(self._last[1], args, future))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes: after all that was submitted, or at once if that is cancelled."""
        atexit.unregister(self.shutdown)
        self._closed = True
        if cancel_futures:
            with contextlib.suppress(Exception):
                while (task := self._tasks.get_nowait()) is not None:
                    task.future.cancel()
            with self._lock:
                self._killed = True
                for worker in self._workers:
                    worker.process.kill()
        for _ in self._keepers:
            self._tasks.put(None)
        if wait:
            for keeper in self._keepers:
                keeper.join()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.shutdown(cancel_futures=kind is not None)

    def _keep(self) -> None:
        """What a thread does: it keeps one process busy, and in its place puts another."""
        worker = None
        while (task := self._tasks.get()) is not None:
            if not task.future.set_running_or_notify_cancel():
                continue
            for _ in range(TRIES):
                worker = worker or self._new()
                if worker is None:
                    task.future.set_exception(LostError("the processes have been shut down"))
                elif not worker.does(task, self._timeout):
                    self._drop(worker)
                    worker = None
                if task.future.done():
                    break
            else:
                task.future.set_exception(LostError(f"{TRIES} processes ended abruptly over it"))
        if worker is not None:
            self._drop(worker)

    def _new(self) -> Worker | None:
        with self._lock:
            if self._killed:
                return None
            worker = Worker(self._context)
            self._workers.add(worker)
            return worker

    def _drop(self, worker: Worker) -> None:
        with self._lock:
            self._workers.discard(worker)
        worker.end()


class Worker:
    """A process, and the line to it."""

    def __init__(self, context: Any) -> None:
        self.line, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs,))
        self.process.start()
        theirs.close()
        self.code: bytes | None = None

    def does(self, task: Task, timeout: float | None) -> bool:
        """Have a task done and its future told; whether the process can go on after it."""
        try:
            fine, answer = self._answer(task, timeout)
        except TimeoutError as error:
            task.future.set_exception(error)
            return False
        except (EOFError, ConnectionError, BrokenPipeError):
            return False
        except Exception as error:  # noqa: BLE001 - the arguments or the answer cannot be sent
            task.future.set_exception(error)
            return False
        if fine:
            task.future.set_result(answer)
        else:
            culprit, where = answer
            culprit.__cause__ = RemoteError(where)
            task.future.set_exception(culprit)
        return True

    def _answer(self, task: Task, timeout: float | None) -> tuple[bool, Any]:
        if task.code != self.code:  # loading it, and all that it needs, takes none of its time
            self.line.send_bytes(task.code)
            loaded: tuple[bool, Any] = self.line.recv()
            if not loaded[0]:
                return loaded
            self.code = task.code
        self.line.send_bytes(b"")
        self.line.send(task.arguments)
        if not self.line.poll(timeout):
            raise TimeoutError(f"it took longer than {timeout:g} s")
        answer: tuple[bool, Any] = self.line.recv()
        return answer

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self.process.kill()
        self.process.join()
        self.process.close()
        self.line.close()


def _work(line: Any) -> None:
    """What a process does: it loads functions and calls them, until its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for library in ONE_THREAD_EACH:  # those that are loaded later
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    Thread(target=_end_with_parent, daemon=True).start()
    function: Any = None
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            code = line.recv_bytes()
            try:
                if code:
                    function = ForkingPickler.loads(code)
                    _limit_threads()
                answer = (True, None if code else function(*line.recv()))
            except (EOFError, ConnectionError):
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it goes back
                answer = (False, (error, traceback.format_exc()))
            _send(line, answer)


def _send(line: Any, answer: tuple[bool, Any]) -> None:
    try:
        line.send(answer)
    except (EOFError, ConnectionError):
        raise
    except Exception as error:  # noqa: BLE001 - what cannot be sent is told in words
        said = answer[1] if answer[0] else answer[1][0]
        text = f"{type(said).__name__} cannot be sent back ({error}): {said!s:.300}"
        line.send((False, (RuntimeError(text), traceback.format_exc())))


def _limit_threads() -> None:
    """One thread for each library that is loaded by now."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
