"""From v_{t-1} and v_hat to v_t: what keeps a density from freezing too early."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from cem.scores import real_number
from cem.typing import Family, Memory, Refit

if TYPE_CHECKING:
    from cem.state import State


@dataclass(frozen=True)
class Constant:
    """``v_t = alpha v_hat + (1 - alpha) v_{t-1}``: de Boer et al. (2005).

    ``alpha`` is a number, or one for every parameter by name: ``{"mean": 1.0, "cov": 0.3}`` lets
    the mean move freely and narrows the density with care.
    """

    alpha: float | Mapping[str, float] = 0.7

    def __post_init__(self) -> None:
        given = self.alpha
        if isinstance(given, Mapping):
            alpha: Any = {name: _weight(value, f" of {name}") for name, value in given.items()}
        else:
            alpha = _weight(given)
        object.__setattr__(self, "alpha", alpha)

    def __call__(self, state: State, refit: Refit) -> tuple[Any, Memory]:
        """``v_t``; nothing needs to be remembered."""
        if isinstance(self.alpha, Mapping):
            return self._each(state.v, refit.v_hat, self.alpha), {}
        if self.alpha == 1:
            return refit.v_hat, {}
        return state.v.smooth(refit.v_hat, self.alpha), {}

    def _each(self, old: Family, new: Family, alpha: Mapping[str, float]) -> Family:
        names = new.parameters().keys()
        if names != alpha.keys():
            raise ValueError(
                f"alpha must have one number for every parameter of {type(new).__name__}, "
                f"{', '.join(names)}; got {', '.join(alpha) or 'none'}"
            )
        return new.replace(**{k: old.smooth(new, a).parameters()[k] for k, a in alpha.items()})


def _weight(alpha: Any, of: str = "") -> float:
    name = f"alpha{of}, the weight of the new fit in the smoothing,"
    value = real_number(name, alpha)
    if not 0 < value <= 1:
        raise ValueError(f"{name} must lie in (0, 1]; got {alpha!r}")
    return value


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
        object.__setattr__(self, "alpha", _weight(self.alpha))

    def __call__(self, state: State, refit: Refit) -> tuple[Any, Memory]:
        """``v_t``, and how many fits it is the mean of."""
        v, memory = self._mean(state, refit)
        return v if self.nominal is None else v.no_narrower_than(self.nominal), memory

    def _mean(self, state: State, refit: Refit) -> tuple[Any, Memory]:
        if refit.gamma < self.gamma:
            return Constant(self.alpha)(state, refit)
        n = float(state.memory.get("settled", np.zeros(1))[0]) + 1
        return Constant(min(self.alpha, 1 / n))(state, refit)[0], {"settled": np.array([n])}
