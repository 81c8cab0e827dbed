"""What it takes to share out one run: faults, costs per chunk, bytes, memory, and 1000 workers.

python tests/benchmarks/parallel.py [faults] [overhead] [scaling] [bytes] [memory] [dask] [simulate]

Without a word all of them, in minutes. The machine may be shared: what is compared is timed in
turns, and of several turns the best counts.
"""

from __future__ import annotations

import argparse
import hashlib
import heapq
import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from multiprocessing.reduction import ForkingPickler

import numpy as np
from dask_cluster import local_cluster

import cem
from cem.clusters import DaskWorkers
from cem.processes import Processes
from cem.randomness import root_of
from cem.sampling import Undrawn

KILLS = 50
N, D = 20_000, 100  # samples and coordinates of the table of bytes


def turned(n):
    """A loop of so many turns."""
    total = 0
    for i in range(n):
        total += i
    return total


def timed(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


class Busy:
    """As many turns of a loop for every sample as take 20 microseconds on an idle core."""

    def __init__(self, turns):
        self.turns = turns

    def __call__(self, x):
        for _ in range(len(x)):
            turned(self.turns)
        return -np.square(x).sum(axis=1)


def asleep(x):
    """Waits 20 microseconds for every sample, which takes no core from anybody."""
    time.sleep(20e-6 * len(x))
    return square(x)


def square(x):
    return -np.square(x).sum(axis=1)


def slow_square(x):
    time.sleep(0.02)
    return square(x)


def deadly(x):  # noqa: ARG001 - whatever it is
    os.kill(os.getpid(), signal.SIGKILL)


def hanging(x):  # noqa: ARG001 - whatever it is
    time.sleep(1000)


def nothing(x):
    return x


def digest(found):
    """All bits of a result in a few letters."""
    numbers = [np.array(found.history), found.x, *found.family.parameters().values()]
    return hashlib.sha256(b"".join(np.asarray(a).tobytes() for a in numbers)).hexdigest()[:12]


def searched(problem=slow_square, **options):
    family = cem.Normal(np.full(10, 2.0), np.full(10, 1.0))
    settings = {"n_samples": 800, "chunk_size": 50, "rho": 0.1, "rng": 7, "max_iterations": 6}
    return cem.maximize(problem, family, **settings | options)


# --- faults ---------------------------------------------------------------------------------------


class Killing(threading.Thread):
    """Kills one of the processes that ``victims()`` lists, some time into a run."""

    def __init__(self, victims, after):
        super().__init__(daemon=True)
        self.victims, self.after, self.killed = victims, after, 0

    def run(self):
        time.sleep(self.after)
        while not (pids := self.victims()):
            time.sleep(0.01)
        os.kill(random.choice(pids), signal.SIGKILL)  # noqa: S311 - whichever
        self.killed = 1


def of_pool(pool):
    """Pids of the processes of a pool, once each has had something to do."""
    return lambda: [w.process.pid for w in [*pool._workers] if w.codes]


def faults():
    expected = digest(searched())
    took = timed(lambda: searched(workers=2))
    same = killed = 0
    for _ in range(KILLS):
        with Processes(2) as pool:
            pool.submit(nothing, 1).result()
            killing = Killing(of_pool(pool), after=random.uniform(0.0, 0.7 * took))  # noqa: S311
            killing.start()
            same += digest(searched(workers=pool)) == expected
            killed += killing.killed
    print(f"processes: {same} of {KILLS} the same bits; {killed} had a process killed within")
    _told("always kills its process", lambda: searched(deadly, workers=2))
    since = time.monotonic()
    _told("hangs, timeout of 3 s", lambda: searched(hanging, workers=2, evaluation_timeout=3.0))
    print(f"  ended {time.monotonic() - since - 3:.2f} s after the timeout, start-up included")


def _told(what, run):
    try:
        run()
        print(f"{what}: NOTHING WAS SAID")
    except Exception as error:  # noqa: BLE001 - the message is what is looked at
        print(f"{what}: {type(error).__name__}: {error}")


# --- costs per chunk ------------------------------------------------------------------------------


def size_of(x):
    return len(x)


def per_chunk(executor, n=2000, item=None, function=nothing):
    """Seconds per chunk of next to no work, all submitted at once."""
    item = np.zeros(64) if item is None else item

    def done(n):
        for future in [executor.submit(function, item) for _ in range(n)]:
            future.result()

    done(50)
    return timed(lambda: done(n)) / n


def overhead(turns=7):
    rows = {"Processes(2)": [], "ProcessPoolExecutor(2)": []}
    with Processes(2) as ours, ProcessPoolExecutor(2, get_context("forkserver")) as standard:
        for _ in range(turns):
            rows["Processes(2)"].append(per_chunk(ours))
            rows["ProcessPoolExecutor(2)"].append(per_chunk(standard))
    for name, times in rows.items():
        print(
            f"{name:24} {1e3 * min(times):.3f} ms per chunk at best, "
            f"{1e3 * np.median(times):.3f} in the median"
        )
    return min(rows["Processes(2)"])


def scaling(turns=15, per_worker=4_000):
    """Weak scaling: twice the samples on two workers, beside what one takes for its own.

    In turns, so that both meet the same neighbours; the best time of either counts, for those are
    the ones that no neighbour was part of.
    """
    loop = round(20e-6 / min(timed(lambda: turned(10**6)) for _ in range(20)) * 1e6)
    family = cem.Normal(np.zeros(10), np.ones(10))

    def scored(problem, n, pool, sampling):
        cem.maximize(
            problem, family, n_samples=n, rho=0.1, rng=1, max_iterations=3, chunk_size=500,
            workers=pool, sampling=sampling,
        )  # fmt: skip

    print(f"20 us a sample = {loop} turns of a loop; {per_worker} samples for every worker")
    with Processes(1) as one, Processes(2) as two:
        for name, problem in {"busy": Busy(loop), "asleep": asleep}.items():
            for sampling in ("here", "workers"):
                run = partial(scored, problem)
                times = []
                for _ in range(turns):
                    alone = timed(lambda: run(per_worker, one, sampling))  # noqa: B023
                    both = timed(lambda: run(2 * per_worker, two, sampling))  # noqa: B023
                    times.append((alone, both))
                alone, both = np.array(times).T
                print(
                    f"{name:6} sampling={sampling!r:9} 1 -> 2 workers: "
                    f"x{2 * alone.min() / both.min():.2f} by the best of {turns} turns "
                    f"({alone.min():.3f} s and {both.min():.3f} s), median of the pairs "
                    f"x{np.median(2 * alone / both):.2f}, best pair x{(2 * alone / both).max():.2f}"
                )


# --- bytes ----------------------------------------------------------------------------------------


class Counting(Executor):
    """Does what is submitted at once, through pickles, and counts their bytes."""

    def __init__(self):
        self.down = self.up = self.problem = 0

    def submit(self, fn, /, *args):
        self.problem += len(ForkingPickler.dumps(fn))
        sent = bytes(ForkingPickler.dumps(args))
        answer = bytes(ForkingPickler.dumps(fn(*ForkingPickler.loads(sent))))
        self.down, self.up = self.down + len(sent), self.up + len(answer)
        future = Future()
        future.set_result(ForkingPickler.loads(answer))
        return future


def count_bytes():
    family = cem.Normal(np.full(D, 2.0), np.ones(D))
    print(f"N = {N}, d = {D}, 200 elite: MB per iteration down + up, and the function's own")
    for sampling, size in [("here", 1000), *(("workers", s) for s in (512, 1000, 2048))]:
        counting = Counting()
        cem.maximize(
            square, family, n_samples=N, rho=0.01, alpha=0.7, rng=1, max_iterations=3,
            chunk_size=size, workers=counting, sampling=sampling,
        )  # fmt: skip
        down, up, own = (b / 3e6 for b in (counting.down, counting.up, counting.problem))
        print(
            f"  sampling={sampling!r:9} chunk_size={size:4}: {down:6.3f} + {up:.3f} = "
            f"{down + up:6.3f} MB; the function, were it sent with every chunk, {own:.3f} MB"
        )


# --- memory ---------------------------------------------------------------------------------------


def memory(n=5_000_000):
    """Two iterations of a batch of 4 GB, in a process that may have no more than 2 GB."""
    code = (
        "import resource, numpy as np, cem\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2_000_000_000,) * 2)\n"
        "def square(x): return -np.square(x).sum(axis=1)\n"
        f"family = cem.Normal(np.full({D}, 2.0), np.ones({D}))\n"
        f"found = cem.maximize(square, family, n_samples={n}, rho=0.001, alpha=0.7, rng=1,\n"
        "    max_iterations=2, chunk_size=5000, sampling=SAMPLING)\n"
        "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "print(f'{found.nfev} samples, best {found.fun:.2f}, peak {peak:.0f} MB')\n"
    )
    for sampling in ("here", "workers"):
        done = subprocess.run(
            [sys.executable, "-c", code.replace("SAMPLING", repr(sampling))],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        last = (done.stdout or done.stderr).strip().splitlines()[-1]
        print(f"{8 * n * D / 1e9:.0f} GB a batch, sampling={sampling!r}: {last}")


# --- Dask -----------------------------------------------------------------------------------------


@contextmanager
def dask_client():
    from distributed import Client

    with local_cluster() as cluster, Client(cluster) as client:
        yield client


def dask_faults(kills=KILLS):
    expected = {s: digest(searched(sampling=s)) for s in ("here", "workers")}
    with dask_client() as client:
        for sampling, digits in expected.items():
            same = digest(searched(workers=client, sampling=sampling)) == digits
            print(f"Dask, sampling={sampling!r}: {'the same bits' if same else 'OTHER BITS'}")
        same = killed = 0
        for _ in range(kills):
            client.wait_for_workers(2)
            killing = Killing(lambda: [*client.run(os.getpid).values()], after=0.3)
            killing.start()
            same += digest(searched(workers=client)) == expected["here"]
            killed += killing.killed
        print(f"Dask: {same} of {kills} the same bits, {killed} with a worker killed within")
        client.wait_for_workers(2)
        _told("Dask, always kills its worker", lambda: searched(deadly, workers=client))


def dask_per_chunk(turns=3):
    """Seconds per chunk, by what is sent with it: next to nothing, a density, its samples."""
    family = cem.Normal(np.zeros(D), np.ones(D))
    chunk = Undrawn(family, root_of(1), 0, N, 1000, map)[0:1000]
    items = {"64 numbers": np.zeros(64), "a density": chunk, "1000 samples": chunk.drawn()}
    found = {}
    with Processes(2) as pool, dask_client() as client:
        for engine, executor in [("processes", pool), ("Dask", DaskWorkers(client))]:
            for what, item in items.items():
                n = 2000 if engine == "processes" else 200
                n = n // 10 if what == "1000 samples" else n
                found[engine, what] = min(
                    per_chunk(executor, n, item, size_of) for _ in range(turns)
                )
                print(f"{engine:10} {what:13} {1e3 * found[engine, what]:7.3f} ms per chunk")
    return found


# --- on paper -------------------------------------------------------------------------------------


def simulate(costs=None, n=1_000_000, bandwidth=1.25e9):
    """Speed-ups of one iteration of ``n`` samples, from what a chunk costs the coordinator.

    It hands out chunks one after the other, at the cost measured here and the time that their bytes
    take at ``bandwidth`` (10 Gbit/s); a worker takes the next chunk when it is done, in a time that
    varies by a tenth. Sampling on the workers draws again what holds elite samples: all chunks.
    The chunk size is the best of the powers of two.
    """
    costs = costs or dask_per_chunk()
    rng = np.random.default_rng(0)
    draw, select = 1e-8 * D, 1e-7  # seconds a sample
    print(f"N = {n}, d = {D}: speed-up of an iteration over one core that does all (chunk size)")
    print(f"{'a sample':>9} {'engine':10} {'sampling':8}", *(f"{w:>14}" for w in WORKERS))
    for seconds in (20e-6, 1e-3, 50e-3):
        alone = n * (draw + seconds + select)
        for engine in ("processes", "Dask"):
            for sampling, what in (("here", "1000 samples"), ("workers", "a density")):
                cells = []
                for workers in WORKERS:
                    best = (0.0, 0)
                    for size in 2 ** np.arange(4, 15):
                        fixed = costs[engine, "64 numbers"]
                        per_sample = (
                            costs[engine, "1000 samples"] - fixed
                        ) / 1000 + 8 * D / bandwidth
                        here = sampling == "here"
                        serial = fixed + per_sample * size if here else costs[engine, what]
                        work = size * (seconds + (0 if here else draw))
                        took = n * select + handed_out(n // size, workers, serial, work, rng)
                        took += n * draw if here else 0
                        took += (
                            0 if here else handed_out(n // size, workers, serial, size * draw, rng)
                        )
                        best = max(best, (alone / took, int(size)))
                    cells.append(f"{best[0]:7.1f} ({best[1]:4})")
                print(f"{1e3 * seconds:6.2f} ms {engine:10} {sampling:8}", *cells)


WORKERS = (1, 10, 100, 1000)


def handed_out(n_chunks, workers, serial, work, rng):
    """Seconds until all chunks are done."""
    free, clock = [0.0] * workers, 0.0
    for factor in rng.lognormal(0.0, 0.1, n_chunks):
        clock += serial
        heapq.heappush(free, max(clock, heapq.heappop(free)) + work * factor)
    return max(clock, *free)


PARTS = {
    "faults": faults,
    "overhead": overhead,
    "scaling": scaling,
    "bytes": count_bytes,
    "memory": memory,
    "dask": dask_faults,
    "simulate": simulate,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []])
    for part in parser.parse_args().parts or PARTS:
        print(f"--- {part}")
        PARTS[part]()


if __name__ == "__main__":
    main()
