"""Policy search: the twins against Gymnasium itself, episodes that repeat, and what is learned."""

import math
import sys

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import cem
from cem.testing import ProblemContract
from problems.policy import CartPole, Gym, Network, Pendulum, PolicySearch
from problems.policy.search import FRESH, TRAINING, TWINS, VALIDATION

RNG = np.random.default_rng(2)
BALANCE = np.array([[0, 0, 0, 0, 0, 0.5, 1, 10, 5, 0]])  # push to where the pole leans


class TestCartPole(ProblemContract):
    problem = PolicySearch("CartPole-v1", episodes=3)
    n = 50


class TestPendulum(ProblemContract):
    problem = PolicySearch("Pendulum-v1", episodes=2, hidden=9)
    n = 50


@pytest.fixture
def gymnasium():
    return pytest.importorskip("gymnasium", reason="needs Gymnasium: pip install cemkit[rl]")


@pytest.mark.parametrize("name", sorted(TWINS))
def test_a_twin_takes_the_steps_of_gymnasium_to_the_last_bit(gymnasium, name):
    twin = TWINS[name]
    with gymnasium.make(name, disable_env_checker=True) as env:
        for seed in range(10):
            seen, _ = env.reset(seed=seed)
            state, over = twin.start(seed)[:, None], False
            while not over:
                np.testing.assert_array_equal(env.unwrapped.state, state[:, 0])
                np.testing.assert_array_equal(seen, twin.observed(state).astype(np.float32)[:, 0])
                push = RNG.integers(2) if name == "CartPole-v1" else RNG.uniform(-2.5, 2.5)
                given = push if name == "CartPole-v1" else np.array([push])
                seen, reward, fell, late, _ = env.step(given)
                state, rewards, ends = twin.step(state, np.array([push]))
                assert (reward, fell) == (rewards[0], ends[0])
                over = fell or late


@pytest.mark.parametrize("name", sorted(TWINS))
@pytest.mark.parametrize("hidden", [0, 9])
def test_a_twin_has_the_returns_of_gymnasium_to_the_last_bit(gymnasium, name, hidden):  # noqa: ARG001
    twin, real = TWINS[name], Gym.named(name)
    network = Network(twin.n_observed, twin.n_outputs, hidden)
    assert (real.n_observed, real.n_outputs) == (twin.n_observed, twin.n_outputs)
    assert real.solved == twin.solved
    theta = RNG.normal(size=(4, network.n_parameters))
    if network.n_parameters == BALANCE.size:
        theta[0] = BALANCE  # to the end of the episode
    seeds = [3, 2**31, 7]
    expected = real.returns(network, theta, seeds)
    np.testing.assert_array_equal(twin.returns(network, theta, seeds), expected)


@pytest.mark.parametrize(
    ("name", "n_parameters", "low", "high"),
    [("Acrobot-v1", 21, -500, 0), ("MountainCarContinuous-v0", 3, -100, 100)],
)
def test_any_other_environment_of_gymnasium_is_played_itself(
    gymnasium,  # noqa: ARG001
    name,
    n_parameters,
    low,
    high,
):
    problem = PolicySearch(name, episodes=1)
    assert problem.n_parameters == n_parameters
    score = problem(problem.nominal().sample(np.random.default_rng(0), 2))
    assert ((score >= low) & (score <= high)).all()
    np.testing.assert_array_equal(
        score, problem(problem.nominal().sample(np.random.default_rng(0), 2))
    )


def test_an_unknown_environment_and_one_of_another_kind_are_refused(gymnasium):  # noqa: ARG001
    with pytest.raises(ValueError, match=r"^Gymnasium cannot make an environment 'Carpole-v1': "):
        PolicySearch("Carpole-v1")
    with pytest.raises(ValueError, match=r"expected .* a Box to observe.* FrozenLake-v1 has Discr"):
        PolicySearch("FrozenLake-v1")


def test_without_gymnasium_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    with pytest.raises(ValueError, match=r"'Acrobot-v1' .* pip install cemkit\[rl\]; without it"):
        PolicySearch("Acrobot-v1")
    assert PolicySearch("CartPole-v1")(np.zeros((1, 10))) < 500


def test_the_pendulum_obeys_its_equation_of_motion():
    start, torque, steps = np.array([2.0, -0.5]), 1.3, 10

    def motion(_, state):
        return [state[1], 15 * np.sin(state[0]) + 3 * torque]

    exact = solve_ivp(motion, (0, 0.05 * steps), start, rtol=1e-10, atol=1e-10).y[:, -1]
    state = start[:, None]
    for _ in range(steps):
        state, _, _ = Pendulum().step(state, np.array([torque]))
    np.testing.assert_allclose(state[:, 0], exact, rtol=0.06)


