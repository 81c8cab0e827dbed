"""The pictures of these pages, drawn from real runs on the line of the tutorial.

python docs/buffers/pictures.py [NAME ...]
"""
# ruff: noqa: INP001 - a script of the documentation, not a module of a package

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import cem
from cem.typing import Array, Batch
from problems.buffer_allocation import BufferAllocation, pictures, read_machines
from problems.drawing import panels

HERE = Path(__file__).parent
STATIC = HERE.parent / "_static" / "buffers"
NAMES, LINE = read_machines(HERE / "line.csv")
BUFFERS = BufferAllocation(LINE, capacity=20)
UNIT = "minute"


@cache
def search() -> tuple[Any, list[Any]]:
    """The search of the tutorial, and its density after every iteration."""
    densities: list[Any] = []
    found = cem.maximize(BUFFERS, rng=1, callback=lambda state, _: densities.append(state.v))
    return found, densities


def line() -> Figure:
    """The line with the allocation that was found."""
    return pictures.to_scale(LINE, search()[0].x, names=NAMES, unit=UNIT).figure


def narrowing() -> Figure:
    """The density of the search."""
    return pictures.narrowing(search()[1], np.random.default_rng(1))


def finalists() -> Figure:
    """The race at the end."""
    return pictures.finalists(search()[0].race, unit=UNIT)


def next_best() -> Figure:
    """What the nearest allocations cost, told by common random numbers and without them."""
    x = np.concatenate([search()[0].x[None], BUFFERS.neighbours(search()[0].x)])
    scores = replications(x, 100)
    apart = np.column_stack([replications(x[k : k + 1], 100, seed=k) for k in range(len(x))])
    near = np.append(0, 1 + np.argsort(-scores[:, 1:].mean(axis=0))[:10])
    left, right = panels(2, size=(5.5, 4.0))
    pictures.next_best(x[near], scores[:, near], left, unit=UNIT)
    pictures.next_best(x[near], apart[:, near], right, unit=UNIT)
    right.sharex(left)
    left.set_title("common random numbers", loc="left", fontsize=11)
    right.set_title("numbers of their own", loc="left", fontsize=11)
    return left.figure


def replications(x: Batch, n: int, seed: int = 0) -> Array:
    """Throughputs, shape ``(n, len(x))``; those of a row by common random numbers."""
    return np.array([LINE.simulate(x, rng).mean for rng in np.random.default_rng(seed).spawn(n)])


DRAWN = {drawn.__name__: drawn for drawn in (line, narrowing, finalists, next_best)}


def main() -> None:
    """Draw those named, or all."""
    for name in sys.argv[1:] or DRAWN:
        DRAWN[name]().savefig(STATIC / f"{name}.png")


if __name__ == "__main__":
    main()
