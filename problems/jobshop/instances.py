"""Job shops: the usual file format, and two famous instances typed in as facts."""

from __future__ import annotations

from os import PathLike

import numpy as np

from problems.jobshop.problem import JobShop
from problems.tables import Numbers

MOST = 10_000  # jobs, or machines; a header beyond it is a mistake

# H. Fisher, G. L. Thompson, Probabilistic learning combinations of local job-shop scheduling rules,
# in: Muth, Thompson (eds.), Industrial Scheduling (1963). S. Lawrence, Resource constrained project
# scheduling (supplement), Carnegie-Mellon University (1984). Machines count from 0.
FT06 = """
    6 6
    2 1  0 3  1 6  3 7  5 3  4 6
    1 8  2 5  4 10  5 10  0 10  3 4
    2 5  3 4  5 8  0 9  1 1  4 7
    1 5  0 5  2 5  3 3  4 8  5 9
    2 9  1 3  4 5  5 4  0 3  3 1
    1 3  3 3  5 9  0 10  4 4  2 1
"""
LA01 = """
    10 5
    1 21  0 53  4 95  3 55  2 34
    0 21  3 52  4 16  2 26  1 71
    3 39  4 98  1 42  2 31  0 12
    1 77  0 55  4 79  2 66  3 77
    0 83  3 34  2 64  1 19  4 37
    1 54  2 43  4 79  0 92  3 62
    3 69  4 77  1 87  2 87  0 93
    2 38  0 60  1 41  3 24  4 83
    3 17  1 49  4 25  0 44  2 98
    4 77  3 79  2 43  1 75  0 96
"""
INSTANCES = {"ft06": (FT06, 55.0), "la01": (LA01, 666.0)}  # and the least makespans


def read_job_shop(path: str | PathLike[str]) -> JobShop:
    """Read ``n_jobs n_machines``, then a row for every job: its machines and times in turn.

    Machines count from 0. Raises ValueError, naming the file, if it does not keep to that.
    """
    return job_shop(Numbers.of_file(path))


def job_shop(numbers: Numbers, optimum: float | None = None) -> JobShop:
    """The job shop that these numbers describe.

    >>> job_shop(Numbers("ft06", FT06)).machine[0].tolist()
    [2, 0, 1, 3, 5, 4]
    """
    n_jobs, m = (numbers.size(f"the number of {of}", 1, MOST) for of in ("jobs", "machines"))
    table = numbers.table(n_jobs, 2 * m)
    numbers.end()
    machine, times = table[:, ::2], table[:, 1::2]
    if (broken := machine != np.floor(machine)).any():
        raise ValueError(
            f"{numbers.name}: expected whole numbers of machines; got {machine[broken][0]:g}"
        )
    try:
        return JobShop(machine.astype(int), times, optimum)
    except ValueError as error:
        raise ValueError(f"{numbers.name}: {error}") from error
