"""Independent normal coordinates cut off at the sides of a box: bounded continuous variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.random import Generator

from cem.families.differences import exp_excess
from cem.families.newton import CLOSE, MOST_STEPS, increasing_root
from cem.families.parametric import (
    ROUNDING,
    Independent,
    constant,
    non_negative,
    parameter,
    real,
)
from cem.families.samples import checked_sample, rows
from cem.loss.registry import closed_form_entropy, closed_form_kl
from cem.loss.support import Support
from cem.typing import Array, Batch, Vector

DEEP = 40.0  # where the density is below exp(-40) of its top it adds nothing to a double
NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(48)  # exact to rounding for what is above
FAR = 30.0  # standard deviations from the mean to the box: beyond, the normal tail underflows soon
SMALLEST_DRAW = 2.0**-54  # in place of a uniform draw of 0, whose quantile may be infinite
COLLAPSED = 1e-100  # samples this near to each other or to a side, in box widths, are a point


@dataclass(frozen=True, eq=False, repr=False)
class TruncatedNormal(Independent):
    """``f(x; mean, std) ~ prod_j phi((x_j - mean_j) / std_j)`` on the box ``low <= x <= high``.

    All four have shape ``(d,)``; samples are float arrays of shape ``(n, d)``. ``mean`` and
    ``std`` are those before the cut: a mean outside the box makes a density that falls from a
    side, nearly exponentially. The box is not fitted: every member made from this one keeps it.
    ``std`` is at most the width of the box, where the density is nearly flat: what is flatter
    still has no likeliest ``std``. A ``std`` of zero is a coordinate collapsed to the point of the
    box next to the mean.

    >>> f = TruncatedNormal([0.5], [1.0], low=[0.0], high=[1.0])
    >>> f.fit(np.array([[0.1], [0.2], [0.4]]), np.ones(3)).mean.round(4)
    array([0.214])
    """

    mean: Array = parameter(real)
    std: Array = parameter(non_negative)
    low: Array = constant(real)
    high: Array = constant(real)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.low.shape == self.high.shape == self.mean.shape:
            raise ValueError(
                "TruncatedNormal.low and TruncatedNormal.high must have the shape of the mean, "
                f"{self.mean.shape}; got {self.low.shape} and {self.high.shape}"
            )
        with np.errstate(over="ignore"):
            width = self.high - self.low
        if (bad := (width <= 0) | (width == np.inf)).any():
            j = int(bad.argmax())
            raise ValueError(
                "TruncatedNormal.low must be below TruncatedNormal.high, at a distance that is a "
                f"finite double; got {self.low[j]:g} and {self.high[j]:g} at index {j}"
            )
        if (bad := self.std > width * (1 + ROUNDING)).any():
            j = int(bad.argmax())
            raise ValueError(
                "TruncatedNormal.std must be at most high - low, where the density is nearly flat; "
                f"got {self.std[j]:g} in a box of width {width[j]:g} at index {j}"
            )

    @property
    def mode(self) -> Array:
        """The point of the box next to the mean, where the density is largest; shape ``(d,)``."""
        return self.mean.clip(self.low, self.high)

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` points of the box, shape ``(n, d)``, by inversion: a uniform number for each."""
        u = np.maximum(rng.random((n, self.mean.size)), SMALLEST_DRAW)
        mode, std = self.mode, _positive_std(self)
        low, high = (self.low - self.mean) / std, (self.high - self.mean) / std
        slope, width, t = (mode - self.mean) / std, (self.high - self.low) / std, np.empty_like(u)
        far = np.abs(slope) > FAR
        t[:, ~far] = _quantile(u[:, ~far], low[~far], high[~far]) - slope[~far]
        t[:, far] = _far_quantile(u[:, far], np.abs(slope[far]), width[far]) * np.sign(slope[far])
        x = mode + std * t
        return np.where(self.std > 0, x.clip(self.low, self.high), mode)

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i; mean, std)``, shape ``(n,)``; ``-inf`` outside the box."""
        x = rows(self, x, float)
        inside = ((x >= self.low) & (x <= self.high)).all(axis=1)
        mode, point = self.mode, self.std == 0
        if point.any():
            there = (x[:, point] == mode[point]).all(axis=1)
            return np.where(there & inside, np.inf, -np.inf)
        slope = (mode - self.mean) / self.std
        with np.errstate(over="ignore"):  # too deep for a double is nowhere
            t = (np.where(inside[:, None], x, mode) - mode) / self.std
            depth = (t * (slope + t / 2)).sum(axis=1)
        log_top = -(_grid_of(self).log_size + np.log(self.std)).sum()
        return np.where(inside, log_top - depth, -np.inf)

    def fit(self, x: Batch, weights: Vector) -> Self:
        """The ``mean`` and ``std`` of the largest weighted likelihood in the same box.

        The moments of the member are then those of the samples; where these vary more than a
        member of ``std = high - low`` with their mean does, that ``std`` is the likeliest and the
        mean alone agrees. Samples that are all equal give a collapsed coordinate. Raises
        ValueError for samples outside the box.
        """
        x, w = checked_sample(self, x, weights, real)
        if (outside := (x < self.low) | (x > self.high)).any():
            i, j = (int(k) for k in np.argwhere(outside)[0])
            raise ValueError(
                f"TruncatedNormal.fit: samples of positive weight must lie in the box; got "
                f"{x[i, j]:g} at index {(i, j)}, outside {self.low[j]:g} to {self.high[j]:g}"
            )
        mean = (w @ x).clip(x.min(axis=0), x.max(axis=0))
        width = self.high - self.low
        below, above = w @ (x - self.low), w @ (self.high - x)
        std = width * np.sqrt(w @ ((x - mean) / width) ** 2)
        wide = np.minimum(np.minimum(below, above), std) > COLLAPSED * width
        std[~wide] = 0.0
        s = std[wide]
        tilt, precision = _likeliest(-below[wide] / s, above[wide] / s, (s / width[wide]) ** 2)
        mean[wide] += s * (tilt / precision)
        std[wide] = np.minimum(s / np.sqrt(precision), width[wide])
        return self.replace(mean=mean, std=std)

    def no_narrower_than(self, other: Self) -> Self:
        """Every ``std`` is raised to the other's."""
        return self.replace(std=np.maximum(self.std, other.std))

    def spread(self) -> Array:
        """The standard deviations of ``x``, after the cut."""
        grid = _grid_of(self)
        t = grid.t - (grid.share * grid.t).sum(axis=1, keepdims=True)
        return self.std * np.sqrt((grid.share * t**2).sum(axis=1))

    def support(self) -> Support:
        """The box; a collapsed coordinate is a point."""
        wide, mode = self.std > 0, self.mode
        return Support(np.where(wide, self.low, mode), np.where(wide, self.high, mode))


