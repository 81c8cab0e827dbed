"""Independent normal coordinates rounded to whole numbers: integer variables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.random import Generator

from cem.families.normal import LN_2PI
from cem.families.parametric import ROUNDING, Independent, constant, parameter, real
from cem.families.samples import checked_sample, rows
from cem.families.truncated_normal import SMALLEST_DRAW, gauss_legendre
from cem.loss.support import Support
from cem.typing import Array, Batch, Vector

LEAST = 0.194  # the std at which a mean on a whole number leaves one per cent to its neighbours
MOST = 2.0**46  # and the largest: a double knows no halves beyond 2^52
FARTHEST = 2.0**52
WIDE = 16.0  # from this std on the corrections to the variance are exact to rounding
WINDOW = np.arange(-150.0, 151.0)  # whole numbers within nine times that
NO_END: Any = np.inf
SLACK = 1e-14  # of the loss: if it grows by this, it has not grown
SMALL_GAIN = 1e-14  # of the loss: what a last step promises
RIDGE = 1e-9  # of the bend of the box, added where the samples fit many members equally well
MOST_STEPS = 1000


def means(a: Array) -> Array:
    """Finite numbers of which whole ones near them are doubles."""
    if (np.abs(real(a)) <= FARTHEST / 4).all():
        return a
    raise ValueError(f"must be at most 2^50 in size; got {a[np.abs(a).argmax()]:g}")


def deviations(a: Array) -> Array:
    """Numbers from `LEAST` to `MOST`, give or take what averaging adds."""
    if a.min() >= LEAST - ROUNDING and a.max() <= MOST * (1 + ROUNDING):  # false for NaN
        return a
    bad = a[~((a >= LEAST - ROUNDING) & (a <= MOST * (1 + ROUNDING)))][0]
    raise ValueError(
        f"must lie between {LEAST:g}, where hardly a neighbour is drawn beside the likeliest whole "
        f"number, and 2^46; got {bad:g}"
    )


def ends(a: Array) -> Array:
    """Whole numbers, or infinite ones."""
    if ((np.abs(a) <= FARTHEST) & (a == np.floor(a)) | np.isinf(a)).all():
        return a
    raise ValueError(f"must hold whole numbers up to 2^52 in size, or infinite ones; got {a}")


@dataclass(frozen=True, eq=False, repr=False)
class RoundedNormal(Independent):
    """The whole number next to a normal variable, ``f(k) ~ Phi(k + 1/2) - Phi(k - 1/2)`` of it.

    ``mean`` and ``std``, of the normal variable in each coordinate, have shape ``(d,)``; samples
    are int64 arrays of shape ``(n, d)``. ``low`` and ``high``, a number for all or one for each
    coordinate, are the least and the largest whole number that occur: the normal density is
    cut off half a step beyond, and what is left is normalised again. They are not fitted. The mean
    lies between them.

    ``std`` is at least 0.194, where a mean on a whole number leaves one per cent to its
    neighbours. Narrower ones have no use: they would freeze a coordinate, and to samples of one
    value, or of two adjacent ones, the narrowest is always the likeliest. It is at most
    ``high - low + 1``, where the density is nearly flat.

    >>> f = RoundedNormal([2.0], [1.0]).fit(np.array([[0], [1], [5]]), np.ones(3))
    >>> f.mean.round(3), f.std.round(3)
    (array([2.]), array([2.141]))
    """

    mean: Array = parameter(means)
    std: Array = parameter(deviations)
    low: Array = field(default=-NO_END, metadata=constant(ends).metadata)
    high: Array = field(default=NO_END, metadata=constant(ends).metadata)

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            if np.ndim(end := getattr(self, name)) == 0:
                object.__setattr__(self, name, np.full(np.shape(self.mean), end))
        super().__post_init__()
        if not self.low.shape == self.high.shape == self.mean.shape:
            raise ValueError(
                "RoundedNormal.low and RoundedNormal.high must be numbers or have the shape of the "
                f"mean, {self.mean.shape}; got {self.low.shape} and {self.high.shape}"
            )
        slack = ROUNDING * np.maximum(1.0, np.abs(self.mean))
        if (bad := (self.mean < self.low - slack) | (self.mean > self.high + slack)).any():
            j = int(bad.argmax())
            raise ValueError(
                "RoundedNormal.mean must lie between low and high; got "
                f"{self.mean[j]:g}, not in {self.low[j]:g} to {self.high[j]:g}, at index {j}"
            )
        if (bad := self.std > self._widest() * (1 + ROUNDING)).any():
            j = int(bad.argmax())
            raise ValueError(
                "RoundedNormal.std must be at most high - low + 1, where the density is nearly "
                f"flat; got {self.std[j]:g} for {self.low[j]:g} to {self.high[j]:g} at index {j}"
            )

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` points, int64, shape ``(n, d)``, by inversion: a uniform number for each."""
        from scipy.special import ndtr, ndtri

        below, above = ndtr((self._box() - self.mean) / self.std)
        u = np.maximum(rng.random((n, self.mean.size)), SMALLEST_DRAW)
        z = ndtri(np.minimum(below + u * (above - below), 1 - SMALLEST_DRAW * 2))
        return np.rint(self.mean + self.std * z).clip(self.low, self.high).astype(np.int64)

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i; mean, std)``, shape ``(n,)``; ``-inf`` off the whole numbers allowed.

        These are at most ``2^52`` in size.
        """
        x = rows(self, x)
        low, high = np.maximum(self.low, -FARTHEST), np.minimum(self.high, FARTHEST)
        inside = (x >= low) & (x <= high) & (x == np.floor(x))
        values = _values(np.where(inside, x, self.mean.round()))
        log_mass = _cells(values.edges, self.mean, self.std, values.column).log_mass
        log_f = log_mass[values.number].sum(axis=0)
        log_f -= _cells(self._box(), self.mean, self.std).log_mass.sum()
        return np.where(inside.all(axis=1), log_f, -np.inf)

    def fit(self, x: Batch, weights: Vector) -> Self:
        """The ``mean`` and ``std`` of the largest weighted likelihood of the whole numbers.

        Newton's method from the moments of the samples, each step halved until the likelihood
        grows. Raises ValueError for samples that are not whole or not allowed.
        """
        x, w = checked_sample(self, x, weights, real)
        good = (x >= self.low) & (x <= self.high) & (x == np.floor(x)) & (np.abs(x) <= FARTHEST / 4)
        if not good.all():
            i, j = (int(k) for k in np.argwhere(~good)[0])
            raise ValueError(
                "RoundedNormal.fit: samples of positive weight must be whole numbers from low to "
                f"high, up to 2^50 in size; got {x[i, j]:g} at index {(i, j)}, for "
                f"{self.low[j]:g} to {self.high[j]:g}"
            )
        values = _values(x)
        share = np.asarray(np.bincount(values.number.ravel(), np.tile(w, x.shape[1])), dtype=float)
        least, most = x.min(axis=0), x.max(axis=0)
        mean = (w @ x).clip(least, most)
        std = np.sqrt(np.maximum(w @ (x - mean) ** 2 - 1 / 12, LEAST**2))  # Sheppard's correction
        widest = np.where(most - least > 1, self._widest(), LEAST)
        mean, std = self._likeliest(values, share, np.stack([mean, std]), widest)
        return self.replace(mean=mean, std=std)

    def no_narrower_than(self, other: Self) -> Self:
        """Every ``std`` is raised to the other's."""
        return self.replace(std=np.maximum(self.std, other.std))

    def spread(self) -> Array:
        """The standard deviations of ``x``, rounded and cut off."""
        from scipy.special import ndtr

        k = self.mean.round()[:, None] + WINDOW
        upper, lower = (ndtr((k + h - self.mean[:, None]) / self.std[:, None]) for h in (0.5, -0.5))
        inside = (k >= self.low[:, None]) & (k <= self.high[:, None])
        mass = np.where(inside, upper - lower, 0.0)
        mass /= mass.sum(axis=1, keepdims=True)
        gap = k - (mass * k).sum(axis=1, keepdims=True)
        return np.sqrt(np.where(self.std < WIDE, (mass * gap**2).sum(axis=1), self._smooth()))

    def support(self) -> Support:
        """The whole numbers from ``low`` to ``high``."""
        return Support(self.low, self.high, discrete=True)

    def _box(self) -> Array:
        """The ends between which the normal variable lies, shape ``(2, d)``."""
        return np.stack([self.low - 0.5, self.high + 0.5])

    def _widest(self) -> Array:
        return np.minimum(self.high - self.low + 1, MOST)

    def _smooth(self) -> Array:
        """The variance by that of the normal variable: Sheppard's correction, and that at ends."""
        box = self._box()
        cell = _cells(box, self.mean, self.std)
        end = (box - self.mean) / self.std
        finite = np.isfinite(end)
        end = np.where(finite, end, 0.0)
        log_f = np.where(finite, -(end**2 + LN_2PI) / 2 - cell.log_mass, -np.inf)
        steps = np.abs(end - cell.mean) * np.exp(log_f)
        return self.std**2 * cell.variance + 1 / 12 - steps.sum(axis=0) / 6

    def _likeliest(
        self, values: _Values, share: Array, start: Array, widest: Array
    ) -> tuple[Array, Array]:
        """Newton's method for ``(mean / std, 1 / std)``, within the bounds of ``(mean, std)``.

        In these the likelihood is concave where nothing is cut off.
        """
        lowest = np.stack([self.low, np.full_like(widest, LEAST)])
        highest = np.stack([self.high, widest])
        point = trial = start.clip(lowest, highest)
        step, length = np.zeros_like(start), np.ones_like(widest)
        least = gain = np.full_like(widest, np.inf)
        for _ in range(MOST_STEPS):
            loss, gradient, bend, box_bend = self._loss(values, share, *trial)
            better = loss <= least + SLACK * np.maximum(1.0, np.abs(loss))
            point, least = np.where(better, trial, point), np.where(better, loss, least)
            outward = np.where(gradient > 0, point <= lowest, point >= highest)
            fixed = outward | (lowest == highest)
            inward = np.where(fixed, 0.0, gradient)
            new = _newton(inward, bend, box_bend, fixed)
            gain = np.where(better, -(inward * new).sum(axis=0), gain)
            step, length = np.where(better, new, step), np.where(better, 1.0, length / 4)
            growth = 1 / np.maximum(1 - length * step[1], 0.1)
            trial = np.stack([point[0] + length * step[0] * point[1] * growth, point[1] * growth])
            trial = trial.clip(lowest, highest)
            if (length * gain <= SMALL_GAIN * np.maximum(1.0, np.abs(least))).all():
                return trial[0], trial[1]
        raise RuntimeError(f"the fit of a rounded normal density took over {MOST_STEPS} steps")

    def _loss(
        self, values: _Values, share: Array, mean: Array, std: Array
    ) -> tuple[Array, Array, Array, Array]:
        """Minus the likelihood, its gradient and Hessian, shapes ``(d,)``, ``(2, d)``, ``(3, d)``.

        In ``c`` and ``q`` for ``mean + std c / (1 - q)`` and ``std / (1 - q)``, at zero: from the
        moments of ``u = (z - mean) / std`` in the cells and in the box. And the bend of the box.
        """

        def total(a: Array) -> Array:
            return np.asarray(np.bincount(values.column, share * a, mean.size), dtype=float)

        cells = _cells(values.edges, mean, std, values.column)
        box = _cells(self._box(), mean, std)
        first, second = box.mean - total(cells.mean), box.square - total(cells.square)
        bend = np.stack([b - total(c) for b, c in zip(box[3:], cells[3:], strict=True)])
        bend -= np.stack([np.zeros_like(first), first, second])
        loss = box.log_mass - total(cells.log_mass)
        return loss, np.stack([first, second]), bend, np.stack(box[3:])


