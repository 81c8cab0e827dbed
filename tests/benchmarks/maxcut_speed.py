"""How fast cuts are sampled and scored, what an iteration costs, and what a million cuts weigh.

OMP_NUM_THREADS=1 python tests/benchmarks/maxcut_speed.py GRAPH.txt ...

CPU microseconds per cut, kernels warm, the best of many. "ideal" is the share of what two vector
instructions per cycle allow, at three per edge and 512 samples; the clock is taken to be 3 GHz.
The memory is the peak of a process of its own. Without a file: a random graph like G1.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time

import networkx as nx
import numpy as np

from cem.engine import CrossEntropyMethod
from cem.families.bernoulli import Bernoulli
from cem.parallel import Evaluation
from problems.maxcut import MaxCut, read_rudy

N = 2**15
IDEAL = 1.5 / 3e9 / 512 * 1e6  # microseconds per edge and sample
MILLION = 1_000_000


def least(call, times=20):
    """CPU seconds of the fastest of many calls."""
    seconds = []
    for _ in range(times):
        start = time.process_time()
        call()
        seconds.append(time.process_time() - start)
    return min(seconds)


def graph(path):
    if path is None:
        return MaxCut.of(nx.gnm_random_graph(800, 19176, seed=1))
    return read_rudy(path)


def gathered(cut, x):
    """The usual way: compare the columns of all edges."""
    i, j = cut.ends.T
    return (x[:, i] != x[:, j]) @ cut.weight


def row(name, cut):
    rng = np.random.default_rng(0)
    f = cut.nominal().replace(p=rng.random(cut.n_nodes))
    x = f.sample(rng, N)
    score, coins = cut(x), Bernoulli(f.p)
    plain = coins.sample(rng, 500)
    assert (gathered(cut, plain) == cut(plain)).all()
    assert len(score) == N
    sampling = least(lambda: f.sample(rng, N)) / N * 1e6
    scoring = least(lambda: cut(x)) / N * 1e6
    usual = least(lambda: gathered(cut, coins.sample(rng, 500)), 3) / 500 * 1e6
    ideal = IDEAL * len(cut.weight) / scoring
    return (
        f"{name:12} {sampling:8.3f} {scoring:8.3f} {1 / (sampling + scoring):8.2f} M/s "
        f"{ideal:6.0%} {usual:8.1f} {iteration(cut):8.2f} ms"
    )


def iteration(cut, n=4000, times=40):
    """Median CPU milliseconds of one iteration of the method."""
    method = CrossEntropyMethod(nominal=cut.nominal(), n_samples=n, rng=1)
    state, spent = method.init(), []
    for _ in range(times):
        start = time.process_time()
        x = method.ask(state)
        state, _ = method.tell(state, x, cut(x))
        spent.append(time.process_time() - start)
    return 1e3 * float(np.median(spent))


def million(path):
    """Two iterations with a million cuts; prints the peak of the memory in megabytes."""
    cut = graph(path)
    method = CrossEntropyMethod(nominal=cut.nominal(), n_samples=MILLION, rng=1)
    state, evaluate = method.init(), Evaluation(cut, method.root, cut.chunk_size)
    for t in range(2):
        x = method.ask(state)
        state, _ = method.tell(state, x, evaluate(x, t))
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")


def main(paths):
    print(
        f"{'graph':12} {'sample':>8} {'score':>8} {'both':>12} {'ideal':>6} {'usual':>8} iteration"
    )
    for path in paths or [None]:
        print(row("like G1" if path is None else path.rpartition("/")[2], graph(path)))
        own = [sys.executable, __file__, "--million", *([path] if path else [])]
        done = subprocess.run(own, capture_output=True, check=True, text=True)
        print(f"  a million cuts: {done.stdout.strip()} MB at most")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--million"]:
        million(sys.argv[2] if sys.argv[2:] else None)
    else:
        main(sys.argv[1:])
