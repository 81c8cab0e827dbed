"""What settling the density is worth: the figures of the theory page, as a table.

python docs/settling.py [--seeds 200] [--n-final 100000]
"""
# ruff: noqa: INP001 - a script of the documentation, not a module of a package

from __future__ import annotations

import argparse
import math
import sys

import numpy as np

import cem
from problems.rare_event import Bridge

BRIDGE = Bridge(gamma=2.0)
BEST = (1.684708, 1.874110, 0.124977, 0.710348, 0.574534)  # v* = E[X | S >= 2]


def fixed(v: cem.Exponential, n_final: int, seed: int) -> float:
    """The estimate of an independent sample from ``f(.; v)``."""
    x = v.sample(np.random.default_rng((seed, 1)), n_final)
    log_w = cem.likelihood_ratio(BRIDGE.nominal(), v, x)
    return float(np.exp(log_w[BRIDGE(x) >= BRIDGE.gamma]).sum() / n_final)


def plain(n_final: int, seed: int) -> float:
    """The textbook algorithm: no smoothing, and the first fit at the level is the last."""
    method = cem.CrossEntropyMethod(
        nominal=BRIDGE.nominal(),
        n_samples=1000,
        smooth=cem.Constant(1.0),
        gamma=BRIDGE.gamma,
        log_weight=cem.likelihood_ratio,
        rng=seed,
    )
    state, gamma = method.init(), -math.inf
    while gamma < BRIDGE.gamma:
        x = method.ask(state)
        state, record = method.tell(state, x, BRIDGE(x))
        gamma = record.gamma
    return fixed(state.v, n_final, seed)


def settled(n_final: int, seed: int) -> float:
    """`cem.estimate` as it is."""
    return cem.estimate(BRIDGE, n_final=n_final, rng=seed).probability


def main() -> None:
    """Print the rms and the worst relative error of each way."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--n-final", type=int, default=100_000)
    options = parser.parse_args()
    ways = {
        "best parameter": lambda n, seed: fixed(cem.Exponential(BEST), n, seed),
        "plain": plain,
        "settled": settled,
    }
    for name, way in ways.items():
        p = np.array([way(options.n_final, seed) for seed in range(options.seeds)])
        error = p / BRIDGE.exact() - 1
        line = f"{name:15} rms {np.sqrt((error**2).mean()):.2%}  worst {abs(error).max():.1%}"
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
