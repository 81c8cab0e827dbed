"""What does it cost to keep every iteration, and is one lost when many processes write at once?

python tests/benchmarks/store.py [--iterations 500] [--writers 8] [--folder /tmp]

A checkpoint is that of a search among 400 bits, or of 100 normal variables. PostgreSQL is a private
server that waits for the disk at every commit, as it does unless told otherwise.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import cem
from experiments.store import Store

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "experiments"))
from postgres import new_server  # noqa: E402
from storing import ROW, record  # noqa: E402

FAMILIES = {
    "400 bits": cem.Bernoulli(np.random.default_rng(1).random(400)),
    "100 normals": cem.Normal(np.random.default_rng(2).normal(size=100), np.ones(100)),
}


def checkpoint(family):
    """As a run makes it after an iteration."""
    engine = cem.CrossEntropyMethod(nominal=family, n_samples=10, rng=1)
    return cem.checkpoint.dumps(engine.init(), cem.History(), {"problem": "x", "rho": 0.1})


def cost(url, saved, n):
    """Milliseconds per stored iteration: the mean, and the slowest of a hundred."""
    times = []
    with Store(url) as store:
        run = store.begin(**ROW)
        with store.writer(run) as writer:
            for t in range(1, n + 1):
                since = time.perf_counter()
                writer.add(record(t), saved, 0.0)
                times.append(time.perf_counter() - since)
    return 1e3 * np.mean(times), 1e3 * np.quantile(times, 0.99)


WRITE = """
import sys
sys.path.insert(0, sys.argv[1])
from storing import ROW, record
from experiments.store import Store
with Store(sys.argv[2]) as store:
    with store.writer(store.begin(**ROW)) as writer:
        for t in range(1, int(sys.argv[3]) + 1):
            writer.add(record(t), bytes(4000), 0.0)
"""


def together(url, writers, n):
    """Many processes at once: seconds, rows there, and whatever any of them said."""
    words = [sys.executable, "-c", WRITE, str(ROOT / "experiments"), url, str(n)]
    since = time.perf_counter()
    started = [
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(writers)
    ]
    said = "".join(process.communicate()[0] for process in started)
    seconds = time.perf_counter() - since
    with Store(url) as store:
        there = sum(len(history) for history in store.histories(store.runs()).values())
    return seconds, there, said


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--iterations", type=int, default=500)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=asked.folder))
    server = new_server(fsync="on")
    try:
        print(f"{'checkpoint':14} {'bytes':>6} {'database':11} {'ms/iteration':>12} {'99 %':>6}")
        for name, family in FAMILIES.items():
            saved = checkpoint(family)
            urls = {"SQLite": str(folder / f"{len(saved)}.db"), "PostgreSQL": server.url()}
            for kind, url in urls.items():
                mean, slow = cost(url, saved, 4 * asked.iterations)
                print(f"{name:14} {len(saved):6} {kind:11} {mean:12.3f} {slow:6.2f}")
        for kind, url in {"SQLite": str(folder / "many.db"), "PostgreSQL": server.url()}.items():
            seconds, there, said = together(url, asked.writers, asked.iterations)
            wanted = asked.writers * asked.iterations
            print(f"{kind}: {there} of {wanted} rows in {seconds:.1f} s; said: {said!r}")
        other = sqlite3.connect(folder / "many.db")
        print("SQLite's own check:", *other.execute("pragma integrity_check").fetchone())
        other.close()
    finally:
        server.stop()
        shutil.rmtree(server.folder)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
