"""Pictures of a run: levels, density, weights and final sample, on one page or alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from cem.measured import Expectation
from cem.plot.figures import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    axes_of,
    empty,
    finish,
    line,
    new_figure,
    right_of,
)
from cem.results import Result
from cem.state import History
from cem.tally import relative_error

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NO_STEERING = "the nominal density was sampled"
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
    figure = new_figure((11, 7.5) if estimate else (11, 4))
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

    On the right, for an estimate, the coefficient of variation of the weights: the relative error
    of a sample like that is this over the root of its size. `cem.Pooled` foresees that of the final
    sample. For an expectation the level is the power of ``H``, and there is no best.

    >>> import cem
    >>> found = cem.estimate(lambda x: x[:, 0], cem.Exponential([1.0]), 9.0, n_samples=200, rng=1)
    >>> [line.get_label() for line in levels(found).get_lines()]
    ['best so far', 'level $\\gamma_t$', 'level asked for: 9']
    """
    steering, final = _parts(run)
    sign = _sign(run) if sign is None else sign
    if level is None and final:
        level = final[0].gamma
    powers = isinstance(run, Expectation)
    title = "levels" if powers else "levels and best score"
    axes = axes_of(axes, "power of H" if powers else "score")
    if not steering:
        return empty(axes, NO_STEERING, title)
    nfev = steering.column("nfev")
    if not powers:
        line(axes, nfev, sign * steering.column("best"), GREEN, "best so far")
    line(axes, nfev, sign * steering.column("gamma"), BLUE, r"level $\gamma_t$")
    for value, name in ((level, "level asked for"), (known, "known optimum")):
        if value is not None:
            axes.axhline(value, color=GREY, linestyle="--", label=f"{name}: {value:g}")
    variation = steering.column("variation")
    if level is None or not np.isfinite(variation).any():
        return finish(axes, title)
    from matplotlib.ticker import LogFormatter

    right = right_of(axes, "coefficient of variation")
    line(right, nfev, variation, ORANGE, "variation of weights")
    right.set_yscale("log")
    right.yaxis.set_major_formatter("{x:g}")
    right.yaxis.set_minor_formatter(LogFormatter())
    return finish(axes, title, right)


def density(run: History | Result, axes: Axes | None = None) -> Axes:
    """The entropy of the sampling density, and how far each refit moved it (on the right).

    >>> import cem
    >>> found = cem.maximize(lambda x: x.sum(axis=1), cem.Bernoulli([0.5] * 20), rng=1)
    >>> len(density(found).get_lines()[0].get_xdata()) == found.nit
    True
    """
    steering, _ = _parts(run)
    axes = axes_of(axes, "entropy [nats]")
    if not steering:
        return empty(axes, NO_STEERING, "sampling density")
    nfev = steering.column("nfev")
    line(axes, nfev, steering.column("entropy"), BLUE, r"entropy $H(f(\cdot; v_t))$")
    right = right_of(axes, "KL step [nats]")
    kl = r"KL step $D(f(\cdot; v_t)\,\|\,f(\cdot; v_{t-1}))$"
    line(right, nfev, steering.column("kl"), ORANGE, kl)
    right.set_ylim(bottom=0)
    return finish(axes, "sampling density", right)


def weights(run: History | Result, axes: Axes | None = None) -> Axes:
    """How evenly the elite's weight is spread: effective samples, and the largest share of one.

    >>> import cem
    >>> found = cem.estimate(lambda x: x[:, 0], cem.Exponential([1.0]), 9.0, n_samples=200, rng=1)
    >>> [line.get_label() for line in weights(found).get_lines()]
    ['elite', 'effective']
    """
    steering, _ = _parts(run)
    axes = axes_of(axes, "samples")
    if not steering:
        return empty(axes, NO_STEERING, "weights of the elite samples")
    nfev = steering.column("nfev")
    line(axes, nfev, steering.column("n_elite"), GREY, "elite")
    line(axes, nfev, steering.column("ess"), BLUE, "effective")
    axes.set_ylim(bottom=0)
    right = right_of(axes, "largest share [%]")
    line(right, nfev, 100 * steering.column("max_weight"), ORANGE, "largest share of one")
    right.set_ylim(bottom=0)
    return finish(axes, "weights of the elite samples", right)


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
    what = "mean" if isinstance(run, Expectation) else "probability"
    axes = axes_of(axes, f"estimate of the {what}", x="final samples")
    if not final:
        return empty(axes, "not begun", "final sample")
    n = final.column("nfev") - (steering[-1].nfev if steering else 0)
    ell, ess = np.exp(final.column("log_mass")), final.column("ess")
    with np.errstate(divide="ignore", invalid="ignore"):
        error = ell * relative_error(ess, n)
    line(axes, n, ell, BLUE, "estimate")
    low, high = np.maximum(0.0, ell - BAND * error), ell + BAND * error
    axes.fill_between(n, low, high, color=BLUE, alpha=0.2, linewidth=0, label="± 1.96 std errors")
    if known is not None:
        axes.axhline(known, color=GREY, linestyle="--", label=f"known: {known:.4g}")
    if not ell.any():
        axes.text(0.5, 0.5, "the estimate is 0", transform=axes.transAxes, ha="center", color=GREY)
        axes.set(yticks=[0], ylim=(0, 1))
    return finish(axes, f"final sample: estimate {ell[-1]:.4g}")


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
