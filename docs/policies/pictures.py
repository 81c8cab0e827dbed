"""The pictures of these pages: densities on their way over contour lines, from real runs.

python docs/policies/pictures.py [NAME ...]
"""
# ruff: noqa: INP001 - a script of the documentation, not a module of a package

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from drawing import (
    BLUE,
    EVENT,
    GREEN,
    ORANGE,
    PATH,
    STAR,
    colours,
    contours,
    ellipses,
    figure_of,
    legend,
    moving,
    shade,
)
from landscapes import BOWL, VALLEY, Landscape, pits, steps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import cem
from cem.state import State
from cem.typing import Batch, Smoothing, Vector
from problems.binary import LeadingOnes

STATIC = Path(__file__).parents[1] / "_static" / "policies"


def panel(axes: Axes, on: Landscape, title: str, shown: Sequence[int], **settings: Any) -> None:
    """One run on a landscape."""
    contours(axes, on.height, on.box, on.levels)
    states = steps(on.score, shown[-1], **{"nominal": on.start, **settings})
    moving(axes, states, shown)
    axes.plot(*on.best, color=GREEN, marker="*", ms=9)
    last = states[-1]
    axes.set_title(f"{title}\n{last.nfev} evaluations, best f = {-last.best.score:.1e}", fontsize=9)


def selection() -> Figure:
    """What the elite is makes how fast a density moves, and how soon it closes."""
    ways = {
        "Elite(0.1)": cem.Elite(0.1),
        "Elite(0.5)": cem.Elite(0.5),
        "Ranked(0.5)": cem.Ranked(0.5),
        "Boltzmann(0.3)": cem.Boltzmann(0.3),
    }
    figure, panels = figure_of(2, 2, 9.2)
    shown = (0, 2, 4, 8, 16, 32)
    for axes, (title, select) in zip(panels, ways.items(), strict=True):
        panel(axes, BOWL, title, shown, select=select, smooth=cem.Constant(0.7), n_samples=60)
    legend(figure, shown, (PATH, STAR))
    return figure


def smooth_indicator() -> Figure:
    """A level that rises, and an indicator that gets sharper, on the way to a rare event."""
    gamma = 4.0

    def score(x: Batch) -> Vector:
        return (x[:, 0] + x[:, 1]) / np.sqrt(2) - 0.1 * (x[:, 0] - x[:, 1]) ** 2

    figure, panels = figure_of(1, 2, 5.2)
    shown = (0, 1, 2, 3, 4)
    for axes, select in zip(panels, (cem.Elite(0.1), cem.SmoothIndicator(1.5)), strict=True):
        contours(axes, score, (-3, 5.5, -3, 5.5), np.arange(-8, 4))
        shade(axes, score, (-3, 5.5, -3, 5.5), gamma)
        states: list[State] = [State(cem.MultivariateNormal([0.0, 0.0], np.eye(2)))]
        found = cem.estimate(
            score,
            states[0].v,
            gamma,
            select=select,
            n_samples=500,
            n_final=5000,
            rng=1,
            callback=lambda state, _, seen=states: seen.append(state),
        )
        moving(axes, states[: len(found.levels) + 1], shown)
        levels = ", ".join(f"{r.gamma:.1f}" for r in found.levels[:4])
        axes.set_title(f"{select}\nlevels {levels}, …", fontsize=9)
    legend(figure, shown, (PATH, EVENT))
    return figure


def smoothing() -> Figure:
    """The same start and the same elite share, nine smoothings."""
    plain = cem.Constant(0.7)
    ways: dict[str, Smoothing] = {
        "Constant(1.0)": cem.Constant(1.0),
        "Constant(0.7)": plain,
        "Constant({mean: 0.9, std: 0.2})": cem.Constant({"mean": 0.9, "std": 0.2}),
        "Dynamic(0.8, 0.7, q=3)": cem.Dynamic(0.8, 0.7, q=3),
        "Decreasing(0.9, power=0.5)": cem.Decreasing(0.9, power=0.5),
        "Floor(…, {std: 0.1})": cem.Floor(plain, {"std": 0.1}),
        "AboutOldMean(…)": cem.AboutOldMean(plain),
        "Injected(…, below=0.1)": cem.Injected(plain, below=0.1),
        "Noisy(…, 0.05, 0.001)": cem.Noisy(plain, 0.05, 0.001),
    }
    figure, panels = figure_of(3, 3, 9.6)
    shown = (0, 2, 5, 10, 20, 50)
    for axes, (title, smooth) in zip(panels, ways.items(), strict=True):
        panel(axes, VALLEY, title, shown, smooth=smooth, n_samples=50)
    legend(figure, shown, (PATH, STAR))
    return figure


