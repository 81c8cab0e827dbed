"""The words of the library: every other module speaks in these types."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

if TYPE_CHECKING:
    from cem.engine import CrossEntropyMethod
    from cem.state import History, Record, State
    from cem.stopping import Stop

Array: TypeAlias = NDArray[np.float64]
Vector: TypeAlias = NDArray[np.float64]  # shape (n,): one number per sample
Batch: TypeAlias = Any
"""``n`` samples: an array whose first axis counts them, plain or structured.

Anything with ``len(x)``, ``x[mask]``, ``x[start:stop]`` and ``x[i]`` will do.
"""
Memory: TypeAlias = Mapping[str, Array]  # what a strategy remembers between iterations


class Family(Protocol):
    """A parametric density ``f(.; v)``, immutable: a new ``v`` is a new object."""

    def sample(self, rng: Generator, n: int) -> Batch:
        """Draw ``X_1, ..., X_n`` from ``f(.; v)``; all randomness comes from ``rng``."""

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i; v)`` for every sample; ``-inf`` off the support."""

    def fit(self, x: Batch, weights: Vector) -> Self:
        """``argmin_v -sum_i w_i ln f(x_i; v)``: the cross-entropy minimiser."""

    def smooth(self, towards: Self, alpha: float) -> Self:
        """The member with parameters ``alpha * towards + (1 - alpha) * self``."""

    def no_narrower_than(self, other: Self) -> Self:
        """The member nearest to this one whose tails are no lighter than the other's.

        A family where that has no meaning returns itself.
        """

    def spread(self) -> Array:
        """Standard deviation of every coordinate; all zero for a point mass."""

    def parameters(self) -> dict[str, Array]:
        """The reference parameter ``v`` as named arrays: all a checkpoint needs."""

    def replace(self, **parameters: Array) -> Self:
        """The same family at other parameters; inverse of `parameters`."""


class Problem(Protocol):
    """A thing that scores a batch, higher is better. Any function ``f(x)`` is one."""

    def __call__(self, x: Batch, /) -> Any:
        """The scores, shape ``(len(x),)``."""


class NoisyProblem(Protocol):
    """A problem whose score is itself random: bound to a generator it becomes a `Problem`."""

    def bind(self, rng: Generator) -> Problem:
        """The problem with its randomness taken from ``rng``: all of it, sample after sample."""


class Method(Protocol):
    """What `cem.run.run` iterates: sample a batch, then learn from its scores."""

    def init(self) -> State:
        """The state before the first iteration."""

    def ask(self, state: State) -> Batch:
        """The batch to score; asking twice gives it twice."""

    def tell(self, state: State, x: Batch, score: Vector) -> tuple[State, Record]:
        """The next state, and what this iteration did."""


class Refit(Protocol):
    """What a smoothing may look at besides the state: the batch, its elite, the fit to that."""

    @property
    def x(self) -> Batch:
        """All samples of this iteration."""

    @property
    def score(self) -> Vector:
        """Their scores; ``-inf`` where one failed."""

    @property
    def gamma(self) -> float:
        """The level of this iteration."""

    @property
    def elite(self) -> Batch:
        """The elite samples."""

    @property
    def w(self) -> Vector:
        """Their weights, summing to one."""

    @property
    def v_hat(self) -> Family:
        """The cross-entropy minimiser for these samples and weights."""


LogWeight: TypeAlias = Callable[[Family, Family, Batch], Vector]  # (u, v, x) -> ln W
Selection: TypeAlias = Callable[[Vector, Vector, float], tuple[float, Vector]]
"""``(score, ln W, gamma) -> (gamma_t, ln weight)``, ``-inf`` where a sample is not elite."""
Refine: TypeAlias = Callable[[Any, Generator], Any]
"""A local search: ``(x, rng)`` to samples of the same shape, each at least as good as it was."""
SampleSize: TypeAlias = int | Callable[[int], int]  # N, or N_t from the iterations done
Smoothing: TypeAlias = "Callable[[State, Refit], tuple[Any, Memory]]"  # -> v_t, new memory
Restart: TypeAlias = "Callable[[CrossEntropyMethod, History, int], CrossEntropyMethod | None]"
"""``(method, history, k)`` -> the method of the k-th restart, itself for ``k = 0``; None: end."""
StopRule: TypeAlias = "Callable[[History], Stop | None]"  # a reason to stop, or None
Callback: TypeAlias = "Callable[[State, Record], object]"  # watches; never steers
Map: TypeAlias = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
