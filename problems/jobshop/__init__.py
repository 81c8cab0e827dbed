"""The job shop: the problem, its files, two instances and a local search."""

from __future__ import annotations

from os import PathLike

from problems import file_of
from problems.jobshop.instances import INSTANCES, job_shop, read_job_shop
from problems.jobshop.problem import JobShop
from problems.tables import Numbers

__all__ = ["JobShop", "problem", "read_job_shop"]


def problem(instance: str | PathLike[str] = "ft06") -> JobShop:
    """The job shop ``ft06`` or ``la01``, or that of a file.

    >>> problem("la01").optimum, problem("la01").lower_bound()
    (666.0, 666.0)
    """
    if instance in INSTANCES:
        text, optimum = INSTANCES[str(instance)]
        return job_shop(Numbers(str(instance), text), optimum)
    return read_job_shop(file_of(instance, list(INSTANCES)))
