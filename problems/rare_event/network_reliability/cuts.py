"""The minimal cuts of a network, the likeliest to fail first."""

from __future__ import annotations

import heapq
from itertools import count
from math import log

import numpy as np

from cem.typing import Array, Batch, Vector

MOST_CUTS = 300
MOST_DIVISIONS = 1000  # of the nodes in two, looked at for them
UNLIKELY = 1e-6  # of the likeliest: cuts below are not listed


def likeliest_cuts(
    ends: Array, terminals: Array, q: Vector, n_nodes: int, most: int = MOST_CUTS
) -> Batch:
    """The cuts that fail with the largest probabilities ``prod_(e in C) q_e``, shape ``(k, m)``.

    Rows are flags of the edges, the likeliest cut first; at most ``most`` of them, and none a
    million times less likely than the first. A minimal cut of a connected network divides its nodes
    in two connected parts, both with terminals. The divisions come in the order of
    ``sum_(e in C) -ln q_e``: the least cut, then the least that differs from it first in the side
    of node ``i``, for every ``i``, and so on. Vazirani and Yannakakis, ICALP (1992).

    >>> path = np.array([[0, 1], [1, 2]])
    >>> likeliest_cuts(path, np.array([0, 2]), np.array([0.1, 0.2]), 3).astype(int)
    array([[0, 1],
           [1, 0]])
    """
    from problems.rare_event.network_reliability.kernels import least_cut

    order = np.concatenate([terminals, np.setdiff1d(np.arange(n_nodes), terminals)])
    surprise, number = -np.log(q), count()
    heap: list[tuple[float, int, int, Array]] = []

    def look(side: Array, n_fixed: int) -> None:
        """Queue the least cut of the divisions with these first nodes on these sides."""
        fixed = np.full(n_nodes, -1, dtype=np.int8)
        fixed[order[:n_fixed]] = side
        cut, value = least_cut(ends, surprise, fixed)
        heapq.heappush(heap, (value, next(number), n_fixed, cut))  # no two numbers are equal

    for i in range(1, len(terminals)):
        look(np.arange(i + 1) < i, i + 1)
    found, last, n_divisions = [], heap[0][0] - log(UNLIKELY), 0
    while heap and len(found) < most and n_divisions < MOST_DIVISIONS and heap[0][0] <= last:
        _, _, n_fixed, side = heapq.heappop(heap)
        n_divisions += 1
        cut = side[ends[:, 0]] != side[ends[:, 1]]
        if n_parts(ends[~cut], n_nodes) == 2:
            found.append(cut)
        for i in range(n_fixed, n_nodes):
            other = side[order[: i + 1]].copy()
            other[i] = 1 - other[i]
            look(other, i + 1)
    return np.array(found)


def n_parts(ends: Array, n_nodes: int) -> int:
    """The number of parts that these edges leave the nodes in.

    >>> n_parts(np.array([[0, 1], [1, 2]]), 5)
    3
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(ends)), ends.T), shape=(n_nodes, n_nodes))
    return int(connected_components(graph, directed=False)[0])
