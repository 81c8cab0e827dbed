"""Pictures of a comparison: convergence bands, run lengths, and what the settings do."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from cem.typing import Array
from experiments.comparison.comparison import Comparison
from experiments.comparison.outcomes import is_estimated
from experiments.comparison.variations import Variation
from experiments.inline_svg import INK, SERIES, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["bands", "both", "has_settings", "profiles", "settings", "svg"]

DASHES = ("-", "--", ":", "-.")
MOST = 12  # variations in one picture
SHADED = 6  # variations up to which the quartiles are drawn
POINTS = 720  # of all curves together
INSIDE = 4  # variations up to which the legend is short enough to be above the axes
ACROSS = 75  # characters that fit above the axes, in wider fonts too
LONG = 34  # characters in a line of a legend


def bands(found: Comparison) -> Figure:
    """How far the runs are after so many evaluations: the median over seeds, and the quartiles."""
    figure = _figure(found)
    _bands(found, figure.subplots())
    return _finished(figure, found)


def profiles(found: Comparison) -> Figure:
    """The share of the runs that have reached the target after so many evaluations."""
    figure = _figure(found)
    _profiles(found, figure.subplots())
    return _finished(figure, found)


def both(found: Comparison) -> Figure:
    """`bands` and `profiles`, one above the other."""
    figure = _figure(found, height=7.2)
    upper, lower = figure.subplots(2)
    _bands(found, upper)
    _profiles(found, lower)
    return _finished(figure, found)


def has_settings(found: Comparison) -> bool:
    """Whether there are settings that differ, to draw the figure against."""
    return bool(_varied(found))


def settings(found: Comparison) -> Figure:
    """The figure of every variation against what was set: a map of two settings, or one by one.

    Raises ValueError where no setting differs.
    """
    varied = _varied(found)
    if not varied:
        raise ValueError("there is nothing to draw: the variations differ in no setting")
    shown = [one for one in found.variations if math.isfinite(_value(one))]
    if len(varied) == 2 and len(shown) == math.prod(map(len, varied.values())):
        figure = _figure(found, width=6.0)
        _map(figure, found, shown, varied)
        return figure
    columns = min(3, len(varied))
    rows = -(-len(varied) // columns)
    figure = _figure(found, width=max(5.0, 3.2 * columns), height=2.9 * rows)
    axes = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    for one, (key, values) in zip(axes, varied.items(), strict=False):
        _against(one, found, shown, key, values)
    for spare in axes[len(varied) :]:
        spare.set_visible(False)
    for first in axes[::columns]:
        first.set_ylabel(_words(found))
    return figure


def _figure(found: Comparison, width: float = 7.2, height: float = 3.8) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = [one.name for one in _drawn(found)]
    lines = sum(len(wrap(name, LONG)) for name in names)
    outside = 0.0 if len(names) <= INSIDE else 0.35 + 0.075 * min(max(map(len, names)), LONG)
    height = max(height, 0.4 + 0.19 * lines) if outside else height
    figure = Figure(figsize=(width + outside, height), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _bands(found: Comparison, axes: Axes) -> None:
    drawn = [one for one in _drawn(found) if one.band is not None]
    for one, style in _styled(found, drawn):
        band = one.band
        rows = _few(len(band.evaluations), len(drawn))
        x = band.evaluations[rows]
        lower, median, upper = (
            np.where(np.isfinite(y[rows]), y[rows], np.nan)
            for y in (band.lower, band.median, band.upper)
        )
        axes.plot(x, median, label=_short(one.name), **style)
        if len(drawn) <= SHADED:
            axes.fill_between(x, lower, upper, color=style["color"], alpha=0.2, linewidth=0)
    luck = "luckiest" if found.noisy else "best"
    what = "relative error" if is_estimated(found.job) else f"{luck} score so far"
    _goal(found, axes)
    shade = " and quartiles" if len(drawn) <= SHADED else ""
    _dressed(axes, "evaluations", what, f"median{shade} over seeds")
    if is_estimated(found.job):
        from matplotlib.ticker import LogLocator

        shown = np.concatenate([np.asarray(line.get_ydata()) for line in axes.get_lines()])
        shown = shown[np.isfinite(shown)]
        if np.ptp(shown) == 0:  # the target alone, say: nothing was hit
            axes.set_ylim(shown[0] / 3, 3 * shown[0])
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
        axes.yaxis.set_major_formatter(_percent())
        axes.yaxis.set_minor_locator(LogLocator(subs=()))
    else:
        axes.yaxis.set_major_formatter("{x:.6g}")


def _profiles(found: Comparison, axes: Axes) -> None:
    drawn = [one for one in _drawn(found) if one.profiles]
    several = max((len(one.profiles) for one in drawn), default=0) > 1
    for one, style in _styled(found, drawn):
        for k, profile in enumerate(one.profiles):
            x, share = _steps(profile.evaluations, profile.of, profile.end, len(drawn))
            name = _short(one.name) + (f": {_target(found.job, profile.target)}" if several else "")
            thin = {"alpha": 0.6**k, "linewidth": 1.5 / (k + 1)}
            axes.plot(x, share, label=name, drawstyle="steps-post", **style | thin)
    goal = ""
    if found.target is not None and not several:
        goal = f": {_target(found.job, found.target.value)}"
    _dressed(axes, "evaluations", "share of the runs", f"runs that have reached the target{goal}")
    axes.set_ylim(0, 1.03)
    axes.set_xlim(left=0)
    axes.yaxis.set_major_formatter(_percent())


def _map(
    figure: Figure,
    found: Comparison,
    shown: Sequence[Variation],
    varied: Mapping[str, Sequence[Any]],
) -> None:
    """Two settings: a cell for every variation, with its figure in it."""
    (x, across), (y, up) = varied.items()
    cells = np.full((len(up), len(across)), np.nan)
    for one in shown:
        cells[up.index(one.changes[y]), across.index(one.changes[x])] = _value(one)
    axes = figure.subplots()
    scale = np.log(cells) if is_estimated(found.job) and (cells > 0).all() else cells
    good = 1.0 if found.job == "maximize" else -1.0  # the better, the brighter
    drawn = axes.pcolormesh(good * scale, cmap="viridis", edgecolors="none")
    middle = (drawn.norm.vmin + drawn.norm.vmax) / 2
    for (row, column), value in np.ndenumerate(cells):
        colour = "#000000" if good * scale[row, column] > middle else "#ffffff"
        text = f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
        axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", color=colour)
    axes.set_xticks(np.arange(len(across)) + 0.5, [_said(v) for v in across])
    axes.set_yticks(np.arange(len(up)) + 0.5, [_said(v) for v in up])
    _dressed(axes, x, y, f"{_words(found)}: the brighter, the better")
    axes.grid(visible=False)


def _against(
    axes: Axes, found: Comparison, shown: Sequence[Variation], key: str, values: Sequence[Any]
) -> None:
    """One setting: a point for every variation, and the median of those of one value."""
    place = _places(values)
    medians = []
    for value in values:
        own = [_value(one) for one in shown if one.changes[key] == value]
        axes.plot([place[_said(value)]] * len(own), own, "o", color=SERIES[0], alpha=0.6)
        medians.append(float(np.median(own)) if own else math.nan)
    axes.plot([place[_said(v)] for v in values], medians, "-", color=SERIES[1])
    axes.set_xticks(list(place.values()), list(place))
    _dressed(axes, key, "", "")
    if is_estimated(found.job) and all(_value(one) > 0 for one in shown):
        axes.set_yscale("log")
    else:
        axes.yaxis.set_major_formatter("{x:.6g}")


def _varied(found: Comparison) -> dict[str, list[Any]]:
    """The settings that differ, with their values: numbers in order, others as they come."""
    keys = found.variations[0].changes
    varied = {}
    for key in keys:
        values = {_said(one.changes[key]): one.changes[key] for one in found.variations}
        plain = list(values.values())
        if all(_is_number(value) for value in plain):
            plain.sort()
        varied[key] = plain
    return {key: values for key, values in varied.items() if len(values) > 1}


def _value(one: Variation) -> float:
    """What is drawn of a variation: the median score, or the work of an estimate."""
    if one.work is not None:
        return one.work
    return math.nan if one.figure is None else one.figure.median


def _words(found: Comparison) -> str:
    return "variance x evaluations" if is_estimated(found.job) else "median best score"


def _places(values: Sequence[Any]) -> dict[str, float]:
    """Where values stand on an axis: numbers where they are, if they can be told apart there."""
    numbers = [float(v) for v in values] if all(map(_is_number, values)) else []
    near = np.diff(numbers).min(initial=math.inf) < 0.12 * np.ptp(numbers) if numbers else True
    return {_said(v): float(k) if near else float(v) for k, v in enumerate(values)}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _said(value: Any) -> str:
    if value is None:
        return "none"
    return f"{value:.12g}" if _is_number(value) else str(value)


def _drawn(found: Comparison) -> list[Variation]:
    """The variations of a picture: all, or of many those with the best figures, in their order."""
    if len(found.variations) <= MOST:
        return list(found.variations)
    sign = 1.0 if found.job == "maximize" else -1.0

    def loss(one: Variation) -> tuple[float, float]:
        value, running = _value(one), one.running
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


def _goal(found: Comparison, axes: Axes) -> None:
    if found.target is not None:
        axes.axhline(found.target.value, color=INK, linewidth=0.8, linestyle=(0, (1, 2)))


def _dressed(axes: Axes, x: str, y: str, title: str) -> None:
    from matplotlib.ticker import EngFormatter

    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
    axes.set_title(title, color=INK, fontsize=10, loc="left")
    axes.tick_params(colors=INK, which="both")
    axes.grid(color=INK, alpha=0.15)
    axes.spines[["top", "right"]].set_visible(False)
    for spine in axes.spines.values():
        spine.set_color(INK)
    if x == "evaluations":
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))


def _percent() -> Callable[[float, int], str]:
    return lambda value, _: f"{100 * value:g} %"


def _finished(figure: Figure, found: Comparison) -> Figure:
    """With a legend: above the axes, or on the right of many."""
    handles, names = max(
        (axes.get_legend_handles_labels() for axes in figure.axes), key=lambda pair: len(pair[0])
    )
    if handles:
        many = len(names) > INSIDE
        place = "outside right upper" if many else "outside upper left"
        columns = (
            1 if many else min(len(names), max(1, ACROSS // (min(max(map(len, names)), LONG) + 7)))
        )
        figure.legend(
            handles, names, loc=place, ncols=columns, frameon=False, fontsize=9, labelcolor=INK
        )
    if len(found.variations) > MOST:
        figure.axes[0].set_title(
            f"the best {MOST} of {len(found.variations)} variations",
            color=INK,
            fontsize=10,
            loc="right",
        )
    return figure


def _short(name: str) -> str:
    return "\n".join(wrap(name, LONG)) or name