def evolution_path() -> Figure:
    """Six samples an iteration: too few for a fit, enough for a path."""
    figure, panels = figure_of(1, 3, 3.7)
    shown = (0, 10, 20, 40, 80, 120)
    few: dict[str, Any] = {"n_samples": 6, "select": cem.Ranked(0.5)}
    full = cem.MultivariateNormal(VALLEY.start.mean, np.diag(VALLEY.start.std**2))
    learnt = {"mean": 1.0, "cov": 0.1}
    for axes, title, nominal, smooth in (
        (panels[0], "Constant({mean: 1, cov: 0.1})", full, cem.Constant(learnt)),
        (panels[1], "EvolutionPath, Normal", VALLEY.start, cem.EvolutionPath()),
        (panels[2], "EvolutionPath, MultivariateNormal", full, cem.EvolutionPath()),
    ):
        panel(axes, VALLEY, title, shown, nominal=nominal, smooth=smooth, **few)
    legend(figure, shown, (PATH, STAR))
    return figure


def margin() -> Figure:
    """Thirty probabilities of LeadingOnes: fixed too early, or never quite."""
    ways: dict[str, Smoothing] = {
        "Constant(1.0)": cem.Constant(1.0),
        "Constant(0.5)": cem.Constant(0.5),
        "Margin(Constant(0.5), 1/30)": cem.Margin(cem.Constant(0.5), 1 / 30),
    }
    figure, panels = figure_of(1, 3, 3.4)
    problem = LeadingOnes(30)
    for axes, (title, smooth) in zip(panels, ways.items(), strict=True):
        states = steps(problem, 120, nominal=problem.nominal(), smooth=smooth, n_samples=20)
        p = np.array([state.v.p for state in states])
        look: dict[str, Any] = {"cmap": "cividis", "vmin": 0, "vmax": 1, "origin": "lower"}
        image = axes.imshow(p.T, aspect="auto", interpolation="nearest", **look)
        axes.set_title(f"{title}\nbest score {states[-1].best.score:.0f} of 30", fontsize=9)
        axes.set(xlabel="iteration t", ylabel="bit j")
    figure.colorbar(image, ax=panels, label="$p_j$", fraction=0.03)
    return figure


def sample_size() -> Figure:
    """Few samples with a memory; and how many samples a step takes."""
    figure, panels = figure_of(2, 2, 8.8)
    shown = (0, 5, 10, 20, 40, 80)
    slow = cem.Constant(0.3)
    few: dict[str, Any] = {"n_samples": 20, "select": cem.Elite(0.5)}
    panel(panels[0], BOWL, "Constant(0.3), N = 20", shown, smooth=slow, **few)
    kept = cem.Keeping(slow, share=0.3)
    panel(panels[1], BOWL, "Keeping(Constant(0.3), 0.3), N = 20", shown, smooth=kept, **few)
    problem = LeadingOnes(40)
    runs: dict[str, tuple[Any, Smoothing, str]] = {
        "N = 400": (400, slow, BLUE),
        "Decaying(400, 1.1, least=100)": (cem.Decaying(400, 1.1, 100), slow, ORANGE),
        "Face, in batches of 40": (40, cem.Face(slow, 20, 4000), GREEN),
    }
    for label, (size, smooth, colour) in runs.items():
        states = steps(problem, 150, nominal=problem.nominal(), n_samples=size, smooth=smooth)
        moved = [0, *(new.nfev for old, new in pairwise(states) if (old.v.p != new.v.p).any())]
        look: dict[str, Any] = {"color": colour, "label": label, "lw": 1.4}
        panels[2].plot(range(1, len(moved)), np.diff(moved), **look)
        panels[3].plot(*np.transpose([(s.nfev, s.best.score) for s in states[1:]]), **look)
    panels[2].set(xlabel="step of the density", ylabel="samples behind it", ylim=(0, 600))
    panels[2].set_xlim(0, 60)
    panels[3].set(xlabel="evaluations", ylabel="best score: LeadingOnes, n = 40", xlim=(0, 12_000))
    for axes in panels[2:]:
        axes.legend(fontsize=8)
    legend(figure, shown, (PATH, STAR))
    return figure


BELOW: dict[str, Any] = {
    "loc": "upper center",
    "bbox_to_anchor": (0.5, -0.17),
    "ncols": 3,
    "fontsize": 8,
    "handlelength": 1.2,
    "columnspacing": 1.0,
}


