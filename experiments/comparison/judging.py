"""The statistics of a comparison: quantiles, intervals for shares and for medians, rank tests.

Plain arrays in, plain numbers out. A number may be infinite (a run that failed, a target that was
never reached); none may be NaN. Where a number is a loss, lower is better.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from cem.randomness import Purpose, root_of, stream
from cem.typing import Array

LEVEL = 0.95  # of every interval
RESAMPLES = 2000  # of a bootstrap
EXACT_PAIRS = 200  # seeds up to which the signed-rank test is exact; above, a normal distribution
EXACT_RUNS = 60  # of both variations together, for the rank-sum test


class Interval(NamedTuple):
    """The ends of an interval of 95 %; an end that is not known is infinite."""

    low: float
    high: float


class Test(NamedTuple):
    """The two-sided p-value, and which of the two has the lower losses: -1 the first, 1 the other.

    ``direction`` is 0 where the ranks are in balance.
    """

    __test__ = False  # for pytest

    p: float
    direction: int


def quantile(values: ArrayLike, q: float) -> Any:
    """The quantile along the last axis: an order statistic, or the mean of two (definition 2).

    Of the definitions that Hyndman and Fan (1996) list, this one gives the usual median and never
    multiplies an infinite number by nothing. The mean of minus and plus infinity is taken as 0.

    >>> float(quantile([1.0, 2.0, 4.0, np.inf], 0.5)), float(quantile([1.0, 2.0, np.inf], 0.95))
    (3.0, inf)
    """
    ordered = np.sort(np.asarray(values, dtype=float), axis=-1)
    n = ordered.shape[-1]
    h = round(n * q, 9)
    low = ordered[..., min(max(math.ceil(h) - 1, 0), n - 1)]
    high = ordered[..., min(math.floor(h), n - 1)]
    mean = np.add(low / 2, high / 2, out=np.zeros_like(low), where=low != -high)
    return np.where(low == high, low, mean)


def gap(a: ArrayLike, b: ArrayLike) -> Array:
    """``a - b``, where two numbers that are equal differ by nothing, infinite ones too.

    >>> gap([3.0, np.inf, np.inf], [1.0, np.inf, 1.0])
    array([ 2.,  0., inf])
    """
    a, b = np.broadcast_arrays(np.asarray(a, dtype=float), np.asarray(b, dtype=float))
    out = np.zeros(a.shape)
    return np.subtract(a, b, out=out, where=a != b)


def wilson(count: int, of: int) -> Interval:
    """Wilson's (1927) score interval for a share; all of 0 to 1 where there is no run.

    >>> [round(end, 4) for end in wilson(45, 50)]
    [0.7864, 0.9565]
    """
    if of == 0:
        return Interval(0.0, 1.0)
    from scipy.special import ndtri

    z = float(ndtri((1 + LEVEL) / 2))
    share, wide = count / of, z**2 / of
    middle = (share + wide / 2) / (1 + wide)
    half = z / (1 + wide) * math.sqrt(share * (1 - share) / of + wide / of / 4)
    low = 0.0 if count == 0 else middle - half
    return Interval(low, 1.0 if count == of else middle + half)


def clopper_pearson(count: int, of: int) -> Interval:
    """Clopper and Pearson's (1934) exact interval for a share: it never covers too rarely.

    >>> [round(end, 4) for end in clopper_pearson(45, 50)]
    [0.7819, 0.9667]
    """
    from scipy.special import betaincinv

    tail = (1 - LEVEL) / 2
    low = float(betaincinv(count, of - count + 1, tail)) if count else 0.0
    high = float(betaincinv(count + 1, of - count, 1 - tail)) if count < of else 1.0
    return Interval(low, high)


def covers_too_rarely(count: int, of: int, tests: int) -> bool:
    """Whether intervals of 95 % that hold so rarely are no chance, in any of so many variations.

    For one it is where the upper end of `clopper_pearson` is below 95 %.

    >>> covers_too_rarely(17, 20, 1), covers_too_rarely(16, 20, 1), covers_too_rarely(16, 20, 30)
    (False, True, False)
    """
    from scipy.special import bdtr

    return tests * float(bdtr(count, of, LEVEL)) < (1 - LEVEL) / 2


def running_time(spent: Array, hit: Array) -> tuple[float, Interval]:
    """The expected running time of a search that begins anew until it hits, and its interval.

    ``spent`` are the evaluations of every run until it hit or ended: their sum over the number of
    hits, the average runtime of Hansen et al. (2016, arXiv:1605.03560). Infinite if none hit. The
    interval is of the percentiles of a bootstrap over the runs.

    >>> running_time(np.array([100.0, 300.0, 300.0]), np.array([True, True, False]))[0]
    350.0
    """

    def ert(rows: Array) -> Array:
        hits = hit[rows].sum(axis=-1)
        total = spent[rows].sum(axis=-1)
        return np.divide(total, hits, out=np.full(np.shape(hits), np.inf), where=hits > 0)

    return float(ert(np.arange(len(spent)))), _percentiles(ert(_resampled(len(spent))))


def median_gap(a: Array, b: Array, *, paired: bool) -> tuple[float, Interval]:
    """The median of ``a - b``, and the percentile interval of a bootstrap over the seeds.

    With different seeds: the median of ``a`` less that of ``b``, each resampled on its own. The
    random numbers are the same at every call, and so are the ends for the same data.

    >>> median_gap(np.array([1.0, 2.0, 3.0]), np.array([0.0, 0.0, 0.0]), paired=True)
    (2.0, Interval(low=1.0, high=3.0))
    """
    if paired:
        d = gap(a, b)
        return float(quantile(d, 0.5)), _percentiles(quantile(d[_resampled(len(d))], 0.5))
    medians = (quantile(x[_resampled(len(x), i)], 0.5) for i, x in enumerate((a, b)))
    return float(gap(quantile(a, 0.5), quantile(b, 0.5))), _percentiles(gap(*medians))


def signed_rank(d: Array) -> Test:
    """Wilcoxon's (1945) signed-rank test of differences: does their sign tell one from the other?

    Differences of nothing are left out. The p-value is exact given the sizes of the others, ties
    and all: every one is equally likely to have had the other sign. For more than 200 of them it
    is that of a normal distribution with the same variance.

    >>> signed_rank(np.array([-1.0, -2.0, -3.0, -4.0, -5.0, -6.0]))
    Test(p=0.03125, direction=-1)
    """
    d = d[d != 0]
    double = _double_ranks(np.abs(d))
    above, middle = int(double[d > 0].sum()), double.sum() / 2
    if len(d) > EXACT_PAIRS:
        return _normal(above - middle, float((double**2).sum()) / 4)
    chance = np.zeros(int(double.sum()) + 1)
    chance[0] = 1.0
    for rank in double:
        chance[rank:] = chance[rank:] + chance[: len(chance) - rank]
        chance /= 2
    return _two_sided(chance, above, middle)


def rank_sum(a: Array, b: Array) -> Test:
    """Wilcoxon's rank-sum test, or Mann and Whitney's (1947): for runs with different seeds.

    Exact given the ties up to 60 runs in all: every choice of which of them are ``a`` is equally
    likely. For more, that of a normal distribution with the same variance.

    >>> rank_sum(np.array([1.0, 2.0, 3.0, 4.0]), np.array([5.0, 6.0, 7.0, 8.0]))
    Test(p=0.02857142857142857, direction=-1)
    """
    double, m, n = _double_ranks(np.concatenate([a, b])), len(a), len(a) + len(b)
    total, middle = int(double[:m].sum()), m * double.mean()
    if n > EXACT_RUNS:
        variance = m * (n - m) / (n - 1) * double.var()
        return _normal(total - middle, float(variance))
    ways = np.zeros((m + 1, int(double.sum()) + 1))  # how many choose so many, with such a sum
    ways[0, 0] = 1.0
    for rank in double:
        ways[1:, rank:] += ways[:-1, : ways.shape[1] - rank].copy()
    return _two_sided(ways[m] / ways[m].sum(), total, middle)


def holm(p: Sequence[float]) -> list[float]:
    """Holm's (1979) correction: the chance of any false decision among all stays below the level.

    >>> [round(x, 4) for x in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, dtype=float)
    order = np.argsort(values, kind="stable")
    factors = len(values) - np.arange(len(values))
    out = np.empty(len(values))
    out[order] = np.minimum(1.0, np.maximum.accumulate(values[order] * factors))
    return out.tolist()


