"""How many jobs a second the simulated lines do, beside SimPy where it is installed.

python tests/benchmarks/buffer.py [--jobs 2000]
"""

from __future__ import annotations

import argparse
import time
from importlib.util import find_spec

import numpy as np

from problems.buffer_allocation import ProductionLine
from problems.buffer_allocation.simulation import Times

FAIL = {"failure_rate": 0.05, "repair_rate": 0.5}
KINDS = {
    "reliable": {},
    "fails while it works": FAIL,
    "fails at any time": {**FAIL, "failures": "time"},
}
SIZES = ((5, 10), (20, 60))  # machines, places
CANDIDATES, REPLICATIONS = 100, 16


def ours(line, n_places, jobs):
    """Departures a second, counted over 100 allocations that share their random times."""
    rng = np.random.default_rng(0)
    x = rng.multinomial(n_places, np.full(line.n_buffers, 1 / line.n_buffers), size=4 * CANDIDATES)
    x = rng.permutation(np.unique(x, axis=0))[:CANDIDATES]
    began = time.process_time()
    times = Times.draw(line, rng, jobs, REPLICATIONS)
    drawn = time.process_time()
    times.elapsed(x, 0)
    ended = time.process_time()
    departed = len(x) * jobs * REPLICATIONS
    return departed / (ended - began), departed / (ended - drawn)


def with_simpy(n_machines, places, jobs):
    """Departures a second of one reliable line with so many places in every buffer."""
    import simpy

    service = np.random.default_rng(0).standard_exponential((n_machines, jobs))
    clock = simpy.Environment()
    stores = [simpy.Store(clock, places) for _ in range(n_machines - 1)]

    def machine(i):
        for k in range(jobs):
            if i > 0:
                yield stores[i - 1].get()
            yield clock.timeout(service[i, k])
            if i < n_machines - 1:
                yield stores[i].put(k)

    for i in range(n_machines):
        clock.process(machine(i))
    began = time.process_time()
    clock.run()
    return jobs / (time.process_time() - began)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2000)
    options = parser.parse_args()
    print(f"{'million jobs a second':24}{'machines':>10}{'in all':>10}{'without drawing':>18}")
    for name, failing in KINDS.items():
        for n_machines, n_places in SIZES:
            line = ProductionLine([1.0] * n_machines, **failing)
            ours(line, n_places, 10)  # compiles
            in_all, alone = ours(line, n_places, options.jobs)
            print(f"{name:24}{n_machines:10}{in_all / 1e6:10.1f}{alone / 1e6:18.1f}", flush=True)
    if find_spec("simpy") is None:
        return
    for n_machines, _ in SIZES:
        speed = with_simpy(n_machines, 2, 5000) / 1e6
        print(f"{'SimPy, reliable':24}{n_machines:10}{speed:10.4f}")


if __name__ == "__main__":
    main()
