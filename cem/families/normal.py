"""Independent normal coordinates: the family for continuous variables."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.random import Generator

from cem.families.gaussian import normals
from cem.families.parametric import Independent, non_negative, parameter, real
from cem.families.samples import checked_sample, difference, mean_and_deviation, rows
from cem.families.totals import Totals, from_totals
from cem.loss.registry import closed_form_entropy, closed_form_kl
from cem.loss.series import divergence_terms
from cem.loss.support import Support
from cem.typing import Array, Batch, Vector

LN_2PI = math.log(2 * math.pi)
NEAR = 0.01  # mean square of std ratios less one: below it a divergence is a small difference
TINY = np.finfo(float).tiny


@dataclass(frozen=True, eq=False, repr=False)
class Normal(Independent):
    """``f(x; mean, std) = prod_j phi((x_j - mean_j) / std_j) / std_j`` on ``R^d``.

    ``mean`` and ``std`` have shape ``(d,)``; samples are float arrays of shape ``(n, d)``. A
    ``std`` of zero is a coordinate collapsed to a point: its density is infinite there.

    >>> f = Normal([0.0], [1.0]).fit(np.array([[1.0], [5.0]]), np.array([3.0, 1.0]))
    >>> f.mean, f.std.round(4)
    (array([2.]), array([1.7321]))
    """

    mean: Array = parameter(real)
    std: Array = parameter(non_negative)

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` points of ``R^d``, shape ``(n, d)``."""
        return normals(rng, n, self.mean, self.std)

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i; mean, std)``, shape ``(n,)``."""
        x = rows(self, x)
        if not self.std.all():
            return self._log_density_of_a_collapsed_one(x)
        z = x - self.mean
        z /= self.std
        square = np.einsum("ij,ij->i", z, z)
        log_f = -0.5 * (square + self.mean.size * LN_2PI) - np.log(self.std).sum()
        return np.fmax(log_f, -np.inf)  # NaN is nowhere

    def _log_density_of_a_collapsed_one(self, x: Array) -> Vector:
        point = self.std == 0
        there = (x[:, point] == self.mean[point]).all(axis=1)
        return np.where(there & np.isfinite(x).all(axis=1), np.inf, -np.inf)

    @from_totals
    def fit(self, x: Batch, weights: Vector) -> Self:
        """The weighted mean and standard deviation (population form, about the new mean).

        Raises ValueError for samples that are not finite.
        """
        x, w = checked_sample(self, x, weights, real)
        mean, std = mean_and_deviation(x, w)
        return self.replace(mean=mean, std=std)

    def statistics(self, x: Batch, weights: Vector) -> Totals:
        """Sums of ``z = (x - mean) / std`` and ``z^2``, which cancel less than those of ``x``."""
        z = np.divide(x - self.mean, self.std, out=np.zeros(x.shape), where=self.std > 0)
        return {"mass": weights.sum(), "z": weights @ z, "square": weights @ (z * z)}

    def from_statistics(self, total: Totals) -> Self:
        """The weighted mean and standard deviation from the sums."""
        z, square = total["z"] / total["mass"], total["square"] / total["mass"]
        return self.replace(
            mean=self.mean + self.std * z, std=self.std * np.sqrt(difference(square, z * z))
        )

    def at_normal(self, u: Batch) -> Batch:
        """The points whose distribution functions are those of standard normal ``u``."""
        return self.mean + self.std * np.asarray(u)

    def no_narrower_than(self, other: Self) -> Self:
        """Every standard deviation is raised to the other's: likelihood ratios stay bounded."""
        return self.replace(std=np.maximum(self.std, other.std))

    def spread(self) -> Array:
        """The standard deviations."""
        return self.std

    def support(self) -> Support:
        """All of ``R^d``; a collapsed coordinate is a point."""
        wide = self.std > 0
        return Support(np.where(wide, -np.inf, self.mean), np.where(wide, np.inf, self.mean))


@closed_form_entropy(Normal, of_fits=True)
def normal_entropy(f: Normal) -> float:
    """``sum_j ln(2 pi e std_j^2) / 2``; ``-inf`` for a collapsed one."""
    if not f.std.all():
        return -math.inf
    return 0.5 * f.mean.size * (1 + LN_2PI) + float(np.log(f.std).sum())


@closed_form_kl(Normal, Normal)
def normal_kl(f: Normal, g: Normal) -> float:
    """``sum_j (s/t - 1)^2 / 2 + [s/t - 1 - ln(s/t)] + shift^2 / 2``: no term is negative.

    Where the brackets would cancel, by their series.
    """
    if not (f.std.all() and g.std.all()):
        same = (f.std == g.std).all() and (f.mean == g.mean).all()
        return 0.0 if same else math.inf
    rise, ratio = (f.std - g.std) / g.std, f.std / g.std
    shift = (f.mean - g.mean) / g.std
    square = rise @ rise
    if square > NEAR * rise.size and ratio.min() >= TINY:
        brackets = (rise - np.log(ratio)).sum()
    else:
        brackets = (divergence_terms(g.std, f.std) / g.std).sum()
    return float(brackets + 0.5 * (square + shift @ shift))
