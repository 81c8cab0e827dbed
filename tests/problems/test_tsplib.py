"""Files of TSPLIB: what is well formed is read exactly, and every lie is found and named."""

import os
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from problems.tsp import problem, read_tour, read_tsplib, write_tour
from problems.tsp.distances import METRICS, between

COORDINATES = """NAME : five
COMMENT : five points, Straße 7
TYPE : TSP
DIMENSION : 5
EDGE_WEIGHT_TYPE : EUC_2D
NODE_COORD_SECTION
1 0 0
2 3 4
3 1.0e+01 0.5
4 -7 2
5 .5 -1.
EOF
"""
EXPLICIT = """NAME: four
TYPE: ATSP
DIMENSION: 4
EDGE_WEIGHT_TYPE: EXPLICIT
EDGE_WEIGHT_FORMAT: FULL_MATRIX
EDGE_WEIGHT_SECTION
9999 1 2 3
4 9999 5
6 7 8 9999 9
10 11 12
9999
EOF
"""
TOUR = """NAME : four.tour
TYPE : TOUR
DIMENSION : 4
TOUR_SECTION
1 3
2
4
-1
EOF
"""
HEADER = "TYPE: TSP\nDIMENSION: 4\nEDGE_WEIGHT_TYPE: EXPLICIT\nEDGE_WEIGHT_FORMAT: {}\n"
MATRIX = np.array([[0, 1, 2, 3], [1, 0, 4, 5], [2, 4, 0, 6], [3, 5, 6, 0]])


@pytest.fixture
def read(tmp_path):
    def reader(content, reading=read_tsplib):
        path = tmp_path / "file.tsp"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return reading(path)

    return reader


# Distances


@pytest.mark.parametrize(
    ("metric", "a", "b", "expected"),
    [
        ("EUC_2D", (0, 0), (1, 0.5), 1),  # sqrt(1.25) = 1.118
        ("EUC_2D", (0, 0), (1.5, 0), 2),  # a half goes up
        ("EUC_3D", (0, 0, 0), (2, 3, 6), 7),
        ("MAX_2D", (0, 0), (2.5, -7.4), 7),
        ("MAX_3D", (0, 0, 0), (2.5, -7.4, 9.5), 10),
        ("MAN_2D", (0, 0), (2.2, -7.2), 9),
        ("MAN_3D", (0, 0, 0), (2.2, -7.2, 0.2), 10),
        ("CEIL_2D", (0, 0), (1, 0.5), 2),
        ("CEIL_2D", (0, 0), (3, 4), 5),
        ("ATT", (0, 0), (10, 0), 4),  # sqrt(10) = 3.16, rounded to 3, which is less
        ("ATT", (0, 0), (6, 8), 4),
        ("GEO", (0, 0), (0, 180.0), 20039),  # half of the equator, 6378.388 PI = 20038.2, and 1
        ("GEO", (10.3, 20.3), (10.3, 20.3), 1),
        ("euclidean", (0, 0), (1, 1), np.sqrt(2)),
        ("manhattan", (0, 0, 0), (1, -2, 3.5), 6.5),
        ("maximum", (0, 0, 0), (1, -2, 3.5), 3.5),
        ("great-circle", (0, 0), (0, 90), np.pi * 6371.0088 / 2),
        ("great-circle", (90, 0), (-90, 17), np.pi * 6371.0088),
    ],
)
def test_distances_are_those_of_their_definitions(metric, a, b, expected):
    d = between([a, b], metric)
    assert d[0, 1] == d[1, 0] == pytest.approx(expected, rel=1e-14)
    assert np.diag(d).tolist() == [0, 0]
    assert d.dtype == (np.int64 if metric.isupper() else float)


@given(st.lists(st.tuples(st.floats(-89, 89), st.floats(-179, 179)), min_size=2, max_size=6))
def test_every_metric_is_symmetric_and_zero_on_the_diagonal(points):
    for name in METRICS:
        if not name.endswith("_3D"):
            d = between(points, name)
            assert (d == d.T).all()
            assert not np.diag(d).any()
            assert (d >= 0).all()


