"""CartPole-v1 and Pendulum-v1 of Gymnasium for many episodes at once, to the same bits."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from cem.typing import Array, Batch
from problems.policy.network import Network


class Twin(ABC):
    """An environment whose states are the columns of an array: all episodes move in step.

    The formulas, the start of the episode with a given seed and what is rounded to float32 are
    those of ``gymnasium/envs/classic_control`` in Gymnasium 1.4 (Towers et al., 2024,
    arXiv:2407.17032). Arrays have one column per episode.
    """

    n_observed: ClassVar[int]
    n_outputs: ClassVar[int]
    steps: ClassVar[int]  # after which an episode is over
    solved: ClassVar[float | None]  # the mean return from which Gymnasium calls it solved

    def returns(self, network: Network, theta: Batch, seeds: list[int]) -> Array:
        """The sums of rewards of policies ``(n, n_parameters)``, shape ``(n, len(seeds))``."""
        n, episodes = len(theta), len(seeds)
        state = np.tile(np.column_stack([self.start(seed) for seed in seeds]), n)
        theta = np.repeat(theta.T, episodes, axis=1)
        total, alive = np.zeros(n * episodes), np.arange(n * episodes)
        for _ in range(self.steps):
            seen = self.observed(state).astype(np.float32)
            state, reward, over = self.step(state, self.action(network(theta, seen)))
            total[alive] += reward
            if over.any():
                going = ~over
                state, theta, alive = state[:, going], theta[:, going], alive[going]
                if not alive.size:
                    break
        return total.reshape(n, episodes)

    @abstractmethod
    def start(self, seed: int) -> Array:
        """The state in which the episode with this seed begins."""

    @abstractmethod
    def observed(self, state: Array) -> Array:
        """What the policy is told of a state, shape ``(n_observed, n)``."""

    @abstractmethod
    def action(self, outputs: Array) -> Array:
        """What the outputs ``(n_outputs, n)`` of a policy stand for, shape ``(n,)``."""

    @abstractmethod
    def step(self, state: Array, action: Array) -> tuple[Array, Array, Batch]:
        """The next states, the rewards, and which episodes are over."""


@dataclass(frozen=True)
class CartPole(Twin):
    """A pole on a cart, kept upright by pushes of 10 N to either side, 50 times a second.

    The state is the position of the cart, its speed, the angle of the pole and its speed, in
    metres, radians and seconds. Every step is worth 1. An episode is over when the cart is 2.4 m
    off or the pole leans by 12 degrees, and after 500 steps.

    >>> CartPole().step(np.zeros((4, 1)), np.array([1]))[0].T.round(4)
    array([[ 0.    ,  0.1951,  0.    , -0.2927]])
    """

    n_observed: ClassVar[int] = 4
    n_outputs: ClassVar[int] = 2
    steps: ClassVar[int] = 500
    solved: ClassVar[float | None] = 475.0

    def start(self, seed: int) -> Array:
        """Near the middle, nearly at rest, nearly upright."""
        return np.random.default_rng(seed).uniform(-0.05, 0.05, 4)

    def observed(self, state: Array) -> Array:
        """All of the state."""
        return state

    def action(self, outputs: Array) -> Array:
        """The larger output decides: 0 pushes to the left, 1 to the right."""
        return outputs.argmax(axis=0)

    def step(self, state: Array, action: Array) -> tuple[Array, Array, Batch]:
        """Euler's method: Florian (2007), without friction; the pole is 1 m long."""
        x, speed, angle, turn = state
        force = np.where(action == 1, 10.0, -10.0)
        mass, pole, half = 1.1, 0.1, 0.5
        moment = pole * half
        cos, sin = np.cos(angle), np.sin(angle)
        push = (force + moment * np.square(turn) * sin) / mass
        bend = (9.8 * sin - cos * push) / (half * (4.0 / 3.0 - pole * np.square(cos) / mass))
        pull = push - moment * bend * cos / mass
        rates = np.stack([speed, pull, turn, bend])
        state = state + 0.02 * rates
        over = (np.abs(state[0]) > 2.4) | (np.abs(state[2]) > 12 * 2 * math.pi / 360)
        return state, np.ones(len(x)), over


@dataclass(frozen=True)
class Pendulum(Twin):
    """A pendulum of 1 kg and 1 m to be swung up and held by a torque that is too weak to lift it.

    The state is the angle from upright, in radians, and its speed; a step is 0.05 s and costs
    ``angle^2 + 0.1 speed^2 + 0.001 torque^2``. An episode has 200 steps.

    >>> Pendulum().step(np.array([[np.pi], [0.0]]), np.array([2.0]))[0].T.round(4)
    array([[3.1566, 0.3   ]])
    """

    n_observed: ClassVar[int] = 3
    n_outputs: ClassVar[int] = 1
    steps: ClassVar[int] = 200
    solved: ClassVar[float | None] = None
    torque: ClassVar[float] = 2.0  # the largest, in N m

    def start(self, seed: int) -> Array:
        """Anywhere, at a speed up to 1."""
        high = np.array([np.pi, 1.0])
        return np.random.default_rng(seed).uniform(-high, high)

    def observed(self, state: Array) -> Array:
        """Cosine and sine of the angle, and the speed."""
        angle, turn = state
        return np.stack([np.cos(angle), np.sin(angle), turn])

    def action(self, outputs: Array) -> Array:
        """A torque within the limits, by the hyperbolic tangent."""
        return self.torque * np.tanh(outputs[0])

    def step(self, state: Array, action: Array) -> tuple[Array, Array, Batch]:
        """Half-implicit Euler; a torque or a speed beyond its limit is cut to it."""
        angle, turn = state
        torque = np.clip(action, -self.torque, self.torque)
        lean = (angle + np.pi) % (2 * np.pi) - np.pi
        lean, spin, effort = (np.float_power(a, 2) for a in (lean, turn, torque))  # ** differs
        cost = lean + 0.1 * spin + 0.001 * effort
        turn = np.clip(turn + (15.0 * np.sin(angle) + 3.0 * torque) * 0.05, -8.0, 8.0)
        return np.stack([angle + turn * 0.05, turn]), -cost, np.zeros(len(angle), dtype=bool)
