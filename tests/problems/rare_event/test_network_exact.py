"""The exact unreliability: against all states of the edges, closed forms, counted failures."""

import json
from itertools import product

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from problems.rare_event.network_reliability import problem
from problems.rare_event.network_reliability.exact import unreliability


@st.composite
def networks(draw):
    """Small connected multigraphs with terminals and unequal failure probabilities."""
    n = draw(st.integers(2, 6))
    tree = [(draw(st.integers(0, v - 1)), v) for v in range(1, n)]
    pairs = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda e: e[0] != e[1])
    edges = draw(st.permutations([*tree, *draw(st.lists(pairs, max_size=9 - len(tree)))]))
    q = draw(st.lists(st.floats(1e-9, 0.999), min_size=len(edges), max_size=len(edges)))
    terminals = draw(st.lists(st.integers(0, n - 1), min_size=2, max_size=n, unique=True))
    return np.array(edges), np.array(terminals), np.array(q), n


def state_by_state(ends, terminals, q, n):
    """The definition: the probability of all states in which the terminals are apart."""
    total = 0.0
    for works in product([False, True], repeat=len(ends)):
        graph = nx.MultiGraph(ends[list(works)].tolist())
        graph.add_nodes_from(range(n))
        if not set(terminals.tolist()) <= nx.node_connected_component(graph, terminals[0]):
            total += np.where(works, 1 - q, q).prod()
    return total


@settings(deadline=None, max_examples=40)
@given(networks())
def test_the_unreliability_is_the_probability_of_all_states_that_part_the_terminals(network):
    assert unreliability(*network) == pytest.approx(state_by_state(*network), rel=1e-11)


@pytest.mark.parametrize("q", [0.5, 1e-3, 1e-40])
def test_edges_in_a_row_and_side_by_side_have_their_closed_forms(q):
    ends = np.stack([np.arange(30), np.arange(1, 31)], axis=1)
    row = -np.expm1(30 * np.log1p(-q))
    assert unreliability(ends, np.array([0, 30]), np.full(30, q), 31) == pytest.approx(row)
    side_by_side = np.tile([0, 1], (7, 1))
    found = unreliability(side_by_side, np.array([0, 1]), np.full(7, q), 2)
    assert found == pytest.approx(q**7, rel=1e-13)


def test_a_cycle_falls_apart_when_two_edges_fail():
    n, q = 200, 1e-4
    assert problem(nx.cycle_graph(n), q=q).exact() == pytest.approx(binom.sf(1, n, q), rel=1e-12)


@pytest.mark.parametrize("q", ["0.5", "0.1", "0.001", "1e-06"])
def test_the_unreliability_is_that_of_the_counted_failure_sets(root, q):
    path = root.parent / "shared" / "reference" / "network.json"
    if not path.is_file():
        pytest.skip("needs the counted failure sets, which are not here")
    instances = json.loads(path.read_text(encoding="utf-8"))["instances"]
    assert len(instances) == 15
    for one in instances:
        graph = nx.Graph(one["edges"])
        exact = problem(graph, terminals=one["terminals"], q=float(q)).exact()
        assert exact == pytest.approx(float(one["unreliability"][q]), rel=1e-11), one["name"]


@pytest.mark.parametrize(
    ("graph", "terminals", "q", "value"),
    [  # integer counts of failure sets, by another dynamic programme
        ("dodecahedron", [0, 15], 0.1, 2.879601253393e-3),
        ("dodecahedron", "all", 1e-3, 2.003001183934e-8),
        ("grid6x6", "all", 1e-6, 4.000024e-12),
        ("K10", [0, 1], 1e-6, 2.000000e-54),
    ],
)
def test_known_values(graph, terminals, q, value):
    assert problem(graph, terminals=terminals, q=q).exact() == pytest.approx(value, rel=3e-7)


def test_a_network_too_wide_is_refused_before_any_work():
    with pytest.raises(ValueError, match=r"too large for an exact answer: 20 nodes would be open"):
        problem("K20", q=0.1).exact()
