"""What the settings do: the figure of every variation against what was changed in it."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.comparison.comparison import Comparison
from experiments.comparison.variations import Variation
from experiments.figures.frame import (
    LONG,
    WIDTH,
    by_logarithm,
    dressed,
    new_figure,
    scaled,
    value_of,
)
from experiments.inline_svg import INK, SERIES
from experiments.task import is_estimated, word_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BELOW = 36  # characters of names that fit side by side below a panel


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
    shown = [one for one in found.variations if math.isfinite(value_of(one))]
    if len(varied) == 2 and len(shown) == math.prod(map(len, varied.values())):
        return _map(found, shown, varied)
    columns = min(2, len(varied))
    rows = -(-len(varied) // columns)
    high = rows * (2.9 + _turned(varied.values()))
    figure = new_figure(width=WIDTH if columns > 1 else 5.0, height=high)
    axes = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    for one, (key, values) in zip(axes, varied.items(), strict=False):
        _against(one, shown, key, values)
    for spare in axes[len(varied) :]:
        spare.set_visible(False)
    for first in axes[::columns]:
        first.set_ylabel(_words(found))
    title = "points: variations; orange: their median"
    axes[0].set_title(title, color=INK, fontsize=10, loc="left")
    scaled(axes[0], found.job, [value_of(one) for one in shown], "{x:.6g}")
    return figure


def _map(
    found: Comparison, shown: Sequence[Variation], varied: Mapping[str, Sequence[Any]]
) -> Figure:
    """Two settings: a cell for every variation, with its figure in it."""
    (x, across), (y, up) = sorted(varied.items(), key=lambda one: len(one[1]))
    high = _turned([across]) + max(3.8, 1.0 + 0.3 * len(up))
    figure = new_figure(max(6.0, 1.5 + 0.8 * len(across)), high)
    cells = np.full((len(up), len(across)), np.nan)
    for one in shown:
        cells[up.index(one.changes[y]), across.index(one.changes[x])] = value_of(one)
    axes = figure.subplots()
    scale = np.log(cells) if by_logarithm(found.job, cells) else cells
    good = 1.0 if found.job == "maximize" else -1.0  # the better, the brighter
    drawn = axes.pcolormesh(good * scale, cmap="viridis", edgecolors="none")
    middle = (drawn.norm.vmin + drawn.norm.vmax) / 2
    for (row, column), value in np.ndenumerate(cells):
        colour = "#000000" if good * scale[row, column] > middle else "#ffffff"
        text = f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
        axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", color=colour)
    _named(axes, {_said(value): k + 0.5 for k, value in enumerate(across)})
    axes.set_yticks(np.arange(len(up)) + 0.5, [_brief(_said(v)) for v in up])
    dressed(axes, x, y, f"{_words(found)}: the brighter, the better")
    axes.grid(visible=False)
    return figure


def _against(axes: Axes, shown: Sequence[Variation], key: str, values: Sequence[Any]) -> None:
    """One setting: a point for every variation, and the median of those of one value.

    The medians of numbers are joined; of other values their points are, as far as they range.
    """
    place = _places(values)
    medians = []
    ordered = all(map(_is_number, values))
    for value in values:
        own = [value_of(one) for one in shown if one.changes[key] == value]
        at = [place[_said(value)]] * len(own)
        axes.plot(at, own, "o" if ordered else "o-", color=SERIES[0], alpha=0.6)
        medians.append(float(np.median(own)) if own else math.nan)
    look = {"ls": "-"} if ordered else {"ls": "none", "marker": "_", "ms": 14, "mew": 2}
    axes.plot(list(place.values()), medians, color=SERIES[1], **look)
    axes.margins(x=0.1 if ordered else 0.5 / len(values))
    _named(axes, place)
    dressed(axes, key, "", "")


def _named(axes: Axes, place: Mapping[str, float]) -> None:
    """Names below the axes, turned where they are too long to stand side by side."""
    turned = {"rotation": 60, "ha": "right", "rotation_mode": "anchor"}
    look = {} if _fit(place) else turned
    axes.set_xticks(list(place.values()), list(map(_brief, place)), **look)


def _fit(names: Collection[str]) -> bool:
    """Whether they can stand side by side."""
    return len(names) * (1 + max(map(len, names))) <= BELOW


def _turned(settings: Iterable[Sequence[Any]]) -> float:
    """The inches that turned names need more than others."""
    names = [[_said(value) for value in values] for values in settings]
    return max(0.0 if _fit(own) else 0.07 * min(LONG, max(map(len, own))) for own in names)


def _brief(name: str) -> str:
    """A long name without its middle.

    >>> _brief("gaussian"), _brief("/home/somebody/instances/berlin52.tsp.gz")
    ('gaussian', '/home/somebody/i…/berlin52.tsp.gz')
    """
    half = LONG // 2 - 1
    return name if len(name) <= LONG else f"{name[:half]}…{name[-half:]}"


def _varied(found: Comparison) -> dict[str, list[Any]]:
    """The settings that differ, with their values: others as they come, numbers in order."""
    keys = found.variations[0].changes
    varied = {}
    for key in keys:
        values = {_said(one.changes[key]): one.changes[key] for one in found.variations}
        varied[key] = sorted(values.values(), key=lambda v: v if _is_number(v) else -math.inf)
    return {key: values for key, values in varied.items() if len(values) > 1}


def _words(found: Comparison) -> str:
    return "variance x evaluations" if is_estimated(found.job) else f"median {word_of(found.job)}"


def _places(values: Sequence[Any]) -> dict[str, float]:
    """Where values stand on an axis: numbers where they are, if they can be told apart there."""
    numbers = [float(v) for v in values] if all(map(_is_number, values)) else []
    room = (1 + max(len(_said(v)) for v in values)) / BELOW
    near = np.diff(numbers).min(initial=math.inf) < room * np.ptp(numbers) if numbers else True
    return {_said(v): float(k) if near else float(v) for k, v in enumerate(values)}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _said(value: Any) -> str:
    if value is None:
        return "none"
    return f"{value:.12g}" if _is_number(value) else str(value)
