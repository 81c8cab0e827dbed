"""Noisy problems: whose random numbers score which sample, means over several, second looks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator, SeedSequence

from cem.parallel import Evaluation
from cem.randomness import Purpose, stream
from cem.scores import checked_scores, real_number, whole_number
from cem.state import Record, State
from cem.typing import Array, Batch, NoisyProblem, Problem, Vector
from cem.wrapping import Around, AroundMethod

AGAIN, PILOT, RACE, FINAL = range(4)  # the kinds of replications: see `Evaluation.replications`


def numbered(problem: Any) -> Problem:
    """The problem as `cem.parallel.Evaluation` scores it: a noisy one with `FreshNumbers`.

    One that brings its numbers, such as `CommonNumbers`, and one without noise stay as they are.
    """
    bare = hasattr(problem, "bind") and not is_noisy(problem)
    return FreshNumbers(problem) if bare else problem


def is_noisy(problem: Any) -> bool:
    """Whether the problem takes random numbers to score a sample; see `numbered`."""
    return hasattr(problem, "bound_at")


class Numbers(Around):
    """Base of a noisy problem that says whose numbers are whose."""

    problem: NoisyProblem

    def __post_init__(self) -> None:
        _check_noisy(type(self).__name__, self.problem)

    def __call__(self, x: Batch, /) -> Any:
        """Refused: without a generator there is no score."""
        del x
        raise TypeError(
            "the score of a noisy problem is random: give it a generator first, as in "
            "problem.bind(rng)(x)"
        )


@dataclass(frozen=True)
class FreshNumbers(Numbers):
    """Every sample has numbers of its own: those of its chunk's address, in order. The default."""

    problem: NoisyProblem

    def bound_at(self, root: SeedSequence, t: int, start: int) -> Problem:
        """The problem bound to the stream of this chunk."""
        return self.problem.bind(stream(root, Purpose.NOISE, t, start))


@dataclass(frozen=True)
class CommonNumbers(Numbers):
    """Every sample of an iteration is scored with the same numbers: common random numbers.

    Where the noise of neighbours is alike it cancels in their comparison, so that the elite is
    chosen by what the samples are. The numbers are ``renewed`` in every iteration; otherwise one
    set of them serves the whole run, and what is found is the best for that set (a sample average
    approximation; the answer is judged by fresh numbers all the same). Samples are scored one by
    one, each from the start of the stream.

    >>> class Shifted:
    ...     def bind(self, rng):
    ...         return lambda x: x[:, 0] + rng.standard_normal(len(x))
    >>> score = Evaluation(CommonNumbers(Shifted()), SeedSequence(1))(np.array([[2.0], [5.0]]), t=0)
    >>> bool(np.isclose(score[1] - score[0], 3.0))
    True
    """

    problem: NoisyProblem
    renewed: bool = True

    def bound_at(self, root: SeedSequence, t: int, start: int) -> Problem:
        """The problem bound to the stream of the iteration, or of the run, anew for each sample."""
        del start
        index = (t,) if self.renewed else ()

        def score(x: Batch) -> Vector:
            def alone(i: int) -> Vector:
                problem = self.problem.bind(stream(root, Purpose.NOISE, *index))
                return checked_scores(problem(x[i : i + 1]), 1)

            return np.concatenate([alone(i) for i in range(len(x))])

        return score


@dataclass(frozen=True)
class Replicated(Around):
    """A noisy problem whose score is the mean of ``n`` replications of another's.

    With the numbers of the whole in common, ``CommonNumbers(Replicated(problem, n))``, the
    ``n`` replications differ and every sample has the same ones.

    >>> class Coin:
    ...     def bind(self, rng):
    ...         return lambda x: x[:, 0] + rng.choice([-1.0, 1.0], len(x))
    >>> mean = Replicated(Coin(), 400).bind(np.random.default_rng(1))
    >>> value, error = mean.with_error(np.zeros((1, 1)))
    >>> bool(abs(value[0]) < 0.2), error.round(3)
    (True, array([0.05]))
    """

    problem: NoisyProblem
    n: int

    def __post_init__(self) -> None:
        whole_number("n, the replications of a score,", self.n)
        _check_noisy(type(self).__name__, self.problem)

    def bind(self, rng: Generator) -> Mean:
        """The mean, its randomness taken from ``rng``."""
        return Mean(self.problem.bind(rng), self.n)

    @property
    def cost(self) -> int:
        """How many evaluations one score takes."""
        return self.n * super().cost