@pytest.mark.parametrize(
    ("points", "metric", "message"),
    [
        ([[0, 0], [1, 1]], "EUC", r"there is no metric 'EUC'; did you mean"),
        ([[0, 0], [1, 1]], "EUC_3D", r"EUC_3D needs points of 3 coordinates; got 2"),
        (
            [[0, 0, 0], [1, 1, 1]],
            "great-circle",
            r"great-circle needs points of 2 coordinates; got 3",
        ),
        ([[0, 0]], "EUC_2D", r"at least two points.*got shape \(1, 2\)"),
        ([[0, 0], [0, 1e300]], "EUC_2D", r"finite and at most 2\*\*50"),
        ([[0, 0], [0, np.nan]], "EUC_2D", r"finite and at most 2\*\*50"),
        (
            [[0, 0], [96.1, 16.47]],
            "GEO",
            r"latitude .* and longitude .*\[96.1  16.47\] for point 1",
        ),
    ],
)
def test_points_that_a_metric_cannot_measure_are_refused(points, metric, message):
    with pytest.raises(ValueError, match=message):
        between(points, metric)


def test_a_metric_may_be_a_function():
    d = between([[0, 0], [3, 4]], lambda points: abs(points[:, :1] - points[:, 0]))
    assert d.tolist() == [[0, 3], [3, 0]]


# Instances


def test_nodes_by_coordinates_are_read_with_their_distances(read):
    tsp = read(COORDINATES)
    assert tsp.labels == (1, 2, 3, 4, 5)
    assert tsp.coordinates.tolist() == [[0, 0], [3, 4], [10, 0.5], [-7, 2], [0.5, -1]]
    assert tsp.distance[0].tolist() == [0, 5, 10, 7, 1]
    assert tsp.symmetric


def test_a_full_matrix_is_read_row_by_row_however_its_lines_are_broken(read):
    tsp = read(EXPLICIT)
    assert tsp.distance.tolist() == [[0, 1, 2, 3], [4, 0, 5, 6], [7, 8, 0, 9], [10, 11, 12, 0]]
    assert tsp.distance.dtype == np.int64


@pytest.mark.parametrize(
    ("layout", "numbers"),
    [
        ("FULL_MATRIX", "0 1 2 3 1 0 4 5 2 4 0 6 3 5 6 0"),
        ("UPPER_ROW", "1 2 3 4 5 6"),
        ("LOWER_ROW", "1 2 4 3 5 6"),
        ("UPPER_DIAG_ROW", "0 1 2 3 0 4 5 0 6 0"),
        ("LOWER_DIAG_ROW", "0 1 0 2 4 0 3 5 6 0"),
        ("UPPER_COL", "1 2 4 3 5 6"),
        ("LOWER_COL", "1 2 3 4 5 6"),
        ("UPPER_DIAG_COL", "0 1 0 2 4 0 3 5 6 0"),
        ("LOWER_DIAG_COL", "0 1 2 3 0 4 5 0 6 0"),
    ],
)
def test_every_layout_of_the_matrix_is_read(read, layout, numbers):
    head = HEADER.format(layout) + "EDGE_WEIGHT_SECTION\n"
    assert read(head + numbers).distance.tolist() == MATRIX.tolist()
    words = numbers.split()
    with pytest.raises(ValueError, match=rf"line 5: expected {len(words)} numbers, {layout} of 4"):
        read(head + " ".join(words[:-1]))
    with pytest.raises(ValueError, match=rf"expected {len(words)} numbers.*got {len(words) + 1}"):
        read(head + numbers + " 0")


def test_real_distances_are_read_as_they_are(read):
    head = HEADER.format("UPPER_ROW") + "EDGE_WEIGHT_SECTION\n"
    assert read(head + "1 2.5 3 4 5 1e-3").distance[0].tolist() == [0, 1, 2.5, 3]


