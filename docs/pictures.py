"""The pictures of README.md and of these pages, drawn from real runs.

python docs/pictures.py
"""
# ruff: noqa: INP001 - a script of the documentation, not a module of a package

from __future__ import annotations

from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import cem
import problems

STATIC = Path(__file__).parent / "_static"


def runs() -> Figure:
    """An estimate and a max-cut run, their levels side by side."""
    bridge = problems.load("bridge")
    found = cem.estimate(bridge, n_final=100_000, rng=1)
    low, high = found.confidence_interval()
    cut = problems.load("maxcut")
    best = cem.maximize(cut, n_samples=2000, alpha=0.3, rng=1)

    figure = Figure(figsize=(11, 4), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    cem.plot.levels(found, left)
    left.set_title(
        f"estimate: bridge network, P(S ≥ 2)\n{found.probability:.3g}, "
        f"95 % interval {low:.3g} to {high:.3g}, exact {bridge.exact():.3g}",
        fontsize=11,
    )
    cem.plot.levels(best, right, known=cut.optimum)
    right.set_title(
        f"maximize: max-cut of {cut.n_nodes} nodes, {len(cut.ends):,} edges\n"
        f"{best.fun:,.0f} after {best.nfev:,} evaluations, known optimum {cut.optimum:,.0f}",
        fontsize=11,
    )
    return figure


def main() -> None:
    """Draw them all."""
    runs().savefig(STATIC / "runs.png")
    p, q = [0.10, 0.40, 0.50], [0.80, 0.15, 0.05]
    colours = cem.plot.distributions(p, q, ["red", "green", "blue"])
    colours.savefig(STATIC / "distributions.png")
    cem.plot.loss_curves().figure.savefig(STATIC / "loss_curves.png")


if __name__ == "__main__":
    main()
