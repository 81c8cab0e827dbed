"""A comparison in words: tables of formatted numbers, and one plain sentence for every decision."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from textwrap import wrap
from typing import NamedTuple

from experiments.comparison.comparison import Comparison
from experiments.comparison.judging import LEVEL, Interval, enough
from experiments.comparison.outcomes import is_estimated
from experiments.comparison.pairs import FEW, Pair
from experiments.comparison.variations import Share, Variation

NOTHING = "-"
WIDTH = 100  # columns of a table
NARROW = 12  # columns that a name has at least


class Table(NamedTuple):
    """Formatted cells; the first of every row is the variation."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(found: Comparison) -> tuple[Table, ...]:
    """The figures of every variation; what they cost and how often they reach the target."""
    ends = ("least", "greatest") if is_estimated(found.job) else ("best", "worst")
    spread = ("variation", "done", ends[0], "5 %", "25 %", "median", "75 %", "95 %", ends[1])
    title = found.figure if found.known is None else f"{found.figure} (exact: {found.known:.6g})"
    if not is_estimated(found.job):
        title = title.replace("exact", "optimum")
    first = Table(title, spread, tuple(_spread(one, found) for one in found.variations))
    goal = found.target
    reach = "evaluations" if goal is None else f"evaluations; target: {_goal(found)}"
    columns = ("variation", "evaluations", "seconds", "reached", "95 %", "expected", "95 %")
    second = Table(reach, columns, tuple(_cost(one) for one in found.variations))
    if not is_estimated(found.job):
        return first, second
    columns = ("variation", "reported", "rms error", "coverage", "95 %", "variance x evaluations")
    third = Table("relative errors", columns, tuple(_errors(one) for one in found.variations))
    return first, second, third


def sentences(found: Comparison) -> tuple[str, ...]:
    """The target and where it is from, what was left out, warnings, and then a sentence per pair.

    Each is a line of plain text.
    """
    return tuple(_remarks(found)) + tuple(map(sentence, found.pairs)) + tuple(_closing(found))


def sentence(pair: Pair) -> str:
    """What can be said of two variations by one measure.

    "No difference can be told" does not say that there is none: it may be too small to be seen
    with so many seeds.
    """
    a, b, name = pair.a, pair.b, pair.measure
    if pair.paired and pair.better == pair.worse == 0:
        how = "fail" if pair.failed == pair.n else "are equal"
        seeds = "the one seed" if pair.n[0] == 1 else f"all {pair.n[0]} seeds"
        return f"{name}: no difference: {a} and {b} {how} in {seeds}"
    if pair.too_few:
        return f"{name}: no difference can be told between {a} and {b}: {_few(pair)}"
    if pair.verdict == "worse":
        a, b, pair = b, a, pair.turned()
    said = f"{a} is better than {b}"
    if pair.verdict == "none":
        said = f"no difference can be told between {a} and {b}"
    counts = f"better in {pair.better}, equal in {pair.equal}, worse in {pair.worse}"
    if not pair.paired:
        counts = f"better in {pair.share:.0%} of all pairs of runs"
    failures = zip((a, b), pair.failed, strict=True)
    counts += "".join(f"; {one} failed in {k}" for one, k in failures if k)
    tests = "" if pair.tests == 1 else f" corrected for {pair.tests} tests"
    return f"{name}: {said}: {_difference(pair)}{counts}; p = {_p(pair.corrected)}{tests}"


def _remarks(found: Comparison) -> Iterator[str]:
    if found.target is not None:
        tested = "" if found.target.given else "; it is from these very runs, so it is not tested"
        yield f"target: {_goal(found)}, {found.target.why}{tested}"
    counts: dict[str, Callable[[Variation], int]] = {
        "failed, and rank worst": lambda one: one.failed,
        "not finished, and left out": lambda one: one.unfinished,
        "repeated with the same seed, and left out": lambda one: one.repeated,
    }
    if is_estimated(found.job):
        counts["done without success, and rank worst in the tests"] = lambda one: one.doubtful
    for what, count in counts.items():
        some = [f"{count(one)} of {one.name}" for one in found.variations if count(one)]
        if some:
            yield f"runs {what}: {', '.join(some)}"
    for one in found.variations:
        if one.running is not None and math.isinf(one.running.time):
            yield f"{one.name} never reached the target: no running time can be told"
        if one.coverage is not None and one.coverage.interval.high < LEVEL:
            share = f"{one.coverage.count} of {one.coverage.of} 95 % intervals"
            yield f"{one.name} reports too small errors: only {share} hold the exact value"


def _closing(found: Comparison) -> Iterator[str]:
    ended = [one for one in found.variations if one.done + one.failed]
    if len(ended) < 2:
        yield "there is nothing to judge: two variations with runs that have ended are needed"
    elif len(ended) > FEW:
        yield f"of {len(ended)} variations only the pairs with the best, {found.best}, are told"


