"""What all pictures of a comparison share: their size, their axes, and the figure they are of."""

from __future__ import annotations

import math
from collections.abc import Callable
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from experiments.comparison.variations import Variation
from experiments.inline_svg import INK
from experiments.task import is_estimated

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 7.2  # inches of a picture: where all have the same, so have their letters
LONG = 34  # characters in a line of a name
STEEP = 100  # the factor from which on falling scores are drawn by their logarithm


def new_figure(width: float = WIDTH, height: float = 3.8) -> Figure:
    """Of that size in inches, without a window."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def dressed(axes: Axes, x: str, y: str, title: str) -> None:
    """Axes with names, in the ink of the page."""
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


def scaled(axes: Axes, job: str, values: ArrayLike, form: str | Callable[..., str]) -> bool:
    """Numbers up the axis, in that form; whether by their logarithm."""
    from matplotlib.ticker import LogLocator, NullLocator

    if log := by_logarithm(job, values):
        least, most = _ends(values)
        if least == most:  # one level line: nothing was hit, say
            axes.set_ylim(least / 3, 3 * most)
        axes.set_yscale("log")
        subs = (1,) if most > STEEP * least else (1, 2, 3, 5)
        axes.yaxis.set_major_locator(LogLocator(subs=subs))
        axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(form)
    return log


def by_logarithm(job: str, values: ArrayLike) -> bool:
    """Whether that shows more: it does of what an estimate costs, and of scores that fall far.

    >>> by_logarithm("minimize", [0.1, 1e4]), by_logarithm("maximize", [0.1, 1e4])
    (True, False)
    """
    least, most = _ends(values)
    falls = is_estimated(job) or (job == "minimize" and most > STEEP * least)
    return falls and 0 < least < math.inf


def value_of(one: Variation) -> float:
    """What is drawn of a variation: the median score, or the work of an estimate."""
    if one.work is not None:
        return one.work
    return math.nan if one.figure is None else one.figure.median


def _ends(values: ArrayLike) -> tuple[float, float]:
    """The least and the largest that are finite."""
    some = np.asarray(values, dtype=float)
    some = some[np.isfinite(some)]
    return float(some.min(initial=math.inf)), float(some.max(initial=-math.inf))


def short(name: str) -> str:
    """A long name on several lines."""
    return "\n".join(wrap(name, LONG)) or name
