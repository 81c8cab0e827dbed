"""How far, and at what cost, does the CE method train classifiers of Iris? Beside L-BFGS.

OMP_NUM_THREADS=1 python tests/benchmarks/classification.py [--seeds 20] [--first 0]
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np

import cem
from problems.classification import problem

STARTS = 100  # of L-BFGS, for the networks
ROWS = 150


RELU = {
    "model": "network",
    "hidden": 2,
    "activation": "relu",
    "features": "petal width, sepal width",
}


def mean_at_once(alpha):
    """Smooth the covariance only."""
    return {"mean": 1.0, "cov": alpha}


LOGISTIC = {
    "n_samples": 100,
    "rho": 0.15,
    "alpha": {"mean": 1.0, "cov": 0.3},
    "max_evaluations": 15_000,
}
NETWORK = {
    "n_samples": 300,
    "rho": 0.15,
    "alpha": {"mean": 1.0, "cov": 0.15},
    "max_evaluations": 100_000,
}
RAW = {
    "n_samples": 120,
    "rho": 0.15,
    "alpha": {"mean": 1.0, "cov": 0.25},
    "max_evaluations": 30_000,
}
ONE_ALPHA = {"n_samples": 150, "rho": 0.2, "alpha": 0.3, "max_evaluations": 30_000}
STUDIES = (
    ("logistic", {}, LOGISTIC),
    ("logistic, one alpha", {"std": 3.0}, ONE_ALPHA),
    ("logistic, raw", {"standardise": False, "std": 5.0}, RAW),
    ("network 4-5-3 tanh", {"model": "network"}, NETWORK),
    ("network 2-2-3 relu", RELU, NETWORK),
)


def optima():
    """The optimum for every strength of the data, by L-BFGS."""
    print(f"{'':14}{'C':>8} {'optimum':>13} {'loss':>9} {'accuracy':>9} {'L-BFGS':>7}")
    for standardise in (True, False):
        for strength in (0.01, 0.1, 1.0, 10.0, 100.0, 1e4):
            made = problem(C=strength, standardise=standardise)
            found = made.solve()
            loss = problem(C=np.inf, standardise=standardise)(found.x[None])[0]
            name = "standardised" if standardise else "raw"
            print(
                f"{name:14}{strength:8g} {found.fun:13.10f} {loss:9.6f} "
                f"{made.accuracy(found.x):9.4f} {found.nfev:7}"
            )


def by_gradients(made, network):
    """The optimum, and what one success costs: evaluations of the loss with its gradient."""
    found = made.solve(starts=STARTS, rng=0) if network else made.solve()
    successes = (found.each - found.fun <= 1e-6).sum() if network else 1
    return found.fun, found.nfev / successes


def study(name, settings, method, seeds):
    made = problem(**settings)
    optimum, cost = by_gradients(made, "model" in settings)
    gaps, to = [], {1e-4: [], 1e-6: [], 1e-8: []}
    for seed in seeds:
        history = cem.minimize(made, rng=seed, **method).history
        gap = np.array([-record.best - optimum for record in history])
        gaps.append(gap[-1])
        for mark, needed in to.items():
            needed.append(history[int((gap <= mark).argmax())].nfev if gap[-1] <= mark else np.inf)
    print(f"{name:20} {optimum:12.9f} {np.median(gaps):8.0e} {max(gaps):8.0e}", end="")
    for needed in to.values():
        print(f" {np.isfinite(needed).sum():5} {np.median(needed):7.0f} {max(needed):7.0f}", end="")
    spent = np.minimum(to[1e-6], method["max_evaluations"]).sum()
    per_success = spent / max(1, np.isfinite(to[1e-6]).sum())
    print(f" {cost:8.0f} {per_success / cost:6.0f}", flush=True)


def zero_one(seeds):
    """Errors of 150: optimised directly, by logistic regression, and by as many random samples."""
    made, ce, random, spent = problem(loss="zero-one"), Counter(), Counter(), []
    for seed in seeds:
        found = cem.minimize(made, n_samples=1000, rho=0.02, alpha=0.3, rng=seed)
        ce[round(ROWS * found.fun)] += 1
        spent.append(found.nfev)
        sample = made.nominal().sample(np.random.default_rng(seed), found.nfev)
        random[round(ROWS * made(sample).min())] += 1
    print(f"CE method      {dict(sorted(ce.items()))} (errors: runs)")
    print(f"random samples {dict(sorted(random.items()))}, as many: {np.mean(spent):.0f} a run")
    for strength in (1.0, 100.0, 1e4):
        smooth = problem(C=strength)
        errors = ROWS * (1 - smooth.accuracy(smooth.solve().x))
        print(f"logistic       {round(errors)} errors with C = {strength:g}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.seeds)
    optima()
    print(f"\nCE method, {len(seeds)} seeds; evaluations of the loss to a gap: runs, median, worst")
    marks = "".join(f"{f'to {mark:g}':>22}" for mark in (1e-4, 1e-6, 1e-8))
    print(f"{'':20} {'optimum':>12} {'median':>8} {'largest':>8}{marks} {'L-BFGS':>8} {'ratio':>6}")
    for name, settings, method in STUDIES:
        study(name, settings, method, seeds)
    print("\nErrors on Iris")
    zero_one(seeds)


if __name__ == "__main__":
    main()
