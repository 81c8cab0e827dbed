"""What every picture is drawn with: a figure that pyplot does not know, axes, lines, a legend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cem.typing import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"  # safe for most eyes
GREY, BLACK = "#666666", "#000000"
FEW = 40  # points that are marked
COLUMNS = 4  # of a legend


def new_figure(size: tuple[float, float]) -> Figure:
    """A new figure, in inches, that pyplot knows nothing of."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def axes_of(axes: Axes | None, y: str, x: str = "evaluations") -> Axes:
    """The axes that are given, or new ones, with names on them."""
    from matplotlib.ticker import EngFormatter, StrMethodFormatter

    if axes is None:
        axes = new_figure((6, 4)).subplots()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:.5g}"))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def right_of(axes: Axes, y: str) -> Axes:
    """A second scale on the right, in the colour of its line."""
    right = axes.twinx()
    right.set_ylabel(y, color=ORANGE)
    right.tick_params(axis="y", which="both", colors=ORANGE)
    right.spines["top"].set_visible(False)
    return right


def line(axes: Axes, x: Array, y: Array, color: str, name: str) -> None:
    """A line through the finite values; few points are marked, or one alone could not be seen."""
    finite = np.isfinite(y)
    marker = "o" if np.count_nonzero(finite) <= FEW else ""
    axes.plot(x[finite], y[finite], color=color, label=name, marker=marker, markersize=4)


def finish(axes: Axes, title: str, right: Axes | None = None, *, left: float | None = 0.0) -> Axes:
    """A title, and under it one legend for both scales, above the axes where it hides nothing.

    The picture begins at ``left``, by default at no evaluation; with None where the data do.
    """
    handles, names = axes.get_legend_handles_labels()
    if right is not None:
        more, of_more = right.get_legend_handles_labels()
        handles, names = handles + more, names + of_more
    rows = -(-len(handles) // COLUMNS)
    axes.set_title(title, loc="left", pad=6 + 16 * rows, fontsize=11, fontweight="bold")
    legend = axes.legend(
        handles,
        names,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        borderpad=0.2,
        borderaxespad=0,
        ncols=COLUMNS,
        columnspacing=1.0,
        handlelength=1.2,
        fontsize=9,
        frameon=False,
    )
    legend.set_in_layout(False)  # the title's pad is its place
    axes.set_xlim(left=left)
    return axes


def empty(axes: Axes, why: str, title: str) -> Axes:
    """A picture that has nothing to show, and says why."""
    axes.text(0.5, 0.5, why, transform=axes.transAxes, ha="center", color=GREY)
    axes.set(xticks=[], yticks=[])
    return finish(axes, title)
