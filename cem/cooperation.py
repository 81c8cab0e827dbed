"""Several cross-entropy methods share a run: each has its own density, the best one leads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from cem.engine import CrossEntropyMethod
from cem.randomness import branch
from cem.scores import checked_scores, real_number, whole_number
from cem.sizes import size_of
from cem.smoothing import LOCATIONS
from cem.state import Record, State
from cem.typing import Array, Batch, Family, Vector

MEMBER = 2**16  # in the spawn key of a member's root: no purpose in cem.randomness is as large


@dataclass(frozen=True, eq=False)
class Cooperating:
    """Methods with one family, each with its own batch, elite, density and random numbers.

    An ensemble of independent methods is less easily caught in a local optimum than one method
    with all their samples: Zhang et al. (2022), arXiv:2212.08235. Here they also help each other:
    after ``every`` iterations the member with the lowest level begins anew around the mean of the
    one with the highest, and its width, or all its parameters where there is no mean, goes back
    towards the nominal one by the share ``widening``. With ``every=None`` they stay independent.

    It is a `cem.typing.Method`, so `cem.run.run` iterates it. A batch is that of the first member,
    then of the second, and so on; the state's density is `Members`; the members share the best
    sample. In a record the level and what belongs to it (``n_elite``, ``log_mass``, ``ess``,
    ``max_weight``, ``loss``) are those of the member with the highest level, the counts of samples
    are sums, and ``entropy``, ``kl`` and ``spread`` those of the member where they are largest: a
    rule that waits for the density to close waits for the last one.

    >>> from cem.families import Normal
    >>> start = Normal([3.0, 3.0], [2.0, 2.0])
    >>> method = Cooperating([CrossEntropyMethod(nominal=start, n_samples=20, rng=1)] * 3)
    >>> state = method.init()
    >>> for _ in range(20):
    ...     x = method.ask(state)
    ...     state, record = method.tell(state, x, -(x**2).sum(axis=1))
    >>> len(x), record.nfev, record.best > -1e-3
    (60, 1200, True)
    """

    methods: Sequence[CrossEntropyMethod]
    every: int | None = 10
    widening: float = 0.5

    def __post_init__(self) -> None:
        methods = tuple(self.methods)
        if len(methods) < 2 or not all(isinstance(m, CrossEntropyMethod) for m in methods):
            raise TypeError(
                f"Cooperating needs two or more CrossEntropyMethods; got {self.methods!r}"
            )
        if len({_kind_of(method.nominal) for method in methods}) > 1:
            raise ValueError(
                "the methods must share one family, with parameters of the same shapes; got "
                + ", ".join(repr(method.nominal) for method in methods)
            )
        if self.every is not None:
            whole_number("every, the iterations between two exchanges,", self.every)
        if not 0 <= real_number("widening", self.widening) <= 1:
            raise ValueError(f"widening must lie in [0, 1]; got {self.widening!r}")
        own = tuple(replace(m, rng=branch(m.root, MEMBER, k)) for k, m in enumerate(methods))
        object.__setattr__(self, "methods", own)

    def init(self) -> State:
        """Every member at its nominal density."""
        return State(Members(tuple(method.nominal for method in self.methods)))

    def ask(self, state: State) -> Batch:
        """The batches of the members, one after the other."""
        return np.concatenate([m.ask(own) for m, own in self._members(state)])

    def tell(self, state: State, x: Batch, score: Vector) -> tuple[State, Record]:
        """Every member learns from its own batch; now and then the last one begins anew."""
        score = checked_scores(score, len(x))
        members = self._members(state)
        sizes = [size_of(m.n_samples, own.age) for m, own in members]
        if sum(sizes) != len(x):
            raise ValueError(
                f"expected the {sum(sizes)} samples that ask gave, in their order; got {len(x)}"
            )
        ends = np.cumsum(sizes)
        told = [
            m.tell(own, x[start:end], score[start:end])
            for (m, own), start, end in zip(members, ends - sizes, ends, strict=True)
        ]
        states, records = [new for new, _ in told], [record for _, record in told]
        if self.every is not None and (state.t + 1) % self.every == 0:
            self._begin_anew(states, records)
        new = replace(
            state,
            v=Members(tuple(own.v for own in states)),
            t=state.t + 1,
            nfev=state.nfev + len(x),
            best=max((own.best for own in states), key=lambda best: best.score),
            memory=_joined(states),
        )
        return new, _combined(new, records)

    def _members(self, state: State) -> list[tuple[CrossEntropyMethod, State]]:
        return [(method, _own(state, k)) for k, method in enumerate(self.methods)]

    def _begin_anew(self, states: list[State], records: list[Record]) -> None:
        """Put the member with the lowest level near the one with the highest."""
        levels = [record.gamma for record in records]
        last, first = int(np.argmin(levels)), int(np.argmax(levels))
        if levels[last] == levels[first]:
            return
        v = states[first].v
        wide = v.smooth(self.methods[last].nominal, self.widening)
        means = {name: a for name, a in v.parameters().items() if name in LOCATIONS}
        own = states[last]
        states[last] = replace(own, v=wide.replace(**means), memory={}, began=own.t)


@dataclass(frozen=True, eq=False)
class Members:
    """The densities of the members; no family, for nothing is sampled from all of them at once.

    >>> from cem.families import Bernoulli
    >>> Members((Bernoulli([0.5]), Bernoulli([0.25]))).parameters()
    {'0.p': array([0.5]), '1.p': array([0.25])}
    """

    of: tuple[Any, ...]

    def parameters(self) -> dict[str, Array]:
        """The parameters of all members, each with the number of its member before the name."""
        named = [v.parameters().items() for v in self.of]
        return {f"{k}.{name}": a for k, own in enumerate(named) for name, a in own}

    def replace(self, **parameters: Array) -> Self:
        """The same families at other parameters; inverse of `parameters`."""
        new = [v.replace(**_of_member(parameters, k)) for k, v in enumerate(self.of)]
        return type(self)(tuple(new))

    def spread(self) -> Array:
        """The standard deviations of all members in a row."""
        return np.concatenate([v.spread() for v in self.of])


def _kind_of(family: Family) -> tuple[Any, ...]:
    return type(family), *((name, a.shape) for name, a in family.parameters().items())


def _of_member(named: Any, k: int) -> dict[str, Any]:
    prefix = f"{k}."
    return {name.removeprefix(prefix): a for name, a in named.items() if name.startswith(prefix)}


def _own(state: State, k: int) -> State:
    """The state of one member: its density, memory and age, and what all share."""
    memory = _of_member(state.memory, k)
    began = int(memory.pop("began", [state.began])[0])
    return replace(state, v=state.v.of[k], memory=memory, began=began)


def _joined(states: Sequence[State]) -> dict[str, Array]:
    """The memories of the members, and when each began."""
    owned = [{**own.memory, "began": np.array([float(own.began)])} for own in states]
    return {f"{k}.{name}": a for k, own in enumerate(owned) for name, a in own.items()}


def _combined(state: State, records: Sequence[Record]) -> Record:
    leader = max(records, key=lambda record: record.gamma)
    return leader._replace(
        nfev=state.nfev,
        n=sum(record.n for record in records),
        n_bad=sum(record.n_bad for record in records),
        top=max(record.top for record in records),
        best=state.best.score,
        entropy=max(record.entropy for record in records),
        kl=max(record.kl for record in records),
        spread=max(record.spread for record in records),
    )
