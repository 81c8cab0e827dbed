"""Ruin of an insurer: do claims outrun premiums by the capital, gamma, or more?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cem.families import Exponential, Gamma
from cem.families.product import Product
from cem.families.walk import Walk
from cem.typing import Batch, Family, Vector
from problems import check_whole


@dataclass(frozen=True)
class Ruin:
    """Score of a path: the largest excess of claims over premiums; the event is ``S >= gamma``.

    The model of Cramer and Lundberg: claims come as a Poisson process of rate 1 and have mean 1,
    and premiums flow in at the rate ``1 + loading``. A claim is exponential, or the sum of
    ``stages`` such. ``gamma`` is the capital at the beginning. A path has a step for every claim,
    the time since the last one and its size, and ends at ruin, or after ``n_claims``: what is
    estimated is the probability of ruin by one of the first ``n_claims``. As their number grows it
    rises to that of ruin at any time, for exponential claims
    ``exp(-loading gamma / (1 + loading)) / (1 + loading)``.

    >>> round(Ruin(gamma=20.0, loading=0.5, n_claims=1000).exact() * 1e4, 9)
    8.484225342
    >>> round(float(np.exp(-20 / 3)) / 1.5 * 1e4, 9)
    8.484225342
    """

    gamma: float = 20.0
    loading: float = 0.5
    n_claims: int = 100
    stages: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.gamma < np.inf:
            raise ValueError(f"gamma, the capital, must be positive and finite; got {self.gamma!r}")
        if not -1 < self.loading < np.inf:
            raise ValueError(
                "loading must be above -1 and finite, or no premiums flow in: their rate is "
                f"1 + loading; got {self.loading!r}"
            )
        check_whole("n_claims", self.n_claims, 1)
        check_whole("stages", self.stages, 1)

    def __call__(self, x: Batch) -> Vector:
        """The largest excess along each of the `cem.families.paths.Paths`, shape ``(n,)``."""
        return self.nominal().highest(x)

    def nominal(self) -> Walk:
        """Times and claims of the model; a fit tilts all those before ruin alike."""
        return Walk(
            self._step(), rise=[-(1 + self.loading), 1.0], goal=self.gamma, most=self.n_claims
        )

    def exact(self) -> float:
        """``P(S >= gamma)``, by counting: a sum of positive terms over all paths of a chain.

        On the axis of money the stages of claims are a Poisson process, and the premiums between
        two claims exponential, so that the number of stages within the premiums of such a time is
        geometric. The chain is the number of stages that begin within what has been the insurer's
        until now, less those that have been paid: below zero is ruin.

        >>> round(Ruin(gamma=5.0, n_claims=1).exact() * 1e3, 6)  # exp(-5) / 2.5
        2.695179
        """
        from scipy.signal import lfilter
        from scipy.stats import poisson

        a = self.stages
        more = a * (1 + self.loading) / (1 + a * (1 + self.loading))  # another stage fits in
        left = poisson.pmf(np.arange(a * self.n_claims), a * self.gamma)  # P(0), P(1), ... stages
        ruin = 0.0
        for _ in range(self.n_claims):
            left = lfilter([1 - more], [1, -more], left)
            ruin += left[:a].sum()
            left = left[a:]
        return float(ruin)

    def _step(self) -> Family:
        """The time before a claim, and the claim."""
        if self.stages == 1:
            return Exponential([1.0, 1.0])
        return Product(wait=Exponential([1.0]), claim=Gamma([self.stages], [self.stages]))


problem = Ruin
