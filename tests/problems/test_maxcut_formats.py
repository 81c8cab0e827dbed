"""Graphs in other formats than rudy: the same graph from each, and what is refused; matrices."""

import numpy as np
import pytest

from problems import load
from problems.maxcut import MaxCut, of_matrix, read_dimacs, read_edges, read_graph, read_rudy

RUDY = "5 4\n1 2 1\n2 3 -2.5\n4 5 1e3\n1 5\n"
DIMACS = "c five nodes\np edge 5 4\ne 1 2 1\nc between\ne 2 3 -2.5\n\ne 4 5 1e3\ne 1 5\n"
MAX_CUT = "c five nodes\nMAX-CUT 5 4\n1 2 1\n2 3 -2.5\n4 5 1e3\n1 5 1.0\n"
TABLE = "i,j,weight\n1,2,1\n2,3,-2.5\n4,5,1e3\n1,5\n"


@pytest.fixture
def written(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("g.txt", RUDY),
        ("G", RUDY),
        ("g.col", DIMACS),
        ("g.txt", DIMACS),
        ("g.txt", DIMACS.replace("edge", "col")),
        ("g.txt", DIMACS.replace("\n", "\r\n")),
        ("g.clq", DIMACS.split("\n", 1)[1]),
        ("g.txt", MAX_CUT),
        ("g.mc", MAX_CUT.split("\n", 1)[1].replace("MAX-CUT", "max-cut")),
        ("g.csv", TABLE),
        ("g.CSV", TABLE.split("\n", 1)[1]),
        ("g.csv", "\ufeff" + TABLE.replace("i,j", "source,target")),
        ("g.csv", TABLE.replace("i,j", "Knoten,Nachbar")),
        ("g.tsv", TABLE.replace(",", "\t")),
        ("g.csv", TABLE.replace(",", " , ")),
        ("g.csv", TABLE.replace("1,2,1", '"1","2",1') + "\n,,\n"),
    ],
)
def test_a_graph_is_the_same_in_every_format(written, name, content):
    cut = read_graph(written(name, content))
    nodes = np.array(cut.labels)[cut.ends]
    assert nodes.tolist() == [[1, 2], [2, 3], [4, 5], [1, 5]]
    assert cut.weight.tolist() == [1.0, -2.5, 1000.0, 1.0]
    assert sorted(cut.labels) == [1, 2, 3, 4, 5]


def test_the_labels_of_a_table_may_be_words_in_the_order_they_come_up(written):
    path = written("flights.csv", 'from,to\nZürich,Oslo\nOslo,"San José, CR"\n7,Zürich\n')
    cut = read_edges(path)
    assert cut.labels == ("Zürich", "Oslo", "San José, CR", "7")
    assert cut.ends.tolist() == [[0, 1], [1, 2], [3, 0]]
    assert cut.weight.tolist() == [1, 1, 1]


def test_a_first_row_without_weight_is_an_edge_unless_it_is_a_known_heading(written):
    assert read_edges(written("a.csv", "a,b\nb,c\n")).labels == ("a", "b", "c")
    assert read_edges(written("b.csv", "u,v\nb,c\n")).labels == ("b", "c")


@pytest.mark.parametrize(
    ("read", "content", "message"),
    [
        (read_dimacs, "c nothing\n", r"expected a line 'p edge n m'; got comments only$"),
        (read_dimacs, "", r"got comments only$"),
        (read_dimacs, RUDY, r"line 1: expected 'p edge n m' first; got '5 4'$"),
        (read_dimacs, "p edge\n", r"line 1: expected the numbers of nodes and edges"),
        (read_dimacs, "p edge 5 4 4\ne 1 2\n", r"announces 4 edges, but 1 lines follow"),
        (read_dimacs, "p edge 1000001 1\ne 1 2\n", r"expected 1 to 1000000 nodes"),
        (read_dimacs, DIMACS.replace("e 2 3", "a 2 3"), r"line 5: expected 'e i j weight'"),
        (read_dimacs, DIMACS.replace("e 2 3", "e 2"), r"line 5: expected 'i j weight'"),
        (read_dimacs, DIMACS.replace("e 2 3", "e 2 6"), r"line 5: nodes count from 1 to 5"),
        (read_dimacs, DIMACS.replace("e 2 3", "e 2 1"), r"the edge 1 2 is listed more than once$"),
        (read_dimacs, DIMACS.replace("-2.5", "nan"), r"line 5: a weight must be finite"),
        (read_dimacs, DIMACS.replace("1e3", "1e308").replace("-2.5", "1e308"), r"add up to more"),
        (read_edges, "", r"a cut needs edges; got none$"),
        (read_edges, "i,j,weight\n", r"a cut needs edges; got none$"),
        (read_edges, TABLE + "6\n", r"line 6: expected 'i j weight'; got '6'$"),
        (read_edges, TABLE + "6,7,8,9\n", r"line 6: expected 'i j weight'; got '6 7 8 9'$"),
        (read_edges, TABLE + "6,7,heavy\n", r"line 6: expected 'i j weight'"),
        (read_edges, TABLE + ",7\n", r"line 6: a node has no label; got ' 7'$"),
        (read_edges, TABLE + "7,7\n", r"line 6: a self-loop is never cut; got '7 7'$"),
        (read_edges, TABLE + "6,7,inf\n", r"line 6: a weight must be finite"),
        (read_edges, TABLE + "2,1\n", r"the edge 1 2 is listed more than once$"),
        (read_edges, TABLE + "01,3\n", r"a node is written in two ways, such as 1 and 01$"),
        (read_edges, "a," + "b" * 200_000 + "\n", r"line 1: field larger than field limit"),
    ],
)
def test_what_does_not_keep_to_a_format_is_refused_and_the_line_named(
    written, read, content, message
):
    path = written("graph.csv", content)
    with pytest.raises(ValueError, match=message) as caught:
        read(path)
    assert len(str(caught.value)) < 400