def test_fixed_edges_are_turned_into_one_direction(read):
    tsp = read(COORDINATES.replace("EOF", "FIXED_EDGES_SECTION\n3 2\n3 5\n-1\nEOF"))
    assert tsp.fixed == ((1, 2), (2, 4))
    assert np.isfinite(tsp(np.array([[0, 1, 2, 4, 3], [0, 2, 1, 4, 3]]))).tolist() == [True, False]
    directed = EXPLICIT.replace("EOF", "FIXED_EDGES_SECTION\n3 2 4 1 -1")
    assert read(directed).fixed == ((2, 1), (3, 0))
    ring = COORDINATES.replace("EOF", "FIXED_EDGES_SECTION\n1 2 2 3 3 4 4 5 5 1\n-1\nEOF")
    assert len(read(ring).fixed) == 5


def test_display_data_are_the_coordinates_of_the_pictures(read):
    display = "DISPLAY_DATA_TYPE: TWOD_DISPLAY\nDISPLAY_DATA_SECTION\n2 0 1\n1 5 6\n4 0 3\n3 0 2\n"
    tsp = read(EXPLICIT.replace("EOF\n", display))
    assert tsp.coordinates.tolist() == [[5, 6], [0, 1], [0, 2], [0, 3]]


def test_a_file_of_three_dimensions_is_read(read):
    text = (
        "TYPE: TSP\nDIMENSION: 2\nEDGE_WEIGHT_TYPE: EUC_3D\nNODE_COORD_SECTION\n1 0 0 0\n2 2 3 6\n"
    )
    assert read(text).distance.tolist() == [[0, 7], [7, 0]]


def test_the_instances_typed_in_are_those_of_the_files(shared):
    for name in ("burma14.tsp", "gr17.tsp", "br17.atsp"):
        ours, theirs = problem(name.partition(".")[0]), read_tsplib(shared / "tsplib" / name)
        np.testing.assert_array_equal(ours.distance, theirs.distance)
        assert ours.labels == theirs.labels
        if theirs.coordinates is not None:
            np.testing.assert_array_equal(ours.coordinates, theirs.coordinates)
            assert ours.axes == theirs.axes


@pytest.mark.parametrize(
    "content",
    [
        COORDINATES.replace(" : ", ": "),
        COORDINATES.replace(" : ", ":"),
        COORDINATES.replace("\n", "\r\n"),
        COORDINATES.replace("\n", "\r"),
        COORDINATES.replace(" ", "\t"),
        COORDINATES.replace("EOF\n", ""),
        COORDINATES + "\n\n \n",
        COORDINATES.replace("TYPE : TSP", "TYPE : TSP (by somebody)", 1),
        COORDINATES.replace("SECTION\n", "SECTION :\n"),
        COORDINATES.replace("NAME", "COMMENT"),
        COORDINATES.replace("1 0 0\n2 3 4\n", "  2   3 4\n +1 0 0.0\n"),
        COORDINATES.encode("latin-1"),
    ],
    ids=[
        *("a colon", "no blanks", "DOS", "old Mac", "tabs", "no EOF", "blank lines", "words"),
        *("a colon after a section", "two comments", "another order", "latin-1"),
    ],
)
def test_the_freedoms_of_the_format_change_nothing(read, content):
    tsp, plain = read(content), read(COORDINATES)
    np.testing.assert_array_equal(tsp.distance, plain.distance)
    np.testing.assert_array_equal(tsp.coordinates, plain.coordinates)


