"""A comparison in words: tables of formatted numbers, and one plain sentence for every decision."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from textwrap import wrap
from typing import NamedTuple

from experiments.comparison.comparison import Comparison
from experiments.comparison.judging import Interval, covers_too_rarely, enough
from experiments.comparison.pairs import FEW, Pair
from experiments.comparison.variations import Share, Variation
from experiments.task import is_estimated

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

    Each is a line of plain text; pairs for which there are too few seeds share one, and of many
    variations there is one for all that the best is better than, and so on.
    """
    judged = _judged if len(_ended(found)) <= FEW else partial(_of_the_best, str(found.best))
    return (*_remarks(found), *judged(found.pairs), *_closing(found))


def sentence(pair: Pair) -> str:
    """What can be said of two variations by one measure.

    "No difference can be told" does not say that there is none: it may be too small to be seen
    with so many seeds.
    """
    a, b, name = pair.a, pair.b, pair.measure
    if pair.is_equal:
        n, neither = pair.n[0], pair.failed == pair.n
        what = f"neither {a} nor {b} had a success" if neither else f"{a} and {b} are equal"
        where = "the one seed" if n == 1 else f"any of {n} seeds" if neither else f"all {n} seeds"
        return f"{name}: no difference: {what} in {where}"
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
    counts += "".join(f"; {one} {pair.missed} in {k}" for one, k in failures if k)
    tests = "" if pair.tests == 1 else f" corrected for {pair.tests} tests"
    return f"{name}: {said}: {_difference(pair)}{counts}; p = {_p(pair.corrected)}{tests}"


def _remarks(found: Comparison) -> Iterator[str]:
    if found.target is not None:
        tested = "" if found.target.given else "; it is from these very runs, so it is not tested"
        yield f"target: {_goal(found)}, {found.target.why}{tested}"
        if found.noisy:
            yield "the scores are noisy: only the answer of a run can reach the target, at its end"
    if found.n_known > 1:
        what = "exact values" if is_estimated(found.job) else "optima"
        yield f"the runs have {found.n_known} different {what}: they are not of the same problem"
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
    running = [one for one in found.variations if one.running is not None]
    if never := [one.name for one in running if one.running and math.isinf(one.running.time)]:
        yield f"no running time can be told, as the target was never reached: {'; '.join(never)}"
    for one in found.variations:
        told = one.coverage
        if told is not None and covers_too_rarely(told.count, told.of, len(found.variations)):
            share = f"{told.count} of {told.of} 95 % intervals"
            yield f"{one.name} reports too small errors: only {share} hold the exact value"


def _judged(pairs: Iterable[Pair]) -> Iterator[str]:
    """What is said of the pairs; those that no test can tell for one reason come last, together."""
    hopeless: dict[tuple[str, str], list[Pair]] = {}
    for pair in pairs:
        if why := _hopeless(pair):
            hopeless.setdefault((pair.measure, why), []).append(pair)
        else:
            yield sentence(pair)
    for (measure, why), own in hopeless.items():
        many = f"{measure}: no difference can be told in {len(own)} pairs of variations: {why}"
        yield many if len(own) > 1 else sentence(own[0])


def _of_the_best(best: str, pairs: Iterable[Pair]) -> Iterator[str]:
    """What the best of many variations is better than, by each measure, and what it is not."""
    untested = [pair for pair in pairs if pair.too_few and not pair.is_equal]
    verdicts: dict[tuple[str, str], list[Pair]] = {}
    for pair in pairs:
        if pair not in untested:
            own = pair if pair.a == best else pair.turned()
            verdicts.setdefault((own.measure, own.verdict), []).append(own)
    for (measure, verdict), own in verdicts.items():
        all_others = all(other == (measure, verdict) for other in verdicts if other[0] == measure)
        names = "; ".join(pair.b for pair in own)
        many = "1 other" if len(own) == 1 else f"{len(own)} others"
        others = f"any of {many}" if all_others else f"{many}: {names}"
        said = {
            "better": f"{best} is better than {others}",
            "worse": f"{best} is worse than {others}",
            "none": f"no difference can be told between {best} and {others}",
        }
        yield f"{measure}: {said[verdict]}"
    yield from _judged(untested)


def _ended(found: Comparison) -> list[Variation]:
    return [one for one in found.variations if one.done + one.failed]


def _closing(found: Comparison) -> Iterator[str]:
    ended, tests = _ended(found), max((pair.tests for pair in found.pairs), default=0)
    if len(ended) < 2:
        yield "there is nothing to judge: two variations with runs that have ended are needed"
    elif len(ended) > FEW:
        yield (
            f"of {len(ended)} variations only the pairs with the best, {found.best}, are told, "
            f"corrected for {tests} tests; --json has every figure of them"
        )


def _goal(found: Comparison) -> str:
    value = 0.0 if found.target is None else found.target.value
    return (
        f"relative error {100 * value:.4g} %" if is_estimated(found.job) else f"score {value:.10g}"
    )


def _hopeless(pair: Pair) -> str:
    """Why no test can tell, in words that many pairs may share; nothing where one can."""
    if pair.is_equal:
        return "neither had a success in any common seed" if pair.failed == pair.n else ""
    return _few(pair) if pair.too_few else ""


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