class Grid(NamedTuple):
    """A density by its values at a few points of every coordinate, enough for its moments."""

    t: Array  # (d, nodes): from the mode
    share: Array  # (d, nodes): sums to one over the nodes
    depth: Array  # (d, nodes): ln of the density at the mode over that here
    log_size: Array  # (d,): ln of the integral of exp(-depth)


def gauss_legendre(slope: Array, curvature: Array, left: Array, right: Array) -> Grid:
    """Gauss-Legendre for ``exp(-slope t - curvature t^2 / 2)`` on ``left <= 0 <= right``.

    The top is at 0: the slope is zero unless that is an end. No moment suffers from cancellation.
    """
    reach = 2 * DEEP / (np.abs(slope) + np.hypot(slope, np.sqrt(2 * DEEP * curvature)))
    left, right = np.maximum(left, -reach), np.minimum(right, reach)
    half = ((right - left) / 2)[:, None]
    t = half * (1 + NODES) + left[:, None]
    depth = t * (slope[:, None] + curvature[:, None] * t / 2)
    share = np.exp(-depth) * NODE_WEIGHTS
    total = share.sum(axis=1)
    return Grid(t, share / total[:, None], depth, np.log(half[:, 0] * total))


def _grid_of(f: TruncatedNormal) -> Grid:
    """In standard deviations from the mode."""
    mode, std = f.mode, _positive_std(f)
    left, right = (f.low - mode) / std, (f.high - mode) / std
    return gauss_legendre((mode - f.mean) / std, np.ones_like(std), left, right)


def _positive_std(f: TruncatedNormal) -> Array:
    """``std``; the width of the box in place of zero, for numbers that are not used."""
    return np.where(f.std > 0, f.std, f.high - f.low)


def _quantile(u: Array, low: Array, high: Array) -> Array:
    """The standard normal quantile between two ends; in the upper tail by reflection."""
    from scipy.special import ndtr, ndtri

    upper = low > 0
    a, b = ndtr(np.where(upper, -low, low)), ndtr(np.where(upper, -high, high))
    return np.where(upper, -1.0, 1.0) * ndtri(a + u * (b - a))