def restarts() -> Figure:
    """Where the searches of a run begin, and where they end."""
    figure, panels = figure_of(1, 3, 4.4)
    for axes in panels:
        contours(axes, pits, (-4.5, 4.5, -4.5, 4.5), np.linspace(0.05, 1.0, 12))
    start = cem.MultivariateNormal([-1.0, -1.0], 4 * np.eye(2))
    for axes, restart in zip(panels, (cem.IPOP(), cem.BIPOP()), strict=False):
        seen: list[State] = []
        plan = replace(cem.PRESETS["default"].plan(start), restart=restart)
        found = cem.minimize(
            pits,
            start,
            preset=cem.Preset(lambda _, plan=plan: plan, cem.PRESETS["default"].start),
            max_evaluations=6000,
            target=0.0135,
            rng=9,
            callback=lambda state, _, seen=seen: seen.append(state),
        )
        n, which = found.history.column("n"), found.history.column("restart")
        last = int(which[-1])
        for k, colour in zip(range(last + 1), colours(last + 1), strict=True):
            own = [state.v for state in seen if state.restart == k]
            path = np.array([v.mean for v in own])
            ellipses(axes, own[0], colour, (1,))
            label = f"{k + 1}: N = {n[which == k][0]:.0f}"
            axes.plot(*path.T, color=colour, lw=1, label=label)
            axes.plot(*path[-1], color=colour, marker="o", ms=6)
        axes.set_title(f"{type(restart).__name__}\n{found.nfev} evaluations", fontsize=9)
        axes.legend(**BELOW)
    cooperating(panels[2])
    return figure


def cooperating(axes: Axes) -> None:
    """Three members; after ten iterations the last one begins anew around the first one."""
    means = ([-2.0, -2.0], [1.5, 1.5], [-2.0, 2.0])
    method = cem.Cooperating(
        [
            cem.CrossEntropyMethod(nominal=cem.Normal(m, [1.0, 1.0]), n_samples=20, rng=1)
            for m in means
        ],
        every=10,
    )
    state, paths = method.init(), [list(means)]
    for v, colour in zip(state.v.of, colours(3), strict=True):
        ellipses(axes, v, colour, (1,))
    for _ in range(20):
        x = method.ask(state)
        state, _ = method.tell(state, x, -pits(x))
        paths.append([v.mean for v in state.v.of])
    for k, (path, colour) in enumerate(zip(np.swapaxes(paths, 0, 1), colours(3), strict=True)):
        axes.plot(*path.T, color=colour, lw=1, label=f"member {k + 1}")
        axes.plot(*path[-1], color=colour, marker="o", ms=6)
    axes.set_title(f"Cooperating(…, every=10)\n{state.nfev} evaluations", fontsize=9)
    axes.legend(**BELOW)


def families() -> Figure:
    """What a family can and cannot follow: a slanted bowl, and an event on two sides."""
    figure, panels = figure_of(2, 2, 9.2)
    shown = (0, 1, 2, 4, 8, 16)
    diagonal = cem.Normal(BOWL.start.mean, [0.5, 0.5])
    same: dict[str, Any] = {
        "select": cem.Boltzmann(0.3),
        "smooth": cem.Constant(0.7),
        "n_samples": 60,
    }
    panel(panels[0], BOWL, "Normal", shown, nominal=diagonal, **same)
    panel(panels[1], BOWL, "MultivariateNormal", shown, **same)

    def far_out(x: Batch) -> Vector:
        return np.abs(x.sum(axis=1)) / np.sqrt(2)

    one = cem.MultivariateNormal([0.0, 0.0], np.eye(2))
    for axes, nominal in zip(
        panels[2:], (one, cem.GaussianMixture.around([0.0, 0.0], [1.0, 1.0], k=4)), strict=True
    ):
        contours(axes, far_out, (-5, 5, -5, 5), np.arange(4))
        shade(axes, far_out, (-5, 5, -5, 5), 3.5)
        states = [State(nominal)]
        found = cem.estimate(
            far_out,
            nominal,
            3.5,
            n_final=5000,
            rng=1,
            callback=lambda state, _, seen=states: seen.append(state),
        )
        moving(axes, states[: len(found.levels) + 1], shown)
        axes.set_title(
            f"{type(nominal).__name__}: {found.probability:.3g} (exact 4.65e-04)\n"
            f"relative error reported {found.relative_error:.1%}",
            fontsize=9,
        )
    legend(figure, shown, (PATH, STAR, EVENT))
    return figure


DRAWN = {
    drawn.__name__: drawn
    for drawn in (
        selection,
        smooth_indicator,
        smoothing,
        evolution_path,
        margin,
        sample_size,
        restarts,
        families,
    )
}


def main() -> None:
    """Draw those named, or all."""
    for name in sys.argv[1:] or DRAWN:
        DRAWN[name]().savefig(STATIC / f"{name}.png")


if __name__ == "__main__":
    main()
