"""Bases of what is put around a problem, or around a method: it has what the other has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from numpy.random import SeedSequence

from cem.state import Record, State
from cem.typing import Batch, Vector


def cost_of(problem: Any) -> int:
    """How many evaluations one score of a problem takes."""
    return int(getattr(problem, "cost", 1))


class Around:
    """Base of a problem around another: it has what the other has, and nothing it has not."""

    problem: Any

    @property
    def nominal(self) -> Any:
        """The other's way to its density."""
        return self.problem.nominal

    @property
    def chunk_size(self) -> int:
        """The other's chunk size."""
        return self.problem.chunk_size

    @property
    def refines(self) -> Any:
        """The other's local searches."""
        return self.problem.refines

    @property
    def noise(self) -> Any:
        """The other's way to say what to do about its noise."""
        return self.problem.noise

    @property
    def cost(self) -> int:
        """How many evaluations one score takes."""
        return cost_of(self.problem)


class Wrapper(Around):
    """Base of a frozen dataclass around a problem: it is noisy if, and only if, the other is."""

    @property
    def bound_at(self) -> Callable[[SeedSequence, int, int], Any]:
        """``(root, t, start)`` to this problem with the numbers of that address."""
        me: Any = self
        inner = self.problem.bound_at
        return lambda *address: replace(me, problem=inner(*address))


@dataclass(frozen=True, eq=False)
class AroundMethod:
    """Base of a method around another: what it does not do itself the other does."""

    method: Any  # a `cem.typing.Method`

    @property
    def root(self) -> SeedSequence:
        """The root of the other's randomness."""
        root: SeedSequence = self.method.root
        return root

    def init(self) -> State:
        """The state before the first iteration."""
        state: State = self.method.init()
        return state

    def ask(self, state: State) -> Batch:
        """The batch of the other; asking twice gives it twice."""
        return self.method.ask(state)

    def tell(self, state: State, x: Batch, score: Vector) -> tuple[State, Record]:
        """What the other learns."""
        told: tuple[State, Record] = self.method.tell(state, x, score)
        return told

    def _learnt(self, state: State, x: Batch, told: Vector, score: Vector) -> tuple[State, Record]:
        """What the other makes of what it is ``told``; the best is that by ``score``."""
        new, record = self.method.tell(state, x, told)
        best = state.best.or_better(x, score)
        return replace(new, best=best), record._replace(best=best.score)
