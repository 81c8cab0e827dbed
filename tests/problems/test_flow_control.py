"""Flow control: rewards against the Markov chain, the best policy by iteration and enumeration."""

from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest

import cem
from cem.testing import ProblemContract
from problems.flow_control import FlowControl, problem

THREE = FlowControl([3.0, 1.5, 4.0], [1.0, 3.0, 0.4], circuits=6)


class TestFlowControl(ProblemContract):
    problem = problem()


def policies(link, n=30):
    return link.nominal().sample(np.random.default_rng(0), n)


def by_the_generator(link, x):
    """The reward of one policy, from the stationary equations of the chain, solved densely."""
    taken = np.reshape(x, (link.rate.size, link.circuits))
    q = np.zeros((link.circuits + 1, link.circuits + 1))
    for s in range(link.circuits):
        q[s, s + 1] = (taken[:, s] * link.rate).sum()
        q[s + 1, s] = s + 1
    q -= np.diag(q.sum(axis=1))
    equations = np.vstack([q.T[1:], np.ones(len(q))])
    p = np.linalg.solve(equations, np.eye(len(q))[-1])
    return sum(p[s] * (taken[:, s] * link.rate * link.reward).sum() for s in range(link.circuits))


def by_value_iteration(link):
    """The most that can be earned, from the optimality equations of the uniformised chain."""
    busy, v = np.arange(link.circuits + 1), np.zeros(link.circuits + 1)
    step = 1 / (link.rate.sum() + link.circuits)
    for _ in range(100_000):
        drop = np.append(v[:-1] - v[1:], np.inf)  # no call is taken when all are busy
        gain = link.rate[:, None] * np.maximum(link.reward[:, None] - drop, 0)
        change = step * (gain.sum(axis=0) + busy * (np.roll(v, 1) - v))
        v = v + change
        if np.ptp(change) < 1e-13:
            return change.mean() / step
    raise AssertionError("value iteration did not converge")


@pytest.mark.parametrize("link", [problem(circuits=8), THREE])
def test_the_score_is_the_reward_of_the_stationary_chain(link):
    x = policies(link)
    expected = [by_the_generator(link, row) for row in x]
    np.testing.assert_allclose(link(x), expected, rtol=1e-11)


def test_a_link_that_takes_every_call_loses_what_erlang_says():
    a, lost = 7.0, 1.0
    for circuits in range(1, 11):
        lost = a * lost / (circuits + a * lost)  # Erlang's B formula by its recursion
    link = FlowControl([a], [2.0], circuits=10)
    everything = np.ones((1, 10), dtype=np.int8)
    assert link.blocking(everything)[0, 0] == pytest.approx(lost, rel=1e-13)
    assert link(everything)[0] == pytest.approx(2 * a * (1 - lost), rel=1e-13)


def test_rewards_are_those_of_the_calls_that_are_not_lost():
    x = policies(THREE)
    earned = (1 - THREE.blocking(x)) @ (THREE.rate * THREE.reward)
    np.testing.assert_allclose(THREE(x), earned, rtol=1e-12)


def test_a_link_that_takes_no_call_earns_nothing():
    assert THREE(np.zeros((1, 18)))[0] == 0.0
    assert THREE.blocking(np.zeros((1, 18))).tolist() == [[1.0, 1.0, 1.0]]


def test_a_very_large_link_is_scored_without_overflow():
    link = FlowControl([5000.0], [1.0], circuits=4000)
    assert 3990 < link(np.ones((1, 4000)))[0] < 4000


@pytest.mark.parametrize(
    "link",
    [problem(), problem(circuits=5, rate=9.0, cheap_rate=2.0), THREE, FlowControl([2], [1], 3)],
)
def test_the_exact_reward_is_that_of_value_iteration(link):
    assert link.exact() == pytest.approx(by_value_iteration(link), rel=1e-10)


@pytest.mark.parametrize("reward", [0.1, 0.5, 0.9])
def test_the_exact_reward_is_the_best_of_all_policies(reward):
    link = FlowControl([3.0, 2.0], [1.0, reward], circuits=5)
    every = np.array(list(product((0, 1), repeat=10)), dtype=np.int8)
    assert link.exact() == pytest.approx(link(every).max(), rel=1e-13)


@pytest.mark.parametrize("link", [problem(), THREE])
def test_the_best_of_all_trunk_reservations_is_the_best_of_all_policies(link):
    every = list(product(range(link.circuits + 1), repeat=link.rate.size))
    assert link(link.reserving(every)).max() == pytest.approx(link.exact(), rel=1e-13)


def test_reserving_circuits_for_the_dear_calls_pays():
    link = problem()
    none, some = link(link.reserving([[0, 0], [0, 2]]))
    assert none < some < link.exact() * (1 + 1e-13)


@pytest.mark.parametrize("link", [problem(), THREE])
def test_every_one_of_five_searches_finds_a_best_policy(link):
    for seed in range(5):
        assert cem.maximize(link, rng=seed).fun == pytest.approx(link.exact(), rel=1e-12)


def test_the_calls_lost_are_reported():
    link = FlowControl([1.0, 1.0], [2.0, 1.0], circuits=1)
    found = SimpleNamespace(x=np.array([1, 0]))
    assert link.report(found) == {"calls lost of class 0": "0.5", "calls lost of class 1": "1"}


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: problem(circuits=0), ValueError, "circuits must be at least 1; got 0"),
        (lambda: problem(circuits=2.5), TypeError, "circuits must be a whole number; got 2.5"),
        (lambda: problem(rate=0.0), ValueError, "every rate must be positive.*0 for class 0"),
        (lambda: problem(cheap_reward=-1), ValueError, "every reward must be.*-1 for class 1"),
        (lambda: FlowControl([1.0, 2.0], [1.0], 3), ValueError, "each class of calls; got 2 and 1"),
        (lambda: FlowControl([], [], 3), ValueError, r"rate must hold.*got shape \(0,\)"),
        (lambda: THREE(np.ones((2, 5))), ValueError, r"3 x 6 bits.*got \(2, 5\)"),
        (lambda: THREE(np.full((1, 18), 2)), ValueError, "zeros and ones; got 2"),
    ],
)
def test_a_mistake_is_named(make, kind, message):
    with pytest.raises(kind, match=message):
        make()
