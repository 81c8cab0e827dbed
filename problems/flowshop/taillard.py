"""Taillard's flow shops: his files, his generator of random numbers, the seeds of his instances."""

from __future__ import annotations

from os import PathLike

import numpy as np

from cem.typing import Array
from problems import check_whole, nearest
from problems.flowshop.problem import FlowShop
from problems.tables import Numbers

MOST = 10_000  # jobs, or machines; a header beyond it is a mistake
M, A, B, C = 2**31 - 1, 16807, 127773, 2836  # of the generator: M = A B + C
JOBS, MACHINES = 20, 5  # of ta001, ..., ta010

# E. Taillard, Benchmarks for basic scheduling problems, European Journal of Operational Research 64
# (1993) 278-285: the time seeds of ta001, ..., ta010; and the optimal makespans.
SEEDS = (
    *(873654221, 379008056, 1866992158, 216771124, 495070989),
    *(402959317, 1369363414, 2021925980, 573109518, 88325120),
)
OPTIMA = (1278, 1359, 1081, 1293, 1235, 1195, 1234, 1206, 1230, 1108)
INSTANCES = {
    f"ta{k:03d}": (seed, float(optimum))
    for k, (seed, optimum) in enumerate(zip(SEEDS, OPTIMA, strict=True), start=1)
}


def taillard(name: str) -> tuple[Array, float]:
    """The processing times of ``ta001``, ..., ``ta010``, shape ``(20, 5)``, and the least makespan.

    >>> times, optimum = taillard("ta001")
    >>> times[0].tolist(), optimum
    ([54.0, 79.0, 16.0, 66.0, 58.0], 1278.0)
    """
    if name not in INSTANCES:
        raise ValueError(f"there is no flow shop {name!r}" + nearest(name, list(INSTANCES)))
    seed, optimum = INSTANCES[name]
    return generate(JOBS, MACHINES, seed), optimum


def read_flow_shop(path: str | PathLike[str]) -> FlowShop:
    """Read ``n_jobs n_machines``, then the times: a row for every machine, a column for every job.

    Raises ValueError, naming the file, if it does not keep to that.
    """
    numbers = Numbers.of_file(path)
    n_jobs, n_machines = (
        numbers.size(f"the number of {of}", 1, MOST) for of in ("jobs", "machines")
    )
    times = numbers.table(n_machines, n_jobs).T
    numbers.end()
    try:
        return FlowShop(times)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def generate(n_jobs: int, n_machines: int, time_seed: int) -> Array:
    """Processing times from 1 to 99, shape ``(n_jobs, n_machines)``, by Taillard's generator.

    ``z -> 16807 z mod (2^31 - 1)`` from ``time_seed`` on, machine after machine.

    >>> generate(3, 2, 873654221)
    array([[54., 71.],
           [83., 77.],
           [15., 36.]])
    """
    check_whole("n_jobs", n_jobs, 1)
    check_whole("n_machines", n_machines, 1)
    check_whole("time_seed", time_seed, 1)
    if time_seed >= M:
        raise ValueError(f"time_seed must be less than 2^31 - 1; got {time_seed}")
    times, z = np.empty((n_machines, n_jobs)), time_seed
    for place in np.ndindex(times.shape):
        high, low = divmod(z, B)
        z = A * low - C * high
        z += M if z < 0 else 0
        times[place] = 1 + z * 99 // M
    return times.T.copy()
