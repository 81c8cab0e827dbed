"""Sums of independent terms of light and heavy tails: is the sum larger than gamma?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cem.families import Exponential, LogNormal, Normal, Pareto, Weibull
from cem.typing import Batch, Family, Vector
from problems import check_whole, nearest

Term = Exponential | LogNormal | Normal | Pareto | Weibull
TERMS: dict[str, tuple[Callable[[Any], Term], float | None]] = {  # and the usual shape, if any
    "exponential": (lambda _: Exponential([1.0]), None),
    "lognormal": (lambda shape: LogNormal([0.0], [shape]), 1.0),
    "normal": (lambda _: Normal([0.0], [1.0]), None),
    "pareto": (lambda shape: Pareto([1.0], [shape]), 1.0),
    "weibull": (lambda shape: Weibull([shape], [1.0]), 0.5),
}


@dataclass(frozen=True, eq=False)
class Sum:
    """Score: the sum of ``n`` independent terms of one density; the event is ``S >= gamma``.

    ``term`` is that density, a family of one coordinate. If its tail is light, all terms grow a
    little on the way to the event, and their exponential tilt is what a fit finds. If it is heavy,
    one term alone is large, any of the ``n``: then the fitted density has a heavier tail still,
    and for two terms that is good to a few per cent, if levels of ``n_samples=5000`` see to it
    that neither term is forgotten. `conditional` is better by far.

    >>> two = Sum(Weibull([0.5], [1.0]), n=2, gamma=100.0)
    >>> two(np.array([[81.0, 16.0], [100.0, 1.0]]))
    array([ 97., 101.])
    """

    term: Term
    n: int
    gamma: float

    def __post_init__(self) -> None:
        if not isinstance(self.term, Term):
            raise TypeError(
                "the term must be one of Exponential, LogNormal, Normal, Pareto and Weibull; got "
                f"{self.term!r}"
            )
        if self.term.n_coordinates != 1:
            raise ValueError(
                f"the term must have one coordinate, the density of every X_j; got {self.term!r}"
            )
        check_whole("n, the number of terms,", self.n, 1)
        if not math.isfinite(self.gamma):
            raise ValueError(f"gamma must be finite; got {self.gamma!r}")

    def __call__(self, x: Batch) -> Vector:
        """The sums of terms ``x`` of shape ``(n_samples, n)``."""
        return np.asarray(x).sum(axis=1)

    def nominal(self) -> Family:
        """``n`` independent terms."""
        return independent(self.term, self.n)

    def conditional(self) -> ConditionalSum:
        """The same probability as an expectation, for `cem.expectation`."""
        return ConditionalSum(self)

    def exact(self) -> float | None:
        """``P(S >= gamma)``: for exponentials and normals, and for two terms of any kind.

        Two terms are both above ``gamma / 2``, or exactly one is; the second case is an integral
        over the lesser term, by adaptive quadrature. None where it is not known.

        >>> round(Sum(Exponential([1.0]), n=5, gamma=20.0).exact() * 1e5, 9)
        1.694474393
        """
        from scipy import stats

        if isinstance(self.term, Exponential):
            return float(stats.gamma.sf(self.gamma, self.n, scale=self.term.mean[0]))
        if isinstance(self.term, Normal):
            mean, std = self.n * self.term.mean[0], math.sqrt(self.n) * self.term.std[0]
            return float(stats.norm.sf(self.gamma, mean, std))
        law = distribution(self.term)
        if self.n == 1:
            return float(law.sf(self.gamma))
        return _of_two(law, self.gamma) if self.n == 2 else None


@dataclass(frozen=True, eq=False)
class ConditionalSum:
    """Score: the probability of the sum given all terms but one.

    ``H(x) = n P(X_n >= max(x_1, ..., x_(n-1), gamma - x_1 - ... - x_(n-1)))``. Its mean over the
    first ``n - 1`` terms is ``P(S >= gamma)``: of the ``n`` equally likely cases which term is the
    largest, the last one is taken, and that term integrated out. For heavy tails the relative error
    stays bounded as ``gamma`` grows. Source: Asmussen and Kroese, Advances in Applied Probability
    38 (2006).

    >>> Sum(Weibull([0.5], [1.0]), n=2, gamma=100.0).conditional()(np.array([[36.0], [81.0]]))
    array([0.00067093, 0.00024682])
    """

    of: Sum

    def __post_init__(self) -> None:
        if self.of.n < 2:
            raise ValueError(
                "a conditional sum needs at least 2 terms, for one is integrated out; got "
                f"n={self.of.n}"
            )

    def __call__(self, x: Batch) -> Vector:
        """``H`` of the first terms ``x``, of shape ``(n_samples, n - 1)``."""
        x = np.asarray(x)
        least = np.maximum(x.max(axis=1), self.of.gamma - x.sum(axis=1))
        return np.asarray(self.of.n * distribution(self.of.term).sf(least))

    def nominal(self) -> Family:
        """All terms but the last."""
        return independent(self.of.term, self.of.n - 1)

    def exact(self) -> float | None:
        """That of the sum."""
        return self.of.exact()


def independent(term: Term, n: int) -> Family:
    """The family of ``n`` independent copies of a family of one coordinate."""
    return term.replace(**{name: np.repeat(a, n) for name, a in term.parameters().items()})


def distribution(term: Term) -> Any:
    """The term as a frozen distribution of scipy.stats, which knows tails and quantiles."""
    from scipy import stats

    v = {name: float(array[0]) for name, array in term.parameters().items()}
    match term:
        case Exponential():
            return stats.expon(scale=v["mean"])
        case LogNormal():
            return stats.lognorm(v["log_std"], scale=math.exp(v["log_mean"]))
        case Normal():
            return stats.norm(v["mean"], v["std"])
        case Pareto():
            return stats.pareto(v["shape"], scale=v["minimum"])
        case Weibull():
            return stats.weibull_min(v["shape"], scale=v["scale"])


def _of_two(law: Any, gamma: float) -> float:
    """``P(X_1 + X_2 >= gamma)``, by ``u = -ln P(X > x)`` of the lesser term, where it is smooth."""
    from scipy.integrate import quad

    def integrand(u: float) -> float:
        return math.exp(-u) * float(law.sf(gamma - law.isf(math.exp(-u))))

    both = float(law.sf(gamma / 2)) ** 2
    most = -float(law.logsf(gamma / 2))
    return both + 2 * quad(integrand, 0, most, epsabs=0, epsrel=1e-11, limit=200)[0]


def problem(
    term: str = "weibull", *, n: int = 2, gamma: float = 100.0, shape: float | None = None
) -> Sum:
    """The sum of ``n`` terms: exponential, lognormal, normal, pareto or weibull, each of scale 1.

    ``shape`` is that of the Weibull (0.5) or Pareto density (1), or the standard deviation of the
    lognormal's logarithm (1); the other two have none.

    >>> problem("pareto", gamma=1002.0).term
    Pareto(minimum=[1.], shape=[1.])
    """
    if term not in TERMS:
        raise ValueError(f"there is no term {term!r}" + nearest(term, sorted(TERMS)))
    of_shape, default = TERMS[term]
    if shape is not None and default is None:
        raise ValueError(f"the {term} term has no shape; got shape={shape}")
    return Sum(of_shape(default if shape is None else shape), n, gamma)
