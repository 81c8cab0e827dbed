"""Pictures of a limit state of two variables: its surface, and where the samples of a run lie."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cem.families import Normal
from cem.measured import Estimate
from cem.plot.figures import BLACK, GREY, ORANGE, new_figure
from cem.plot.recorded import Recorded
from cem.reliability import DesignPoint
from cem.scores import positive_number, whole_number
from cem.typing import Array, Batch, Problem, Vector
from cem.weighted import WeightedSample
from cem.weights import normalise

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 5.7  # of a panel, in inches
LEAST_REACH = 4.0  # standard deviations shown in every direction
MOST_OUT = 0.01  # share of the samples that may lie outside of the picture
WORTH_SHOWING = 1e-3  # share of the estimate of a failure that may not
N_LINES = 8  # of equal score
EVENT = 0.88  # its grey: 1 is white
TENTH = 20.0  # points: the diameter of a failure that is a tenth of the estimate


def limit_state(
    problem: Problem,
    found: Estimate,
    points: Iterable[DesignPoint] = (),
    *,
    reach: float | None = None,
    n_grid: int = 200,
    title: str = "",
) -> Figure:
    """Where the event lies, and the samples of an estimate, for two normal variables.

    In standard normal coordinates: with thin lines of equal score, a thick one where it is
    ``gamma``, and the event shaded. The final sample is drawn once more; its failures are sized by
    their shares of the estimate. If the problem is a `Recorded` one, a picture beside that shows
    the samples of the steering by iteration, with the levels ``gamma_t`` that they led to.

    Parameters
    ----------
    problem : callable
        What was estimated. It is scored ``n_grid ** 2`` times more for the lines.
    found : Estimate
        Of a problem with two variables and a nominal density `cem.Normal`.
    points : iterable of DesignPoint, optional
        Points to mark, such as those of `cem.design_points`; those that did not converge in white.
    reach : float, optional
        What is shown: ``-reach`` to ``reach`` in both variables, in standard deviations. Default:
        99 in 100 samples, and every one that is a thousandth of the estimate or more.
    n_grid : int, optional
        Points of the grid along each of the variables.
    title : str, optional
        Of the whole picture.

    Raises
    ------
    TypeError, ValueError
        For another nominal density, another number of variables, or a record of other samples.

    Examples
    --------
    >>> import cem
    >>> problem = Recorded(lambda x: x.sum(axis=1))
    >>> found = cem.estimate(problem, cem.Normal([0.0, 0.0], [1.0, 1.0]), 5.0, rng=1)
    >>> [axes.get_xlabel() for axes in limit_state(problem, found, n_grid=50).axes][:2]
    ['$u_1$ [standard deviations]', '$u_1$ [standard deviations]']
    """
    nominal = _checked(found.nominal)
    sample, points = found.sample(), list(points)
    u, steering = _standard(sample.x, nominal), []
    if isinstance(problem, Recorded):
        batches = problem.batches(found.history)[: found.nit]
        steering = [_standard(batch, nominal) for batch in batches]
        problem = problem.problem
    if reach is None:
        reach = _reach(u, sample, steering, points)
    grid = _grid(
        problem, nominal, positive_number("reach", reach), whole_number("n_grid", n_grid, 2)
    )
    figure = new_figure((2 * WIDTH, 6) if steering else (WIDTH, 6.4))
    panels = figure.subplots(1, 2 if steering else 1, squeeze=False)[0]
    for axes in panels:
        _background(axes, grid, sample.gamma)
    if steering:
        _steering(panels[0], grid, steering, found.levels.column("gamma"))
    _final(panels[-1], grid, u, sample, points)
    _legend(figure, sample.gamma, points=bool(points))
    if title:
        figure.suptitle(title, fontsize=13)
    return figure


class Grid(NamedTuple):
    """Scores of the points of a square."""

    side: Array  # the coordinates along both axes, shape (k,)
    score: Any  # (k, k), masked where there is none


def _checked(nominal: Any) -> Normal:
    if not isinstance(nominal, Normal) or not nominal.std.all():
        raise TypeError(
            "standard normal coordinates are shown: expected a nominal density cem.Normal with "
            f"positive deviations, such as that of a LimitState; got {nominal!r}"
        )
    if nominal.n_coordinates != 2:
        raise ValueError(
            f"a limit state of two variables can be drawn; got {nominal.n_coordinates} variables"
        )
    return nominal


def _standard(x: Batch, nominal: Normal) -> Array:
    return (x - nominal.mean) / nominal.std


def _reach(
    u: Array, sample: WeightedSample, steering: Sequence[Array], points: Sequence[DesignPoint]
) -> float:
    """What holds the design points, all failures that count, and nearly all other samples."""
    farthest = [LEAST_REACH, *(np.abs(point.u).max() for point in points)]
    farthest += list(np.abs(u[_share(sample) >= WORTH_SHOWING]).max(axis=1))
    farthest.append(np.quantile(np.abs(np.concatenate([u, *steering])).max(axis=1), 1 - MOST_OUT))
    return math.ceil(2 * max(farthest)) / 2


def _share(sample: WeightedSample) -> Vector:
    """What part of the estimate each sample is, shape ``(n,)``."""
    log_w = np.where(sample.reached(), sample.log_w, -np.inf)
    return normalise(log_w)[0] if sample.reached().any() else np.zeros(len(sample))


def _grid(problem: Problem, nominal: Normal, reach: float, n: int) -> Grid:
    side = np.linspace(-reach, reach, n)
    u = np.stack([part.ravel() for part in np.meshgrid(side, side)], axis=1)
    score = np.asarray(problem(nominal.mean + nominal.std * u), dtype=float).reshape(n, n)
    return Grid(side, np.ma.masked_invalid(score))


def _contour(axes: Axes, grid: Grid, levels: Iterable[float], **look: Any) -> Any:
    """Lines of equal score, as far as there are such scores."""
    low, high = grid.score.min(), grid.score.max()
    inside = [level for level in levels if low < level < high]
    if not inside:
        return None
    return axes.contour(grid.side, grid.side, grid.score, levels=inside, linestyles="solid", **look)


def _background(axes: Axes, grid: Grid, gamma: float) -> None:
    """The event and its surface, and where the nominal density has its mean."""
    reach = grid.side[-1]
    event = np.ma.filled(grid.score >= gamma, fill_value=False)
    axes.imshow(
        np.where(event, EVENT, 1.0),
        extent=(-reach, reach, -reach, reach),
        cmap="gray",
        vmin=0,
        vmax=1,
        origin="lower",
        interpolation="nearest",
        zorder=0,
    )
    _contour(axes, grid, [gamma], colors=BLACK, linewidths=2)
    axes.plot(0, 0, color=BLACK, marker="+", markersize=8)
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    axes.set_xlabel("$u_1$ [standard deviations]")
    axes.set_ylabel("$u_2$ [standard deviations]")


def _steering(axes: Axes, grid: Grid, steering: Sequence[Array], levels: Array) -> None:
    """The samples of every iteration, and the level that they led to, in its colour."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.ticker import MaxNLocator

    n = len(steering)
    colours = colormaps["plasma_r"](np.linspace(0.1, 1.0, n))
    for u, colour, level in zip(steering, colours, levels, strict=True):
        axes.scatter(u[:, 0], u[:, 1], s=5, color=colour, linewidths=0, alpha=0.8)
        if level < levels[-1]:
            _contour(axes, grid, [level], colors=[colour], linewidths=1.2)
    axes.figure.colorbar(
        ScalarMappable(BoundaryNorm(np.arange(n + 1) + 0.5, n), ListedColormap(colours)),
        ax=axes,
        label=r"iteration $t$; line: its level $\gamma_t$",
        ticks=MaxNLocator(10, integer=True),
        shrink=0.8,
    )
    _name(axes, f"steering: {sum(map(len, steering))} samples")


