"""The store keeps every bit, one transaction per iteration, and says what is wrong with a file."""

import math
import sqlite3
import struct
import subprocess
import sys

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from cem.state import Record
from experiments.database import StoreError
from experiments.store import Store
from experiments.tables import iterations, runs

WHOLE = {"t", "restart", "nfev", "n", "n_bad", "n_elite", "n_hit"}
RECORDS = st.builds(
    Record,
    **{
        name: st.integers(0, 2**62) if name in WHOLE else st.floats(width=64)
        for name in Record._fields
        if name != "t"
    },
    t=st.just(1),
)
ROW = {
    "experiment": "bridge",
    "problem": "bridge",
    "job": "estimate",
    "settings": {"rho": 0.1, "graph": None},
    "seed": 2**100,
    "versions": {"numpy": "2.0"},
}


def bits(record):
    """The numbers of a record, bit for bit; a NaN is a NaN."""
    return [
        value
        if isinstance(value, int)
        else struct.pack("d", math.nan if math.isnan(value) else value)
        for value in record
    ]


@pytest.fixture
def store(tmp_path):
    with Store(str(tmp_path / "a.db")) as opened:
        yield opened


def record(t, **changes):
    numbers = {name: t if name in WHOLE else float(t) for name in Record._fields}
    return Record(**numbers | changes)


@given(RECORDS)
def test_a_record_comes_back_bit_for_bit(written):
    with Store("sqlite://") as store:
        run = store.begin(**ROW)
        with store.writer(run) as writer:
            writer.add(written, b"", 0.0)
        (read,) = store.history(run)
    assert bits(read) == bits(written)
    assert [type(a) for a in read] == [type(a) for a in written]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.0, 5e-324, 0.1])
def test_odd_floats_survive_in_a_file(store, value):
    run = store.begin(**ROW)
    with store.writer(run) as writer:
        writer.add(record(1, loss=value), b"", 0.0)
    assert bits(store.history(run)[0]) == bits(record(1, loss=value))


def test_a_run_comes_back_as_it_was_begun(store):
    run = store.find(store.begin(**ROW).name)
    assert {key: getattr(run, key) for key in ROW} == ROW
    assert (run.name, run.status, run.result) == ("bridge-0001", "running", None)


def test_an_iteration_its_checkpoint_and_its_time_are_committed_together(store, tmp_path):
    run = store.begin(**ROW)
    with store.writer(run) as writer:
        writer.add(record(1), b"one", 1.5)
        with sqlite3.connect(tmp_path / "a.db") as other:
            seen = other.execute(
                "select checkpoint, seconds, (select count(*) from iterations) from runs"
            ).fetchall()
        other.close()
        assert seen == [(b"one", 1.5, 1)]
        with pytest.raises(StoreError):
            writer.add(record(1), b"two", 2.5)  # the iteration is there already
    assert store.checkpoint(run) == b"one"
    assert store.find("last").seconds == 1.5


def test_a_second_writer_ends_the_first(store):
    run = store.begin(**ROW)
    with store.writer(run) as first:
        first.add(record(1), b"one", 0.0)
        with store.writer(run) as second:
            with pytest.raises(StoreError, match="bridge-0001 was taken over by another process"):
                first.add(record(2), b"two", 0.0)
            second.add(record(2), b"2", 0.0)
    assert store.checkpoint(run) == b"2"
    assert store.counts() == {1: (2, 2)}


def test_a_run_is_found_by_name_by_an_unambiguous_beginning_and_as_the_last(store):
    names = [store.begin(**ROW | {"experiment": e}).name for e in ("bridge", "maxcut", "bridge")]
    assert names == ["bridge-0001", "maxcut-0002", "bridge-0003"]
    assert store.find("maxcut").name == "maxcut-0002"
    assert store.find("bridge-0001").name == "bridge-0001"
    assert store.find("last").name == "bridge-0003"
    with pytest.raises(ValueError, match="2 runs begin with 'bri': expected one; got bridge-0001"):
        store.find("bri")
    with pytest.raises(ValueError, match=r"no run 'maxcut-3' .*did you mean 'maxcut-0002'"):
        store.find("maxcut-3")


def test_an_absent_file_reads_as_an_empty_store_and_is_not_made(tmp_path):
    with Store(str(tmp_path / "none.db"), create=False) as store:
        assert store.runs() == []
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_another_kind_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("these are notes, not a database; " * 50)
    with pytest.raises(StoreError, match="is not a store: the file is no SQLite database"):
        Store(str(path))
    assert path.read_text().startswith("these are notes")


def test_a_database_with_other_tables_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("create table songs (title text)")
    other.close()
    with pytest.raises(StoreError, match=r"is not a store: it holds other tables \(songs\)"):
        Store(str(path))
    with sqlite3.connect(path) as other:
        assert other.execute("select name from sqlite_master").fetchall() == [("songs",)]
    other.close()


def test_a_store_of_another_version_is_refused(tmp_path):
    path = str(tmp_path / "a.db")
    with Store(path) as store, store.engine.begin() as connection:
        connection.execute(sa.text("update cem_store set version = 99"))
    with pytest.raises(StoreError, match="has tables of version 99; expected 3"):
        Store(path)


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("FILE/a.db", "cannot be opened: there is no folder"),
        ("absent/a.db", "cannot be opened: there is no folder"),
        ("sqlite:///.", "cannot be opened: it is a folder"),
        ("nonsense://host/a", "cannot be used: "),
        ("sqlite://user@host:x/", "the store must be a path or a database URL"),
    ],
)
def test_a_store_that_cannot_be_opened_says_why_in_one_line(folder, url, complaint):
    (folder / "FILE").write_text("")
    with pytest.raises(StoreError) as caught:
        Store(url)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_password_is_not_repeated_in_a_message():
    with pytest.raises(StoreError) as caught:
        Store("nonsense://me:secret@host/a")
    assert "secret" not in str(caught.value)


def test_the_tables_can_be_made_on_postgresql_with_exact_floats():
    made = "".join(
        str(CreateTable(t).compile(dialect=postgresql.dialect())) for t in (runs, iterations)
    )
    assert made.count("DOUBLE PRECISION") == len(Record._fields) - len(WHOLE)
    assert "BYTEA" in made


def test_several_processes_write_to_one_store_at_once():
    words = [sys.executable, "-m", "experiments", "run", "bridge", "--set", "n_final=50_000"]
    both = [
        subprocess.Popen([*words, "--seed", seed, "--quiet"], stderr=subprocess.PIPE, text=True)
        for seed in "12"
    ]
    assert [(p.communicate(timeout=120)[1], p.returncode) for p in both] == [("", 0)] * 2
    with Store() as store:
        found = store.runs()
        assert {(run.seed, run.status) for run in found} == {(1, "done"), (2, "done")}
        for run in found:
            assert [r.t for r in store.history(run)] == [*range(1, store.counts()[run.id][0] + 1)]
            assert store.history(run)[-1].nfev == run.result["nfev"]
