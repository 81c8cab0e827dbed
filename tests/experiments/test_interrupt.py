"""A run that is told to end: by real signals to real processes."""

import os
import shlex
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest

from experiments.app import command
from experiments.interrupt import SAID, gently
from experiments.store import Store

HANG = 60  # seconds until a test is given up
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")


@pytest.fixture(scope="module")
def uncut(script):
    """What the experiment comes to if nobody interrupts it."""
    words = [sys.executable, script, "run", "slow", "--store", script.with_name("uncut.db")]
    subprocess.run(words, check=True, timeout=HANG, capture_output=True)
    return bits(script.with_name("uncut.db"))


def done(path="cem-runs.db"):
    """How many iterations the store at the path holds."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
            return store.execute("SELECT count(*) FROM iterations").fetchone()[0]
    except sqlite3.OperationalError:  # not there yet
        return 0


def wait_until(true):
    end = time.monotonic() + HANG
    while not true():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


def ended(process):
    out, err = process.communicate(timeout=HANG)
    return process.returncode, out, err


def bits(path):
    with Store(str(path)) as store:
        (run,) = store.runs()
        return run.status, run.result, store.history(run)


@pytest.mark.parametrize(
    ("number", "status", "workers"),
    [(signal.SIGINT, 130, 1), (signal.SIGINT, 130, 2), (signal.SIGTERM, 143, 1)],
)
def test_the_first_signal_ends_after_the_iteration_and_the_rest_has_the_same_bits(
    start, uncut, folder, number, status, workers
):
    cut = folder / "my runs.db"
    process = start("run", "slow", "--store", cut, "--workers", workers)
    wait_until(lambda: done(cut) >= 2)
    process.send_signal(number)
    code, out, err = ended(process)
    assert (code, out) == (status, "")
    said, hint = err.splitlines()
    assert said == SAID
    again = command("resume", "slow-0001", store=str(cut))
    kept = done(cut)
    assert 2 <= kept < 12
    assert hint == (
        f"cem: interrupted; run slow-0001 keeps its {kept} iterations; go on with: {again}"
    )
    assert bits(cut)[0] == "interrupted"
    assert ended(start(*shlex.split(again)[1:]))[0] == 0
    assert bits(cut) == uncut


@pytest.mark.parametrize("workers", [1, 2])
def test_the_second_signal_ends_a_long_evaluation_at_once(start, folder, workers):
    process = start("run", "slow", "--workers", workers)
    wait_until(lambda: done() >= 2)
    (folder / "hang").touch()
    wait_until(lambda: len([*folder.glob("*.pid")]) == workers)
    kept = done()
    process.send_signal(signal.SIGINT)
    assert process.stderr.readline() == f"{SAID}\n"
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    code, out, err = ended(process)
    assert (code, out) == (130, "")
    assert err == (
        f"cem: interrupted; run slow-0001 keeps its {kept} iterations; "
        "go on with: cem resume slow-0001\n"
    )
    assert (bits("cem-runs.db")[0], done()) == ("interrupted", kept)
    for path in folder.glob("*.pid"):
        wait_until(lambda pid=int(path.stem): not alive(pid))


def test_a_run_that_a_process_is_at_is_not_resumed_until_that_has_ended(start, folder, uncut):
    first = start("run", "slow")
    wait_until(lambda: done() >= 2)
    (folder / "hang").touch()
    wait_until(lambda: [*folder.glob("*.pid")])
    said = "cem: error: a process is at slow-0001: end it first (Ctrl-C), or use --force\n"
    assert ended(start("resume", "slow-0001")) == (1, "", said)
    first.kill()
    first.wait()
    (folder / "hang").unlink()
    assert ended(start("resume", "slow-0001"))[0] == 0
    assert bits("cem-runs.db") == uncut


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_process_that_takes_too_long_is_told_in_one_line(start, folder):
    (folder / "hang").touch()
    code, out, err = ended(start("run", "slow", "--evaluation-timeout", "0.5"))
    assert (code, out) == (1, "")
    assert err.startswith("cem: error: chunk 1 of 2 was not scored (samples 0 to 49 of iteration 1")
    assert "it took longer than 0.5 s" in err
    assert err.count("\n") == 1


def test_a_process_that_dies_is_told_in_one_line_and_resumed_with_other_workers(start, folder):
    (folder / "die").touch()
    code, out, err = ended(start("run", "slow", "--workers", "2"))
    assert (code, out) == (1, "")
    assert err.startswith("cem: error: chunk 1 of 2 was not scored")
    assert "3 processes ended abruptly over it" in err
    assert err.count("\n") == 1
    (folder / "die").unlink()
    code, out, err = ended(start("resume", "last", "--evaluation-timeout", "60", "--quiet"))
    assert (code, out, err) == (0, "slow-0001\n", "")


def test_the_signals_are_the_caller_s_again_afterwards():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with gently() as asked:
        assert signal.getsignal(signal.SIGINT) == asked.hear
        assert not asked()
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before


def test_the_first_signal_asks_and_the_second_interrupts(capfd):
    with gently() as asked:
        asked.check(None, None)
        os.kill(os.getpid(), signal.SIGTERM)
        assert asked()
        with pytest.raises(KeyboardInterrupt):
            asked.check(None, None)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert asked.exit_status == 130  # of the last
    assert capfd.readouterr().err == f"{SAID}\n"


def test_a_signal_that_is_ignored_stays_ignored(capfd):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with gently() as asked:
            os.kill(os.getpid(), signal.SIGINT)
            assert not asked()
    finally:
        signal.signal(signal.SIGINT, before)
    assert capfd.readouterr().err == ""


def test_in_another_thread_nothing_changes():
    found = []

    def look():
        with gently() as asked:
            found.extend([signal.getsignal(signal.SIGINT), asked()])

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [before, False]


def test_how_to_go_on_hides_the_password_of_a_store():
    shown = command("resume", "a-0001", store="postgresql://me:secret@host/runs")
    assert shown == "cem resume a-0001 --store 'postgresql://me:***@host/runs'"
