"""What a fit of a mixture costs: steps of EM, milliseconds, and the density of a thousand points.

OMP_NUM_THREADS=1 python tests/benchmarks/mixtures.py
"""

from __future__ import annotations

import time

import numpy as np

from cem import GaussianMixture, VonMisesFisherNakagami
from cem.families.expectation_maximisation import Maximisation

N, EVENT = 1500, 3.0


def sample(d, seed):
    """Normal points beyond two opposite planes, weighed by how far: some 150 of 1500 count."""
    rng = np.random.default_rng(seed)
    x = 1.5 * rng.standard_normal((N, d))
    u = np.abs(x[:, 0]) - EVENT
    weight = np.exp(-2.0 * np.maximum(-u, 0.0) - 0.5 * np.maximum(u, 0.0) ** 2)
    return x, weight


def measured(family, seeds=10):
    """Means over the seeds of effective samples, components, steps, and milliseconds of a fit."""
    step, n_steps, rows = Maximisation.step, [], []
    for seed in range(seeds):
        x, weight = sample(family.n_coordinates, seed)
        start = time.process_time()
        fitted = family.fit(x, weight)
        took = time.process_time() - start
        n_steps.clear()
        Maximisation.step = lambda *a: (n_steps.append(1), step(*a))[1]
        family.fit(x, weight)
        Maximisation.step = step
        size = weight.sum() ** 2 / (weight @ weight)
        rows.append((size, np.count_nonzero(fitted.weight), len(n_steps), 1e3 * took))
    return np.mean(rows, axis=0), fitted


def main():
    print("d   family                   ess  components  steps   fit ms   density us of 1000")
    for family in (
        *(GaussianMixture.around(np.zeros(d), np.ones(d), 8) for d in (2, 5, 10)),
        VonMisesFisherNakagami.standard_normal(100, 4),
    ):
        row, fitted = measured(family)
        x = sample(family.n_coordinates, 99)[0][:1000]
        start = time.process_time()
        for _ in range(50):
            fitted.log_density(x)
        density = (time.process_time() - start) / 50 * 1e6
        line = "{:<3} {:<23} {:4.0f}  {:10.1f}  {:5.0f}  {:7.1f}".format(
            family.n_coordinates, type(family).__name__, *row
        )
        print(f"{line}  {density:8.0f}")


if __name__ == "__main__":
    main()
