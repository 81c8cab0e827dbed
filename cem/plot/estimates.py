"""Pictures of an estimate's final sample: how it settles, and what it tells of other levels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from cem.curve import Curve
from cem.measured import Expectation, Measured
from cem.plot.figures import BLUE, GREY, ORANGE, axes_of, finish
from cem.tally import Tally
from cem.typing import Vector

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROOM = 0.3  # factor left on a logarithmic axis below the curve, and above it
POINTS = 200  # of the running estimate
BEFORE = 0.25  # of the steering that is shown, as a share of the final sample
EARLY = 0.05  # share of the final sample whose figures are not asked to fit into the picture


def convergence(
    found: Measured,
    axes: Axes | None = None,
    *,
    known: float | None = None,
    confidence: float = 0.95,
) -> Axes:
    """The estimate as its final sample grows, with its confidence band, against all evaluations.

    The end of the steering is the grey part on the left: it tells where to sample, and is not in
    the estimate. The final sample is drawn once more, and nothing is scored. ``known`` is the true
    answer.

    >>> import cem
    >>> found = cem.estimate(lambda x: x[:, 0], cem.Exponential([1.0]), 9.0, rng=1)
    >>> axes = convergence(found, known=1.234e-4)
    >>> round(float(axes.get_lines()[0].get_ydata()[-1] / found.probability), 9)
    1.0
    """
    most = found.measurement.of.most
    steering = sum(record.n for record in found.levels)
    tallies = list(_growing(found))
    n = np.array([tally.n for tally in tallies])
    ell = np.array([tally.probability for tally in tallies])
    low, high = np.transpose([tally.interval(confidence, most) for tally in tallies])
    what = "mean" if isinstance(found, Expectation) else "probability"
    axes = axes_of(axes, f"estimate of the {what}")
    axes.axvspan(0, steering, color=GREY, alpha=0.15, linewidth=0, label=f"steering: {steering}")
    axes.plot(steering + n, ell, color=BLUE, label="estimate")
    axes.fill_between(
        steering + n,
        low,
        high,
        color=BLUE,
        alpha=0.2,
        linewidth=0,
        label=f"{confidence:.0%} interval",
    )
    if known is not None:
        axes.axhline(known, color=ORANGE, linestyle="--", label=f"known: {known:.4g}")
    settled = n >= EARLY * n[-1]
    top = max(high[settled].max(), known or 0.0)
    bottom = min(low[settled].min(), top if known is None else known)
    room = 0.05 * (top - bottom)
    axes.set_ylim(max(0.0, bottom - room), top + room)
    axes.set_xlim(right=steering + n[-1])
    left = max(0.0, steering - BEFORE * n[-1])
    return finish(axes, f"final sample: estimate {ell[-1]:.4g}", left=left)


def _growing(found: Measured) -> Iterator[Tally]:
    """The tallies of the first samples, of more, ..., of all."""
    sample = found.sample()
    hit = sample.reached()
    tally, start = Tally(plain=found.tally.plain), 0
    ends = np.unique(np.linspace(0, len(sample), POINTS + 1).astype(int)[1:])
    for end in ends:
        part = slice(start, end)
        tally = tally.add(sample.log_w[part][hit[part]], end - start)
        yield tally
        start = end


def curve(
    found: Curve,
    axes: Axes | None = None,
    *,
    known: Vector | None = None,
    gamma: float | None = None,
) -> Axes:
    r"""``P(S >= g)`` against the level ``g``, with its intervals; what may not be trusted in grey.

    ``found`` is that of `cem.weighted.WeightedSample.curve`, ``known`` the true probability at each
    of its levels, where there is one, and ``gamma`` the level that was steered for. Levels that no
    sample reached have no place on the logarithmic axis, and are left out.

    Raises ValueError if no level was reached, or if ``known`` has another length.

    >>> from cem.curve import curve as curve_of
    >>> score = np.linspace(0.0, 1.0, 1001)
    >>> axes = curve(curve_of(score, np.zeros(1001), [0.5, 0.8, 0.99], gamma=0.5))
    >>> [line.get_label() for line in axes.get_lines()]
    ['not to be trusted', '$P(S \\geq g)$']
    """
    some = found.probability > 0
    if not some.any():
        raise ValueError("there is nothing to draw: no sample reached any of the levels")
    if known is not None and np.shape(known) != found.level.shape:
        raise ValueError(
            f"known must hold the probability at each of the {len(found)} levels; got shape "
            f"{np.shape(known)}"
        )
    axes = axes_of(axes, "probability $P(S \\geq g)$", x="level $g$ [units of the score]")
    axes.xaxis.set_major_formatter("{x:.5g}")
    axes.set_yscale("log")
    if not found.reliable[some].all():
        _band(axes, found, some, GREY, "not to be trusted")
    if found.reliable[some].any():
        _band(axes, found, some & found.reliable, BLUE, "$P(S \\geq g)$")
    if known is not None:
        axes.plot(found.level, known, color=ORANGE, linewidth=1, linestyle="--", label="known")
    if gamma is not None:
        axes.axvline(gamma, color=GREY, linestyle=":", label=f"steered for {gamma:g}")
    seen = found.probability[some]
    axes.set_ylim(ROOM * seen.min(), seen.max() / ROOM)
    return finish(axes, "probability curve", left=None)


def _band(axes: Axes, found: Curve, shown: Any, colour: str, name: str) -> None:
    """The levels that are ``shown``, and their intervals."""
    ell = np.where(shown, found.probability, np.nan)
    low = np.maximum(found.low, np.finfo(float).tiny)  # zero has no place on the axis
    axes.fill_between(
        found.level, low, found.high, where=shown, color=colour, alpha=0.2, linewidth=0
    )
    axes.plot(found.level, ell, color=colour, marker="o", markersize=4, label=name)