def test_a_file_too_large_to_be_a_graph_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "zeros.txt"
    with path.open("wb") as file:
        file.truncate(2**40)  # a sparse file
    with pytest.raises(ValueError, match=r"has 1099511627776 bytes: expected .* at most$"):
        read_rudy(path)


def test_a_matrix_is_a_graph_dense_or_sparse():
    from scipy import sparse

    rng = np.random.default_rng(0)
    dense = np.triu(np.round(rng.normal(size=(8, 8)), 1) * (rng.random((8, 8)) < 0.6), 1)
    dense += dense.T
    x = rng.integers(0, 2, (20, 8), dtype=np.int8)
    side = 1.0 - 2.0 * x
    expected = (dense.sum() - np.einsum("ni,ij,nj->n", side, dense, side)) / 4
    kinds = (sparse.csr_array, sparse.csc_matrix, sparse.coo_array, sparse.lil_array)
    for matrix in (dense, dense.tolist(), *(kind(dense) for kind in kinds)):
        for cut in (of_matrix(matrix), load("maxcut", graph=matrix)):
            np.testing.assert_allclose(cut(x), expected, rtol=1e-12, atol=1e-12)


def test_entries_stored_as_zero_are_no_edges_and_stored_twice_add_up():
    from scipy import sparse

    entries = ([1.0, 2.0, 3.0, 0.0, 0.0], ([0, 0, 1, 1, 2], [1, 1, 0, 2, 1]))
    cut = of_matrix(sparse.coo_array(entries, shape=(3, 3)))
    assert (cut.ends.tolist(), cut.weight.tolist(), cut.n_nodes) == ([[0, 1]], [3.0], 3)


@pytest.mark.parametrize(
    ("matrix", "error", "message"),
    [
        ([[0, 1]], ValueError, r"square matrix of weights; got shape \(1, 2\)$"),
        ([[0, 1], [2, 0]], ValueError, r"different weights at \(0, 1\) and \(1, 0\)$"),
        ([[0, 1], [1, 5]], ValueError, r"got 5 on the diagonal at node 1; set the diagonal"),
        ([[0, np.nan], [np.nan, 0]], ValueError, r"weights must be finite; got NaN or infinity"),
        ([[0, 1j], [1j, 0]], TypeError, r"weights must be real numbers; got dtype complex128$"),
        (np.zeros((3, 3)), ValueError, r"a cut needs edges"),
    ],
)
def test_a_matrix_that_is_no_graph_is_refused(matrix, error, message):
    with pytest.raises(error, match=message):
        of_matrix(matrix)


def test_small_and_disconnected_graphs_are_read_and_one_node_has_no_cut(written):
    assert read_graph(written("two", "2 1\n1 2\n")).n_nodes == 2
    assert read_graph(written("three", "3 1\n1 2\n")).labels == (1, 2, 3)
    lonely = read_graph(written("more", "6 2\n1 2\n4 5\n"))
    assert isinstance(lonely, MaxCut)
    assert lonely(np.array([[0, 1, 0, 0, 1, 0]])).tolist() == [2]
    with pytest.raises(ValueError, match="at least one edge; got 1 nodes and 0 edges"):
        read_graph(written("one", "1 0\n"))


def damaged(content, rng):
    """A few bytes changed, lost, put in or repeated."""
    alphabet = b'0123456789 .-eEnaifJcp,"\n\r\t\x00\xff_+'
    content = bytearray(content.encode())
    for _ in range(rng.integers(1, 5)):
        at, what = int(rng.integers(len(content))), rng.integers(4)
        if what == 0:
            content[at] = rng.choice(list(alphabet))
        elif what == 1:
            del content[at : at + int(rng.integers(1, 6))]
        elif what == 2:
            content[at:at] = bytes(rng.choice(list(alphabet), int(rng.integers(1, 6))).tolist())
        else:
            content[at:at] = content[: int(rng.integers(12))]
    return bytes(content)


@pytest.mark.parametrize(
    ("name", "content", "least"),
    [("g.txt", RUDY, 250), ("g.col", DIMACS, 250), ("g.mc", MAX_CUT, 250), ("g.csv", TABLE, 120)],
    ids=["rudy", "DIMACS", "MAX-CUT", "table"],
)
def test_hundreds_of_damaged_files_are_read_as_they_are_or_refused_with_a_value_error(
    tmp_path, name, content, least
):
    rng, path, refused = np.random.default_rng(0), tmp_path / name, 0
    for _ in range(500):
        path.write_bytes(damaged(content, rng))
        try:
            cut = read_graph(path)
        except ValueError as error:
            refused += 1
            assert len(str(error)) < 400  # noqa: PT017 - some of them can be read
        else:
            assert cut.ends.min() >= 0
            assert cut.ends.max() < cut.n_nodes
            assert np.isfinite(cut.weight).all()
            assert len(cut.ends) == len(cut.weight) >= 1
    assert refused > least
