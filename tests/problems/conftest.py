"""What tests of several problems ask."""

import numpy as np
import pytest

from cem.randomness import root_of


@pytest.fixture
def assert_common_numbers():
    """All samples of an iteration share their random numbers, whatever the chunk; no others do."""

    def check(problem):
        root, x = root_of(1), problem.nominal().sample(np.random.default_rng(0), 40)
        whole = problem.bound_at(root, 3, 0)(x)
        chunks = [(start, x[start : start + 10]) for start in range(0, 40, 10)]
        parts = [problem.bound_at(root, 3, start)(part) for start, part in chunks]
        np.testing.assert_array_equal(np.concatenate(parts), whole)
        assert (problem.bound_at(root, 4, 0)(x) != whole).all()
        assert (problem.bound_at(root_of(2), 3, 0)(x) != whole).all()

    return check
