"""A project of activities that wait for each other (PERT): does it take gamma or longer?"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cem.families import Exponential, Gamma
from cem.typing import Array, Batch, Vector
from problems import check_every

MOST_STATES = 100_000  # of the Markov chain behind `Pert.exact`
ENOUGH = 1e-16  # of a sum of positive terms: what is left out


@dataclass(frozen=True, eq=False)
class Pert:
    """Score: the time when all activities are done, the longest path; the event is ``S >= gamma``.

    An activity leads from one node of a directed graph without cycles to another, and begins when
    all that lead to its first node are done. Durations are independent: exponential with the means
    given, or the sum of ``stages`` such, an Erlang density of the same mean. ``ends`` has shape
    ``(n, 2)``, the node numbers of every activity; ``mean`` and ``stages`` have shape ``(n,)``.

    Any path may be the long one: the event has a region for each. A density of independent
    durations is fitted to all of them at once, and a region of a small share may be missed by it.

    >>> one_after_another = Pert([[0, 1], [1, 2], [0, 2]], [1.0, 1.0, 2.0], gamma=20.0)
    >>> one_after_another(np.array([[3.0, 1.0, 2.0], [3.0, 1.0, 5.0]]))
    array([4., 5.])
    """

    ends: Batch
    mean: Array
    gamma: float
    stages: Batch | None = None  # 1 for all
    order: tuple[int, ...] = field(init=False, repr=False)  # activities, none before what it awaits

    def __post_init__(self) -> None:
        ends, mean = np.array(self.ends), np.array(self.mean, dtype=float)
        if ends.ndim != 2 or ends.shape[1] != 2 or ends.dtype.kind not in "iu" or not len(ends):
            raise ValueError(
                "ends must be an array of node numbers of shape (n, 2), a row for every activity, "
                f"at least one; got shape {ends.shape} of {ends.dtype}"
            )
        stages = np.ones(len(ends), int) if self.stages is None else np.array(self.stages)
        if mean.shape != (len(ends),) or stages.shape != (len(ends),):
            raise ValueError(
                f"expected a mean and a number of stages for each of {len(ends)} activities; got "
                f"shapes {mean.shape} and {stages.shape}"
            )
        of = "activity"
        check_every("mean", mean, (mean > 0) & (mean < np.inf), "positive and finite", of)
        whole = (stages >= 1) & (stages == np.floor(stages))
        check_every("number of stages", stages, whole, "1 or more, and whole", of)
        if not math.isfinite(self.gamma):
            raise ValueError(f"gamma must be finite; got {self.gamma!r}")
        for name, array in (("ends", ends), ("mean", mean), ("stages", stages.astype(int))):
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        object.__setattr__(self, "order", _in_order(ends.tolist()))

    @classmethod
    def of(cls, graph: Any, gamma: float) -> Pert:
        """The project of a directed networkx graph, whose edges are the activities.

        An edge has an attribute ``mean``, and may have ``stages``; a multigraph may have several
        activities between two nodes. All nodes without a way in begin at time 0, and the project
        ends when the last node is reached.

        >>> import networkx as nx
        >>> graph = nx.DiGraph([("start", "end", {"mean": 2.0})])
        >>> round(Pert.of(graph, gamma=20.0).exact() * 1e5, 6)  # exp(-10)
        4.539993
        """
        if not (hasattr(graph, "is_directed") and graph.is_directed()):
            raise TypeError(
                "a project needs a directed networkx graph, such as networkx.DiGraph; got "
                f"{type(graph).__name__}"
            )
        number = {node: i for i, node in enumerate(graph)}
        edges = list(graph.edges(data=True))
        for i, j, about in edges:
            if "mean" not in about:
                raise ValueError(f"the edge from {i!r} to {j!r} has no attribute 'mean'")
        if not edges:
            raise ValueError("a project needs at least one activity; the graph has no edges")
        return cls(
            [[number[i], number[j]] for i, j, _ in edges],
            [about["mean"] for _, _, about in edges],
            gamma,
            [about.get("stages", 1) for _, _, about in edges],
        )

    def __call__(self, x: Batch) -> Vector:
        """The times when all is done, for durations ``x`` of shape ``(n_samples, n)``."""
        x = np.asarray(x)
        reached: dict[int, Any] = {}  # node: when all activities that lead there are done
        for k in self.order:
            i, j = self.ends[k].tolist()
            done = reached.get(i, 0.0) + x[:, k]
            reached[j] = np.maximum(reached[j], done) if j in reached else done
        return np.max(list(reached.values()), axis=0)

    def nominal(self) -> Exponential | Gamma:
        """Independent durations with the given means: gamma if any of them has several stages."""
        if (self.stages == 1).all():
            return Exponential(self.mean)
        return Gamma(self.stages, self.stages / self.mean)

    def exact(self) -> float | None:
        """``P(S >= gamma)`` from the Markov chain of stages done, or None for over 100 000 states.

        Kulkarni and Adlakha, Operations Research 34 (1986). The time until the chain is absorbed is
        S; by uniformisation its tail is a sum of positive terms, and keeps its digits when small.

        >>> round(problem(gamma=25.0).exact() * 1e6, 9)
        9.100992948
        """
        if self.gamma <= 0:
            return 1.0
        chain = self._chain()
        return None if chain is None else _still_there(*chain, self.gamma)

    def _chain(self) -> tuple[Any, Vector] | None:
        """Rates from state to state, as a sparse matrix, and out of each; the first is the start.

        A state says how many stages of every activity are done. That of all of them is left out.
        """
        from scipy.sparse import csr_array

        end, rate = tuple(self.stages.tolist()), (self.stages / self.mean).tolist()
        ends = self.ends.tolist()
        before = [[k for k, (_, j) in enumerate(ends) if j == i] for i, _ in ends]

        def moves(state: tuple[int, ...]) -> Iterator[tuple[int, tuple[int, ...]]]:
            for k, done in enumerate(state):
                if done < end[k] and all(state[b] == end[b] for b in before[k]):
                    yield k, (*state[:k], done + 1, *state[k + 1 :])

        start = (0,) * len(end)
        number, queue, entries = {start: 0}, deque([start]), []
        out: list[float] = []
        while queue:
            state = queue.popleft()
            out.append(0.0)
            for k, new in moves(state):
                out[-1] += rate[k]
                if new == end:
                    continue
                if new not in number:
                    if len(number) == MOST_STATES:
                        return None
                    number[new] = len(number)
                    queue.append(new)
                entries.append((rate[k], number[state], number[new]))
        rates, i, j = zip(*entries, strict=True) if entries else ((), (), ())
        shape = (len(number), len(number))
        return csr_array((np.array(rates), (np.array(i, int), np.array(j, int))), shape), np.array(
            out
        )


def problem(*, gamma: float = 25.0) -> Pert:
    """A small project of ours: nine activities between six nodes, with means of 0.5 to 1.5.

    Its eight paths share activities, and all have the same mean, 4.

    >>> problem()(np.ones((1, 9)))
    array([5.])
    """
    ends = [[0, 1], [0, 2], [1, 2], [1, 3], [2, 3], [2, 4], [3, 4], [3, 5], [4, 5]]
    return Pert(ends, [1.0, 1.5, 0.5, 1.5, 1.0, 1.5, 0.5, 1.5, 1.0], gamma)


def _in_order(ends: list[list[int]]) -> tuple[int, ...]:
    """The activities, each after all that it waits for."""
    waiting = {node: 0 for pair in ends for node in pair}
    for _, j in ends:
        waiting[j] += 1
    ready, order = deque(node for node, n in waiting.items() if n == 0), []
    while ready:
        node = ready.popleft()
        for k, (i, j) in enumerate(ends):
            if i == node:
                order.append(k)
                waiting[j] -= 1
                if waiting[j] == 0:
                    ready.append(j)
    if len(order) < len(ends):
        stuck = sorted(node for node, n in waiting.items() if n > 0)
        raise ValueError(
            "the activities must form no cycle, or none of it can begin; got one among or before "
            f"the nodes numbered {', '.join(map(str, stuck))}"
        )
    return tuple(order)


def _still_there(rates: Any, out: Vector, time: float) -> float:
    """The probability that a Markov chain, begun in its first state, is not absorbed by a time.

    Uniformisation: a Poisson number of jumps at one rate for all, some to the same state.
    """
    from scipy.special import gammaln, pdtrc

    common = float(out.max())
    jump, stay = rates.T.tocsr() / common, 1 - out / common
    at = np.zeros(len(out))
    at[0] = 1.0
    mean, total, n = common * time, 0.0, 0
    while True:
        left = float(at.sum())
        total += left * math.exp(n * math.log(mean) - mean - gammaln(n + 1))
        if left * pdtrc(n, mean) <= ENOUGH * total:
            return total
        at = jump @ at + stay * at
        n += 1
