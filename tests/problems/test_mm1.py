"""M/M/1: the gambler's ruin in closed form."""

import pytest

import cem
from cem.testing import ProblemContract
from problems.rare_event.queues.mm1 import mm1


class TestMM1(ProblemContract):
    problem = mm1(level=5)


@pytest.mark.parametrize(
    ("arrival", "service", "level"), [(0.5, 1, 20), (0.3, 0.7, 25), (0.2, 0.8, 20), (2, 1, 9)]
)
def test_one_queue_is_the_gamblers_ruin(arrival, service, level):
    r = service / arrival
    exact = (r - 1) / (r**level - 1)
    assert mm1(arrival, service, level).exact() == pytest.approx(exact, rel=1e-11)


def test_the_estimate_is_within_two_per_cent_of_the_closed_form():
    found = cem.estimate(mm1(0.5, 1.0, level=20), rng=1)
    exact = 1 / (2**20 - 1)
    assert found.success
    assert abs(found.probability / exact - 1) < 0.02
    assert abs(found.probability - exact) < 4 * found.std_error
