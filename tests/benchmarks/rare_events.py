"""Limit states of known probability, many seeds: calls and errors, beside OpenTURNS if asked.

python tests/benchmarks/rare_events.py [--seeds 20] [--first 0] [--only A,B] [--peer openturns]
                                       [--others | --parts]
"""

from __future__ import annotations

import argparse
import math
import time

import numpy as np
from other_limit_states import others, parts

import cem
import problems

FEW_SEEDS = 3  # of a peer from MANY coordinates on
MANY = 50
ASKED = [  # name, its settings, whether it is of the core: low-dimensional, all methods were run
    ("rp8", {}, False),
    ("rp14", {}, False),
    ("rp24", {}, True),
    ("rp25", {}, True),
    ("rp35", {}, True),
    ("rp38", {}, True),
    ("rp53", {}, True),
    ("rp54", {}, False),
    ("rp57", {}, True),
    ("rp63", {}, False),
    ("rp77", {}, True),
    ("rp89", {}, False),
    ("rp111", {}, True),
    ("four_branch", {}, True),
    ("r_s", {}, False),
    ("axial_stressed_beam", {}, False),
    ("linear", {"n": 10, "beta": 3.5}, True),
    ("linear", {"n": 50, "beta": 3.5}, False),
    ("linear", {"n": 100, "beta": 3.5}, False),
    ("twosided_x1", {"n": 2, "beta": 4.0}, True),
    ("twosided", {"n": 10, "beta": 4.0}, False),
    ("ring", {"r": 5.25}, True),
    ("shell", {"n": 100, "r": 13.0}, False),
    ("parallel", {"beta": 3.0}, True),
    ("metaball", {}, False),
    ("bridge5_exp", {"level": 2.0}, True),
    ("gammasum", {"n": 10, "level": 30.0}, False),
]
COLUMNS = (
    "calls",
    "max",
    "rms",
    "reported",
    "act/rep",
    "3 sigma",
    "covers",
    "within 2",
    "told",
    "silent",
    "unsaid",
    "calls*rms2",
    "us/call",
)


def asked():
    """Name, limit state, probability, and whether it is of the core."""
    for name, settings, of_core in ASKED:
        problem = problems.load("limit-state", name=name, **settings)
        n = settings.get("n")
        yield name + (f" {n}" if n else ""), problem, problem.exact(), of_core


def ours(problem, seed):
    """One run of `cem.estimate`, as the seven figures of an ``Outcome``."""
    began = time.process_time()
    run = cem.estimate(problem, rng=seed)
    seconds = time.process_time() - began
    low, high = run.confidence_interval()
    told = bool(run.warnings) or not run.success
    return run.probability, run.std_error, low, high, run.nfev, seconds, told


def figures(outcomes, exact):
    """One row: a run without a result counts as an estimate of 0, and covers nothing."""
    p, error, low, high, calls, seconds, told = np.array(outcomes, dtype=float).T
    q = np.nan_to_num(p / exact)
    with np.errstate(divide="ignore", invalid="ignore"):
        reported = error / p
        off = ~((q > 0.5) & (q < 2))
        rms, given = math.sqrt(np.mean((q - 1) ** 2)), p > 0
        median = np.median(reported[given]) if given.any() else math.nan
        actual = q[given].std(ddof=1) if given.sum() > 1 else math.nan
        return {
            "calls": calls.mean(),
            "max": calls.max(),
            "rms": rms,
            "reported": median,
            "act/rep": actual / median,
            "3 sigma": np.mean(abs(p - exact) <= 3 * error),
            "covers": np.mean((low <= exact) & (exact <= high)),
            "within 2": 1 - off.mean(),
            "told": told.mean(),
            "silent": np.mean(off & (told == 0) & (reported < 0.3)),
            "unsaid": np.mean((abs(p - exact) > 3 * error) & (told == 0)),
            "calls*rms2": calls.mean() * rms**2,
            "us/call": 1e6 * seconds.sum() / calls.sum(),
        }


def line(label, row):
    return f"{label:34}" + "".join(f"{row[column]:11.4g}" for column in COLUMNS)


def totals(rows):
    """Over problems: medians of errors and times, means of shares and calls."""
    middle = ("rms", "reported", "act/rep", "calls*rms2", "us/call")
    over = {column: np.nanmedian if column in middle else np.mean for column in COLUMNS}
    return {column: over[column]([row[column] for row in rows]) for column in COLUMNS}


def solvers_of(peer):
    solvers = {"cem": ours}
    if peer == "openturns":
        import openturns_solvers as peers

        for name, method in peers.METHODS.items():
            solvers[name] = lambda problem, seed, method=method: peers.run(method, problem, seed)
    return solvers


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--only", default="", help="limit states, by commas")
    parser.add_argument("--peer", choices=["openturns"], default=None)
    listed = parser.add_mutually_exclusive_group()
    listed.add_argument("--others", action="store_true", help="those no default was chosen on")
    listed.add_argument("--parts", action="store_true", help="several parts, unlike each other")
    options = parser.parse_args()
    solvers = solvers_of(options.peer)
    table, core = {name: [] for name in solvers}, []
    warm = problems.load("limit-state", name="r_s")
    for solver in solvers.values():  # what is imported and compiled at first use is not timed
        solver(warm, 0)
    print(f"{'':34}" + "".join(f"{column:>11}" for column in COLUMNS))
    events = asked()
    if options.others or options.parts:
        events = ((*event, False) for event in (others if options.others else parts)())
    for label, problem, exact, of_core in events:
        if options.only and label not in options.only.split(","):
            continue
        core.append(of_core)
        for who, solver in solvers.items():
            few = who != "cem" and len(problem.marginals) >= MANY
            n = min(FEW_SEEDS, options.seeds) if few else options.seeds
            seeds = range(options.first, options.first + n)
            table[who].append(figures([solver(problem, seed) for seed in seeds], exact))
            print(line(f"{label:18} {who}", table[who][-1]), flush=True)
    print()
    for who, rows in table.items():
        low = [row for row, is_core in zip(rows, core, strict=True) if is_core]
        for what, chosen in ((f"all {len(rows)}", rows), (f"core {len(low)}", low)):
            if chosen:
                print(line(f"{who:18} {what}", totals(chosen)))


if __name__ == "__main__":
    main()
