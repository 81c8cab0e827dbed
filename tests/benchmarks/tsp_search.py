"""Does the cross-entropy method add to a local search on tours? Beside its controls, as a table.

python tests/benchmarks/tsp_search.py [FILES] [--limit 1] [--seeds 20] [--samples 10] [--kicks K]

The files are of TSPLIB 95; without one, those with a known optimum that come with the project.
All three have the same iterated local search with the same number of kicks for a sample, and the
same CPU time: CE with it, as `Transitions` fitted to the best tours; multistart, from tours of the
first density; and ILS, which goes on from the one tour it has. Printed are the mean gap to the
optimum, the share of seeds that found it, and the median CPU time to the best tour of a run, all
kernels compiled. A run ends at the optimum.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from time import process_time

import numpy as np

import cem
from cem.smoothing import Constant
from problems.tsp import problem
from problems.tsp.local_search import Iterated

SMALL = ["burma14", "gr17", "br17"]


def hybrid(tsp, refine, seed, n_samples, alpha):
    """Batches of CE with a local search; once the tours of a batch are alike, it begins anew."""
    restart = 0
    while True:
        method = cem.CrossEntropyMethod(
            nominal=tsp.nominal(),
            n_samples=n_samples,
            select=cem.Elite(0.3),
            smooth=Constant(alpha),
            rng=[seed, restart],
        )
        state, length = method.init(), np.arange(2)
        while np.ptp(length) > 0:
            x = refine(method.ask(state), np.random.default_rng((seed, restart, state.t)))
            yield (length := tsp(x))
            state, _ = method.tell(state, x, -length)
        restart += 1


def multistart(tsp, refine, seed, n_samples, _):
    """The same local search from tours of the first density."""
    rng, start = np.random.default_rng(seed), tsp.nominal()
    while True:
        yield tsp(refine(start.sample(rng, n_samples), rng))


def iterated(tsp, refine, seed, *_):
    """The same local search, each time from the tour it has found."""
    rng = np.random.default_rng(seed)
    x = tsp.nominal().sample(rng, 1)
    while True:
        x = refine(x, rng)
        yield tsp(x)


def run(batches, optimum, limit):
    """The shortest tour found within the CPU time, and when it was found."""
    start, now, best, when = process_time(), 0.0, np.inf, 0.0
    while best > optimum and now <= limit:
        length = next(batches).min()
        now = process_time() - start
        if length < best:
            best, when = length, now
    return best, when


def main():
    """Print a row per instance."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("instance", nargs="*", default=SMALL)
    parser.add_argument("--optimum", type=float, nargs="*", default=[])
    parser.add_argument("--limit", type=float, default=1.0)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--samples", type=int, default=10)
    parser.add_argument("--alpha", type=float, default=0.5)
    parser.add_argument("--kicks", type=int)
    given = parser.parse_args()
    print(f"{'instance':10} {'n':>4}" + "".join(f" | {f.__name__:>28}" for f in METHODS))
    for k, name in enumerate(given.instance):
        tsp = problem(name)
        if k < len(given.optimum):
            tsp = replace(tsp, optimum=given.optimum[k])
        refine = Iterated(tsp, kicks=given.kicks)
        refine(tsp.nominal().sample(np.random.default_rng(0), 1), np.random.default_rng(0))
        row = f"{Path(name).stem:10} {tsp.n:4}"
        for method in METHODS:
            found = np.array(
                [
                    run(
                        method(tsp, refine, seed, given.samples, given.alpha),
                        tsp.optimum,
                        given.limit,
                    )
                    for seed in range(given.seeds)
                ]
            )
            gap = 100 * (found[:, 0] / tsp.optimum - 1)
            hits = f"{(gap <= 0).sum()}/{given.seeds}"
            seconds = f"{np.median(found[:, 1]):.3f} < {found[:, 1].max():.3f} s"
            row += f" | {gap.mean():6.3f}% {hits:>5} {seconds}"
        print(row, flush=True)


METHODS = (hybrid, multistart, iterated)

if __name__ == "__main__":
    main()
