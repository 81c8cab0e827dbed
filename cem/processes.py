"""Processes that do what is submitted to them, and are replaced when they die or take too long."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import partial
from multiprocessing.reduction import ForkingPickler
from multiprocessing.util import Finalize
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any

TRIES = 3  # of a task whose process ends abruptly
KEPT = 2  # functions that a process remembers: what goes on in turn is sent once
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

    Functions are sent by name, so they must be importable; one that is called again is not sent
    again. Every process uses one thread for linear algebra, ignores Ctrl-C, and ends when its
    parent does. What is not done when the interpreter ends is not done at all.

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
        self._starting = Lock()  # processes are started, and ended, one at a time
        self._submitting = Lock()  # nothing is submitted after the end
        self._closed = self._killed = False
        self._last: tuple[Any, bytes] = (None, b"")
        n = n if n > 0 else os.cpu_count() or 1
        self._keepers = [Thread(target=self._keep, daemon=True) for _ in range(n)]
        for keeper in self._keepers:
            keeper.start()
        self._at_exit = Finalize(  # before the interpreter waits for all processes that there are
            None, partial(self.shutdown, cancel_futures=True), exitpriority=0
        )

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have it called; raises what pickling raises if the function cannot be sent."""
        if kwargs:
            raise TypeError(f"arguments must be positional; got {', '.join(kwargs)} by name")
        future: Future[Any] = Future()
        with self._submitting:
            if self._closed:
                raise RuntimeError("cannot submit: the processes have been shut down")
            if self._last[0] is not fn:
                self._last = (fn, bytes(ForkingPickler.dumps(fn)))
            self._tasks.put(Task(self._last[1], args, future))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes: after all that was submitted, or at once if that is cancelled."""
        with self._submitting:
            self._closed = True
        self._at_exit.cancel()
        if cancel_futures:
            with contextlib.suppress(Empty):
                while (task := self._tasks.get_nowait()) is not None:
                    task.future.cancel()
            with self._starting:
                self._killed = True
                for worker in self._workers:
                    worker.kill()
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
            if task.future.set_running_or_notify_cancel():
                worker = self._see_to(task, worker)
            del task  # or what it holds would wait for the next one
        if worker is not None:
            self._drop(worker)

    def _see_to(self, task: Task, worker: Worker | None) -> Worker | None:
        """Have a task done, by other processes in turn if some die; the one that is left."""
        error: Exception = LostError(f"{TRIES} processes ended abruptly over it")
        try:
            for _ in range(TRIES):
                worker = worker or self._new()
                if worker.does(task, self._timeout):
                    return worker
                self._drop(worker)
                worker = None
                if task.future.done():  # it took too long
                    return None
        except Exception as why:  # noqa: BLE001 - no process can be started
            error = why
        task.future.set_exception(error)
        return None

    def _new(self) -> Worker:
        with self._starting:
            if self._killed:
                raise LostError("the processes have been shut down")
            worker = Worker(self._context)
            self._workers.add(worker)
            return worker

    def _drop(self, worker: Worker) -> None:
        with self._starting:
            self._workers.discard(worker)
        worker.end()


class Worker:
    """A process, and the line to it."""

    def __init__(self, context: Any) -> None:
        self.line, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs,))
        self.process.start()
        theirs.close()
        self.codes: list[bytes] = []  # of the functions that it remembers

    def does(self, task: Task, timeout: float | None) -> bool:
        """Have a task done and its future told; whether the process can go on after it."""
        try:
            fine, answer = self._answer(task, timeout)
        except TimeoutError as error:
            task.future.set_exception(error)
            return False
        except (EOFError, OSError):  # the line is broken
            return False
        except Exception as error:  # noqa: BLE001 - the arguments or the answer cannot be sent
            task.future.set_exception(error)
            return True
        if fine:
            task.future.set_result(answer)
        else:
            culprit, where = answer
            culprit.__cause__ = RemoteError(where)
            task.future.set_exception(culprit)
        return True

    def _answer(self, task: Task, timeout: float | None) -> tuple[bool, Any]:
        if task.code not in self.codes:  # loading it, and all that it needs, takes none of its time
            self.line.send((None, task.code))
            loaded: tuple[bool, Any] = self.line.recv()
            if not loaded[0]:
                return loaded
            self.codes = [*self.codes, task.code][-KEPT:]
        self.line.send((self.codes.index(task.code), task.arguments))
        if not self.line.poll(timeout):
            raise TimeoutError(f"it took longer than {timeout:g} s")
        answer: tuple[bool, Any] = self.line.recv()
        return answer

    def kill(self) -> None:
        """End the process, whatever it is doing, and the programs that it has started."""
        if hasattr(os, "killpg") and self.process.is_alive():  # else its number may be another's
            with contextlib.suppress(OSError):  # it has no group yet
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()

    def end(self) -> None:
        """The same, and wait for it."""
        self.kill()
        self.process.join()
        self.process.close()
        self.line.close()


def _work(line: Any) -> None:
    """What a process does: it loads functions and calls them, until its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)  # a group with what it starts, to be ended together
    for library in ONE_THREAD_EACH:  # those that are loaded later
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    Thread(target=_end_with_parent, daemon=True).start()
    functions: list[Any] = []
    with contextlib.suppress(EOFError, OSError):
        while True:
            line.send_bytes(_sendable(*_done(line.recv_bytes(), functions)))


def _done(message: bytes, functions: list[Any]) -> tuple[bool, Any]:
    """What came of a message: ``(None, code)`` is to be loaded, ``(which, arguments)`` called."""
    try:
        which, what = ForkingPickler.loads(message)
        if which is not None:
            return True, functions[which](*what)
        functions[:] = [*functions, ForkingPickler.loads(what)][-KEPT:]
        _limit_threads()
    except Exception as error:  # noqa: BLE001 - whatever it is, it goes back
        return False, (error, traceback.format_exc())
    return True, None


def _sendable(fine: bool, answer: Any) -> bytes:
    """An answer as bytes; what cannot be sent is told in words."""
    try:
        return bytes(ForkingPickler.dumps((fine, answer)))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        said = answer if fine else answer[0]
        text = f"{type(said).__name__} cannot be sent back ({error}): {said!s:.300}"
        told = (RuntimeError(text), traceback.format_exc())
        return bytes(ForkingPickler.dumps((False, told)))


def _limit_threads() -> None:
    """One thread for each library that is loaded by now."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        if hasattr(os, "killpg"):
            os.killpg(0, signal.SIGKILL)
        os._exit(1)
