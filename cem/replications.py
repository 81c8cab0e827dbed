"""Independent replications: their samples as one sample, if they tell of the same event."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from cem.diagnostics import ODD, weight_warnings
from cem.estimate import estimate
from cem.families.expectation_maximisation import log_total
from cem.measured import Estimate
from cem.randomness import Purpose, branch, root_of
from cem.scores import whole_number
from cem.state import History
from cem.tally import ConfidenceInterval, Tally
from cem.typing import Batch, Family, Problem, Vector
from cem.weights import likelihood_ratio

DISAGREE = 1e-3  # a p-value below which independent estimates are not of the same quantity
MORE = 1.5  # how often the mean estimate all samples together may tell


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Combined:
    """The final samples of ``k`` independent estimates as one, and whether the estimates agree.

    Of ``N`` samples in all, ``n_j`` are of the density of estimate ``j``. Together they are a
    sample of the mixture of these densities, and each has the weight that it has there,
    ``f(x; u) / sum_j (n_j / N) f(x; v_j)``: the balance heuristic of Veach (1997). That is as
    unbiased as the estimates, its variance is hardly above that of any weighted mean of theirs, and
    no weight is large where but one of the densities covers a part of the event.

    Attributes
    ----------
    probability : float
        The mean of ``I{S >= gamma}`` with these weights.
    std_error, relative_error : float
        Its standard error, and that over the probability.
    mean : float
        The plain mean of the estimates. Where each of the densities covers but a part of the event
        it is lower than ``probability``, even if the estimates are all the same.
    p_value : float
        How probable estimates as far apart are if all errors are right; see `agreement`.
    ess : float
        Effective samples behind the probability.
    nfev : int
        Samples scored.
    warnings : tuple of str
        What may be wrong with the whole, and what the members warn of with how many of them do.
    success, message
        Whether all members are successes and agree (``p_value >= 0.001``), and the probability is
        not above their mean, by half of it and four standard errors; if not, what is wrong.
    tally : Tally
        The sums that all of this is computed from.
    members : tuple of Estimate
        The estimates.
    """

    probability: float
    std_error: float
    relative_error: float
    mean: float
    p_value: float
    ess: float
    nfev: int
    warnings: tuple[str, ...]
    success: bool
    message: str
    tally: Tally = field(repr=False)
    members: tuple[Estimate, ...] = field(repr=False)

    def confidence_interval(self, level: float = 0.95) -> ConfidenceInterval:
        """A two-sided interval for the probability, as `cem.Estimate.confidence_interval`."""
        return self.tally.interval(level)

    def __repr__(self) -> str:
        shown = [f.name for f in fields(self) if f.repr]
        width = max(map(len, shown))
        values = {name: getattr(self, name) for name in shown}
        rows = {k: f"{v:.6g}" if isinstance(v, float) else v for k, v in values.items()}
        return "\n".join(f"{name:>{width}}: {value}" for name, value in rows.items())


def combine(estimates: Sequence[Estimate]) -> Combined:
    """One estimate from several of the same probability with different seeds.

    Their final samples are drawn once more; no score is. Raises ValueError for fewer than two, for
    two of the same seed, and for those that differ in the level, in the nominal density, or in
    whether its own variables were sampled or standard normal ones.

    >>> from cem.families import Exponential
    >>> found = [estimate(lambda x: x.sum(axis=1), Exponential([1.0]), gamma=20.0, rng=i)
    ...          for i in range(4)]
    >>> combined = combine(found)
    >>> combined.success, abs(combined.probability / math.exp(-20.0) - 1) < 0.05
    (True, True)
    """
    members = tuple(estimates)
    _check(members)
    k = len(members)
    p = np.array([member.probability for member in members])
    e = np.array([member.std_error for member in members])
    tally, mean = together(members), float(p.mean())
    p_value = agreement(p, e, np.array([member.ess for member in members]))
    doubts = []
    if p_value < DISAGREE:
        doubts.append(
            f"the {k} estimates disagree (from {p.min():.4g} to {p.max():.4g}, p = {p_value:.2g}): "
            "some have likely missed a part of the event, or report too small errors; raise "
            "n_samples"
        )
    error = math.hypot(tally.std_error, float(np.linalg.norm(e)) / k)
    if tally.probability - mean > max((MORE - 1) * mean, ODD * error):
        doubts.append(
            f"the replications sampled different parts of the event: together they tell "
            f"{tally.probability:.4g}, one by one {mean:.4g} on average; there may be parts that "
            "none has seen: raise n_samples, or take a density that can cover them all"
        )
    failed = sum(not member.success for member in members)
    wrong = [f"{failed} of {k} estimates were no success"] * (failed > 0) + doubts
    told = [warning for member in members for warning in dict.fromkeys(member.warnings)]
    return Combined(
        probability=tally.probability,
        std_error=tally.std_error,
        relative_error=tally.relative_error,
        mean=mean,
        p_value=p_value,
        ess=tally.ess,
        nfev=sum(member.nfev for member in members),
        warnings=(
            *doubts,
            *weight_warnings(tally),
            *(f"{told.count(w)} of {k}: {w}" for w in dict.fromkeys(told)),
        ),
        success=not wrong,
        message="; ".join(wrong) or f"{k} independent estimates agree (p = {p_value:.2g})",
        tally=tally,
        members=members,
    )


def together(members: Sequence[Estimate]) -> Tally:
    """The final samples of all members as one sample of the mixture of their densities.

    The error counts all of it as drawn from the mixture. As every member has its fixed share, the
    true one is no larger.
    """
    nominal = members[0].measurement.nominal
    mixed: Any = Mixed.of(members)  # has of a Family what is asked here
    tally = Tally(plain=float(all(member.tally.plain for member in members)))
    for member in members:
        first, scores = 0, member.state.memory["score"]
        for record in member.history[len(member.levels) :]:
            x = member.measurement.sampled(member.state, History([record]))
            worth = member.measurement.of.log_payoff(scores[first : first + record.n])
            log_w = likelihood_ratio(nominal, mixed, x[worth > -np.inf])
            tally = tally.add(log_w[log_w > -np.inf], record.n)
            first += record.n
    return tally


@dataclass(frozen=True, eq=False)
class Mixed:
    """A density that is a mixture of others, of any families."""

    parts: tuple[Family, ...]
    log_share: Vector

    @classmethod
    def of(cls, members: Sequence[Estimate]) -> Mixed:
        """The one that the final samples of all members are from."""
        sampled = [member for member in members if member.tally.n]
        n = np.array([member.tally.n for member in sampled])
        return cls(tuple(member.family for member in sampled), np.log(n / n.sum()))

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i)``, shape ``(n,)``."""
        return log_total(
            self.log_share[:, None] + np.array([part.log_density(x) for part in self.parts])
        )


