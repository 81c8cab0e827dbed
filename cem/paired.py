"""A race by paired t-tests, which goes on with the neighbours of whoever leads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cem.noise import RACE
from cem.parallel import Evaluation
from cem.race import Race, check, ended, mean_and_error, paired, without_failures
from cem.scores import positive_number, whole_number
from cem.typing import Batch, Vector


def none_near(x: Any) -> Batch:
    """No neighbours."""
    return np.asarray(x)[None][:0]


@dataclass(frozen=True)
class PairedRace:
    """Select the best of candidates and of the neighbours of whoever leads, by paired t-tests.

    The ``i``-th replication of every candidate has the same address. Where a problem lets its
    samples share their random numbers, replications of two candidates are compared one by one, as
    the t-race of Birattari (R package race, 2003) does. After every ``first`` replications a
    candidate leaves if a one-sided t-test at level ``confidence`` says that it is worse than the
    leader. Where the lead changes hands the new leader's neighbours join the race, with the same
    replications. The race has ended once a t-test says of everyone left that he is not better
    than the leader by more than the indifference: the answer has then won at home too.

    That is not proved to select the best with any probability, for there are many tests, repeated;
    it takes a fraction of the replications of `cem.race.race`, which is. See `Race.probability`.

    Parameters
    ----------
    indifference : float
        The difference of means that matters, in units of the score.
    neighbours : callable
        From a point, a batch of those nearby; none by default.
    confidence : float
        Of every test.
    first : int
        Replications of each candidate before the first test, and between tests; at least 2.
    most : int
        Scores of all candidates together; then who leads is the answer. Neighbours do not join if
        that would be too many: then the race does not end well, whoever wins.

    >>> class Normals:
    ...     def bound_at(self, root, t, start):
    ...         shared = np.random.default_rng(root).standard_normal()
    ...         return lambda x: shared - abs(x - 40.0)
    >>> near = lambda x: np.array([x - 1, x + 1])
    >>> evaluate = Evaluation(Normals(), np.random.SeedSequence(1))
    >>> found = PairedRace(0.1, neighbours=near)(evaluate, np.array([30, 35]), 0)
    >>> found.candidates[found.best].item(), found.guaranteed, len(found.mean)
    (40, True, 9)
    """

    indifference: float
    neighbours: Callable[[Any], Batch] = field(default=none_near, repr=False)
    confidence: float = 0.995
    first: int = 8
    most: int = 1000

    def __post_init__(self) -> None:
        positive_number("indifference", self.indifference)
        check(2, self.confidence, self.first, self.most)

    def most_spent(self, k: int) -> int:
        """How many scores a race of ``k`` candidates takes at most."""
        whole_number("most, the scores of all candidates,", self.most, least=k * self.first)
        return self.most

    def __call__(self, evaluate: Evaluation, x: Batch, t: int) -> Race:
        """The race of the candidates ``x`` of a search of ``t`` iterations."""
        self.most_spent(len(x))
        scores, running, at_home = [np.empty(0)] * len(x), [*range(len(x))], set[int]()
        lead, spent, won, away = 0, 0, False, False
        while not won:
            n = min(len(scores[i]) for i in running)
            late = [i for i in running if len(scores[i]) == n]
            spent += len(late) * self.first
            if spent > self.most:
                break
            block = evaluate.replications(x[late], t, RACE, range(n, n + self.first))
            for i, new in zip(late, block.T, strict=True):
                scores[i] = np.append(scores[i], new)
            running = without_failures(scores, running)
            lead = leader(scores, running)
            least = self._least_behind(scores, running, lead)
            running = [i for i, by in zip(running, least, strict=True) if by <= 0]
            known = len(x)
            if lead not in at_home:
                at_home.add(lead)
                more = with_new(x, self.neighbours(x[lead]))
                fits = spent + (len(more) - known) * self.first <= self.most
                x, away = (more, away) if fits else (x, True)
            running += range(known, len(x))
            scores += [np.empty(0)] * (len(x) - known)
            won = len(x) == known and bool(least.min() >= -self.indifference)
        return ended(
            evaluate,
            x,
            scores,
            lead,
            indifference=float(self.indifference),
            confidence=float(self.confidence),
            guaranteed=won and not away,
        )

    def _least_behind(self, scores: list[Vector], running: list[int], lead: int) -> Vector:
        """By how much each is worse than the leader at least: lower ends of Student's intervals."""
        from scipy.special import stdtrit

        mean, error, n = np.array(
            [
                (*mean_and_error(d), len(d))
                for d in (paired(scores[lead], scores[i]) for i in running)
            ]
        ).T
        low: Vector = mean - stdtrit(n - 1, self.confidence) * error
        return low


def leader(scores: list[Vector], running: list[int]) -> int:
    """Who has the largest mean of those who have run farthest."""
    farthest = max(len(scores[i]) for i in running)
    return max((i for i in running if len(scores[i]) == farthest), key=lambda i: scores[i].mean())


def with_new(x: Batch, others: Batch) -> Batch:
    """The batch and those of the others that it does not hold."""
    held = {sample.tobytes() for sample in x}
    new = [i for i, sample in enumerate(others) if sample.tobytes() not in held]
    return np.concatenate([x, others[new]])
