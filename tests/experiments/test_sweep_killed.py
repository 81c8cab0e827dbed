"""A sweep that was killed goes on to the same bits; so it does when workers or a server die."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from storing import endings

from experiments.store import Store

STUDY = """
experiment = "maxcut"
seeds = 4
[settings]
n = 60
m = 30
n_samples = 300
max_iterations = 12
[grid]
rho = [0.1, 0.2]
"""
COMMAND = """
import os, sys, time
from pathlib import Path
import problems
from experiments import catalogue, sweep
here = Path(__file__).parent
problems.__path__.append(str(here))
sweep.SECONDS = 0.02
if __name__ == "__main__":
    from experiments.cli import main
    main()
"""
DEADLY = '''"""Made for a test."""
import os, time
import numpy as np
import cem

class Deadly:
    def __init__(self, deadly=False, hanging=False):
        self.deadly = deadly
        self.hanging = hanging
    def __call__(self, x):
        if self.deadly:
            os._exit(1)
        if self.hanging:
            time.sleep(600)
        return x.sum(axis=1)
    def nominal(self):
        return cem.Bernoulli(np.full(20, 0.5))

problem = Deadly
'''


@pytest.fixture
def begin(folder):
    """Begin the command in a process of its own; slices are short, so that kills hit runs."""
    (folder / "command.py").write_text(COMMAND)
    (folder / "deadly.py").write_text(DEADLY)
    begun = []

    def begin(*words):
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        line = [sys.executable, folder / "command.py", *map(str, words)]
        begun.append(subprocess.Popen(line, **pipes))
        return begun[-1]

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


def iterations(url):
    with Store(str(url), create=False) as store:
        return sum(nit for nit, _ in store.counts().values())


def wait_for(process, url, more):
    """Until so many iterations are in the store, or the process is at its end."""
    end = time.monotonic() + 120
    while process.poll() is None and iterations(url) < more:
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_sweep_killed_again_and_again_ends_in_the_same_bits(cem, folder, begin, workers):
    (folder / "mine.toml").write_text(STUDY)
    assert cem("sweep", "mine.toml", "--store", "whole.db").code == 0
    total, shares = iterations("whole.db"), np.random.default_rng(workers).random(2)
    for kill in np.sort(shares) * 0.7 * total:
        cut = begin("sweep", "mine.toml", "--store", "cut.db", "--workers", workers)
        wait_for(cut, "cut.db", 1 + int(kill))
        cut.send_signal(signal.SIGKILL)
        cut.communicate(timeout=60)
        assert cut.returncode == -signal.SIGKILL
        assert iterations("cut.db") < total
    assert cem("sweep", "mine.toml", "--store", "cut.db").code == 0
    assert endings("cut.db") == endings("whole.db")


def test_ctrl_c_lands_what_flies_and_the_same_command_goes_on(cem, folder, begin):
    (folder / "mine.toml").write_text(STUDY)
    cem("sweep", "mine.toml", "--store", "whole.db")
    cut = begin("sweep", "mine.toml", "--store", "cut.db", "--workers", "2")
    wait_for(cut, "cut.db", 5)
    cut.send_signal(signal.SIGINT)
    _, said = cut.communicate(timeout=60)
    assert cut.returncode == 130
    assert said.splitlines()[-1].startswith("cem: interrupted: mine: ")
    assert said.endswith("go on with: cem sweep mine.toml --workers 2 --store cut.db\n")
    with Store("cut.db") as store:
        statuses = {run.status for run in store.runs("mine")}
    assert statuses <= {"done", "interrupted", "planned"}
    assert cem("sweep", "mine.toml", "--store", "cut.db").code == 0
    assert endings("cut.db") == endings("whole.db")


def test_a_run_that_kills_its_workers_fails_by_name_and_the_others_are_done(folder, begin):
    grid = "seeds = 2\n[settings]\nn_samples = 100\n[grid]\ndeadly = [true, false]\n"
    (folder / "mine.toml").write_text(f'problem = "deadly"\njob = "maximize"\n{grid}')
    sweep = begin("sweep", "mine.toml", "--workers", "2")
    _, said = sweep.communicate(timeout=120)
    assert sweep.returncode == 1
    assert "deadly-0001 (deadly=true, seed 1) failed: its worker died again and again: " in said
    assert {key: status for key, (status, *_) in endings("cem-runs.db").items()} == {
        ("deadly=true", 1): "failed",
        ("deadly=true", 2): "failed",
        ("deadly=false", 1): "done",
        ("deadly=false", 2): "done",
    }


def test_a_run_that_hangs_fails_by_name_within_its_time_and_the_others_are_done(folder, begin):
    grid = "seeds = 1\n[settings]\nn_samples = 100\n[grid]\nhanging = [true, false]\n"
    (folder / "mine.toml").write_text(f'problem = "deadly"\njob = "maximize"\n{grid}')
    sweep = begin("sweep", "mine.toml", "--evaluation-timeout", "2")
    _, said = sweep.communicate(timeout=120)
    assert sweep.returncode == 1
    assert "deadly-0001 (hanging=true, seed 1) failed: chunk 1 of 1 was not scored " in said
    assert "it took longer than 2 s" in said
    assert {key: status for key, (status, *_) in endings("cem-runs.db").items()} == {
        ("hanging=true", 1): "failed",
        ("hanging=false", 1): "done",
    }


def test_a_server_that_is_killed_and_comes_back_changes_nothing(cem, folder, begin, server):
    (folder / "mine.toml").write_text(STUDY)
    cem("sweep", "mine.toml", "--store", "whole.db")
    url = server.url()
    cut = begin("sweep", "mine.toml", "--store", url, "--workers", "2")
    wait_for(cut, url, 10)
    server.stop()
    time.sleep(0.3)
    server.start()
    _, said = cut.communicate(timeout=120)
    assert cut.returncode == 0, said
    assert endings(url) == endings("whole.db")