@dataclass(frozen=True)
class Mean:
    """The mean of ``n`` scores of every sample."""

    problem: Problem
    n: int

    def __call__(self, x: Batch) -> Vector:
        """The means, shape ``(len(x),)``."""
        return self._replications(x).mean(axis=0)

    def with_error(self, x: Batch) -> tuple[Vector, Vector]:
        """The means and their standard errors, for ``n`` of at least 2."""
        if self.n < 2:
            raise ValueError(f"a standard error needs at least 2 replications; got n={self.n}")
        scores = self._replications(x)
        return scores.mean(axis=0), scores.std(axis=0, ddof=1) / math.sqrt(self.n)

    def _replications(self, x: Batch) -> Array:
        return np.array([checked_scores(self.problem(x), len(x)) for _ in range(self.n)])


@dataclass(frozen=True)
class Rescored:
    """An evaluation that looks again at the best: their scores become means of ``times + 1``.

    The best by one noisy score are in part the luckiest. The ``share`` that scored best is scored
    ``times`` more with fresh numbers. Let the share be some times ``rho``, so that the elite is
    chosen among means.

    >>> class Shifted:
    ...     def bind(self, rng):
    ...         return lambda x: x[:, 0] + rng.standard_normal(len(x))
    >>> evaluate = Rescored(Evaluation(FreshNumbers(Shifted()), SeedSequence(1)), 0.1, 9)
    >>> evaluate(np.zeros((20, 1)), t=0).shape, evaluate.spent(20)
    ((20,), 38)
    """

    evaluate: Evaluation
    share: float = 0.3
    times: int = 4

    def __post_init__(self) -> None:
        whole_number("times, how often the best are scored again,", self.times)
        check_share(self.share)

    def __call__(self, x: Batch, t: int) -> Vector:
        """Scores of the batch of iteration ``t``, shape ``(len(x),)``."""
        score = self.evaluate(x, t).copy()
        finite = np.where(np.isfinite(score), score, -np.inf)
        best = np.argsort(-finite, kind="stable")[: self._n_best(len(x))]
        again = self.evaluate.replications(x[best], t, AGAIN, range(self.times))
        score[best] = np.vstack([score[best], again]).mean(axis=0)
        return score

    def spent(self, n: int) -> int:
        """How many evaluations it takes to score ``n`` samples so."""
        return self.evaluate.spent(n) + self.times * self.evaluate.spent(self._n_best(n))

    def _n_best(self, n: int) -> int:
        return math.ceil(self.share * n)


def check_share(share: Any) -> None:
    """Refuse what is no part of a batch to score again."""
    if not 0 < real_number("share", share) <= 1:
        raise ValueError(f"share, the part that is scored again, must lie in (0, 1]; got {share!r}")


@dataclass(frozen=True, eq=False)
class Costed(AroundMethod):
    """A method that counts evaluations, where a sample may take more than one.

    ``spent`` is that of the evaluation: how many it takes to score so many samples.
    """

    spent: Callable[[int], int]

    def tell(self, state: State, x: Batch, score: Vector) -> tuple[State, Record]:
        """The next state and record, ``nfev`` in evaluations and not in samples."""
        new, record = self.method.tell(state, x, score)
        nfev = state.nfev + self.spent(len(x))
        return replace(new, nfev=nfev), record._replace(nfev=nfev)


def _check_noisy(name: str, problem: Any) -> None:
    if not hasattr(problem, "bind"):
        inside = "; put it around the other way" if is_noisy(problem) else ""
        raise TypeError(
            f"{name} is for a noisy problem, one with a method bind(rng); got one of type "
            f"{type(problem).__name__}{inside}"
        )
