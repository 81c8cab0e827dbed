"""A store of an older version is brought up to date as it is opened, whole or not at all."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import sqlalchemy as sa

from cem import checkpoint
from experiments import migrations
from experiments.complaints import StoreError
from experiments.store import Store
from experiments.tables import VERSION, tables

# The tables of version 3, as they were released; words in capitals that are no SQL differ.
VERSION_3 = """
CREATE TABLE cem_store (version INTEGER NOT NULL, PRIMARY KEY (version));
CREATE TABLE runs (
    id SERIAL_INTEGER NOT NULL, experiment VARCHAR NOT NULL, problem VARCHAR NOT NULL,
    job VARCHAR NOT NULL, settings JSON NOT NULL, seed VARCHAR NOT NULL, versions JSON NOT NULL,
    created VARCHAR NOT NULL, status VARCHAR NOT NULL, writer VARCHAR NOT NULL,
    seconds FLOAT NOT NULL, result JSON, error TEXT, checkpoint BYTES, PRIMARY KEY (id)
);
CREATE TABLE iterations (
    run INTEGER NOT NULL, t INTEGER NOT NULL, restart BIGINT, nfev BIGINT, n BIGINT,
    n_bad BIGINT, gamma NUMBER, top NUMBER, best NUMBER, n_elite BIGINT, log_mass NUMBER,
    ess NUMBER, max_weight NUMBER, loss NUMBER, entropy NUMBER, kl NUMBER, spread NUMBER,
    n_hit BIGINT, variation NUMBER, PRIMARY KEY (run, t), FOREIGN KEY (run) REFERENCES runs (id)
);
INSERT INTO cem_store VALUES (3);
"""
ROWS = """
INSERT INTO runs (experiment, problem, job, settings, seed, versions, created, status, writer,
    seconds, result, error, checkpoint) VALUES
    ('bridge', 'bridge', 'estimate', '{"rho": 0.1, "zero": -0.0, "graph": null}',
     '1267650600228229401496703205376', '{"numpy": "2.0"}', '2026-05-01T12:00:00+00:00',
     'running', '0123abcd', 1.25, NULL, NULL, HEX00ff01),
    ('maxcut', 'maxcut', 'maximize', '{"n": 10}', '2', '{}', '2026-05-02T12:00:00+00:00',
     'done', '', 0.5, '{"fun": -0.0}', 'it''s', NULL);
INSERT INTO iterations VALUES (1, 1, 0, 4611686018427387904, 3, 0, MINUS_0, MANY, 0.1, 10, 5e-324,
    1.7976931348623157e308, NULL, -1e-310, 2.5, 0.0, 1.0, 7, NULL);
