"""The pictures of these pages: limit states of two variables, drawn from real runs.

python docs/rare_events/pictures.py [NAME ...]
"""
# ruff: noqa: INP001 - a script of the documentation, not a module of a package

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import cem
import problems
from cem.reliability import design_points
from problems.rare_event.limit_state.cases import normal_tail

STATIC = Path(__file__).parents[1] / "_static" / "rare_events"


def limit_state(name: str) -> Figure:
    """Where the samples of an estimate lie, with default settings."""
    problem = cem.plot.Recorded(problems.load("limit-state", name=name))
    found = cem.estimate(problem, rng=1)
    points = design_points(found.sample(), problem.problem) if name != "ring" else []
    return cem.plot.limit_state(problem, found, points, title=name)


def multilevel() -> Figure:
    """One normal density and a level that rises: it covers four regions by covering all."""
    problem = cem.plot.Recorded(problems.load("limit-state", name="four_branch"))
    found = cem.estimate(problem, method="multilevel", rng=1)
    return cem.plot.limit_state(problem, found, title="four_branch, by levels")


def convergence() -> Figure:
    """The final sample, as it grows."""
    problem = problems.load("limit-state", name="metaball")
    found = cem.estimate(problem, rng=1)
    return cem.plot.convergence(found, known=problem.exact()).figure


def curve() -> Figure:
    """All levels from one run, and the truth: the sum of two normal variables."""
    plane = cem.Normal([0.0, 0.0], [1.0, 1.0])
    levels = np.linspace(-1.0, 8.0, 37)
    known = np.array([normal_tail(level / math.sqrt(2)) for level in levels])
    figure = Figure(figsize=(11, 4), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    for axes, settings in zip(panels, ({}, {"n_final": 20_000}), strict=True):
        found = cem.estimate(lambda x: x.sum(axis=1), plane, 5.0, rng=1, **settings)
        sample = found.sample()
        cem.plot.curve(sample.curve(levels), axes, known=known, gamma=5.0)
        axes.set_title(f"{len(sample)} final samples", loc="left", pad=22, fontsize=11)
    panels[0].set_ylim(1e-9, 3)
    return figure


def overview() -> Figure:
    """The run on one page."""
    problem = problems.load("limit-state", name="metaball")
    return cem.plot.overview(cem.estimate(problem, rng=1), known=problem.exact())


DRAWN = {
    **{
        name: lambda name=name: limit_state(name)
        for name in ("four_branch", "metaball", "ring", "rp57")
    },
    **{drawn.__name__: drawn for drawn in (multilevel, convergence, curve, overview)},
}


def main() -> None:
    """Draw those named, or all."""
    for name in sys.argv[1:] or DRAWN:
        DRAWN[name]().savefig(STATIC / f"{name}.png")


if __name__ == "__main__":
    main()
