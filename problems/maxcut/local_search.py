"""Local searches for cuts, to refine what the cross-entropy method samples.

Each is called with a batch of cuts and a generator, and gives new cuts, none worse than the one it
began with. They are compiled on first use.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.random import Generator

from cem.typing import Array, Batch
from problems import check_whole
from problems.maxcut.problem import MaxCut

ROUNDING = 1e-9  # of the heaviest node: what gains less may be an error of rounding
EXACT_IN_INT32 = 2**29
REST = 100  # a flipped node is tabu for the hundredth part of the nodes, and up to ten steps more


@dataclass(frozen=True, eq=False)
class Search:
    """Base of searches in the cuts of one graph."""

    cut: MaxCut

    @cached_property
    def graph(self) -> tuple[Array, Array, Array]:
        """First neighbour of every node, the neighbours, the weights of their edges.

        Whole weights are int32 where that is exact. Others are scaled by a power of two, so that
        the heaviest node weighs between 1/2 and 1.
        """
        matrix = self.cut.adjacency
        weight = matrix.data
        if self.cut.whole and self.cut.heaviest < EXACT_IN_INT32:
            weight = weight.astype(np.int32)
        elif not self.cut.whole:
            weight = np.ldexp(weight, -np.frexp(self.cut.heaviest)[1])
        return matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32), weight

    @property
    def least(self) -> float:
        """What a flip must gain more than, to count."""
        return 0.0 if self.cut.whole else ROUNDING

    def checked(self, x: Batch) -> Array:
        """The batch as contiguous int8; ValueError for what are no sides of this graph's nodes."""
        x = np.asarray(x)
        if x.ndim != 2 or x.shape[1] != self.cut.n_nodes:
            raise ValueError(f"expected cuts of shape (n, {self.cut.n_nodes}); got {x.shape}")
        if (bad := (x != 0) & (x != 1)).any():
            raise ValueError(f"expected sides 0 and 1; got {x[bad][0]}")
        return np.ascontiguousarray(x, dtype=np.int8)


@dataclass(frozen=True, eq=False)
class OneFlip(Search):
    """First ascent: nodes change sides in turn, each that gains, until none does.

    >>> square = MaxCut([[0, 1], [1, 2], [2, 3], [0, 3]], [1, 1, 1, 1], 4)
    >>> OneFlip(square)(np.array([[0, 0, 0, 1]]), np.random.default_rng(0))
    array([[0, 1, 0, 1]], dtype=int8)
    """

    def __call__(self, x: Batch, _: Generator) -> Batch:
        """The local optima reached from ``x``, int8, shape ``(n, d)``."""
        from problems.maxcut.search_kernels import one_flip

        return one_flip(self.graph, self.checked(x), self.least)


@dataclass(frozen=True, eq=False)
class Annealing(Search):
    """Simulated annealing from every cut, linear from the ``hot`` to the ``cold`` temperature.

    The unit of temperature is the root mean square, over the nodes, of the gain of a flip in a
    random cut, so that one setting suits all graphs. From ``hot=0.25`` a sample keeps some of what
    it knows; for random cuts, which know nothing, 0.4 is better. The result is the best cut that a
    sweep ended with, after `OneFlip`.

    >>> square = MaxCut([[0, 1], [1, 2], [2, 3], [0, 3]], [1, 1, 1, 1], 4)
    >>> square(Annealing(square)(np.zeros((1, 4)), np.random.default_rng(0)))
    array([4.])
    """

    leaves: ClassVar[bool] = True  # local optima
    sweeps: int = 200
    hot: float = 0.25
    cold: float = 0.05

    def __post_init__(self) -> None:
        check_whole("sweeps", self.sweeps, 1)
        if not 0 < self.cold <= self.hot < np.inf:
            raise ValueError(
                f"expected temperatures 0 < cold <= hot; got cold={self.cold} and hot={self.hot}"
            )

    def __call__(self, x: Batch, rng: Generator) -> Batch:
        """The best cuts found from ``x``, int8, shape ``(n, d)``."""
        from cem.families.xoshiro import seeds
        from problems.maxcut.search_kernels import anneal

        temperature = self._unit * np.linspace(self.hot, self.cold, self.sweeps)
        states = seeds(rng, len(x))
        return anneal(self.graph, self.checked(x), self.least, temperature, states)

    @property
    def _unit(self) -> float:
        weight = self.graph[2]
        return float(np.sqrt(np.square(weight, dtype=float).sum() / self.cut.n_nodes))


@dataclass(frozen=True, eq=False)
class Tabu(Search):
    """Tabu search: the best flip of a node that has rested, up or down; the best cut is kept.

    A node rests for a hundredth of the nodes and up to ten steps more, unless its flip gives a new
    best cut. Every step looks at all nodes. See Kochenberger et al. (2013), Solving large scale max
    cut problems via tabu search.

    >>> square = MaxCut([[0, 1], [1, 2], [2, 3], [0, 3]], [1, 1, 1, 1], 4)
    >>> square(Tabu(square)(np.zeros((1, 4)), np.random.default_rng(0)))
    array([4.])
    """

    leaves: ClassVar[bool] = True  # local optima
    steps: int = 2000

    def __post_init__(self) -> None:
        check_whole("steps", self.steps, 1)

    def __call__(self, x: Batch, rng: Generator) -> Batch:
        """The best cuts found from ``x``, int8, shape ``(n, d)``."""
        from cem.families.xoshiro import seeds
        from problems.maxcut.search_kernels import tabu

        length, states = (self.steps, self.cut.n_nodes // REST), seeds(rng, len(x))
        return tabu(self.graph, self.checked(x), self.least, length, states)


@dataclass(frozen=True, eq=False)
class Iterated:
    """Iterated local search: kick the best cut, search from there, keep what is not the worse.

    A kick moves every node with probability ``share``. Source: Lourenço, Martin and Stützle (2003),
    Iterated local search.

    >>> square = MaxCut([[0, 1], [1, 2], [2, 3], [0, 3]], [1, 1, 1, 1], 4)
    >>> square(Iterated(OneFlip(square))(np.zeros((1, 4)), np.random.default_rng(0)))
    array([4.])
    """

    leaves: ClassVar[bool] = True  # local optima
    search: Search
    kicks: int = 10
    share: float = 0.02

    def __post_init__(self) -> None:
        check_whole("kicks", self.kicks, 1)
        if not 0 < self.share <= 1:
            raise ValueError(f"share, of the nodes that move, must lie in (0, 1]; got {self.share}")

    def __call__(self, x: Batch, rng: Generator) -> Batch:
        """The best cuts found from ``x``, int8, shape ``(n, d)``."""
        cut = self.search.cut
        best = self.search(x, rng)
        score = cut(best)
        for _ in range(self.kicks):
            kicked = best ^ (rng.random(best.shape) < self.share)
            found = self.search(kicked, rng)
            new = cut(found)
            better = new >= score
            best[better], score[better] = found[better], new[better]
        return best
