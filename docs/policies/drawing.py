"""What the pictures of these pages are drawn with: contour lines, ellipses, legends."""
# ruff: noqa: INP001 - beside a script of the documentation, not a module of a package

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cem.families import GaussianMixture
from cem.state import State
from cem.typing import Array, Batch, Vector

CIRCLE = np.stack([f(np.linspace(0, 2 * np.pi, 100)) for f in (np.cos, np.sin)])
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"

Score = Callable[[Batch], Vector]


def figure_of(rows: int, columns: int, height: float) -> tuple[Figure, list[Axes]]:
    """A figure as wide as a page, and its panels."""
    figure = Figure(figsize=(9.2, height), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, list(figure.subplots(rows, columns, squeeze=False).flat)


def on_a_grid(score: Score, box: Sequence[float]) -> tuple[Array, Array, Array]:
    """Points of a box, and their scores."""
    a, b = np.meshgrid(np.linspace(*box[:2], 300), np.linspace(*box[2:], 300))
    return a, b, score(np.stack([a.ravel(), b.ravel()], axis=1)).reshape(a.shape)


def contours(axes: Axes, score: Score, box: Sequence[float], levels: Any) -> None:
    """Lines of equal score, and the names of the axes."""
    look: dict[str, Any] = {"colors": "#bbbbbb", "linewidths": 0.7, "linestyles": "solid"}
    axes.contour(*on_a_grid(score, box), levels=levels, **look)
    axes.set(xlim=box[:2], ylim=box[2:], aspect="equal")
    axes.set_xlabel("$x_1$", labelpad=1)
    axes.set_ylabel("$x_2$", labelpad=-2)
    axes.tick_params(labelsize=8)


def shade(axes: Axes, score: Score, box: Sequence[float], gamma: float) -> None:
    """The event that the score is ``gamma`` or more."""
    axes.contourf(*on_a_grid(score, box), levels=[gamma, 99], colors=[GREEN], alpha=0.25)


def ellipses(axes: Axes, v: Any, colour: Any, sigmas: Sequence[int] = (1, 2)) -> None:
    """Where so many standard deviations of a normal density, or of each component, end."""
    if isinstance(v, GaussianMixture):
        on = v.weight > 0
        parts = list(zip(v.mean[on], v.cov[on], strict=True))
    else:
        has = v.parameters()
        parts = [(has["mean"], has["cov"] if "cov" in has else np.diag(has["std"] ** 2))]
    for mean, cov in parts:
        values, vectors = np.linalg.eigh(cov)
        shape = (vectors * np.sqrt(np.maximum(values, 0))) @ CIRCLE
        for k in sigmas:
            axes.plot(*(mean[:, None] + k * shape), color=colour, lw=1.6 / k)


def colours(n: int) -> list[Any]:
    """From light to dark, as time goes."""
    return [colormaps["plasma_r"](0.15 + 0.8 * i / max(n - 1, 1)) for i in range(n)]


def moving(axes: Axes, states: Sequence[State], shown: Sequence[int]) -> None:
    """The densities after some iterations, and the path of the mean."""
    if "mean" in states[0].v.parameters() and states[0].v.parameters()["mean"].ndim == 1:
        path = np.array([state.v.parameters()["mean"] for state in states])
        axes.plot(*path.T, color="black", lw=0.8, alpha=0.7)
    for t, colour in zip(shown, colours(len(shown)), strict=True):
        if t < len(states):
            ellipses(axes, states[t].v, colour)


def legend(figure: Figure, shown: Sequence[int], extra: Sequence[Line2D] = ()) -> None:
    """Below all panels: which colour is which iteration."""
    lines = [
        Line2D([], [], color=c, lw=1.6, label=f"t = {t}")
        for t, c in zip(shown, colours(len(shown)), strict=True)
    ]
    sigmas = [
        Line2D([], [], color=GREY, lw=1.6, label=r"$1\sigma$"),
        Line2D([], [], color=GREY, lw=0.8, label=r"$2\sigma$"),
    ]
    handles = [*lines, *sigmas, *extra]
    look: dict[str, Any] = {"fontsize": 8, "columnspacing": 1.2, "handlelength": 1.3}
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), **look)


PATH = Line2D([], [], color="black", lw=0.8, alpha=0.7, label="mean")
STAR = Line2D([], [], color=GREEN, marker="*", ls="", ms=9, label="best")
EVENT = Line2D([], [], color=GREEN, alpha=0.4, lw=7, label="event")