BAD = [
    ("", r"file.tsp: expected a line 'TYPE : value'; got none"),
    (COORDINATES.replace("TYPE : TSP\n", ""), r"expected a line 'TYPE : value'; got none"),
    (COORDINATES.replace(": TSP", ":"), r"line 3: expected a line 'TYPE : value'; got none"),
    (COORDINATES.replace(": TSP", ": TPS"), r"line 3: there is no TYPE 'TPS' here; did you mean"),
    (COORDINATES.replace(": TSP", ": CVRP"), r"cannot use TYPE CVRP: a problem of vehicles"),
    (COORDINATES.replace(": TSP", ": TOUR"), r"TYPE TOUR: a tour: read it with read_tour"),
    (COORDINATES.replace("NAME", "NAM"), r"line 1: there is no keyword 'NAM'; did you mean 'NAME'"),
    (COORDINATES.replace("NAME", "name"), r"line 1: there is no keyword 'name'"),
    (COORDINATES.replace("NAME : five", "NAME five"), r"line 1: there is no keyword 'NAME five'"),
    (COORDINATES.replace("NAME : five", "NAME"), r"line 1: expected 'NAME : value'; got 'NAME'"),
    (COORDINATES.replace("NAME : five", "TYPE : TSP"), r"line 3: TYPE is there twice"),
    (COORDINATES.replace("NAME : five", "17"), r"line 1: expected a keyword; got '17'"),
    (COORDINATES + "more", r"line 13: expected nothing after EOF; got 'more'"),
    (COORDINATES.replace("DIMENSION : 5\n", ""), r"expected a line 'DIMENSION : value'; got none"),
    (COORDINATES.replace(": 5", ": five"), r"line 4: expected a whole number from 2 to \d+; got '"),
    (COORDINATES.replace(": 5", ": 5.0"), r"line 4: expected a whole number .*; got '5.0'"),
    (COORDINATES.replace(": 5", ": 1"), r"line 4: expected a whole number from 2 to .*; got '1'"),
    (COORDINATES.replace(": 5", ": 1_0"), r"line 4: expected a whole number .*; got '1_0'"),
    (COORDINATES.replace(": 5", ": 1000000000"), r"line 4: .* from 2 to 5000; got '1000000000'"),
    (COORDINATES.replace(": 5", ": 5000"), r"line 6: expected 5000 lines, .*; got 5: lines are mi"),
    (COORDINATES.replace(": 5", ": 4"), r"line 6: expected 4 lines.*; got 5: DIMENSION is too sma"),
    (COORDINATES.replace("EUC_2D", "EUC"), r"line 5: there is no EDGE_WEIGHT_TYPE 'EUC' here; did"),
    (COORDINATES.replace("EUC_2D", "euclidean"), r"no EDGE_WEIGHT_TYPE 'euclidean' here"),
    (COORDINATES.replace("EUC_2D", "SPECIAL"), r"cannot use EDGE_WEIGHT_TYPE SPECIAL: its dist"),
    (COORDINATES.replace("EUC_2D", "XRAY1"), r"cannot use EDGE_WEIGHT_TYPE XRAY1"),
    (COORDINATES.replace("EUC_2D", "EUC_3D"), r"line 7: expected a node and 3 coordinates; got '1"),
    (COORDINATES.replace("EUC_2D", "EXPLICIT"), r"expected a line 'EDGE_WEIGHT_FORMAT : value'"),
    (COORDINATES.replace("2 3 4", "2 3"), r"line 8: expected a node and 2 coordinates; got '2 3'"),
    (COORDINATES.replace("2 3 4", "2 3 4 5"), r"line 8: expected a node and 2 coordinates"),
    (COORDINATES.replace("2 3 4", "1 3 4"), r"line 8: node 1 is listed more than once"),
    (COORDINATES.replace("2 3 4", "0 3 4"), r"line 8: expected a whole number from 1 to 5; got '0"),
    (COORDINATES.replace("2 3 4", "6 3 4"), r"line 8: expected a whole number from 1 to 5; got '6"),
    (COORDINATES.replace("2 3 4", "2 x 4"), r"line 8: expected a finite number; got 'x'"),
    (COORDINATES.replace("2 3 4", "2 1e999 4"), r"line 8: expected a finite number; got '1e999'"),
    (COORDINATES.replace("2 3 4", "2 -inf 4"), r"line 8: expected a finite number; got '-inf'"),
    (COORDINATES.replace("2 3 4", "nan 3 4"), r"line 8: there is no keyword 'nan 3 4'"),
    (COORDINATES.replace("2 3 4", "2 1e200 4"), r"line 6: coordinates must be finite and at most"),
    (COORDINATES.replace("EUC_2D", "GEO").replace("2 3 4", "2 96 4"), r"line 6: expected latitude"),
    (COORDINATES.split("NODE_COORD", maxsplit=1)[0], r"expected the section NODE_COORD_SECT"),
    (COORDINATES.replace("EOF", "TOUR_SECTION"), r"line 12: TOUR_SECTION does not go with TSP"),
    (COORDINATES.replace("EOF", "CAPACITY : 3"), r"line 12: CAPACITY does not go with TSP"),
    (COORDINATES.replace("EOF", "EDGE_WEIGHT_SECTION"), r"does not go with EDGE_WEIGHT_TYPE EUC_2"),
    (COORDINATES.replace("EOF", "NODE_COORD_SECTION"), r"line 12: NODE_COORD_SECTION is there twi"),
    (COORDINATES.replace("TION\n", "TION : 1\n"), r"expected nothing after NODE_COORD_SECTION"),
    (COORDINATES.replace("EOF", "EDGE_WEIGHT_FORMAT: UPPER_ROW"), r"no EDGE_WEIGHT_FORMAT 'UPPER_"),
    (COORDINATES.replace("EOF", "DISPLAY_DATA_TYPE: MAP"), r"line 12: there is no DISPLAY_DATA"),
    (COORDINATES.replace("EOF", "DISPLAY_DATA_SECTION\n1 0 0"), r"line 12: expected 5 lines"),
    (COORDINATES.replace("EOF", "FIXED_EDGES_SECTION\n1 2"), r"line 12: expected -1 at the end"),
    (COORDINATES.replace("EOF", "FIXED_EDGES_SECTION\n1 2 3 -1"), r"pairs of nodes; got 3 nodes"),
    (COORDINATES.replace("EOF", "FIXED_EDGES_SECTION\n1 1 -1"), r"node 1 cannot follow itself"),
    (COORDINATES.replace("EOF", "FIXED_EDGES_SECTION\n1 6 -1"), r"line 13: .* from 1 to 5; got '6"),
    (COORDINATES.replace("EOF", "FIXED_EDGES_SECTION\n1 2 -1 3 4"), r"nothing after -1; got '3'"),
    (COORDINATES.replace("EOF", "FIXED_EDGES_SECTION\n1 2 1 3 1 4 -1"), r"node 1 has more than tw"),
    (COORDINATES.replace("EOF", "FIXED_EDGES_SECTION\n1 2 4 5 -1"), r"one chain, .* 4 5 is not on"),
    (COORDINATES.replace("EOF", "FIXED_EDGES_SECTION\n1 2 2 3 3 1 -1"), r"leaves other nodes out:"),
    (EXPLICIT.replace("FULL_MATRIX", "UPPER_ROW"), r"expected 6 numbers.*got 16: likely FULL_MATR"),
    (EXPLICIT.replace("N: 4", "N: 5000"), r"expected 25000000 numbers.*got 16: the file or its he"),
    (EXPLICIT.replace("ATSP", "TSP"), r"same distance both ways; got 1 from 1 to 2, 4 back: .*ATS"),
    (EXPLICIT.replace("6 7 8", "6 -7 8"), r"negative or NaN; got -7 from 3 to 1"),
    (EXPLICIT.replace("6 7 8", f"6 {10**29} 8"), r"whole distances must be less than 2\*\*53; got"),
    (EXPLICIT.replace("6 7 8", f"6 {2**53} 8"), r"4 edges as long as the longest, .* would exceed"),
    (EXPLICIT.replace("6 7 8", "6 7,5 8"), r"line 9: expected a finite number; got '7,5'"),
    (EXPLICIT.replace("6 7 8", "6 0x7 8"), r"line 9: expected a finite number; got '0x7'"),
    (EXPLICIT.replace("FULL_MATRIX", "FULL"), r"no EDGE_WEIGHT_FORMAT 'FULL' here"),
    (EXPLICIT.split("EDGE_WEIGHT_SECTION", maxsplit=1)[0], r"expected the section EDGE_WEIGHT_SE"),
    (b"\x89PNG\r\n\x1a\n\x00\xff\xfe", r"line 1: "),
    (b"\x00" * 100, r"line 1: expected a keyword"),
    (COORDINATES.encode("utf-16"), r"line 1: "),
]  # fmt: skip


