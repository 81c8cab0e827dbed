"""Which preset finds the optimum, and how soon? Many seeds of equal budgets, as a table.

python tests/benchmarks/presets.py [--seeds 20] [--first 0] [--only NAME] [--presets "a;b"]

A run is one call of `cem.maximize` with the optimum as its target. The measure is the expected
running time: all evaluations spent, divided by the runs that found the optimum.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from time import process_time

import numpy as np

import cem
from cem.families.tree import DependencyTree
from cem.presets import PRESETS, Preset, textbook
from cem.restarts import IPOP
from problems.binary import KNAPSACK_OF_24, IsingRing, Knapsack, LeadingOnes, OneMax, Trap
from problems.maxcut import MaxCut, two_blocks
from problems.queens import NQueens


def random_cut(n, seed):
    """A graph of which every pair is an edge with probability one half; all cuts are tried."""
    rng = np.random.default_rng(seed)
    ends = np.argwhere(np.triu(rng.random((n, n)) < 0.5, 1))
    cut = MaxCut(ends, np.ones(len(ends)), n)
    blocks = np.arange(2 ** (n - 1)).reshape(-1, 2**10)
    best = max(cut((k[:, None] >> np.arange(n) & 1).astype(np.int8)).max() for k in blocks)
    return replace(cut, optimum=float(best))


def random_knapsack(n, seed):
    """Values near the weights, and room for half of them; the optimum by dynamic programming."""
    rng = np.random.default_rng(seed)
    weight = rng.integers(1, 101, n)
    value = np.maximum(1, weight + rng.integers(-20, 21, n))
    best = np.zeros(weight.sum() // 2 + 1)
    for w, v in zip(weight, value, strict=True):
        best[w:] = np.maximum(best[w:], best[:-w] + v)
    return Knapsack(tuple(weight.tolist()), tuple(value.tolist()), len(best) - 1, best[-1])


def dependent(f):
    """Bits that may learn to depend on each other; an edge must be worth a hundredth of a nat."""
    return DependencyTree.independent(np.full(f.n, 0.5), threshold=0.01)


def runs():
    """Name, problem, family (None: the problem's own), budget."""
    for n in (50, 100, 200):
        yield f"OneMax {n}", OneMax(n), None, 200 * n
        yield f"LeadingOnes {n}", LeadingOnes(n), None, 2 * n * n
    yield "knapsack 24", KNAPSACK_OF_24, None, 20_000
    yield "knapsack 60", random_knapsack(60, 1), None, 20_000
    yield "queens 8", NQueens(8), None, 20_000
    yield "queens 12", NQueens(12), None, 40_000
    yield "max-cut 18", random_cut(18, 3), None, 20_000
    yield "max-cut 400", two_blocks(), None, 40_000
    for f in (IsingRing(50), Trap(50)):
        yield f"{type(f).__name__} 50, tree", f, dependent(f), 20_000


def restarted(family):
    """The textbook's search, begun anew with twice the samples while there is a budget."""
    return replace(textbook(family), restart=IPOP())


COMPARED = {**PRESETS, "textbook, IPOP": Preset(restarted, PRESETS["textbook"].start)}


def outcomes(problem, family, budget, preset, seeds):
    """Found or not, evaluations, best score: a row for every seed."""
    found = (
        cem.maximize(
            problem, family, preset=preset, rng=s, max_evaluations=budget, target=problem.optimum
        )
        for s in seeds
    )
    return np.array([(r.fun >= problem.optimum, r.nfev, r.fun) for r in found])


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--only", default="", help="problems whose name begins so")
    parser.add_argument("--presets", default="default;textbook;textbook, IPOP;face")
    given = parser.parse_args()
    seeds = range(given.first, given.first + given.seeds)
    print(f"{'':20} {'':15} {'found':>8} {'median':>8} {'expected':>9} {'short':>10} {'s':>6}")
    for name, problem, family, budget in runs():
        if not name.startswith(given.only):
            continue
        for preset in given.presets.split(";"):
            begun = process_time()
            ok, used, best = outcomes(problem, family, budget, COMPARED[preset], seeds).T
            print(
                f"{name:20} {preset:15} {int(ok.sum()):>5}/{len(seeds)} "
                f"{np.median(np.where(ok == 1, used, np.inf)):>8.0f} "
                f"{used.sum() / ok.sum() if ok.any() else np.inf:>9.0f} "
                f"{problem.optimum - best.mean():>10.4g} {process_time() - begun:>6.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
