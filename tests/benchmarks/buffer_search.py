"""How good are the allocations that the search finds? Beside its controls, as a table.

python tests/benchmarks/buffer_search.py [--seeds 20] [--large]

Printed for every line: in how many runs the allocation was the best that is known, or within .02 %
of it; the mean loss of exact throughput; allocations and jobs simulated, the last sample for the
interval included; the median CPU time. The controls: the best of so many random allocations in the
same race without neighbours, the same race with neighbours from equal shares (local search), the
best allocation of a decomposition, for lines that do not fail, and equal shares. With --large:
lines too long for an exact value, with the interval of the gap to equal shares, from random times
that both share.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from time import process_time

import numpy as np

import cem
from cem.paired import none_near
from cem.parallel import Evaluation
from cem.randomness import Purpose, root_of, stream
from problems.buffer_allocation import BufferAllocation, ProductionLine
from problems.buffer_allocation.controls import LATE, by_decomposition, equal_shares, gap
from problems.buffer_allocation.simulation import Times

RISING = [1.0, 1.1, 1.2, 1.3, 1.4]
FAIL = {"failure_rate": 0.05, "repair_rate": 0.5}
LINES = {  # and the best allocations, by enumeration
    "3 equal, 4": (ProductionLine([1.0] * 3), 4, [2, 2]),
    "3 rising, 10": (ProductionLine([1.0, 1.2, 1.4]), 10, [7, 3]),
    "4 rising, 10": (ProductionLine(RISING[:4]), 10, [4, 4, 2]),
    "5 equal, 10": (ProductionLine([1.0] * 5), 10, [2, 3, 3, 2]),
    "5 rising, 10": (ProductionLine(RISING), 10, [4, 3, 2, 1]),
    "5 equal, 20": (ProductionLine([1.0] * 5), 20, [5, 5, 5, 5]),
    "7 equal, 10": (ProductionLine([1.0] * 7), 10, [1, 2, 2, 2, 2, 1]),
    "3 failing, 10": (ProductionLine([1.0, 1.2, 1.4], **FAIL), 10, [7, 3]),
    "5 failing, 10": (ProductionLine(RISING, **FAIL), 10, [3, 3, 3, 1]),
    "5 failing at any time, 10": (
        ProductionLine(RISING, **FAIL, failures="time"),
        10,
        [3, 3, 3, 1],
    ),
}
TWO_SLOW = [1.2] * 5 + [1.0] + [1.2] * 8 + [1.0] + [1.2] * 5
LARGE = {
    "20 equal, 60": ([1.0] * 20, 60),
    "20, two slow, 60": (TWO_SLOW, 60),
    "40 equal, 120": ([1.0] * 40, 120),
    "40, four slow, 120": (TWO_SLOW * 2, 120),
}


def search(problem, seed):
    """The search with no further setting."""
    found = cem.maximize(problem, rng=seed)
    low, high = found.confidence_interval()
    return found.x, (low, high)


def at_random(problem, seed, n=300):
    """The ten best of a first score of random allocations race, without neighbours."""
    root = root_of(seed)
    x = np.unique(problem.nominal().sample(stream(root, Purpose.SAMPLE), n), axis=0)
    score = Evaluation(problem, root)(x, 0)
    best = x[np.argsort(-score, kind="stable")[:10]]
    found = replace(problem.noise().race, neighbours=none_near)(
        Evaluation(problem, root), best, LATE
    )
    return found.candidates[found.best], None


def local(problem, seed):
    """The race of the search, from equal shares."""
    start = equal_shares(problem)[None]
    found = problem.noise().race(Evaluation(problem, root_of(seed)), start, LATE)
    return found.candidates[found.best], None


def equal(problem, seed):
    """Equal shares."""
    del seed
    return equal_shares(problem), None


def decomposition(problem, seed):
    """The best by decomposition."""
    del seed
    return by_decomposition(problem), None


class Counted:
    """Counts the allocations and jobs that are simulated."""

    def __enter__(self):
        self.allocations, self.jobs, self.plain = 0, 0, Times.elapsed

        def elapsed(times, allocations, warm_up):
            jobs, _, replications = times.work.shape
            n = len(np.unique(allocations, axis=0))
            self.allocations += n
            self.jobs += n * jobs * replications
            return self.plain(times, allocations, warm_up)

        Times.elapsed = elapsed
        return self

    def __exit__(self, *_):
        Times.elapsed = self.plain


def small(seeds):
    """A row for every line with an exact throughput, and every method."""
    held = []
    for k, (name, (line, capacity, best)) in enumerate(LINES.items()):
        problem, exact = BufferAllocation(line, capacity), {}
        optimum = line.exact_throughput(best)
        for method in (search, at_random, local, equal, *([] if line.fails else [decomposition])):
            loss, effort = [], []
            for seed in range(k * seeds, (k + 1) * seeds):  # no two lines share their times
                began = process_time()
                with Counted() as counted:
                    x, interval = method(problem, seed)
                effort.append((counted.allocations, counted.jobs / 1e6, process_time() - began))
                key = tuple(x.tolist())
                value = exact.setdefault(key, exact.get(key) or line.exact_throughput(x))
                loss.append(1 - value / optimum)
                held += [interval[0] < value < interval[1]] if interval else []
            right, near = np.mean(np.abs(loss) < 1e-9), np.mean(np.array(loss) <= 2e-4)
            most, (seconds, longest) = (
                np.max(effort, axis=0),
                np.quantile(effort, [0.5, 1], axis=0)[:, 2],
            )
            print(
                f"{name:26}{method.__name__:14}{right:6.2f}{near:6.2f}{100 * np.mean(loss):8.3f} %"
                f"{most[0]:7.0f}{most[1]:7.2f} M{seconds:7.2f} < {longest:.2f} s",
                flush=True,
            )
    print(f"the 95 % interval held the exact throughput in {np.mean(held):.1%} of {len(held)} runs")


def large(seeds):
    """A row for every line and seed: the gap to equal shares."""
    for name, (rates, capacity) in LARGE.items():
        problem = BufferAllocation(ProductionLine(rates), capacity)
        for seed in range(seeds):
            began = process_time()
            x, interval = search(problem, seed)
            seconds = process_time() - began
            low, high = gap(problem, x, equal_shares(problem), rng=[seed, 1]).confidence_interval()
            print(
                f"{name:20}{interval[0]:.4f} to {interval[1]:.4f}, above equal shares by {low:.5f} "
                f"to {high:.5f}, {seconds:.0f} s",
                flush=True,
            )


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--large", action="store_true")
    given = parser.parse_args()
    (large if given.large else small)(given.seeds)


if __name__ == "__main__":
    main()
