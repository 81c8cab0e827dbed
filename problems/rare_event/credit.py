"""Credit risk: do so many obligors default together that the loss is gamma or more?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from cem.families import Normal
from cem.typing import Array, Batch, Vector
from problems import check_every, check_whole

NODES = 4001  # of the trapezoidal rule for the factor, which is exact to rounding for smooth tails
FARTHEST = (-10.0, 38.5)  # beyond lies less than 1e-23 of any tail that rises with the factor


@dataclass(frozen=True, eq=False)
class Credit:
    """Score: the loss ``sum_i exposure_i I{obligor i defaults}``; the event is ``S >= gamma``.

    One factor ``Z``, the state of the economy, moves all: obligor ``i`` defaults if
    ``a_i Z + sqrt(1 - a_i^2) e_i`` is in the upper tail of probability ``p_i`` of the standard
    normal density, where ``Z`` and the ``e_i`` are independent standard normals: a Gaussian copula.
    ``probability`` (``p``), ``loading`` (``a``, from 0 to below 1) and ``exposure`` (whole numbers
    of a unit of money) have shape ``(n,)``. Model: Glasserman and Li, Management Science 51 (2005).

    >>> two = Credit([0.1, 0.2], [0.5, 0.5], [3, 1], gamma=4.0)
    >>> two(np.array([[3.0, 1.0, 1.0], [0.0, 2.0, 0.0]]))
    array([4., 3.])
    """

    probability: Array
    loading: Array
    exposure: Array
    gamma: float

    def __post_init__(self) -> None:
        for name in ("probability", "loading", "exposure"):
            array = np.array(getattr(self, name), dtype=float)
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        p, a, c = self.probability, self.loading, self.exposure
        if not (p.shape == a.shape == c.shape and p.ndim == 1 and p.size):
            raise ValueError(
                "expected one probability, loading and exposure for every obligor, and at least one"
                f" obligor; got shapes {p.shape}, {a.shape} and {c.shape}"
            )
        of = "obligor"
        check_every("probability", p, (p > 0) & (p < 1), "strictly between 0 and 1", of)
        check_every("loading", a, (a >= 0) & (a < 1), "at least 0 and below 1", of)
        whole = (c >= 1) & (c <= 2**31) & (c == np.floor(c))
        check_every("exposure", c, whole, "a positive whole number of a unit of money", of)
        if not math.isfinite(self.gamma):
            raise ValueError(f"gamma must be finite; got {self.gamma!r}")

    def __call__(self, x: Batch) -> Vector:
        """The losses for ``x`` of shape ``(n_samples, 1 + n)``: the factor, and every ``e_i``."""
        from scipy.special import ndtri

        x = np.asarray(x)
        if x.ndim != 2 or x.shape[1] != 1 + self.loading.size:
            raise ValueError(
                f"expected normals of shape (n_samples, {1 + self.loading.size}), the factor first;"
                f" got {x.shape}"
            )
        latent = self.loading * x[:, :1] + np.sqrt(1 - self.loading**2) * x[:, 1:]
        return (latent >= -ndtri(self.probability)) @ self.exposure

    def nominal(self) -> Normal:
        """The factor and the obligors' own parts: ``1 + n`` independent standard normals."""
        return _standard(1 + self.loading.size)

    def conditional(self) -> ConditionalLoss:
        """The same probability as an expectation over the factor, for `cem.expectation`."""
        return ConditionalLoss(self)

    def tail(self, z: Vector) -> Vector:
        """``P(S >= gamma | Z = z)``: given the factor, defaults are independent.

        Binomial if all obligors are alike; else by adding one at a time to the density of the loss
        below ``gamma``. All terms are positive, so small probabilities keep their digits. Time and
        memory grow with ``gamma``, counted in units of money.

        >>> Credit([0.1, 0.2], [0.5, 0.5], [3, 1], gamma=4.0).tail(np.array([0.0])).round(6)
        array([0.011501])
        """
        from scipy.special import ndtr, ndtri

        level, n = math.ceil(self.gamma), self.loading.size
        if level <= 0 or level > self.exposure.sum():
            return np.full(len(z), float(level <= 0))
        one = np.column_stack([self.probability, self.loading, self.exposure])
        alike = (one == one[0]).all()
        p, a, exposure = (one[:1] if alike else one).T
        p_given = ndtr((a[:, None] * z + ndtri(p)[:, None]) / np.sqrt(1 - a**2)[:, None])
        if alike:
            return _binomial_tail(math.ceil(level / exposure[0]), n, p_given[0])
        return _tail_of_sum(p_given, exposure.astype(int).tolist(), level)

    def exact(self) -> float:
        """``P(S >= gamma)``, by the trapezoidal rule over the factor.

        Good to 1e-10 as long as the conditional probability takes more than 0.05 of the factor to
        rise from nearly 0 to nearly 1: for a loading of 0.9, up to a thousand obligors or so.

        >>> problem(n=100, p=0.01, correlation=0.25, gamma=31.0).exact().__round__(13)
        0.000118047487
        """
        z, step = np.linspace(*FARTHEST, NODES, retstep=True)
        density = np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
        return float(step * (density @ self.tail(z)))


