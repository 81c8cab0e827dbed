"""Studies and runs go from store to store bit for bit; a file that is not whole adds nothing."""

import gzip
import json
import math

import pytest
import sqlalchemy as sa
from storing import ROW, bits, record

from experiments import exchange
from experiments.store import Store
from experiments.tables import runs
from experiments.task import FIGURES, UNFINISHED

PLAN = {"description": "rho", "seeds": [1, 2**100], "target": None}
RESULT = UNFINISHED | dict.fromkeys(FIGURES["estimate"]) | {"x": [-0.0, 0.1]}
ODD = {"gamma": -0.0, "top": math.inf, "best": -math.inf, "kl": math.nan, "ess": 5e-324}


def planned(store, name="rho"):
    rows = [
        ROW | {"experiment": name, "variation": variation, "seed": seed}
        for variation in ("a=1", "a=2")
        for seed in PLAN["seeds"]
    ]
    return store.plan(name, PLAN, rows)


def fill(store):
    """A study with a run of every kind, and a run of none."""
    done, cut, failed, _ = planned(store)
    odd = store.begin(**ROW | {"settings": {"gamma": math.inf, "zero": -0.0, "big": 2**70}})
    for run, status in ((done, "done"), (cut, "interrupted"), (failed, "failed"), (odd, "done")):
        with store.writer(run) as writer:
            writer.add_all([record(1, **ODD), record(2)], bytes(range(256)), 1.5)
            result = RESULT if status == "done" else None
            writer.end(
                status, 2.5, result=result, error="it\u00e4s" if status == "failed" else None
            )
    store.note(odd, "odd \u2028")
    store.tag(odd, ["a", "b"])


def content(store):
    """All that is in a store but the numbers of the runs, and who wrote them."""
    found = store.runs()
    columns = [c for c in runs.c if c.name not in {"id", "writer"}]
    rows = store.database.read(
        lambda c: [repr(tuple(row)) for row in c.execute(sa.select(*columns).order_by(runs.c.id))]
    )
    histories = store.histories(found)
    return store.studies(), rows, [[bits(r) for r in histories[run.id]] for run in found]


@pytest.fixture
def other(request, database, tmp_path):
    """A store on the other kind of database."""
    if database.startswith("sqlite"):
        return request.getfixturevalue("server").url()
    return str(tmp_path / "other.db")


@pytest.mark.parametrize("name", ["all.jsonl", "all.jsonl.gz"])
def test_a_store_comes_back_from_its_archive_bit_for_bit_on_another_database(
    cem, database, other, folder, name
):
    with Store(database) as store:
        fill(store)
        before = content(store)
    assert cem("archive", "-o", name, "--all-checkpoints", "--store", database).code == 0
    assert (folder / name).read_bytes()[:2] == (b"\x1f\x8b" if name.endswith(".gz") else b'{"')
    said = json.loads(cem("import", name, "--store", other, "--json").out)
    assert len(said["added"]) == 5
    with Store(other) as store:
        assert content(store) == before
        assert {run.name for run in store.runs()} == set(said["added"].values())
    assert cem("archive", "-o", "again.jsonl", "--all-checkpoints", "--store", other).code == 0
    text = (folder / name).read_bytes()
    text = gzip.decompress(text) if name.endswith(".gz") else text
    assert (folder / "again.jsonl").read_bytes() == text


@pytest.fixture
def archived(cem, folder):
    """An archive of a store, and its lines."""
    with Store("full.db") as store:
        fill(store)
    assert cem("archive", "-o", "all.jsonl", "--store", "full.db").code == 0
    return folder / "all.jsonl"


def test_every_line_is_strict_json(archived):
    def never(word):
        raise AssertionError(word)

    for line in archived.read_text().splitlines():
        json.loads(line, parse_constant=never)


def test_only_a_checkpoint_that_a_run_can_go_on_from_is_carried_unless_told_otherwise(archived):
    lines = [json.loads(line) for line in archived.read_text().splitlines()]
    kept = {line["status"]: line["checkpoint"] is not None for line in lines if "run" in line}
    assert kept == {"done": False, "interrupted": True, "failed": True, "planned": False}