def agreement(p: Vector, e: Vector, ess: Vector) -> float:
    """The p-value of ``k`` estimates ``p`` with standard errors ``e`` being of one quantity.

    Brown and Forsythe's (1974) test of equal means with unequal variances, by an F distribution
    whose degrees of freedom are Satterthwaite's, those of an error being its effective samples less
    one; in the numerator Mehrotra's (1997). Cochran's Q, whose weights are the reported precisions,
    rejects several times too often where weights are skewed: the low estimates with their small
    errors count most in it. An estimate whose error is not known has no say.

    >>> round(agreement(np.array([1.0, 1.4]), np.array([0.1, 0.1]), np.array([1e6, 1e6])), 6)
    0.004678
    """
    from scipy.special import fdtrc

    known = np.isfinite(e)
    p, e, ess, k = p[known], e[known], ess[known], int(known.sum())
    if k < 2:
        return 1.0
    variance = e**2
    total = float(variance.sum())
    if total == 0:
        return 1.0 if np.ptp(p) == 0 else 0.0
    share = variance / total
    square = float(share @ share)
    ratio = k * float(np.var(p, ddof=1)) / total
    numerator = (1 - 1 / k) ** 2 / ((1 - 2 / k) * square + 1 / k**2)
    denominator = 1 / float(share**2 @ (1 / np.maximum(1.0, ess - 1)))
    return float(fdtrc(numerator, denominator, ratio))


def replicate(
    k: int,
    problem: Problem,
    nominal: Family | None = None,
    gamma: float | None = None,
    *,
    rng: Any = None,
    **settings: Any,
) -> Combined:
    """``k`` independent runs of `cem.estimate`, combined.

    The seed of run ``i`` is a branch of ``rng``, so a larger ``k`` adds runs to the same ones.
    ``settings`` are the other arguments of `cem.estimate`; ``checkpoint`` and ``start``, which
    belong to a single run, are refused with TypeError.

    >>> from cem.families import Exponential
    >>> found = replicate(3, lambda x: x.sum(axis=1), Exponential([1.0]), 20.0, rng=0)
    >>> found.success, len(found.members)
    (True, 3)
    """
    whole_number("k", k, least=2)
    if single := {"checkpoint", "start"} & settings.keys():
        raise TypeError(
            f"{' and '.join(sorted(single))}: of a single run, replicate takes none. Run "
            "cem.estimate for each seed, and combine what they return"
        )
    root = root_of(rng)
    seeds = (branch(root, Purpose.REPLICATION, i) for i in range(k))
    return combine([estimate(problem, nominal, gamma, rng=seed, **settings) for seed in seeds])


def _check(members: tuple[Estimate, ...]) -> None:
    if len(members) < 2:
        raise ValueError(f"expected two or more estimates to combine; got {len(members)}")
    seeds = [member.seed for member in members]
    if len(set(seeds)) < len(seeds):
        twice = next(seed for seed in seeds if seeds.count(seed) > 1)
        raise ValueError(
            f"expected independent estimates, of different seeds; got seed {twice} more than once"
        )
    first = members[0]
    for member in members[1:]:
        if member.measurement.of != first.measurement.of:
            what = f"{first.measurement.of} and {member.measurement.of}"
        elif not _same(member.nominal, first.nominal):
            what = f"the nominal densities {first.nominal!r} and {member.nominal!r}"
        elif not _same(member.measurement.nominal, first.measurement.nominal):
            what = "one sampled in its own variables, one in standard normal ones, by other methods"
        else:
            continue
        raise ValueError(f"expected estimates of one probability, sampled alike; got {what}")


def _same(u: Family, v: Family) -> bool:
    """Whether two densities have the same parameters."""
    a, b = u.parameters(), v.parameters()
    return type(u) is type(v) and all(np.array_equal(a[name], b[name]) for name in a)