@dataclass(frozen=True, eq=False)
class ConditionalLoss:
    """``H(z) = P(S >= gamma | Z = z)``: its mean over the factor is ``P(S >= gamma)``.

    Of the ``1 + n`` normals only the factor is left to sample, and to tilt.

    >>> H = problem(n=100, p=0.01, correlation=0.25, gamma=31.0).conditional()
    >>> H(np.array([[3.0], [4.0]])).round(6)
    array([4.21000e-04, 8.43199e-01])
    """

    of: Credit

    def __call__(self, x: Batch) -> Vector:
        """``H`` of the factor ``x``, of shape ``(n_samples, 1)``."""
        return self.of.tail(np.asarray(x)[:, 0])

    def nominal(self) -> Normal:
        """A standard normal factor."""
        return _standard(1)

    def exact(self) -> float:
        """That of the portfolio."""
        return self.of.exact()


def problem(
    *, n: int = 100, p: float = 0.01, correlation: float = 0.25, gamma: float = 31.0
) -> Credit:
    """``n`` obligors alike, of exposure 1: are there ``gamma`` defaults or more?

    Each defaults with probability ``p``; ``correlation``, the square of the loading, is that of any
    two latent normals.

    >>> problem().loading[:3]
    array([0.5, 0.5, 0.5])
    """
    check_whole("n, the number of obligors,", n, 1)
    if not 0 <= correlation < 1:
        raise ValueError(f"correlation must be at least 0 and below 1; got {correlation!r}")
    return Credit(np.full(n, p), np.full(n, math.sqrt(correlation)), np.ones(n), gamma)


def _standard(d: int) -> Normal:
    return Normal(np.zeros(d), np.ones(d))


def _binomial_tail(k: int, n: int, p: Vector) -> Vector:
    """``P(B >= k)`` for a binomial ``B``, ``1 <= k <= n``: an incomplete beta function."""
    from scipy.special import betainc

    return np.asarray(betainc(k, n - k + 1, p))


def _tail_of_sum(p: Array, exposure: list[int], level: int) -> Vector:
    """``P(sum_i exposure_i B_i >= level)`` for independent ``B_i``; ``p`` has shape ``(n, m)``."""
    below = np.zeros((level, p.shape[1]))  # P(loss = l) for l = 0, ..., level - 1
    below[0] = 1.0
    tail = np.zeros(p.shape[1])
    for p_i, size in zip(p, exposure, strict=True):
        hit = below * p_i
        below -= hit
        kept = max(level - size, 0)
        below[level - kept :] += hit[:kept]
        tail += hit[kept:].sum(axis=0)
    return tail