@pytest.mark.usefixtures("archived")
def test_a_study_or_some_runs_can_be_carried_alone(cem):
    assert cem("archive", "--study", "rho", "-o", "rho.jsonl", "--store", "full.db").code == 0
    assert cem("archive", "bridge", "rho-0001", "-o", "two.jsonl", "--store", "full.db").code == 0
    for name, wanted in (("rho", 4), ("two", 2)):
        assert cem("import", f"{name}.jsonl", "--store", f"{name}.db").code == 0
        with Store(f"{name}.db") as store:
            assert len(store.runs()) == wanted
            assert [study.name for study in store.studies()] == ["rho"]


def test_what_is_there_already_is_refused_or_left_as_it_is(cem, archived):
    with Store("full.db") as store:
        before = content(store)
    said = cem("import", archived, "--store", "full.db")
    assert said.code == 1
    assert "all.jsonl, line 3: the run rho-0001 is in the store already, as rho-0001" in said.err
    assert "--skip" in said.err
    said = cem("import", archived, "--store", "full.db", "--skip", "--json")
    assert json.loads(said.out) == {
        "added": {},
        "skipped": ["rho-0001", "rho-0002", "rho-0003", "rho-0004", "bridge-0005"],
    }
    with Store("full.db") as store:
        assert content(store) == before


def test_halves_of_a_study_from_two_machines_make_a_whole(cem, archived):
    with Store("half.db") as store:
        planned(store)
        with store.writer(store.runs()[3]) as writer:
            writer.end("done", 1.0, result={})
    said = json.loads(cem("import", archived, "--store", "half.db", "--json").out)
    assert said["skipped"] == ["rho-0004"]
    with Store("half.db") as store:
        found = store.runs("rho")
        assert [run.status for run in found] == ["done", "interrupted", "failed", "done"]
        assert [len(history) for history in store.histories(found).values()] == [2, 2, 2, 0]


def test_a_study_of_the_same_name_with_another_plan_is_refused(cem, archived):
    with Store("other.db") as store:
        store.plan("rho", PLAN | {"target": 2.0}, [])
    said = cem("import", archived, "--store", "other.db")
    assert "the study 'rho' is in the store with another target" in said.err
    with Store("other.db") as store:
        assert store.runs() == []


def edited(line, **changes):
    return json.dumps(json.loads(line) | changes)


BREAK = {
    "cut off": (lambda lines: lines[:-1], "line 6: the file ends here, .* 1 runs more; .* cut off"),
    "cut in a line": (lambda lines: [*lines[:-1], lines[-1][:99]], "line 7: no JSON .*cut off"),
    "no archive": (lambda _: ["t,nfev", "1,2"], "line 1: no JSON"),
    "another file": (lambda _: ['{"a": 1}'], "is no archive of runs"),
    "nothing": (lambda _: [], "is no archive of runs"),
    "newer": (lambda lines: [edited(lines[0], version=9), *lines[1:]], "of version 1; got 9"),
    "no study": (lambda lines: [lines[0], *lines[2:]], "line 2: there is no line for the study"),
    "unknown": (lambda lines: [*lines[:-1], edited(lines[-1], sede=1)], "line 7: .*unknown 'sede'"),
    "seed": (lambda lines: [*lines[:-1], edited(lines[-1], seed="1")], "line 7: seed must be int"),
    "status": (
        lambda lines: [*lines[:-1], edited(lines[-1], status="x")],
        "line 7: status must be",
    ),
    "time": (
        lambda lines: [*lines[:-1], edited(lines[-1], touched="x")],
        "line 7: touched must be",
    ),
    "tags": (
        lambda lines: [*lines[:-1], edited(lines[-1], tags=[1])],
        "line 7: tags must be words",
    ),
    "bytes": (
        lambda lines: [*lines[:-1], edited(lines[-1], checkpoint="?")],
        "checkpoint is damaged",
    ),
    "job": (lambda lines: [*lines[:-1], edited(lines[-1], job="x")], "line 7: job must be one of"),
    "result": (lambda lines: [*lines[:-1], edited(lines[-1], result={})], "line 7: result lacks"),
    "figure": (
        lambda lines: [*lines[:-1], edited(lines[-1], result=RESULT | {"probability": "x"})],
        "line 7: probability of result must be a number; got 'x'",
    ),
    "letters": (
        lambda lines: [*lines[:-1], edited(lines[-1], experiment="\x1b[31m")],
        "line 7: experiment must be of letters that can be printed",
    ),
    "float": (
        lambda lines: [*lines[:-1], edited(lines[-1], settings={"a": {"$float": [1]}})],
        "line 7: no JSON .*followed by no number",
    ),
    "deep": (lambda lines: [*lines[:-1], "[" * 100_000], "line 7: no JSON .*too deep"),
    "numbers": (
        lambda lines: [*lines[:-1], lines[-1].replace("[1, 1, 1,", "[1, 1, true,")],
        "line 7: nfev of iteration 1 must be a whole number; got 'True'",
    ),
    "missing": (
        lambda lines: [*lines[:-1], lines[-1].replace("[[1, 1, 1,", "[[2, 1, 1,")],
        "line 7: expected iteration 1; got t = 2",
    ),
    "twice": (
        lambda lines: [edited(lines[0], runs=6), *lines[1:], lines[-1]],
        "line 8: the run bridge-0005 is in the store already",
    ),
}


