"""Network reliability: scores, estimates and the textbook's way against exact values."""

from itertools import permutations, product
from math import factorial

import networkx as nx
import numpy as np
import pytest

import cem
import problems
from cem.testing import ProblemContract
from problems.rare_event.network_reliability import NetworkReliability, problem, read_edges

UNEQUAL = [0.1, 0.02, 0.3, 0.05, 0.2]


class TestBridge(ProblemContract):
    problem = problem("bridge", terminals=[0, 3], q=0.1)


class TestUnequalGrid(ProblemContract):
    problem = problem("grid3x3", q=np.linspace(0.01, 0.4, 12))


class TestTextbookDodecahedron(ProblemContract):
    problem = problem("dodecahedron", q=0.1).edgewise()


# The score


def connected(network, works):
    graph = nx.MultiGraph(network.ends[works].tolist())
    graph.add_nodes_from(range(network.n_nodes))
    reached = nx.node_connected_component(graph, network.terminals[0])
    return set(network.terminals.tolist()) <= reached


@pytest.mark.parametrize("q", [0.1, UNEQUAL], ids=["equal", "unequal"])
@pytest.mark.parametrize("terminals", [[0, 3], [0, 1], [1, 2, 3], "all"])
def test_the_score_is_the_unreliability_given_the_order(terminals, q):
    network = problem("bridge", terminals=terminals, q=q)
    x = np.array(list(permutations(range(5))))
    apart, total = np.zeros(len(x)), np.zeros(len(x))
    for works in product([False, True], repeat=5):
        first = {e for e in range(5) if works[e]}
        chance = np.where(works, 1 - network.q, network.q).prod()
        chance /= factorial(len(first)) * factorial(5 - len(first))
        fits = np.array([set(order[: len(first)]) == first for order in x.tolist()])
        total += chance * fits
        apart += chance * fits * (not connected(network, list(works)))
    np.testing.assert_allclose(network(x), apart / total, rtol=1e-12)
    assert total @ network(x) == pytest.approx(network.exact(), rel=1e-12)
    np.testing.assert_allclose(np.exp(network.nominal().log_density(x)), total, rtol=1e-12)


def test_the_textbook_score_is_the_time_of_connection():
    network = problem("grid3x3", terminals=[0, 2, 8], q=0.3)
    x = network.edgewise().nominal().sample(np.random.default_rng(0), 200)
    for time, score in zip(x, network.edgewise()(x), strict=True):
        assert score in time
        assert connected(network, time <= score)
        assert not connected(network, time < score)


def test_the_textbook_event_has_the_unreliability():
    times, n = problem("bridge", terminals=[0, 3], q=UNEQUAL).edgewise(), 100_000
    p = times.exact()
    hits = (times(times.nominal().sample(np.random.default_rng(0), n)) >= times.gamma).mean()
    assert abs(hits - p) < 5 * np.sqrt(p * (1 - p) / n)


# The estimate


@pytest.mark.parametrize("q", [0.1, 1e-3, 1e-6])
@pytest.mark.parametrize(
    ("graph", "terminals"),
    [
        ("bridge", [0, 3]),
        ("grid3x3", "all"),
        ("grid6x6", [0, 35]),
        ("dodecahedron", [0, 15]),
        ("dodecahedron", "all"),
        ("K6", "all"),
        ("petersen", [0, 1, 7]),
    ],
)
def test_the_error_is_a_per_cent_with_4000_samples_however_rare_the_event(graph, terminals, q):
    network = problem(graph, terminals=terminals, q=q)
    found = cem.expectation(network, n_final=4000, rng=0)
    assert (found.success, found.warnings) == (True, ())
    assert found.relative_error < 0.015
    assert abs(found.mean - network.exact()) < 5 * found.std_error


@pytest.mark.parametrize("seed", range(3))
def test_unequal_edges_are_no_harder(seed):
    rng = np.random.default_rng(seed)
    network = problem("grid4x4", terminals=[0, 15], q=10 ** -rng.uniform(0.3, 6, 24))
    found = cem.expectation(network, n_final=4000, rng=seed)
    assert found.relative_error < 0.03
    assert abs(found.mean - network.exact()) < 5 * found.std_error