def _far_quantile(u: Array, start: Array, width: Array) -> Array:
    """How far beyond ``start >= FAR`` the quantile on ``[start, start + width]`` lies.

    ``-ln`` of the tail beyond ``start + h`` over that beyond ``start`` is ``h (start + h / 2)`` and
    a little: Newton's method from there.
    """
    from scipy.special import erfcx

    def log_tail(h: Array) -> Array:
        return h * (start + h / 2) - np.log(erfcx((start + h) / np.sqrt(2)) / at_start)

    at_start = erfcx(start / np.sqrt(2))
    aim = -np.log1p(u * np.expm1(-log_tail(width)))
    h = 2 * aim / (start + np.hypot(start, np.sqrt(2 * aim)))
    for _ in range(3):  # the first error is of the order start^-2, and each step squares it
        hazard = np.sqrt(2 / np.pi) / erfcx((start + h) / np.sqrt(2))
        h = h - (log_tail(h) - aim) / hazard
    return h


def _likeliest(low: Array, high: Array, least: Array) -> tuple[Array, Array]:
    """``tilt`` and ``precision >= least`` of the likeliest ``exp(tilt u - precision u^2 / 2)``.

    The samples have mean 0 and variance 1, and lie in ``[low, high]``.
    """

    def centred(tilt: Array, precision: Array) -> tuple[Array, Array, Array]:
        """Mean, deviations from it and their shares."""
        mode = (tilt / precision).clip(low, high)
        grid = gauss_legendre(precision * mode - tilt, precision, low - mode, high - mode)
        u = grid.t + mode[:, None]
        mean = (grid.share * u).sum(axis=1)
        return mean, u - mean[:, None], grid.share

    def equation(tilt: Array) -> tuple[Array, Array]:
        mean, u, share = centred(tilt, least)
        return mean, (share * u**2).sum(axis=1)

    flattest = increasing_root(equation, 1 / low + 1 / high)
    flat = equation(flattest)[1] <= 1
    tilt, precision = np.where(flat, flattest, 0.0), np.where(flat, least, 1.0)
    for _ in range(MOST_STEPS):  # a convex loss; its gradient and Hessian are moments
        mean, u, share = centred(tilt, precision)
        square = u * (u + 2 * mean[:, None])  # less mean^2
        middle = (share * square).sum(axis=1)
        v = (middle[:, None] - square) / 2
        g, h = mean, (1 - middle - mean**2) / 2
        uu, uv, vv = ((share * a).sum(axis=1) for a in (u * u, u * v, v * v))
        determinant = uu * vv - uv**2
        step = (uv * h - vv * g) / determinant, (uv * g - uu * h) / determinant
        decrement = np.sqrt(np.maximum(-(g * step[0] + h * step[1]), 0.0))
        damping = np.where(flat, 0.0, 1 / (1 + decrement))
        before = tilt, precision
        tilt = tilt + damping * step[0]
        precision = np.maximum(precision + damping * step[1], least)
        moved = np.maximum(abs(tilt - before[0]), abs(precision - before[1]))
        if (moved <= CLOSE * np.maximum(1.0, abs(tilt))).all():
            return tilt, precision
    raise RuntimeError(f"the fit of a truncated normal density took over {MOST_STEPS} steps")


@closed_form_entropy(TruncatedNormal)
def _entropy(f: TruncatedNormal) -> float:
    """``ln`` of the integral and the mean depth; ``-inf`` for a collapsed one."""
    if not f.std.all():
        return -np.inf
    grid = _grid_of(f)
    return float((grid.log_size + np.log(f.std) + (grid.share * grid.depth).sum(axis=1)).sum())


@closed_form_kl(TruncatedNormal, TruncatedNormal)
def _kl(f: TruncatedNormal, g: TruncatedNormal) -> float:
    """For ``e = ln(g / f)`` less its mean ``D = ln E_f exp(e)``: for near ones nothing cancels."""
    if not (f.std.all() and g.std.all()):
        same = (f.std == g.std).all() and (f.mode == g.mode).all()
        return 0.0 if same else np.inf
    if (f.low < g.low).any() or (f.high > g.high).any():
        return np.inf
    grid, mode = _grid_of(f), f.mode
    bend = (f.std - g.std) / g.std * (f.std + g.std) / g.std
    slope = (f.mean - g.mean) / g.std * (f.std / g.std) + (mode - f.mean) / f.std * bend
    e = -grid.t * (slope[:, None] + bend[:, None] * grid.t / 2)
    mean = (grid.share * e).sum(axis=1)
    e -= mean[:, None]
    near = (f.low == g.low) & (f.high == g.high) & (np.abs(e).max(axis=1) < 1)
    small = np.log1p((grid.share * exp_excess(np.where(near[:, None], e, 0.0))).sum(axis=1))
    own = grid.log_size + np.log(f.std)
    start = (mode - g.mode) / g.std  # ln g at the mode of f
    depth = start * ((g.mode - g.mean) / g.std + start / 2)
    large = _grid_of(g).log_size + np.log(g.std) + depth - own - mean
    return float(np.where(near, small, large).sum())
