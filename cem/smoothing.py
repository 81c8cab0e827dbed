"""From v_{t-1} and v_hat to v_t: what keeps a density from freezing too early."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cem.scores import positive_number, real_number
from cem.typing import Batch, Family, Memory, Refit, Smoothing, Vector

if TYPE_CHECKING:
    from cem.state import State

LOCATIONS = ("mean", "log_mean")  # what moves a density; any other parameter is its width


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
        if hasattr(new, "kind") and "weight" in names:  # see cem.families.mixing.Mixture
            raise TypeError(
                f"the components of a mixture have no order: the parameters of {type(new).__name__}"
                f" cannot be smoothed one by one; got {', '.join(alpha)}: use one number for all"
            )
        if names != alpha.keys():
            raise ValueError(
                f"alpha must have one number for every parameter of {type(new).__name__}, "
                f"{', '.join(names)}; got {', '.join(alpha) or 'none'}"
            )
        return new.replace(**{k: old.smooth(new, a).parameters()[k] for k, a in alpha.items()})


@dataclass(frozen=True)
class Still:
    """``v_t = v_{t-1}``: nothing is learnt, and all samples are independent. For comparisons."""

    def __call__(self, state: State, refit: Refit) -> tuple[Any, Memory]:  # noqa: ARG002
        """The density as it is."""
        return state.v, {}


def _weight(alpha: Any, of: str = "", called: str = "alpha") -> float:
    name = f"{called}{of}, the weight of the new fit in the smoothing,"
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


@dataclass(frozen=True)
class Dynamic:
    """The mean by ``alpha``, the width by ``beta_t = beta - beta (1 - 1/t)^q``, ``t`` from 1.

    Kroese, Porotsky, Rubinstein (2006). ``beta_t`` starts at ``beta`` and falls like
    ``beta q / t``, so in the end the width shrinks no faster than ``t^(-beta q)`` and not
    geometrically: a remedy against a density that freezes before it has found the optimum. The
    larger ``q``, the later it slows down. For families with a ``mean`` (or ``log_mean``) and a
    width, which is whatever else they have; any other is refused.

    >>> from cem.families import Normal
    >>> from cem.state import State
    >>> class Fit:
    ...     v_hat = Normal([1.0], [0.0])
    >>> smooth = Dynamic(alpha=0.7, beta=0.8, q=5)
    >>> v, _ = smooth(State(Normal([0.0], [1.0]), t=1), Fit)  # the second iteration
    >>> v.mean, v.std  # 0.2 + 0.8 / 2**5
    (array([0.7]), array([0.225]))
    """

    alpha: float = 0.7
    beta: float = 0.9
    q: float = 7

    def __post_init__(self) -> None:
        object.__setattr__(self, "alpha", _weight(self.alpha, " of the mean"))
        object.__setattr__(self, "beta", _weight(self.beta, " of the width", "beta"))
        object.__setattr__(self, "q", positive_number("q, how late the smoothing sets in,", self.q))

    def __call__(self, state: State, refit: Refit) -> tuple[Any, Memory]:
        """``v_t``; nothing needs to be remembered but its age."""
        names = refit.v_hat.parameters().keys()
        if len(names & set(LOCATIONS)) != 1 or len(names) < 2:
            raise ValueError(
                "Dynamic needs a family with a mean and a width, such as Normal; got "
                f"{type(refit.v_hat).__name__} with {', '.join(names)}: use Constant or Decreasing"
            )
        beta_t = self.beta * (1 - (1 - 1 / (state.age + 1)) ** self.q)
        alpha = {name: self.alpha if name in LOCATIONS else beta_t for name in names}
        return Constant(alpha)(state, refit)


@dataclass(frozen=True)
class Decreasing:
    """`Constant` with ``alpha_t = alpha / t^power``, ``t`` from 1.

    However the fits turn out, a share of ``prod_{s <= t} (1 - alpha_s)`` of the first density is
    left. For ``power < 1`` it vanishes quickly, for ``power > 1`` (and ``alpha < 1``) never. For
    ``power = 1`` it is of the order ``t^-alpha``: then, if ``alpha < 1`` is at most ``1 / d``,
    ``d`` Bernoulli coordinates take all their values infinitely often, whatever the elite say, and
    an optimum is found with probability one. Costa, Jones, Kroese (2007) give such conditions.

    >>> from cem.families import Bernoulli
    >>> from cem.state import State
    >>> class Fit:
    ...     v_hat = Bernoulli([1.0])
    >>> Decreasing(alpha=0.8, power=0.5)(State(Bernoulli([0.5]), t=3), Fit)[0].p  # 0.8 / 2
    array([0.7])
    """

    alpha: float = 0.9
    power: float = 0.5

    def __post_init__(self) -> None:
        object.__setattr__(self, "alpha", _weight(self.alpha))
        name = "power, that of t in alpha / t^power,"
        object.__setattr__(self, "power", positive_number(name, self.power))

    def __call__(self, state: State, refit: Refit) -> tuple[Any, Memory]:
        """``v_t``; nothing needs to be remembered but its age."""
        return Constant(self.alpha / (state.age + 1) ** self.power)(state, refit)


@dataclass(frozen=True)
class Floor:
    """Another smoothing whose named parameters never fall below a number: ``{"std": 1e-3}``.

    The number holds for every coordinate. A density that cannot shrink further goes on searching;
    it ends with the level, the budget or the target, not by degenerating. Parameters of one axis
    only: a matrix is no covariance any more once its elements are raised.

    >>> from cem.families import Normal
    >>> from cem.state import State
    >>> class Fit:
    ...     v_hat = Normal([0.0, 0.0], [1e-9, 1.0])
    >>> smooth = Floor(Constant(1.0), {"std": 1e-3})
    >>> smooth(State(Fit.v_hat), Fit)[0].std
    array([0.001, 1.   ])
    """

    of: Smoothing
    least: Mapping[str, float]

    def __post_init__(self) -> None:
        check_smoothing("Floor", self.of)
        if not isinstance(self.least, Mapping) or not self.least:
            raise TypeError(
                'least must name parameters and their least values, such as {"std": 1e-3}; got '
                f"{self.least!r}"
            )
        least = {name: _finite(f"the least {name}", value) for name, value in self.least.items()}
        object.__setattr__(self, "least", least)

    def __call__(self, state: State, refit: Refit) -> tuple[Any, Memory]:
        """``v_t`` of the other smoothing, raised; and what that one remembers."""
        v, memory = self.of(state, refit)
        has = v.parameters()
        for name in self.least:
            if name not in has or has[name].ndim != 1:
                vectors = [k for k, a in has.items() if a.ndim == 1]
                raise ValueError(
                    f"least must name parameters of one axis of {type(v).__name__}, "
                    f"{', '.join(vectors) or 'which has none'}; got {name}"
                )
        return v.replace(**{k: np.maximum(has[k], m) for k, m in self.least.items()}), memory


@dataclass(frozen=True)
class Margin:
    """Another smoothing whose probabilities never fall below ``least``.

    For `Bernoulli` coordinates, which would otherwise be fixed for good once ``p_j`` is 0 or 1:
    they stay in ``[least, 1 - least]``. A usual margin for ``d`` coordinates is ``1 / d``: then
    about one coordinate of a sample differs from the mode of a density that has settled. Of a row
    of probabilities, as of `Categorical`, what was possible under ``v_{t-1}`` stays so with at
    least ``least``, and what is above gives in proportion to its surplus. What is excluded under
    ``v_{t-1}`` stays excluded. For families with a method ``within_margin(least, before)``,
    ``before`` being ``v_{t-1}``.

    >>> from cem.families import Bernoulli, Categorical
    >>> from cem.state import State
    >>> class Fit:
    ...     v_hat = Bernoulli([0.0, 0.5, 1.0])
    >>> Margin(Constant(1.0), 0.25)(State(Bernoulli([0.5] * 3)), Fit)[0].p
    array([0.25, 0.5 , 0.75])
    >>> class Fit:
    ...     v_hat = Categorical([[0.6, 0.4, 0.0]])
    >>> Margin(Constant(1.0), 0.1)(State(Categorical([[0.4, 0.4, 0.2]])), Fit)[0].p
    array([[0.5375, 0.3625, 0.1   ]])
    """

    of: Smoothing
    least: float

    def __post_init__(self) -> None:
        check_smoothing("Margin", self.of)
        least = real_number("least, the margin,", self.least)
        if not 0 < least < 0.5:
            raise ValueError(f"least, the margin, must lie in (0, 1/2); got {self.least!r}")
        object.__setattr__(self, "least", least)

    def __call__(self, state: State, refit: Refit) -> tuple[Any, Memory]:
        """``v_t`` of the other smoothing, kept off 0 and 1; and what that one remembers."""
        v, memory = self.of(state, refit)
        if not hasattr(v, "within_margin"):
            raise ValueError(
                "Margin needs a family with probabilities p, such as Bernoulli; got "
                f"{type(v).__name__} with {', '.join(v.parameters())}"
            )
        return v.within_margin(self.least, state.v), memory


class Fit(NamedTuple):
    """A fit made from another one: what a smoothing hands to the one that it wraps."""

    x: Batch
    score: Vector
    gamma: float
    elite: Batch
    w: Vector
    v_hat: Any


def check_smoothing(by: str, of: Any) -> None:
    """Refuse to wrap what is no smoothing."""
    if not callable(of):
        raise TypeError(f"{by} wraps a smoothing, such as Constant(0.7); got {of!r}")


def _finite(name: str, value: Any) -> float:
    number = real_number(name, value)
    if not np.isfinite(number):
        raise ValueError(f"{name} must be finite; got {value!r}")
    return number
