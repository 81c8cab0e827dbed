"""The answer of a noisy search: candidates race, and fresh numbers judge the winner."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from cem.engine import CrossEntropyMethod
from cem.noise import FINAL, Costed, Rescored, check_share, is_noisy
from cem.paired import PairedRace
from cem.parallel import Evaluation
from cem.race import KimNelson, Race
from cem.results import Optimum
from cem.scores import real_number, whole_number
from cem.state import History, State
from cem.stopping import Stop
from cem.tally import ConfidenceInterval
from cem.typing import Array, Batch, Family, Memory, Method, Refit, Smoothing, StopRule
from cem.wrapping import cost_of

Inside: TypeAlias = Callable[[Batch], Batch]  # from samples to the points that were scored


class Exact:
    """What a search does about noise where there is none: nothing. `Noise` has the same methods."""

    def __repr__(self) -> str:
        return "none"

    def reserve(self, problem: Any, n: int) -> int:  # noqa: ARG002
        """No evaluations are kept for later."""
        return 0

    def remembering(self, smooth: Smoothing) -> Smoothing:
        """The smoothing as it is."""
        return smooth

    def scoring(self, evaluate: Evaluation) -> Evaluation | Rescored:
        """The evaluation as it is."""
        return evaluate

    def counting(self, method: CrossEntropyMethod, evaluate: Any) -> Method:  # noqa: ARG002
        """A sample is an evaluation."""
        return method

    def limits(self) -> tuple[StopRule, ...]:
        """No rules beside the others."""
        return ()

    def judged(self, found: Optimum, evaluate: Evaluation, inside: Inside) -> Optimum:  # noqa: ARG002
        """The result as it is."""
        return found


@dataclass(frozen=True)
class Noise(Exact):
    """What a search does about noise: second looks at the best, a race, a fresh final sample.

    Parameters
    ----------
    share, times : float, int
        In every iteration the ``share`` that scored best is scored ``times`` more, and has the
        mean for its score (`cem.noise.Rescored`); 0 times by default.
    candidates : int
        The best samples of so many last iterations race; with them the one that scored best of all,
        which likely was the luckiest, and the density's mode where it has one.
    indifference, confidence, first, most
        Those of the race: see `cem.race.KimNelson`.
    n_final : int
        Replications of the winner, independent of all before: their mean is the answer.
    race : optional
        Another race than that, such as `cem.paired.PairedRace`.

    >>> Noise(indifference=0.5).most_spent
    1500
    """

    share: float = 0.3
    times: int = 0
    candidates: int = 5
    indifference: float | None = None
    confidence: float = 0.95
    first: int = 20
    most: int = 200
    n_final: int = 100
    race: KimNelson | PairedRace | None = None

    def __post_init__(self) -> None:
        whole_number("times, how often the best are scored again,", self.times, least=0)
        whole_number("candidates", self.candidates)
        whole_number("n_final, the replications of the winner,", self.n_final, least=2)
        check_share(self.share)
        self.procedure.most_spent(self.candidates + 2)  # raises where there can be no race

    @property
    def procedure(self) -> KimNelson | PairedRace:
        """The race."""
        return self.race or KimNelson(self.indifference, self.confidence, self.first, self.most)

    @property
    def most_spent(self) -> int:
        """Scores that the answer takes at most."""
        return self.procedure.most_spent(self.candidates + 2) + self.n_final

    def reserve(self, problem: Any, n: int) -> int:
        """Evaluations, beside one for each of the ``n`` samples of an iteration, to be kept."""
        again = self.times * math.ceil(self.share * n)
        return cost_of(problem) * (n + again + self.most_spent) - n

    def remembering(self, smooth: Smoothing) -> Remembering:
        """The smoothing of the search: it remembers the candidates."""
        return Remembering(smooth, self.candidates)

    def scoring(self, evaluate: Evaluation) -> Evaluation | Rescored:
        """The evaluation of the search: with second looks, if there are to be any."""
        return Rescored(evaluate, self.share, self.times) if self.times else evaluate

    def counting(self, method: CrossEntropyMethod, evaluate: Any) -> Costed:
        """A sample may take several evaluations."""
        return Costed(method, evaluate.spent)

    def limits(self) -> tuple[StopRule, ...]:
        """The levels of noisy scores never stand still: see `no_longer_rising`."""
        return (no_longer_rising(),)

    def judged(self, found: Optimum, evaluate: Evaluation, inside: Inside) -> NoisyOptimum:
        """The result with another ``x``, and what fresh numbers say of that."""
        answer = self.answer(evaluate, found.state)
        judged = vars(found) | {
            "x": inside(answer.x),
            "fun": answer.mean,
            "nfev": found.nfev + answer.nfev,
            "success": found.success and not answer.n_bad,
            "message": f"{found.message}; {answer.message}",
        }
        race = replace(answer.race, candidates=inside(answer.race.candidates))
        return NoisyOptimum(
            **judged, standard_error=answer.standard_error, n_final=answer.n, race=race
        )

    def answer(self, evaluate: Evaluation, state: State) -> Answer:
        """Race the candidates of a finished search, and judge the winner by fresh numbers."""
        race = self.procedure(evaluate, candidates(state), state.t)
        x = race.candidates[race.best]
        score = evaluate.replications(x[None], state.t, FINAL, range(self.n_final))[:, 0]
        finite = score[np.isfinite(score)]
        if finite.size == 0:
            raise ValueError(
                f"expected finite scores of the answer; got {len(score)} NaN or infinite ones: the "
                "problem fails on what it liked best"
            )
        n_bad = len(score) - len(finite)
        return Answer(
            x=x,
            mean=float(finite.mean()),
            standard_error=math.inf if n_bad else float(score.std(ddof=1)) / math.sqrt(len(score)),
            n=len(score),
            n_bad=n_bad,
            race=race,
            nfev=race.nfev + evaluate.spent(len(score)),
        )


def noise_of(problem: Any, noise: Noise | None, target: float | None) -> Exact:
    """What to do about the noise of a problem: what is given, or what its ``noise()`` says."""
    if is_noisy(problem):
        if target is not None:
            raise TypeError(
                "a noisy problem takes no target: one lucky score would reach it; end the run by "
                "max_evaluations= or until="
            )
        own = getattr(problem, "noise", None)
        return noise or (own() if callable(own) else Noise())
    if noise is not None:
        raise TypeError(
            "noise= is for a noisy problem, one with a method bind(rng); got one whose scores are "
            "exact"
        )
    return Exact()


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class NoisyOptimum(Optimum):
    """The best answer to a noisy problem: it won a race, and fresh numbers judged it.

    Attributes
    ----------
    x : Batch
        The winner of a race among candidates: not the sample with the luckiest score.
    fun : float
        The mean of ``n_final`` scores of ``x``, independent of all that chose it.
    standard_error : float
        Of ``fun``; ``inf`` if one of these scores was NaN or infinite.
    n_final : int
    race : Race
        How the race ended, higher being better: with the sign turned if this was a minimum.
    """

    standard_error: float
    n_final: int
    race: Race

    def confidence_interval(self, level: float = 0.95) -> ConfidenceInterval:
        """Student's interval for the mean score of ``x``, exact if the scores of ``x`` are normal.

        It is about this ``x``, chosen before these scores were drawn, and not about the optimum.
        """
        return t_interval(self.fun, self.standard_error, self.n_final, level)


class Answer(NamedTuple):
    """The winner of the race, judged by fresh numbers."""

    x: Any
    mean: float  # of its n fresh scores: of those that are finite
    standard_error: float  # of the mean; inf if a score was not finite
    n: int
    n_bad: int  # how many scores were NaN or infinite
    race: Race
    nfev: int  # evaluations spent on all this

    @property
    def message(self) -> str:
        """How the answer was found, in a sentence."""
        if self.n_bad:
            return f"{self.n_bad} of the {self.n} scores of the answer were NaN or infinite"
        k, race = len(self.race.mean), self.race
        if k == 1:
            return "the answer was the only candidate"
        if race.guaranteed:
            return f"the answer won a race of {k}, for a difference of {race.indifference:.3g}"
        return (
            f"the answer leads a race of {k} that {race.replications.sum()} scores did not end: "
            f"none is better by {race.indifference:.3g} with probability {race.probability:.2f} "
            "or more"
        )


@dataclass(frozen=True)
class Remembering:
    """Another smoothing, which remembers the best sample of each of the last ``n`` iterations.

    >>> from cem.engine import CrossEntropyMethod
    >>> from cem.families import Bernoulli
    >>> from cem.smoothing import Constant
    >>> coins, smooth = Bernoulli([0.5] * 4), Remembering(Constant(), n=3)
    >>> method = CrossEntropyMethod(nominal=coins, n_samples=20, smooth=smooth, rng=1)
    >>> x = method.ask(method.init())
    >>> state, _ = method.tell(method.init(), x, x.sum(axis=1))
    >>> state.memory["candidates"].shape
    (1, 4)
    """

    of: Smoothing
    n: int

    def __call__(self, state: State, refit: Refit) -> tuple[Any, Memory]:
        """What the other says, and the candidates."""
        v, memory = self.of(state, refit)
        top = int(refit.score.argmax())
        kept = [np.asarray(refit.x[top : top + 1])]
        if "candidates" in state.memory:
            kept.append(state.memory["candidates"][: self.n - 1])
        return v, {**memory, "candidates": np.concatenate(kept)}


def candidates(state: State) -> Batch:
    """The remembered samples, the one that scored best and the density's mode, each once.

    >>> from cem.families import Normal
    >>> from cem.state import Best
    >>> twice = np.array([[1.0], [1.0]])
    >>> best = Best(np.array([3.0]), 9.0)
    >>> candidates(State(Normal([0.5], [0.1]), best=best, memory={"candidates": twice}))
    array([[1. ],
           [3. ],
           [0.5]])
    """
    best = np.asarray(state.best.x)[None]
    remembered = state.memory.get("candidates", best)
    everything = np.concatenate([remembered, best, *_centre(state.v, best[0])])
    first: dict[bytes, int] = {}
    for i, sample in enumerate(everything):
        first.setdefault(sample.tobytes(), i)
    return everything[list(first.values())]


def _centre(v: Family, like: Array) -> list[Array]:
    """The mode of a density, or else its mean, in a list: empty if that cannot be a sample."""
    found = getattr(v, "mode", v.parameters().get("mean"))
    if found is None or found.shape != like.shape or not np.can_cast(found.dtype, like.dtype):
        return []
    return [found[None].astype(like.dtype)]


def no_longer_rising(window: int = 20, sigmas: float = 2.0) -> StopRule:
    """Stop once the level has not risen beyond its noise over the last ``window`` iterations.

    It has risen if its mean over the second half of them exceeds that over the first by more than
    ``sigmas`` standard errors of the difference: Geweke's comparison of the parts of a series, here
    with the levels of different iterations taken to be independent.
    """
    half = window // 2

    def rule(history: History) -> Stop | None:
        if len(history) < 2 * half:
            return None
        gamma = History(history[-2 * half :]).column("gamma").reshape(2, half)
        rise = gamma[1].mean() - gamma[0].mean()
        if rise > sigmas * math.sqrt(gamma.var(axis=1, ddof=1).sum() / half):
            return None
        return Stop(
            f"converged: the level no longer rose beyond its noise over {2 * half} iterations",
            success=True,
        )

    return rule


def t_interval(mean: float, standard_error: float, n: int, level: float) -> ConfidenceInterval:
    """Student's two-sided interval for a mean of ``n`` normal scores.

    >>> round(t_interval(0.0, 1.0, 2, 0.5).high, 12)  # Cauchy's quartile
    1.0
    """
    if not 0 < real_number("level", level) < 1:
        raise ValueError(f"level must lie strictly between 0 and 1; got {level!r}")
    from scipy.special import stdtrit

    half = float(stdtrit(n - 1, (1 + level) / 2)) * standard_error
    return ConfidenceInterval(mean - half, mean + half)