@pytest.mark.parametrize("how", BREAK)
def test_a_file_that_is_not_as_it_should_be_adds_nothing_and_its_line_is_named(
    cem, archived, folder, how
):
    change, complaint = BREAK[how]
    lines = archived.read_text().splitlines()
    broken = change(lines)
    assert broken != lines
    (folder / "broken.jsonl").write_text("".join(f"{line}\n" for line in broken))
    with Store("new.db") as store:
        with pytest.raises(ValueError, match=complaint):
            exchange.load(store, folder / "broken.jsonl", skip=False)
        assert (store.runs(), store.studies(), store.counts()) == ([], [], {})
    said = cem("import", "broken.jsonl", "--store", "new.db")
    assert (said.code, said.err.count("\n")) == (1, 1)


def test_a_compressed_file_that_is_cut_off_is_named(cem, archived, folder):
    packed = gzip.compress(archived.read_bytes())
    (folder / "cut.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    said = cem("import", "cut.jsonl.gz", "--store", "new.db")
    assert said.code == 1
    assert "the compressed file ends or breaks after it" in said.err


def test_an_archive_that_cannot_be_written_leaves_the_old_one(cem, archived, folder, monkeypatch):
    before = archived.read_bytes()

    def broken(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exchange, "_said", broken)
    assert cem("archive", "-o", "all.jsonl", "--store", "full.db").code == 1
    assert archived.read_bytes() == before
    assert [path.name for path in folder.iterdir() if "jsonl" in path.name] == ["all.jsonl"]


def test_a_run_carried_elsewhere_goes_on_to_the_same_bits(cem, database, monkeypatch):
    words = ["--set", "n=12", "--set", "m=6", "--set", "n_samples=300", "--store"]
    assert cem("run", "maxcut", *words, "whole.db").code == 0
    dumps = exchange.cem.checkpoint.dumps

    def stop(state, *rest):
        if state.t == 4:
            raise KeyboardInterrupt
        return dumps(state, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(exchange.cem.checkpoint, "dumps", stop)
        assert cem("run", "maxcut", *words, "begun.db").code == 130
    assert cem("archive", "last", "-o", "one.jsonl", "--store", "begun.db").code == 0
    assert cem("import", "one.jsonl", "--store", database).code == 0
    assert cem("resume", "last", "--store", database).code == 0
    ends = []
    for url in ("whole.db", database):
        with Store(url) as store:
            run = store.find("last")
            ends.append((store.checkpoint(run), repr(store.history(run)), run.result))
    assert ends[0] == ends[1]
