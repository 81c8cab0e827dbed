"""Studies are listed, runs get notes and tags; what is deleted was asked for, and confirmed."""

import io
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from storing import ROW, record

from experiments import pruning
from experiments.store import Store
from experiments.tables import runs
from experiments.writer import host


@pytest.fixture
def store(database, monkeypatch):
    monkeypatch.setenv("CEM_STORE", database)
    with Store(database) as opened:
        yield opened


def planned(store, name="rho", seeds=(1, 2, 3)):
    rows = [ROW | {"experiment": name, "variation": "a", "seed": seed} for seed in seeds]
    return store.plan(name, {"description": f"what {name} does"}, rows)


def end(store, run, status="done", n=2):
    with store.writer(run) as writer:
        writer.add_all([record(t) for t in range(1, n + 1)], bytes(100_000), 1.0)
        writer.end(status, 1.0, result={"success": True} if status == "done" else None)


def change(store, run, **values):
    with store.database.engine.begin() as connection:
        connection.execute(sa.update(runs).where(runs.c.id == run.id).values(values))


@pytest.fixture
def somebody():
    """A writer's token of a process that lives."""
    if not Path("/proc").is_dir():
        pytest.skip("looks into /proc")
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    born = Path(f"/proc/{process.pid}/stat").read_text("utf-8").rpartition(")")[2].split()[19]
    yield f"{host()}:{process.pid}:{born}-x"
    process.kill()
    process.communicate()


def test_the_studies_are_listed_with_what_is_done(cem, store):
    assert "no studies yet in" in cem("studies").err
    end(store, planned(store)[1])
    planned(store, "alpha", seeds=[1])
    rows = json.loads(cem("studies", "--json").out)
    assert [(r["name"], r["done"], r["runs"], r["description"]) for r in rows] == [
        ("rho", 1, 3, "what rho does"),
        ("alpha", 0, 1, "what alpha does"),
    ]
    assert cem("studies").out.splitlines()[1].split()[:2] == ["rho", "1/3"]


def test_a_note_is_written_and_taken_away(cem, store):
    run = store.begin(**ROW)
    said = cem("note", "last", "the one in the paper", "--json")
    assert json.loads(said.out) == {"run": run.name, "note": "the one in the paper", "tags": []}
    assert store.again(run).note == "the one in the paper"
    assert cem("note", run.name, "").code == 0
    assert store.again(run).note == ""


def test_tags_are_added_removed_and_found(cem, store):
    run, other = store.begin(**ROW), store.begin(**ROW)
    cem("tag", run.name, "paper", "odd")
    cem("tag", run.name, "paper", "new")
    assert json.loads(cem("tag", run.name, "odd", "--remove", "--json").out)["tags"] == [
        "new",
        "paper",
    ]
    assert store.again(other).tags == []
    assert [row["run"] for row in json.loads(cem("runs", "--tag", "paper", "--json").out)] == [
        run.name
    ]


def test_a_tag_is_one_word_and_one_that_is_not_there_cannot_be_removed(cem, store):
    run = store.begin(**ROW)
    assert "a tag must be one word: expected such as paper; got 'two words'" in (
        cem("tag", "last", "two words").err
    )
    assert (
        f"run {run.name} has no tag 'x'; its tags: none" in cem("tag", "last", "x", "--remove").err
    )


def test_runs_are_deleted_by_name_and_only_these(cem, store):
    first, second, third = (store.begin(**ROW) for _ in range(3))
    end(store, second)
    said = cem("delete", first.name, second.name, first.name, "--yes", "--json")
    assert json.loads(said.out) == {"deleted": [first.name, second.name], "study": None}
    assert store.runs() == [store.again(third)]
    assert store.counts() == {}


def test_a_study_is_deleted_with_all_its_runs(cem, store):
    planned(store)
    kept = store.begin(**ROW)
    assert cem("delete", "--study", "rho", "--yes").code == 0
    assert (store.studies(), store.runs()) == ([], [store.again(kept)])


def test_nothing_is_deleted_unless_it_is_confirmed(cem, store, monkeypatch):
    run = store.begin(**ROW)
    end(store, run)
    for answer, left in (("n", 1), ("", 1), ("y", 0)):
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{answer}\n"))
        said = cem("delete", "last")
        assert f"Delete {run.name} (2 iterations) from {store.name}?" in said.err
        assert (said.code, len(store.runs())) == (left, left)
    assert cem("delete", "last", "--json").code != 0


def test_what_to_delete_must_be_named_in_one_way(cem, store):
    planned(store)
    assert cem("delete").code == 2
    assert cem("delete", "last", "--study", "rho").code == 2
    assert len(store.runs()) == 3


def test_a_run_that_somebody_is_at_is_deleted_by_force_only(cem, store, somebody):
    run = store.begin(**ROW)
    change(store, run, writer=somebody)
    said = cem("delete", run.name, "--yes")
    assert said.code == 1
    assert f"a process is at {run.name}: end it first (Ctrl-C), or use --force" in said.err
    assert len(store.runs()) == 1
    assert cem("delete", run.name, "--yes", "--force").code == 0
    assert store.runs() == []


def test_pruning_takes_what_nobody_went_on_with_and_the_checkpoints_of_finished_runs(
    cem, store, somebody
):
    long_ago = (datetime.now(UTC) - timedelta(days=31)).isoformat()
    kinds = ("planned", "running", "interrupted", "failed", "done")
    old = {kind: store.begin(**ROW) for kind in kinds}
    new = {kind: store.begin(**ROW) for kind in kinds}
    for kind in kinds:
        for run in (old[kind], new[kind]):
            end(store, run, kind)
        change(store, old[kind], touched=long_ago)
    busy = store.begin(**ROW)
    change(store, busy, touched=long_ago, writer=somebody)
    gone = [old[kind].name for kind in kinds if kind != "done"]

    first = json.loads(cem("prune", "--dry-run", "--json").out)
    assert (first["runs"], first["checkpoints"]) == (gone, 2)
    assert len(store.runs()) == 11
    assert "checkpoints: 600.0 kB" in cem("prune", "--dry-run").out

    said = json.loads(cem("prune", "--yes", "--json").out)
    assert said["runs"] == gone
    kept = store.runs()
    assert {run.id for run in kept} == {old["done"].id, busy.id, *(r.id for r in new.values())}
    assert store.counts() == {run.id: (2, 2) for run in kept if run.id != busy.id}
    assert [store.checkpoint(run) is None for run in (old["done"], new["done"])] == [True, True]
    assert store.checkpoint(new["failed"]) == bytes(100_000)
    if store.database.is_sqlite:
        assert said["bytes_after"] < said["bytes_before"] - 500_000


def test_pruning_asks_first_and_says_so_if_there_is_nothing_to_do(cem, store, monkeypatch):
    run = store.begin(**ROW)
    assert cem("prune").code == 0
    end(store, run)
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert cem("prune").code == 1
    assert store.checkpoint(run) is not None


def test_a_run_taken_up_after_it_was_found_prunable_is_not_pruned(store):
    (run,) = planned(store, seeds=[1])
    found = pruning.prunable(store, days=0)
    assert [r.id for r in found.runs] == [run.id]
    with store.writer(run) as writer:
        pruning.prune(store, found)
        writer.add(record(1), b"", 0.0)
    assert store.counts() == {run.id: (1, 1)}
