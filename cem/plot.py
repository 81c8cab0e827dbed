"""Pictures of a run. The only file of cem that imports matplotlib, inside the functions.

Every function takes a `History`, or a result that has one, and draws on the axes it is given or
on new ones; none touches the state of pyplot. A minimised problem is shown in its own sign: that
of a result is known, for a history say ``sign=-1``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from cem.results import Result
from cem.state import History
from cem.typing import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"  # safe for most eyes
FEW = 40  # points that are marked
BAND = 1.96  # standard errors: 95 % of a normal distribution


def overview(
    run: History | Result,
    *,
    title: str = "",
    sign: float | None = None,
    level: float | None = None,
    known: float | None = None,
) -> Figure:
    """All about a run on one page, as a `matplotlib.figure.Figure`.

    ``level`` is the one that an estimate is to reach, ``known`` the true answer, where there is
    one. An estimate gets two panels more than an optimisation: its weights and its final sample.

    >>> import cem
    >>> found = cem.maximize(lambda x: x.sum(axis=1), cem.Bernoulli([0.5] * 20), rng=1)
    >>> [axes.get_ylabel() for axes in overview(found).axes]
    ['score', 'entropy [nats]', 'KL step [nats]']
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    estimate = level is not None or bool(_parts(run)[1])
    figure = Figure(figsize=(11, 7.5) if estimate else (11, 4), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 2) if estimate else figure.subplots(1, 2, squeeze=False)
    if estimate:
        levels(run, axes[0, 0], sign=sign, level=level)
        weights(run, axes[1, 0])
        final_sample(run, axes[1, 1], known=known)
    else:
        levels(run, axes[0, 0], sign=sign, known=known)
    density(run, axes[0, 1])
    if title:
        figure.suptitle(title, fontsize=13)
    return figure


def levels(
    run: History | Result,
    axes: Axes | None = None,
    *,
    sign: float | None = None,
    level: float | None = None,
    known: float | None = None,
) -> Axes:
    r"""The level ``gamma_t`` and the best score so far, against the evaluations spent.

    >>> import cem
    >>> found = cem.estimate(lambda x: x[:, 0], cem.Exponential([1.0]), 9.0, n_samples=200, rng=1)
    >>> [line.get_label() for line in levels(found).get_lines()]
    ['best so far', 'level $\\gamma_t$', 'level asked for: 9']
    """
    steering, final = _parts(run)
    sign = _sign(run) if sign is None else sign
    if level is None and final:
        level = final[0].gamma
    axes = _axes(axes, "score")
    nfev = steering.column("nfev")
    _line(axes, nfev, sign * steering.column("best"), GREEN, "best so far")
    _line(axes, nfev, sign * steering.column("gamma"), BLUE, r"level $\gamma_t$")
    for value, name in ((level, "level asked for"), (known, "known optimum")):
        if value is not None:
            axes.axhline(value, color=GREY, linestyle="--", label=f"{name}: {value:g}")
    return _finish(axes, "levels and best score")


def density(run: History | Result, axes: Axes | None = None) -> Axes:
    """The entropy of the sampling density, and how far each refit moved it (on the right).

    >>> import cem
    >>> found = cem.maximize(lambda x: x.sum(axis=1), cem.Bernoulli([0.5] * 20), rng=1)
    >>> len(density(found).get_lines()[0].get_xdata()) == found.nit
    True
    """
    steering, _ = _parts(run)
    axes = _axes(axes, "entropy [nats]")
    nfev = steering.column("nfev")
    _line(axes, nfev, steering.column("entropy"), BLUE, r"entropy $H(f(\cdot; v_t))$")
    right = _right(axes, "KL step [nats]")
    kl = r"KL step $D(f(\cdot; v_t)\,\|\,f(\cdot; v_{t-1}))$"
    _line(right, nfev, steering.column("kl"), ORANGE, kl)
    right.set_ylim(bottom=0)
    return _finish(axes, "sampling density", right)


def weights(run: History | Result, axes: Axes | None = None) -> Axes:
    """How evenly the elite's weight is spread: effective samples, and the largest share of one.

    >>> import cem
    >>> found = cem.estimate(lambda x: x[:, 0], cem.Exponential([1.0]), 9.0, n_samples=200, rng=1)
    >>> [line.get_label() for line in weights(found).get_lines()]
    ['elite', 'effective']
    """
    steering, _ = _parts(run)
    axes = _axes(axes, "samples")
    nfev = steering.column("nfev")
    _line(axes, nfev, steering.column("n_elite"), GREY, "elite")
    _line(axes, nfev, steering.column("ess"), BLUE, "effective")
    axes.set_ylim(bottom=0)
    right = _right(axes, "largest share [%]")
    _line(right, nfev, 100 * steering.column("max_weight"), ORANGE, "largest share of one")
    right.set_ylim(bottom=0)
    return _finish(axes, "weights of the elite samples", right)


