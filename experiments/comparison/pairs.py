"""Two variations at a time: by how much they differ, and whether that may be chance."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from cem.typing import Array
from experiments.comparison.judging import (
    LEVEL,
    Interval,
    Test,
    enough,
    gap,
    holm,
    median_gap,
    rank_sum,
    signed_rank,
)
from experiments.comparison.measures import Measure
from experiments.comparison.outcomes import Outcome

FEW = 6  # variations up to which all pairs are told


@dataclass(frozen=True)
class Pair:
    """Variation ``a`` against variation ``b`` by one measure.

    ``difference`` is the median over the common seeds of ``a - b``, or of ``a / b`` of a ratio, in
    the user's sign; ``better``, ``equal`` and ``worse`` count seeds in which ``a`` is. Without
    common seeds it is the difference of the medians, and they count pairs of runs. ``n`` are the
    runs of both that are in it, ``failed`` how many of these have an infinite loss, and ``missed``
    what that means in words.
    ``corrected`` is the p-value after Holm's correction for ``tests``.
    """

    a: str
    b: str
    measure: str
    ratio: bool
    paired: bool
    n: tuple[int, int]
    failed: tuple[int, int]
    missed: str
    difference: float
    interval: Interval
    better: int
    equal: int
    worse: int
    p: float
    direction: int
    corrected: float
    tests: int

    @property
    def verdict(self) -> str:
        """What ``a`` is: ``"better"``, ``"worse"``, or ``"none"`` where nothing can be told."""
        if self.corrected >= 1 - LEVEL or not self.direction:
            return "none"
        return "better" if self.direction < 0 else "worse"

    @property
    def share(self) -> float:
        """The effect size: how often ``a`` is better, a tie counting half."""
        return (self.better + self.equal / 2) / (self.better + self.equal + self.worse)

    @property
    def is_equal(self) -> bool:
        """Whether every common seed says that they are equal."""
        return self.paired and self.better == self.worse == 0

    def turned(self) -> Pair:
        """The same pair, seen from the other side."""
        other = _inverse if self.ratio else _negative
        return replace(
            self,
            a=self.b,
            b=self.a,
            n=self.n[::-1],
            failed=self.failed[::-1],
            difference=other(self.difference),
            interval=Interval(*map(other, self.interval[::-1])),
            better=self.worse,
            worse=self.better,
            direction=-self.direction,
        )

    @property
    def too_few(self) -> bool:
        """Whether no test can tell from so few seeds, whatever they say."""
        if self.paired:
            return not enough(self.n[0], self.tests)
        return self.tests * 2 / math.comb(sum(self.n), self.n[0]) >= 1 - LEVEL


def pairs(
    groups: Mapping[str, Sequence[Outcome]], measures: Sequence[Measure], best: str | None
) -> tuple[tuple[Pair, ...], int]:
    """All pairs by all measures, or those with the best of many; and how many tests were made.

    The correction is for all of them in any case: the best was chosen by the same data.
    """
    names = [name for name, found in groups.items() if found]
    every = [(a, b, m) for m in measures for a, b in combinations(names, 2)]
    judged = [_test(groups[a], groups[b], m) for a, b, m in every]
    corrected = holm([test.p for test in judged])
    told = []
    for (a, b, m), test, p in zip(every, judged, corrected, strict=True):
        if len(names) <= FEW or best in (a, b):
            pair = _pair(a, b, groups, m, test)
            told.append(replace(pair, corrected=p, tests=len(every)))
    return tuple(told), len(every)


def matched(a: Sequence[Outcome], b: Sequence[Outcome], m: Measure) -> tuple[Array, Array, bool]:
    """The losses of both, and whether they are paired: by the common seeds, if most are common."""
    of_a, of_b = ({one.seed: m.loss(one) for one in found} for found in (a, b))
    common = [seed for seed in of_a if seed in of_b]
    if 2 * len(common) > min(len(of_a), len(of_b)):
        return _array(of_a[s] for s in common), _array(of_b[s] for s in common), True
    return _array(of_a.values()), _array(of_b.values()), False


def _test(a: Sequence[Outcome], b: Sequence[Outcome], m: Measure) -> Test:
    x, y, paired = matched(a, b, m)
    return signed_rank(gap(x, y)) if paired else rank_sum(x, y)


def _pair(a: str, b: str, groups: Mapping[str, Sequence[Outcome]], m: Measure, test: Test) -> Pair:
    x, y, paired = matched(groups[a], groups[b], m)
    middle, ends = median_gap(x, y, paired=paired)
    signs = np.sign(gap(x, y) if paired else gap(x[:, None], y))
    return Pair(
        a=a,
        b=b,
        measure=m.name,
        ratio=m.ratio,
        paired=paired,
        n=(len(x), len(y)),
        failed=(int(np.isposinf(x).sum()), int(np.isposinf(y).sum())),
        missed=m.missed,
        difference=_told(m, middle),
        interval=Interval(*sorted(_told(m, end) for end in ends)),
        better=int((signs < 0).sum()),
        equal=int((signs == 0).sum()),
        worse=int((signs > 0).sum()),
        p=test.p,
        direction=test.direction,
        corrected=test.p,
        tests=1,
    )


def _told(m: Measure, difference: float) -> float:
    """A difference of losses as the user is told it."""
    with np.errstate(over="ignore"):
        return float(np.exp(difference)) if m.ratio else m.sign * difference + 0.0


def _inverse(ratio: float) -> float:
    return 1 / ratio if ratio else math.inf


def _negative(difference: float) -> float:
    return 0.0 - difference


def _array(values: Iterable[float]) -> Array:
    return np.array(list(values), dtype=float)
