"""A race: which of a few candidates has the best mean score, when scores are noisy."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cem.noise import PILOT, RACE, is_noisy, numbered
from cem.parallel import CHUNK_SIZE, Evaluation, mapping
from cem.randomness import root_of
from cem.scores import positive_number, real_number, whole_number
from cem.typing import Array, Batch, NoisyProblem, Vector


@dataclass(frozen=True, eq=False, repr=False)
class Race:
    """How a race ended; vectors have one entry per candidate.

    Attributes
    ----------
    candidates : Batch
        Who ran.
    best : int
        The candidate with the largest mean of those that ran to the end.
    mean, standard_error : Vector
        Of the replications of each; ``-inf`` and ``inf`` where one was NaN or infinite. The mean of
        the winner is biased upwards, for it won: judge it by fresh replications.
    behind, behind_error : Vector
        By how much each is worse than the best, and the standard error of that, by the replications
        that both have, which may share random numbers.
    replications : array of int
        How many of each were scored.
    nfev : int
        Evaluations spent on all of them.
    indifference, confidence : float
        What was asked for.
    guaranteed : bool
        Whether all others were eliminated: if the best mean is above all others by the
        indifference, ``best`` is that candidate with probability ``confidence`` at least; with
        `cem.paired.PairedRace` that is not proved. It is False if the replications ran out before.
    """

    candidates: Batch
    best: int
    mean: Vector
    standard_error: Vector
    behind: Vector
    behind_error: Vector
    replications: Any
    nfev: int
    indifference: float
    confidence: float
    guaranteed: bool

    @property
    def probability(self) -> float:
        """About how likely no other candidate is better than ``best`` by the indifference.

        One less the sum of how likely each is, going by Student's law of what it is ``behind``: the
        approximate probability of correct selection by Bonferroni's inequality. It takes no account
        of who would not have become the best with other replications.
        """
        from scipy.special import stdtr

        others = np.isfinite(self.behind) & (np.arange(len(self.mean)) != self.best)
        ahead = -(self.behind[others] + self.indifference)
        error, n = self.behind_error[others], self._common[others]
        wrong = np.where(ahead > 0, 1.0, 0.0)
        noisy = error > 0
        wrong[noisy] = stdtr(n[noisy] - 1, ahead[noisy] / error[noisy])
        return max(0.0, 1 - float(wrong.sum()))

    @property
    def _common(self) -> Any:
        return np.minimum(self.replications, self.replications[self.best])

    def __repr__(self) -> str:
        return f"candidate {self.best} of {len(self.mean)}, after {self.replications.sum()} scores"


@dataclass(frozen=True)
class KimNelson:
    """The procedure of `race`, for the answer of a search.

    Without ``indifference`` it is what the race can tell apart in ``most`` replications of each,
    going by ``first`` others, which it takes no further notice of.

    >>> KimNelson(indifference=0.5).most_spent(7)
    1400
    """

    indifference: float | None = None
    confidence: float = 0.95
    first: int = 20
    most: int = 200

    def __post_init__(self) -> None:
        if self.indifference is not None:
            positive_number("indifference", self.indifference)

    def most_spent(self, k: int) -> int:
        """How many scores a race of ``k`` candidates takes at most."""
        check(k, self.confidence, self.first, self.most)
        return k * (self.most + (self.first if self.indifference is None else 0))

    def __call__(self, evaluate: Evaluation, x: Batch, t: int) -> Race:
        """The race of the candidates ``x`` of a search of ``t`` iterations."""
        zone, pilot = self.indifference, 0
        if zone is None:
            pilot = self.first
            scores = evaluate.replications(x, t, PILOT, range(pilot))
            widest = float(intercepts(scores, self.confidence).max())
            zone = 2 * math.sqrt(widest / self.most) or 1.0  # without noise any zone will do
        found = race_on(
            evaluate,
            x,
            indifference=zone,
            confidence=self.confidence,
            first=self.first,
            most=self.most,
            t=t,
        )
        return replace(found, nfev=found.nfev + evaluate.spent(pilot * len(x)))


def race(
    problem: NoisyProblem,
    candidates: Batch,
    *,
    rng: Any = None,
    indifference: float,
    confidence: float = 0.95,
    first: int = 10,
    most: int = 1000,
    workers: Any = 1,
    chunk_size: int = CHUNK_SIZE,
) -> Race:
    """Select the best of the candidates by a sequential race with an indifference zone.

    Procedure KN of Kim and Nelson (2001), "A fully sequential procedure for indifference-zone
    selection in simulation", ACM Transactions on Modeling and Computer Simulation 11, 251-273, with
    ``c = 1``: after ``first`` replications of each, a candidate leaves as soon as its mean is
    below another's by more than a margin that shrinks as replications accumulate. The guarantee
    is for independent normal replications; candidates may share random numbers. Here replications
    come in blocks of ``first``, which looks less often and so errs no more.

    Parameters
    ----------
    problem : NoisyProblem
        Higher is better; see `cem.noise`.
    candidates : Batch
        At least one.
    rng : int, SeedSequence, Generator or None
        Root of all randomness.
    indifference : float
        The difference of means that matters, in units of the score.
    confidence : float
        The probability of a correct selection, in (1/k, 1) for ``k`` candidates.
    first, most : int
        Replications of each candidate before the first is eliminated (at least 2), and at most.
    workers, chunk_size
        As in `cem.maximize`.

    Raises ValueError if every candidate fails (NaN or infinite) at least once.

    >>> class Normals:
    ...     def bind(self, rng):
    ...         return lambda x: x + rng.standard_normal(len(x))
    >>> found = race(Normals(), np.array([0.0, 3.0, 2.0]), rng=1, indifference=0.5)
    >>> found.best, found.guaranteed, bool(found.replications[0] < found.replications[1])
    (1, True, True)
    """
    scored = numbered(problem)
    if not is_noisy(scored):
        raise TypeError(
            "race is for a noisy problem, one with a method bind(rng); got one of type "
            f"{type(problem).__name__}: exact scores need no race"
        )
    size = whole_number("chunk_size", chunk_size)
    with mapping(workers, scored) as chunks:
        evaluate = Evaluation(scored, root_of(rng), size, chunks)
        return race_on(
            evaluate,
            candidates,
            indifference=indifference,
            confidence=confidence,
            first=first,
            most=most,
        )


def race_on(
    evaluate: Evaluation,
    x: Batch,
    *,
    indifference: float,
    confidence: float,
    first: int,
    most: int,
    t: int = 0,
) -> Race:
    """`race` with an evaluation that is open already, after ``t`` iterations."""
    check(len(x), confidence, first, most)
    positive_number("indifference", indifference)
    scores = [np.empty(0)] * len(x)
    running, n, margins = np.arange(len(x)), 0, np.zeros((len(x), len(x)))
    while True:
        size = min(first, most - n)
        block = evaluate.replications(x[running], t, RACE, range(n, n + size))
        for i, new in zip(running, block.T, strict=True):
            scores[i] = np.append(scores[i], new)
        if n == 0:
            margins = intercepts(block, confidence) / indifference
        n, running = n + size, np.array(without_failures(scores, running))
        mean = np.array([scores[i].mean() for i in running])
        w = np.maximum(margins[np.ix_(running, running)] / n - indifference / 2, 0.0)
        running = running[(mean[:, None] >= mean - w).all(axis=1)]
        if not w.any():  # the margins have closed: only ties are left
            running = running[:1]
        if len(running) == 1 or n == most:
            break
    best = int(running[np.argmax([scores[i].mean() for i in running])])
    return ended(
        evaluate,
        x,
        scores,
        best,
        indifference=indifference,
        confidence=confidence,
        guaranteed=len(running) == 1,
    )


def intercepts(first: Array, confidence: float) -> Array:
    """``h^2 S_il^2 / 2`` for all pairs of candidates, from first replications ``(n_0, k)``.

    The margin after ``r`` replications is this over ``r`` times the indifference, less half of the
    indifference (Kim and Nelson 2001, with ``c = 1``); it is closed from
    ``r = h^2 S_il^2 / indifference^2`` on. Candidates with scores that are not finite have zeros.
    """
    n, k = first.shape
    sound: Any = np.isfinite(first).all(axis=0)
    usable = np.where(sound, first, 0.0)
    variance = (usable[:, :, None] - usable[:, None, :]).var(axis=0, ddof=1)
    error = (1 - confidence) / max(k - 1, 1)
    h2 = (n - 1) * ((2 * error) ** (-2 / (n - 1)) - 1)  # 2 c eta (n_0 - 1)
    return np.where(sound[:, None] & sound, h2 * variance / 2, 0.0)


def check(k: int, confidence: float, first: int, most: int) -> None:
    """Raise if a race among ``k`` candidates cannot be run so."""
    whole_number("the number of candidates", k)
    whole_number("first, the replications before the first elimination,", first, least=2)
    whole_number("most, the replications of a candidate,", most, least=first)
    least = 1 / max(k, 2)
    if not least < real_number("confidence", confidence) < 1:
        raise ValueError(
            f"confidence must lie between {least:.3g}, what a guess has, and 1; got {confidence!r}"
        )


def without_failures(scores: list[Vector], running: Any) -> list[int]:
    """Those of the running that have finite scores only; ValueError if there is none."""
    sound = [int(i) for i in running if np.isfinite(scores[i]).all()]
    if not sound:
        raise ValueError(
            f"expected finite scores in the race; got NaN or infinite ones for each of "
            f"{len(running)} candidates: the problem fails on all that was found"
        )
    return sound


def ended(
    evaluate: Evaluation,
    x: Batch,
    scores: list[Vector],
    best: int,
    **asked: Any,
) -> Race:
    """How a race ended that gave these scores to the candidates, and was won by ``best``."""
    sound = [bool(np.isfinite(s).all()) for s in scores]
    alone = [
        mean_and_error(s) if ok else (-np.inf, np.inf) for s, ok in zip(scores, sound, strict=True)
    ]
    behind = [
        mean_and_error(paired(scores[best], s)) if ok else (np.inf, np.inf)
        for s, ok in zip(scores, sound, strict=True)
    ]
    n = np.array([len(s) for s in scores])
    return Race(
        candidates=x,
        best=best,
        mean=np.array(alone)[:, 0],
        standard_error=np.array(alone)[:, 1],
        behind=np.array(behind)[:, 0],
        behind_error=np.array(behind)[:, 1],
        replications=n,
        nfev=evaluate.spent(int(n.sum())),
        **asked,
    )


def paired(a: Vector, b: Vector) -> Vector:
    """The differences of the replications that both have."""
    n = min(len(a), len(b))
    return a[:n] - b[:n]


def mean_and_error(scores: Vector) -> tuple[float, float]:
    """The mean and its standard error."""
    return float(scores.mean()), float(scores.std(ddof=1)) / math.sqrt(len(scores))
