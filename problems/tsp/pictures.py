"""Pictures of tours on their map, and of a transition matrix that cools down to one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cem.typing import Array, Batch
from problems.drawing import BLUE, ORANGE, panels
from problems.tsp.problem import TSP

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FEW = 30  # nodes that are named


def on_map(tsp: TSP, x: Batch, axes: Axes | None = None, *, title: str = "") -> Axes:
    """One tour on the map: the nodes where they lie, the edges straight, the first node marked.

    Degrees of longitude are drawn as short as they are at the middle latitude. Raises ValueError
    for a problem without coordinates.
    """
    if tsp.coordinates is None:
        raise ValueError("this problem has no coordinates to draw; build it with TSP.of_points")
    axes = panels()[0] if axes is None else axes
    length = float(tsp(np.asarray(x)[None])[0])
    order = [*x, x[0]] if tsp.closed else list(x)
    across, up = tsp.coordinates[:, :2].T
    axes.plot(across[order], up[order], color=BLUE, linewidth=1.2, zorder=1)
    axes.scatter(across, up, s=14, color=ORANGE, zorder=2)
    axes.scatter(across[x[:1]], up[x[:1]], s=70, color=ORANGE, marker="s", zorder=2)
    if tsp.n <= FEW:
        for label, a, b in zip(tsp.labels, across, up, strict=True):
            axes.annotate(str(label), (a, b), (4, 4), textcoords="offset points", fontsize=8)
    on_globe = "latitude" in tsp.axes[1]
    axes.set_aspect(1 / np.cos(np.radians(up.mean())) if on_globe else 1, adjustable="datalim")
    axes.set_xlabel(tsp.axes[0])
    axes.set_ylabel(tsp.axes[1])
    axes.set_title(f"{title}{': ' if title else ''}length {length:,.6g}", loc="left", fontsize=11)
    return axes


def improvement(tsp: TSP, tours: Sequence[Batch], iterations: Sequence[int] = ()) -> Figure:
    """The first, the middle and the last of a run's best tours, side by side on the map.

    ``tours`` holds one tour per iteration, as ``callback=lambda state, _: tours.append(
    state.best.x)`` collects them; ``iterations`` their numbers, by default from 1.
    """
    chosen = _first_middle_last(len(tours))
    numbers = iterations or range(1, len(tours) + 1)
    row = panels(len(chosen))
    for axes, k in zip(row, chosen, strict=True):
        on_map(tsp, tours[k], axes, title=f"iteration {numbers[k]}")
    return row[0].figure


def cooling(densities: Sequence[Any], x: Batch) -> Figure:
    """The first, the middle and the last transition matrix of a run, the nodes in the order ``x``.

    ``densities`` are `cem.Transitions` or their matrices. The edges of ``x``, the tour that the
    run found, lie just above the diagonal, and the way back in a corner.
    """
    from matplotlib.colors import PowerNorm
    from matplotlib.ticker import MaxNLocator

    chosen = _first_middle_last(len(densities))
    row = panels(len(chosen), size=(4.6, 4.0))
    for axes, k in zip(row, chosen, strict=True):
        p: Array = np.asarray(getattr(densities[k], "p", densities[k]))[np.ix_(x, x)]
        image = axes.imshow(p, norm=PowerNorm(0.5, 0, 1), cmap="viridis", interpolation="nearest")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("to node, by its place in the tour")
        axes.set_ylabel("from node, by its place in the tour")
        axes.set_title(f"iteration {k + 1}", loc="left", fontsize=11)
    row[0].figure.colorbar(image, ax=row, label="probability of the transition", shrink=0.85)
    return row[0].figure


def _first_middle_last(n: int) -> list[int]:
    if n == 0:
        raise ValueError("expected at least one iteration to draw; got none")
    return sorted({0, n // 2, n - 1})