def _final(
    axes: Axes, grid: Grid, u: Array, sample: WeightedSample, points: Sequence[DesignPoint]
) -> None:
    """Lines of equal score, the final sample, failures by their shares, and the design points."""
    from matplotlib.ticker import MaxNLocator

    inner = np.quantile(grid.score.compressed(), [0.05, 0.95])
    lines = np.asarray(MaxNLocator(N_LINES).tick_values(*inner))
    drawn = _contour(axes, grid, lines[lines != sample.gamma], colors=GREY, linewidths=0.5)
    if drawn is not None:
        axes.clabel(drawn, fontsize=7, fmt="%.4g")
    hit, share = sample.reached(), _share(sample)
    axes.scatter(u[~hit, 0], u[~hit, 1], s=4, color=GREY, linewidths=0, alpha=0.5)
    area = TENTH**2 * share[hit] / 0.1
    axes.scatter(u[hit, 0], u[hit, 1], s=area, color=ORANGE, linewidths=0, alpha=0.6)
    for point in points:
        inside = BLACK if point.converged else "white"
        axes.plot(*point.u, color=BLACK, mfc=inside, marker="*", markersize=11, zorder=3)
    tally = sample.tally()
    figure = f"estimate {tally.probability:.3g}, relative error {tally.relative_error:.2g}"
    _name(axes, f"final sample: {len(u)}\n{figure}")


def _name(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold")


def _legend(figure: Figure, gamma: float, *, points: bool) -> None:
    """Below the panels: what the lines and marks are."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    def mark(marker: str, colour: str, size: float, name: str) -> Line2D:
        return Line2D([], [], linestyle="", marker=marker, color=colour, ms=size, label=name)

    handles = [
        Line2D([], [], color=BLACK, linewidth=2, label=rf"surface $S = {gamma:g}$"),
        Patch(color=str(EVENT), label="event"),
        mark("+", BLACK, 8, "nominal mean"),
        mark(".", GREY, 4, "outside"),
        mark(".", ORANGE, 9, "in the event: area by share"),
        *([mark("*", BLACK, 9, "design point")] if points else []),
    ]
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=6 if figure.get_figwidth() > WIDTH else 3,
        fontsize=9,
        frameon=False,
        borderaxespad=0,
        columnspacing=1.2,
        handlelength=1.5,
    )
