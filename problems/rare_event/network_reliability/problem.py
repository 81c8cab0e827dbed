"""Network reliability: how likely is it that the terminals are not connected?"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from cem.families import Exponential
from cem.families.samples import rows
from cem.typing import Array, Batch, Vector
from problems.rare_event.network_reliability.cuts import likeliest_cuts, n_parts
from problems.rare_event.network_reliability.exact import unreliability
from problems.rare_event.network_reliability.orders import RepairOrders, at_most, edge_orders

if TYPE_CHECKING:
    import networkx as nx

MOST_EDGES = np.iinfo(np.int16).max  # the numbers in an order
LEAST = -640.0  # of ln P(the likeliest cut fails): a million times less is still a double


@dataclass(frozen=True, eq=False)
class NetworkReliability:
    """Score of a repair order: ``P(the terminals are not connected at time 1 | the order)``.

    Edge ``e`` fails with probability ``q_e``, independently. Say that all are down at time 0, and
    that ``e`` is repaired at a time that is uniform in (0, 1), or if it fails in (1, 2). The mean
    score over the orders of these times is the unreliability, ``P(the terminals are not
    connected)``; `cem.expectation` estimates it. Its relative variance is bounded as ``q`` tends to
    zero: permutation Monte Carlo, Elperin, Gertsbakh and Lomonosov (1991).

    ``ends`` holds the node numbers of the edges, shape ``(m, 2)``, ``q`` has shape ``(m,)``,
    ``terminals`` are node numbers. Raises ValueError for probabilities outside (0, 1), fewer than
    two terminals, and a network that is not connected even if no edge fails.

    >>> one = NetworkReliability(ends=[[0, 1], [1, 2]], q=[0.1, 0.1], terminals=[0, 2], n_nodes=3)
    >>> one(np.array([[0, 1]])), one.exact()
    (array([0.19]), 0.19)
    """

    ends: Array
    q: Array
    terminals: Array
    n_nodes: int

    def __post_init__(self) -> None:
        terminals = np.unique(self.terminals).astype(np.int64)
        if len(terminals) < 2:
            raise ValueError(f"expected at least two terminals; got {terminals.tolist()}")
        ends = np.array(self.ends, dtype=np.int64)
        if ends.ndim != 2 or ends.shape[1] != 2 or not 1 <= len(ends) <= MOST_EDGES:
            raise ValueError(
                f"expected edges of shape (m, 2), m from 1 to {MOST_EDGES}; got shape {ends.shape}"
            )
        nodes = np.concatenate([ends.ravel(), terminals])
        if (off := (nodes < 0) | (nodes >= self.n_nodes)).any():
            raise ValueError(f"node numbers must lie in 0..{self.n_nodes - 1}; got {nodes[off][0]}")
        if (parts := n_parts(ends, self.n_nodes)) > 1:
            raise ValueError(
                f"expected a network that is connected if no edge fails; got {parts} parts: leave "
                "out those without terminals, as NetworkReliability.of does"
            )
        q = _probabilities(self.q, len(ends))
        for name, array in (("ends", ends), ("q", q), ("terminals", terminals)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @classmethod
    def of(
        cls,
        graph: nx.Graph,
        terminals: str | Iterable[Hashable] = "all",
        q: float | Iterable[float] | None = None,
    ) -> NetworkReliability:
        """The problem of a networkx graph; without ``q`` every edge has its own attribute ``q``.

        ``terminals`` are node labels, or "all"; a list of ``q`` is in the order of the edges of the
        graph. Self-loops and parts without terminals do not matter and are left out.

        >>> import networkx as nx
        >>> NetworkReliability.of(nx.cycle_graph("abc"), terminals="ab", q=0.1).exact().__round__(9)
        0.019
        """
        import networkx as nx

        if graph.is_directed():
            raise ValueError("expected an undirected graph; got a directed one")
        wanted = list(graph) if isinstance(terminals, str) and terminals == "all" else [*terminals]
        if missing := [t for t in wanted if t not in graph]:
            raise ValueError(f"the terminal {missing[0]!r} is no node of the graph")
        edges = list(graph.edges(data=True))
        if q is None:
            if any("q" not in data for *_, data in edges):
                raise ValueError("a failure probability is needed: pass q, or give every edge a q")
            q = [data["q"] for *_, data in edges]
        q = np.array(q, dtype=float)
        q = _probabilities(np.full(len(edges), q) if q.ndim == 0 else q, len(edges))
        part = set(nx.node_connected_component(graph, wanted[0])) if wanted else set()
        if apart := [t for t in wanted if t not in part]:
            raise ValueError(
                f"the terminals {wanted[0]!r} and {apart[0]!r} are not connected even if no edge "
                "fails: the unreliability is 1"
            )
        number = {v: i for i, v in enumerate(v for v in graph if v in part)}
        kept = [i for i, (u, v, _) in enumerate(edges) if u != v and u in part]
        ends = np.array([[number[v] for v in edges[i][:2]] for i in kept]).reshape(-1, 2)
        return cls(ends, q[kept], [number[t] for t in wanted], len(number))

    def __call__(self, x: Batch) -> Vector:
        """The unreliability given each of the orders ``x``, shape ``(n, m)``, first repaired first.

        Raises ValueError for what is no order of the edges.
        """
        x = edge_orders(rows(self.nominal(), x))
        return at_most(x, self.q, edges_needed(self, x) - 1)

    def nominal(self) -> RepairOrders:
        """The order of the repair times, with the likeliest cuts to choose from.

        Raises ValueError if even the likeliest fails with a probability near the smallest double.
        """
        return self._nominal

    @cached_property
    def _nominal(self) -> RepairOrders:
        cuts = likeliest_cuts(self.ends, self.terminals, self.q, self.n_nodes)
        if (log_p := float(cuts[0] @ np.log(self.q))) < LEAST:
            raise ValueError(
                f"the likeliest cut fails with probability exp({log_p:.0f}), too small a number "
                f"for an estimate: expected at least exp({LEAST:.0f})"
            )
        return RepairOrders(np.eye(1, 1 + len(cuts))[0], self.q, cuts)

    def exact(self) -> float:
        """The unreliability; raises ValueError for a network too large. See `unreliability`."""
        return unreliability(self.ends, self.terminals, self.q, self.n_nodes)

    def edgewise(self) -> RepairTimes:
        """The same probability as that of an event of the repair times: the textbook's way."""
        return RepairTimes(self)


