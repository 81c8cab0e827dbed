"""Screening: coordinates that the event does not need keep the nominal density."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from cem.scores import positive_number
from cem.smoothing import check_smoothing
from cem.typing import Array, Family, Memory, Refit, Smoothing

if TYPE_CHECKING:
    from cem.state import State


@dataclass(frozen=True)
class Screened:
    """Another smoothing; coordinates that moved by less than ``delta`` keep ``nominal``.

    A move is relative to the nominal parameter, that of a mean to the nominal standard deviation;
    for a coordinate the largest move of its parameters counts. In high dimension the noise of
    every coordinate makes likelihood ratios worse. Those that are no bottleneck of the rare event
    are left alone, and drop out of the ratio: Rubinstein and Glynn (2009). For families of
    independent coordinates.

    >>> from cem.families import Exponential
    >>> from cem.smoothing import Constant
    >>> from cem.state import State
    >>> u = Exponential([1.0, 2.0])
    >>> class Fit:
    ...     v_hat = Exponential([3.0, 2.1])
    >>> Screened(Constant(1.0), u, delta=0.1)(State(u), Fit)[0].mean
    array([3., 2.])
    """

    of: Smoothing
    nominal: Any = field(repr=False)
    delta: float = 0.1

    def __post_init__(self) -> None:
        check_smoothing("Screened", self.of)
        name = "delta, the least relative move,"
        object.__setattr__(self, "delta", positive_number(name, self.delta))
        shapes = {name: a.shape for name, a in self.nominal.parameters().items()}
        if len(set(shapes.values())) != 1 or len(next(iter(shapes.values()))) != 1:
            given = ", ".join(f"{name} of shape {shape}" for name, shape in shapes.items())
            raise ValueError(
                "Screened needs a family of independent coordinates, such as Normal or Exponential;"
                f" got {type(self.nominal).__name__} with {given}"
            )

    def __call__(self, state: State, refit: Refit) -> tuple[Any, Memory]:
        """``v_t`` of the other smoothing, screened; and what that one remembers."""
        v, memory = self.of(state, refit)
        u = self.nominal.parameters()
        moved = self._moved(v)
        kept = {name: np.where(moved, a, u[name]) for name, a in v.parameters().items()}
        return v.replace(**kept), memory

    def _moved(self, v: Family) -> Array:
        has, spread = self.nominal.parameters(), self.nominal.spread()
        moved = np.zeros(len(spread), dtype=bool)
        for name, u in has.items():
            unit = {"mean": spread, "log_mean": has.get("log_std")}.get(name, np.abs(u))
            moved |= np.abs(v.parameters()[name] - u) >= self.delta * unit
        return moved