def _goal(found: Comparison) -> str:
    value = 0.0 if found.target is None else found.target.value
    return (
        f"relative error {100 * value:.4g} %" if is_estimated(found.job) else f"score {value:.10g}"
    )


def _few(pair: Pair) -> str:
    if not pair.paired:
        return f"{pair.n[0]} and {pair.n[1]} runs with different seeds are too few for any test"
    need = next(n for n in range(1, 1000) if enough(n, pair.tests))
    seeds = "1 common seed is" if pair.n[0] == 1 else f"{pair.n[0]} common seeds are"
    tests = "a test" if pair.tests == 1 else f"{pair.tests} tests"
    return f"{seeds} too few for {tests}; at least {need} are needed"


def _difference(pair: Pair) -> str:
    """The median difference and its interval, or the ratio; nothing where one fails."""
    where = f"of {pair.n[0]} seeds" if pair.paired else f"of {pair.n[0]} and {pair.n[1]} runs"
    if math.isinf(pair.difference) or (pair.ratio and pair.difference == 0):
        return ""
    what, told = ("ratio", _times) if pair.ratio else ("difference", _signed)
    middle, low, high = map(told, (pair.difference, *pair.interval))
    return f"{what} {middle} in the median {where} (95 % interval {low} to {high}); "


def _signed(value: float) -> str:
    return f"{value:+.6g}" if value else "0"


def _times(value: float) -> str:
    return "infinite" if math.isinf(value) else f"{value:.3g}"


def _p(p: float) -> str:
    return f"{p:.2g}" if p >= 1e-4 else "less than 0.0001"


def _spread(one: Variation, found: Comparison) -> tuple[str, ...]:
    all_runs = one.done + one.failed + one.unfinished
    done = f"{one.done}" if one.done == all_runs else f"{one.done} of {all_runs}"
    if one.figure is None:
        return (one.name, done, *[NOTHING] * 7)
    f = one.figure
    cells = (f.best, f.low, f.lower, f.median, f.upper, f.high, f.worst)
    if is_estimated(found.job):
        return (one.name, done, *(_figure(cell, 4) for cell in sorted(cells)))
    return (one.name, done, *(_figure(cell, 6) for cell in cells))


def _cost(one: Variation) -> tuple[str, ...]:
    spent = (_whole(one.evaluations), _seconds(one.seconds))
    if one.reached is None or one.running is None:
        return (one.name, *spent, *[NOTHING] * 4)
    time, ends = one.running.time, one.running.interval
    expected = "never" if math.isinf(time) else f"{time:,.0f}"
    between = NOTHING if math.isinf(time) else _between(ends)
    return (one.name, *spent, *_share(one.reached), expected, between)


def _errors(one: Variation) -> tuple[str, ...]:
    coverage = (NOTHING, NOTHING) if one.coverage is None else _share(one.coverage)
    reported, rms = (_percent(x) for x in (one.relative_error, one.rms_error))
    return (one.name, reported, rms, *coverage, _whole(one.work))


def _share(share: Share) -> tuple[str, str]:
    low, high = share.interval
    return f"{share.count}/{share.of}", f"{low:.0%} to {high:.0%}"


def _between(ends: Interval) -> str:
    low, high = ends
    if math.isinf(low):
        return NOTHING
    return f"{low:,.0f} on" if math.isinf(high) else f"{low:,.0f} to {high:,.0f}"


def _figure(value: float, digits: int) -> str:
    return "failed" if math.isinf(value) else f"{value:.{digits}g}"


def _whole(value: float | None) -> str:
    if value is None or math.isnan(value):
        return NOTHING
    return "infinite" if math.isinf(value) else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _percent(value: float | None) -> str:
    if value is None:
        return NOTHING
    return "infinite" if math.isinf(value) else f"{value:.2%}"


def _seconds(value: float) -> str:
    return NOTHING if math.isnan(value) else f"{value:.2f}"


def aligned(table: Table) -> str:
    """The table for a terminal: at most 100 columns, where a long name goes on in the next line.

    >>> print(aligned(Table("scores", ("variation", "median"), (("rho=0.1", "12"),))))
    variation  median
    rho=0.1        12
    """
    names = [table.header[0], *(row[0] for row in table.rows)]
    cells = [list(table.header[1:]), *(list(row[1:]) for row in table.rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    room = max(WIDTH - sum(width + 2 for width in widths), NARROW)
    wrapped = [wrap(name, room - 2) for name in names]
    wide = max(len(part) for parts in wrapped for part in parts)
    lines = []
    for parts, row in zip(wrapped, cells, strict=True):
        right = "".join(f"  {cell:>{width}}" for cell, width in zip(row, widths, strict=True))
        lines.append(f"{parts[0]:{wide}}{right}")
        lines += [f"  {part}" for part in parts[1:]]
    return "\n".join(lines)
