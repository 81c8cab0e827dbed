"""Running sums of a weighted sample: the estimate, its standard error and its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from cem.typing import Array, Vector


class ConfidenceInterval(NamedTuple):
    """The ends of an interval."""

    low: float
    high: float


def relative_error(ess: ArrayLike, n: ArrayLike) -> Any:
    """The standard error of a mean over the mean, from Kish's number of all ``n > 1`` samples.

    >>> round(relative_error(25.0, 100.0), 4)  # 25 ones and 75 zeros
    np.float64(0.1741)
    """
    n = np.asarray(n, dtype=float)
    return np.sqrt(np.maximum(0.0, 1 / np.asarray(ess) - 1 / n) * n / (n - 1))


@dataclass(frozen=True)
class Tally:
    """Sums over ``z_i = I{S(x_i) >= gamma} W(x_i) exp(-scale)`` so far.

    The mean of ``I W`` estimates ``ell = P(S(X) >= gamma)`` without bias. ``plain`` says that every
    weight is one (crude Monte Carlo), where exact binomial intervals apply.
    """

    n: float = 0.0  # samples
    hits: float = 0.0  # of these, how many reached the level
    scale: float = 0.0
    sum1: float = 0.0
    sum2: float = 0.0
    sum3: float = 0.0
    largest: float = 0.0
    plain: float = 0.0  # 1.0 or 0.0: a tally is eight plain numbers

    def add(self, log_w: Vector, n: int) -> Tally:
        """The tally after ``n`` more samples, of which those with ``log_w`` reached the level."""
        if len(log_w) == 0:
            return replace(self, n=self.n + n)
        top = float(log_w.max())
        scale = top if self.hits == 0 else max(self.scale, top)
        old, z = math.exp(min(0.0, self.scale - scale)) if self.hits else 0.0, np.exp(log_w - scale)
        return replace(
            self,
            n=self.n + n,
            hits=self.hits + len(log_w),
            scale=scale,
            sum1=self.sum1 * old + float(z.sum()),
            sum2=self.sum2 * old**2 + float((z**2).sum()),
            sum3=self.sum3 * old**3 + float((z**3).sum()),
            largest=max(self.largest * old, float(z.max())),
        )

    @property
    def log_probability(self) -> float:
        """``ln`` of the estimate; ``-inf`` if nothing reached the level."""
        return self.scale + math.log(self.sum1 / self.n) if self.hits else -math.inf

    @property
    def probability(self) -> float:
        """The mean of ``z``."""
        return math.exp(self.log_probability)

    @property
    def relative_error(self) -> float:
        """The standard error of the mean of ``z`` over the mean; ``inf`` if it is not known."""
        if self.hits == 0 or self.n < 2:
            return math.inf
        return float(relative_error(self.ess, self.n))

    @property
    def std_error(self) -> float:
        """The standard error of the mean of ``z``; ``inf`` if it is not known."""
        return self.probability * self.relative_error if self.hits else math.inf

    @property
    def ess(self) -> float:
        """Kish's effective number of samples at the level: ``(sum z)^2 / sum z^2``."""
        return self.sum1**2 / self.sum2 if self.hits else 0.0

    @property
    def variation(self) -> float:
        """The coefficient of variation of ``z``: standard deviation over mean."""
        return math.sqrt(max(0.0, self.n / self.ess - 1)) if self.hits else math.inf

    @property
    def max_weight(self) -> float:
        """The largest share of one sample in the estimate."""
        return self.largest / self.sum1 if self.hits else 0.0

    @property
    def skewness(self) -> float:
        """The skewness of the mean of ``z``: that of ``z`` over ``sqrt(n)``."""
        if self.hits == 0 or self.n < 2:
            return 0.0
        mean = self.sum1 / self.n
        variance = self.sum2 / self.n - mean**2
        third = self.sum3 / self.n - 3 * mean * self.sum2 / self.n + 2 * mean**3
        if variance <= 1e-14 * mean**2:
            return 0.0
        return third / variance**1.5 / math.sqrt(self.n)

    def interval(self, level: float = 0.95, most: float = 1.0) -> ConfidenceInterval:
        """A two-sided confidence interval for ``ell``, at most ``most``: see `cem.Estimate`."""
        if not 0 < level < 1:
            raise ValueError(f"level must lie strictly between 0 and 1; got {level!r}")
        tail = (1 - level) / 2
        if self.plain and self.n:
            return self._binomial(tail)
        if self.hits < 2:
            return ConfidenceInterval(0.0, most)  # nothing is known
        from scipy.special import stdtrit

        quantile = float(stdtrit(max(1.0, self.ess - 1), 1 - tail))
        low = self.probability * (1 - self.relative_error * self._unskew(quantile))
        high = self.probability * (1 - self.relative_error * self._unskew(-quantile))
        return ConfidenceInterval(max(0.0, low), min(most, high))

    def _unskew(self, y: float) -> float:
        """``T`` with ``T + a T^2 / 3 + a^2 T^3 / 27 + a / 6 = y``, for the skewness ``a``."""
        a = self.skewness
        if abs(a) < 1e-6:
            return y
        return 3 / a * (float(np.cbrt(1 + a * (y - a / 6))) - 1)

    def _binomial(self, tail: float) -> ConfidenceInterval:
        """Clopper and Pearson's exact interval."""
        from scipy.special import betaincinv

        k, n = self.hits, self.n
        low = float(betaincinv(k, n - k + 1, tail)) if k else 0.0
        high = float(betaincinv(k + 1, n - k, 1 - tail)) if k < n else 1.0
        return ConfidenceInterval(low, high)

    def as_array(self) -> Array:
        """The numbers, for `cem.state.State.memory`."""
        names = self.__dataclass_fields__
        return np.array([getattr(self, name) for name in names], dtype=float)

    @classmethod
    def from_array(cls, numbers: Array) -> Tally:
        """The inverse of `as_array`."""
        return cls(*numbers.tolist())
