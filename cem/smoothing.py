"""From v_{t-1} and v_hat to v_t: what keeps a density from freezing too early."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from cem.scores import real_number
from cem.typing import Memory, Refit

if TYPE_CHECKING:
    from cem.state import State


@dataclass(frozen=True)
class Constant:
    """``v_t = alpha v_hat + (1 - alpha) v_{t-1}``: de Boer et al. (2005)."""

    alpha: float = 0.7

    def __post_init__(self) -> None:
        name = "alpha, the weight of the new fit in the smoothing,"
        object.__setattr__(self, "alpha", real_number(name, self.alpha))
        if not 0 < self.alpha <= 1:
            raise ValueError(
                "alpha, the weight of the new fit in the smoothing, must lie in (0, 1]; "
                f"got {self.alpha!r}"
            )

    def __call__(self, state: State, refit: Refit) -> tuple[Any, Memory]:
        """``v_t``; nothing needs to be remembered."""
        if self.alpha == 1:
            return refit.v_hat, {}
        return state.v.smooth(refit.v_hat, self.alpha), {}


@dataclass(frozen=True)
class Settling:
    """`Constant` below the level ``gamma``; once there, the mean of all fits made at it.

    One fit at a rare level rests on few effective samples, and its noise costs the final estimate
    dearly. Fits at the same level aim at the same ``v*``, so their mean is closer to it than any.
    With ``alpha < 1`` the density never loses a part of the support that the elite happened not
    to visit, which with likelihood ratios would be a silent bias.
    """

    gamma: float
    alpha: float = 0.9
    nominal: Any = field(default=None, repr=False)  # if given, no density is narrower than this one

    def __post_init__(self) -> None:
        object.__setattr__(self, "alpha", Constant(self.alpha).alpha)

    def __call__(self, state: State, refit: Refit) -> tuple[Any, Memory]:
        """``v_t``, and how many fits it is the mean of."""
        v, memory = self._mean(state, refit)
        return v if self.nominal is None else v.no_narrower_than(self.nominal), memory

    def _mean(self, state: State, refit: Refit) -> tuple[Any, Memory]:
        if refit.gamma < self.gamma:
            return Constant(self.alpha)(state, refit)
        n = float(state.memory.get("settled", np.zeros(1))[0]) + 1
        return Constant(min(self.alpha, 1 / n))(state, refit)[0], {"settled": np.array([n])}
