"""A weighted sample: what one run can tell besides the probability it was made for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from cem.curve import Curve, curve, even_levels
from cem.scores import checked_scores, real_number
from cem.sensitivity import NoDerivative, Sensitivity, named, score_function
from cem.tally import Tally
from cem.typing import Array, Batch, Vector


class Mean(NamedTuple):
    """A mean, and its standard error."""

    value: Any
    std_error: Any


@dataclass(frozen=True, eq=False, repr=False)
class WeightedSample:
    """``n`` samples of ``f(.; v)`` with what makes them speak for ``f(.; u)``.

    Attributes
    ----------
    x : Batch
        The samples.
    score : Vector
        ``S(x_i)``, shape ``(n,)``; ``-inf`` where there was none.
    log_w : Vector
        ``ln f(x_i; u) - ln f(x_i; v)``, shape ``(n,)``.
    nominal : Family
        ``f(.; u)``.
    gamma : float
        The level that the sample was steered for; the event is ``S >= gamma``. For an expectation
        ``E[H(X)]`` it is ``-inf``, and ``ln H`` a part of ``log_w``: all that is said below of
        ``P`` and of the event holds of ``E[H(X)]`` and of means weighted by ``H`` then.

    >>> from cem.families import Normal
    >>> x = np.array([[1.0], [3.0], [2.0]])  # of a normal about 2, say
    >>> log_w = 2 - 2 * x[:, 0]
    >>> sample = WeightedSample(x, x[:, 0], log_w, Normal([0.0], [1.0]), gamma=2.0)
    >>> sample.tally().hits, float(sample.mean(lambda x: x[:, 0]).value.round(3))
    (2.0, 2.119)
    """

    x: Batch
    score: Vector
    log_w: Vector
    nominal: Any  # a Family
    gamma: float

    def __post_init__(self) -> None:
        n = len(self.x)
        real_number("gamma", self.gamma)
        for name in ("score", "log_w"):
            numbers = checked_scores(getattr(self, name), n)
            if np.isnan(numbers).any():
                at = int(np.isnan(numbers).argmax())
                raise ValueError(f"{name} must hold numbers; got NaN at sample {at}")
            object.__setattr__(self, name, numbers)

    def __len__(self) -> int:
        return len(self.score)

    def __repr__(self) -> str:
        return (
            f"WeightedSample of {len(self)}: {int(self.tally().hits)} at or above {self.gamma:g}, "
            f"{self.tally().ess:.4g} effective"
        )

    def reached(self, level: float | None = None) -> Any:
        """Which samples count at a level, ``gamma`` by default: a mask of shape ``(n,)``."""
        return (self.score >= self._level(level)) & (self.log_w > -np.inf)

    def tally(self, level: float | None = None) -> Tally:
        """The sums of ``I{S >= level} W``: the estimate of its probability, error and interval."""
        plain = float(not self.log_w.any())
        return Tally(plain=plain).add(self.log_w[self.reached(level)], len(self))

    def curve(self, levels: Sequence[float] | None = None, *, confidence: float = 0.95) -> Curve:
        """``P(S >= g)`` over a grid of levels; by default 25 that span the scores.

        Which levels may be trusted `cem.curve.curve` says, and ``reliable`` of the result.
        """
        grid = even_levels(self.score) if levels is None else levels
        return curve(self.score, self.log_w, grid, gamma=self.gamma, confidence=confidence)

    def mean(self, h: Callable[[Batch], Any], level: float | None = None) -> Mean:
        """``E[h(X) | S(X) >= level]`` and its standard error: what failures look like.

        ``h`` takes the samples at the level, and returns a number for each, or an array: shape
        ``(m,)`` or ``(m, ...)``. The weights are normalised by their sum; the error is that of a
        ratio, to first order in ``1 / n``.

        Raises ValueError if no sample reached the level, or for values of another shape or not
        finite.
        """
        w = self._weights(level)
        values = np.asarray(h(self.x[self.reached(level)]), dtype=float)
        if values.ndim == 0 or len(values) != len(w) or not np.isfinite(values).all():
            raise ValueError(
                f"h must return a finite number, or array of them, per sample: expected shape "
                f"({len(w)}, ...), got {values.shape}"
                + ("" if np.isfinite(values).all() else " with NaN or infinite values")
            )
        return self._ratio(w, values)

    def sensitivities(
        self, names: Iterable[str] | None = None, *, level: float | None = None
    ) -> dict[str, Sensitivity]:
        """``dP / d theta`` for the nominal parameters of these names, by default all of them.

        The score-function method: ``d ln P / d theta = E[d ln f(X; theta) / d theta | S >= level]``
        needs no further score (Rubinstein and Shapiro, Discrete Event Systems, 1993). It holds for
        parameters that do not move the support; those that do, as far as the family says, and those
        at an end of their range have a reason in place of a number. See
        `cem.sensitivity.score_function` for parameters that cannot move alone.

        Raises ValueError if no sample reached the level, or for an unknown name.
        """
        return {
            name: self._sensitivity(name, value, level)
            for name, value in named(self.nominal, names).items()
        }

    def _sensitivity(self, name: str, value: Array, level: float | None) -> Sensitivity:
        w, x = self._weights(level), self.x[self.reached(level)]
        probability, n = self.tally(level).probability, len(self)
        figures, reasons = np.full((4, *value.shape), np.nan), {}
        for index in np.ndindex(value.shape):
            try:
                score = score_function(self.nominal, name, index, x)
            except NoDerivative as error:
                reasons[index] = str(error)
                continue
            relative = self._ratio(w, score)
            z = n * w * score  # of the samples at the level; zero for the others
            spread = max(0.0, float(z @ z) / n - relative.value**2) / max(1, n - 1)
            figures[:, *index] = (
                probability * relative.value,
                probability * math.sqrt(spread),
                *relative,
            )
        return Sensitivity(value, figures[0], figures[1], figures[2], figures[3], reasons)

    def _level(self, level: float | None) -> float:
        return self.gamma if level is None else real_number("level", level)

    def _weights(self, level: float | None) -> Vector:
        """Of the samples at the level, summing to one."""
        log_w = self.log_w[self.reached(level)]
        if log_w.size == 0:
            raise ValueError(
                f"no sample of {len(self)} reached the level {self._level(level):g}: nothing is "
                "known of the event; lower the level, or raise n_samples and n_final"
            )
        w = np.exp(log_w - log_w.max())
        return w / w.sum()

    def _ratio(self, w: Vector, values: Array) -> Mean:
        """The weighted mean, and its standard error by the delta method."""
        n = len(self)
        value = np.tensordot(w, values, axes=1)
        square = np.tensordot(w**2, (values - value) ** 2, axes=1)
        return Mean(value, np.sqrt(square * n / max(1, n - 1)))
