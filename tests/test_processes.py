"""Processes outlive the death of any of them, end what takes too long, and say what happened."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from cem.processes import LostError, Processes


def script(tmp_path, body):
    """A process that runs a file; it prints the pids of its workers once they are at work."""
    (tmp_path / "main.py").write_text(
        "import os, sys, time\n"
        "from cem.processes import Processes\n"
        "def nap(path):\n"
        "    open(path + '.part', 'w').write(str(os.getpid()))\n"
        "    os.replace(path + '.part', path)\n"
        "    time.sleep(1000)\n" + body
    )
    return subprocess.Popen(
        [sys.executable, "main.py"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )


def written(path):
    """What is in a file, as soon as it is there."""
    for _ in range(3000):
        if path.exists():
            return path.read_text()
        time.sleep(0.02)
    raise TimeoutError(path)


def gone(pid):
    """Whether a process ends, soon."""
    for _ in range(1500):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


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
        "def refuse(x): raise ConnectionRefusedError(x)\n"
        "def nested(n):\n"
        "    from cem.processes import Processes\n"
        "    with Processes(2) as pool: return [*pool.map(abs, range(-n, 0))]\n"
        "class Unloadable:\n"
        "    def __reduce__(self): return (fail, ('not here',))\n"
        "class Counted:\n"
        "    def __init__(self, path): self.path = path\n"
        "    def __setstate__(self, state):\n"
        "        self.__dict__ = state\n"
        "        with open(self.path, 'a') as file: file.write('.')\n"
        "    def __call__(self, x): return x\n"
        "class Odd(Exception):\n"
        "    def __init__(self, a, b): super().__init__(f'{a}{b}')\n"
        "def odd(x): raise Odd(x, x)\n"
        "def program(path):\n"
        "    import subprocess\n"
        "    running = subprocess.Popen(['sleep', '1000'])\n"
        "    pathlib.Path(path).write_text(str(running.pid)); running.wait()\n"
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


def test_a_program_that_a_task_has_started_is_ended_with_it(module, tmp_path):
    with Processes(1, timeout=2) as pool:
        with pytest.raises(TimeoutError):
            pool.submit(module.program, str(tmp_path / "pid")).result()
        assert gone(int(written(tmp_path / "pid")))


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


def test_an_error_that_looks_like_a_broken_line_comes_back_as_it_is(module):
    with Processes(1) as pool:
        before = pool.submit(module.pid).result()
        with pytest.raises(ConnectionRefusedError):
            pool.submit(module.refuse, 1).result()
        assert pool.submit(module.pid).result() == before


def test_what_cannot_be_loaded_there_is_told_and_the_next_is_done(module):
    with Processes(1) as pool:
        with pytest.raises(KeyError, match="not here"):
            pool.submit(module.Unloadable()).result()
        assert pool.submit(abs, -1).result() == 1


def test_functions_that_take_turns_are_sent_once(module, tmp_path):
    counted = module.Counted(str(tmp_path / "loaded"))
    with Processes(1) as pool:
        for i in range(5):
            assert pool.submit(counted, i).result() == i
            assert pool.submit(abs, -i).result() == i
    assert (tmp_path / "loaded").read_text() == "."


def test_a_task_may_have_processes_of_its_own(module):
    with Processes(1) as pool:
        assert pool.submit(module.nested, 3).result() == [3, 2, 1]


def test_where_no_process_can_be_started_the_task_says_so(module):
    with (
        multiprocessing.get_context("forkserver").Pool(1) as daemons,
        pytest.raises(AssertionError, match="daemonic processes are not allowed to have children"),
    ):
        daemons.map(module.nested, [3])


def test_spawned_processes_do_as_well(module, monkeypatch):
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    with Processes(1) as pool:
        assert pool.submit(module.nap, 0.01).result() == 0.01


def test_what_was_not_begun_is_cancelled_at_an_early_end(module):
    pool = Processes(1)
    tasks = [pool.submit(module.nap, 100) for _ in range(3)]
    while not tasks[0].running():
        time.sleep(0.01)
    pool.shutdown(cancel_futures=True)
    assert [task.cancelled() for task in tasks] == [False, True, True]
    with pytest.raises(LostError, match="have been shut down"):
        tasks[0].result()


def test_the_interpreter_ends_although_a_pool_is_open_and_busy(tmp_path):
    run = script(
        tmp_path,
        "if __name__ == '__main__':\n"
        "    pool = Processes(1)\n"
        "    pool.submit(nap, 'pid')\n"
        "    while not os.path.exists('pid'): time.sleep(0.01)\n",
    )
    assert run.communicate(timeout=60)[1] == ""
    assert gone(int(written(tmp_path / "pid")))


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_the_processes_and_their_programs_end_with_their_parent(tmp_path, end):
    run = script(
        tmp_path,
        "import subprocess\n"
        "def program(path):\n"
        "    open('program', 'w').write(str(subprocess.Popen(['sleep', '1000']).pid))\n"
        "    nap(path)\n"
        "if __name__ == '__main__':\n"
        "    with Processes(1) as pool: pool.submit(program, 'pid').result()\n",
    )
    pid = int(written(tmp_path / "pid"))
    run.send_signal(end)
    run.wait(60)
    assert gone(pid)
    assert gone(int(written(tmp_path / "program")))
    assert ("KeyboardInterrupt" in run.communicate(timeout=60)[1]) == (end == signal.SIGINT)


def test_a_script_without_its_guard_fails_and_does_not_hang(tmp_path):
    run = script(tmp_path, "Processes(1).submit(abs, -1).result()\n")
    assert "LostError" in run.communicate(timeout=100)[1]
    assert run.returncode == 1
