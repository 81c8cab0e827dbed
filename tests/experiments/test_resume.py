"""A run that was cut goes on to the same bits; one that failed or was interrupted is kept."""

import json
import re
import signal
import sqlite3
import subprocess
import sys
import time

import numpy as np
import pytest

from experiments import runner
from experiments.store import Store

JOBS = {
    "bridge": {"n_samples": 500, "n_final": 300_000},
    "maxcut": {"n": 100, "m": 50, "n_samples": 1500},
}
FRAGILE = """
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import cem

@dataclass(frozen=True)
class Fragile:
    raises: str = "ValueError"
    def __call__(self, x):
        if Path("broken").exists() and x.mean() > 0.7:
            raise {"ValueError": ValueError, "KeyboardInterrupt": KeyboardInterrupt}[self.raises](
                "the simulator\\nfell over"
            )
        return x.sum(axis=1)
    def nominal(self):
        return cem.Bernoulli(np.full(20, 0.5))

problem = Fragile
"""


def words(job):
    return [word for key, value in JOBS[job].items() for word in ("--set", f"{key}={value}")]


def ending(path, name="last"):
    """Everything that a run left behind, its clock aside: state, history and result."""
    with Store(str(path), create=False) as store:
        run = store.find(name)
        history = store.history(run)
        return store.checkpoint(run), np.array(history).tobytes(), run.result


def iterations(path):
    """How many are stored, seen from outside."""
    try:
        other = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            return other.execute("select count(*) from iterations").fetchone()[0]
        finally:
            other.close()
    except sqlite3.OperationalError:  # not there yet
        return 0