"""
KEPT = (
    """select id, experiment, problem, job, settings, seed, versions, created, status, writer,
    seconds, result, error, checkpoint from runs order by id""",
    "select * from iterations",
)


SQLITE = {"SERIAL_INTEGER": "INTEGER", "BYTES": "BLOB", "NUMBER": ""} | {
    "MINUS_0": "-0.0",
    "MANY": "9e999",
    "HEX00ff01": "x'00ff01'",
}
POSTGRESQL = {"SERIAL_INTEGER": "SERIAL", "BYTES": "BYTEA", "NUMBER": "DOUBLE PRECISION"} | {
    "MINUS_0": "'-0.0'",
    "MANY": "'Infinity'",
    "HEX00ff01": r"'\x00ff01'",
}


def filled(text, words):
    for name, word in words.items():
        text = text.replace(name, word)
    return text


@pytest.fixture
def old(database, request):
    """The URL of a store of version 3 with two runs, and what reads its rows without our code."""
    sqlite = database.startswith("sqlite")
    text = filled(VERSION_3 + ROWS, SQLITE if sqlite else POSTGRESQL)
    if sqlite:
        path = database.removeprefix("sqlite:///")

        def read():
            with sqlite3.connect(path) as other:
                rows = [repr(row) for query in KEPT for row in other.execute(query)]
            other.close()
            return rows

        with sqlite3.connect(path) as other:
            other.executescript(text)
        other.close()
    else:
        server = request.getfixturevalue("server")

        def read():
            return [row for query in KEPT for row in server.sql(database, query)]

        server.sql(database, text)
    return database, read


def test_the_data_of_version_3_are_kept_bit_for_bit(old):
    url, read = old
    before = read()
    with Store(url) as store:
        first, second = store.runs()
        (record,) = store.history(first)
        assert store.checkpoint(first) == b"\x00\xff\x01"
    assert read() == before
    assert len(before) == 3
    assert repr((record.gamma, record.top, record.log_mass, record.ess, record.loss)) == (
        "(-0.0, inf, 5e-324, 1.7976931348623157e+308, -1e-310)"
    )
    assert (record.max_weight != record.max_weight, record.nfev) == (True, 2**62)
    assert (first.seed, first.settings) == (2**100, {"rho": 0.1, "zero": -0.0, "graph": None})
    assert (first.study, first.variation, first.note, first.tags) == (None, None, "", [])
    assert (first.touched, first.seconds) == (first.created, 1.25)
    assert (second.status, second.result, second.error) == ("done", {"fun": 0.0}, "it's")


def test_a_store_of_version_3_can_be_used_like_a_new_one(old):
    url, _ = old
    with Store(url) as store:
        row = {"experiment": "x", "problem": "bridge", "job": "estimate", "settings": {}}
        row |= {"versions": {}, "seed": 1, "variation": "a"}
        planned = store.plan("x", {}, [row])
        assert [run.id for run in store.runs()] == [1, 2, planned[0].id]
        with pytest.raises(StoreError, match=r"(?i)unique"):
            store.begin(**row, study="x")
        store.tag(store.runs()[0], ["old"])
    with Store(url) as store:
        assert store.runs()[0].tags == ["old"]


def test_an_upgraded_store_has_the_tables_of_a_new_one(old, tmp_path):
    def shape(url):
        with Store(url) as store:
            look = sa.inspect(store.database.engine)
            return {
                table: (
                    {(c["name"], str(c["type"]), c["nullable"]) for c in look.get_columns(table)},
                    {
                        (i["name"], tuple(i["column_names"]), bool(i["unique"]))
                        for i in look.get_indexes(table)
                    },
                    {
                        (*key["constrained_columns"], key["referred_table"])
                        for key in look.get_foreign_keys(table)
                    },
                    look.get_pk_constraint(table)["constrained_columns"],
                )
                for table in tables.tables
            }

    url, _ = old
    if url.startswith("sqlite"):
        assert shape(url) == shape(f"sqlite:///{tmp_path}/new.db")
    else:
        name = url.partition("@/")[2].partition("?")[0]
        with Store(url) as store, store.database.engine.connect() as connection:
            at_once = connection.execution_options(isolation_level="AUTOCOMMIT")
            at_once.exec_driver_sql(f"create database {name}new template template0")
        assert shape(url) == shape(url.replace(f"/{name}?", f"/{name}new?"))


def test_several_may_open_an_old_store_at_once(old):
    url, read = old
    before, together = read(), Barrier(6)

    def open_it(_):
        together.wait()
        with Store(url) as store:
            return [run.name for run in store.runs()]

    with ThreadPoolExecutor(6) as threads:
        assert [*threads.map(open_it, range(6))] == [["bridge-0001", "maxcut-0002"]] * 6
    assert read() == before


def test_several_may_make_a_store_at_once(database):
    together = Barrier(6)

    def open_it(_):
        together.wait()
        with Store(database) as store:
            return store.runs()

    with ThreadPoolExecutor(6) as threads:
        assert [*threads.map(open_it, range(6))] == [[]] * 6


def test_a_step_that_fails_leaves_the_old_version(old, monkeypatch):
    url, read = old
    before = read()

    def broken(connection):
        migrations._studies(connection)
        connection.exec_driver_sql("select nonsense from nowhere")

    with monkeypatch.context() as patch:
        patch.setitem(migrations.STEPS, 3, broken)
        with pytest.raises(StoreError, match="nowhere"):
            Store(url)
    assert read() == before
    with Store(url) as store:
        assert len(store.runs()) == 2


@pytest.mark.parametrize(
    ("version", "complaint"),
    [
        (
            99,
            f"was made by a newer cem: .* version 99, and this one knows versions up to {VERSION}",
        ),
        (2, f"is too old: its tables have version 2; expected 3 to {VERSION}"),
    ],
)
def test_a_store_of_a_version_that_is_not_known_is_refused_and_left_alone(old, version, complaint):
    url, read = old
    before = read()
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"update cem_store set version = {version}")  # noqa: S608
    engine.dispose()
    with pytest.raises(StoreError, match=complaint):
        Store(url)
    assert read() == before


def test_a_run_of_version_3_goes_on_to_the_same_bits(cem, monkeypatch):
    small = ["--set", "n=12", "--set", "m=6", "--set", "n_samples=300", "--store"]
    assert cem("run", "maxcut", *small, "whole.db").code == 0
    dumps = checkpoint.dumps

    def stop(state, *rest):
        if state.t == 4:
            raise KeyboardInterrupt
        return dumps(state, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "dumps", stop)
        assert cem("run", "maxcut", *small, "begun.db").code == 130
    with sqlite3.connect("old.db") as old:
        old.executescript(filled(VERSION_3, SQLITE))
        old.execute("attach 'begun.db' as begun")
        names = KEPT[0].partition(" from ")[0].removeprefix("select ")
        old.execute(f"insert into runs ({names}) select {names} from begun.runs")  # noqa: S608
        old.execute("insert into iterations select * from begun.iterations")
        assert old.execute("select max(t) from iterations").fetchall() == [(3,)]
    old.close()
    assert cem("resume", "last", "--store", "old.db").code == 0
    ends = []
    for path in ("whole.db", "old.db"):
        with Store(path) as store:
            run = store.find("last")
            ends.append((store.checkpoint(run), repr(store.history(run)), run.result))
    assert ends[0] == ends[1]
