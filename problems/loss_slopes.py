"""Does gradient descent stall on confident mistakes? Softmax regression of Iris will tell."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from cem.families import Normal
from cem.typing import Array, Batch, Vector
from problems import nearest
from problems.classification.iris import iris
from problems.classification.losses import LOSSES

NAMES = tuple(name for name, loss in LOSSES.items() if loss.gradient is not None)
TABLE = (0.5, 0.1, 0.01, 0.001)  # probabilities of the true class whose slopes are shown


@dataclass(frozen=True)
class LossSlopes:
    """Score: the steps of gradient descent to a share ``accuracy`` of right flowers, up to gamma.

    A sample is a start: 4 x 3 weights and 3 intercepts, independent normal with standard deviation
    ``scale``; at 5 the first predictions are confident, and mostly wrong. The event ``S >= gamma``
    is a descent that has not arrived in ``gamma`` steps of length ``rate``. Inputs are brought to
    mean 0 and standard deviation 1, and the loss is a mean over the flowers.

    >>> [LossSlopes(loss=loss)(np.zeros((1, 15))).tolist() for loss in NAMES]
    [[57.0], [41.0]]
    """

    gamma: float = 1000.0
    loss: str = "squared-error"
    scale: float = 5.0
    rate: float = 1.0
    accuracy: float = 0.96

    def __post_init__(self) -> None:
        if self.loss not in NAMES:
            raise ValueError(f"there is no loss {self.loss!r}" + nearest(self.loss, list(NAMES)))
        for name in ("gamma", "scale", "rate"):
            if not 0 < getattr(self, name) < np.inf:
                raise ValueError(f"{name} must be positive and finite; got {getattr(self, name)!r}")
        if not 0 < self.accuracy <= 1:
            raise ValueError(f"accuracy must lie in (0, 1]; got {self.accuracy!r}")

    def __call__(self, x: Batch) -> Vector:
        """Steps from starts ``x`` of shape ``(n, 15)``, at most ``gamma``."""
        w = np.array(x, dtype=float).reshape(len(x), 5, 3)
        steps = np.full(len(w), float(np.ceil(self.gamma)))
        under_way, slope = np.arange(len(w)), LOSSES[self.loss].gradient
        for step in range(int(steps[0])):
            z = self._rows @ w
            arrived = (z.argmax(axis=-1) == self._labels).mean(axis=-1) >= self.accuracy
            steps[under_way[arrived]] = step
            under_way, w, z = under_way[~arrived], w[~arrived], z[~arrived]
            if not len(w):
                break
            w -= self.rate * self._rows.T @ slope(self._labels, z)
        return steps

    def nominal(self) -> Normal:
        """Independent normal weights and intercepts."""
        return Normal(np.zeros(15), np.full(15, self.scale))

    def report(self, _: Any = None) -> dict[str, str]:
        """The slopes of both losses, and the steps from zero, where nothing is confident."""
        rows = {}
        for p in TABLE:
            ce, se, *through = slopes(p)
            rows[f"slopes at p = {p:g}"] = (
                f"cross-entropy {ce:.4g}, squared error {se:.4g}; "
                f"in the logit {through[0]:.4g}, {through[1]:.4g}"
            )
        zero = np.zeros((1, 15))
        steps = {loss: int(LossSlopes(self.gamma, loss)(zero)[0]) for loss in NAMES}
        rows[f"steps from zero to {self.accuracy:.0%} right"] = ", ".join(
            f"{loss} {n}" for loss, n in steps.items()
        )
        return rows

    @cached_property
    def _rows(self) -> Array:
        x = iris()[0]
        return np.column_stack([(x - x.mean(axis=0)) / x.std(axis=0), np.ones(len(x))])

    @cached_property
    def _labels(self) -> Any:
        return np.unique(iris()[1], return_inverse=True)[1]


def slopes(p: float) -> tuple[float, float, float, float]:
    """Of ``-ln p`` and ``(1 - p)^2`` at the true class's ``p``, in ``p`` and in its logit.

    In the logit of two classes the slope of ``p`` is ``p (1 - p)``: that of the squared error dies
    with ``p``, that of the cross-entropy is ``-(1 - p)``, largest where the mistake is.

    >>> slopes(0.5)
    (-2.0, -1.0, -0.5, -0.25)
    """
    return -1 / p, -2 * (1 - p), -(1 - p), -2 * p * (1 - p) ** 2


problem = LossSlopes
