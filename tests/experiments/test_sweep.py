"""A sweep makes the runs that `cem run` makes, once each, whoever does them."""

import json

import numpy as np
import pytest
from storing import endings

from experiments import runner, study, sweep
from experiments.catalogue import Experiment
from experiments.store import Store
from experiments.writer import Writer

BRIDGE = """
problem = "bridge"
seeds = 3
[settings]
n_samples = 200
n_final = 2000
[grid]
rho = [0.1, 0.05]
"""
MAXCUT = """
experiment = "maxcut"
seeds = [4, 7]
[settings]
n = 20
m = 10
n_samples = 100
[[variations]]
rho = 0.2
[[variations]]
name = "refined"
method = "ce+refine"
"""
FRAGILE = """
from pathlib import Path
import numpy as np
import cem

class Fragile:
    def __init__(self, bad=False, raises="ValueError"):
        self.bad, self.raises = bad, raises
    def __call__(self, x):
        if self.bad and x.mean() > 0.7 and not Path("mended").exists():
            raise {"ValueError": ValueError, "KeyboardInterrupt": KeyboardInterrupt}[self.raises](
                "the simulator\\nfell over"
            )
        return x.sum(axis=1)
    def nominal(self):
        return cem.Bernoulli(np.full(20, 0.5))

problem = Fragile
"""
BROKEN = 'experiment = "fragile"\nseeds = 2\n[grid]\nbad = [false, true]\n'


@pytest.fixture
def write(folder):
    def write(text, name="mine.toml"):
        path = folder / name
        path.write_text(text)
        return path

    return write


def single(found, folder):
    """The same from runs that were made one by one."""
    ends = {}
    with Store(str(folder / "single.db")) as store:
        for row in found.rows():
            about = (row["experiment"], "", row["problem"], row["job"], row["settings"])
            run, task = runner.begin(Experiment(*about, row["seed"]), store)
            run = runner.go(run, store, task)
            history = np.array(store.history(run)).tobytes()
            ending = (run.status, run.result, history, store.checkpoint(run))
            ends[row["variation"], row["seed"]] = ending
    return ends


@pytest.mark.parametrize("text", [BRIDGE, MAXCUT])
@pytest.mark.parametrize("seconds", [0.0, 2.0])
def test_the_runs_have_the_bits_of_single_ones(cem, write, folder, monkeypatch, text, seconds):
    monkeypatch.setattr(sweep, "SECONDS", seconds)  # 0: every iteration is a slice
    path = write(text)
    assert cem("sweep", path).code == 0
    found = endings()
    assert found == single(study.read(path), folder)
    assert {status for status, *_ in found.values()} == {"done"}


def test_the_number_of_processes_changes_nothing(cem, write, monkeypatch):
    monkeypatch.setattr(sweep, "SECONDS", 0.0)
    path = write(MAXCUT)
    cem("sweep", path, "--store", "one.db")
    assert cem("sweep", path, "--workers", 2, "--store", "two.db").code == 0
    assert endings("two.db") == endings("one.db")


def test_a_finished_study_is_not_touched_again(cem, write):
    path = write(BRIDGE)
    cem("sweep", path)
    with Store() as store:
        before = store.stamps()
    assert cem("sweep", path).code == 0
    with Store() as store:
        assert store.stamps() == before
        assert len(before) == 6


def test_a_longer_file_adds_runs_and_a_shorter_one_says_what_it_no_longer_has(cem, write):
    cem("sweep", write(BRIDGE))
    said = cem("sweep", write(BRIDGE.replace("seeds = 3", "seeds = [1, 2, 9]")), "--json")
    assert "cem: 2 runs stay in the store that are no longer in the file: the seeds 3\n" in said.err
    assert json.loads(said.out)["runs"] == 6
    assert len(endings()) == 8
    said = cem("sweep", write(BRIDGE.replace("0.05", "0.2")))
    assert "3 runs stay" not in said.err
    assert "5 runs stay" in said.err
    assert "no longer in the file: the variations rho=0.05, the seeds 9\n" in said.err


def test_a_run_made_with_other_settings_is_refused_by_name(cem, write):
    cem("sweep", write(BRIDGE))
    before = endings()
    said = cem("sweep", write(BRIDGE.replace("n_final = 2000", "n_final = 900")))
    assert said.code == 1
    assert said.err == (
        "cem: error: run bridge-0001 of the study 'mine' (rho=0.1, seed 1) was made with other "
        "settings: n_final = 2000, now 900; give the study another name (name = ...), undo the "
        "change, or delete its runs\n"
    )
    assert endings() == before
    assert cem("sweep", write('name = "other"\n' + BRIDGE)).code == 0


