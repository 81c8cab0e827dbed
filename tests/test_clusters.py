"""On a Dask cluster of two processes: the same bits, after a death too; a deadly chunk is named."""

import asyncio
import os
import signal
import threading
from concurrent.futures import CancelledError

import numpy as np
import pytest
from dask_cluster import local_cluster

import cem
from cem.clusters import DaskWorkers, executor_of
from problems.maxcut import two_blocks

pytest.importorskip("distributed", reason="needs a cluster: pip install cemkit[cluster]")
pytestmark = pytest.mark.filterwarnings("default")  # what a cluster warns of is not ours

CUT = two_blocks(40, 20)
SETTINGS = {"rng": 3, "n_samples": 400, "chunk_size": 40, "max_iterations": 4}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """Of a cluster whose workers can import the module ``costly``."""
    from distributed import Client

    folder = tmp_path_factory.mktemp("modules")
    (folder / "costly.py").write_text(
        "import os, signal, threading, time\n"
        "def slow(x): time.sleep(0.05); return x.sum(axis=1)\n"
        "def deadly(x): os.kill(os.getpid(), signal.SIGKILL)\n"
        "class Holding(Exception):\n"
        "    def __init__(self): super().__init__('a lock'); self.lock = threading.Lock()\n"
        "def holding(x): raise Holding\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
        with local_cluster() as cluster, Client(cluster) as client:
            yield client
            client.wait_for_workers(2, timeout=60)


def kept(client):
    """What a client keeps on the cluster of the calls made for cem."""
    client.nthreads()  # a round through its loop, which is done then with what came before
    return [key for key in client.futures if key.startswith("_called")]


@pytest.mark.parametrize("sampling", ["here", "workers"])
def test_a_cluster_gives_the_bits_of_one_process(client, sampling, same_run):
    alone = cem.maximize(CUT, sampling=sampling, **SETTINGS)
    for workers in client, client.get_executor():
        assert same_run(cem.maximize(CUT, sampling=sampling, workers=workers, **SETTINGS), alone)


def test_a_killed_worker_does_not_change_a_bit(client, same_run):
    from costly import slow

    family = cem.Bernoulli([0.5] * 10)
    alone = cem.maximize(lambda x: x.sum(axis=1), family, **SETTINGS)
    client.wait_for_workers(2, timeout=60)
    victim = next(iter(client.run(os.getpid).values()))
    threading.Timer(0.3, os.kill, (victim, signal.SIGKILL)).start()
    assert same_run(cem.maximize(slow, family, workers=client, **SETTINGS), alone)
    client.wait_for_workers(2, timeout=60)
    assert victim not in client.run(os.getpid).values()


def test_a_chunk_that_kills_three_workers_is_named(client):
    from costly import deadly

    with pytest.raises(RuntimeError, match=r"^chunk 1 of 1 was not scored .*KilledWorker: "):
        cem.maximize(
            deadly, cem.Bernoulli([0.5] * 4), workers=client, **SETTINGS | {"n_samples": 40}
        )
    client.wait_for_workers(2, timeout=60)


def test_what_has_come_counts_though_its_worker_dies_at_that_moment(client, monkeypatch):
    gathered = client._gather

    async def and_lost(tasks, *args, **kwargs):
        values = await gathered(tasks, *args, **kwargs)
        for task in tasks:
            client._handle_lost_data(task.key)
        return values

    monkeypatch.setattr(client, "_gather", and_lost)
    dasks = client.get_executor(pure=False)
    with pytest.raises(TypeError, match="cannot unpack"):
        dasks.submit(abs, -3).result(timeout=30)
    assert executor_of(dasks).submit(abs, -3).result(timeout=30) == 3


def test_calls_are_those_of_any_executor(client):
    from costly import slow

    workers = DaskWorkers(client, pure=True)
    assert workers.submit(int, "ff", base=16).result(timeout=30) == 255
    assert list(workers.map(abs, [-1, -2], timeout=30)) == [1, 2]
    with pytest.raises(ZeroDivisionError):
        workers.submit(divmod, 1, 0).result(timeout=30)
    many = [workers.submit(slow, np.ones((1, i))) for i in range(1, 101)]
    assert [future.cancel() for future in many[1:]] == [True] * 99
    assert many[0].result(timeout=30) == 1.0
    assert not kept(client)


def test_a_call_that_the_scheduler_cancels_is_cancelled(client):
    from costly import slow
    from distributed import Future as Task

    workers = DaskWorkers(client)
    waiting = [workers.submit(slow, np.ones((1, 2))) for _ in range(50)]
    client.cancel([Task(key, client) for key in client.futures])
    with pytest.raises(CancelledError):
        waiting[-1].result(timeout=30)


def test_an_error_of_the_problem_comes_as_it_is_and_nothing_of_it_stays(client):
    from costly import holding

    with pytest.raises(ValueError, match=r"^the problem raised Holding: a lock on sample 0 ") as e:
        cem.maximize(holding, cem.Bernoulli([0.5] * 4), workers=client, **SETTINGS)
    assert "in holding" in "".join(e.value.__notes__), "where it was raised"
    assert not kept(client)


def test_a_client_that_is_closed_in_the_middle_ends_the_run(client):
    from costly import slow
    from distributed import Client

    other = Client(client.scheduler.address, set_as_default=False)
    threading.Timer(0.3, other.close).start()
    family = cem.Bernoulli([0.5] * 10)
    with pytest.raises(RuntimeError, match=r"^chunk .*CancelledError: .* its client was closed$"):
        cem.maximize(slow, family, workers=other, **SETTINGS)
    with pytest.raises(Exception, match="closed"):  # Dask's own
        cem.maximize(slow, family, workers=other, **SETTINGS)


def test_what_is_submitted_while_the_client_closes_is_refused(client):
    """Its last look at what is under way is over by then, so that nobody would ever tell."""
    from distributed import Client

    with Client(client.scheduler.address, set_as_default=False) as other:
        other.status = "closing"
        try:
            with pytest.raises(RuntimeError, match="the client has been closed"):
                DaskWorkers(other).submit(abs, -1)
        finally:
            other.status = "running"


def test_a_client_is_not_waited_for_in_its_own_loop(client, same_run):
    from distributed import Client

    async def both():
        async with Client(client.scheduler.address, asynchronous=True) as mine:
            with pytest.raises(TypeError, match=r"await asyncio\.to_thread"):
                cem.maximize(CUT, workers=mine, **SETTINGS)
            return await asyncio.to_thread(cem.maximize, CUT, workers=mine, **SETTINGS)

    assert same_run(asyncio.run(both()), cem.maximize(CUT, **SETTINGS))
