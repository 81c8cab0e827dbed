"""The travelling salesman problem: any distances, the files of TSPLIB 95, pictures."""

from __future__ import annotations

from dataclasses import replace
from os import PathLike

from problems import file_of
from problems.tsp.distances import METRICS
from problems.tsp.instances import INSTANCES
from problems.tsp.problem import TSP
from problems.tsp.tours import read_tour, write_tour
from problems.tsp.tsplib import read_tsplib

__all__ = ["METRICS", "TSP", "problem", "read_tour", "read_tsplib", "write_tour"]


def problem(instance: str | PathLike[str] = "burma14", *, optimum: float | None = None) -> TSP:
    """A file of TSPLIB 95, or one of burma14, gr17 and br17; ``optimum`` where you know it.

    >>> problem("gr17").optimum
    2085
    """
    if instance in INSTANCES:
        tsp = INSTANCES[str(instance)]()
    else:
        tsp = read_tsplib(file_of(instance, sorted(INSTANCES)))
    return tsp if optimum is None else replace(tsp, optimum=optimum)
