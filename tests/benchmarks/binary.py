"""How many evaluations do the binary functions take? Many seeds, as a table.

python tests/benchmarks/binary.py [--n 100] [--budget 20000] [--seeds 20] [--first 0] [--only NAME]

OneMax and LeadingOnes with independent bits, the ring of spins and the traps with a dependency
tree that starts from local optima: each costs one evaluation for every bit, and they are counted.
"""

from __future__ import annotations

import argparse
import math
from time import process_time

import numpy as np

import cem
from cem.families.tree import DependencyTree
from cem.smoothing import Constant, Margin
from problems.binary import IsingRing, LeadingOnes, OneMax, Trap


def coins(f, budget, seed):
    """Independent bits: a small N, of which the best and its ties are elite.

    With alpha = 1 this would be the (1, N) evolution strategy on bits, which needs exponential time
    on OneMax for N below log(n) / log(e / (e - 1)) = 2.2 ln n: Rowe and Sudholt (2014). On
    LeadingOnes that limit is twice as high; runs at n = 200 and below have not shown it.
    """
    n_samples = math.ceil(2.5 * math.log(f.n))
    return search(
        f,
        f.nominal(),
        budget,
        n_samples=n_samples,
        select=cem.Elite(1 / n_samples),
        smooth=Margin(Constant(0.5), 1 / f.n),
        rng=seed,
    )


def tree(f, budget, seed):
    """Dependent bits, from local optima: in those, bits that belong together agree.

    An edge costs what the Bayesian information criterion asks for one more number.
    """
    x = local_optima(f, round(25 * math.log(f.n)), np.random.default_rng((2, seed)))
    spent, price = len(x) * (f.n + 1), math.log(len(x)) / (2 * len(x))
    start = DependencyTree.independent(np.full(f.n, 0.5), threshold=price)
    found, used, best = search(
        f,
        start.fit(x, np.ones(len(x))),
        budget - spent,
        n_samples=2 * f.n,
        select=cem.Ranked(0.4),
        smooth=Margin(Constant(0.4), 1 / f.n),
        rng=seed,
    )
    return found, spent + used, best


def search(f, start, budget, **settings):
    """Was the optimum found, after how many evaluations, and what was the best score?

    The stop rules of `cem.maximize` are left out: a level that stands still is no end here.
    """
    method = cem.CrossEntropyMethod(nominal=start, **settings)
    state = method.init()
    while state.nfev + method.n_samples <= budget:
        x = method.ask(state)
        score = f(x)
        if score.max() == f.optimum:
            return True, state.nfev + int(score.argmax()) + 1, f.optimum
        state, _ = method.tell(state, x, score)
    return False, state.nfev, state.best.score


def local_optima(f, n_starts, rng):
    """From random points, every bit is turned once, in random order, and back if that is worse."""
    x = rng.integers(0, 2, size=(n_starts, f.n), dtype=np.int8)
    score, each = f(x), np.arange(n_starts)
    for j in rng.permuted(np.tile(np.arange(f.n), (n_starts, 1)), axis=1).T:
        x[each, j] ^= 1
        turned = f(x)
        worse = turned < score
        x[each[worse], j[worse]] ^= 1
        score = np.where(worse, score, turned)
    return x


RUNS = {"OneMax": coins, "LeadingOnes": coins, "IsingRing": tree, "Trap": tree}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=100)
    parser.add_argument("--budget", type=int, default=20_000)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--only", default="", help="functions whose name begins so")
    options = parser.parse_args()
    print(f"{'':12} {'found':>8} {'median':>8} {'worst':>8} {'mean best':>10} {'us / eval':>10}")
    for function in (OneMax, LeadingOnes, IsingRing, Trap):
        name = function.__name__
        if not name.startswith(options.only):
            continue
        seeds = range(options.first, options.first + options.seeds)
        begun = process_time()
        found, used, best = np.transpose(
            [RUNS[name](function(options.n), options.budget, s) for s in seeds]
        )
        micro = 1e6 * (process_time() - begun) / used.sum()
        until = np.where(found == 1, used, np.inf)
        print(
            f"{name:12} {int(found.sum()):>5}/{len(seeds)} {np.median(until):>8.0f} "
            f"{until.max():>8.0f} {best.mean():>10.2f} {micro:>10.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
