"""A neural network with one hidden layer: a function with many valleys."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np

from cem.typing import Array
from problems import nearest
from problems.classification.classifier import Classifier

ACTIVATIONS = {  # the activation, and its slope as a function of its value
    "tanh": (np.tanh, lambda h: 1 - h * h),
    "relu": (lambda z: np.maximum(z, 0.0), lambda h: h > 0),
}


@dataclass(frozen=True, eq=False)
class NeuralNetwork(Classifier):
    """Logits ``s(x W + b) V + c`` with ``hidden`` units and the penalty on ``W`` and ``V``.

    ``activation`` is ``"tanh"`` or ``"relu"``; a parameter vector is ``W, b, V, c``, row by row.

    >>> xor = NeuralNetwork([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], hidden=2, C=1e3)
    >>> xor.accuracy(xor.solve(starts=5, rng=1).x)
    1.0
    """

    _: KW_ONLY
    hidden: int = 5
    activation: str = "tanh"

    def __post_init__(self) -> None:
        if isinstance(self.hidden, bool) or not isinstance(self.hidden, int | np.integer):
            raise TypeError(f"hidden must be a whole number of units; got {self.hidden!r}")
        if self.hidden < 1:
            raise ValueError(f"hidden must be at least one unit; got {self.hidden}")
        if self.activation not in ACTIVATIONS:
            raise ValueError(
                f"there is no activation {self.activation!r}"
                + nearest(str(self.activation), list(ACTIVATIONS))
            )
        super().__post_init__()

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """``W``, ``b``, ``V`` and ``c``."""
        d, h, k = self.X.shape[1], self.hidden, self.n_logits
        return (d, h), (h,), (h, k), (k,)

    def logits(self, parts: list[Array], x: Array) -> Array:
        """``s(x W + b) V + c``, shape ``(S, n, n_logits)``."""
        *_, v, c = parts
        return self._units(parts, x) @ v + c[:, None]

    def pull_back(self, parts: list[Array], x: Array, slope: Array) -> list[Array]:
        """The gradients with respect to ``W``, ``b``, ``V`` and ``c``."""
        _, _, v, _ = parts
        units = self._units(parts, x)
        inner = slope @ np.swapaxes(v, 1, 2) * ACTIVATIONS[self.activation][1](units)
        return [
            x.T @ inner,
            inner.sum(axis=-2),
            np.swapaxes(units, 1, 2) @ slope,
            slope.sum(axis=-2),
        ]

    def solve(self, *, starts: int = 20, rng: Any = 1) -> Any:
        """The best of so many descents with L-BFGS, each from a draw of the nominal density.

        The result is SciPy's, its ``nfev`` that of all descents, and ``each`` holds the minima
        they ended in. ``rng`` is a Generator or a seed of one; by default the draws
        are always the same.
        """
        if starts < 1:
            raise ValueError(f"starts must be at least 1; got {starts}")
        draws = self.nominal().sample(np.random.default_rng(rng), starts)
        found = [self.descend(start) for start in draws]
        best = min(found, key=lambda result: result.fun)
        best.nfev = sum(result.nfev for result in found)
        best.each = np.array([result.fun for result in found])
        return best

    def _units(self, parts: list[Array], x: Array) -> Array:
        w, b, *_ = parts
        return ACTIVATIONS[self.activation][0](x @ w + b[:, None])
