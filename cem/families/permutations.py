"""Permutations drawn one place after another without replacement: what their families share."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from cem.families.categorical import Choices, distributions
from cem.families.parametric import parameter
from cem.families.samples import rows
from cem.typing import Array, Batch, Vector


def square_distributions(p: Array) -> Array:
    """As many rows as columns; every row sums to one."""
    if p.shape[0] != p.shape[1]:
        raise ValueError(f"must be square, a row and a column for every node; got shape {p.shape}")
    return distributions(p)


@dataclass(frozen=True, eq=False, repr=False)
class Permutations(Choices):
    """Base of the densities of permutations of ``n`` nodes: subclasses say from which row to draw.

    A node is drawn in proportion to the probabilities of its row among the nodes that are left;
    uniformly among them if all of these are zero. So any permutation that starts as it should can
    be finished, whatever the matrix.
    """

    p: Array = parameter(square_distributions, ndim=2)
    fixed: ClassVar[int] = 0  # places at the start that are not drawn: they hold their own number

    @abstractmethod
    def _rows(self, x: Batch, place: int) -> Array:
        """The probabilities that this place is drawn from, ``(n_samples, n)`` or ``(n,)``."""

    @abstractmethod
    def log_density_with_replacement(self, x: Batch) -> Vector:
        """``ln`` of the density that `fit` is the exact minimiser for, shape ``(n_samples,)``.

        The same draws with no node left out, so that a sample need not be a permutation: a product
        of elements of the matrix, without the sums that they are divided by here.
        """

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` permutations, int64, one in every row, by inversion, place by place."""
        x = np.zeros((n, self.n_coordinates), dtype=np.int64)
        left = np.ones(x.shape, dtype=bool)
        left[:, : self.fixed] = False
        for place in range(self.fixed, self.n_coordinates):
            cdf = self._weights(x, left, place).cumsum(axis=1)
            cdf /= cdf[:, -1:].copy()  # ends with 1, so that u < 1 never passes the last weight > 0
            x[:, place] = (cdf <= rng.random((n, 1))).sum(axis=1)
            left[np.arange(n), x[:, place]] = False
        return x

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i; p)``, shape ``(n_samples,)``; ``-inf`` for what is no such permutation."""
        x = rows(self, x)
        inside = are_permutations(x, self.fixed)
        x = np.where(inside[:, None], x, np.arange(x.shape[1])).astype(np.int64)
        left, every = np.ones(x.shape, dtype=bool), np.arange(len(x))
        left[:, : self.fixed] = False
        log_f = np.zeros(len(x))
        for place in range(self.fixed, x.shape[1]):
            weights = self._weights(x, left, place)
            with np.errstate(divide="ignore"):
                log_f += np.log(weights[every, x[:, place]] / weights.sum(axis=1))
            left[every, x[:, place]] = False
        return np.where(inside, log_f, -np.inf)

    def _weights(self, x: Batch, left: Batch, place: int) -> Array:
        """What this place is drawn in proportion to, shape ``(n_samples, n)``."""
        weights = np.where(left, self._rows(x, place), 0.0)
        empty = ~weights.any(axis=1)
        weights[empty] = left[empty]
        return weights

    def _permutations(self, x: Array) -> Array:
        """Permutations of the nodes, as they are drawn: the constraint on a sample to fit to."""
        bad = ~are_permutations(x, self.fixed)
        if bad.any():
            i = int(bad.argmax())
            start = " starting with 0" if self.fixed else ""
            raise ValueError(
                f"must be permutations of 0, ..., {x.shape[1] - 1}{start}; got "
                f"{np.array2string(x[i], threshold=12)} at index {i}"
            )
        return x


def are_permutations(x: Batch, fixed: int = 0) -> NDArray[np.bool_]:
    """Which rows hold every number from 0 to ``n - 1`` once, the first ``fixed`` in their place?

    >>> are_permutations(np.array([[0, 2, 1], [1, 0, 2], [0, 0, 1]]), fixed=1)
    array([ True, False, False])
    """
    numbers = np.arange(x.shape[1])
    in_place = (x[:, :fixed] == numbers[:fixed]).all(axis=1)
    return in_place & (np.sort(x, axis=1) == numbers).all(axis=1)
