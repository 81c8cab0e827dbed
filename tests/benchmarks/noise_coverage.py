"""How often the interval of a noisy answer holds its true mean, and how good that answer is.

python tests/benchmarks/noise_coverage.py [--seeds 400] [--only NAME]
"""

from __future__ import annotations

import argparse

import numpy as np

import cem
from cem.answer import Noise
from cem.noise import CommonNumbers, Replicated
from problems.noisy import problem

SPHERE, ONEMAX = problem("sphere", d=10), problem("onemax", d=40, sd=3.0)
STUDIES = {  # name: problem, the same as it is scored, driver, settings
    "sphere": (SPHERE, SPHERE, cem.minimize, Noise()),
    "sphere, second looks": (SPHERE, SPHERE, cem.minimize, Noise(times=4)),
    "sphere, 5 replications": (SPHERE, Replicated(SPHERE, 5), cem.minimize, Noise()),
    "sphere, common": (SPHERE, CommonNumbers(SPHERE), cem.minimize, Noise()),
    "sphere, uneven noise": (
        uneven := problem("sphere", d=10, sd=0.3, relative=0.5),
        uneven,
        cem.minimize,
        Noise(),
    ),
    "sphere, 5 final": (SPHERE, SPHERE, cem.minimize, Noise(n_final=5)),
    "onemax": (ONEMAX, ONEMAX, cem.maximize, Noise()),
    "onemax, second looks": (ONEMAX, ONEMAX, cem.maximize, Noise(times=4)),
}


def study(exact, noisy, drive, noise, *, seeds, first):
    """Coverage, and the regret of the answer and of the sample with the best score."""
    rows = []
    for seed in range(first, first + seeds):
        found = drive(noisy, noise=noise, rng=seed)
        low, high = found.confidence_interval()
        true, luckiest = exact.mean(np.stack([found.x, found.state.best.x]))
        rows.append(
            (
                low <= true <= high,
                abs(true - exact.exact()),
                abs(luckiest - exact.exact()),
                abs(abs(found.state.best.score) - abs(luckiest)),
                found.race.guaranteed,
                found.nit,
                found.state.nfev,
                found.nfev - found.state.nfev,
            )
        )
    names = ("cover", "regret", "luckiest", "its luck", "won", "nit", "search", "answer")
    return dict(zip(names, np.mean(rows, axis=0), strict=True))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=400)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--only", default="", help="studies whose name begins so")
    options = parser.parse_args()
    names = [name for name in STUDIES if name.startswith(options.only)]
    for i, name in enumerate(names):
        row = study(*STUDIES[name], seeds=options.seeds, first=options.first)
        if i == 0:
            print(" " * 24 + "".join(f"{column:>10}" for column in row))
        print(f"{name:24}" + "".join(f"{number:10.3f}" for number in row.values()), flush=True)


if __name__ == "__main__":
    main()