class _Values(NamedTuple):
    """The distinct values of every column of a batch."""

    edges: Array  # (2, m): half a step below and above each
    column: Any  # (m,): whose they are
    number: Any  # (d, n): which of them the samples have


def _values(x: Array) -> _Values:
    order = x.T.argsort(axis=1)
    ordered = np.take_along_axis(x.T, order, axis=1)
    is_new = np.ones(ordered.shape, dtype=bool)
    is_new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    number = np.empty(order.shape, dtype=np.int64)
    np.put_along_axis(number, order, is_new.cumsum().reshape(order.shape) - 1, axis=1)
    value = ordered[is_new]
    return _Values(np.stack([value - 0.5, value + 0.5]), np.nonzero(is_new)[0], number)


class _Cells(NamedTuple):
    """What a standard normal ``u`` has between two edges, elementwise."""

    log_mass: Array
    mean: Array
    square: Array  # the mean of u^2
    variance: Array
    covariance: Array  # of u and u^2
    variance_of_square: Array


def _cells(edges: Array, mean: Array, std: Array, column: Any = slice(None)) -> _Cells:
    """For ``u = (z - mean) / std`` and edges of ``z``, by quadrature: right in every tail."""
    mode = np.minimum(np.maximum(edges[0], mean[column]), edges[1])
    low, high = (edges - mode) / std[column]
    mode = (mode - mean[column]) / std[column]
    grid = gauss_legendre(mode, np.ones_like(mode), low, high)
    centre = (grid.share * grid.t).sum(axis=1)
    t = grid.t - centre[:, None]
    weighted = grid.share * t
    variance, third, fourth = ((weighted := weighted * t).sum(axis=1) for _ in range(3))
    u = mode + centre
    return _Cells(
        grid.log_size - (mode**2 + LN_2PI) / 2,
        u,
        u**2 + variance,
        variance,
        third + 2 * u * variance,
        fourth + 4 * u * third + 4 * u**2 * variance - variance**2,
    )


def _newton(gradient: Array, bend: Array, box_bend: Array, fixed: Any) -> Array:
    """Newton's step; of the other alone where one of the two is fixed, and has no gradient.

    With the bend of the box where that of the loss is not positive definite: nearly a step of the
    EM algorithm.
    """
    one, two = fixed
    box_bend = np.stack([box_bend[0], np.where(one | two, 0.0, box_bend[1]), box_bend[2]])
    bend = np.where(np.stack([one, one | two, two]), box_bend, bend + RIDGE * box_bend)
    convex = (bend[0] > 0) & (bend[2] > 0) & (bend[0] * bend[2] > bend[1] ** 2)
    a, b, c = np.where(convex, bend, box_bend)
    g, h = gradient
    return np.stack([b * h - c * g, b * g - a * h]) / (a * c - b**2)
