"""Permutations drawn one place after another without replacement: what their families share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from cem.families.categorical import Choices, distributions
from cem.families.parametric import parameter
from cem.families.samples import checked_sample, rows
from cem.typing import Array, Batch, Vector

LARGE = 1 << 16  # samples times n^2 from which on it pays to load the compiled kernels
BLOCK = 1 << 20  # elements at a time: what is made on the way is small beside a large batch
ANY: tuple[int, int] = (-1, -1)  # the first and the last node where both are drawn


def square_distributions(p: Array) -> Array:
    """As many rows as columns; every row sums to one."""
    if p.shape[0] != p.shape[1]:
        raise ValueError(f"must be square, a row and a column for every node; got shape {p.shape}")
    return distributions(p)


@dataclass(frozen=True, eq=False, repr=False)
class Permutations(Choices):
    """Base of the densities of permutations of ``n`` nodes: subclasses say from which row to draw.

    A node is drawn in proportion to the probabilities of its row among the nodes that are left;
    uniformly among them if all of these are zero. So any permutation that begins and ends as it
    should can be finished, whatever the matrix.

    Samples are of the smallest signed integers that hold ``n``, but at least int16: widen them
    before arithmetic, since ``n * x`` may be more than these hold.
    """

    p: Array = parameter(square_distributions, ndim=2)
    by_place: ClassVar[bool]  # is a node drawn from the row of its place, or of the node before?

    @abstractmethod
    def log_density_with_replacement(self, x: Batch) -> Vector:
        """``ln`` of the density that `fit` is the exact minimiser for, shape ``(n_samples,)``.

        The same draws with no node left out, so that a sample need not be a permutation: a product
        of elements of the matrix, without the sums that they are divided by here.
        """

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` permutations, one in every row, of the integers named above.

        Small batches are drawn by inversion, large ones from alias tables: another law by 2^-48 at
        most in a probability.
        """
        x = np.empty((n, self.n_coordinates), dtype=integers(self.n_coordinates))
        if self._is_large(n):
            from cem.families.xoshiro import seeds

            compiled().draw(self.p, self.by_place, *self._ends, seeds(rng)[0], x)
            return x
        for place, left in self._places(x):
            cdf = self._weights(x, left, place).cumsum(axis=1)
            cdf /= cdf[:, -1:].copy()  # ends with 1, so that u < 1 never passes the last weight > 0
            x[:, place] = (cdf <= rng.random((n, 1))).sum(axis=1)
        return x

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i; p)``, shape ``(n_samples,)``; ``-inf`` for what is no such permutation."""
        x = rows(self, x)
        log_f = np.empty(len(x))
        for part in blocks(x):
            log_f[part] = self._log_density(x[part])
        return log_f

    def _log_density(self, x: Batch) -> Vector:
        inside = are_permutations(x, *self._ends)
        x, log_f = x[inside].astype(integers(x.shape[1])), np.zeros(np.count_nonzero(inside))
        if self._is_large(len(x)):
            compiled().log_densities(self.p, self.by_place, *self._ends, x, log_f)
        else:
            every = np.arange(len(x))
            for place, left in self._places(x):
                weights = self._weights(x, left, place)
                with np.errstate(divide="ignore"):
                    log_f += np.log(weights[every, x[:, place]] / weights.sum(axis=1))
        every_log_f = np.full(len(inside), -np.inf)
        every_log_f[inside] = log_f
        return every_log_f

    @property
    def _ends(self) -> tuple[int, int]:
        """The nodes at the first and at the last place where these are not drawn; or -1."""
        return ANY

    def _is_large(self, n_samples: int) -> bool:
        return n_samples * self.n_coordinates**2 >= LARGE

    def _places(self, x: Batch) -> Iterator[tuple[int, Batch]]:
        """The places to draw, in order, and the nodes left to every sample; the ends are set."""
        first, last = self._ends
        begin, end = int(first >= 0), x.shape[1] - int(last >= 0)
        left, every = np.ones(x.shape, dtype=bool), np.arange(len(x))
        for place, node in ((0, first), (-1, last)):
            if node >= 0:
                x[:, place], left[:, node] = node, False
        for place in range(begin, end):
            yield place, left
            left[every, x[:, place]] = False

    def _weights(self, x: Batch, left: Batch, place: int) -> Array:
        """What this place is drawn in proportion to, shape ``(n_samples, n)``."""
        row = self.p[place] if self.by_place else self.p[x[:, place - 1]]
        weights = np.where(left, row, 0.0)
        empty = ~weights.any(axis=1)
        weights[empty] = left[empty]
        return weights

    def _shares(self, x: Batch, weights: Vector) -> Array:
        """The weighted share of the samples that draw node ``k`` from row ``i``, shape ``(n, n)``.

        The first node is drawn from the row of the last one. Raises ValueError for samples that are
        no such permutations.
        """
        x, w = checked_sample(self, x, weights, self._permutations)
        n = x.shape[1]
        mass = np.zeros(n * n)
        for part in blocks(x):
            node = x[part].astype(np.int64)
            cell = n * (np.arange(n) if self.by_place else np.roll(node, 1, axis=1)) + node
            mass += np.bincount(cell.ravel(), np.repeat(w[part], n), minlength=n * n)
        return mass.reshape(n, n)

    def _permutations(self, x: Array) -> Array:
        """Permutations of the nodes, as they are drawn: the constraint on a sample to fit to."""
        first, last = self._ends
        bad = ~are_permutations(x, first, last)
        if bad.any():
            i = int(bad.argmax())
            begin = f" starting with {first}" if first >= 0 else ""
            end = f" and ending with {last}" if last >= 0 else ""
            raise ValueError(
                f"must be permutations of 0, ..., {x.shape[1] - 1}{begin}{end}; got "
                f"{np.array2string(x[i], threshold=12)} at index {i}"
            )
        return x


def integers(n: int) -> Any:
    """The type of a sample of ``n`` nodes: the smallest signed integers, from int16 on.

    >>> integers(100), integers(100_000)
    (dtype('int16'), dtype('int32'))
    """
    return np.promote_types(np.int16, np.min_scalar_type(-n))


def blocks(x: Batch) -> Iterator[slice]:
    """The rows of a batch, so many at a time that they have some `BLOCK` elements.

    >>> [(part.start, part.stop) for part in blocks(np.empty((1000, 2000)))]
    [(0, 524), (524, 1048)]
    """
    step = max(1, BLOCK // x.shape[1])
    return (slice(start, start + step) for start in range(0, len(x), step))


def are_permutations(x: Batch, first: int = -1, last: int = -1) -> NDArray[np.bool_]:
    """Which rows hold every number from 0 to ``n - 1`` once, and these two in their places?

    >>> are_permutations(np.array([[0, 2, 1], [1, 0, 2], [0, 0, 1]]), first=0)
    array([ True, False, False])
    """
    inside: NDArray[np.bool_] = (np.sort(x, axis=1) == np.arange(x.shape[1])).all(axis=1)
    for place, node in ((0, first), (-1, last)):
        if node >= 0:
            inside &= x[:, place] == node
    return inside


@cache
def compiled() -> Any:
    """The module `cem.families.permutation_kernels`, and numba with it."""
    from cem.families import permutation_kernels

    return permutation_kernels
