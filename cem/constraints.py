"""Constrained optimisation: a method that keeps to constraints, whatever becomes of the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from cem.feasibility import Feasibility
from cem.restarts import never
from cem.scores import checked_scores
from cem.state import Record, State
from cem.stopping import Stop
from cem.treatments import Rank, Resample
from cem.typing import Batch, Problem, Restart, Vector
from cem.weights import unit
from cem.wrapping import AroundMethod, Wrapper

LEAST = "least_violation"  # in the memory: of all samples of the search


class Free:
    """What a search does about constraints if it has none: nothing. `Constraints` has the same."""

    def __repr__(self) -> str:
        return "none"

    def guarded(self, problem: Problem) -> Problem:
        """The problem as it is."""
        return problem

    def around(self, method: Any, inside: Callable[[Batch], Batch]) -> Any:  # noqa: ARG002
        """The method as it is."""
        return method

    def anew(self, restart: Restart) -> Restart:
        """The restarts as they are."""
        return restart

    def judged(self, stop: Stop, state: State) -> Stop:  # noqa: ARG002
        """The reason as it is."""
        return stop


@dataclass(frozen=True, eq=False)
class Constraints(Free):
    """What a search does about constraints: all that a driver needs to know of them.

    ``of`` is what `cem.feasibility.Feasibility.of` takes; ``treat`` one of `cem.treatments`.

    >>> hold = Constraints(lambda x: x[:, 0] >= 1)
    >>> hold, hold.guarded(lambda x: -x[:, 0])(np.array([[2.0], [0.0]]))
    (Rank(), array([-2., nan]))
    """

    of: Any
    treat: Rank = field(default_factory=Rank)

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", Feasibility.of(self.of))

    def __repr__(self) -> str:
        """The way they are treated: the constraints themselves, like a problem, have no name."""
        return repr(self.treat)

    def guarded(self, problem: Problem) -> Problem:
        """The problem, asked about feasible samples only unless the treatment needs all."""
        return problem if self.treat.scores_all else Guarded(problem, self.of)

    def around(self, method: Any, inside: Callable[[Batch], Batch]) -> Constrained:
        """The constrained method; ``inside`` makes of a sample the point that is scored."""
        return Constrained(method, self.of.through(inside), self.treat)

    def anew(self, restart: Restart) -> Restart:
        """The restarts; none with `Resample`: others could begin where nothing is feasible."""
        return never if isinstance(self.treat, Resample) else restart

    def judged(self, stop: Stop, state: State) -> Stop:
        """The reason a run stopped: no success if no sample was feasible."""
        if state.best.x is not None or LEAST not in state.memory:
            return stop
        return Stop(
            "no feasible sample was found: the least violation was "
            f"{state.memory[LEAST][0]:.3g} ({stop.message})",
            success=False,
        )


def constraints_of(problem: Any, constraints: Any, treat: Rank | None) -> Free:
    """What a search does about constraints: those given, or those that the problem brings."""
    given = getattr(problem, "constraints", None) if constraints is None else constraints
    if given is not None:
        return Constraints(given, treat or Rank())
    if treat is not None:
        raise TypeError(f"{treat!r} says what becomes of infeasible samples: pass constraints too")
    return Free()


@dataclass(frozen=True, eq=False)
class Constrained(AroundMethod):
    """A method that keeps to constraints: a `cem.typing.Method` around another.

    Of what it is told it makes what the other is told, by the way to treat the constraints: `Rank`,
    `Resample`, `Repair` or `Penalise`. The best sample is always a feasible one. The memory of the
    state holds the least violation of the search so far, and the weight of a penalty.

    >>> from cem.engine import CrossEntropyMethod
    >>> from cem.families import Normal
    >>> method = CrossEntropyMethod(nominal=Normal([0.0, 0.0], [2.0, 2.0]), n_samples=100, rng=1)
    >>> outside = Constrained(method, Feasibility.of(lambda x: np.maximum(1 - x[:, 0], 0)))
    >>> state = outside.init()
    >>> for _ in range(60):
    ...     x = outside.ask(state)
    ...     state, record = outside.tell(state, x, -(x**2).sum(axis=1))
    >>> np.abs(state.best.x).round(3), round(record.best, 3)
    (array([1., 0.]), -1.0)
    """

    feasibility: Feasibility
    treat: Rank = field(default_factory=Rank)

    def __post_init__(self) -> None:
        if getattr(self.method, "log_weight", unit) is not unit:
            raise ValueError(
                "constraints are for optimisation, with unit weights; got a method with log_weight "
                f"{self.method.log_weight!r}: for an estimate let the problem score -inf outside"
            )
        if not isinstance(self.treat, Rank):
            raise TypeError(
                "constraints are treated by Rank(), Resample(), Repair(function) or Penalise(); "
                f"got {self.treat!r}"
            )
        if isinstance(self.treat, Resample) and not hasattr(self.method, "root"):
            raise TypeError(
                "Resample draws from the density of a CrossEntropyMethod; got a "
                f"{type(self.method).__name__}: treat the constraints by Rank"
            )

    def ask(self, state: State) -> Batch:
        """The batch of the other method, resampled or repaired; asking twice gives it twice."""
        return self.treat.batch(self.method, self.feasibility, state)

    def tell(self, state: State, x: Batch, score: Vector) -> tuple[State, Record]:
        """The next state and record; the score of an infeasible sample may be NaN."""
        score = checked_scores(score, len(x))
        violation = self.feasibility.violation(x)
        if (violation == np.inf).all():
            raise ValueError(
                "expected a sample whose violation is finite; got NaN or infinite violations for "
                f"all {len(x)} samples of iteration {state.t + 1}"
            )
        told = self.treat.told(score, violation, state.memory)
        usable = (violation == 0) & np.isfinite(score)
        new, record = self._learnt(state, x, told, np.where(usable, score, -np.inf))
        least = np.minimum(violation.min(), state.memory.get(LEAST, np.full(1, np.inf)))
        own = self.treat.learned(score, violation, told >= record.gamma, state.memory)
        memory = {**new.memory, **own, LEAST: least}
        return replace(new, memory=memory), record


@dataclass(frozen=True, eq=False)
class Guarded(Wrapper):
    """A problem that is not asked about infeasible samples: their score is NaN.

    >>> guarded = Guarded(lambda x: np.sqrt(x[:, 0]), Feasibility.of(lambda x: x[:, 0] >= 0))
    >>> guarded(np.array([[4.0], [-1.0]]))
    array([ 2., nan])
    """

    problem: Problem
    feasibility: Feasibility

    def __call__(self, x: Batch) -> Vector:
        """The scores of the feasible samples."""
        feasible = self.feasibility.violation(x) == 0
        score = np.full(len(x), np.nan)
        if feasible.any():
            score[feasible] = checked_scores(self.problem(x[feasible]), int(feasible.sum()))
        return score
