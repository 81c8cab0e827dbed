"""Paths: sequences of different lengths that are picked, summed and padded as one batch."""

import numpy as np
import pytest

from cem.families.paths import Paths

X = Paths(np.arange(12).reshape(6, 2), [2, 1, 3])


def as_lists(x):
    return [x[i].tolist() for i in range(len(x))]


def test_a_path_is_the_array_of_its_steps():
    assert as_lists(X) == [[[0, 1], [2, 3]], [[4, 5]], [[6, 7], [8, 9], [10, 11]]]
    assert X[-1].tolist() == X[2].tolist()


@pytest.mark.parametrize(
    ("which", "places"),
    [
        (slice(1, 3), [1, 2]),
        (slice(0, 0), []),
        (np.array([True, False, True]), [0, 2]),
        (np.array([2, 0, 2]), [2, 0, 2]),
        ([1], [1]),
    ],
)
def test_slices_masks_and_indices_pick_paths(which, places):
    assert as_lists(X[which]) == [X[i].tolist() for i in places]


def test_values_of_the_steps_are_summed_and_compared_along_each_path():
    values = np.array([1.0, 5.0, -2.0, 0.5, 0.25, 0.125])
    assert X.total(values).tolist() == [6.0, -2.0, 0.875]
    assert X.largest(values).tolist() == [5.0, -2.0, 0.5]
    assert X[:0].total(values[:0]).shape == (0,)


def test_as_an_array_it_has_zeros_after_the_end_of_a_path():
    assert np.asarray(X)[:, :, 0].tolist() == [[0, 2, 0], [4, 0, 0], [6, 8, 10]]


def test_steps_may_be_records():
    records = np.array([(1, 2.0), (3, 4.0)], [("a", int), ("b", float)])
    x = Paths(records, [1, 1])
    assert x[1]["b"].tolist() == [4.0]
    assert len(x[1:]) == 1


@pytest.mark.parametrize("length", [[2, 1], [2, 1, 4], [3, 0, 3], [[6]], [7, -1]])
def test_lengths_that_are_not_those_of_the_steps_are_refused(length):
    with pytest.raises(ValueError, match=r"^Paths needs a row per step and one length per path"):
        Paths(X.steps, length)