@pytest.mark.parametrize(("content", "message"), BAD)
def test_a_file_that_does_not_keep_to_the_format_is_refused_and_the_line_named(
    read, content, message
):
    with pytest.raises(ValueError, match=message) as caught:
        read(content)
    assert "file.tsp" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_a_file_of_many_megabytes_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "large.tsp"
    with path.open("wb") as file:
        os.truncate(file.fileno(), 1 << 40)  # a sparse file takes no place
    with pytest.raises(
        ValueError, match=r"large.tsp has 1099511627776 bytes: expected .* of \d+ at most$"
    ):
        read_tsplib(path)


# Tours


def test_a_tour_is_read_as_the_order_of_the_nodes_from_zero(read):
    assert read(TOUR, read_tour).tolist() == [0, 2, 1, 3]


@given(st.permutations(range(30)), st.integers(1, 30))
def test_a_tour_that_is_written_is_read(tmp_path_factory, order, n):
    path = tmp_path_factory.mktemp("tours") / "some.tour"
    tour = np.array([node for node in order if node < n], dtype=np.int16)
    write_tour(path, tour, comment=f"length {n}")
    np.testing.assert_array_equal(read_tour(path), tour)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (TOUR.replace("TOUR\n", "TSP\n", 1), r"line 2: cannot use TYPE TSP: an instance: read it"),
        (
            TOUR.replace("1 3", "1 2"),
            r"line 4: expected every node from 1 to 4 once; node 3 is miss",
        ),
        (TOUR.replace("1 3", "1 5"), r"every node from 1 to 4 once; node 3 is missing"),
        (TOUR.replace("1 3", "1"), r"line 4: expected 4 nodes, as DIMENSION says; got 3"),
        (TOUR.replace(": 4", ": 1000000000000"), r"expected 1000000000000 nodes, .*; got 4"),
        (TOUR.replace("-1\n", ""), r"line 4: expected -1 at the end of the section; got none"),
        (TOUR.replace("-1", "-1\n1 2 3 4\n-1"), r"line 9: expected nothing after -1; got '1'"),
        (TOUR.replace("1 3", "1 3.0"), r"line 5: expected a whole number at least 1; got '3.0'"),
        (TOUR.split("TOUR_SECTION", maxsplit=1)[0], r"expected the section TOUR_SECTION; got none"),
        ("TYPE : TOUR\nTOUR_SECTION\n-1", r"line 2: expected a tour; got no node"),
    ],
)
def test_what_is_no_tour_is_refused(read, content, message):
    with pytest.raises(ValueError, match=message):
        read(content, read_tour)


