"""How good are the error bars? Many seeds on problems of known probability, as a table.

python tests/benchmarks/error_bars.py [--seeds 1000] [--first 0] [--only A,B] [--method auto]
"""

from __future__ import annotations

import argparse
import math

import networkx as nx
import numpy as np

import cem
import problems
from problems.maxcut import MaxCut


def total(x):
    return x.sum(axis=1)


def limit_state(name, **settings):
    problem = problems.load("limit-state", name=name, **settings)
    return problem, None, 0.0, problem.exact()


def of_catalogue(name, **settings):
    problem = problems.load(name, **settings)
    return problem, None, problem.gamma, problem.exact()


CUT = MaxCut.of(nx.gnp_random_graph(16, 0.5, seed=3))
FULL = (total, cem.MultivariateNormal([0.0, 0.0], np.eye(2)), 5.0 * math.sqrt(2), 2.866515719e-7)
PROBLEMS = {  # name: problem, nominal, gamma, exact probability
    "rp53": limit_state("rp53"),
    "rp57": limit_state("rp57"),
    "four_branch": limit_state("four_branch"),
    "linear 10": limit_state("linear", n=10, beta=3.5),
    "linear 100": limit_state("linear", n=100, beta=3.5),
    "twosided 4": limit_state("twosided", n=10, beta=4.0),
    "bridge 2": of_catalogue("bridge", gamma=2.0),
    "bridge 3": of_catalogue("bridge", gamma=3.0),
    "bridge 4": of_catalogue("bridge", gamma=4.0),
    "parallel 3": limit_state("parallel", beta=3.0),
    "ring 5.25": limit_state("ring", r=5.25),
    "mm1 20": of_catalogue("mm1", arrival=0.5, service=1.0, level=20),
    "linear full": FULL,
    "sum 10 > 40": (total, cem.Exponential([1.0] * 10), 40.0, 3.925932226286e-09),
    "linear 6": limit_state("linear", n=10, beta=6.0),
    "heads 45/50": (total, cem.Bernoulli([0.5] * 50), 45.0, 2.104926e-9),
    "cut of 16": (CUT, None, 36.0, 5 / 2**15),
}


def study(problem, nominal, gamma, exact, seeds, **settings):
    runs = [cem.estimate(problem, nominal, gamma, rng=seed, **settings) for seed in seeds]
    p = np.array([run.probability for run in runs]) / exact
    error = np.array([run.std_error for run in runs]) / exact
    low, high = np.array([run.confidence_interval() for run in runs]).T / exact
    silent = [abs(q - 1) > 1 and r.success and not r.warnings for q, r in zip(p, runs, strict=True)]
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "calls": np.mean([run.nfev for run in runs]),
            "mean": p.mean(),
            "rms": math.sqrt(((p - 1) ** 2).mean()),
            "reported": np.median(error / p),
            "worst": abs(p - 1).max(),
            "max |t|": (abs(p - 1) / error).max(),
            "cover": np.mean((low <= 1) & (high >= 1)),
            "low": np.mean(high < 1),
            "high": np.mean(low > 1),
            "success": np.mean([run.success for run in runs]),
            "warned": np.mean([bool(run.warnings) for run in runs]),
            "silent": np.mean(silent),
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--method", default="auto")
    parser.add_argument("--n-final", type=int, default=None)
    parser.add_argument("--only", default="", help="problems, by commas")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.seeds)
    names = options.only.split(",") if options.only else [*PROBLEMS]
    for i, name in enumerate(names):
        row = study(*PROBLEMS[name], seeds, method=options.method, n_final=options.n_final)
        if i == 0:
            print(" " * 12 + "".join(f"{column:>9}" for column in row))
        numbers = "".join(f"{number:9.4g}" for number in row.values())
        print(f"{name:12}{numbers}", flush=True)


if __name__ == "__main__":
    main()