def test_runs_of_a_graph_that_has_changed_since_are_not_mixed_with_new_ones(cem, write, folder):
    graph, other = "3 2\n1 2 1\n2 3 1\n", "3 2\n1 2 1\n2 3 5\n"
    text = 'experiment = "maxcut"\nseeds = 1\n[settings]\ngraph = "g.txt"\n'
    more = write(text.replace("seeds = 1", "seeds = 2"), "more.toml")
    (folder / "g.txt").write_text(graph)
    cem("sweep", write('name = "more"\n' + text))
    (folder / "g.txt").write_text(other)
    said = cem("sweep", more)
    assert said.code == 1
    assert said.err.startswith(f"cem: error: {folder / 'g.txt'} is not what it was when run maxcut")
    assert len(endings(name="more")) == 1
    (folder / "g.txt").write_text(graph)
    assert cem("sweep", more).code == 0
    assert {result["fun"] for _, result, *_ in endings(name="more").values()} == {2.0}


def test_a_sentence_names_a_few_of_many_runs_that_the_file_no_longer_speaks_of(write):
    with Store() as store:
        runs = sweep.plan(study.read(write(BRIDGE.replace("seeds = 3", "seeds = 90"))), store)
    (said,) = sweep.no_more_in(study.read(write(BRIDGE)), runs)
    assert said.endswith("no longer in the file: the seeds 4, 5, 6, 7, 8 and 82 more")


def test_planned_runs_take_the_settings_of_the_file(cem, write):
    path = write(BRIDGE)
    with Store() as store:
        sweep.plan(study.read(path), store)
    assert cem("sweep", write(BRIDGE.replace("n_final = 2000", "n_final = 900"))).code == 0
    with Store() as store:
        assert {run.settings["n_final"] for run in store.runs("mine")} == {900}


