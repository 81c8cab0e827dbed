"""The mean return of a policy as its score, over episodes that are the same for all policies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from cem.families import Normal
from cem.typing import Batch, Vector
from problems import check_whole
from problems.policy.gym import Gym
from problems.policy.network import Network
from problems.policy.twins import CartPole, Pendulum

TWINS = {"CartPole-v1": CartPole(), "Pendulum-v1": Pendulum()}  # these need no Gymnasium
TRAINING, VALIDATION, FRESH = range(3)  # episodes that share no seed
N_FRESH = 100  # episodes of a report


@dataclass(frozen=True)
class PolicySearch:
    """Score: the mean return of a policy over ``episodes`` episodes, the same for every policy.

    ``environment`` is the name of one in Gymnasium. The policy is a `Network`: affine, or with
    ``hidden`` units. The episodes are drawn by ``seed`` once and for all (common random numbers),
    so that the score is a plain function of the parameters: what it knows of other episodes is
    for `report` to say. The start is normal with mean 0 and standard deviation ``std``.

    >>> cart = PolicySearch("CartPole-v1", episodes=5)
    >>> cart.n_parameters, cart(np.array([[0, 0, 0, 0, 0, 0.5, 1, 10, 5, 0]]))
    (10, array([500.]))
    """

    environment: str = "CartPole-v1"
    episodes: int = 10
    hidden: int = 0
    seed: int = 0
    std: float = 1.0

    def __post_init__(self) -> None:
        for name, least in (("episodes", 1), ("hidden", 0), ("seed", 0)):
            check_whole(name, getattr(self, name), least)
        if not 0 < self.std < np.inf:
            raise ValueError(f"std must be positive and finite; got {self.std!r}")
        _ = self._environment  # an unknown one is refused here, not later

    def __call__(self, theta: Batch) -> Vector:
        """The mean returns of parameter vectors, shape ``(n, n_parameters)`` in, ``(n,)`` out."""
        return self.returns(theta, TRAINING, self.episodes).mean(axis=1)

    def nominal(self) -> Normal:
        """Independent normal parameters with mean 0 and standard deviation ``std``."""
        return Normal(np.zeros(self.n_parameters), np.full(self.n_parameters, self.std))

    @property
    def n_parameters(self) -> int:
        """The length of a parameter vector."""
        return self._network.n_parameters

    def returns(self, theta: Batch, purpose: int, episodes: int) -> Batch:
        """The returns of every policy in every episode of a purpose, shape ``(n, episodes)``."""
        theta = np.asarray(theta, dtype=float)
        if theta.ndim != 2 or theta.shape[1] != self.n_parameters:
            raise ValueError(
                f"expected parameter vectors of shape (n, {self.n_parameters}); got {theta.shape}"
            )
        if not np.isfinite(theta).all():
            raise ValueError("expected finite parameters of policies; got NaN or infinite ones")
        seeds = np.random.SeedSequence(self.seed, spawn_key=(purpose,)).generate_state(episodes)
        return self._environment.returns(self._network, theta, seeds.tolist())

    def report(self, found: Any) -> dict[str, str]:
        """The mean return over fresh episodes, and whether that is enough.

        Of the best sample and the mean of the final density the one with the larger mean return
        over other episodes still is taken: the best sample may only have been lucky in its own.
        ``found`` has them as ``x`` and ``family``, as the result of `cem.maximize` does.
        """
        candidates = np.stack([found.family.mean, found.x])
        validated = self.returns(candidates, VALIDATION, N_FRESH).mean(axis=1)
        best = int(validated.argmax())  # the mean if they tie
        fresh = self.returns(candidates[[best]], FRESH, N_FRESH)[0]
        mean, error = fresh.mean(), fresh.std() / np.sqrt(N_FRESH)
        rows = {
            "policy": f"{('the mean of the density', 'the best sample')[best]}; over {N_FRESH} "
            f"validation episodes the mean has {validated[0]:.5g}, the sample {validated[1]:.5g}",
            "mean return": f"{mean:.5g} +- {error:.2g} over {N_FRESH} fresh episodes",
        }
        if (enough := self._environment.solved) is not None:
            rows["solved"] = f"{'yes' if mean >= enough else 'no'}, {enough:g} is needed"
        return rows

    @cached_property
    def _environment(self) -> Any:
        return TWINS.get(self.environment) or Gym.named(self.environment)

    @cached_property
    def _network(self) -> Network:
        return Network(self._environment.n_observed, self._environment.n_outputs, self.hidden)
