"""The list of cuts: against all subsets of the edges of small networks."""

from itertools import combinations, pairwise

import networkx as nx
import numpy as np
import pytest

from problems.rare_event.network_reliability import problem
from problems.rare_event.network_reliability.cuts import likeliest_cuts


def parts(network, failed):
    graph = nx.MultiGraph(np.delete(network.ends, list(failed), axis=0).tolist())
    graph.add_nodes_from(range(network.n_nodes))
    terminals = set(network.terminals.tolist())
    return not terminals <= nx.node_connected_component(graph, network.terminals[0])


def every_minimal_cut(network):
    """Sets of edges that part the terminals while no smaller ones in them do."""
    m, found = len(network.ends), []
    for size in range(1, m + 1):
        for failed in combinations(range(m), size):
            if not any(set(cut) < set(failed) for cut in found) and parts(network, failed):
                found.append(failed)
    return found


def listed(network, **limits):
    cuts = likeliest_cuts(network.ends, network.terminals, network.q, network.n_nodes, **limits)
    return [tuple(np.flatnonzero(cut).tolist()) for cut in cuts]


@pytest.mark.parametrize(
    ("graph", "terminals"),
    [
        ("bridge", [0, 3]),
        ("bridge", "all"),
        ("K5", [0, 4]),
        ("K5", [1, 2, 3]),
        ("grid3x3", [0, 8]),
        ("grid3x3", [0, 2, 6, 8]),
        (nx.MultiGraph([(0, 1), (0, 1), (1, 2), (2, 0), (2, 3)]), "all"),
    ],
)
@pytest.mark.parametrize("q", [0.3, "unequal"])
def test_the_list_has_every_minimal_cut_the_likeliest_first(graph, terminals, q):
    if q == "unequal":
        m = problem(graph, q=0.3).q.size
        q = np.random.default_rng(m).uniform(0.2, 0.6, m)
    network = problem(graph, terminals=terminals, q=q)
    cuts = listed(network)
    assert set(cuts) == set(every_minimal_cut(network))
    assert len(cuts) == len(set(cuts))
    chance = [network.q[list(cut)].prod() for cut in cuts]
    assert all(a >= b * (1 - 1e-9) for a, b in pairwise(chance))


def test_cuts_a_million_times_less_likely_than_the_first_are_left_out():
    network = problem("dodecahedron", terminals=[0, 15], q=1e-4)
    assert {len(cut) for cut in listed(network)} == {3, 4}


def test_no_more_cuts_are_listed_than_asked_for_and_they_are_the_first_ones():
    network = problem("dodecahedron", q=0.01)
    assert listed(network, most=20) == listed(network)[:20]
    assert {len(cut) for cut in listed(network, most=20)} == {3}


def test_a_single_edge_is_the_only_cut_of_its_ends():
    assert listed(problem(nx.path_graph(2), q=0.5)) == [(0,)]
