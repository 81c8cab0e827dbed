"""Where a Markov chain under a nominal density may go next."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.random import Generator

from cem.randomness import Purpose, root_of, stream
from cem.scores import real_number, whole_number
from cem.typing import Array, Batch

PAIRS = 50  # samples on which a proposal is tried
EXCHANGES = 0.25  # in a walk, on average


class Proposal(Protocol):
    """A move that leaves the nominal density as it is, forwards and backwards alike."""

    @property
    def share(self) -> float:
        """How far it goes, in (0, 1]; tuned by the acceptance rate."""

    def __call__(self, u: Any, x: Batch, rng: Generator) -> Batch:
        """One proposal for every state ``x_i``, reversible under ``f(.; u)``."""

    def keeps(self, u: Any) -> bool:
        """Whether it is for such a density."""


@dataclass(frozen=True)
class Exchange(ABC):
    """A state and a fresh sample are exchanged in part, so that the pair stays as likely."""

    share: float = 0.5

    def __post_init__(self) -> None:
        object.__setattr__(self, "share", _share(self.share))

    def __call__(self, u: Any, x: Batch, rng: Generator) -> Batch:
        """The states, partly fresh."""
        return self.mixed(u, x, u.sample(rng, len(x)), rng)[0]

    @abstractmethod
    def mixed(self, u: Any, x: Batch, fresh: Batch, rng: Generator) -> tuple[Batch, Batch]:
        """Both batches after the exchange."""

    def keeps(self, u: Any) -> bool:
        """Whether ``f(x) f(y) = f(x') f(y')`` for all pairs of samples: then it is reversible."""
        rng = stream(root_of(0), Purpose.SAMPLE)
        pair = u.sample(rng, PAIRS), u.sample(rng, PAIRS)
        try:
            before, after = (
                u.log_density(x) + u.log_density(y) for x, y in (pair, self.mixed(u, *pair, rng))
            )
        except (AttributeError, TypeError, ValueError):  # no mean, no array, or no such point
            return False
        return np.allclose(before, after, rtol=1e-8, atol=1e-8)


@dataclass(frozen=True)
class Coordinates(Exchange):
    """Every coordinate is replaced by a fresh one with probability ``share``.

    For discrete nominal densities of independent coordinates, and products of such families. Where
    one coordinate alone must be extreme, chains of continuous ones hardly climb so: take
    `RandomWalk`.

    >>> from cem.families import Bernoulli
    >>> Coordinates(0.5)(Bernoulli([1.0] * 8), np.zeros((1, 8)), np.random.default_rng(1))
    array([[0., 1., 0., 0., 1., 0., 1., 1.]])
    """

    def mixed(self, u: Any, x: Batch, fresh: Batch, rng: Generator) -> tuple[Batch, Batch]:
        """Two batches with some of their coordinates exchanged."""
        if x.dtype.names is None:
            take = rng.random(x.shape) < self.share
            return np.where(take, fresh, x), np.where(take, x, fresh)
        new, left = x.copy(), fresh.copy()
        for name in x.dtype.names:
            new[name], left[name] = self.mixed(u, x[name], fresh[name], rng)
        return new, left


@dataclass(frozen=True)
class Correlated(Exchange):
    """``x' = mean + sqrt(1 - share) (x - mean) + sqrt(share) (fresh - mean)``.

    For normal nominal densities, with or without correlation, in any dimension: the preconditioned
    Crank-Nicolson proposal. In reliability it is known as conditional sampling in standard normal
    space: Papaioannou, Betz, Zwirglmaier, Straub (2015).

    >>> from cem.families import Normal
    >>> Correlated(0.36)(Normal([5.0], [0.0]), np.array([[10.0]]), np.random.default_rng(1))
    array([[9.]])
    """

    def mixed(self, u: Any, x: Batch, fresh: Batch, rng: Generator) -> tuple[Batch, Batch]:  # noqa: ARG002 - as for Coordinates
        """Two batches turned into each other by an angle."""
        old, new = x - u.mean, fresh - u.mean
        c, s = math.sqrt(1 - self.share), math.sqrt(self.share)
        return u.mean + c * old + s * new, u.mean + c * new - s * old


@dataclass(frozen=True)
class RandomWalk:
    """Steps of a random walk, kept under the nominal density by Metropolis' rule.

    A normal step has ``2.4 share / sqrt(d)`` nominal spreads in every coordinate; now and then two
    coordinates are exchanged instead, in units of theirs, which leads from one cause of an event to
    another. The score is not asked between the steps. For any density on ``R^d`` or a part of it.

    >>> from cem.families import Exponential
    >>> x = np.full((2000, 1), 20.0)
    >>> x = RandomWalk(1.0, steps=100)(Exponential([2.0]), x, np.random.default_rng(1))
    >>> x.mean().round(), x.std().round()
    (np.float64(2.0), np.float64(2.0))
    """

    share: float = 0.5
    steps: int = 20

    def __post_init__(self) -> None:
        object.__setattr__(self, "share", _share(self.share))
        object.__setattr__(self, "steps", whole_number("steps, those of a walk,", self.steps))

    def __call__(self, u: Any, x: Batch, rng: Generator) -> Batch:
        """Where the walks end that begin at the states."""
        spread = u.spread()
        step = 2.4 * self.share / math.sqrt(len(spread)) * spread
        now, log_f = x, u.log_density(x)
        for _ in range(self.steps):
            tried = now + step * rng.standard_normal(x.shape)
            other = rng.random(len(x)) < EXCHANGES / self.steps
            tried[other] = _exchanged(now[other], spread, rng)
            log_g = u.log_density(tried)
            good = log_g - log_f >= -rng.standard_exponential(len(x))
            now, log_f = np.where(good[:, None], tried, now), np.where(good, log_g, log_f)
        return now

    def keeps(self, u: Any) -> bool:
        """Whether most walks under ``u`` go somewhere; none ever leaves the density."""
        rng = stream(root_of(0), Purpose.SAMPLE)
        x = u.sample(rng, PAIRS)
        if np.asarray(x).dtype.kind != "f" or not u.spread().all():
            return False
        return bool((self(u, x, rng) != x).any(axis=1).mean() > 0.5)


def proposal_for(u: Any) -> Proposal:
    """The first of `Correlated`, `RandomWalk` and `Coordinates` that keeps the density ``u``.

    Raises ValueError if none does.

    >>> from cem.families import Bernoulli, Exponential, Normal
    >>> [proposal_for(u) for u in (Normal([0.0], [1.0]), Exponential([1.0]), Bernoulli([0.5]))]
    [Correlated(share=0.5), RandomWalk(share=0.5, steps=20), Coordinates(share=0.5)]
    """
    known: tuple[Proposal, ...] = (Correlated(), RandomWalk(), Coordinates())
    for proposal in known:
        if proposal.keeps(u):
            return proposal
    raise ValueError(
        f"no proposal is known that keeps a {type(u).__name__}: expected a density on R^d or one "
        "of independent coordinates, or propose="
    )


def _exchanged(x: Array, unit: Array, rng: Generator) -> Array:
    """Two coordinates of every row in each other's place, in their units."""
    row = np.arange(len(x))[:, None]
    one = rng.integers(x.shape[1], size=(len(x), 2))
    two = one[:, ::-1]
    x = x.copy()
    x[row, one] = x[row, two] * unit[one] / unit[two]
    return x


def _share(share: Any) -> float:
    value = real_number("share, what is fresh of a proposal,", share)
    if not 0 < value <= 1:
        raise ValueError(f"share, what is fresh of a proposal, must lie in (0, 1]; got {share!r}")
    return value
