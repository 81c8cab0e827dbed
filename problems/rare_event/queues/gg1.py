"""The queue GI/G/1: how likely is it that a customer waits long?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cem.families import Gamma, Product
from cem.families.walk import Walk
from cem.typing import Batch, Vector


@dataclass(frozen=True)
class GG1:
    """Score: ``max_(1 <= k <= n) S_k``, which is in law how long customer ``n + 1`` waits.

    The first customer finds an empty queue. By Lindley's recursion ``W <- max(0, W + U - A)``, with
    a service ``U`` and a gap ``A`` until the next arrival, the wait of customer ``n + 1`` has the
    law of the maximum of zero and the sums ``S_k`` of ``k`` differences ``U - A``. A sample is that
    walk until it is at ``gamma``, or ``n = customers`` steps. For large ``n`` and ``arrival <
    service`` it is the wait in equilibrium.

    Gaps and services are gamma variables with the rates ``arrival`` and ``service`` (their means
    are ``1 / rate``) and the shapes ``gap_shape`` and ``service_shape``: 1 is exponential, more is
    more regular.

    >>> GG1(0.5, 1.0, gamma=20.0, customers=400).exact()  # in equilibrium e^-10 / 2
    2.26999...e-05
    """

    arrival: float = 0.5
    service: float = 1.0
    gamma: float = 20.0
    customers: int = 100
    gap_shape: float = 1.0
    service_shape: float = 1.0

    def __call__(self, x: Batch) -> Vector:
        """The largest ``S_k`` of every path, shape ``(n,)``."""
        return self.nominal().highest(x)

    def nominal(self) -> Walk:
        """The walk with the gamma variables of the queue."""
        a, b = self.service_shape, self.gap_shape
        step = Product(service=Gamma([a], [a * self.service]), gap=Gamma([b], [b * self.arrival]))
        return Walk(step, rise=[1.0, -1.0], goal=self.gamma, most=self.customers)

    def exact(self) -> float:
        """``P(S >= gamma)`` for exponential times; ValueError for others.

        The wait of a customer is zero, or it has the density ``e^(-mu y) sum_j c_j y^j / j!``: one
        step of the recursion has closed form, and every term of it is positive.
        """
        if (self.gap_shape, self.service_shape) != (1, 1):
            raise ValueError(
                "the exact value is known for exponential times only, both shapes 1; got "
                f"gap_shape={self.gap_shape:g} and service_shape={self.service_shape:g}"
            )
        from scipy.special import gammaincc

        lam, mu = self.arrival, self.service
        both = lam + mu
        c = np.zeros(self.customers + 1)
        for n in range(1, self.customers + 1):
            waits = float((c * mu ** -np.arange(1.0, len(c) + 1)).sum())
            down = np.zeros(len(c) + 1)  # down[i] = sum_(j >= i) c_j / both^(j - i + 1)
            for i in reversed(range(n)):
                down[i] = (down[i + 1] + c[i]) / both
            c = lam * mu / both * (down[:-1] + np.concatenate([[1 - waits], c[:-1]]))
        order = np.arange(1.0, len(c) + 1)
        return float((c * mu**-order) @ gammaincc(order, mu * self.gamma))


problem = GG1
