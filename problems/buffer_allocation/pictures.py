"""Pictures of a line with its buffers, of the finalists of a race, and of the density narrowing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import Generator

from cem.typing import Array, Batch, Vector
from problems.buffer_allocation.line import ProductionLine
from problems.drawing import BLUE, GREY, ORANGE, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FEW = 12  # machines that are named, and finalists that are shown
N_COUNTED = 20_000  # samples of a density
UNIT = "unit of time"


def to_scale(
    line: ProductionLine,
    x: Batch,
    axes: Axes | None = None,
    *,
    names: Sequence[Any] = (),
    unit: str = UNIT,
) -> Axes:
    """The line from left to right: every machine, and every place of the buffers of ``x``.

    All places have one width, those on the machines too. A machine is as high as its own rate,
    `ProductionLine.rates`; the slowest is marked. ``unit`` is that of the times, in the singular,
    and up to twelve machines are named, by their numbers if not by ``names``.
    """
    places = line.checked(np.asarray(x)[None])[0]
    rates, m = line.rates, line.n_machines
    if len(names := names or range(m)) != m:
        raise ValueError(f"expected a name for every of the {m} machines; got {len(names)}")
    first = np.append(0, 1 + places).cumsum()  # where every machine begins
    if axes is None:
        axes = panels(size=(min(3.0 + 0.25 * (first[-1] + 1), 16.0), 3.4))[0]
    slowest = np.isclose(rates, rates.min())
    for chosen, colour, label in ((~slowest, BLUE, "machine"), (slowest, ORANGE, "slowest")):
        axes.bar(first[chosen], rates[chosen], 1, align="edge", color=colour, label=label)
    cells = np.setdiff1d(np.arange(first[-1]), first)
    look: dict[str, Any] = {"color": "white", "edgecolor": GREY, "label": "buffer place"}
    axes.bar(cells, np.full(len(cells), rates.min() / 4), 1, align="edge", **look)
    for begin, n in zip(first, places, strict=False):
        axes.text(begin + 1 + n / 2, rates.min() * 0.27, n, ha="center", fontsize=9)
    if m <= FEW:
        for begin, rate, name in zip(first, rates, names, strict=True):
            axes.text(begin + 0.5, rate * 1.01, name, ha="center", va="bottom", fontsize=9)
    axes.set(xlim=(-0.5, first[-1] + 1.5), ylim=(0, 1.12 * rates.max()))
    axes.set_xlabel("places along the line, those on the machines included")
    axes.set_ylabel(f"rate of a machine by itself\n[jobs per {unit}]")
    axes.set_title(f"{places.sum()} buffer places", loc="left", fontsize=11)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False, fontsize=9)
    return axes


def finalists(race: Any, *, level: float = 0.95, unit: str = UNIT) -> Figure:
    """The throughputs of those who raced, and how far behind the winner they are; nearest on top.

    ``race`` is a `cem.Race`, and the intervals are Student's. With common random numbers those on
    the left move together: they may overlap although the race has told the allocations apart, by
    the differences on the right. Whoever was eliminated had few replications.
    """
    order = np.lexsort((race.behind, np.arange(len(race.mean)) != race.best))
    shown = order[np.isfinite(race.mean[order])][:FEW]
    x, n = race.candidates[shown], race.replications[shown]
    left, right = panels(2, size=(5.5, 1.2 + 0.3 * len(shown)))
    _intervals(left, x, race.mean[shown], race.standard_error[shown], n, level)
    both = np.minimum(n, n[0])
    _intervals(right, x, -race.behind[shown], race.behind_error[shown], both, level)
    left.set_xlabel(f"throughput [jobs per {unit}]")
    right.set_xlabel(f"difference to the winner's [jobs per {unit}]")
    return left.figure


def next_best(
    x: Batch, scores: Array, axes: Axes | None = None, *, level: float = 0.95, unit: str = UNIT
) -> Axes:
    """How far the other allocations of ``x`` are behind the first, with Student's intervals.

    ``scores`` has shape ``(replications, len(x))``, and a row for every set of common random
    numbers: the intervals are those of the differences within the rows. The nearest twelve are
    shown.
    """
    scores = np.asarray(scores, dtype=float)
    if scores.ndim != 2 or scores.shape[1] != len(x) or min(scores.shape) < 2:
        raise ValueError(
            "expected the scores of two allocations or more in two replications or more, shape "
            f"(replications, {len(x)}); got {scores.shape}"
        )
    gain = scores[:, 1:] - scores[:, :1]
    shown = np.argsort(-gain.mean(axis=0), kind="stable")[:FEW]
    n = np.full(len(shown), len(gain))
    mean, error = gain.mean(axis=0)[shown], gain.std(axis=0, ddof=1)[shown] / np.sqrt(n)
    axes = panels(size=(5.5, 1.2 + 0.3 * len(shown)))[0] if axes is None else axes
    _intervals(axes, np.asarray(x)[1 + shown], mean, error, n, level)
    axes.axvline(0, color=ORANGE, label=_named(x[0]))
    axes.legend(loc="best", frameon=False, fontsize=9)
    axes.set_xlabel(f"difference of throughput [jobs per {unit}]")
    return axes


def narrowing(densities: Sequence[Any], rng: Generator) -> Figure:
    """The first, the middle and the last density of a run: how many places every buffer gets.

    The densities, such as `cem.Composition`, are sampled: a cell is the share of 20 000 samples.
    """
    from matplotlib.colors import PowerNorm
    from matplotlib.ticker import MaxNLocator

    if not densities:
        raise ValueError("expected at least one density to draw; got none")
    chosen = sorted({0, len(densities) // 2, len(densities) - 1})
    row = panels(len(chosen), size=(4.2, 3.6))
    for axes, k in zip(row, chosen, strict=True):
        x = densities[k].sample(rng, N_COUNTED)
        share = np.mean(x[:, :, None] == np.arange(x[0].sum() + 1), axis=0).T
        look: dict[str, Any] = {"cmap": "viridis", "aspect": "auto", "origin": "lower"}
        image = axes.imshow(share, norm=PowerNorm(0.5, 0, 1), **look)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("buffer")
        axes.set_ylabel("places")
        axes.set_title(f"after iteration {k + 1}", loc="left", fontsize=11)
    row[0].figure.colorbar(image, ax=row, label="probability", shrink=0.85)
    return row[0].figure


def _intervals(  # noqa: PLR0917 - as they come in a table
    axes: Axes, x: Batch, mean: Vector, error: Vector, n: Any, level: float
) -> None:
    """The intervals of some means of ``n`` replications, one below the other."""
    from scipy.special import stdtrit

    half = stdtrit(n - 1, (1 + level) / 2) * error
    axes.errorbar(mean, range(len(x)), xerr=half, fmt="o", color=BLUE, capsize=3)
    axes.set_yticks(range(len(x)), map(_named, x))
    axes.set_ylim(len(x) - 0.5, -0.5)
    axes.set_ylabel("allocation")
    axes.set_title(f"means and {level:.0%} intervals", loc="left", fontsize=11)
    axes.grid(axis="x", alpha=0.3)
    axes.locator_params(axis="x", nbins=5)


def _named(allocation: Batch) -> str:
    return " ".join(map(str, allocation))
