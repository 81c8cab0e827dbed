"""How good are the error bars? Many seeds on problems of known probability, as a table.

python tests/benchmarks/error_bars.py [--seeds 1000] [--n-final 10000] [--only NAME]
"""

from __future__ import annotations

import argparse
import math

import networkx as nx
import numpy as np

import cem
from problems.maxcut import MaxCut
from problems.rare_event.bridge import Bridge


def total(x):
    return x.sum(axis=1)


def deviation(x):
    return x.sum(axis=1) / math.sqrt(x.shape[1])


CUT = MaxCut.of(nx.gnp_random_graph(16, 0.5, seed=3))
PROBLEMS = {  # name: problem, nominal, gamma, exact probability
    "bridge 2": (Bridge(), None, 2.0, Bridge(2.0).exact()),
    "bridge 3": (Bridge(), None, 3.0, Bridge(3.0).exact()),
    "bridge 4": (Bridge(), None, 4.0, Bridge(4.0).exact()),
    "heads 45/50": (total, cem.Bernoulli([0.5] * 50), 45.0, 2.104926e-9),
    "sum of 10 exp > 40": (total, cem.Exponential([1.0] * 10), 40.0, 3.925932226286e-09),
    "linear d=10 b=3.5": (
        deviation,
        cem.Normal([0.0] * 10, [1.0] * 10),
        3.5,
        2.326290790355e-04,
    ),
    "linear d=2 full": (
        deviation,
        cem.MultivariateNormal([0.0, 0.0], np.eye(2)),
        5.0,
        2.866515719e-7,
    ),
    "cut of 16 nodes": (CUT, None, 36.0, 5 / 2**15),
}


def study(problem, nominal, gamma, exact, *, seeds, first, n_final, **settings):
    runs = [
        cem.estimate(problem, nominal, gamma, n_final=n_final, rng=seed, **settings)
        for seed in range(first, first + seeds)
    ]
    p = np.array([run.probability for run in runs]) / exact
    error = np.array([run.std_error for run in runs]) / exact
    intervals = np.array([run.confidence_interval() for run in runs]) / exact
    covered = (intervals[:, 0] <= 1) & (intervals[:, 1] >= 1)
    silent = [abs(q - 1) > 1 and r.success and not r.warnings for q, r in zip(p, runs, strict=True)]
    return {
        "mean": p.mean(),
        "rms": math.sqrt(((p - 1) ** 2).mean()),
        "reported": np.median(error / p),
        "worst": abs(p - 1).max(),
        "max |t|": (abs(p - 1) / error).max(),
        "cover": covered.mean(),
        "low": (intervals[:, 1] < 1).mean(),
        "high": (intervals[:, 0] > 1).mean(),
        "success": np.mean([run.success for run in runs]),
        "silent": np.mean(silent),
        "levels": np.mean([run.nit for run in runs]),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--n-final", type=int, default=10_000)
    parser.add_argument("--alpha", type=float, default=None)
    parser.add_argument("--only", default="", help="problems whose name begins so")
    options = parser.parse_args()
    settings = {} if options.alpha is None else {"alpha": options.alpha}
    names = [name for name in PROBLEMS if name.startswith(options.only)]
    for i, name in enumerate(names):
        row = study(
            *PROBLEMS[name],
            seeds=options.seeds,
            first=options.first,
            n_final=options.n_final,
            **settings,
        )
        if i == 0:
            print(" " * 20 + "".join(f"{column:>9}" for column in row))
        print(f"{name:20}" + "".join(f"{number:9.4f}" for number in row.values()), flush=True)


if __name__ == "__main__":
    main()
