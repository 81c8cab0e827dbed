"""The functions of BBOB by `cem.minimize`, beside pycma's BIPOP and SciPy's differential evolution.

    OMP_NUM_THREADS=1 python tests/benchmarks/bbob.py --d 5 --out bbob-5.jsonl

Needs the ``bench`` extra (ioh, cma). A run has 2000 d evaluations and ends at 1e-8; every optimizer
sees the same functions and instances. The figure is the share of the targets 10^1, 1, 10^-1, 10^-2,
10^-4, 10^-8 that were reached; its interval is of the mean difference of pairs of runs. With
``--out`` every run is a line of a file, and those that are in it already are not run again. With
``--peers "cem default;cem not active;cem no restarts"`` the parts of the preset are judged.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import time
from dataclasses import replace
from pathlib import Path

import ioh
import numpy as np

import cem
from cem.presets import PRESETS, Preset
from cem.restarts import never

TARGETS = (1e1, 1e0, 1e-1, 1e-2, 1e-4, 1e-8)
TWELVE = (1, 2, 3, 6, 8, 10, 11, 12, 15, 17, 20, 21)
GROUPS = {
    "all": range(1, 25),
    "ill-conditioned": (2, 8, 10, 11, 12),
    "multimodal": (3, 4, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24),
}


class SpentError(Exception):
    """The budget is spent, or the last target reached."""


class Counted:
    """A function less its least value, which notes the evaluation at which it reached a target."""

    def __init__(self, function, instance, d):
        self.problem = ioh.get_problem(function, instance, d, ioh.ProblemClass.BBOB)
        self.least, self.d, self.budget = self.problem.optimum.y, d, 2000 * d
        self.n, self.best, self.hits = 0, math.inf, [None] * len(TARGETS)

    def __call__(self, x):
        """The values of a batch."""
        values = np.array(self.problem(x.tolist())) - self.least
        for value in values:
            self.n += 1
            if value < self.best and self.n <= self.budget:
                self.best = float(value)
                for i, target in enumerate(TARGETS):
                    if self.hits[i] is None and value <= target:
                        self.hits[i] = self.n
        return values

    def of_one(self, x):
        """The value at a point, for those who take one at a time."""
        if self.n >= self.budget or self.best <= TARGETS[-1]:
            raise SpentError
        return float(self(np.asarray(x)[np.newaxis])[0])


def by_cem(f, seed, preset="default"):
    """One call, as a user would write it."""
    cem.minimize(
        f, bounds=[(-5, 5)] * f.d, preset=preset, rng=seed,
        max_evaluations=f.budget, target=TARGETS[-1],
    )  # fmt: skip


def by_pycma(f, seed):
    """BIPOP-CMA-ES with its defaults, from uniform starts in [-4, 4]."""
    import cma

    rng = np.random.default_rng(seed)
    cma.fmin2(
        f.of_one,
        lambda: rng.uniform(-4, 4, f.d),
        2.0,
        {"verbose": -9, "seed": seed + 1, "maxfevals": f.budget},
        restarts=9,
        bipop=True,
    )


def by_differential_evolution(f, seed):
    """SciPy's, begun anew when it has converged."""
    from scipy.optimize import differential_evolution

    while True:
        differential_evolution(f.of_one, [(-5, 5)] * f.d, rng=seed, maxiter=10**6, tol=1e-12)
        seed += 1000


def changed(**parts):
    """The default preset with other parts."""
    default = PRESETS["default"]
    return Preset(lambda family: replace(default.plan(family), **parts), default.start)


def unbeaten(family):
    """The default plan without the rule that leaves a search which settles below the best."""
    plan = PRESETS["default"].plan(family)
    return replace(plan, ends=plan.ends[:-1])


def many(family):
    """The default plan with ten samples for every coordinate."""
    return replace(PRESETS["default"].plan(family), n_samples=10 * family.n_coordinates)


ABLATIONS = {
    "not active": changed(smooth=cem.EvolutionPath(active=False)),
    "equal weights": changed(select=cem.Elite(0.5)),
    "no restarts": changed(restart=never),
    "ipop": changed(restart=cem.IPOP()),
    "bipop, first 2": changed(restart=cem.BIPOP(first=2.0)),
    "not beaten": Preset(unbeaten, PRESETS["default"].start),
    "N = 10 d": Preset(many, PRESETS["default"].start),
}
PEERS = {
    **{f"cem {name}": lambda f, s, p=name: by_cem(f, s, p) for name in PRESETS},
    **{f"cem {name}": lambda f, s, p=preset: by_cem(f, s, p) for name, preset in ABLATIONS.items()},
    "pycma bipop": by_pycma,
    "scipy de": by_differential_evolution,
}


