"""Graph files: what is well formed is read exactly, and every lie is found and named."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from problems.maxcut import read_rudy

GOOD = "5 4\n1 2 1\n2 3 -2.5\n4 5 1e3\n1 5\n"


@pytest.fixture
def read(tmp_path):
    def reader(content):
        path = tmp_path / "graph.txt"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_rudy(path)

    return reader


def test_a_file_is_nodes_edges_and_weights_with_one_where_none_is_given(read):
    cut = read(GOOD)
    assert cut.n_nodes == 5
    assert cut.labels == (1, 2, 3, 4, 5)
    assert cut.ends.tolist() == [[0, 1], [1, 2], [3, 4], [0, 4]]
    assert cut.weight.tolist() == [1.0, -2.5, 1000.0, 1.0]


@given(st.data())
def test_what_is_written_is_read(tmp_path_factory, data):
    n = data.draw(st.integers(2, 9))
    pairs = [(i, j) for i in range(1, n + 1) for j in range(1, i)]
    ends = data.draw(st.lists(st.sampled_from(pairs), min_size=1, unique=True))
    weights = [data.draw(st.floats(-1e9, 1e9)) for _ in ends]
    lines = [
        f"{n} {len(ends)}",
        *(f"{i} {j} {w!r}" for (i, j), w in zip(ends, weights, strict=True)),
    ]
    path = tmp_path_factory.mktemp("graphs") / "graph.txt"
    path.write_text("\n".join(lines) + "\n")
    cut = read_rudy(path)
    assert cut.n_nodes == n
    assert (cut.ends + 1).tolist() == [list(pair) for pair in ends]
    assert cut.weight.tolist() == weights


@pytest.mark.parametrize(
    "content",
    [
        GOOD.replace("5 4", "5 4 J"),
        GOOD.replace("5 4", "5 4 "),
        GOOD.replace("5 4", "  5   4 and more words"),
        GOOD.replace("\n", "\r\n"),
        GOOD.replace(" ", "\t"),
        GOOD + "\n\n  \n",
        GOOD.rstrip(),
        GOOD.replace("1 2 1", "2 1 1"),
    ],
    ids=["a J", "a blank", "words", "DOS", "tabs", "blank lines", "no last newline", "turned"],
)
def test_the_freedoms_of_the_format_change_nothing(read, content):
    cut = read(content)
    assert np.sort(cut.ends, axis=1).tolist() == [[0, 1], [1, 2], [3, 4], [0, 4]]
    assert cut.weight.tolist() == [1.0, -2.5, 1000.0, 1.0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"line 1: expected the numbers of nodes and edges.*got ''$"),
        ("5\n1 2 1\n", r"line 1: expected the numbers of nodes and edges.*got '5'$"),
        ("five 4\n", r"line 1: expected the numbers of nodes and edges"),
        ("5.0 4\n", r"line 1: expected the numbers of nodes and edges"),
        ("\n" + GOOD, r"line 1: expected the numbers of nodes and edges"),
        ("0 1\n1 2\n", r"line 1: expected 1 to \d+ nodes and at least one edge; got 0 nodes"),
        ("-5 4\n", r"line 1: .* got -5 nodes and 4 edges$"),
        ("5 0\n", r"line 1: .* at least one edge; got 5 nodes and 0 edges$"),
        ("5 -1\n", r"line 1: .* at least one edge; got 5 nodes and -1 edges$"),
        ("1000000000000 1\n1 2\n", r"line 1: expected 1 to \d+ nodes .* got 1000000000000 nodes"),
        ("5 1000000000000\n1 2\n", r"announces 1000000000000 edges, but 1 lines follow it"),
        (GOOD.replace("5 4", "5 3"), r"announces 3 edges, but 4 lines follow it"),
        (GOOD.replace("5 4", "5 5"), r"announces 5 edges, but 4 lines follow it; .* truncated"),
        (GOOD.replace("2 3 -2.5", "2 three 1"), r"line 3: expected 'i j weight'; got '2 three 1'$"),
        (GOOD.replace("2 3 -2.5", "2"), r"line 3: expected 'i j weight'; got '2'$"),
        (GOOD.replace("2 3 -2.5", ""), r"line 3: expected 'i j weight'; got ''$"),
        (GOOD.replace("2 3 -2.5", "2 3 1 9"), r"line 3: expected 'i j weight'; got '2 3 1 9'$"),
        (GOOD.replace("2 3 -2.5", "2 3 heavy"), r"line 3: expected 'i j weight'"),
        (GOOD.replace("2 3 -2.5", "2.0 3 1"), r"line 3: expected 'i j weight'"),
        (GOOD.replace("2 3 -2.5", "0 3 1"), r"line 3: nodes count from 1 to 5; got '0 3 1'$"),
        (GOOD.replace("2 3 -2.5", "2 6 1"), r"line 3: nodes count from 1 to 5; got '2 6 1'$"),
        (GOOD.replace("2 3 -2.5", "-1 3 1"), r"line 3: nodes count from 1 to 5"),
        (GOOD.replace("2 3 -2.5", f"{10**30} 3 1"), r"line 3: nodes count from 1 to 5"),
        (GOOD.replace("2 3 -2.5", "3 3 1"), r"line 3: a self-loop is never cut; got '3 3 1'$"),
        (GOOD.replace("2 3 -2.5", "2 1 7"), r"the edge 1 2 is listed more than once$"),
        (GOOD.replace("2 3 -2.5", "1 2 1"), r"the edge 1 2 is listed more than once$"),
        (GOOD.replace("-2.5", "nan"), r"line 3: a weight must be finite; got '2 3 nan'$"),
        (GOOD.replace("-2.5", "inf"), r"line 3: a weight must be finite; got '2 3 inf'$"),
        (GOOD.replace("-2.5", "1e999"), r"line 3: a weight must be finite; got '2 3 1e999'$"),
        (b"\x89PNG\r\n\x1a\n\x00\xff\xfe", r"is not a text file: expected a graph in rudy format$"),
        (GOOD.encode("utf-16"), r"is not a text file: expected a graph in rudy format$"),
        (b"\x00" * 100, r"line 1: expected the numbers of nodes and edges"),
        (GOOD.replace("5 4", "5_0 4"), r"line 1: expected the numbers of nodes and edges"),
        (GOOD.replace("2 3 -2.5", "2 3 1_0"), r"line 3: expected 'i j weight'"),
    ],
)
def test_a_file_that_does_not_keep_to_the_format_is_refused_and_the_line_named(
    read, content, message
):
    with pytest.raises(ValueError, match=message) as caught:
        read(content)
    assert "graph.txt" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value).partition("graph.txt")[2]) < 350  # whatever the folder


def test_a_file_that_is_not_there_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_rudy(tmp_path / "none.txt")


# The public graphs


@pytest.mark.parametrize(
    ("name", "nodes", "edges", "total", "negative"),
    [
        ("gset/G1.txt", 800, 19176, 19176, 0),  # its first line ends in a J
        ("gset/G6.txt", 800, 19176, None, None),
        ("gset/G11.txt", 800, 1600, None, None),
        ("gset/G14.txt", 800, 4694, 4694, 0),
        ("gset/G43.txt", 1000, 9990, 9990, 0),
        ("gset/G55.txt", 5000, 12498, 12498, 0),
        ("biqmac/g05_80.0", 80, 1580, 1580, 0),
        ("biqmac/pm1s_100.0", 100, 495, None, None),
        ("biqmac/pw09_100.0", 100, 4455, None, 0),
        ("biqmac/t3g7_5555", 343, 1029, None, None),
    ],
)
def test_the_public_graphs_are_read_with_their_sizes(shared, name, nodes, edges, total, negative):
    cut = read_rudy(shared / name)
    assert (cut.n_nodes, len(cut.ends)) == (nodes, edges)
    if total is not None:
        assert cut.weight.sum() == total
    if negative is not None:
        assert (cut.weight < 0).sum() == negative
    else:
        assert (cut.weight < 0).any()


def test_every_public_graph_of_the_two_libraries_can_be_read(shared):
    paths = sorted([*(shared / "gset").iterdir(), *(shared / "biqmac").iterdir()])
    for path in paths:
        nodes, edges, *_ = path.read_text().split("\n", 1)[0].split()
        cut = read_rudy(path)
        assert (cut.n_nodes, len(cut.ends)) == (int(nodes), int(edges))
    assert len(paths) == 20


def test_a_real_graph_is_cut_as_networkx_cuts_it(shared):
    import networkx as nx

    cut = read_rudy(shared / "gset" / "G11.txt")
    graph = nx.Graph()
    for (i, j), w in zip(cut.ends + 1, cut.weight, strict=True):
        graph.add_edge(int(i), int(j), weight=float(w))
    for sides in cut.nominal().sample(np.random.default_rng(0), 3):
        ones = {node for node, side in cut.nodes(sides).items() if side}
        assert cut(sides[None])[0] == nx.cut_size(graph, ones, weight="weight")
