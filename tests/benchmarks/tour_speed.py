"""How fast are tours drawn and measured, and how much memory takes a million? A table.

python tests/benchmarks/tour_speed.py [--memory]

CPU seconds of one thread, kernels warm, the best of several runs. The matrices fall off with the
distance of random points: over a length as small as given, or not at all. Beside the compiled
sampler and density their plain twins. ``--memory`` draws, measures, selects and refits one million
tours of 100 nodes, and says how much memory that took: run it by itself.
"""

from __future__ import annotations

import argparse
import resource
from time import process_time

import numpy as np

import cem
from cem.families import permutations
from cem.families.transitions import Transitions
from problems.tsp import TSP

HEATS = {"uniform": np.inf, "in the middle": 0.15, "sharp": 0.03}


def problem(n):
    """Random points of the unit square."""
    return TSP.of_points(np.random.default_rng(n).random((n, 2)))


def density(tsp, heat):
    """Near nodes follow each other more often, the more so the less heat there is."""
    n = len(tsp.distance)
    p = np.exp(-tsp.distance * np.sqrt(n / 20) / heat) * (1 - np.eye(n))
    return Transitions(p / p.sum(axis=1, keepdims=True))


def best_of(action, repeats=5):
    """CPU seconds of the fastest run."""
    action()
    took = []
    for _ in range(repeats):
        begun = process_time()
        action()
        took.append(process_time() - begun)
    return min(took)


def speeds():
    """Tours per CPU second, and the density of 20 000 of them."""
    rng = np.random.default_rng(1)
    print(f"{'n':>4} {'matrix':14} {'drawn':>10} {'and measured':>13} {'plain':>8} tours / CPU s")
    for n in (17, 50, 100, 280):
        tsp, count = problem(n), 1_000_000 // n
        for name, heat in HEATS.items():
            f = density(tsp, heat)
            alone = best_of(lambda f=f, m=count: f.sample(rng, m))
            both = best_of(lambda f=f, m=count, tsp=tsp: tsp(f.sample(rng, m)))
            plain = best_of(lambda f=f, n=n: plainly(f.sample, rng, 65_536 // n), repeats=2)
            print(
                f"{n:>4} {name:14} {count / alone:>10.0f} {count / both:>13.0f} "
                f"{65_536 // n / plain:>8.0f}",
                flush=True,
            )
    f = density(problem(50), HEATS["in the middle"])
    x = f.sample(rng, 20_000)
    fast, plain = best_of(lambda: f.log_density(x)), best_of(lambda: plainly(f.log_density, x), 1)
    print(f"log-density of 20 000 tours of 50 nodes: {fast:.3f} s; plain {plain:.3f} s")


def plainly(method, *arguments):
    """A method of a family without its kernels."""
    large, permutations.LARGE = permutations.LARGE, np.inf
    try:
        return method(*arguments)
    finally:
        permutations.LARGE = large


def memory():
    """One iteration with a million tours of 100 nodes."""
    tsp = problem(100)
    method = cem.CrossEntropyMethod(
        nominal=tsp.nominal(), n_samples=1_000_000, select=cem.Elite(0.01), rng=1
    )
    begun, state = process_time(), method.init()
    x = method.ask(state)
    score = -tsp(x)
    state, _ = method.tell(state, x, score)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{len(x)} tours of 100 nodes: {process_time() - begun:.1f} CPU s, at most {peak:.0f} MiB"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--memory", action="store_true")
    if parser.parse_args().memory:
        memory()
    else:
        speeds()


if __name__ == "__main__":
    main()
