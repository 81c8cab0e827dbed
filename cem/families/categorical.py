"""Independent categorical coordinates: the family for choices, assignments and colourings."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.random import Generator

from cem.families.parametric import ROUNDING, Parametric, parameter, probability, whole
from cem.families.samples import checked_sample, rows
from cem.families.totals import Totals, from_totals
from cem.loss.registry import closed_form_entropy, closed_form_kl
from cem.loss.series import divergence_terms
from cem.loss.support import Support
from cem.typing import Array, Batch, Vector


def distributions(p: Array) -> Array:
    """Rows that sum to one: what rounding has added is taken out, once and for all."""
    p = probability(p)
    total = p.sum(axis=1)
    off = np.abs(total - 1) > ROUNDING
    if off.any():
        row = int(off.argmax())
        raise ValueError(f"must hold rows that sum to 1; got {total[row]:g} in row {row}")
    exact = np.abs(total - 1) <= p.shape[1] * np.finfo(float).eps  # as near as a division gets
    return np.where(exact[:, None], p, p / total[:, None])


@dataclass(frozen=True, eq=False, repr=False)
class Choices(Parametric):
    """Base of densities given by ``p``, a row of probabilities for every choice."""

    p: Array = parameter(distributions, ndim=2)

    def within_margin(self, least: float, before: Self) -> Self:
        """What is possible, now or ``before``, has at least ``least``; the rest of a row gives it.

        In proportion to the surplus. Raises ValueError if there is not so much in a row.
        """
        possible = (self.p > 0) | (before.p > 0)
        room = 1 - least * possible.sum(axis=1)
        if room.min() < 0:
            most = int(possible.sum(axis=1).max())
            raise ValueError(
                f"least, the margin, must be at most 1/{most} for a row of {most} probabilities; "
                f"got {least:g}"
            )
        surplus = np.where(possible, np.maximum(self.p - least, 0.0), 0.0)
        total = surplus.sum(axis=1)
        share = np.divide(room, total, out=np.zeros_like(room), where=total > 0)
        return self.replace(p=np.where(possible, least + surplus * share[:, np.newaxis], 0.0))

    def spread(self) -> Array:
        """``sqrt(1 - sum_k p[j, k]^2)``: what is chosen from has no order, so Gini's measure."""
        return np.sqrt(np.maximum(0.0, 1 - (self.p**2).sum(axis=1)))


@dataclass(frozen=True, eq=False, repr=False)
class Categorical(Choices):
    """``f(x; p) = prod_j p[j, x_j]``: coordinate ``j`` takes a value ``0, ..., k_j - 1``.

    ``p`` is one row of probabilities per coordinate. Rows may differ in length: shorter ones are
    filled up with zeros, and what has probability zero is never sampled. Samples are int64 arrays
    of shape ``(n, d)``.

    >>> Categorical([[0.5, 0.5], [0.2, 0.3, 0.5]]).p
    array([[0.5, 0.5, 0. ], [0.2, 0.3, 0.5]])
    """

    def __post_init__(self) -> None:
        try:
            rows = [np.atleast_1d(np.asarray(row, dtype=float)) for row in self.p]
        except (TypeError, ValueError) as error:
            raise TypeError(
                "Categorical.p must be one row of probabilities per coordinate; got "
                + reprlib.repr(self.p)
            ) from error
        if len({len(row) for row in rows}) > 1:
            width = max(len(row) for row in rows)
            padded = np.stack([np.pad(row, (0, width - len(row))) for row in rows])
            object.__setattr__(self, "p", padded)
        super().__post_init__()

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` points, int64, shape ``(n, d)``, by inversion of the distribution function."""
        u = rng.random((n, len(self.p)))
        x = np.zeros(u.shape, dtype=np.int64)
        cdf = self.p.cumsum(axis=1)
        last = self.support().high
        cdf[np.arange(self.p.shape[1]) >= last[:, None]] = 1.0  # u < 1 never passes the last
        for below in cdf.T[:-1]:
            x += u >= below
        return x

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i; p)``, shape ``(n,)``; ``-inf`` off the support."""
        x = rows(self, x)
        inside = (x >= 0) & (x < self.p.shape[1]) & (x == np.floor(x))
        chosen = np.where(inside, x, 0).astype(np.int64)
        with np.errstate(divide="ignore"):
            log_p = np.log(self.p[np.arange(len(self.p)), chosen])
        return np.where(inside, log_p, -np.inf).sum(axis=1)

    @from_totals
    def fit(self, x: Batch, weights: Vector) -> Self:
        """``p[j, k]``: the weighted share of value ``k`` in coordinate ``j``.

        Raises ValueError for samples that are no category.
        """
        x, w = checked_sample(self, x, weights, whole(0, self.p.shape[1] - 1))
        return self.replace(p=self._mass(x, w))

    def _mass(self, x: Array, w: Vector) -> Array:
        d, k = self.p.shape
        cell = x.astype(np.int64) + k * np.arange(d)
        mass = np.bincount(cell.ravel(), np.repeat(w, d), minlength=d * k)
        return np.asarray(mass.reshape(d, k), dtype=float)

    def statistics(self, x: Batch, weights: Vector) -> Totals:
        """The weight of every value of every coordinate, shape ``(d, k)``."""
        return {"mass": self._mass(x, weights)}

    def from_statistics(self, total: Totals) -> Self:
        """``p[j, k]``: the share of value ``k`` in coordinate ``j``."""
        mass = total["mass"]
        return self.replace(p=mass / mass.sum(axis=1, keepdims=True))

    def support(self) -> Support:
        """From the first category of positive probability to the last."""
        possible = self.p > 0
        low, after = possible.argmax(axis=1), possible[:, ::-1].argmax(axis=1)
        high = self.p.shape[1] - 1 - after
        return Support(low.astype(float), high.astype(float), discrete=True)


@closed_form_entropy(Categorical, of_fits=True)
def _entropy(f: Categorical) -> float:
    from scipy.special import entr

    return float(entr(f.p).sum())


@closed_form_kl(Categorical, Categorical)
def _kl(f: Categorical, g: Categorical) -> float:
    return float(divergence_terms(f.p, g.p).sum())
