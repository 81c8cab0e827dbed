"""Fisher's Iris is as printed, CSV files are read exactly or refused, and so are X and y."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from problems.classification import LogisticRegression, iris, problem, read_csv

GOOD = "height,width,kind\n1.5,2,oak\n-1e3,0.25,elm\n\n3,4,oak\n"

# Iris


def test_iris_has_the_sums_of_its_columns_by_species():
    lengths, species = iris()
    assert lengths.shape == (150, 4)
    tenths = np.rint(10 * lengths).astype(int)
    sums = {name: tenths[species == name].sum(axis=0).tolist() for name in np.unique(species)}
    assert sums == {
        "setosa": [2503, 1714, 731, 123],
        "versicolor": [2968, 1385, 2130, 663],
        "virginica": [3294, 1487, 2776, 1013],
    }


def test_iris_has_the_flowers_of_fishers_paper_where_other_copies_differ():
    lengths, _ = iris()
    assert lengths[34].tolist() == [4.9, 3.1, 1.5, 0.2]
    assert lengths[37].tolist() == [4.9, 3.6, 1.4, 0.1]


def test_iris_is_that_of_scikit_learn_to_the_last_bit():
    datasets = pytest.importorskip("sklearn.datasets")
    theirs = datasets.load_iris()
    lengths, species = iris()
    np.testing.assert_array_equal(lengths, theirs.data)
    np.testing.assert_array_equal(species, theirs.target_names[theirs.target])


# Files


@pytest.fixture
def write(tmp_path):
    def writer(content):
        path = tmp_path / "trees.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return writer


def test_a_file_is_columns_with_names_and_the_class_last(write):
    table = read_csv(write(GOOD))
    assert table.features == ("height", "width")
    assert table.X.tolist() == [[1.5, 2.0], [-1000.0, 0.25], [3.0, 4.0]]
    assert table.y.tolist() == ["oak", "elm", "oak"]


def test_a_file_without_names_has_numbered_columns(write):
    table = read_csv(write(GOOD.partition("\n")[2]))
    assert table.features == ("1", "2")
    assert table.X.shape == (3, 2)


@pytest.mark.parametrize(
    "content",
    [
        GOOD.replace("\n", "\r\n"),
        "\ufeff" + GOOD,
        GOOD.replace(",", ", "),
        GOOD.replace("oak", '"oak"'),
    ],
    ids=["DOS", "byte order mark", "blanks", "quotes"],
)
def test_the_freedoms_of_the_format_change_nothing(write, content):
    table = read_csv(write(content))
    assert table.features == ("height", "width")
    assert table.X.tolist() == [[1.5, 2.0], [-1000.0, 0.25], [3.0, 4.0]]
    assert table.y.tolist() == ["oak", "elm", "oak"]


@given(
    st.lists(
        st.tuples(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9), st.sampled_from("abc")), min_size=1
    )
)
def test_what_is_written_is_read(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("tables") / "table.csv"
    path.write_text("".join(f"{a!r},{b!r},{label}\n" for a, b, label in rows))
    table = read_csv(path)
    assert table.X.tolist() == [[a, b] for a, b, _ in rows]
    assert table.y.tolist() == [label for *_, label in rows]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"expected a row per line; got an empty file$"),
        ("oak\nelm\n", r"expected numbers and a class, separated by commas; got 'oak'$"),
        (
            GOOD.replace("3,4,oak", "3,oak"),
            r"line 5: expected 3 columns as in the first line; got 2$",
        ),
        (GOOD.replace("0.25", "wide"), r"line 3: expected a number .* but the last; got 'wide'$"),
        (GOOD.replace("0.25", ""), r"line 3: expected a number .* but the last; got ''$"),
        (b"\x89PNG\r\n\x1a\n\x00\xff\xfe", r"is not a CSV file: "),
    ],
)
def test_a_file_that_does_not_keep_to_the_format_is_refused_and_the_line_named(
    write, content, message
):
    with pytest.raises(ValueError, match=message) as caught:
        read_csv(write(content))
    assert "trees.csv" in str(caught.value)


def test_a_file_with_a_gap_is_refused_by_the_problem_with_the_row(write):
    with pytest.raises(ValueError, match=r"got nan in row 1, column 1: remove the row"):
        problem(write(GOOD.replace("0.25", "nan")))


def test_a_problem_is_made_of_a_file_and_a_choice_of_columns_and_classes(write):
    path = write("a,b,c,kind\n1,2,3,x\n4,5,6,y\n7,8,9,z\n2,2,2,x\n")
    made = problem(path, features="c, a", classes="z,x", standardise=False)
    assert made.X.tolist() == [[3.0, 1.0], [9.0, 7.0], [2.0, 2.0]]
    assert made.classes.tolist() == ["x", "z"]
    assert made.labels.tolist() == [0, 1, 0]


# X and y


@pytest.mark.parametrize(
    ("y", "classes", "labels"),
    [
        (["b", "a", "b", "c"], ["a", "b", "c"], [1, 0, 1, 2]),
        (np.array(["b", "a", "b", "c"], dtype=object), ["a", "b", "c"], [1, 0, 1, 2]),
        ([7, -1, 7, 7], [-1, 7], [1, 0, 1, 1]),
        ([True, False, True, True], [False, True], [1, 0, 1, 1]),
    ],
    ids=["words", "objects", "numbers", "truths"],
)
def test_classes_are_the_different_labels_sorted(y, classes, labels):
    made = LogisticRegression(np.eye(4), y)
    assert made.classes.tolist() == classes
    assert made.labels.tolist() == labels


@pytest.mark.parametrize(
    ("x", "y", "error", "message"),
    [
        ([1.0, 2.0], [0, 1], ValueError, r"X must have shape \(n, d\).*got shape \(2,\)$"),
        (np.zeros((2, 0)), [0, 1], ValueError, r"X must have shape \(n, d\).*got shape \(2, 0\)$"),
        ([[1.0, 2.0], [3.0]], [0, 1], (TypeError, ValueError), r"X must be an array of numbers"),
        ([["a"], ["b"]], [0, 1], TypeError, r"X must be an array of numbers"),
        ([[1.0, 2.0], [3.0, np.nan]], [0, 1], ValueError, r"got nan in row 1, column 1"),
        ([[np.inf], [0.0]], [0, 1], ValueError, r"X must be finite; got inf in row 0, column 0"),
        ([[1.0], [2.0]], [0, 1, 1], ValueError, r"one class per row .* \(2,\); got shape \(3,\)$"),
        ([[1.0], [2.0]], [[0], [1]], ValueError, r"one class per row .* got shape \(2, 1\)$"),
        ([[1.0], [2.0]], ["a", "a"], ValueError, r"two classes or more; got only 'a'$"),
        ([[1.0], [2.0]], [0.0, 1.0], TypeError, r"whole numbers or words; got dtype float64$"),
        ([[1.0], [2.0]], [None, "a"], TypeError, r"whole numbers or words; got dtype object$"),
    ],
)
def test_rows_and_classes_that_are_none_are_refused(x, y, error, message):
    with pytest.raises(error, match=message):
        LogisticRegression(x, y)


def test_the_rows_of_a_problem_are_its_own_and_read_only():
    x = np.eye(2)
    made = LogisticRegression(x, [0, 1])
    x[0, 0] = 9.0
    assert made.X[0, 0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        made.X[0, 0] = 2.0
