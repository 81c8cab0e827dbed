"""Own work per sample, the objective left out: cem beside hand-written loops and pycma in one run.

OMP_NUM_THREADS=1 python tests/benchmarks/own_work.py
"""

from __future__ import annotations

import time
import warnings

import numpy as np

import cem
from cem.engine import CrossEntropyMethod

MEAN, STD, ALPHA = 3.0, 2.0, 0.7


def sphere(x):
    return -np.einsum("ij,ij->i", x, x)


# A loop is a generator: it yields a batch and is sent the scores, so its own work is what `send`
# takes. Those by hand are what one would write without a library: no checks, no records.


def elite_of(x, score, n_elite):
    return x[score >= np.partition(score, len(x) - n_elite)[len(x) - n_elite]]


def diagonal_by_hand(d, n, n_elite, seed):
    rng = np.random.default_rng(seed)
    mean, std = np.full(d, MEAN), np.full(d, STD)
    while True:
        x = rng.standard_normal((n, d))
        x *= std
        x += mean
        elite = elite_of(x, (yield x), n_elite)
        mean = ALPHA * elite.mean(axis=0) + (1 - ALPHA) * mean
        std = ALPHA * elite.std(axis=0) + (1 - ALPHA) * std


def full_by_hand(d, n, n_elite, seed):
    rng = np.random.default_rng(seed)
    mean, cov = np.full(d, MEAN), STD**2 * np.eye(d)
    while True:
        x = mean + rng.standard_normal((n, d)) @ np.linalg.cholesky(cov).T
        elite = elite_of(x, (yield x), n_elite)
        mean = ALPHA * elite.mean(axis=0) + (1 - ALPHA) * mean
        cov = ALPHA * np.cov(elite, rowvar=False, bias=True) + (1 - ALPHA) * cov


def by_cem(nominal, n, n_elite, seed, smooth=None):
    method = CrossEntropyMethod(
        nominal=nominal,
        n_samples=n,
        select=cem.Elite(n_elite / n),
        smooth=smooth or cem.Constant(ALPHA),
        rng=seed,
    )
    state = method.init()
    while True:
        x = method.ask(state)
        state, _ = method.tell(state, x, (yield x))


def diagonal_by_cem(d, n, n_elite, seed):
    return by_cem(cem.Normal(np.full(d, MEAN), np.full(d, STD)), n, n_elite, seed)


def full_by_cem(d, n, n_elite, seed):
    nominal = cem.MultivariateNormal(np.full(d, MEAN), STD**2 * np.eye(d))
    return by_cem(nominal, n, n_elite, seed)


def default_by_cem(d, n, n_elite, seed):
    nominal = cem.MultivariateNormal(np.full(d, MEAN), STD**2 * np.eye(d))
    return by_cem(nominal, n, n_elite, seed, cem.EvolutionPath())


def by_pycma(d, n, _, seed):
    import cma

    settings = {"popsize": n, "seed": seed + 1, "verbose": -9}
    optimizer = cma.CMAEvolutionStrategy(np.full(d, MEAN), STD, settings)
    while True:
        x = optimizer.ask()
        score = yield x
        optimizer.tell(x, (-score).tolist())


def own_work(loop, iterations):
    """CPU seconds of every iteration but the first."""
    x, took = next(loop), []
    for _ in range(iterations):
        score = sphere(np.asarray(x))
        start = time.process_time()
        x = loop.send(score)
        took.append(time.process_time() - start)
    return took


def compare(loops, d, n, n_elite, *, iterations, repeats, over):
    """Microseconds per sample of each loop, in turns; ``over`` all iterations of a repeat."""
    best = dict.fromkeys(loops, np.inf)
    for seed in range(repeats):
        for name, loop in loops.items():
            took = over(own_work(loop(d, n, n_elite, seed), iterations)) / n * 1e6
            best[name] = min(best[name], took)
    return best


def large_batches():
    print(f"N = 1000, best iteration\n{'':10} {'d':>5} {'by hand':>9} {'cem':>9} {'ratio':>6}")
    kinds = {
        "diagonal": {"hand": diagonal_by_hand, "cem": diagonal_by_cem},
        "full": {"hand": full_by_hand, "cem": full_by_cem},
    }
    for kind, loops in kinds.items():
        for d, repeats in ((10, 60), (100, 40), (1000, 10)):
            best = compare(loops, d, 1000, 100, iterations=10, repeats=repeats, over=min)
            ratio = best["cem"] / best["hand"]
            print(
                f"{kind:10} {d:5} {best['hand']:9.3f} {best['cem']:9.3f} {ratio:6.2f}", flush=True
            )


def small_batches():
    print("N = 26, d = 20, mean of 60 iterations, best of 30 runs")
    loops = {
        "diagonal by hand": diagonal_by_hand,
        "diagonal": diagonal_by_cem,
        "full by hand": full_by_hand,
        "full": full_by_cem,
        "full, EvolutionPath": default_by_cem,
        "pycma": by_pycma,
    }
    try:
        import cma  # noqa: F401
    except ImportError:
        print("pycma is not installed: left out")
        del loops["pycma"]
    for name, took in compare(loops, 20, 26, 13, iterations=60, repeats=30, over=np.mean).items():
        print(f"{name:20} {took:9.3f}")


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # pycma's
    large_batches()
    small_batches()
