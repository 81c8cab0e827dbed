"""The engine's own work per sample, beside a hand-written loop, in one run and one thread.

OMP_NUM_THREADS=1 python tests/benchmarks/engine.py
"""

from __future__ import annotations

import time

import numpy as np

import cem

N, RHO, ALPHA = 1000, 0.1, 0.7


def sphere(x):
    return -np.einsum("ij,ij->i", x, x)


def by_hand(d, iterations, seed):
    """What one would write without a library: no checks, no records."""
    rng = np.random.default_rng(seed)
    mean, std = np.full(d, 3.0), np.full(d, 2.0)
    n_elite = int(RHO * N)
    best_x, best = None, -np.inf
    for _ in range(iterations):
        x = rng.standard_normal((N, d))
        x *= std
        x += mean
        score = sphere(x)
        top = score.argmax()
        if score[top] > best:
            best_x, best = x[top].copy(), score[top]
        gamma = np.partition(score, N - n_elite)[N - n_elite]
        elite = x[score >= gamma]
        mean = ALPHA * elite.mean(axis=0) + (1 - ALPHA) * mean
        std = ALPHA * elite.std(axis=0) + (1 - ALPHA) * std
    return best_x, best


def by_cem(d, iterations, seed):
    """The same with everything that the library adds: checks, chunks, records, stop rules."""
    return cem.maximize(
        sphere,
        cem.Normal(np.full(d, 3.0), np.full(d, 2.0)),
        n_samples=N,
        rho=RHO,
        alpha=ALPHA,
        rng=seed,
        max_iterations=iterations,
    )


def main():
    print(f"{'d':>5} {'by hand':>9} {'cem':>9} {'ratio':>6}   CPU us per sample, best of 40")
    for d, iterations in ((10, 30), (100, 30), (1000, 10)):
        best = {}
        for repeat in range(40):
            for name, run in (("hand", by_hand), ("cem", by_cem)):
                start = time.process_time()
                run(d, iterations, repeat)
                took = (time.process_time() - start) / iterations / N * 1e6
                best[name] = min(best.get(name, np.inf), took)
        ratio = best["cem"] / best["hand"]
        print(f"{d:5} {best['hand']:9.3f} {best['cem']:9.3f} {ratio:6.2f}", flush=True)


if __name__ == "__main__":
    main()
