"""Killed servers, full disks and many writers at once: nothing is lost, doubled or made up."""

import contextlib
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from storing import ROW, bits, record

from cem import checkpoint
from experiments import database as databases
from experiments.complaints import AwayError, StoreError
from experiments.store import Store

WRITES = """
import sys
sys.path.insert(0, {here!r})
from storing import ROW, record
from experiments.store import Store
with Store(sys.argv[1]) as store:
    run = store.begin(**ROW)
    with store.writer(run) as writer:
        for t in range(1, int(sys.argv[2]) + 1):
            writer.add(record(t), bytes(4000), 0.0)
        writer.end("done", 0.0)
"""


def ending(url):
    """Everything that the last run left behind, its clock aside."""
    with Store(url, create=False) as store:
        run = store.find("last")
        return store.checkpoint(run), list(map(bits, store.history(run))), run.result, run.status


def test_many_processes_write_to_one_store_at_once(database):
    code = WRITES.format(here=str(Path(__file__).parent))
    words = [sys.executable, "-c", code, database, "100"]
    writers = [
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(4)
    ]
    assert [(p.communicate(timeout=120)[0], p.returncode) for p in writers] == [("", 0)] * 4
    with Store(database) as store:
        found = store.histories(store.runs())
        assert {run.status for run in store.runs()} == {"done"}
    assert [[r.t for r in history] for history in found.values()] == [[*range(1, 101)]] * 4


