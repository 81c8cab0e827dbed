"""How often does a comparison decide wrongly, and do its intervals cover? By simulation, as tables.

python tests/benchmarks/comparisons.py [--trials 2000]
"""

from __future__ import annotations

import argparse
from itertools import combinations

import numpy as np

from experiments.comparison.judging import (
    gap,
    holm,
    median_gap,
    rank_sum,
    running_time,
    signed_rank,
)

KINDS = {  # scores of a run: continuous, skewed, of few values, mostly the optimum, often failed
    "normal": lambda rng, shape: rng.normal(size=shape),
    "lognormal": lambda rng, shape: rng.lognormal(sigma=2.0, size=shape),
    "three values": lambda rng, shape: rng.integers(0, 3, size=shape) * 1.0,
    "90 % the same": lambda rng, shape: (rng.random(shape) < 0.1) * rng.exponential(size=shape),
    "30 % failed": lambda rng, shape: np.where(
        rng.random(shape) < 0.3, np.inf, rng.normal(size=shape)
    ),
}
N = (6, 10, 20, 50)


def false_alarms(rng, trials):
    """Equal variations: how often p < 0.05, paired, unpaired, and any of the six pairs of four."""
    print(f"{'false alarms [%]':<16} {'n':>4} {'paired':>8} {'unpaired':>9} {'any of 6':>9}")
    for name, draw in KINDS.items():
        for n in N:
            four = draw(rng, (trials, 4, n))
            paired = np.mean([signed_rank(gap(x[0], x[1])).p < 0.05 for x in four])
            unpaired = np.mean([rank_sum(x[0], x[1]).p < 0.05 for x in four])
            family = np.mean([
                min(holm([signed_rank(gap(x[i], x[j])).p for i, j in combinations(range(4), 2)]))
                < 0.05
                for x in four
            ])  # fmt: skip
            print(f"{name:<16} {n:>4} {paired:>8.1%} {unpaired:>9.1%} {family:>9.1%}")


def coverage(rng, trials):
    """How many 95 % intervals of the median difference hold the true one, and of the ERT.

    Half of the runs hit; run lengths are exponential in the rows of normal scores.
    """
    print(f"\n{'covers [%]':<16} {'n':>4} {'paired':>8} {'unpaired':>9} {'ERT 50 %':>9}")
    for name in ("normal", "lognormal"):
        draw = KINDS[name]
        for n in N:
            two = draw(rng, (trials, 2, n))  # the median of a - b is 0, as that of a less that of b
            hold = [[holds(median_gap(*x, paired=p)[1], 0.0) for p in (True, False)] for x in two]
            length, hit = draw(rng, (trials, n)), rng.random((trials, n)) < 0.5
            length = rng.exponential(size=(trials, n)) if name == "normal" else length
            mean = 1.0 if name == "normal" else np.exp(2.0)
            ert = np.mean([
                holds(running_time(x, h)[1], mean / 0.5) for x, h in zip(length, hit, strict=True)
            ])  # fmt: skip
            paired, unpaired = np.mean(hold, axis=0)
            print(f"{name:<16} {n:>4} {paired:>8.1%} {unpaired:>9.1%} {ert:>9.1%}")


def power(rng, trials):
    """How often a true shift of so many standard deviations is told, one pair."""
    print(f"\n{'told [%]':<16} {'n':>4} " + " ".join(f"{s:>8}" for s in (0.25, 0.5, 1.0, 2.0)))
    for n in (*N, 100):
        told = [
            np.mean([
                signed_rank(rng.normal(size=n) - rng.normal(s, size=n)).p < 0.05
                for _ in range(trials)
            ])
            for s in (0.25, 0.5, 1.0, 2.0)
        ]  # fmt: skip
        print(f"{'normal':<16} {n:>4} " + " ".join(f"{share:>8.0%}" for share in told))


def holds(interval, value):
    return interval.low <= value <= interval.high


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=2000)
    trials = parser.parse_args().trials
    rng = np.random.default_rng(8)
    false_alarms(rng, trials)
    coverage(rng, trials)
    power(rng, trials)


if __name__ == "__main__":
    main()
