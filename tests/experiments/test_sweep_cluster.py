"""A sweep on a Dask cluster of two processes, also when one of them is killed."""

import os
import signal
import threading

import pytest
from storing import endings

import cem as library
from experiments import crew, sweep

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
FAULTS = pytest.mark.skipif(
    "CEM_DASK_FAULTS" not in os.environ,
    reason="a cluster may wait for ever for a worker that was killed: set CEM_DASK_FAULTS=1 to try",
)


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes, and a nanny each that replaces them."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50
    ) as cluster:
        yield cluster


@pytest.fixture
def study(cem, folder):
    """A study, and what a sweep of it in this process gives."""
    (folder / "mine.toml").write_text(STUDY)
    assert cem("sweep", "mine.toml", "--store", "here.db").code == 0
    return endings("here.db")


def test_a_cluster_gives_the_same_bits(cem, cluster, study):
    said = cem("sweep", "mine.toml", "--cluster", cluster.scheduler_address)
    assert said.code == 0, said.err
    assert endings("cem-runs.db") == study


@FAULTS
def test_a_worker_that_is_killed_in_the_middle_changes_nothing(cem, cluster, study, monkeypatch):
    monkeypatch.setattr(sweep, "SECONDS", 0.0)
    with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
        pids = client.run(os.getpid)
    landed = threading.Event()
    committed = sweep.Sweep._committed

    def once_ten_have_landed(self, flight, found):
        if flight.used > 0:
            landed.set()
        return committed(self, flight, found)

    monkeypatch.setattr(sweep.Sweep, "_committed", once_ten_have_landed)

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
