"""Beginning anew: what a search does with the budget that its first convergence leaves."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.random import Generator

from cem.engine import CrossEntropyMethod
from cem.randomness import Purpose, stream
from cem.run import run
from cem.scores import real_number, rounded_up
from cem.sizes import Multiplied, size_of
from cem.state import History, State
from cem.stopping import Stop
from cem.typing import Batch, Callback, Family, Method, Restart, SampleSize, StopRule, Vector


@dataclass(frozen=True)
class IPOP:
    """Every search has ``factor`` times the samples of the one before: Auger and Hansen (2005).

    A larger batch sees more of a function at once, and is less easily caught by a local optimum.
    It starts where a sample of the nominal density fell, as wide as the nominal density. No search
    has more than ``most`` times the samples of the first.

    >>> from cem.families import Normal
    >>> method = CrossEntropyMethod(nominal=Normal([0.0], [1.0]), n_samples=10, rng=1)
    >>> [IPOP()(method, History(), k).n_samples for k in range(4)]
    [10, 20, 40, 80]
    """

    factor: float = 2.0
    most: float = math.inf

    def __post_init__(self) -> None:
        _check("factor", self.factor)
        if not real_number("most", self.most) >= 1:
            raise ValueError(f"most, times the first samples, must be at least 1; got {self.most}")

    def __call__(self, method: CrossEntropyMethod, history: History, k: int) -> CrossEntropyMethod:
        """The method of the ``k``-th restart."""
        del history
        if k == 0:
            return method
        rng = stream(method.root, Purpose.RESTART, k)
        nominal, times = elsewhere(method.nominal, rng), min(self.factor ** min(k, 100), self.most)
        return replace(method, nominal=nominal, n_samples=_times(method, times))


@dataclass(frozen=True)
class AtMost:
    """Another rule, for so many restarts and no more."""

    of: Restart
    most: int

    def __call__(
        self, method: CrossEntropyMethod, history: History, k: int
    ) -> CrossEntropyMethod | None:
        """The method of the ``k``-th restart, or None to end."""
        return None if k > self.most else self.of(method, history, k)


@dataclass(frozen=True)
class Never:
    """One search, and no other."""

    def __call__(
        self, method: CrossEntropyMethod, history: History, k: int
    ) -> CrossEntropyMethod | None:
        """The method itself for ``k = 0``, or None to end."""
        del history
        return method if k == 0 else None


never = Never()


def _times(method: CrossEntropyMethod, factor: float) -> SampleSize:
    if callable(method.n_samples):
        return Multiplied(method.n_samples, factor)
    return rounded_up(method.n_samples * factor)


@dataclass(frozen=True)
class BIPOP:
    """Large searches, and small ones in between: Hansen (2009).

    Whichever kind has had fewer evaluations so far is next. The first large one has ``first`` times
    the samples of the search before it, every later one ``factor`` times those of the last. The
    small ones have a random size between the very first and half of the last large one, and start
    up to a hundred times narrower: they look closely at many places, the large ones at everything
    from afar. Hansen has 2 for both numbers; what few samples could not find, many more may.
    """

    factor: float = 2.0
    first: float = 3.0

    def __post_init__(self) -> None:
        _check("factor", self.factor)
        _check("first", self.first)

    def __call__(self, method: CrossEntropyMethod, history: History, k: int) -> CrossEntropyMethod:
        """The method of the ``k``-th restart."""
        if k == 0:
            return method
        nfev = _evaluations(history, k)
        small, large, n_large = nfev[0], 0.0, 0
        for i in range(1, k + 1):
            is_large = large <= small
            n_large += is_large
            if i < k:
                small, large = small + nfev[i] * (not is_large), large + nfev[i] * is_large
        rng = stream(method.root, Purpose.RESTART, k)
        nominal = elsewhere(method.nominal, rng)
        times = self.first * self.factor ** (n_large - 1)
        if is_large:
            return replace(method, nominal=nominal, n_samples=_times(method, times))
        width, size = 10 ** (-2 * rng.random()), rng.random() ** 2
        times = max(1.0, (times / 2) ** size)
        return replace(method, nominal=scaled(nominal, width), n_samples=_times(method, times))


def _check(name: str, factor: Any) -> None:
    if not 1 <= real_number(name, factor) < math.inf:
        raise ValueError(f"{name}, by which the samples grow, must be at least 1; got {factor!r}")


def _evaluations(history: History, k: int) -> Vector:
    """The evaluations of each of the first ``k`` searches."""
    which = history.column("restart").astype(int)
    return np.bincount(which, weights=history.column("n"), minlength=k)[:k].astype(float)


def elsewhere(nominal: Family, rng: Generator) -> Family:
    """The nominal density moved to one of its samples; itself if it has no mean to move.

    >>> from cem.families import Bernoulli
    >>> elsewhere(Bernoulli([0.5]), np.random.default_rng(1))
    Bernoulli(p=[0.5])
    """
    if "mean" not in nominal.parameters() or nominal.parameters().keys() == {"mean"}:
        return nominal
    return nominal.replace(mean=nominal.sample(rng, 1)[0])


def scaled(f: Family, width: float) -> Family:
    """A density with the same mean, ``width`` times as wide; itself if it has no such parameter."""
    has = f.parameters()
    change = {"std": width, "cov": width**2}
    return f.replace(**{name: has[name] * by for name, by in change.items() if name in has})


def search(
    method: CrossEntropyMethod,
    evaluate: Callable[[Batch, int], Vector],
    *,
    wrap: Callable[[CrossEntropyMethod], Method] = lambda method: method,
    restart: Restart,
    ends: Iterable[StopRule],
    limits: Callable[[int], Iterable[StopRule]],  # from the size of the next batch
    start: tuple[State, History],
    callbacks: Iterable[Callback],
) -> tuple[State, History, Stop]:
    """Run, and begin anew whenever one of the rules ``ends`` a search, until a limit is reached.

    ``wrap`` makes of a method what is run: a `cem.borders.Bounded` one, say. Which search is next,
    and from where, follows from the history: a run that is resumed begins anew as it would have.
    """
    method = replace(method, rng=method.root)  # or every search would draw a root of its own
    (state, history), ends = start, tuple(ends)
    this = restart(method, history, state.restart) or method
    while True:
        over = partial(_limited, limits, this, state.began)
        ended = partial(_ended, ends, state.began)
        state, history, stop = run(
            wrap(this), evaluate, until=[over, ended], start=(state, history), callbacks=callbacks
        )
        following = restart(method, history, state.restart + 1)
        if following is None or over(history) or _limited(limits, following, state.t, history):
            why = stop if stop.success else ended(history) or stop  # it says more than a limit
            return state, history, _of_all(why, ends, history)
        this = following
        state = replace(state, v=this.nominal, memory={}, restart=state.restart + 1, began=state.t)


def _limited(
    limits: Callable[[int], Iterable[StopRule]],
    method: CrossEntropyMethod,
    began: int,
    history: History,
) -> Stop | None:
    """What the first of the limits says to a run whose next batch is one of this method."""
    upcoming = size_of(method.n_samples, len(history) - began)
    return next((stop for rule in limits(upcoming) if (stop := rule(history))), None)


def _ended(ends: Iterable[StopRule], began: int, history: History) -> Stop | None:
    """What the first of the rules says to the history of one search."""
    of_this = History(history[began:])
    return next((stop for rule in ends if (stop := rule(of_this))), None)


def _of_all(stop: Stop, ends: Iterable[StopRule], history: History) -> Stop:
    """The reason, and how the searches before the last one did."""
    which = history.column("restart")
    n = int(which[-1]) if history else 0
    if n == 0:
        return stop
    at = np.searchsorted(which, np.arange(n + 1))
    before = [_ended(ends, a, History(history[:b])) for a, b in pairwise(at.tolist())]
    good = sum(end is not None and end.success for end in before)
    return Stop(
        f"{stop.message}; {good} of {n} searches before the last had converged",
        success=stop.success or good > 0,
    )
