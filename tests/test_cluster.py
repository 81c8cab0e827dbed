"""On a Dask cluster of two processes: the same bits, after a death too; a deadly chunk is named."""

import os
import signal
import threading

import pytest

import cem
from problems.maxcut import two_blocks

pytest.importorskip("distributed", reason="needs a cluster: pip install cemkit[cluster]")
pytestmark = pytest.mark.filterwarnings("default")  # what a cluster warns of is not ours

FAULTS = pytest.mark.skipif(
    "CEM_DASK_FAULTS" not in os.environ,
    reason="a cluster may wait for ever for a worker that was killed: set CEM_DASK_FAULTS=1 to try",
)
CUT = two_blocks(40, 20)
SETTINGS = {"rng": 3, "n_samples": 400, "chunk_size": 40, "max_iterations": 4}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """Of a cluster whose workers can import the module ``costly``."""
    import dask
    from distributed import Client, LocalCluster

    folder = tmp_path_factory.mktemp("modules")
    (folder / "costly.py").write_text(
        "import os, signal, time\n"
        "def slow(x): time.sleep(0.05); return x.sum(axis=1)\n"
        "def deadly(x): os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
        with (
            dask.config.set({"distributed.scheduler.allowed-failures": 2}),
            LocalCluster(
                n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
                silence_logs=50,
            ) as cluster,
            Client(cluster) as client,
        ):  # fmt: skip
            yield client
            client.wait_for_workers(2, timeout=60)


@pytest.mark.parametrize("sampling", ["here", "workers"])
def test_a_cluster_gives_the_bits_of_one_process(client, sampling, same_run):
    executor = client.get_executor(pure=False)
    alone = cem.maximize(CUT, sampling=sampling, **SETTINGS)
    assert same_run(cem.maximize(CUT, sampling=sampling, workers=executor, **SETTINGS), alone)


@FAULTS
def test_a_killed_worker_does_not_change_a_bit(client, same_run):
    from costly import slow

    family = cem.Bernoulli([0.5] * 10)
    alone = cem.maximize(lambda x: x.sum(axis=1), family, **SETTINGS)
    client.wait_for_workers(2, timeout=60)
    victim = next(iter(client.run(os.getpid).values()))
    threading.Timer(0.3, os.kill, (victim, signal.SIGKILL)).start()
    executor = client.get_executor(pure=False)
    assert same_run(cem.maximize(slow, family, workers=executor, **SETTINGS), alone)
    client.wait_for_workers(2, timeout=60)
    assert victim not in client.run(os.getpid).values()


@FAULTS
def test_a_chunk_that_kills_three_workers_is_named(client):
    from costly import deadly

    executor = client.get_executor(pure=False)
    with pytest.raises(RuntimeError, match=r"^chunk 1 of 1 was not scored .*KilledWorker: "):
        cem.maximize(
            deadly, cem.Bernoulli([0.5] * 4), workers=executor, **SETTINGS | {"n_samples": 40}
        )
