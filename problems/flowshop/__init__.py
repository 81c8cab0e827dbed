"""The permutation flow shop: the problem, Taillard's instances and local searches."""

from __future__ import annotations

from os import PathLike

from problems import file_of
from problems.flowshop.problem import FlowShop
from problems.flowshop.taillard import INSTANCES, generate, read_flow_shop, taillard

__all__ = ["FlowShop", "generate", "problem", "read_flow_shop", "taillard"]


def problem(instance: str | PathLike[str] = "ta001") -> FlowShop:
    """A flow shop of Taillard's by its name, ``ta001`` to ``ta010``, or that of a file.

    >>> problem("ta003").optimum
    1081.0
    """
    if instance in INSTANCES:
        return FlowShop(*taillard(str(instance)))
    return read_flow_shop(file_of(instance, list(INSTANCES)))