@dataclass(frozen=True, eq=False)
class RepairTimes:
    """Score: when are the terminals connected? The event is ``S >= 1``: not in time.

    Its density has one mean per edge, which cannot say "either these edges are late or those".
    Where several cuts matter its levels stall, or a run finds one cut and tells of that alone with
    a small error: `cem.replicate` notices where runs find different ones. Mixtures in standard
    normal variables, the default of `cem.estimate`, cover a few cuts. Use the orders instead.

    >>> RepairTimes(NetworkReliability([[0, 1], [1, 2]], [0.1, 0.1], [0, 2], 3))(
    ...     np.array([[0.5, 0.25]])
    ... )
    array([0.5])
    """

    network: NetworkReliability
    gamma: float = 1.0

    def __call__(self, x: Batch) -> Vector:
        """The time at which the terminals are connected, for repair times of shape ``(n, m)``."""
        x = rows(self.nominal(), x)
        order = np.argsort(x, axis=1)
        last = edges_needed(self.network, order) - 1
        every = np.arange(len(x))
        return np.asarray(x[every, order[every, last]])

    def nominal(self) -> Exponential:
        """Independent exponential repair times, over 1 with probability ``q_e``."""
        return Exponential(-1 / np.log(self.network.q))

    def exact(self) -> float:
        """``P(S >= 1)``, the unreliability of the network."""
        return self.network.exact()


def _probabilities(q: Array, m: int) -> Vector:
    """One number in (0, 1) for every edge."""
    q = np.array(q, dtype=float)
    if q.shape != (m,):
        raise ValueError(
            f"expected one failure probability, or one for each of {m} edges; got shape {q.shape}"
        )
    if not (good := (q > 0) & (q < 1)).all():
        at = int(good.argmin())
        raise ValueError(
            f"failure probabilities must lie strictly between 0 and 1; got {q[at]} for edge {at}: "
            "leave out an edge that always fails, contract one that never does"
        )
    return q


def edges_needed(network: NetworkReliability, order: Batch) -> Array:
    """How many edges of every order, the first ones, it takes to connect the terminals."""
    from problems.rare_event.network_reliability.kernels import edges_to_connect

    is_terminal = np.zeros(network.n_nodes, dtype=np.int64)
    is_terminal[network.terminals] = 1
    return np.asarray(edges_to_connect(order, network.ends, is_terminal))
