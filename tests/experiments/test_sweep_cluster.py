"""A sweep on a Dask cluster of two processes, also when one of them is killed."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from dask_cluster import local_cluster
from storing import endings

import cem as library
from experiments import crew, progress, sweep
from experiments.task import versions

distributed = pytest.importorskip("distributed", reason="needs the extra 'cluster'")
pytestmark = pytest.mark.filterwarnings("default")  # what a cluster warns of is not ours

STUDY = """
experiment = "maxcut"
seeds = 3
[settings]
n = 60
m = 30
n_samples = 300
max_iterations = 12
[grid]
rho = [0.1, 0.2]
"""


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes, and a nanny each that replaces them."""
    with local_cluster() as cluster:
        yield cluster


@pytest.fixture
def study(cem, folder):
    """A study, and what a sweep of it in this process gives."""
    (folder / "mine.toml").write_text(STUDY)
    assert cem("sweep", "mine.toml", "--store", "here.db").code == 0
    return endings("here.db")


def once_one_has_landed(monkeypatch, action):
    """Do something in the middle of a sweep: when a slice other than the first of a run is done."""
    committed = sweep.Sweep._committed

    def acted(self, flight, found):
        if flight.used > 0:
            action()
        return committed(self, flight, found)

    monkeypatch.setattr(sweep.Sweep, "_committed", acted)


def test_a_cluster_gives_the_same_bits(cem, cluster, study):
    said = cem("sweep", "mine.toml", "--cluster", cluster.scheduler_address)
    assert said.code == 0, said.err
    assert endings("cem-runs.db") == study


def test_a_worker_that_is_killed_in_the_middle_changes_nothing(cem, cluster, study, monkeypatch):
    monkeypatch.setattr(sweep, "SECONDS", 0.0)
    with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
        pids = client.run(os.getpid)
    landed = threading.Event()
    once_one_has_landed(monkeypatch, landed.set)

    def kill():
        landed.wait(60)
        os.kill(next(iter(pids.values())), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    said = cem("sweep", "mine.toml", "--cluster", cluster.scheduler_address)
    killer.join()
    assert said.code == 0, said.err
    assert landed.is_set()
    assert endings("cem-runs.db") == study


def test_a_cluster_that_is_not_there_is_one_line(cem, folder, monkeypatch):
    monkeypatch.setattr(crew, "PATIENCE", 1)
    (folder / "mine.toml").write_text(STUDY)
    said = cem("sweep", "mine.toml", "--cluster", "tcp://127.0.0.1:9")
    assert said.code == 1
    assert said.err.startswith("cem: error: ")
    assert said.err.count("\n") == 1
    assert "tcp://127.0.0.1:9" in said.err


def test_a_worker_with_other_versions_is_refused(cem, cluster, folder, monkeypatch):
    (folder / "mine.toml").write_text(STUDY)
    monkeypatch.setattr(library, "__version__", "99")
    said = cem("sweep", "mine.toml", "--cluster", cluster.scheduler_address)
    assert said.code == 1
    assert "has other versions than this process: cem 0.1.0, here 99" in said.err


def test_a_cluster_that_grows_is_used_and_newcomers_are_checked(cluster, monkeypatch):
    with crew.cluster(cluster.scheduler_address) as staff:
        assert staff.at_once() == 4
        cluster.scale(3)
        cluster.wait_for_workers(3, timeout=60)
        assert staff.at_once() == 6
        cluster.scale(2)
        monkeypatch.setattr(library, "__version__", "99")  # of those that are known none is asked
        deadline = time.monotonic() + 60
        while staff.at_once() != 4 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert staff.at_once() == 4
    with (
        pytest.raises(RuntimeError, match=r"other versions .* cem 0\.1\.0, here 99"),
        crew.cluster(cluster.scheduler_address),
    ):
        pass


def test_a_cluster_that_has_lost_its_workers_is_waited_for_aloud(cem, study, monkeypatch):
    """None is there for some seconds; then some are, and the sweep goes on."""
    said = []
    monkeypatch.setattr(sweep, "POLL", 0.1)
    monkeypatch.setattr(progress, "EVERY", {True: 0.2, False: 0.2})
    with local_cluster() as cluster:
        roll = crew.Roll.__call__

        def called(self):
            found = roll(self)
            said.append(found)
            if len(said) == 2:
                cluster.scale(0)
            if len(said) == 12:
                cluster.scale(2)
            return found

        monkeypatch.setattr(crew.Roll, "__call__", called)
        monkeypatch.setattr(sweep, "SECONDS", 0.0)
        ended = cem("sweep", "mine.toml", "--cluster", cluster.scheduler_address)
    assert ended.code == 0, ended.err
    assert 0 in said
    assert "runs done, waiting for a worker to come" in ended.err
    assert endings("cem-runs.db") == study


@pytest.mark.parametrize("when", ["in the middle", "at first"])
def test_a_cluster_that_goes_away_is_one_line(cem, folder, monkeypatch, when):
    """With its scheduler; what was done stays, and the sweep can go on elsewhere."""
    (folder / "mine.toml").write_text(STUDY)
    monkeypatch.setattr(sweep, "SECONDS", 0.0)
    scheduler = subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", "0", "--no-dashboard",
         "--scheduler-file", "here.json"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    worker = subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", "here.json",
         "--no-dashboard", "--death-timeout", "10"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        with distributed.Client(scheduler_file="here.json", set_as_default=False) as client:
            client.wait_for_workers(1, timeout=60)
            address = client.scheduler.address
        with monkeypatch.context() as patch:
            if when == "in the middle":
                once_one_has_landed(patch, scheduler.kill)
            else:
                patch.setattr(crew, "versions", lambda: (scheduler.kill(), versions())[1])
            said = cem("sweep", "mine.toml", "--cluster", address)
    finally:
        scheduler.kill()
        worker.terminate()
        worker.wait(30)
    assert said.code == 1
    assert f"cem: error: the cluster at {address} has gone" in said.err, said.err
    assert cem("sweep", "mine.toml").code == 0
