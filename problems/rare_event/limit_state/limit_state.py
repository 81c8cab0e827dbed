"""LimitState: how likely is it that a function of random variables is negative?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import groupby
from typing import Any, ClassVar

import numpy as np

from cem.families import Normal
from cem.typing import Array, Batch, Vector
from problems import nearest
from problems.rare_event.limit_state.checks import described
from problems.rare_event.limit_state.space import StandardSpace

FARTHEST = 1e100  # the size of a score where g is infinite: its square is still a number
JUST_SAFE = np.nextafter(0.0, -1.0)  # the score where g is zero
INVALID = ("raise", "fails", "safe")
SHOWN = 5  # variables whose ranges an error shows


@dataclass(frozen=True, eq=False, repr=False)
class LimitState:
    """Score: ``S(u) = -g(x(u))`` at points ``u`` of standard normal space; ``g < 0`` is failure.

    The event ``S >= 0`` is the failure ``g < 0``; where ``g`` is 0 it is only just no failure.

    Parameters
    ----------
    g : callable
        The limit state function: takes a batch of shape ``(n, d)`` in physical space, a new array
        every time, and returns ``n`` real numbers. Where it is ``-inf`` it has failed, where it is
        ``inf`` it is safe.
    marginals : sequence of frozen scipy.stats distributions
        Of the ``d`` variables, one each. Discrete ones will do.
    correlation : array_like, optional
        The correlation matrix of the Gaussian copula, shape ``(d, d)``: of the normal variables
        behind the physical ones (Nataf's model). Default: independence. The one that gives the
        physical variables a correlation is found by `nataf_correlation`.
    invalid : {"raise", "fails", "safe"}
        What it means if ``g`` is NaN: an error, a failure, or none.

    Raises
    ------
    ValueError, TypeError
        If the arguments are not what is said above, or what ``g`` returns is not.

    Examples
    --------
    >>> from scipy import stats
    >>> strength, load = stats.norm(4, 1), stats.norm(2, 1)
    >>> LimitState(lambda x: x[:, 0] - x[:, 1], [strength, load])(np.array([[0.0, 0.5]]))
    array([-1.5])
    """

    g: Callable[[Batch], Vector]
    marginals: Any
    correlation: Any = None
    invalid: str = field(default="raise", kw_only=True)
    gamma: ClassVar[float] = 0.0

    def __post_init__(self) -> None:
        if not callable(self.g):
            raise TypeError(
                "g must be a function of a batch of shape (n, d); got one of type "
                f"{type(self.g).__name__}"
            )
        if self.invalid not in INVALID:
            raise ValueError(
                f"invalid must be one of {', '.join(INVALID)}; got {self.invalid!r}"
                + nearest(str(self.invalid), [*INVALID])
            )
        space = StandardSpace.of(self.marginals, self.correlation)
        object.__setattr__(self, "marginals", space.marginals)
        object.__setattr__(self, "correlation", space.correlation)

    def __call__(self, u: Batch) -> Vector:
        """The scores of points ``u`` of shape ``(n, d)`` in standard normal space."""
        score = -self._values(self.to_physical(u))
        score[score == 0] = JUST_SAFE
        if not np.isfinite(score).all():
            infinite, undefined = np.isinf(score), np.isnan(score)
            score[infinite] = np.copysign(FARTHEST, score[infinite])
            if undefined.any():
                score[undefined] = self._score_of_undefined(u, undefined)
        return score

    def nominal(self) -> Normal:
        """Independent standard normal variables."""
        d = len(self.marginals)
        return Normal(np.zeros(d), np.ones(d))

    def to_physical(self, u: Batch) -> Array:
        """Points of standard normal space in physical space, both of shape ``(n, d)``."""
        return self.space.to_physical(self._checked(u))

    def to_standard(self, x: Batch) -> Array:
        """Points of physical space in standard normal space; infinite off the support."""
        return self.space.to_standard(self._checked(x))

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i)``: the joint density of the variables, copula included, shape ``(n,)``."""
        return self.space.log_density(self._checked(x))

    @cached_property
    def space(self) -> StandardSpace:
        """The way between standard normal and physical space."""
        return StandardSpace(self.marginals, self.correlation)

    def __repr__(self) -> str:
        runs = [(words, len([*same])) for words, same in groupby(map(described, self.marginals))]
        marginals = ", ".join(words + f" x {n}" * (n > 1) for words, n in runs)
        correlation = "" if self.correlation is None else f", {self.correlation.tolist()}"
        invalid = "" if self.invalid == "raise" else f", invalid={self.invalid!r}"
        return f"{type(self).__name__}({_name(self.g)}, [{marginals}]{correlation}{invalid})"

    def _checked(self, points: Batch) -> Array:
        points, d = np.asarray(points, dtype=float), len(self.marginals)
        if points.ndim != 2 or points.shape[1] != d:
            raise ValueError(
                f"expected points of shape (n, {d}), a column for each marginal; got {points.shape}"
            )
        return points

    def _values(self, x: Array) -> Vector:
        n, d = x.shape
        try:
            value = np.asarray(self.g(x))
        except (IndexError, ValueError) as error:
            raise ValueError(
                f"g failed on a batch of shape ({n}, {d}): {type(error).__name__}: {error}; there "
                f"are {d} marginals, so {d} columns: g likely takes another number of variables, "
                "or is a function of one point, to be wrapped: cem.each(g)"
            ) from error
        except Exception as error:
            error.add_note(f"g was called with a batch of shape ({n}, {d}), {_ranges(x)}")
            raise
        if value.shape != (n,):
            raise ValueError(
                f"g must return one number per point: expected shape ({n},), got {value.shape}; "
                + (
                    "a g of one point must be wrapped: cem.each(g)"
                    if value.ndim == 0
                    else f"it likely does not reduce over the {d} variables"
                )
            )
        if value.dtype.kind not in "fiu":
            raise TypeError(
                f"g must return real numbers, negative at failure; got dtype {value.dtype}"
            )
        return value.astype(float)

    def _score_of_undefined(self, u: Batch, undefined: Any) -> float:
        if self.invalid == "raise":
            first = np.array2string(
                self.to_physical(u[undefined][:1])[0], threshold=12, max_line_width=10**6
            )
            raise ValueError(
                f"g must return numbers; got NaN at {undefined.sum()} of {len(undefined)} points, "
                f"the first of them x = {first}; if a NaN is a failure, or is none, say so with "
                "invalid='fails' or invalid='safe'"
            )
        return FARTHEST if self.invalid == "fails" else -FARTHEST


def _ranges(x: Array) -> str:
    """Where the points of a batch lie, in words."""
    if not len(x):
        return "which is empty"
    low, high = x.min(axis=0), x.max(axis=0)
    shown = range(min(x.shape[1], SHOWN))
    parts = [f"{low[j]:.6g} <= x{j + 1} <= {high[j]:.6g}" for j in shown]
    return ", ".join(parts) + ", ..." * (x.shape[1] > SHOWN)


def _name(g: Any) -> str:
    """A function in words, without an address."""
    if isinstance(g, partial):
        given = [*map(repr, g.args), *(f"{key}={value!r}" for key, value in g.keywords.items())]
        return f"{_name(g.func)}({', '.join(['...', *given])})"
    return str(getattr(g, "__qualname__", type(g).__name__))