def test_the_cart_and_the_pole_obey_lagranges_equations():
    x, speed, angle, turn = state = RNG.uniform(-0.2, 0.2, size=(4, 5))
    after, _, _ = CartPole().step(state, np.array([1, 0, 1, 1, 0]))
    force = np.array([10.0, -10, 10, 10, -10])
    pull, bend = (after[1] - speed) / 0.02, (after[3] - turn) / 0.02
    # (M + m) x'' + m l (a'' cos a - a'^2 sin a) = F and 4/3 l a'' + x'' cos a = g sin a
    momentum = 1.1 * pull + 0.05 * (bend * np.cos(angle) - turn**2 * np.sin(angle))
    np.testing.assert_allclose(momentum, force, rtol=1e-12)
    np.testing.assert_allclose(4 / 3 * 0.5 * bend + pull * np.cos(angle), 9.8 * np.sin(angle))
    np.testing.assert_allclose(after[0] - x, 0.02 * speed, atol=1e-15)


def test_an_episode_ends_at_the_limits_of_the_cart_and_of_the_pole():
    lean = math.radians(12)
    states = np.array([[2.39, 0, 0, 0], [2.41, 0, 0, 0], [0, 0, -lean + 1e-6, 0], [0, 0, lean, 1]])
    assert CartPole().step(states.T, np.ones(4))[2].tolist() == [False, True, False, True]


def test_a_network_is_affine_or_has_one_layer_of_hyperbolic_tangents():
    x = RNG.normal(size=(3, 7))
    affine, network = Network(3, 2), Network(3, 2, hidden=4)
    assert (affine.n_parameters, network.n_parameters) == (8, 26)
    w, b = RNG.normal(size=(2, 3)), RNG.normal(size=2)
    theta = np.column_stack([w, b]).ravel()[:, None].repeat(7, axis=1)
    np.testing.assert_allclose(affine(theta, x), w @ x + b[:, None], rtol=1e-13)
    u, c, v = RNG.normal(size=(4, 3)), RNG.normal(size=4), RNG.normal(size=(2, 4))
    theta = np.concatenate([np.column_stack([u, c]).ravel(), np.column_stack([v, b]).ravel()])
    expected = v @ np.tanh(u @ x + c[:, None]) + b[:, None]
    found = network(theta[:, None].repeat(7, axis=1), x)
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_every_policy_plays_the_same_episodes_and_reports_play_others():
    problem = PolicySearch(episodes=4)
    twice = problem.returns(np.repeat(RNG.normal(size=(1, 10)), 2, axis=0), TRAINING, 50)
    np.testing.assert_array_equal(twice[0], twice[1])
    assert len(np.unique(twice[0])) > 1
    one = problem.returns(np.ones((1, 10)), TRAINING, 100)
    for purpose in (VALIDATION, FRESH):
        assert not np.array_equal(problem.returns(np.ones((1, 10)), purpose, 100), one)
    np.testing.assert_array_equal(problem.returns(np.ones((1, 10)), TRAINING, 4), one[:, :4])
    assert not np.array_equal(PolicySearch(seed=1).returns(np.ones((1, 10)), TRAINING, 100), one)


def test_the_score_is_the_mean_return():
    problem = PolicySearch(episodes=7)
    theta = RNG.normal(size=(5, 10))
    np.testing.assert_array_equal(problem(theta), problem.returns(theta, TRAINING, 7).mean(axis=1))


@pytest.mark.parametrize("seed", range(2))
def test_an_affine_policy_solves_cart_pole_with_the_default_settings(seed):
    problem = PolicySearch()
    found = cem.maximize(problem, n_samples=100, rng=seed)
    assert found.fun == 500
    assert problem.report(found)["solved"] == "yes, 475 is needed"


def test_a_lucky_sample_is_not_reported_where_the_mean_does_better():
    problem = PolicySearch(episodes=1)

    class Found:
        family = problem.nominal().replace(mean=BALANCE[0].astype(float))
        x = np.zeros(10)

    report = problem.report(Found)
    assert report["policy"].startswith("the mean of the density; over 100 validation episodes")
    assert report["mean return"] == "500 +- 0 over 100 fresh episodes"

    class Other:
        family = problem.nominal()
        x = BALANCE[0].astype(float)

    assert problem.report(Other)["policy"].startswith("the best sample; ")
    assert "solved" not in PolicySearch("Pendulum-v1").report(
        cem.maximize(PolicySearch("Pendulum-v1"), n_samples=20, max_iterations=1, rng=0)
    )


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: PolicySearch(episodes=0), ValueError, "episodes must be at least 1; got 0"),
        (lambda: PolicySearch(episodes=2.5), TypeError, r"episodes must be a whole number; got 2"),
        (lambda: PolicySearch(hidden=-1), ValueError, "hidden must be at least 0; got -1"),
        (lambda: PolicySearch(seed=True), TypeError, "seed must be a whole number; got True"),
        (lambda: PolicySearch(std=0.0), ValueError, r"std must be positive and finite; got 0\.0"),
        (lambda: PolicySearch()(np.zeros((2, 9))), ValueError, r"\(n, 10\); got \(2, 9\)"),
        (lambda: PolicySearch()(np.full((1, 10), np.nan)), ValueError, "finite parameters of pol"),
    ],
)
def test_a_mistake_is_named(make, kind, message):
    with pytest.raises(kind, match=message):
        make()
