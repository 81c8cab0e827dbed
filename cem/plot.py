"""Pictures of a run, and of losses. The one file of cem to import matplotlib, inside functions.

The pictures of a run take a `History`, or a result that has one. Every function draws on the axes
it is given or on new ones; none touches the state of pyplot. A minimised problem is shown in its
own sign: that of a result is known, for a history say ``sign=-1``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from cem.loss import entropy, kl_divergence
from cem.loss.checks import distribution, pair
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
    estimate = level is not None or bool(_parts(run)[1])
    figure = _figure((11, 7.5) if estimate else (11, 4))
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


def distributions(
    p: ArrayLike,
    q: ArrayLike,
    labels: Sequence[str] | None = None,
    *,
    names: tuple[str, str] = ("P", "Q"),
) -> Figure:
    """Two distributions over the same outcomes as bars, one above the other.

    ``p`` and ``q`` have shape ``(k,)`` and sum to one; ``labels`` names the outcomes. The titles
    give the entropy of each and the divergence to the other, in bits.

    >>> figure = distributions([0.1, 0.4, 0.5], [0.8, 0.15, 0.05], ["red", "green", "blue"])
    >>> [axes.get_ylabel() for axes in figure.axes]
    ['probability', 'probability']
    """
    a, b = pair(p, q)
    a, b = distribution(a, "p"), distribution(b, "q")
    if a.ndim != 1 or (labels is not None and len(labels) != len(a)):
        raise ValueError(
            f"p and q must have shape (k,), and labels k names; got {np.shape(p)} and "
            f"{labels if labels is None else len(labels)}"
        )
    figure = _figure((6, 5))
    panels = figure.subplots(2, 1, sharex=True, sharey=True)
    rows = ((names[0], a, names[1], b, BLUE), (names[1], b, names[0], a, ORANGE))
    for axes, (name, own, rival, other, color) in zip(panels, rows, strict=True):
        axes.bar(np.arange(len(own)), own, color=color, width=0.7)
        for i, value in enumerate(own):
            axes.annotate(f"{value:.3g}", (i, value), ha="center", va="bottom", fontsize=9)
        h, d = entropy(own, unit="bits"), kl_divergence(own, other, unit="bits")
        title = f"$H$({name}) = {h:.3f} bits, $D$({name} || {rival}) = {d:.3f} bits"
        axes.set_title(title, loc="left", fontsize=11)
        axes.set_ylabel("probability")
        axes.margins(y=0.15)
        axes.spines[["top", "right"]].set_visible(False)
    panels[1].set_xticks(np.arange(len(a)), labels or np.arange(len(a)).astype(str))
    panels[1].set_xlabel("outcome")
    return figure


def loss_curves(axes: Axes | None = None, *, tangents_at: Sequence[float] = (0.5, 0.1)) -> Axes:
    r"""Loss against the probability given to the true class: cross-entropy and squared error.

    The tangents at ``tangents_at`` show why cross-entropy does not stall on confident mistakes: its
    slope is ``-1 / p``, that of the squared error ``(1 - p)^2`` only ``-2 (1 - p)``.

    >>> [line.get_label() for line in loss_curves(tangents_at=[0.1]).get_lines()][:2]
    ['cross-entropy, $-\\ln p$', 'squared error, $(1 - p)^2$']
    """
    where = np.asarray(tangents_at, dtype=float)
    if not ((where > 0) & (where <= 1)).all():
        raise ValueError(f"tangents_at must hold probabilities in (0, 1]; got {tangents_at}")
    axes = _axes(axes, "loss [nats for the cross-entropy]", x="probability of the true class")
    p = np.linspace(0.01, 1, 400)
    curves = (
        (r"cross-entropy, $-\ln p$", BLUE, -np.log(p), -np.log(where), -1 / where),
        ("squared error, $(1 - p)^2$", ORANGE, (1 - p) ** 2, (1 - where) ** 2, -2 * (1 - where)),
    )
    for name, color, loss, _, _ in curves:
        axes.plot(p, loss, color=color, label=name)
    for (_, color, _, value, slope), side in zip(curves, (10, -16), strict=True):
        for at, y, s in zip(where, value, slope, strict=True):
            x = np.array([max(0.0, at - 0.15), min(1.0, at + 0.15)])
            axes.plot(x, y + s * (x - at), color=color, linestyle="--", linewidth=1)
            axes.plot([at], [y], color=color, marker="o", markersize=4)
            axes.annotate(
                f"slope {s:.3g}",
                (at, y),
                xytext=(4, side),
                textcoords="offset points",
                color=color,
                fontsize=9,
            )
    axes.xaxis.set_major_formatter("{x:.2g}")
    axes.set(xlim=(0, 1.02), ylim=(-0.4, 4.8))
    return _finish(axes, "what a probability costs")


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


def _figure(size: tuple[float, float]) -> Figure:
    """A new figure, in inches, that pyplot knows nothing of."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _axes(axes: Axes | None, y: str, x: str = "evaluations") -> Axes:
    from matplotlib.ticker import EngFormatter, StrMethodFormatter

    if axes is None:
        axes = _figure((6, 4)).subplots()
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
