"""The queue M/M/1: is its length at a level before it is empty?"""

from __future__ import annotations

from problems.rare_event.queues.tandem import Tandem


def mm1(
    arrival: float = 0.5, service: float = 1.0, level: int = 20, layers: int | None = 2
) -> Tandem:
    """One queue with exponential times, from its first customer on: a `Tandem` of one.

    Its length is the gambler's ruin: with ``r = service / arrival`` the probability is
    ``(r - 1) / (r^level - 1)``.

    >>> abs(mm1(0.5, 1.0, level=20).exact() * (2**20 - 1) - 1) < 1e-12
    True
    """
    return Tandem(arrival, (service,), level, layers)


problem = mm1
