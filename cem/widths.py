"""Smoothings that widen a normal density: about the old mean, by injection, by added noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cem.scores import positive_number, real_number, whole_number
from cem.smoothing import Fit, check_smoothing
from cem.typing import Array, Family, Memory, Refit, Smoothing

if TYPE_CHECKING:
    from cem.state import State

NORMAL = (("mean", "std"), ("log_mean", "log_std"), ("mean", "cov"))  # what moves, and its width


@dataclass(frozen=True)
class AboutOldMean:
    """The variance of the elite about the mean of ``v_{t-1}``, then another smoothing.

    That is ``std^2 + step^2`` for the ``std`` of ``v_hat`` and the ``step`` of the mean, or
    ``cov + step step'``: wide in the direction of the step, where the variance about the new mean
    is narrow. While the mean moves, the density does not close before it has arrived; so do the
    evolution strategies, Hansen (2016), arXiv:1604.00772.

    >>> from cem.families import Normal
    >>> from cem.smoothing import Constant
    >>> from cem.state import State
    >>> old, new = Normal([0.0], [1.0]), Normal([4.0], [3.0])
    >>> v, _ = AboutOldMean(Constant(1.0))(State(old), Fit(None, None, 0.0, None, None, new))
    >>> v.mean, v.std
    (array([4.]), array([5.]))
    """

    of: Smoothing

    def __post_init__(self) -> None:
        check_smoothing("AboutOldMean", self.of)

    def __call__(self, state: State, refit: Refit) -> tuple[Any, Memory]:
        """``v_t`` of the other smoothing, for the wider fit; and what that one remembers."""
        v = refit.v_hat
        mean, width = _names("AboutOldMean", v)
        has = v.parameters()
        step = has[mean] - state.v.parameters()[mean]
        wide = has[width] + np.outer(step, step) if width == "cov" else np.hypot(has[width], step)
        wider = v.replace(**{width: wide})
        return self.of(state, Fit(refit.x, refit.score, refit.gamma, refit.elite, refit.w, wider))


@dataclass(frozen=True)
class Injected:
    """Another smoothing; once all is narrow, ``factor |S*_t - S*_(t-h)|`` is added to every std.

    ``S*_t`` is the best score of iteration ``t``. A density whose largest ``std`` is ``below`` a
    number, but whose scores still change, closes too early: variance injection, Botev and Kroese
    (2004), with a factor from 1 to 100. When the scores have settled nothing is added any more.

    >>> from cem.families import Normal
    >>> from cem.smoothing import Constant
    >>> from cem.state import State
    >>> smooth = Injected(Constant(1.0), below=0.1, factor=2.0)
    >>> state = State(Normal([0.0], [0.05]))
    >>> for top in (1.0, 1.25, 1.25):
    ...     v, memory = smooth(state, Fit(None, np.array([top]), 0.0, None, None, state.v))
    ...     state = State(v, memory=memory)
    ...     print(v.std)
    [0.05]
    [0.55]
    [0.55]
    """

    of: Smoothing
    below: float
    h: int = 1
    factor: float = 10.0

    def __post_init__(self) -> None:
        check_smoothing("Injected", self.of)
        name = "below, the std that is too narrow,"
        object.__setattr__(self, "below", positive_number(name, self.below))
        object.__setattr__(self, "h", whole_number("h, the iterations to look back,", self.h))
        name = "factor, from a difference of scores to a std,"
        object.__setattr__(self, "factor", positive_number(name, self.factor))

    def __call__(self, state: State, refit: Refit) -> tuple[Any, Memory]:
        """``v_t`` of the other smoothing, widened; its memory, and the last ``h`` best scores."""
        v, memory = self.of(state, refit)
        std = _std("Injected", v)
        top = float(refit.score.max())
        tops = state.memory.get("injection_tops", np.empty(0))
        if len(tops) == self.h and std.max() < self.below:
            more = self.factor * abs(top - float(tops[0]))
            v = _wider("Injected", v, more * (2 * std + more))
        return v, {**memory, "injection_tops": np.append(tops, top)[-self.h :]}


@dataclass(frozen=True)
class Noisy:
    """Another smoothing with ``Z_t = max(start - per_iteration t, 0)`` added to every variance.

    ``t`` counts from 1. The noise keeps the density open and lets it close in the end: Szita and
    Lorincz (2006), with ``Z_t = max(5 - t / 10, 0)``. Without ``per_iteration`` it is constant,
    and the density never closes.

    >>> from cem.families import Normal
    >>> from cem.smoothing import Constant
    >>> from cem.state import State
    >>> point = Normal([0.0], [0.0])
    >>> fit = Fit(None, None, 0.0, None, None, point)
    >>> smooth = Noisy(Constant(1.0), start=5.0, per_iteration=0.1)
    >>> [smooth(State(point, t), fit)[0].std.item() for t in (9, 39, 59)]
    [2.0, 1.0, 0.0]
    """

    of: Smoothing
    start: float
    per_iteration: float = 0.0

    def __post_init__(self) -> None:
        check_smoothing("Noisy", self.of)
        name = "start, the variance added at first,"
        object.__setattr__(self, "start", positive_number(name, self.start))
        rate = real_number("per_iteration", self.per_iteration)
        if not 0 <= rate < math.inf:
            raise ValueError(
                f"per_iteration, by which the noise falls, must be finite and not negative; got "
                f"{self.per_iteration!r}"
            )
        object.__setattr__(self, "per_iteration", rate)

    def __call__(self, state: State, refit: Refit) -> tuple[Any, Memory]:
        """``v_t`` of the other smoothing, widened; and what that one remembers."""
        v, memory = self.of(state, refit)
        noise = max(0.0, self.start - self.per_iteration * (state.age + 1))
        return _wider("Noisy", v, noise), memory


def _names(by: str, v: Family) -> tuple[str, str]:
    for names in NORMAL:
        if v.parameters().keys() == set(names):
            return names
    raise ValueError(
        f"{by} needs a density with a mean and a std or cov, such as Normal; got "
        f"{type(v).__name__} with {', '.join(v.parameters())}"
    )


def _std(by: str, v: Family) -> Array:
    name = _names(by, v)[1]
    width = v.parameters()[name]
    return np.sqrt(width.diagonal()) if name == "cov" else width


def _wider(by: str, v: Family, variance: Array | float) -> Family:
    """The density with so much more variance in every coordinate, one for all or one for each."""
    name = _names(by, v)[1]
    width = v.parameters()[name]
    if name == "cov":
        wide = width + variance * np.eye(len(width))
    else:
        wide = np.hypot(width, np.sqrt(variance))
    return v.replace(**{name: wide})
