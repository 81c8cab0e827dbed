"""LKH as a local search: the tour of Helsgaun's solver, where that is shorter than a sample."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.random import Generator

from cem.typing import Array, Batch
from problems import check_whole
from problems.tsp.problem import TSP

LARGEST = 10_000_000  # of a distance: LKH works with 32-bit costs and scales them


@dataclass(frozen=True, eq=False)
class LKH:
    """Every sample becomes the tour that LKH finds by itself, unless it is shorter already.

    For a comparison: LKH (Helsgaun, 2000) begins with tours of its own, so nothing that was
    sampled matters to it. It takes whole distances, closed tours or open ones, and is
    deterministic. Needs the package elkai. Raises ImportError without it, and ValueError for
    distances that are not whole or above ten million.
    """

    tsp: TSP
    runs: int = 1

    def __post_init__(self) -> None:
        check_whole("runs", self.runs, 1)

    def __call__(self, x: Batch, rng: Generator) -> Batch:
        """The better of each tour and that of LKH; those given are left as they are."""
        del rng
        x = np.asarray(x)
        before = self.tsp(x)
        if self.tsp.n <= 3:
            return x.copy()
        better = self.tsp(self.tour[None])[0] < before
        return np.where(better[:, None], self.tour, x).astype(x.dtype)

    @cached_property
    def tour(self) -> Array:
        """The tour of LKH, from the first node on."""
        try:
            from elkai import DistanceMatrix
        except ImportError as error:
            raise ImportError(
                "LKH needs the package elkai: pip install elkai, or choose another local search"
            ) from error
        d = self.tsp.round_trip
        allowed = d[np.isfinite(d)]
        most = int(allowed.max()) * self.tsp.n + 1  # dearer than any allowed tour
        if (allowed != np.floor(allowed)).any() or (d.size > allowed.size and most > LARGEST):
            raise ValueError("LKH takes whole distances, and forbidden edges of short ones only")
        if allowed.max() > LARGEST:
            raise ValueError(f"LKH takes distances up to {LARGEST:,}; got {allowed.max():,g}")
        cost = np.where(np.isfinite(d), d, most).astype(np.int64)
        np.fill_diagonal(cost, 0)
        tour = np.array(DistanceMatrix(cost.tolist()).solve_tsp(runs=self.runs)[:-1])
        return np.roll(tour, -int(np.flatnonzero(tour == self.tsp.first)[0]))
