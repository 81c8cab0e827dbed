"""Fits from sums over the chunks of a sample that is nowhere as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Protocol, Self, TypeVar

from cem.typing import Array, Batch, Vector

Totals = Mapping[str, Array]  # sums over a weighted sample, by name
Fit = TypeVar("Fit", bound=Callable[..., Any])


class Summable(Protocol):
    """A family whose fit needs no more of a sample than some sums over it."""

    def statistics(self, x: Batch, weights: Vector) -> Totals:
        """Of a part of a sample: what adds up over all parts to what `from_statistics` takes."""

    def from_statistics(self, total: Totals) -> Self:
        """``fit`` of the whole sample, but for rounding."""


def from_totals(fit: Fit) -> Fit:
    """A ``fit`` that asks a batch that is elsewhere (it has ``totals``) for no more than these.

    >>> import numpy as np
    >>> from cem.families import Bernoulli
    >>> class Elsewhere:
    ...     def totals(self, family, weights):
    ...         parts = [([[1, 0]], weights[:1]), ([[1, 1]], weights[1:])]
    ...         sums = [family.statistics(np.array(x), w) for x, w in parts]
    ...         return {name: sums[0][name] + sums[1][name] for name in sums[0]}
    >>> Bernoulli([0.5, 0.5]).fit(Elsewhere(), np.array([0.75, 0.25])).p
    array([1.  , 0.25])
    """

    @wraps(fit)
    def fitted(self: Any, x: Batch, weights: Vector) -> Any:
        if hasattr(x, "totals"):
            return self.from_statistics(x.totals(self, weights))
        return fit(self, x, weights)

    return fitted  # type: ignore[return-value] # the same signature