@pytest.mark.parametrize("x", [[0, 0], [1, 2], [[0, 1]], [0.0, 1.0]])
def test_only_a_tour_is_written(tmp_path, x):
    with pytest.raises(ValueError, match="expected one tour"):
        write_tour(tmp_path / "none.tour", np.array(x))
    with pytest.raises(ValueError, match="a comment of one line"):
        write_tour(tmp_path / "none.tour", np.arange(3), comment="two\nlines")
    assert not list(tmp_path.iterdir())


# Damaged files

WORDS = (
    *(b"1000000000", b"1e308", b"-1", b"nan", b"EOF", b"DIMENSION : 4999", b":", b"\n", b"0"),
    *(b"EXPLICIT", b"GEO", b"LOWER_ROW", b"FIXED_EDGES_SECTION", b"TOUR", b"ATSP", b"9" * 40),
)
ALPHABET = np.frombuffer(b"0123456789 .-eEnaif:\n\r\t\x00\xff_+", dtype=np.uint8)
N_DAMAGED = int(os.environ.get("CEM_FUZZ", "300"))  # CEM_FUZZ=10000 for a thorough search


def damaged(rng):
    """One of the files above, with one to three mutations."""
    content = bytearray([COORDINATES, EXPLICIT, TOUR][rng.integers(3)].encode())
    for _ in range(rng.integers(1, 4)):
        at, what = int(rng.integers(len(content) + 1)), rng.integers(5)
        if what == 0:
            content[at : at + 1] = rng.choice(ALPHABET, 1).tobytes()
        elif what == 1:
            del content[at : at + int(rng.integers(1, 20))]
        elif what == 2:
            content[at:at] = rng.choice(ALPHABET, rng.integers(1, 6)).tobytes()
        elif what == 3:
            content[at:at] = WORDS[rng.integers(len(WORDS))]
        else:  # a line is lost, or there twice
            lines = bytes(content).split(b"\n")
            k = int(rng.integers(1, len(lines) + 1))
            lines[k - 1 : k] = lines[k - 1 : k] * int(2 * rng.integers(2))
            content = bytearray(b"\n".join(lines))
    return bytes(content)


