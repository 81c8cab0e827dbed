"""The pictures of these pages, drawn from real runs on the instances that come with the project.

python docs/combinatorial/pictures.py [NAME ...]
"""
# ruff: noqa: INP001 - a script of the documentation, not a module of a package

from __future__ import annotations

import sys
from pathlib import Path

import networkx as nx
import numpy as np
from matplotlib.figure import Figure

import cem
from problems import tsp
from problems.drawing import BLUE, GREY, ORANGE, panels
from problems.maxcut import MaxCut
from problems.maxcut.pictures import coloured
from problems.tsp.pictures import cooling, improvement, on_map

STATIC = Path(__file__).parents[1] / "_static" / "combinatorial"
METHODS = {"ce+refine": ORANGE, "multistart": BLUE, "ils": GREY}


def followed(problem: tsp.TSP, **settings: object) -> tuple[cem.Optimum, list, list]:
    """A run, with the best tour and the density after every iteration."""
    tours, densities = [], []

    def keep(state: cem.State, _: cem.Record) -> None:
        tours.append(state.best.x)
        densities.append(state.v)

    return cem.minimize(problem, rng=1, callback=keep, **settings), tours, densities


def families() -> Figure:
    """Fifteen families in two camps, and the marriages between them."""
    cut = MaxCut.of(nx.florentine_families_graph())
    return coloured(cut, cem.maximize(cut, rng=1).x, seed=4).figure


def regular() -> Figure:
    """A random graph of three neighbours each, cut by the hybrid."""
    cut = MaxCut.of(nx.random_regular_graph(3, 100, seed=1))
    found = cem.maximize(cut, method="ce+refine", max_evaluations=400, rng=1)
    return coloured(cut, found.x).figure


def burma() -> Figure:
    """The best tour as it improves."""
    problem = tsp.problem("burma14")
    _, tours, _ = followed(problem, n_samples=500)
    last = max(t for t in range(1, len(tours)) if (tours[t] != tours[t - 1]).any())
    return improvement(problem, tours[: last + 1])


def search() -> Figure:
    """What a local search makes of one sample, and the best tour of the hybrid."""
    rng = np.random.default_rng(1)
    problem = tsp.TSP.of_points(rng.random((60, 2)))
    sample = problem.nominal().sample(rng, 1)
    local = problem.refines()["two-opt"](sample, rng)
    best = cem.minimize(problem, method="ce+refine", max_evaluations=400, rng=1)
    row = panels(3)
    titles = "a sample of the first density", "after 2-opt and Or-opt", "the best of the hybrid"
    for axes, tour, title in zip(row, (sample[0], local[0], best.x), titles, strict=True):
        on_map(problem, tour, axes, title=title)
    return row[0].figure


def matrices() -> Figure:
    """The transition matrix, from everywhere to one tour."""
    found, _, densities = followed(tsp.problem("gr17"), n_samples=3000)
    return cooling(densities, found.x)


def run() -> Figure:
    """Level and best; entropy, divergence: what a run looks like from outside."""
    left, right = panels(2, size=(5.6, 4.2))
    found, *_ = followed(tsp.problem("gr17"), n_samples=3000)
    cem.plot.levels(found, left, known=2085)
    cem.plot.density(found, right)
    return left.figure


def controls() -> Figure:
    """The best cut against the local searches made, with a poor search and a good one."""
    cut = MaxCut.of(nx.random_regular_graph(4, 400, seed=1))
    row = panels(2, size=(5.2, 4.2))
    for axes, refine in zip(row, ("one-flip", "annealing"), strict=True):
        for method, colour in METHODS.items():
            for seed in range(5):
                found = cem.maximize(
                    cut, method=method, refine=refine, max_evaluations=500, rng=seed
                )
                nfev = [record.nfev for record in found.history]
                best = np.maximum.accumulate([record.best for record in found.history])
                name = method if seed == 0 else None
                axes.step(nfev, best, where="post", color=colour, alpha=0.7, label=name)
        axes.set_xscale("log")
        axes.set_xlabel("local searches made")
        axes.set_ylabel("weight of the best cut so far")
        axes.set_title(f"refine={refine!r}", loc="left", fontsize=11)
        axes.spines[["top", "right"]].set_visible(False)
    row[0].legend(frameon=False)
    return row[0].figure


DRAWN = {
    drawn.__name__: drawn for drawn in (families, regular, burma, search, matrices, run, controls)
}


def main() -> None:
    """Draw those named, or all."""
    STATIC.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or DRAWN:
        DRAWN[name]().savefig(STATIC / f"{name}.png")


if __name__ == "__main__":
    main()
