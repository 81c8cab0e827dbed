"""The last part of an estimate: sample the frozen density, and only count."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.random import SeedSequence

from cem.randomness import Purpose, stream
from cem.scores import NOTHING, checked_scores, finite_or_worst
from cem.state import History, Record, State
from cem.tally import Tally
from cem.typing import Batch, Family, Vector
from cem.weighted import WeightedSample
from cem.weights import likelihood_ratio


@dataclass(frozen=True)
class Event:
    """What is estimated: ``P(S(X) >= gamma)``. A sample counts one, or nothing."""

    gamma: float
    most: ClassVar[float] = 1.0  # no estimate is larger

    def log_payoff(self, score: Vector) -> Vector:
        """``ln I{S >= gamma}``."""
        return np.where(score >= self.gamma, 0.0, -np.inf)

    def weighted(self, x: Batch, score: Vector, log_w: Vector, nominal: Family) -> WeightedSample:
        """The sample with its likelihood ratios."""
        return WeightedSample(x, score, log_w, nominal, self.gamma)


@dataclass(frozen=True)
class Mean:
    """What is estimated: ``E[H(X)]``, of scores that are ``ln H``. A sample counts ``H``.

    The logarithm of zero is the number ``NOTHING``.
    """

    gamma: ClassVar[float] = 1.0  # the power of H that the steering is to reach
    most: ClassVar[float] = math.inf

    def log_payoff(self, score: Vector) -> Vector:
        """``ln H``."""
        return np.where(score <= NOTHING, -np.inf, score)

    def weighted(self, x: Batch, score: Vector, log_w: Vector, nominal: Family) -> WeightedSample:
        """The sample with its likelihood ratios times ``H``: every point counts."""
        return WeightedSample(x, score, log_w + self.log_payoff(score), nominal, -math.inf)


@dataclass(frozen=True, kw_only=True, eq=False)
class Measurement:
    """A method of the loop that learns nothing: it counts what independent samples are worth."""

    nominal: Any  # f(.; u), a Family
    n_block: int  # samples per iteration
    n_most: int  # samples in all
    of: Event | Mean
    root: SeedSequence

    def init(self) -> State:
        """Measuring starts at the nominal density unless it is told otherwise."""
        return self.begin(State(self.nominal))

    def begin(self, state: State, v: Any = None) -> State:
        """A state that measures at ``v``; by default at the nominal one: crude Monte Carlo."""
        plain = v is None and isinstance(self.of, Event)
        memory = {"tally": Tally(plain=float(plain)).as_array(), "score": np.empty(0)}
        return replace(state, v=self.nominal if v is None else v, memory=memory)

    def ask(self, state: State) -> Batch:
        """The next block of the independent sample."""
        done = len(state.memory["score"])
        return self._block(state.v, state.t, min(self.n_block, self.n_most - done))

    def tell(self, state: State, x: Batch, score: Vector) -> tuple[State, Record]:
        """Add the block to the tally; the record's numbers are those of all blocks so far."""
        score, n_bad = finite_or_worst(checked_scores(score, len(x)), state.t + 1)
        tally = self._counted(state.memory["tally"], state.v, x, score)
        scores = np.concatenate([state.memory["score"], score])
        best = state.best.or_better(x, score)
        memory = {"tally": tally.as_array(), "score": scores}
        new = replace(state, t=state.t + 1, nfev=state.nfev + len(x), best=best, memory=memory)
        return new, Record.of(
            new,
            score,
            n_bad,
            gamma=self.of.gamma,
            n_elite=int(tally.hits),
            log_mass=tally.log_probability,
            ess=tally.ess,
            max_weight=tally.max_weight,
            loss=math.nan,
            entropy=math.nan,
            kl=0.0,
            n_hit=int(np.count_nonzero(self.of.log_payoff(score) > -np.inf)),
            variation=tally.variation,
        )

    def sampled(self, state: State, blocks: History) -> Batch:
        """The whole independent sample once more: the randomness of a block has an address."""
        parts = [self._block(state.v, record.t - 1, record.n) for record in blocks]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _block(self, v: Family, t: int, n: int) -> Batch:
        return v.sample(stream(self.root, Purpose.FINAL, t), n)

    def _counted(self, tally: Any, v: Family, x: Batch, score: Vector) -> Tally:
        worth = self.of.log_payoff(score)
        hit = worth > -np.inf
        log_z = likelihood_ratio(self.nominal, v, x[hit]) + worth[hit]
        return Tally.from_array(tally).add(log_z[log_z > -np.inf], len(x))
