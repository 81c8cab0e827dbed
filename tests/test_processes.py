"""Processes outlive the death of any of them, end what takes too long, and say what happened."""

import os
import signal
import threading
import time

import pytest

from cem.processes import LostError, Processes


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module that the processes can import; its functions keep count in files."""
    (tmp_path / "chores.py").write_text(
        "import os, sys, time, pathlib\n"
        "def pid(_=None): return os.getpid()\n"
        "def die(_): os._exit(3)\n"
        "def nap(s): time.sleep(s); return s\n"
        "def once(path):\n"
        "    path = pathlib.Path(path)\n"
        "    if not path.exists():\n"
        "        path.touch(); os._exit(3)\n"
        "    return 'done'\n"
        "def fail(x): raise KeyError(x)\n"
        "class Odd(Exception):\n"
        "    def __init__(self, a, b): super().__init__(f'{a}{b}')\n"
        "def odd(x): raise Odd(x, x)\n"
        "def unsendable(x): return lambda: x\n"
        "def threads(_):\n"
        "    import numpy\n"
        "    from threadpoolctl import threadpool_info\n"
        "    return [lib['num_threads'] for lib in threadpool_info()]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import chores

    return chores


def test_answers_come_in_order_from_more_than_one_process(module):
    with Processes(2) as pool:
        assert list(pool.map(abs, range(-20, 0))) == list(range(20, 0, -1))
        naps = [pool.submit(module.nap, 0.3) for _ in range(2)]
        since = time.monotonic()
        assert [nap.result() for nap in naps] == [0.3, 0.3]
        assert time.monotonic() - since < 30
        assert len({pool.submit(module.pid).result() for _ in range(20)}) <= 2


def test_a_task_whose_process_dies_once_is_done_again(module, tmp_path):
    with Processes(1) as pool:
        before = pool.submit(module.pid).result()
        assert pool.submit(module.once, tmp_path / "was here").result() == "done"
        assert pool.submit(module.pid).result() != before


def test_a_task_that_always_kills_its_process_is_given_up_and_the_others_are_done(module):
    with Processes(2) as pool:
        deadly = pool.submit(module.die, 0)
        fine = [pool.submit(abs, -i) for i in range(20)]
        with pytest.raises(LostError, match=r"^3 processes ended abruptly over it$"):
            deadly.result()
        assert [task.result() for task in fine] == list(range(20))


def test_a_killed_process_is_replaced(module):
    with Processes(1) as pool:
        victim = pool.submit(module.pid).result()
        nap = pool.submit(module.nap, 0.5)
        threading.Timer(0.1, os.kill, (victim, signal.SIGKILL)).start()
        assert nap.result() == 0.5
        assert pool.submit(module.pid).result() != victim


def test_a_task_that_takes_too_long_is_ended_and_the_next_is_done(module):
    with Processes(1, timeout=0.5) as pool:
        since = time.monotonic()
        hanging = pool.submit(module.nap, 100)
        with pytest.raises(TimeoutError, match=r"^it took longer than 0\.5 s$"):
            hanging.result()
        assert time.monotonic() - since < 60
        assert pool.submit(module.nap, 0.01).result() == 0.01


def test_an_error_comes_back_with_where_it_was_raised(module):
    with Processes(1) as pool:
        with pytest.raises(KeyError, match="7") as caught:
            pool.submit(module.fail, 7).result()
        assert "in fail" in str(caught.value.__cause__)


@pytest.mark.parametrize(("name", "words"), [("odd", "argument"), ("unsendable", "cannot be sent")])
def test_what_cannot_be_sent_back_is_told_and_does_not_break_the_line(module, name, words):
    with Processes(1) as pool:
        with pytest.raises((RuntimeError, TypeError), match=words):
            pool.submit(getattr(module, name), 1).result()
        assert pool.submit(abs, -1).result() == 1


def test_a_function_that_cannot_be_sent_is_refused_at_once():
    with Processes(1) as pool, pytest.raises(Exception, match="lambda"):
        pool.submit(lambda: 1)


def test_libraries_use_one_thread_each(module):
    with Processes(1) as pool:
        assert set(pool.submit(module.threads, 0).result()) <= {1}


def test_an_error_ends_the_processes_without_waiting_for_them(module):
    def interrupted():
        with Processes(1) as pool:
            pool.submit(abs, -1).result()
            nap = pool.submit(module.nap, 100)
            while not nap.running():
                time.sleep(0.01)
            raise ZeroDivisionError

    since = time.monotonic()
    with pytest.raises(ZeroDivisionError):
        interrupted()
    assert time.monotonic() - since < 60


def test_nothing_can_be_submitted_after_the_end():
    pool = Processes(1)
    pool.shutdown()
    with pytest.raises(RuntimeError, match="have been shut down"):
        pool.submit(abs, 1)