def test_damaged_files_are_read_as_they_are_or_refused_with_a_value_error(read):
    rng, refused = np.random.default_rng(0), 0
    tracemalloc.start()
    for _ in range(N_DAMAGED):
        content = damaged(rng)
        for reading in (read_tsplib, read_tour):
            try:
                found = read(content, reading)
            except ValueError as error:
                refused += 1
                assert len(str(error)) < 600  # noqa: PT017 - some of them can be read
            else:
                assert len(found if reading is read_tour else found.distance) <= 6
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert N_DAMAGED < refused < 2 * N_DAMAGED  # a file is an instance or a tour, not both
    assert peak < 20e6  # bytes


# The public files


@pytest.mark.parametrize(
    ("name", "nodes", "optimum"),
    [
        ("a280", 280, 2579), ("att48", 48, 10628), ("bayg29", 29, 1610), ("bays29", 29, 2020),
        ("berlin52", 52, 7542), ("eil101", 101, 629), ("eil51", 51, 426), ("fri26", 26, 937),
        ("gr202", 202, 40160), ("gr48", 48, 5046), ("gr96", 96, 55209), ("kroD100", 100, 21294),
        ("lin105", 105, 14379), ("rd100", 100, 7910), ("st70", 70, 675), ("tsp225", 225, 3916),
        ("ulysses16", 16, 6859), ("ulysses22", 22, 7013),
    ],
)  # fmt: skip
def test_the_best_known_tours_of_the_library_are_as_long_as_it_says(shared, name, nodes, optimum):
    tsp = read_tsplib(shared / "tsplib" / f"{name}.tsp")
    tour = read_tour(shared / "tsplib" / f"{name}.opt.tour")
    assert tsp.n == nodes
    assert tsp(tour[None]).tolist() == [optimum]
    assert tsp.symmetric


@pytest.mark.parametrize(
    ("name", "nodes"),
    [("br17", 17), ("ft53", 53), ("ftv170", 171), ("ftv33", 34), ("p43", 43), ("ry48p", 48)],
)
def test_the_asymmetric_instances_are_read_with_their_sizes(shared, name, nodes):
    tsp = read_tsplib(shared / "tsplib" / f"{name}.atsp")
    assert (tsp.n, tsp.symmetric) == (nodes, False)


def test_every_public_instance_can_be_read(shared):
    files = sorted((shared / "tsplib").glob("*tsp"))
    assert len(files) == 48
    for path in files:
        tsp = read_tsplib(path)
        assert np.isfinite(tsp.distance).all()
        assert tsp(np.arange(tsp.n)[None])[0] == sum(
            int(tsp.distance[i, j]) for i, j in pairwise([*range(tsp.n), 0])
        )
