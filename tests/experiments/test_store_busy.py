"""Whether somebody is at a run is found out without asking him."""

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from storing import ROW

from experiments.store import Store
from experiments.tables import runs
from experiments.writer import host, token

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks into /proc")


@pytest.fixture
def store():
    with Store("sqlite://") as opened:
        yield opened


@pytest.fixture
def another_process():
    """Start a process that waits."""
    made = []

    def start():
        made.append(subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE))
        return made[-1]

    yield start
    for process in made:
        process.kill()
        process.communicate()


def stat(process):
    """What /proc says of it, after its name: state, then the numbers from the fourth on."""
    return Path(f"/proc/{process.pid}/stat").read_text("utf-8").rpartition(")")[2].split()


def as_writer(process):
    return f"{host()}:{process.pid}:{stat(process)[19]}-x"


def busy(store, run, **row):
    """Whether it is, with this in its row."""
    with store.database.engine.begin() as connection:
        connection.execute(sa.update(runs).values(row))
    return store.busy(run)


def test_a_run_is_busy_while_another_living_process_is_at_it(store, another_process):
    assert busy(store, store.begin(**ROW), writer=as_writer(another_process()))


def test_a_run_is_not_busy_for_the_process_that_is_at_it(store):
    run = store.begin(**ROW)
    with store.writer(run):
        assert not store.busy(run)


def test_a_dead_process_is_not_at_a_run_even_before_its_parent_knows(store, another_process):
    run, other = store.begin(**ROW), another_process()
    writer = as_writer(other)
    other.kill()
    while stat(other)[0] != "Z":
        pass
    assert not busy(store, run, writer=writer)
    other.wait()
    assert not busy(store, run, writer=writer)


def test_a_process_that_got_the_number_of_a_dead_one_is_not_taken_for_it(store, another_process):
    here, pid, _ = as_writer(another_process()).rsplit(":", 2)
    assert not busy(store, store.begin(**ROW), writer=f"{here}:{pid}:17-x")


def test_a_writer_on_another_machine_is_at_work_as_long_as_it_is_heard_of(store):
    run = store.begin(**ROW)
    elsewhere = f"elsewhere:{token().partition(':')[2]}"
    assert busy(store, run, writer=elsewhere)
    assert not busy(store, run, touched="2026-01-01T00:00:00+00:00")


def test_a_run_that_has_ended_or_is_deleted_is_not_busy(store, another_process):
    run = store.begin(**ROW)
    assert not busy(store, run, writer=as_writer(another_process()), status="done")
    store.delete([run])
    assert not store.busy(run)


@pytest.mark.parametrize("writer", ["", "0123456789abcdef"])
def test_nobody_and_a_program_of_before_are_not_at_work(store, writer):
    assert not busy(store, store.begin(**ROW), writer=writer)
