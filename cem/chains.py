"""Levels climbed by Markov chains: a density fitted to the event without likelihood ratios."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.random import SeedSequence
from numpy.typing import NDArray

from cem.families.parametric import is_family
from cem.loss import entropy_and_kl, fitted_cross_entropy
from cem.proposals import Proposal, proposal_for
from cem.randomness import Purpose, root_of, stream
from cem.scores import checked_scores, finite_or_worst, real_number, whole_number
from cem.selection import Elite
from cem.smoothing import Fit, Settling, check_smoothing
from cem.state import Record, State
from cem.typing import Array, Batch, Memory, Vector

WANTED = 0.44  # acceptance rate that proposals are tuned to
RESAMPLE = 1  # the last part of an address: which chains are copied after iteration t


@dataclass(frozen=True, kw_only=True, eq=False)
class MarkovChains:
    """The cross-entropy method with samples of ``f(x; u) I{S(x) >= gamma_t}`` from Markov chains.

    ``n_samples`` chains start from the nominal density. An iteration is one move of all of them: a
    proposal is accepted if it reaches their level. After ``moves`` of them the density is fitted to
    the states, which all weigh the same; then the level rises to the ``ceil(rho N)``-th best score,
    at most to ``gamma``, and copies of chains that reach it take the place of the others. So no
    likelihood ratio degenerates in many dimensions: Chan and Kroese (2012). The price is in
    samples: the chains spend ``moves`` batches on a level. What steers need not be exact, for an
    independent sample from the fitted density gives the estimate; but chains seldom cross from one
    part of an event to another, and where it has several, a part may die out if they are few.

    It is a `cem.typing.Method`. The share of fresh randomness in ``propose``, by default what
    `proposal_for` finds, is tuned after every move; a proposal that does not keep ``nominal`` is
    refused. ``fitted`` is the member that is refitted, with the nominal one's sample space; by
    default the nominal one. ``smooth`` is `Settling` by default, which loses no part of the
    support.

    In a record ``gamma`` is the level of the last fit, ``log_mass`` the sum of the logarithms of
    the shares that rose, and ``n_elite`` counts the proposals accepted. ``ess`` is zero where
    nothing was fitted, else it counts copies of one chain as one.

    Raises ValueError or TypeError for settings that are not what is said above.

    >>> from cem.families import Exponential
    >>> method = MarkovChains(nominal=Exponential([1.0, 2.0]), n_samples=200, gamma=9.0, rng=1)
    >>> state, level = method.init(), -np.inf
    >>> while level < 9.0:
    ...     x = method.ask(state)
    ...     state, record = method.tell(state, x, x.min(axis=1))
    ...     level = record.gamma
    >>> record.n, state.memory["chains.x"].min() >= 9.0
    (200, np.True_)
    """

    nominal: Any  # f(.; u), a Family
    n_samples: int  # N, the chains
    gamma: float  # the level to reach
    moves: int = 5
    rho: float = 0.2
    propose: Any = None  # a Proposal
    fitted: Any = None  # a Family
    smooth: Any = None  # a Smoothing
    rng: Any = None
    root: SeedSequence = field(init=False, repr=False)

    def __post_init__(self) -> None:
        fitted = self.nominal if self.fitted is None else self.fitted
        for name, family in (("nominal", self.nominal), ("fitted", fitted)):
            if not is_family(family):
                raise TypeError(
                    f"{name} must be a family, such as Normal([0.0], [1.0]); got {family!r}"
                )
        gamma = real_number("gamma, the level to reach,", self.gamma)
        if not math.isfinite(gamma):
            raise ValueError(f"gamma, the level to reach, must be finite; got {self.gamma!r}")
        n = whole_number("n_samples, the number of chains,", self.n_samples, 2)
        Elite(self.rho)(np.zeros(n), np.zeros(n), gamma)  # which refuses less than one of them
        smooth = Settling(gamma, nominal=fitted) if self.smooth is None else self.smooth
        check_smoothing("MarkovChains", smooth)
        settings: dict[str, Any] = {
            "n_samples": n,
            "gamma": gamma,
            "moves": whole_number("moves, those at a level,", self.moves),
            "fitted": fitted,
            "smooth": smooth,
            "propose": self._proposal(),
            "root": root_of(self.rng),
        }
        for name, value in settings.items():
            object.__setattr__(self, name, value)

    def _proposal(self) -> Proposal:
        if self.propose is None:
            return proposal_for(self.nominal)
        if not hasattr(self.propose, "keeps"):
            raise TypeError(
                f"propose must be a proposal, such as RandomWalk(); got {self.propose!r}"
            )
        if not self.propose.keeps(self.nominal):
            raise ValueError(
                f"{self.propose!r} does not keep the nominal density, a "
                f"{type(self.nominal).__name__}: expected Correlated for a normal one, "
                "RandomWalk for any on R^d, Coordinates for independent coordinates"
            )
        return self.propose

    def init(self) -> State:
        """No chains yet, and the density that will be fitted as it was given."""
        return State(self.fitted)

    def ask(self, state: State) -> Batch:
        """A proposal for every chain; at first, samples of the nominal density."""
        rng = stream(self.root, Purpose.SAMPLE, state.t)
        if "fit" not in state.memory:
            return self.nominal.sample(rng, self.n_samples)
        chains = Chains.of(state.memory)
        propose = replace(self.propose, share=float(chains.share[0]))
        return propose(self.nominal, chains.x, rng)

    def tell(self, state: State, x: Batch, score: Vector) -> tuple[State, Record]:
        """Move the chains; after the last move at a level fit the density, then raise the level."""
        score, n_bad = finite_or_worst(
            checked_scores(score, len(x)), state.t + 1, hopeless=state.found_nothing_in(len(x))
        )
        if len(x) != self.n_samples:
            raise ValueError(
                f"expected the {self.n_samples} proposals that ask gave, in their order; got "
                f"{len(x)}"
            )
        chains, n_accepted = self._moved(state, x, score)
        if state.age % self.moves == 0:
            v, memory, numbers = self._fitted(state, chains)
            chains = self._raised(state, chains)
        else:
            v, memory, numbers = state.v, state.memory, _as_before(state.memory)
        new = replace(
            state,
            v=v,
            t=state.t + 1,
            nfev=state.nfev + len(x),
            best=state.best.or_better(x, score),
            memory={**memory, **chains.arrays()},
        )
        n_hit = int(np.count_nonzero(score >= self.gamma))
        return new, Record.of(
            new,
            score,
            n_bad,
            n_hit=n_hit,
            n_elite=n_accepted,
            **numbers,
        )

    def _moved(self, state: State, x: Batch, score: Vector) -> tuple[Chains, int]:
        """The chains after a move, and how many proposals were accepted."""
        if "fit" not in state.memory:
            n, start = len(x), np.array([-np.inf, 0.0])
            share = np.array([self.propose.share])
            return Chains(x, score, np.arange(n), np.ones(n, dtype=bool), start, share), n
        old = Chains.of(state.memory)
        good = score >= old.level[0]
        now = old.x.copy()
        now[good] = x[good]
        share = np.minimum(old.share * math.exp(good.mean() - WANTED), 1.0)
        score, moved = np.where(good, score, old.score), old.moved | good
        return old._replace(x=now, score=score, moved=moved, share=share), int(good.sum())

    def _fitted(self, state: State, chains: Chains) -> tuple[Any, Memory, dict[str, Any]]:
        """``v_t``, what the smoothing and the records to come must know, and the record's."""
        x, n = chains.x, len(chains.x)
        gamma, log_mass = chains.level.tolist()
        w = np.full(n, 1 / n)
        v_hat = state.v.fit(x, w)
        v, memory = self.smooth(state, Fit(x, chains.score, gamma, x, w, v_hat))
        draw = partial(stream, self.root, Purpose.EXPECTATION, state.t)
        entropy, kl = entropy_and_kl(v, state.v, draw)
        return (
            v,
            {**memory, "fit": np.array([gamma, log_mass, entropy])},
            {
                "gamma": gamma,
                "log_mass": log_mass,
                "ess": chains.effective_size(),
                "max_weight": 1 / n,
                "loss": fitted_cross_entropy(v_hat, x, w),
                "entropy": entropy,
                "kl": kl,
            },
        )

    def _raised(self, state: State, chains: Chains) -> Chains:
        """The chains at the next level: copies of those that reach it replace the others."""
        n, (level, log_mass) = len(chains.x), chains.level.tolist()
        better = chains.score[chains.score > level]
        gamma, _ = Elite(self.rho)(chains.score, np.zeros(n), self.gamma)
        gamma = min(max(gamma, better.min(initial=np.inf)), self.gamma) if len(better) else level
        up = chains.score >= gamma
        if up.all():
            return chains._replace(level=np.array([gamma, log_mass]))
        rng = stream(self.root, Purpose.SAMPLE, state.t, RESAMPLE)
        parents = rng.permutation(np.flatnonzero(up))
        origin = np.arange(n)
        origin[~up] = np.resize(parents, n - len(parents))
        return Chains(
            x=chains.x[origin],
            score=chains.score[origin],
            family=origin,
            moved=np.zeros(n, dtype=bool),
            level=np.array([gamma, log_mass + math.log(len(parents) / n)]),
            share=chains.share,
        )


