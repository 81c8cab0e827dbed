"""The permutation flow shop: the problem, Taillard's instances and local searches."""

from __future__ import annotations

from os import PathLike

from problems.flowshop.problem import FlowShop
from problems.flowshop.taillard import INSTANCES, generate, taillard
from problems.tables import Numbers

__all__ = ["FlowShop", "generate", "problem", "read_flow_shop", "taillard"]

MOST = 10_000  # jobs, or machines; a header beyond it is a mistake


def problem(instance: str | PathLike[str] = "ta001") -> FlowShop:
    """A flow shop of Taillard's by its name, ``ta001`` to ``ta010``, or that of a file.

    >>> problem("ta003").optimum
    1081.0
    """
    if isinstance(instance, str) and (instance in INSTANCES or instance.isalnum()):
        return FlowShop(*taillard(instance))
    return read_flow_shop(instance)


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
