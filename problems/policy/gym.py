"""Any other environment of Gymnasium, one episode after the other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from cem.typing import Array, Batch
from problems.policy.network import Network


@dataclass(frozen=True, eq=False)
class Gym:
    """An environment of Gymnasium; what is observed is flattened.

    Numbered actions have one output each, and the largest decides. Others lie in the ``box``, from
    the lowest to the highest; they have one output per coordinate, whose hyperbolic tangent says
    where between the two.
    """

    name: str
    n_observed: int
    n_outputs: int
    solved: float | None  # the mean return from which Gymnasium calls it solved, where it does
    box: tuple[Array, Array] | None

    @classmethod
    def named(cls, name: str) -> Gym:
        """Look it up.

        Raises ValueError if Gymnasium is not installed, does not know the name, or if what is
        observed or done there is of another kind.
        """
        with _made(name) as env:
            seen, acts, solved = env.observation_space, env.action_space, env.spec.reward_threshold
        kinds = type(seen).__name__, type(acts).__name__
        if kinds == ("Box", "Discrete") and acts.start == 0:
            return cls(name, math.prod(seen.shape), int(acts.n), solved, None)
        if kinds == ("Box", "Box") and acts.is_bounded():
            box = acts.low.astype(float), acts.high.astype(float)
            return cls(name, math.prod(seen.shape), math.prod(acts.shape), solved, box)
        raise ValueError(
            "expected an environment with a Box to observe, and to act in a bounded Box or with "
            f"actions numbered from 0; {name} has {seen} and {acts}"
        )

    def returns(self, network: Network, theta: Batch, seeds: list[int]) -> Array:
        """The sums of rewards of policies ``(n, n_parameters)``, shape ``(n, len(seeds))``."""
        with _made(self.name) as env:
            return np.array(
                [[self._return(env, network, one[:, None], s) for s in seeds] for one in theta]
            )

    def _return(self, env: Any, network: Network, theta: Array, seed: int) -> float:
        seen, total, over = env.reset(seed=seed)[0], 0.0, False
        while not over:
            outputs = network(theta, np.reshape(seen, (-1, 1)))[:, 0]
            seen, reward, fell, late, _ = env.step(self._action(outputs))
            total, over = total + float(reward), fell or late
        return total

    def _action(self, outputs: Array) -> Any:
        if self.box is None:
            return int(outputs.argmax())
        low, high = self.box
        return (low + high) / 2 + (high - low) / 2 * np.tanh(outputs).reshape(low.shape)


def _made(name: str) -> Any:
    """The environment, which closes itself at the end of a ``with``."""
    try:
        import gymnasium
    except ImportError as error:
        raise ValueError(
            f"the environment {name!r} is looked for in Gymnasium, which is not installed: "
            "pip install cemkit[rl]; without it there are CartPole-v1 and Pendulum-v1"
        ) from error
    try:
        return gymnasium.make(name, disable_env_checker=True)
    except (gymnasium.error.Error, ImportError) as error:
        raise ValueError(f"Gymnasium cannot make an environment {name!r}: {error}") from error
