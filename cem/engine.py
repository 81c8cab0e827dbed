"""One iteration of the cross-entropy method, as pure functions: init, ask and tell."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.random import SeedSequence

from cem.loss import entropy_and_kl, fitted_cross_entropy
from cem.randomness import Purpose, root_of, stream
from cem.scores import checked_scores, finite_or_worst
from cem.selection import Elite
from cem.sizes import size_of
from cem.smoothing import Constant, Fit
from cem.state import Record, State
from cem.typing import Batch, LogWeight, Memory, SampleSize, Selection, Smoothing, Vector
from cem.weights import effective_sample_size, normalise, unit


class Gathered(NamedTuple):
    """The samples that a refit rests on, and what is to be remembered of them."""

    x: Batch
    score: Vector
    log_w: Vector
    memory: Memory = {}  # noqa: RUF012 - never changed


@dataclass(frozen=True, kw_only=True, eq=False)
class CrossEntropyMethod:
    """The method and its settings; it holds no state and keeps no generator.

    With a finite ``gamma`` and `likelihood_ratio` weights it steers the sampling density
    to the rare event ``S(X) >= gamma`` under ``f(.; u)``. With the defaults the level may
    rise for ever and every elite sample counts the same: that is optimisation.

    >>> from cem.families import Bernoulli
    >>> method = CrossEntropyMethod(nominal=Bernoulli([0.5] * 8), n_samples=100, rng=1)
    >>> state = method.init()
    >>> while state.best.score < 8:
    ...     x = method.ask(state)
    ...     state, record = method.tell(state, x, x.sum(axis=1))
    >>> state.best.x
    array([1, 1, 1, 1, 1, 1, 1, 1], dtype=int8)
    """

    nominal: Any  # f(.; u), a Family
    n_samples: SampleSize  # N, or a rule for it
    select: Selection = field(default_factory=Elite)
    smooth: Smoothing = field(default_factory=Constant)
    gamma: float = math.inf  # the level to reach
    log_weight: LogWeight = unit
    rng: Any = None
    first: Any = None  # f(.; v_0), a Family, where that is not the nominal density
    root: SeedSequence = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", root_of(self.rng))

    def init(self) -> State:
        """The state before the first iteration: the density to begin with, and nothing found."""
        return State(self.nominal if self.first is None else self.first)

    def ask(self, state: State) -> Batch:
        """Sample ``X_1, ..., X_N`` from ``f(.; v_{t-1})``; asking twice gives them twice."""
        rng = stream(self.root, Purpose.SAMPLE, state.t)
        return state.v.sample(rng, size_of(self.n_samples, state.age))

    def tell(self, state: State, x: Batch, score: Vector) -> tuple[State, Record]:
        """Refit to the elite: the cross-entropy step from ``v_{t-1}`` to ``v_t``."""
        score, n_bad = finite_or_worst(
            checked_scores(score, len(x)), state.t + 1, hopeless=state.found_nothing_in(len(x))
        )
        seen = self.gathered(state, x, score)
        gamma, log_w = self.select(seen.score, seen.log_w, self.gamma)
        chosen = np.flatnonzero(log_w > -np.inf)
        elite, (w, log_total) = seen.x[chosen], normalise(log_w[chosen])
        v_hat = state.v.fit(elite, w)
        v, smoothing = self.smooth(state, Fit(seen.x, seen.score, gamma, elite, w, v_hat))
        memory, best = {**smoothing, **seen.memory}, state.best.or_better(x, score)
        new = replace(state, v=v, t=state.t + 1, nfev=state.nfev + len(x), best=best, memory=memory)
        ess = effective_sample_size(w)
        draw = partial(stream, self.root, Purpose.EXPECTATION, state.t)
        entropy, kl = entropy_and_kl(v, state.v, draw)
        return new, Record.of(
            new,
            score,
            n_bad,
            gamma=gamma,
            n_elite=len(w),
            log_mass=log_total - math.log(len(seen.x)),
            ess=ess,
            max_weight=float(w.max()),
            loss=fitted_cross_entropy(v_hat, elite, w),
            entropy=entropy,
            kl=kl,
            n_hit=int(np.count_nonzero(score >= self.gamma)),
            variation=math.sqrt(max(0.0, len(seen.x) / ess - 1)),
        )

    def gathered(self, state: State, x: Batch, score: Vector) -> Gathered:
        """What the refit rests on: this batch, with its weights."""
        return Gathered(x, score, self.log_weight(self.nominal, state.v, x))
