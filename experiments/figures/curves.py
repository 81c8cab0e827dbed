"""Curves of a comparison: bands of convergence, and the distributions of run lengths."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cem.typing import Array
from experiments.comparison.comparison import Comparison
from experiments.comparison.variations import Variation
from experiments.figures.frame import dressed, new_figure, scaled, short, value_of
from experiments.inline_svg import INK, SERIES
from experiments.task import is_estimated

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DASHES = ("-", "--", ":", "-.")
MOST = 12  # variations in one picture
SHADED = 6  # variations up to which the quartiles are drawn
POINTS = 720  # of all curves together
ACROSS = 84  # characters of a legend that fit above the axes, in wider fonts too


def bands(found: Comparison) -> Figure:
    """How far the runs are after so many evaluations: the median over seeds, and the quartiles."""
    figure = new_figure()
    _bands(found, figure.subplots())
    return _finished(figure, found)


def profiles(found: Comparison) -> Figure:
    """The share of the runs that have reached the target after so many evaluations."""
    figure = new_figure()
    _profiles(found, figure.subplots())
    return _finished(figure, found)


def both(found: Comparison) -> Figure:
    """`bands` and `profiles`, one above the other."""
    figure = new_figure(height=7.2)
    upper, lower = figure.subplots(2)
    _bands(found, upper)
    _profiles(found, lower)
    return _finished(figure, found)


def _bands(found: Comparison, axes: Axes) -> None:
    drawn = [one for one in _drawn(found) if one.band is not None]
    shown = []
    for one, style in _styled(found, drawn):
        band = one.band
        rows = _few(len(band.evaluations), len(drawn))
        x = band.evaluations[rows]
        lower, median, upper = (
            np.where(np.isfinite(y[rows]), y[rows], np.nan)
            for y in (band.lower, band.median, band.upper)
        )
        axes.plot(x, median, label=short(one.name), **style)
        shown.append(median)
        if len(drawn) <= SHADED:
            shown += [lower, upper]
            axes.fill_between(x, lower, upper, color=style["color"], alpha=0.2, linewidth=0)
    luck = "luckiest" if found.noisy else "best"
    what = "relative error" if is_estimated(found.job) else f"{luck} score so far"
    shade = " and quartiles" if len(drawn) <= SHADED else ""
    dressed(axes, "evaluations", what, f"median{shade} over seeds")
    values = np.concatenate([*shown, []])
    log = scaled(axes, found.job, values, _percent() if is_estimated(found.job) else "{x:.6g}")
    if found.target is not None and (found.target.value > 0 or not log):
        axes.axhline(found.target.value, color=INK, linewidth=0.8, linestyle=(0, (1, 2)))


def _profiles(found: Comparison, axes: Axes) -> None:
    drawn = [one for one in _drawn(found) if one.profiles]
    several = max((len(one.profiles) for one in drawn), default=0) > 1
    for one, style in _styled(found, drawn):
        for k, profile in enumerate(one.profiles):
            x, share = _steps(profile.evaluations, profile.of, profile.end, len(drawn))
            name = short(one.name) + (f": {_target(found.job, profile.target)}" if several else "")
            thin = {"alpha": 0.6**k, "linewidth": 1.5 / (k + 1)}
            axes.plot(x, share, label=name, drawstyle="steps-post", **style | thin)
    goal = ""
    if found.target is not None and not several:
        goal = f": {_target(found.job, found.target.value)}"
    dressed(axes, "evaluations", "share of the runs", f"runs that have reached the target{goal}")
    axes.set_ylim(0, 1.03)
    axes.set_xlim(left=0)
    axes.yaxis.set_major_formatter(_percent())


def _drawn(found: Comparison) -> list[Variation]:
    """The variations of a picture: all, or of many those with the best figures, in their order."""
    if len(found.variations) <= MOST:
        return list(found.variations)
    sign = 1.0 if found.job == "maximize" else -1.0

    def loss(one: Variation) -> tuple[float, float]:
        value, running = value_of(one), one.running
        soon = running.time if running else math.inf  # of equals
        return (math.inf if math.isnan(value) else -sign * value), soon

    kept = sorted(found.variations, key=loss)[:MOST]
    return [one for one in found.variations if one in kept]


def _styled(found: Comparison, drawn: Sequence[Variation]) -> list[tuple[Any, dict[str, Any]]]:
    """Every variation with a colour and dashes of its own, the same in every picture."""
    place = {one.name: k for k, one in enumerate(_drawn(found))}
    return [
        (
            one,
            {
                "color": SERIES[place[one.name] % len(SERIES)],
                "linestyle": DASHES[place[one.name] // len(SERIES)],
            },
        )
        for one in drawn
    ]


def _few(points: int, curves: int) -> Array:
    """Which of a curve's points are drawn, so that all curves together stay small."""
    most = max(30, min(points, POINTS // max(1, curves)))
    return np.unique(np.linspace(0, points - 1, most).astype(int))


def _steps(evaluations: Array, of: int, end: float, curves: int) -> tuple[Array, Array]:
    """The distribution of run lengths as steps, from nothing to the end."""
    if len(evaluations) == 0:
        return np.array([0.0, end]), np.zeros(2)
    rows = _few(len(evaluations), curves)
    x = np.concatenate([[0.0], evaluations[rows], [max(end, evaluations[-1])]])
    share = np.concatenate([[0], rows + 1, [len(evaluations)]]) / of
    return x, share


def _target(job: str, value: float) -> str:
    return f"{100 * value:.4g} %" if is_estimated(job) else f"{value:.10g}"


def _percent() -> Callable[[float, int], str]:
    return lambda value, _: f"{100 * value:g} %"


def _finished(figure: Figure, found: Comparison) -> Figure:
    """With a legend above the axes, for which it grows."""
    handles, names = max(
        (axes.get_legend_handles_labels() for axes in figure.axes), key=lambda pair: len(pair[0])
    )
    if handles:
        lines = [name.split("\n") for name in names]
        longest = max(len(line) for own in lines for line in own)
        columns = min(len(names), max(1, ACROSS // (longest + 7)))
        high = max(map(sum, np.array_split([*map(len, lines)], columns)))
        figure.set_figheight(figure.get_figheight() + 0.17 * high)
        look = {"frameon": False, "fontsize": 9, "labelcolor": INK}
        figure.legend(handles, names, loc="outside upper left", ncols=columns, **look)
    if len(found.variations) > MOST:
        figure.axes[0].set_title(
            f"the best {MOST} of {len(found.variations)} variations",
            color=INK,
            fontsize=10,
            loc="right",
        )
    return figure