def test_who_reads_for_long_and_then_writes_is_not_told_that_the_store_is_locked(tmp_path):
    """SQLite does not wait for a transaction that has read and finds the store changed."""
    with Store(str(tmp_path / "a.db")) as store:
        rows = [ROW | {"experiment": "mine", "variation": str(k), "seed": 1} for k in range(20)]
        failed = []

        def plan(name):
            try:
                for k in range(20):
                    store.plan(name, {}, rows[: k + 1])
            except StoreError as error:
                failed.append(error)

        threads = [threading.Thread(target=plan, args=(name,)) for name in "abab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        assert len(store.runs("a")) == len(store.runs("b")) == 20


def test_a_writer_outlives_a_server_that_is_killed_and_comes_back(server):
    with Store(server.url()) as store:
        run = store.begin(**ROW)
        with store.writer(run) as writer:
            for t in range(1, 31):
                if t % 10 == 0:
                    server.stop()
                    server.start_in(0.3)
                writer.add(record(t), str(t).encode(), float(t))
            writer.end("done", 30.0)
        assert [r.t for r in store.history(run)] == [*range(1, 31)]
        assert (store.checkpoint(run), store.again(run).status) == (b"30", "done")


def test_a_run_whose_server_is_killed_in_the_middle_has_the_same_bits(cem, server, monkeypatch):
    words = ["--set", "n=12", "--set", "m=6", "--set", "n_samples=300", "--store"]
    assert cem("run", "maxcut", *words, "whole.db").code == 0
    url, dumps, killed = server.url(), checkpoint.dumps, []

    def kill(state, *rest):
        if state.t in {2, 5}:
            killed.append(state.t)
            server.stop()
            server.start_in(0.3)
        return dumps(state, *rest)

    monkeypatch.setattr(checkpoint, "dumps", kill)
    assert cem("run", "maxcut", *words, url).code == 0
    assert killed == [2, 5]
    assert ending(url) == ending("whole.db")


def test_a_server_that_is_not_there_yet_is_waited_for_if_that_is_asked_for(server):
    url = server.url()
    server.stop()
    server.start_in(0.5)
    with Store(url, patience=30) as store:
        assert store.runs() == []


def test_an_iteration_whose_commit_was_not_answered_is_not_stored_twice(server, monkeypatch):
    psycopg = pytest.importorskip("psycopg")
    with Store(server.url()) as store:
        run = store.begin(**ROW)
        dialect = store.database.engine.dialect
        commit = dialect.do_commit
        lost = []

        def lose_the_answer(connection):
            commit(connection)
            if not lost:
                lost.append(connection)
                connection.dbapi_connection.close()
                raise psycopg.OperationalError("server closed the connection unexpectedly")

        with store.writer(run) as writer:
            writer.add(record(1), b"1", 1.0)
            monkeypatch.setattr(dialect, "do_commit", lose_the_answer)
            writer.add_all([record(2), record(3)], b"3", 3.0)
            writer.add(record(4), b"4", 4.0)
        assert len(lost) == 1
        lost.clear()
        begun = store.begin(**ROW)
        assert len(lost) == 1
        assert [r.t for r in store.history(run)] == [1, 2, 3, 4]
        assert [r.id for r in store.runs()] == [run.id, begun.id]


def test_a_server_that_comes_back_without_what_it_had_committed_is_noticed(server):
    url = server.url()
    with Store(url) as store:
        run = store.begin(**ROW)
        with store.writer(run) as writer:
            writer.add(record(1), b"1", 1.0)
            writer.add(record(2), b"2", 2.0)
            server.sql(url, "delete from iterations where t = 2")
            server.stop()
            server.start()
            with pytest.raises(StoreError, match=r"had 2 iterations .* and has 1 since its server"):
                writer.add(record(3), b"3", 3.0)
        assert store.checkpoint(run) == b"2"


def test_a_server_that_does_not_come_back_is_a_clear_error(server, monkeypatch):
    monkeypatch.setattr(databases, "PATIENCE", 0.5)
    with Store(server.url()) as store:
        run = store.begin(**ROW)
        with store.writer(run) as writer:
            server.stop()
            try:
                with pytest.raises(
                    AwayError, match=r"the server of the store .* cannot be"
                ) as said:
                    writer.add(record(1), b"1", 1.0)
                assert "\n" not in str(said.value)
                assert said.value.__notes__ == ["it was waited for 0.5 s"]
            finally:
                server.start()
            writer.add(record(1), b"1", 1.0)  # and all goes on when it is there again
        assert store.counts() == {run.id: (1, 1)}


@pytest.fixture
def small_disk(tmp_path):
    """A folder that holds 4 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(folder)]
    if os.name == "nt" or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("needs a disk that is soon full, and only root can mount one")
    if said := subprocess.run(words, capture_output=True, text=True, check=False).stderr:
        pytest.skip(f"needs a disk that is soon full: {said}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(path):
    """Take what is left of the disk."""
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    assert shutil.disk_usage(path.parent).free == 0


def add_until_full(writer):
    """Add iterations; how many were taken."""
    done = 0
    with contextlib.suppress(StoreError):
        while True:
            writer.add(record(done + 1), bytes(1000), 0.0)
            done += 1
    return done


def test_a_full_disk_is_named_and_what_was_stored_stays(small_disk):
    ballast, path = small_disk / "ballast", str(small_disk / "a.db")
    ballast.write_bytes(bytes(3_900_000))
    with Store(path) as store:
        run = store.begin(**ROW)
        with store.writer(run) as writer:
            with pytest.raises(StoreError, match=r"^the disk is full: .* held before is safe"):
                writer.add_all([*map(record, range(1, 5000))], bytes(1000), 0.0)
            assert store.counts() == {}
            done = add_until_full(writer)
            with Store(path, create=False) as other:
                assert [r.t for r in other.history(run)] == [*range(1, done + 1)]
            ballast.unlink()
            writer.add(record(done + 1), b"more", 0.0)
        assert len(store.history(run)) == done + 1 > 5
        assert store.checkpoint(run) == b"more"


def test_a_store_can_be_read_where_there_is_no_byte_left(small_disk):
    path = str(small_disk / "a.db")
    with Store(path) as store:
        run = store.begin(**ROW)
        with store.writer(run) as writer:
            writer.add(record(1), b"1", 0.0)
    fill(small_disk / "ballast")
    with Store(path, create=False) as store:
        assert len(store.history(run)) == 1
        with pytest.raises(StoreError, match="the disk is full"):
            store.note(run, "x" * 10_000)
        with store.database.engine.connect() as connection:
            checked = connection.exec_driver_sql("pragma integrity_check").all()
        assert [tuple(row) for row in checked] == [("ok",)]


def test_a_run_cut_by_a_full_disk_goes_on_to_the_same_bits(cem, small_disk):
    words = ["--set", "n=100", "--set", "m=50", "--set", "n_samples=300", "--store"]
    assert cem("run", "maxcut", *words, "whole.db").code == 0
    path, ballast = small_disk / "a.db", small_disk / "ballast"
    ballast.write_bytes(bytes(3_900_000))
    said = cem("run", "maxcut", *words, path)
    assert said.code == 1
    assert said.err.startswith("cem: error: the disk is full: ")
    assert "Traceback" not in said.err
    assert cem("show", "last", "--store", path).code == 0
    with Store(str(path), create=False) as store:
        run = store.find("last")
        cut = [*map(bits, store.history(run))]
        assert run.status in {"running", "interrupted"}
    ballast.unlink()
    assert cem("resume", "last", "--store", path).code == 0
    assert ending(str(path)) == ending("whole.db")
    assert ending(str(path))[1][: len(cut)] == cut
