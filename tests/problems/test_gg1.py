"""GI/G/1: waits against Lindley's recursion on a grid and against the equilibrium."""

import numpy as np
import pytest
from scipy.optimize import brentq

import cem
from cem.families.paths import Paths
from cem.testing import ProblemContract
from problems.rare_event.queues.gg1 import GG1


class TestGG1(ProblemContract):
    problem = GG1(customers=20, gamma=5.0)
    n = 100


def finite_wait(arrival, service, n, gamma, step=0.002):
    """``P(W_(n+1) >= gamma)`` by Lindley's recursion on a grid, exponential times."""
    y = np.arange(0, 12 * gamma, step)
    mass, atom = np.zeros(len(y)), 1.0
    scale = arrival * service / (arrival + service)
    rise = scale * np.exp(-service * y)
    fall = scale * np.exp(-arrival * y)
    half = np.ones(len(y))
    half[0] = 0.5
    for _ in range(n):
        size = 2 * len(y)
        up = np.fft.irfft(np.fft.rfft(mass * half, size) * np.fft.rfft(rise * half, size), size)
        down = np.fft.irfft(
            np.fft.rfft((mass * half)[::-1], size) * np.fft.rfft(fall * half, size), size
        )
        mass = atom * rise + step * (up[: len(y)] + down[: len(y)][::-1])
        atom = 1 - step * (mass * half).sum()
    after = mass[y >= gamma]
    return step * (after.sum() - 0.5 * after[0])


@pytest.mark.parametrize(("customers", "gamma"), [(1, 2.0), (3, 2.0), (12, 3.0)])
def test_the_wait_is_that_of_lindleys_recursion_on_a_grid(customers, gamma):
    exact = GG1(0.5, 1.0, gamma, customers).exact()
    assert exact == pytest.approx(finite_wait(0.5, 1.0, customers, gamma), rel=2e-4)


def test_the_first_wait_is_a_difference_of_exponentials():
    assert GG1(0.5, 1.0, 2.0, 1).exact() == pytest.approx(np.exp(-2.0) / 3, rel=1e-14)


@pytest.mark.parametrize(("arrival", "service"), [(0.5, 1.0), (0.3, 0.7)])
def test_the_wait_in_equilibrium_is_exponential(arrival, service):
    exact = arrival / service * np.exp(-(service - arrival) * 15)
    assert GG1(arrival, service, 15.0, 500).exact() == pytest.approx(exact, rel=1e-9)


def test_long_waits_in_m_m_1_are_estimated():
    queue = GG1()
    found = cem.estimate(queue, rng=1)
    assert found.success
    assert found.relative_error < 0.02
    assert abs(found.probability - queue.exact()) < 4 * found.std_error


def test_long_waits_between_erlang_arrivals_are_those_of_the_equilibrium():
    # GI/M/1: P(W > y) = s e^(-mu (1 - s) y), where s is the transform of the gaps at mu (1 - s)
    queue = GG1(0.5, 1.0, gamma=10.0, customers=80, gap_shape=2.0)
    s = brentq(lambda s: (1 + 1 - s) ** -2 - s, 1e-6, 0.9)
    found = cem.estimate(queue, rng=1)
    assert found.success
    assert abs(found.probability - s * np.exp(-(1 - s) * 10)) < 4 * found.std_error


def test_the_score_of_a_wait_is_the_largest_sum():
    steps = np.zeros(3, GG1().nominal().sample(np.random.default_rng(0), 1).steps.dtype)
    steps["service"][:, 0], steps["gap"][:, 0] = [3.0, 1.0, 4.0], [1.0, 2.5, 3.0]
    assert GG1(customers=3)(Paths(steps, [3])).tolist() == [2.0]


def test_the_exact_wait_is_refused_for_other_times():
    with pytest.raises(ValueError, match=r"known for exponential times only.*gap_shape=2 and serv"):
        GG1(gap_shape=2.0).exact()
