"""What becomes of samples that are not feasible: ranked, drawn anew, repaired or penalised."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from cem.feasibility import Feasibility
from cem.randomness import Purpose, stream
from cem.scores import positive_number, real_number, rounded_up
from cem.state import State
from cem.typing import Array, Batch, Memory, Vector

WEIGHT = "penalty_weight"  # in the memory
EPS = float(np.finfo(float).eps)
EXTREMES = 1e-100, 1e100  # beyond them a weight neither rises nor falls: it must stay a number
TINY = 1e-300  # a difference of scores where all feasible ones are zero


@dataclass(frozen=True)
class Rank:
    """Feasible samples are ranked by score, all others after them by violation: Deb (2000).

    An infeasible sample needs no score. If no sample of a batch is feasible, a level is minus a
    violation; otherwise the infeasible ones are told to score just below the worst feasible one, in
    equal steps within half the range of the feasible scores.

    >>> Rank().told(np.array([5.0, 9.0, 2.0]), np.array([0.0, 0.5, 0.25]), {}).argsort()
    array([1, 2, 0])
    """

    scores_all: ClassVar[bool] = False  # whether an infeasible sample needs a score

    def batch(self, method: Any, feasibility: Feasibility, state: State) -> Batch:  # noqa: ARG002
        """The samples of the method."""
        return method.ask(state)

    def told(self, score: Vector, violation: Vector, memory: Memory) -> Vector:  # noqa: ARG002
        """What the method is told in place of the scores."""
        told = np.where(violation == 0, score, -violation)
        usable = (violation == 0) & np.isfinite(score)
        if usable.any():
            worst, best = float(score[usable].min()), float(score[usable].max())
            out = (violation > 0) & (violation < np.inf)
            place = np.unique(violation[out], return_inverse=True)[1] + 1
            step = max((best / 2 - worst / 2) / len(score), 4 * EPS * abs(worst), TINY)
            told[out] = worst - step * place
        return told

    def learned(
        self,
        score: Vector,  # noqa: ARG002
        violation: Vector,  # noqa: ARG002
        elite: Any,  # noqa: ARG002
        memory: Memory,  # noqa: ARG002
    ) -> Mapping[str, Array]:
        """What is remembered for the next iteration; ``elite`` is a mask."""
        return {}


@dataclass(frozen=True)
class Resample(Rank):
    """Infeasible samples are drawn anew until there are enough: acceptance-rejection.

    The batch comes from the density ``f(x; v)`` cut down to the feasible set, whose normalising
    constant is unknown; it is fitted as if it came from ``f`` itself, and the entropies of a record
    are those of ``f``. So this is for optimisation only. ``floor`` is the least share of feasible
    samples that is put up with: where ``N / floor`` samples do not hold ``N`` feasible ones,
    ValueError is raised.

    >>> from cem.engine import CrossEntropyMethod
    >>> from cem.families import Normal
    >>> method = CrossEntropyMethod(nominal=Normal([0.0], [1.0]), n_samples=500, rng=1)
    >>> above = Feasibility.of(lambda x: x[:, 0] > 1.0)
    >>> x = Resample(floor=0.1).batch(method, above, method.init())
    >>> len(x), bool(x.min() > 1.0)
    (500, True)
    """

    floor: float = 0.01

    def __post_init__(self) -> None:
        if not 0 < real_number("floor", self.floor) <= 1:
            raise ValueError(
                "floor, the least share of feasible samples, must lie in (0, 1]; got "
                f"{self.floor!r}"
            )

    def batch(self, method: Any, feasibility: Feasibility, state: State) -> Batch:
        """The first ``N`` feasible samples, in the order in which they were drawn."""
        x = method.ask(state)
        n, most = len(x), rounded_up(1 / self.floor)
        kept = [x[feasibility.violation(x) == 0]]
        for k in range(1, most):
            if sum(map(len, kept)) >= n:
                break
            x = state.v.sample(stream(method.root, Purpose.SAMPLE, state.t, k), n)
            kept.append(x[feasibility.violation(x) == 0])
        if (found := sum(map(len, kept))) < n:
            raise ValueError(
                f"too few samples are feasible: expected a share of {self.floor:g} (floor), got "
                f"{found} of {most * n} in iteration {state.t + 1}; start from a density that lies "
                "within the constraints, lower floor, or treat them by Rank"
            )
        return kept[0] if len(kept) == 1 else np.concatenate(kept)[:n]


@dataclass(frozen=True)
class Repair(Rank):
    """Every sample is replaced by ``function`` of it: the batch in, a batch of as many out.

    What is scored, fitted to and found are the repaired samples. A feasible one should be left as
    it is; one that is infeasible still is ranked as by `Rank`. The samples do not come from
    ``f(x; v)`` any more, so this is for optimisation only.

    >>> from cem.engine import CrossEntropyMethod
    >>> from cem.families import Normal
    >>> method = CrossEntropyMethod(nominal=Normal([0.0], [1.0]), n_samples=9, rng=1)
    >>> above = Feasibility.of(lambda x: x[:, 0] > 1.0)
    >>> repair = Repair(lambda x: np.maximum(x, 1.5))
    >>> bool(repair.batch(method, above, method.init()).min() >= 1.5)
    True
    """

    function: Callable[[Batch], Batch] = field(repr=False)  # a checkpoint could not compare it

    def batch(self, method: Any, feasibility: Feasibility, state: State) -> Batch:
        """The repaired samples."""
        x = feasibility.view(method.ask(state))
        repaired = self.function(x)
        if np.shape(repaired) != np.shape(x):
            raise ValueError(
                f"a repair must return one sample for each: expected shape {np.shape(x)}, got "
                f"{np.shape(repaired)}"
            )
        return repaired


@dataclass(frozen=True)
class Penalise(Rank):
    """The score less a weight times the violation, a weight that adapts itself.

    It rises by ``factor`` while less than half of the elite is feasible, and falls by it when all
    of the elite is. It starts at ``weight``, or else where the scores of the first batch with
    infeasible samples and their penalties have the same standard deviation. Infeasible samples are
    scored too: the problem must be defined there. The best is the best feasible one all the same.

    >>> Penalise(weight=2.0).told(np.array([5.0, 9.0]), np.array([0.0, 3.0]), {})
    array([5., 3.])
    """

    weight: float | None = None
    factor: float = 1.5

    scores_all: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.weight is not None:
            positive_number("weight, of a violation beside a score,", self.weight)
        if not 1 < real_number("factor", self.factor) < math.inf:
            raise ValueError(
                f"factor, by which the weight rises and falls, must be above 1; got {self.factor!r}"
            )

    def told(self, score: Vector, violation: Vector, memory: Memory) -> Vector:
        """The penalised scores."""
        with np.errstate(over="ignore", invalid="ignore"):  # no number, no elite
            return score - self._weight(score, violation, memory) * violation

    def learned(
        self, score: Vector, violation: Vector, elite: Any, memory: Memory
    ) -> Mapping[str, Array]:
        """The weight of the next iteration, once there is one."""
        weight = self._weight(score, violation, memory)
        if weight == 0:
            return {}
        share = (violation[elite] == 0).mean()
        change = self.factor if share < 0.5 else 1 / self.factor if share == 1 else 1.0
        return {WEIGHT: np.clip([weight * change], *EXTREMES)}

    def _weight(self, score: Vector, violation: Vector, memory: Memory) -> float:
        """That of this iteration; 0 while all samples are feasible at first."""
        if WEIGHT in memory:
            return float(memory[WEIGHT][0])
        if self.weight is not None:
            return float(self.weight)
        finite = np.isfinite(score) & np.isfinite(violation)
        wide = float(violation[finite].std()) if finite.any() else 0.0
        return (float(score[finite].std()) or 1.0) / wide if wide > 0 else 0.0
