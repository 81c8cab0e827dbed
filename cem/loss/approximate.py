"""Expectations under a family that has no closed form: quadrature and Monte Carlo, by name."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from cem.loss.support import support_of
from cem.randomness import Purpose, root_of, stream
from cem.scores import real_number
from cem.typing import Batch, Family, Vector

QUANTILES = (1e-4, 1e-3, 1e-2, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1 - 1e-4)
PILOT = 10_000  # samples that say where the mass of a density is
SLAB = 1 << 14  # whole numbers at a time, at first
MOST = 1 << 27  # whole numbers in all
TOO_LARGE = "the density of {} is too large for a float at {:g}: use cem.loss.MonteCarlo"
MOST_ERROR = 1e-3  # relative to the parts of an integral, beyond which it is refused
COARSE = 1e-6  # what an integral is trusted to that has not settled
EPSILON = float(np.finfo(float).eps)


@dataclass(frozen=True)
class Approximation:
    """A value and how far it may be off.

    ``error`` is the standard error of a Monte Carlo mean, or the bound that the quadrature gives;
    ``n`` is the number of points at which the densities were evaluated; ``float()`` gives the
    value.
    """

    value: float
    error: float
    n: int

    def __float__(self) -> float:
        return self.value

    def __truediv__(self, unit: float) -> Approximation:
        return replace(self, value=self.value / unit, error=self.error / unit)

    def exp(self) -> Approximation:
        """Of the exponential, its error to first order."""
        value = math.exp(self.value) if self.value < 709 else math.inf
        return replace(self, value=value, error=value * self.error if self.error else 0.0)


class Expectation(ABC):
    """How to take a mean under a density; the three quantities are such means."""

    @abstractmethod
    def mean(self, f: Family, term: Callable[[Batch], Vector]) -> Approximation:
        """``E_f[term(X)]``; ``term`` takes a batch and gives one number per sample."""

    def entropy(self, f: Family) -> Approximation:
        """``H(f) = E_f[-ln f(X)]`` in nats."""
        return self.mean(f, lambda x: -f.log_density(x))

    def cross_entropy(self, f: Family, g: Family) -> Approximation:
        """``H(f, g) = E_f[-ln g(X)]`` in nats."""
        return self.mean(f, lambda x: -g.log_density(x))

    def kl_divergence(self, f: Family, g: Family) -> Approximation:
        """``D(f || g) = E_f[ln f(X) - ln g(X)]`` in nats."""
        return self.mean(f, lambda x: f.log_density(x) - g.log_density(x))


@dataclass(frozen=True)
class MonteCarlo(Expectation):
    """The mean over ``n`` samples, with its standard error; for families of any dimension.

    ``rng`` is an int, SeedSequence, Generator or None (SPEC 7).

    >>> from cem.families import Normal
    >>> found = MonteCarlo(10_000, rng=1).entropy(Normal([0.0], [1.0]))
    >>> abs(found.value - 1.4189385) < 4 * found.error < 0.04
    True
    """

    n: int = 100_000
    rng: Any = None

    def __post_init__(self) -> None:
        if isinstance(self.n, bool) or not isinstance(self.n, int | np.integer) or self.n < 2:
            raise ValueError(f"n must be a whole number of samples, at least 2; got {self.n!r}")

    def mean(self, f: Family, term: Callable[[Batch], Vector]) -> Approximation:
        """``E_f[term(X)]`` with its standard error; infinite if a single term is."""
        values = term(f.sample(stream(root_of(self.rng), Purpose.EXPECTATION, 0), self.n))
        if np.isnan(values).any():
            raise ValueError(f"a density of {type(f).__name__} or its partner is NaN at a sample")
        total = float(values.sum())
        if math.isnan(total):
            raise ValueError("the terms of the mean are inf and -inf: it does not exist")
        if math.isinf(total):
            return Approximation(total, 0.0, self.n)
        error = values.std(ddof=1) / math.sqrt(self.n)
        return Approximation(float(values.mean()), float(error), self.n)


@dataclass(frozen=True)
class Quadrature(Expectation):
    """Adaptive quadrature, or summation over the whole numbers; for families of one dimension.

    ``rtol`` is the relative error asked for. The family must know its ``support()``. Where mass
    lies closer to a point than floats lie to each other, as next to 1 for ``Beta`` with ``b`` far
    below 1, no sum over floats can see it: the error is that of the integral of what floats see.

    >>> from cem.families import Exponential, Normal
    >>> found = Quadrature().cross_entropy(Exponential([1.0]), Normal([0.0], [1.0]))
    >>> round(found.value, 9)  # ln(2 pi) / 2 + 1
    1.918938533
    """

    rtol: float = 1e-10

    def __post_init__(self) -> None:
        if not 0 < real_number("rtol", self.rtol) < 1:
            raise ValueError(f"rtol must lie between 0 and 1; got {self.rtol!r}")

    def mean(self, f: Family, term: Callable[[Batch], Vector]) -> Approximation:
        """``int f(x) term(x) dx`` over the support, or the sum over its whole numbers."""
        support = support_of(f)
        if support is None or support.low.shape != (1,):
            raise ValueError(
                f"quadrature needs a family of one dimension that knows its support; got {f!r}: "
                "use cem.loss.MonteCarlo"
            )
        pilot = np.sort(
            np.asarray(f.sample(stream(root_of(0), Purpose.EXPECTATION, 0), PILOT))[:, 0]
        )

        def values(x: Vector) -> Vector:
            batch = np.asarray(x)[:, None]
            with np.errstate(over="ignore"):
                density = np.exp(f.log_density(batch))
            if np.isnan(density).any():
                raise ValueError(
                    f"the density of {f!r} is NaN at {batch[np.isnan(density)][0, 0]:g}"
                )
            if np.isinf(density).any():
                raise ValueError(TOO_LARGE.format(f, batch[np.isinf(density)][0, 0]))
            at = density > 0  # 0 ln 0 = 0
            out = np.zeros(len(batch))
            terms = term(batch[at])
            with np.errstate(over="ignore"):
                out[at] = density[at] * terms
            if np.isinf(out[at]).any() and np.isfinite(terms).all():
                raise ValueError(TOO_LARGE.format(f, batch[at][0, 0]))
            return out

        low, high = float(support.low[0]), float(support.high[0])
        if support.discrete:
            return self._sum(values, low, high, start=float(pilot[PILOT // 2]))
        return self._integral(f, values, low, high, pilot)

    def _integral(
        self,
        f: Family,
        values: Callable[[Vector], Vector],
        low: float,
        high: float,
        pilot: Vector,
    ) -> Approximation:
        from scipy.integrate import quad

        inner = np.unique(np.quantile(pilot, QUANTILES))
        if len(inner) < len(QUANTILES):
            raise ValueError(f"{f!r} has collapsed, nearly or wholly, to a point")
        ends = [low, *inner[(inner > low) & (inner < high)].tolist(), high]
        middle = ends[1 + len(inner) // 2]
        total = error = scale = 0.0
        n = 0
        for a, b in pairwise(ends):
            integrand, width = _path(values, a, b, ends, middle)
            part, bound, info, *message = quad(
                integrand, 0.0, width, epsabs=0.0, epsrel=self.rtol, limit=200, full_output=1
            )
            if message:  # it has not settled
                bound = max(bound, COARSE * abs(part))
            total, error, scale = total + part, error + bound, scale + abs(part)
            n += info["neval"]
        if math.isinf(total):
            return Approximation(total, 0.0, n)
        if math.isnan(total):
            raise ValueError("the integral is NaN: a log_density is NaN somewhere")
        if error > MOST_ERROR * scale:
            raise ValueError(
                f"the integral does not converge: {total:g} with an error of {error:g}; use "
                "cem.loss.MonteCarlo"
            )
        return Approximation(total, error, n)

    def _sum(
        self, values: Callable[[Vector], Vector], low: float, high: float, start: float
    ) -> Approximation:
        """Outwards from the middle until a whole slab adds nothing."""
        total = error = 0.0
        n = 0
        for sign in (1, -1):
            edge, slab = (start if sign == 1 else start - 1), SLAB
            while low <= edge <= high:
                x = edge + sign * np.arange(slab, dtype=float)
                x = x[(x >= low) & (x <= high)]
                last = float(values(x).sum())
                total, n, edge = total + last, n + len(x), edge + sign * slab
                if abs(last) <= self.rtol * 1e-6 * abs(total):
                    error += abs(last)
                    break
                if n > MOST:
                    raise ValueError(
                        f"the sum has not settled after {n} terms: use cem.loss.MonteCarlo"
                    )
                slab = min(2 * slab, 1 << 20)
        return Approximation(total, error + EPSILON * abs(total), n)


def _path(
    values: Callable[[Vector], Vector], a: float, b: float, ends: list[float], middle: float
) -> tuple[Callable[[float], float], float]:
    """The integrand from ``a`` to ``b`` in a variable that suits it, from 0 to the second result.

    Between a finite end of the support and the middle that is a logarithm, since next to the end a
    density may be infinite; a tail is measured in steps of the quantiles next to it.
    """
    low, high = ends[0], ends[-1]
    if b <= middle and math.isfinite(low):
        return _logarithm(values, low, b - low), _log_ratio(b - low, a - low)
    if a >= middle and math.isfinite(high):
        return _logarithm(values, high, a - high), _log_ratio(high - a, high - b)
    if a == -math.inf:
        return _line(values, b, ends[1] - ends[2]), math.inf
    if b == math.inf:
        return _line(values, a, ends[-2] - ends[-3]), math.inf
    return _line(values, a, b - a), 1.0


def _log_ratio(far: float, near: float) -> float:
    return math.log(far / near) if near > 0 else math.inf


def _line(
    values: Callable[[Vector], Vector], origin: float, step: float
) -> Callable[[float], float]:
    """The integrand at ``origin + step t``."""

    def at(t: float) -> float:
        return float(values(np.array([origin + step * t]))[0]) * abs(step)

    return at


def _logarithm(
    values: Callable[[Vector], Vector], end: float, step: float
) -> Callable[[float], float]:
    """The integrand at ``end + step e^-t``: from ``end + step`` to ``end``, ever more slowly."""

    def at(t: float) -> float:
        distance = step * math.exp(-t)
        x = end + distance
        return 0.0 if x == end else float(values(np.array([x]))[0]) * abs(distance)

    return at
