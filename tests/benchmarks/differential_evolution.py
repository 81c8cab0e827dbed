"""cem.minimize and scipy.optimize.differential_evolution, called alike: evaluations to 1e-6.

Run ``python tests/benchmarks/differential_evolution.py [seeds]``. Each function is one of a point.
Printed are the median evaluations until the least value was reached to 1e-6, over the seeds of
which that was so within 50 000, and the number of these.
"""

import math
import sys

import numpy as np
from scipy.optimize import NonlinearConstraint, differential_evolution, rosen

import cem

MOST = 50_000


def ackley(x):
    arg1 = -0.2 * np.sqrt(0.5 * (x[0] ** 2 + x[1] ** 2))
    arg2 = 0.5 * (np.cos(2.0 * np.pi * x[0]) + np.cos(2.0 * np.pi * x[1]))
    return -20.0 * np.exp(arg1) - np.exp(arg2) + 20.0 + np.e


def waves(x):
    return math.sin(x[0]) + math.cos(x[1]) + 0.1 * (x[0] - 1) ** 2


def rastrigin(x):
    return sum(a * a - 10 * math.cos(2 * math.pi * a) + 10 for a in x)


def ellipsoid(x):
    return sum(10 ** (6 * i / (len(x) - 1)) * (a - 1) ** 2 for i, a in enumerate(x))


def slope(x):
    return math.exp(x[0]) + x[1]


DISC = NonlinearConstraint(lambda x: x[0] ** 2 + x[1] ** 2, 0, 1)
RIM = np.linspace(0, 2 * np.pi, 2_000_001)
PROBLEMS = {  # the function, its box, its least value, its constraints
    "rosen, d = 2": (rosen, [(-5, 5)] * 2, 0.0, ()),
    "rosen, d = 5": (rosen, [(-5, 5)] * 5, 0.0, ()),
    "rosen, d = 10": (rosen, [(-5, 5)] * 10, 0.0, ()),
    "ackley, d = 2": (ackley, [(-5, 5)] * 2, 0.0, ()),
    "waves, d = 2": (waves, [(-4, 6)] * 2, -1.4507223864578842, ()),
    "ellipsoid, d = 10": (ellipsoid, [(-5, 5)] * 10, 0.0, ()),
    "rastrigin, d = 5": (rastrigin, [(-4, 6)] * 5, 0.0, ()),
    "slope on a disc": (slope, [(-2, 2)] * 2, (np.exp(np.cos(RIM)) + np.sin(RIM)).min(), DISC),
}


class Counted:
    """A function that counts, and knows when it was first at its least value."""

    def __init__(self, function, least, constraint):
        self.function, self.least, self.constraint = function, least, constraint
        self.calls, self.reached = 0, math.inf

    def __call__(self, x):
        self.calls += 1
        score = self.function(x)
        allowed = not self.constraint or self.constraint.fun(x) <= self.constraint.ub
        if score <= self.least + 1e-6 and allowed:
            self.reached = min(self.reached, self.calls)
        return score

    def enough(self, intermediate_result):
        """The callback of both: SciPy's manner."""
        return self.reached < math.inf or intermediate_result.nfev > MOST


def evaluations(solve, problem, seed):
    function, bounds, least, constraint = problem
    f = Counted(function, least, constraint)
    solve(f, bounds=bounds, constraints=constraint, callback=f.enough, rng=seed)
    return f.reached if f.reached <= MOST else math.inf


def ours(f, *, constraints, **options):
    return cem.minimize(
        f, constraints=constraints or None, max_evaluations=MOST, vectorized=False, **options
    )


def theirs(f, **options):
    return differential_evolution(f, maxiter=10**6, tol=0, polish=False, **options)


def polished(f, **options):
    return differential_evolution(f, **options)


def main(n_seeds=10):
    solvers = {"cem": ours, "DE": theirs, "DE, its defaults": polished}
    print(f"{'':20}" + "".join(f"{name:>20}" for name in solvers))
    for name, problem in PROBLEMS.items():
        cells = []
        for solve in solvers.values():
            n = np.array([evaluations(solve, problem, seed) for seed in range(n_seeds)])
            good = n[np.isfinite(n)]
            middle = f"{np.median(good):.0f}" if len(good) else "-"
            cells.append(f"{middle} ({len(good)}/{n_seeds})")
        print(f"{name:20}" + "".join(f"{cell:>20}" for cell in cells), flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
