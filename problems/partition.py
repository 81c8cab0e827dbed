"""Partitions of a graph in k parts: max-k-cut, max-bisection and the least cut of equal parts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from typing import Any

import numpy as np

from cem.families import Categorical
from cem.typing import Batch, Vector
from problems import check_whole, nearest
from problems.maxcut import MaxCut
from problems.maxcut import problem as cut_of
from problems.parts import any_partition, checked_parts


@dataclass(frozen=True, eq=False)
class Partition:
    """Base of the partitions of a graph in ``k`` parts with at most ``most`` nodes each.

    ``x[j]``, from 0 to ``k - 1``, is the part of node ``j``. Every node too many costs `penalty`,
    the weight of the heaviest node and a little: as moving a node changes a cut by no more than the
    weight of its edges, and takes one node away from what is too many, the best partitions are
    those that keep to ``most``. Where it is not given, parts may have any size.
    """

    graph: MaxCut
    k: int = 2
    most: int | None = None

    def __post_init__(self) -> None:
        check_whole("k, the number of parts,", self.k, 2)
        if self.most is not None:
            check_whole("most, the nodes of a part,", self.most, self.equal)

    @property
    def equal(self) -> int:
        """The nodes of the largest part when parts are as equal as they can be."""
        return -(-self.graph.n_nodes // self.k)

    @cached_property
    def penalty(self) -> float:
        """The price of a node too many; whole if the weights are."""
        return float(np.floor(self.graph.heaviest) + 1)

    def nominal(self) -> Categorical:
        """Every part as likely as any other, but for their numbers: see `any_partition`."""
        return any_partition(self.graph.n_nodes, self.k)

    def cut(self, x: Batch) -> Vector:
        """The weight of the edges between different parts, shape ``(n,)``."""
        x = self._checked(x)
        one_side = (self.graph((x == part).astype(np.int8)) for part in range(self.k))
        return sum(one_side, np.zeros(len(x))) / 2  # an edge leaves two parts

    def too_many(self, x: Batch) -> Vector:
        """How many nodes are in parts that are full already, shape ``(n,)``."""
        if self.most is None:
            return np.zeros(len(x))
        sizes = np.stack([(np.asarray(x) == part).sum(axis=1) for part in range(self.k)])
        return np.maximum(sizes - self.most, 0).sum(axis=0).astype(float)

    def _checked(self, x: Batch) -> Batch:
        return checked_parts(x, self.graph.n_nodes, self.k, "part", "nodes")


@dataclass(frozen=True, eq=False)
class MaxKCut(Partition):
    """Score, to be maximised: the weight between the parts, less the price of nodes too many.

    With ``k=2`` and ``most`` half the nodes it is max-bisection.

    >>> path = MaxCut([[0, 1], [1, 2], [2, 3]], [1, 1, 1], 4)
    >>> MaxKCut(path, most=2)(np.array([[0, 1, 0, 1], [0, 1, 1, 1]]))
    array([ 3., -2.])
    """

    def __call__(self, x: Batch) -> Vector:
        """The scores of ``x``, shape ``(n, d)``."""
        return self.cut(x) - self.penalty * self.too_many(x)


@dataclass(frozen=True, eq=False)
class MinKWay(Partition):
    """Cost, to be minimised: the weight between the parts, and the price of nodes too many.

    Without ``most``, all nodes in one part cost nothing where no weight is negative.

    >>> path = MaxCut([[0, 1], [1, 2], [2, 3]], [1, 1, 1], 4)
    >>> MinKWay(path, most=2)(np.array([[0, 0, 1, 1], [0, 0, 0, 0]]))
    array([1., 6.])
    """

    def __call__(self, x: Batch) -> Vector:
        """The costs of ``x``, shape ``(n, d)``."""
        return self.cut(x) + self.penalty * self.too_many(x)


TASKS = {"max-k-cut": MaxKCut, "min-k-way": MinKWay}


def problem(
    graph: str | PathLike[str] | Any = None,
    *,
    k: int = 2,
    task: str = "max-k-cut",
    equal: bool = True,
    slack: int = 0,
) -> Partition:
    """The partition of a graph, as `problems.maxcut.problem` takes it; by default of two blocks.

    ``task`` is ``max-k-cut``, to be maximised, or ``min-k-way``, to be minimised. Unless ``equal``
    is false, no part may have more than ``slack`` nodes above its equal share.

    >>> problem(k=4).most
    10
    """
    if task not in TASKS:
        raise ValueError(f"there is no task {task!r}" + nearest(task, sorted(TASKS)))
    check_whole("slack", slack, 0)
    cut = cut_of(graph, n=40, m=20) if graph is None else cut_of(graph)
    made = TASKS[task](cut, k)
    return TASKS[task](cut, k, made.equal + slack) if equal else made