@pytest.mark.parametrize(
    ("method", "graph", "q"),
    [
        ("auto", "K6", 1e-3),
        ("multilevel", "K6", 1e-6),
        ("multilevel", "dodecahedron", 1e-3),
        ("multilevel", "dodecahedron", 1e-6),
    ],
)
def test_the_textbook_way_is_no_success_where_there_are_many_cuts(method, graph, q):
    found = cem.estimate(problem(graph, q=q).edgewise(), method=method, rng=0)
    assert not found.success
    assert found.warnings


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"ends": [[0, 1, 2]]}, r"edges of shape \(m, 2\), m from 1 to 32767; got shape \(1, 3\)"),
        ({"ends": [[0, 1], [1, 3]]}, r"node numbers must lie in 0\.\.2; got 3"),
        ({"ends": [[0, 1], [0, 1]]}, r"connected if no edge fails; got 2 parts"),
        ({"q": [0.1]}, r"one for each of 2 edges; got shape \(1,\)"),
    ],
)
def test_bad_arrays_are_named(given, message):
    good = {"ends": [[0, 1], [1, 2]], "q": [0.1, 0.1], "terminals": [0, 1], "n_nodes": 3}
    with pytest.raises(ValueError, match=message):
        NetworkReliability(**good | given)


# Where networks come from


def test_it_is_found_by_name_with_settings_as_the_command_line_has_them():
    network = problems.load("network-reliability", graph="grid2x3", terminals="0,5", q=0.01)
    assert network.terminals.tolist() == [0, 5]
    assert len(network.ends) == 7
    assert problems.load("network-reliability").q.tolist() == [1e-3] * 30


def test_labels_may_be_anything_and_parts_without_terminals_do_not_matter():
    graph = nx.Graph([("a", (1, 2)), ((1, 2), "c"), ("c", "c"), ("far", "away")])
    network = NetworkReliability.of(graph, ["a", "c"], q=[0.1, 0.2, 0.5, 0.5])
    assert network.n_nodes == 3
    assert network.exact() == pytest.approx(1 - 0.9 * 0.8)


def test_a_file_may_have_a_failure_probability_on_every_line(tmp_path):
    path = tmp_path / "ring.txt"
    path.write_text("# a ring\n1 2 0.1\n2 x 0.2  # late\n\nx 1 0.3\n")
    network = problem(path, terminals="1,x")
    assert network.q.tolist() == [0.1, 0.3, 0.2]
    assert network.exact() == pytest.approx(0.3 * (1 - 0.9 * 0.8))
    path.write_text("1 2\n1 2\n")
    assert read_edges(path).number_of_edges() == 2
    assert problem(str(path), q=0.1).exact() == pytest.approx(0.01)


@pytest.mark.parametrize("text", ["1 2\n1\n", "1 2\n1 2 often\n", "1 2\n1 2 0.1 0.2\n"])
def test_a_line_that_is_no_edge_is_named(tmp_path, text):
    path = tmp_path / "bad.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"bad\.txt, line 2: expected 'i j' or 'i j q'; got '1"):
        read_edges(path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"graph": "K"}, r"no graph file 'K', nor a graph of that name: bridge, "),
        ({"graph": nx.DiGraph([(0, 1)])}, r"expected an undirected graph"),
        ({"graph": "bridge", "q": 0.0}, r"strictly between 0 and 1; got 0\.0 for edge 0"),
        ({"graph": "bridge", "q": 1.0}, r"strictly between 0 and 1; got 1\.0 for edge 0"),
        ({"graph": "bridge", "q": np.nan}, r"strictly between 0 and 1; got nan for edge 0"),
        ({"graph": "bridge", "q": [0.1] * 4}, r"one for each of 5 edges; got shape \(4,\)"),
        ({"graph": "bridge", "terminals": [0]}, r"at least two terminals; got \[0\]"),
        ({"graph": "bridge", "terminals": "0,9"}, r"the terminal '9' is no node"),
        ({"graph": "bridge", "terminals": []}, r"at least two terminals; got \[\]"),
        ({"graph": nx.Graph([(0, 1), (2, 3)])}, r"0 and 2 are not connected even if no edge fails"),
        ({"graph": nx.Graph([(0, 1, {"q": 0.1}), (1, 2)])}, r"or give every edge a q"),
    ],
)
def test_a_bad_network_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        problem(**arguments)


def test_an_order_of_other_edges_is_refused():
    network = problem("bridge", q=0.1)
    with pytest.raises(ValueError, match=r"orders of the edges 0, \.\.\., 4; got \[0 1 2 3 3\]"):
        network(np.array([[0, 1, 2, 3, 4], [0, 1, 2, 3, 3]]))
    with pytest.raises(ValueError, match=r"needs a batch of shape \(n, 5\)"):
        network(np.array([[0, 1, 2, 3]]))


def test_an_unreliability_below_the_doubles_is_refused():
    with pytest.raises(ValueError, match=r"probability exp\(-843\), too small a number"):
        problem("K62", terminals=[0, 1], q=1e-6).nominal()
    rare = problem(nx.MultiGraph([(0, 1)] * 46), q=1e-6)
    found = cem.expectation(rare, n_final=100, rng=0)
    assert found.mean == pytest.approx(1e-276, rel=1e-9)
