"""The picture of a cut: a graph whose nodes are coloured by their sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cem.typing import Batch
from problems.drawing import BLUE, GREY, ORANGE, panels
from problems.maxcut.problem import MaxCut

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEW = 40  # nodes that are named


def coloured(cut: MaxCut, x: Batch, axes: Axes | None = None, *, seed: int = 1) -> Axes:
    """The graph of a cut ``x``: its sides in two colours, the edges cut solid, the others pale.

    Nodes lie where networkx's spring layout puts them from this seed: places have no meaning.
    """
    import networkx as nx
    from matplotlib.collections import LineCollection

    x = np.asarray(x)
    if x.shape != (cut.n_nodes,):
        raise ValueError(f"expected one cut of shape ({cut.n_nodes},); got {x.shape}")
    graph = nx.Graph(map(tuple, cut.ends.tolist()))
    graph.add_nodes_from(range(cut.n_nodes))
    layout = nx.spring_layout(graph, seed=seed)
    places = np.array([layout[node] for node in range(cut.n_nodes)])
    axes = panels(size=(6.0, 5.2))[0] if axes is None else axes
    crossing = x[cut.ends[:, 0]] != x[cut.ends[:, 1]]
    score = float(cut.weight[crossing].sum())
    for chosen, colour, width, name in (
        (~crossing, GREY, 0.6, "within a side"),
        (crossing, "black", 0.9, "cut"),
    ):
        ends = places[cut.ends[chosen]]
        label = f"{len(ends):,} edges {name}"
        axes.add_collection(
            LineCollection(ends, colors=colour, linewidths=width, alpha=0.6, label=label, zorder=1)
        )
    for side, colour in ((0, BLUE), (1, ORANGE)):
        nodes = places[x == side]
        label = f"side {side}: {len(nodes):,} nodes"
        axes.scatter(*nodes.T, s=_area(cut.n_nodes), color=colour, label=label, zorder=2)
    if cut.n_nodes <= FEW:
        for label, place in zip(cut.labels, places, strict=True):
            axes.annotate(str(label), place, (4, 4), textcoords="offset points", fontsize=8)
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.set_title(f"weight {score:,.10g} of {cut.weight.sum():,.10g} cut", loc="left", fontsize=11)
    axes.legend(loc="upper left", bbox_to_anchor=(0, 0), ncols=2, fontsize=9, frameon=False)
    return axes


def _area(n_nodes: int) -> float:
    """Of a node, in square points: the more there are, the smaller."""
    return float(np.clip(4000 / n_nodes, 4, 60))
