"""The exact unreliability of a small network: a dynamic programme over its edges."""

from __future__ import annotations

import numpy as np

from cem.typing import Array, Vector

MOST_OPEN = 12  # nodes between the edges done and those to come
MOST_STATES = 1_000_000
HELD = 16  # added to the number of a block that holds a terminal


def unreliability(ends: Array, terminals: Array, q: Vector, n_nodes: int) -> float:
    """``P(not all terminals are connected)`` if edge ``e`` fails with probability ``q_e``.

    The edges come one after the other. What matters of those done is which of the nodes with edges
    to come they connect, and which of these blocks hold a terminal: the probability of every such
    state is kept. A state is lost when a block that holds a terminal is left by its last open node
    while another terminal is elsewhere; the answer is the sum of these probabilities, all positive,
    so that it has its digits however small it is. Rosenthal (1977).

    Raises ValueError where that takes too many states.

    >>> unreliability(np.array([[0, 1], [1, 2]]), np.array([0, 2]), np.array([0.1, 0.2]), 3)
    0.28
    """
    order = _narrowest_order(ends, n_nodes)
    is_terminal = np.isin(np.arange(n_nodes), terminals)
    last = {v: i for i, e in enumerate(order) for v in ends[e].tolist()}
    to_come = int(is_terminal.sum())
    open_: list[int] = []
    state, p, lost = np.zeros((1, 0), dtype=np.uint8), np.ones(1), 0.0
    for i, e in enumerate(order):
        for v in ends[e].tolist():
            if v not in open_:
                open_.append(v)
                new = np.full((len(state), 1), len(open_) - 1 + HELD * is_terminal[v])
                state = np.hstack([state, new.astype(np.uint8)])
                to_come -= int(is_terminal[v])
        a, b = (open_.index(v) for v in ends[e].tolist())
        state = np.vstack([state, _joined(state, a, b)])
        p = np.concatenate([p * q[e], p * (1 - q[e])])
        for v in {*ends[e].tolist()}:
            if last[v] == i:
                at = open_.index(v)
                state, p, gone = _without(state, p, at, to_come)
                lost += gone
                del open_[at]
        state, p = _merged(state, p)
    return float(lost)


def _joined(state: Array, a: int, b: int) -> Array:
    """The states with the blocks of two open nodes made one."""
    one, other = state[:, [a]], state[:, [b]]
    both = np.minimum(one % HELD, other % HELD) + HELD * ((one >= HELD) | (other >= HELD))
    return np.where((state == one) | (state == other), both, state).astype(np.uint8)


def _without(state: Array, p: Vector, at: int, to_come: int) -> tuple[Array, Vector, float]:
    """What is left when an open node is closed, and the probability that is lost by it.

    States in which all terminals are connected are dropped too: they are never lost.
    """
    block, rest = state[:, at], np.delete(state, at, axis=1)
    alone = (block >= HELD) & ~(rest == block[:, None]).any(axis=1)
    others = (rest >= HELD).any(axis=1) | (to_come > 0)
    stays = ~alone
    return rest[stays], p[stays], float(p[alone & others].sum())


def _merged(state: Array, p: Vector) -> tuple[Array, Vector]:
    """Equal states made one: blocks are numbered by their first open node."""
    if state.shape[1] == 0:
        return state[:1], p.sum(keepdims=True)
    number = state % HELD
    first = (number[:, :, None] == number[:, None, :]).argmax(axis=2)
    named = first + HELD * (state >= HELD)
    key = named @ (32 ** np.arange(state.shape[1], dtype=np.int64))
    _, index, inverse = np.unique(key, return_index=True, return_inverse=True)
    if len(index) > MOST_STATES:
        raise ValueError(
            f"the network is too large for an exact answer: more than {MOST_STATES} states; "
            "cem.expectation estimates it"
        )
    return named[index].astype(np.uint8), np.bincount(inverse, weights=p)


def _narrowest_order(ends: Array, n_nodes: int) -> list[int]:
    """The edges in the order of a search of the nodes in breadth: the one with fewest open nodes.

    Raises ValueError if the best has too many.
    """
    import networkx as nx

    graph = nx.Graph(ends.tolist())
    starts = [list(range(n_nodes)), *([v, *(w for _, w in nx.bfs_edges(graph, v))] for v in graph)]
    best: list[int] = []
    width = n_nodes + 1
    for nodes in starts:
        place = np.empty(n_nodes, dtype=int)
        place[nodes] = np.arange(n_nodes)
        pairs = np.sort(place[ends], axis=1)
        order = np.lexsort((pairs[:, 0], pairs[:, 1]))
        found = _width(pairs[order])
        if found < width:
            best, width = order.tolist(), found
    if width > MOST_OPEN:
        raise ValueError(
            f"the network is too large for an exact answer: {width} nodes would be open at once, "
            f"expected at most {MOST_OPEN}; cem.expectation estimates it"
        )
    return best


def _width(pairs: Array) -> int:
    """The most nodes that are open at once while these edges are done one after the other."""
    m, nodes = len(pairs), pairs.ravel()
    _, first = np.unique(nodes, return_index=True)
    _, last = np.unique(nodes[::-1], return_index=True)
    opened = np.bincount(first // 2, minlength=m).cumsum()
    closed = np.bincount((2 * m - 1 - last) // 2 + 1, minlength=m + 1)[:m].cumsum()
    return int((opened - closed).max())