def run_all(peers, d, functions, instances, out):
    """Rows (peer, d, function, instance, hits, best, seconds), read from the file or run."""
    rows = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
    done = {tuple(row[:4]) for row in rows}
    with out.open("a") as file:
        for instance in instances:
            for function in functions:
                for peer in peers:
                    if (peer, d, function, instance) in done:
                        continue
                    f, since = Counted(function, instance, d), time.process_time()
                    with contextlib.suppress(SpentError):
                        PEERS[peer](f, instance)
                    seconds = time.process_time() - since
                    rows.append([peer, d, function, instance, f.hits, f.best, seconds])
                    file.write(json.dumps(rows[-1]) + "\n")
                    file.flush()
    keep = set(functions), set(instances)
    return [r for r in rows if r[0] in peers and r[1] == d and r[2] in keep[0] and r[3] in keep[1]]


def shares(rows, functions):
    """The share of targets reached by (function, instance)."""
    return {
        (r[2], r[3]): np.mean([hit is not None for hit in r[4]]) for r in rows if r[2] in functions
    }


def report(rows, peers, functions):
    """The tables."""
    by = {peer: [r for r in rows if r[0] == peer] for peer in peers}
    print(f"{'share of targets':20s}", *(f"{name:>16s}" for name in GROUPS), f"{'to 1e-8':>10s}")
    for peer, of in by.items():
        means = [np.mean([*shares(of, group).values()] or [np.nan]) for group in GROUPS.values()]
        solved = sum(r[4][-1] is not None for r in of)
        cells = (f"{m:16.3f}" for m in means)
        print(f"{peer:20s}", *cells, f"{solved:5d}/{len(of)}")
    first = peers[0]
    for peer in peers[1:]:
        for name, group in GROUPS.items():
            ours, theirs = shares(by[first], group), shares(by[peer], group)
            gaps = np.array([ours[key] - theirs[key] for key in ours.keys() & theirs.keys()])
            if len(gaps) > 1:
                error = 1.96 * gaps.std(ddof=1) / math.sqrt(len(gaps))
                print(f"{first} - {peer}, {name}: {gaps.mean():+.3f} +- {error:.3f}")
    print(f"\n{'share, by function':20s}", *(f"{f'f{k}':>5s}" for k in functions))
    for peer, of in by.items():
        cells = [np.mean([*shares(of, (k,)).values()] or [np.nan]) for k in functions]
        print(f"{peer:20s}", *(f"{c:5.2f}" for c in cells))
    print(f"\n{'median evals to 1e-8':20s}", *(f"{f'f{k}':>6s}" for k in functions))
    for peer, of in by.items():
        hits = [[r[4][-1] for r in of if r[2] == k and r[4][-1] is not None] for k in functions]
        print(f"{peer:20s}", *(f"{int(np.median(h)):6d}" if h else f"{'-':>6s}" for h in hits))
    for peer, of in by.items():
        print(f"{peer:20s} {sum(r[6] for r in of):7.0f} s of CPU, the functions' own included")


def main() -> None:
    """Run what is asked for, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--d", type=int, default=5)
    parser.add_argument("--functions", default="twelve", help="twelve, all, or numbers: 1,8,15")
    parser.add_argument("--instances", type=int, default=15)
    parser.add_argument("--peers", default="cem default;pycma bipop;scipy de")
    parser.add_argument("--out", type=Path, default=Path("bbob.jsonl"))
    given = parser.parse_args()
    named = {"twelve": TWELVE, "all": tuple(range(1, 25))}
    functions = named.get(given.functions) or tuple(map(int, given.functions.split(",")))
    peers = given.peers.split(";")
    rows = run_all(peers, given.d, functions, range(1, given.instances + 1), given.out)
    print(f"d = {given.d}, {given.instances} instances, {2000 * given.d} evaluations")
    report(rows, peers, functions)


if __name__ == "__main__":
    main()
