"""What an estimate costs beyond its limit state: microseconds of CPU per evaluation.

OMP_NUM_THREADS=1 python tests/benchmarks/overhead.py

Medians over seeds of whole estimates, from the first call to the result. OpenTURNS, if it is
installed, runs its own cross-entropy and subset sampling on the same functions.
"""

from __future__ import annotations

import time

import numpy as np

import cem
import problems

SEEDS = 7


class Timed:
    """A problem, and the CPU seconds and the evaluations that it has taken."""

    def __init__(self, problem):
        self.problem, self.gamma, self.seconds, self.n = problem, problem.gamma, 0.0, 0

    def nominal(self):
        return self.problem.nominal()

    def __call__(self, x):
        start = time.process_time()
        score = self.problem(np.asarray(x))
        self.seconds += time.process_time() - start
        self.n += len(x)
        return score


def limit_state(name, **settings):
    return problems.load("limit-state", name=name, **settings)


def plane(n):
    """The half-space of probability 2.3e-4 of ``n`` standard normal variables."""
    return limit_state("linear", beta=3.5, n=n)


def by_cem(problem, seed, **options):
    cem.estimate(problem, rng=seed, **options)


def by_openturns(problem, seed, kind):
    import openturns as ot

    d = problem.nominal().n_coordinates
    ot.RandomGenerator.SetSeed(seed)
    score = ot.PythonFunction(d, 1, func_sample=lambda x: problem(x)[:, None])
    x = ot.RandomVector(ot.Normal(d))
    event = ot.ThresholdEvent(ot.CompositeRandomVector(score, x), ot.Greater(), problem.gamma)
    algorithm = (
        ot.StandardSpaceCrossEntropyImportanceSampling(event, 0.1)
        if kind == "cross-entropy"
        else ot.SubsetSampling(event)
    )
    algorithm.setMaximumOuterSampling(10)
    algorithm.setBlockSize(1000)
    algorithm.run()


def overhead(run, problem, **options):
    """Median microseconds an evaluation, and mean evaluations; the first run warms up."""
    rows = []
    for seed in range(SEEDS + 1):
        timed, start = Timed(problem), time.process_time()
        run(timed, seed, **options)
        took = time.process_time() - start - timed.seconds
        rows.append((1e6 * took / timed.n, timed.n))
    return np.median([us for us, _ in rows[1:]]), np.mean([n for _, n in rows[1:]])


CASES = (
    ("linear n=2", lambda: plane(2)),
    ("linear n=10", lambda: plane(10)),
    ("linear n=100", lambda: plane(100)),
    ("four_branch", lambda: limit_state("four_branch")),
    ("ring", lambda: limit_state("ring")),
    ("rp24", lambda: limit_state("rp24")),
    ("rp77", lambda: limit_state("rp77")),
    ("bridge5_exp", lambda: limit_state("bridge5_exp")),
)


def main():
    try:
        import openturns  # noqa: F401

        others = ("cross-entropy", "subset")
    except ImportError:
        others = ()
    print(f"{'problem':14} {'method':24} {'us a call':>9} {'calls':>7}")
    for name, make in CASES:
        problem = make()
        rows = [("auto", by_cem, {})]
        if name.startswith("linear"):
            rows.append(("multilevel", by_cem, {"method": "multilevel"}))
            rows.append(("gaussian", by_cem, {"method": "gaussian", "n_final": 10_000}))
        rows += [(f"openturns {kind}", by_openturns, {"kind": kind}) for kind in others]
        for method, run, options in rows:
            us, n = overhead(run, problem, **options)
            print(f"{name:14} {method:24} {us:9.2f} {n:7.0f}", flush=True)


if __name__ == "__main__":
    main()