def run_and_kill(path, job, after):
    """Kill it once it has stored that many iterations; how many they are when it is dead."""
    run = subprocess.Popen(
        [sys.executable, "-m", "experiments", "run", job, *words(job), "--store", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        while iterations(path) < after and run.poll() is None:
            time.sleep(0.001)
        run.send_signal(signal.SIGKILL)
        run.communicate(timeout=60)
    finally:
        run.kill()
    return iterations(path)


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("share", np.random.default_rng(1).random(2))
def test_a_run_killed_at_any_moment_goes_on_to_the_same_bits(cem, folder, job, share):
    assert cem("run", job, *words(job), "--store", "whole.db").code == 0
    total = iterations("whole.db")
    after = 1 + int(share * 0.6 * total)
    attempts = (folder / f"cut-{attempt}.db" for attempt in range(10))
    cut = next(path for path in attempts if after <= run_and_kill(path, job, after) < total)
    assert json.loads(cem("show", "last", "--store", cut, "--json").out)["success"] is None
    assert cem("resume", "last", "--store", cut).code == 0
    assert ending(cut) == ending("whole.db")


SMALL = {
    "bridge": {"n_samples": 300, "n_final": 4000},
    "maxcut": {"n_samples": 300, "n": 12, "m": 6},
    "limit-state": {"n_samples": 300},
    "network-reliability": {"graph": "bridge", "q": 0.01, "n_samples": 300, "n_final": 900},
    "ruin": {"n_samples": 300, "n_final": 900},
}
CRUDE = {"n_samples": 300, "name": "linear", "n": 2, "beta": 9.0, "max_iterations": 2}


@pytest.mark.parametrize(
    ("job", "changes"),
    [
        *SMALL.items(),
        ("limit-state", {"n_samples": 300, "method": "gaussian", "name": "ring", "r": 5.0}),
        ("limit-state", {"n_samples": 300, "method": "aligned", "name": "linear", "n": 20}),
        ("limit-state", CRUDE),  # measures at the nominal density in the end
        ("sums", {"n_samples": 300, "n_final": 900, "method": "crude"}),
        ("sums", {"n_samples": 300, "n_final": 900, "method": "markov-chains"}),
    ],
)
def test_a_run_cut_in_every_iteration_goes_on_to_the_same_bits(cem, monkeypatch, job, changes):
    small = [word for key, value in changes.items() for word in ("--set", f"{key}={value}")]
    assert cem("run", job, *small, "--store", "whole.db").code == 0
    dumps = runner.cem.checkpoint.dumps
    cut = []

    def stop_once_more(state, history, settings):
        if state.t not in cut:
            cut.append(state.t)
            raise KeyboardInterrupt
        return dumps(state, history, settings)

    monkeypatch.setattr(runner.cem.checkpoint, "dumps", stop_once_more)
    code = cem("run", job, *small, "--store", "cut.db").code
    while code == 130:
        code = cem("resume", "last", "--store", "cut.db").code
    assert code == 0
    assert len(cut) == iterations("whole.db")
    assert ending("cut.db") == ending("whole.db")


def test_a_run_killed_before_its_first_iteration_begins_anew(cem):
    cem("run", "bridge", *words("bridge"))
    with Store() as store:
        first = store.find("last")
        row = {k: getattr(first, k) for k in ("experiment", "problem", "job", "settings", "seed")}
        second = store.begin(**row, versions=first.versions)
    assert cem("resume", second.name).code == 0
    assert ending("cem-runs.db", second.name) == ending("cem-runs.db", first.name)


def test_resuming_a_finished_run_shows_its_result_and_changes_nothing(cem):
    first = cem("run", "bridge", *words("bridge"), "--json")
    before = ending("cem-runs.db")
    assert cem("resume", "last", "--json") == first
    assert ending("cem-runs.db") == before


def test_a_problem_that_raises_keeps_what_was_done_before(cem, folder, add_problem):
    add_problem("fragile", FRAGILE)
    (folder / "broken").touch()
    said = cem("run", "fragile")
    assert said.code == 1
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith("cem: error: the problem raised ValueError: the simulator fell over")
    done = iterations("cem-runs.db")
    assert done > 0
    assert said.err.endswith(f"; run fragile-0001 keeps its {done} iterations\n")
    (shown,) = json.loads(cem("runs", "--json").out)
    assert (shown["status"], shown["success"], shown["fun"]) == ("failed", None, None)
    assert re.search(r"on sample \d+ of iteration \d+ \(rng=1\)", shown["error"])
    assert "the simulator fell over" in cem("show", "last").out


def test_a_failed_run_goes_on_once_its_cause_is_removed(cem, folder, add_problem):
    add_problem("fragile", FRAGILE)
    assert cem("run", "fragile", "--store", "whole.db").code == 0
    (folder / "broken").touch()
    assert cem("run", "fragile").code == 1
    assert cem("resume", "last").code == 1
    (folder / "broken").unlink()
    assert cem("resume", "last").code == 0
    assert ending("cem-runs.db") == ending("whole.db")


def test_an_interrupted_run_says_how_to_go_on(cem, folder, add_problem):
    add_problem("fragile", FRAGILE)
    (folder / "broken").touch()
    said = cem("run", "fragile", "--set", "raises=KeyboardInterrupt", "--store", "a.db")
    assert said.code == 130
    assert said.err == (
        f"cem: interrupted; run fragile-0001 keeps its {iterations('a.db')} iterations; "
        "go on with: cem resume fragile-0001 --store a.db\n"
    )
    (shown,) = json.loads(cem("runs", "--store", "a.db", "--json").out)
    assert shown["status"] == "interrupted"
    (folder / "broken").unlink()
    assert cem("resume", "fragile-0001", "--store", "a.db").code == 0


def test_a_run_on_a_file_is_resumed_from_another_directory(cem, folder, monkeypatch):
    (folder / "graph.txt").write_text("4 4\n1 2 1\n2 3 1\n3 4 1\n4 1 1\n")
    few = ["--set", "graph=graph.txt", "--set", "max_iterations=2"]
    assert cem("run", "maxcut", *few).code == 0
    _undone("cem-runs.db")
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    said = cem("resume", "last", "--store", "../cem-runs.db", "--json")
    assert json.loads(said.out)["settings"]["graph"] == str(folder / "graph.txt")
    assert json.loads(said.out)["fun"] == 4


def test_a_checkpoint_made_with_something_else_is_refused_by_name(cem, folder):
    (folder / "graph.txt").write_text("4 4\n1 2 1\n2 3 1\n3 4 1\n4 1 1\n")
    cem("run", "maxcut", "--set", "graph=graph.txt", "--set", "max_iterations=2")
    _undone("cem-runs.db")
    (folder / "graph.txt").write_text("4 4\n1 2 1\n2 3 1\n3 4 1\n4 1 5\n")
    said = cem("resume", "last")
    assert said.code == 1
    assert said.err.startswith(
        "cem: error: the checkpoint of run maxcut-0001 was made with other settings: "
        "contents of graph = "
    )


def test_a_damaged_checkpoint_is_refused(cem):
    cem("run", "maxcut", "--set", "n=10", "--set", "m=5", "--set", "max_iterations=2")
    _undone("cem-runs.db", "update runs set checkpoint = substr(checkpoint, 1, 700)")
    said = cem("resume", "last")
    assert said.code == 1
    assert "the checkpoint of run maxcut-0001 cannot be read" in said.err


def test_other_versions_are_pointed_out(cem, monkeypatch):
    cem("run", "maxcut", "--set", "n=10", "--set", "m=5", "--set", "max_iterations=2")
    _undone("cem-runs.db")
    monkeypatch.setattr(runner, "versions", lambda: {"numpy": "99"})
    assert "cem: run maxcut-0001 was begun with" in cem("resume", "last").err


def test_rows_that_do_not_agree_with_the_checkpoint_are_refused(cem):
    cem("run", "maxcut", "--set", "n=10", "--set", "m=5")
    _undone("cem-runs.db", "delete from iterations where t > 1")
    said = cem("resume", "last")
    assert said.code == 1
    assert "but the store holds 1; it is likely damaged" in said.err


def test_the_time_limit_counts_the_time_before_the_cut(cem):
    cem("run", "maxcut", "--set", "n=10", "--set", "m=5", "--set", "time_limit=1000")
    assert json.loads(cem("show", "last", "--json").out)["nit"] > 2
    _undone(
        "cem-runs.db",
        "update runs set seconds = 2000, checkpoint = (select checkpoint from runs)",
    )
    said = json.loads(cem("resume", "last", "--json").out)
    assert said["seconds"] > 2000


def _undone(path, *more):
    """Make the store say that the last run was cut after its last iteration."""
    with sqlite3.connect(path) as other:
        for statement in ("update runs set status = 'running', result = null", *more):
            other.execute(statement)
    other.close()