def test_a_run_that_failed_at_once_takes_the_settings_of_the_mended_file(cem, write, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(study, "trial", lambda *_: lambda _: None)  # as if it could begin
        said = cem("sweep", write(BRIDGE.replace("n_final = 2000", "n_final = -1")))
    assert (said.code, said.err.count("failed: n_final must be at least")) == (1, 6)
    assert cem("sweep", write(BRIDGE)).code == 0
    cem("sweep", write(BRIDGE), "--store", "whole.db")
    assert endings() == endings("whole.db")


def test_a_failed_run_does_not_stop_the_others_and_goes_on_when_it_is_mended(
    cem, write, folder, add_problem
):
    add_problem("fragile", FRAGILE)
    path = write(BROKEN)
    said = cem("sweep", path)
    assert said.code == 1
    lines = [line for line in said.err.splitlines() if "failed: " in line]
    assert len(lines) == 2
    assert lines[0].startswith("cem: fragile-0002 (bad=true, seed 1) failed: the problem raised")
    assert "the simulator fell over" in lines[0]
    statuses = {key: status for key, (status, *_) in endings().items()}
    assert statuses["bad=false", 2] == "done"
    assert statuses["bad=true", 2] == "failed"
    (folder / "mended").touch()
    assert cem("sweep", path).code == 0
    cem("sweep", path, "--store", "whole.db")
    assert endings() == endings("whole.db")


def test_an_interrupted_sweep_says_how_to_go_on(cem, write, folder, add_problem):
    add_problem("fragile", FRAGILE)
    path = write(BROKEN + '[settings]\nraises = "KeyboardInterrupt"\n', "my study.toml")
    said = cem("sweep", path, "--store", "a.db")
    assert said.code == 130
    again = f"go on with: cem sweep '{path}' --store a.db\n"
    assert said.err.startswith("cem: interrupted: my study: 1 of 4 runs done, ")
    assert said.err.endswith(again)
    with Store("a.db") as store:
        statuses = [run.status for run in store.runs("my study")]
    assert statuses == ["done", "interrupted", "planned", "planned"]
    (folder / "mended").touch()
    assert cem("sweep", path, "--store", "a.db").code == 0
    cem("sweep", path, "--store", "whole.db")
    assert endings("a.db", "my study") == endings("whole.db", "my study")


def test_a_dry_run_makes_nothing(cem, write, folder):
    path = write(BRIDGE)
    said = json.loads(cem("sweep", path, "--dry-run", "--json").out)
    assert (said["runs"], said["done"]) == (6, 0)
    assert not (folder / "cem-runs.db").exists()
    cem("sweep", path)
    more = write(BRIDGE.replace("seeds = 3", "seeds = 5"))
    said = json.loads(cem("sweep", more, "--dry-run", "--json").out)
    assert [(row["done"], row["left"]) for row in said["variations"]] == [(3, 2), (3, 2)]
    assert len(endings()) == 6


def test_json_is_one_object_and_quiet_is_one_word(cem, write):
    path = write(BRIDGE)
    said = cem("sweep", path, "--json")
    found = json.loads(said.out)
    assert said.err == ""
    assert (found["study"], found["job"], found["done"], found["failures"]) == (
        "mine",
        "estimate",
        6,
        [],
    )
    with Store() as store:
        figures = [r.result["probability"] for r in store.runs("mine") if r.variation == "rho=0.1"]
    assert found["variations"][0]["figure"] == sorted(figures)[1]
    assert cem("sweep", path, "--quiet").out == "mine\n"


def test_a_run_of_another_process_is_waited_for_and_taken_over_when_that_is_dead(
    cem, write, monkeypatch
):
    path = write(BRIDGE)
    with Store() as store:
        other, *_ = sweep.plan(study.read(path), store)
    asked = []

    def busy(_, run):
        asked.append(run.id)
        return run.id == other.id and asked.count(run.id) < 3

    monkeypatch.setattr(Store, "busy", busy)
    monkeypatch.setattr(sweep, "POLL", 0.0)
    assert cem("sweep", path).code == 0
    assert asked[0] == other.id
    assert asked[-2:] == [other.id] * 2
    cem("sweep", path, "--store", "whole.db")
    assert endings() == endings("whole.db")


def test_a_run_that_another_process_takes_over_is_left_to_it(cem, write, monkeypatch):
    path = write(BRIDGE)
    monkeypatch.setattr(sweep, "SECONDS", 0.0)
    monkeypatch.setattr(sweep, "POLL", 0.0)
    add_all = Writer.add_all
    taken = []

    def taken_over_once(self, *args, **row):
        if len(taken) < 2:
            taken.append(self.name)
            with Store() as store, store.writer(store.find(self.name)) as writer:
                assert writer.token != self.token
        add_all(self, *args, **row)

    monkeypatch.setattr(Writer, "add_all", taken_over_once)
    assert cem("sweep", path).code == 0
    assert len(set(taken)) == 2
    monkeypatch.setattr(Writer, "add_all", add_all)
    cem("sweep", path, "--store", "whole.db")
    assert endings() == endings("whole.db")


def test_a_run_that_another_process_has_just_finished_is_taken_as_it_is(cem, write):
    path = write(BRIDGE)
    cem("sweep", path)
    before = endings()
    with Store() as store:
        run = store.find("last")
        with store.writer(run):  # it is running now, with a result
            pass
    assert cem("sweep", path).code == 0
    assert endings() == before


def test_a_study_on_a_busy_store_of_two_sweeps_is_done_once(cem, write, monkeypatch):
    """A second sweep that begins in the middle of the first finds nothing to do when it is over."""
    path = write(BRIDGE)
    submit = sweep.Sweep._submit
    inner = []

    def once_more(self, flight):
        if not inner:
            inner.append(1)
            inner.append(cem("sweep", path, "--quiet").code)
        submit(self, flight)

    monkeypatch.setattr(sweep.Sweep, "_submit", once_more)
    assert cem("sweep", path).code == 0
    assert inner == [1, 0]
    cem("sweep", path, "--store", "whole.db")
    assert endings() == endings("whole.db")


def test_a_run_that_is_deleted_meanwhile_is_reported(cem, write, monkeypatch):
    path = write(BRIDGE)
    plan = sweep.plan

    def plan_and_lose_one(found, store):
        runs = plan(found, store)
        store.delete(runs[4:5])
        return runs

    monkeypatch.setattr(sweep, "plan", plan_and_lose_one)
    said = cem("sweep", path)
    assert said.code == 1
    assert "bridge-0005 (rho=0.1, seed 3) failed: it is no more in the store" in said.err
    assert len(endings()) == 5


def test_a_mistake_in_the_file_is_one_line(cem, write):
    said = cem("sweep", write(BRIDGE.replace("rho", "roh")))
    assert said.code == 1
    assert said.err.startswith(
        "cem: error: mine.toml, line 8: no setting 'roh'; did you mean 'rho'"
    )
    assert cem("sweep", "nothing.toml").code == 2
    assert cem("sweep", write(BRIDGE), "--workers", 2, "--cluster", "tcp://x").code == 2