def final_sample(
    run: History | Result, axes: Axes | None = None, *, known: float | None = None
) -> Axes:
    """The estimate as the final sample grows, with a band of 1.96 standard errors.

    >>> import cem
    >>> found = cem.estimate(lambda x: x[:, 0], cem.Exponential([1.0]), 9.0, n_samples=200, rng=1)
    >>> float(final_sample(found).get_lines()[0].get_ydata()[-1]) == found.probability
    True
    """
    steering, final = _parts(run)
    axes = _axes(axes, "estimate of the probability", x="final samples")
    if not final:
        axes.text(0.5, 0.5, "not begun", transform=axes.transAxes, ha="center", color=GREY)
        axes.set(xticks=[], yticks=[])
        return _finish(axes, "final sample")
    n = final.column("nfev") - (steering[-1].nfev if steering else 0)
    ell, ess = np.exp(final.column("log_mass")), final.column("ess")
    with np.errstate(divide="ignore", invalid="ignore"):
        error = ell * np.sqrt(np.maximum(0.0, (1 / ess - 1 / n) * n / (n - 1)))
    _line(axes, n, ell, BLUE, "estimate")
    low, high = np.maximum(0.0, ell - BAND * error), ell + BAND * error
    axes.fill_between(n, low, high, color=BLUE, alpha=0.2, linewidth=0, label="± 1.96 std errors")
    if known is not None:
        axes.axhline(known, color=GREY, linestyle="--", label=f"known: {known:.4g}")
    if not ell.any():
        axes.text(0.5, 0.5, "the estimate is 0", transform=axes.transAxes, ha="center", color=GREY)
        axes.set(yticks=[0], ylim=(0, 1))
    return _finish(axes, f"final sample: estimate {ell[-1]:.4g}")


def _parts(run: History | Result) -> tuple[History, History]:
    """The steering iterations, and the blocks of an estimate's final sample, which fit nothing."""
    history = run.history if isinstance(run, Result) else run
    if not history:
        raise ValueError("there is nothing to draw: expected at least one iteration, got none")
    n = len(history)
    while n and math.isnan(history[n - 1].loss) and math.isnan(history[n - 1].entropy):
        n -= 1
    return History(history[:n]), History(history[n:])


def _sign(run: History | Result) -> float:
    """-1 for the result of `cem.minimize`, whose records hold the negative of what it returns."""
    fun = getattr(run, "fun", None)
    inside = run.state.best.score if isinstance(run, Result) else None
    return 1.0 if fun is None or fun == inside else -1.0


def _axes(axes: Axes | None, y: str, x: str = "evaluations") -> Axes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter, StrMethodFormatter

    if axes is None:
        figure = Figure(figsize=(6, 4), dpi=120, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:.5g}"))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def _right(axes: Axes, y: str) -> Axes:
    """A second scale on the right, in the colour of its line."""
    right = axes.twinx()
    right.set_ylabel(y, color=ORANGE)
    right.tick_params(axis="y", colors=ORANGE)
    right.spines["top"].set_visible(False)
    return right


def _line(axes: Axes, x: Array, y: Array, color: str, name: str) -> None:
    """A line through the finite values; few points are marked, or one alone could not be seen."""
    finite = np.isfinite(y)
    marker = "o" if np.count_nonzero(finite) <= FEW else ""
    axes.plot(x[finite], y[finite], color=color, label=name, marker=marker, markersize=4)


def _finish(axes: Axes, title: str, right: Axes | None = None) -> Axes:
    """A title, and under it one legend for both scales, above the axes where it hides nothing."""
    handles, names = axes.get_legend_handles_labels()
    if right is not None:
        more, of_more = right.get_legend_handles_labels()
        handles, names = handles + more, names + of_more
    axes.set_title(title, loc="left", pad=22, fontsize=11, fontweight="bold")
    legend = axes.legend(
        handles,
        names,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        borderpad=0.2,
        borderaxespad=0,
        ncols=3,
        columnspacing=1.2,
        handlelength=1.5,
        fontsize=9,
        frameon=False,
    )
    legend.set_in_layout(False)  # the title's pad is its place
    axes.set_xlim(left=0)
    return axes
