"""Flow control: which calls a link with few circuits takes, so as to earn the most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cem.families import Bernoulli
from cem.typing import Array, Batch, Vector
from problems import check_every, check_whole


@dataclass(frozen=True, eq=False)
class FlowControl:
    """Score of a policy: the mean reward per unit of time, to be maximised; exact.

    Calls of class ``k`` arrive by a Poisson process of ``rate[k]`` calls per mean holding time, and
    are worth ``reward[k]`` each. One that is taken holds one of ``circuits`` for an exponential
    time; one that is not, or finds all circuits busy, is lost. ``x``, a row of ``n_classes *
    circuits`` bits, says for one class after the other whether it is taken when ``0, 1, ...,
    circuits - 1`` circuits are busy. What a policy says of numbers it never reaches has no effect.

    The busy circuits are a Markov chain of births and deaths. The best policy is one of trunk
    reservation, `reserving`: Miller, Management Science 16 (1969).

    >>> link = FlowControl(rate=[1.0, 1.0], reward=[2.0, 1.0], circuits=1)
    >>> link(np.array([[1, 1], [1, 0]]))  # both classes, the dear one only
    array([1., 1.])
    """

    rate: Array
    reward: Array
    circuits: int

    def __post_init__(self) -> None:
        check_whole("circuits", self.circuits, 1)
        for name in ("rate", "reward"):
            values = np.array(getattr(self, name), dtype=float)
            if values.ndim != 1 or not values.size:
                raise ValueError(
                    f"{name} must hold a number for every class of calls; got shape {values.shape}"
                )
            good = (values > 0) & (values < np.inf)
            check_every(name, values, good, "positive and finite", "class")
            values.setflags(write=False)
            object.__setattr__(self, name, values)
        if len(self.rate) != len(self.reward):
            raise ValueError(
                "expected a rate and a reward for each class of calls; got "
                f"{len(self.rate)} and {len(self.reward)}"
            )

    def __call__(self, x: Batch) -> Vector:
        """The rewards per mean holding time of policies, shape ``(n_samples,)``."""
        taken = self._taken(x)
        earned = (taken * (self.rate * self.reward)[:, None]).sum(axis=1)
        return (self._busy(taken)[:, :-1] * earned).sum(axis=1)

    def blocking(self, x: Batch) -> Array:
        """The share of the calls of every class that is lost, shape ``(n_samples, n_classes)``."""
        taken = self._taken(x)
        return 1 - (self._busy(taken)[:, None, :-1] * taken).sum(axis=2)

    def reserving(self, reserved: Batch) -> Batch:
        """The policy that takes class ``k`` while more than ``reserved[k]`` circuits are free.

        One policy for every row of ``reserved``, shape ``(n_samples, n_classes)``.

        >>> FlowControl([1.0, 1.0], [2.0, 1.0], circuits=3).reserving([[0, 2]])
        array([[1, 1, 1, 1, 0, 0]], dtype=int8)
        """
        free = self.circuits - np.arange(self.circuits)
        taken = free > np.asarray(reserved)[:, :, None]
        return taken.reshape(len(taken), -1).astype(np.int8)

    def nominal(self) -> Bernoulli:
        """Every call is taken or not with equal probability."""
        return Bernoulli(np.full(self.rate.size * self.circuits, 0.5))

    def exact(self) -> float:
        """The most that any policy earns, by Howard's policy iteration.

        >>> round(problem().exact(), 9)
        10.888778823
        """
        value, policy = -np.inf, np.ones((self.rate.size, self.circuits), dtype=bool)
        while (now := float(self(policy.reshape(1, -1))[0])) > value:
            value, policy = now, self.reward[:, None] > self._price(policy)
        return value

    def report(self, found: Any) -> dict[str, str]:
        """The share of the calls of each class that is lost."""
        lost = self.blocking(np.asarray(found.x)[None])[0]
        return {f"calls lost of class {k}": f"{share:.4g}" for k, share in enumerate(lost)}

    def _price(self, policy: Batch) -> Vector:
        """What one more busy circuit will cost in rewards to come, by circuits busy before it.

        With ``h`` the value of a state relative to the first, the gain ``g`` is ``sum_k taken_k
        rate_k (reward_k + h_(s+1) - h_s) + s (h_(s-1) - h_s)`` in every state ``s``.
        """
        busy = np.arange(self.circuits + 1)
        up = np.append((policy * self.rate[:, None]).sum(axis=0), 0.0)
        earned = np.append((policy * (self.rate * self.reward)[:, None]).sum(axis=0), 0.0)
        equations = np.diag(up + busy) - np.diag(up[:-1], 1) - np.diag(busy[1:].astype(float), -1)
        equations[:, 0] = 1.0  # h_0 = 0: in its column stands the gain
        h = np.linalg.solve(equations, earned)
        h[0] = 0.0
        return h[:-1] - h[1:]

    def _busy(self, taken: Batch) -> Array:
        """The stationary distribution of the busy circuits, ``(n_samples, circuits + 1)``."""
        birth = (taken * self.rate[:, None]).sum(axis=1)
        with np.errstate(divide="ignore"):
            log_ratio = np.log(birth / np.arange(1, self.circuits + 1))
        log_p = np.pad(log_ratio.cumsum(axis=1), ((0, 0), (1, 0)))
        p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
        return p / p.sum(axis=1, keepdims=True)

    def _taken(self, x: Batch) -> Batch:
        x, n = np.asarray(x), self.rate.size * self.circuits
        if x.ndim != 2 or x.shape[1] != n:
            raise ValueError(
                f"expected policies of {self.rate.size} x {self.circuits} bits, shape (n_samples, "
                f"{n}); got {x.shape}"
            )
        if (bad := (x != 0) & (x != 1)).any():
            raise ValueError(f"a policy must hold zeros and ones; got {x[bad][0]}")
        return x.reshape(len(x), self.rate.size, self.circuits)


def problem(
    *, circuits: int = 20, rate: float = 10.0, cheap_rate: float = 10.0, cheap_reward: float = 0.2
) -> FlowControl:
    """Two classes of calls, of which the first is worth 1 and the other less.

    >>> problem(circuits=10).reward
    array([1. , 0.2])
    """
    return FlowControl([rate, cheap_rate], [1.0, cheap_reward], circuits)