class Chains(NamedTuple):
    """Where the chains are, and what is known about them; the first axis of four counts them."""

    x: Batch
    score: Vector
    family: NDArray[np.intp]  # equal for those that were copies of one chain when the level rose
    moved: NDArray[np.bool_]  # whether a proposal was accepted since
    level: Array  # gamma_t, and ln of the estimate of P(S(X) >= gamma_t)
    share: Array  # of the proposals, tuned so far; shape (1,)

    @classmethod
    def of(cls, memory: Memory) -> Self:
        """The chains as remembered; inverse of `arrays`."""
        remembered: Any = (memory[f"chains.{name}"] for name in cls._fields)
        return cls(*remembered)

    def arrays(self) -> dict[str, Array]:
        """All by name, for the memory of a state."""
        return {f"chains.{name}": a for name, a in self._asdict().items()}

    def effective_size(self) -> float:
        """How many families have moved: what a fit to all of them rests on."""
        return float(len(np.unique(self.family[self.moved])))


def _as_before(memory: Memory) -> dict[str, Any]:
    """The numbers of an iteration that fits nothing: the level is that of the last fit."""
    gamma, log_mass, entropy = memory["fit"].tolist()
    blank = {"max_weight": math.nan, "loss": math.nan, "ess": 0.0, "kl": 0.0}
    return {"gamma": gamma, "log_mass": log_mass, "entropy": entropy, **blank}