def enough(n: int, tests: int, level: float = 1 - LEVEL) -> bool:
    """Whether ``n`` seeds can tell at all: if all agree, ``tests`` times ``2 / 2^n`` is small.

    >>> enough(5, 1), enough(6, 1), enough(6, 6)
    (False, True, False)
    """
    return tests * 2.0 ** (1 - n) < level


def _double_ranks(values: Array) -> Array:
    """Twice the ranks, from the lowest; those that tie share their mean, so this is whole."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    below = np.cumsum(counts) - counts
    return (2 * below + counts + 1)[which]


def _two_sided(chance: Array, found: int, middle: float) -> Test:
    p = 2 * min(float(chance[: found + 1].sum()), float(chance[found:].sum()))
    return Test(min(1.0, p), int(np.sign(found - middle)))


def _normal(off: float, variance: float) -> Test:
    from scipy.special import ndtr

    if variance == 0:
        return Test(1.0, 0)
    return Test(2 * float(ndtr(-abs(off) / math.sqrt(variance))), int(np.sign(off)))


@lru_cache(maxsize=8)
def _resampled(n: int, sample: int = 0) -> Array:
    """Which of ``n`` are drawn in every resample, shape ``(RESAMPLES, n)``."""
    return stream(root_of(0), Purpose.REPLICATION, sample).integers(n, size=(RESAMPLES, n))


def _percentiles(values: Array) -> Interval:
    tail = (1 - LEVEL) / 2
    return Interval(float(quantile(values, tail)), float(quantile(values, 1 - tail)))
