"""Pictures of losses and of distributions over the same outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from cem.loss import entropy, kl_divergence
from cem.loss.checks import distribution, pair
from cem.plot.figures import BLUE, ORANGE, axes_of, finish, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


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
    figure = new_figure((6, 5))
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
    axes = axes_of(axes, "loss [nats for the cross-entropy]", x="probability of the true class")
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
    return finish(axes, "what a probability costs")
