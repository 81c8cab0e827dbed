"""The activity network: expected times by closed forms and quadrature, the best shares."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.integrate import quad

import cem
from cem.randomness import root_of
from cem.testing import ProblemContract
from problems.activity_network import ActivityNetwork, Simulated, problem
from problems.rare_event.pert import Pert

PROBLEM = problem()
NOISY = problem(simulated=True)
FIVE = [[0, 1], [0, 2], [1, 2], [1, 3], [2, 3]]  # the bridge: three paths
BRIDGE = ActivityNetwork(Pert(FIVE, [1.0, 2.0, 0.5, 1.5, 1.0], 0.0), 4.0)
STAGES = ActivityNetwork(Pert(FIVE, [1.0, 2.0, 0.5, 1.5, 1.0], 0.0, [2, 1, 1, 3, 2]), 4.0)


class TestActivityNetwork(ProblemContract):
    minimised = True
    problem = PROBLEM


class TestSimulated(ProblemContract):
    problem = NOISY.bind(np.random.default_rng(1))
    nominal = NOISY.nominal()


def shares(network, n=20):
    return network.nominal().sample(np.random.default_rng(0), n)


def test_activities_in_turn_take_the_sum_of_their_means():
    mean, n = np.array([1.0, 4.0, 2.25]), 3
    network = ActivityNetwork(Pert([[k, k + 1] for k in range(n)], mean, 0.0, [1, 2, 5]), 3.0)
    x = shares(network)
    np.testing.assert_allclose(network(x), (mean / (3.0 * x)).sum(axis=1), rtol=1e-14)
    best = np.sqrt(mean).sum() ** 2 / 3.0  # by Cauchy's inequality
    assert network.exact() == pytest.approx(best, rel=1e-11)
    found = cem.minimize(network, rng=0)
    assert found.fun == pytest.approx(best, rel=1e-10)
    np.testing.assert_allclose(found.x, np.sqrt(mean) / np.sqrt(mean).sum(), rtol=1e-4)


@pytest.mark.parametrize("n", [2, 3, 6])
def test_equal_activities_side_by_side_take_a_harmonic_number(n):
    network = ActivityNetwork(Pert([[0, 1]] * n, np.full(n, 2.0), 0.0), 5.0)
    best = sum(1 / k for k in range(1, n + 1)) * 2.0 * n / 5.0
    assert network(np.full((1, n), 1 / n))[0] == pytest.approx(best, rel=1e-14)
    assert network.exact() == pytest.approx(best, rel=1e-11)


@pytest.mark.parametrize("network", [BRIDGE, STAGES])
def test_the_expected_time_is_the_integral_of_the_probability_to_be_late(network):
    project, x = network.project, shares(network)[:1]
    mean, expected = project.mean / (network.budget * x[0]), network(x)[0]

    def late(gamma):
        return Pert(project.ends, mean, gamma, project.stages).exact()

    integral = quad(late, 0, 25 * expected, points=[expected], epsrel=1e-7)[0]
    assert integral == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("network", [BRIDGE, STAGES, PROBLEM])
def test_gradients_are_those_of_the_expected_time(network):
    x, step = shares(network), 1e-6
    gradient = network.gradient(x)
    np.testing.assert_allclose((gradient * x).sum(axis=1), -network(x), rtol=1e-12)  # Euler
    for k, e in enumerate(step * np.eye(x.shape[1])):
        # along the shares, whose sum must stay 1: less of the first, more of activity k
        up, down = (network(x + sign * (e - step * np.eye(x.shape[1])[0])) for sign in (1, -1))
        along = gradient[:, k] - gradient[:, 0]
        np.testing.assert_allclose((up - down) / (2 * step), along, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("network", [BRIDGE, STAGES, PROBLEM])
def test_every_search_finds_the_least_time_and_a_tangent_proves_it(network):
    """A convex function lies above its tangent, whose least value is at a corner."""
    for seed in range(3):
        found = cem.minimize(network, rng=seed)
        assert found.fun == pytest.approx(network.exact(), rel=1e-10)
        at_corners = 2 * found.fun + network.gradient(found.x[None])[0]  # f(x) + f'(x) (e_k - x)
        assert at_corners.min() > found.fun * (1 - 1e-5)


def test_simulated_times_have_the_expected_mean():
    n = 40_000
    for network in (BRIDGE, STAGES):
        x = shares(network)[:3]
        times = Simulated(network, n).bind(np.random.default_rng(2))
        each = network.times(x, times.durations)
        np.testing.assert_allclose(times(x), each.mean(axis=1), rtol=1e-14)
        z = (each.mean(axis=1) - network(x)) / (each.std(axis=1) / math.sqrt(n))
        assert abs(z).max() < 5.5  # 6 means: false alarm below 3e-7


def test_a_project_of_given_durations_takes_its_longest_path():
    x = np.full((1, 5), 0.2)
    durations = np.array([[1.0, 2.0, 0.5, 1.5, 1.0], [1.0, 0.5, 3.0, 1.0, 1.0]])
    np.testing.assert_allclose(BRIDGE.times(x, durations), [[3.0 / 0.8, 5.0 / 0.8]], rtol=1e-14)


def test_all_samples_of_an_iteration_share_their_durations():
    root, x = root_of(1), shares(PROBLEM, 40)
    whole = NOISY.bound_at(root, 3, 0)(x)
    parts = [NOISY.bound_at(root, 3, start)(x[start : start + 10]) for start in range(0, 40, 10)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert (NOISY.bound_at(root, 4, 0)(x) != whole).all()


def test_every_one_of_five_noisy_searches_is_within_a_thousandth_of_the_least_time():
    assert NOISY.exact() == PROBLEM.exact()
    for seed in range(5):
        found = cem.minimize(NOISY, rng=seed)
        mean = NOISY.mean(found.x[None])[0]
        assert mean < 1.001 * PROBLEM.exact()
        low, high = found.confidence_interval(1 - 1e-7)
        assert low < mean < high


def test_an_answer_is_reported_beside_its_expected_time():
    equal = np.full(9, 1 / 9)
    found = SimpleNamespace(x=equal, confidence_interval=lambda: (1.0, 2.0))
    true = f"{PROBLEM(equal[None])[0]:.6g}"
    assert NOISY.report(found) == {"interval": "1 to 2", "expected time": true}


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: problem(budget=0.0), ValueError, "budget must be positive and finite; got 0.0"),
        (lambda: ActivityNetwork(3, 1.0), TypeError, "project must be a Pert; got 3"),
        (
            lambda: ActivityNetwork(Pert([[0, 1]], [1.0], 0.0), 1.0),
            ValueError,
            "nothing to share out: the project has one activity only",
        ),
        (lambda: Simulated(BRIDGE, 0), ValueError, "replications must be at least 1; got 0"),
        (lambda: BRIDGE(np.full((1, 4), 0.25)), ValueError, r"5 activities.*got \(1, 4\)"),
        (lambda: BRIDGE(np.full((1, 5), 0.25)), ValueError, "sum to 1; .*of sum 1.25, at index 0"),
        (lambda: BRIDGE([[0.5, 0.5, 0, 0, 0]]), ValueError, "shares must be positive"),
        (lambda: BRIDGE(np.full((1, 5), np.nan)), ValueError, "shares must be positive"),
        (
            lambda: ActivityNetwork(Pert([[0, 1]] * 13, np.ones(13), 0.0), 1.0).exact(),
            ValueError,
            "at most 5000 states; this project has more: simulate it",
        ),
    ],
)
def test_a_mistake_is_named(make, kind, message):
    with pytest.raises(kind, match=message):
        make()
