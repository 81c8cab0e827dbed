"""Clustering: scores against the definition, Lloyd's steps, small sets by enumeration, iris."""

from itertools import product

import numpy as np
import pytest

import cem
from cem.testing import ProblemContract
from problems import load
from problems.clustering import Clustering, Lloyd
from problems.parts import by_first

SMALL = Clustering(np.random.default_rng(1).normal(size=(8, 2)), k=3)
EVERY = np.array(list(product(range(3), repeat=8)))


class TestIris(ProblemContract):
    minimised = True
    problem = load("clustering")


class TestManyClusters(ProblemContract):
    minimised = True
    problem = Clustering(np.random.default_rng(2).normal(size=(9, 3)), k=7)


def by_definition(points, label):
    parts = [points[label == k] for k in set(label.tolist())]
    return sum(((part - part.mean(axis=0)) ** 2).sum() for part in parts)


def test_the_score_is_the_sum_of_squares_within_the_clusters():
    x = EVERY[::17]
    expected = [by_definition(SMALL.points, label) for label in x]
    np.testing.assert_allclose(SMALL(x), expected, rtol=1e-12)


def test_half_the_mean_squared_distance_of_pairs_is_the_same():
    squared = ((SMALL.points[:, None] - SMALL.points) ** 2).sum(axis=2)
    for label in EVERY[::501]:
        same = label[:, None] == label
        pairs = (squared * same / same.sum(axis=1)).sum() / 2
        assert SMALL(label[None])[0] == pytest.approx(pairs, rel=1e-12)


def test_far_from_the_origin_no_digit_is_lost_to_the_origin():
    far = Clustering(SMALL.points + 1e6, k=3)
    np.testing.assert_allclose(far(EVERY[::17]), SMALL(EVERY[::17]), rtol=1e-8)


def test_every_point_on_its_own_scores_zero():
    assert Clustering(SMALL.points, k=8)(np.arange(8)[None]).tolist() == [0.0]


def test_the_numbers_of_the_clusters_mean_nothing():
    np.testing.assert_allclose(SMALL(2 - EVERY), SMALL(EVERY), rtol=1e-13)
    np.testing.assert_allclose(SMALL(by_first(EVERY)), SMALL(EVERY), rtol=1e-13)


def test_numbered_by_first_points_every_partition_is_there_once_and_possible():
    once = np.unique(by_first(EVERY), axis=0)
    assert len(once) == 1 + 127 + 966  # Stirling numbers: 8 points in 1, 2, 3 parts
    assert (SMALL.nominal().log_density(once) > -np.inf).all()


def test_lloyd_is_never_worse_leaves_its_input_and_stays_possible():
    x = SMALL.nominal().sample(np.random.default_rng(3), 300).astype(np.int8)
    before = x.copy()
    y = Lloyd(SMALL)(x, None)
    np.testing.assert_array_equal(x, before)
    assert (y.dtype, y.shape) == (x.dtype, x.shape)
    assert (SMALL(y) <= SMALL(x)).all()
    assert (SMALL(y) < SMALL(x)).any()
    assert (SMALL.nominal().log_density(y) > -np.inf).all()


def test_lloyd_ends_where_every_point_is_nearest_to_its_own_centre():
    y = Lloyd(SMALL)(EVERY[::7], None)
    centre = SMALL.centres(y)
    squared = ((SMALL.points[None, :, None] - centre[:, None]) ** 2).sum(axis=3)
    own = np.take_along_axis(squared, y[:, :, None], axis=2)[:, :, 0]
    assert (own <= squared.min(axis=2) + 1e-12).all()


def test_the_best_of_all_partitions_is_found_with_and_without_lloyd():
    least = SMALL(EVERY).min()
    assert SMALL(Lloyd(SMALL)(EVERY[::3], None)).min() == pytest.approx(least, rel=1e-12)
    assert cem.minimize(SMALL, rng=1, max_evaluations=3000).fun == pytest.approx(least, rel=1e-12)


@pytest.mark.parametrize("k", [2, 3])
def test_the_known_least_score_of_iris_is_reached_and_nothing_below(k):
    iris = load("clustering", k=k)
    x = iris.nominal().sample(np.random.default_rng(0), 200)
    found = iris(iris.refines()["lloyd"](x, None))
    assert found.min() == pytest.approx(iris.optimum, rel=1e-12)
    assert load("clustering", k=5).optimum is None


def test_a_file_has_a_row_for_every_point(tmp_path):
    path = tmp_path / "points.txt"
    path.write_text("3 2\n0 1\n2 3\n4 5e-1\n")
    assert load("clustering", data=str(path), k=2).points.tolist() == [[0, 1], [2, 3], [4, 0.5]]


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: Clustering([[1.0], [np.nan]], 1), ValueError, "finite; got nan for point 1"),
        (lambda: Clustering([1.0, 2.0]), ValueError, r"shape \(n, d\).*got \(2,\)"),
        (lambda: Clustering([[1.0]], 2), ValueError, "k must be at most the 1 points; got 2"),
        (
            lambda: Clustering([[1.0]], 0),
            ValueError,
            "k, the number of clusters, must be at least 1",
        ),
        (lambda: Clustering([[1.0]], 1.0), TypeError, "must be a whole number; got 1.0"),
        (lambda: SMALL([[0, 1]]), ValueError, r"each of 8 points.*got \(1, 2\)"),
        (lambda: SMALL([[0, 1, 2, 0, 1, 2, 0, 3]]), ValueError, r"0 to 2; got 3 at index \(0, 7\)"),
    ],
)
def test_a_mistake_is_named(make, kind, message):
    with pytest.raises(kind, match=message):
        make()
