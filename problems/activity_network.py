"""A stochastic activity network: share out a budget so that the project ends soon on average."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.random import Generator, SeedSequence

from cem.families import Dirichlet
from cem.randomness import Purpose, stream
from cem.typing import Array, Batch, Vector
from problems import check_whole
from problems.rare_event.pert import Pert
from problems.rare_event.pert import problem as nine_activities

MOST_STATES = 5000  # of the Markov chain behind the expected time
State = tuple[int, ...]  # the stages done, of every activity
Move = tuple[int, State]  # the activity that has a stage done, and the state then


@dataclass(frozen=True, eq=False)
class ActivityNetwork:
    """Score of shares of a budget: the expected time when all is done, to be minimised; exact.

    Activity ``k`` of the project has ``project.stages[k]`` exponential stages and takes
    ``project.mean[k]`` on average where it has one unit of the budget; with the share ``x[k]`` it
    is ``budget * x[k]`` times as fast. The level of the project plays no part.

    The time is the longest path, which is a convex function of the durations, and these are of the
    shares: there is one minimum. Its expectation is that of the time until the Markov chain of the
    stages done is absorbed: Kulkarni and Adlakha, Operations Research 34 (1986). Raises ValueError
    for over 5000 states.

    >>> in_turn = ActivityNetwork(Pert([[0, 1], [1, 2]], [1.0, 4.0], gamma=0.0), budget=3.0)
    >>> in_turn(np.array([[0.5, 0.5], [1 / 3, 2 / 3]]))
    array([3.33333333, 3.        ])
    """

    project: Pert
    budget: float

    def __post_init__(self) -> None:
        if not isinstance(self.project, Pert):
            raise TypeError(f"project must be a Pert; got {self.project!r}")
        if len(self.project.mean) < 2:
            raise ValueError("there is nothing to share out: the project has one activity only")
        if not 0 < self.budget < math.inf:
            raise ValueError(f"budget must be positive and finite; got {self.budget!r}")

    def __call__(self, x: Batch) -> Vector:
        """The expected times for shares ``x`` of shape ``(n_samples, n)``."""
        return self._expected(self.checked(x))

    def times(self, x: Batch, durations: Array) -> Array:
        """The times when all is done, shape ``(n_samples, replications)``.

        ``durations``, shape ``(replications, n)``, are those with one unit of the budget each.
        """
        x = self.checked(x)
        durations = durations / (self.budget * x[:, None])
        return self.project(durations.reshape(-1, x.shape[1])).reshape(len(x), -1)

    def nominal(self) -> Dirichlet:
        """All shares equally likely."""
        return Dirichlet(np.ones(len(self.project.mean)))

    def exact(self) -> float:
        """The least expected time, by sequential quadratic programming from equal shares.

        >>> in_turn = ActivityNetwork(Pert([[0, 1], [1, 2]], [1.0, 4.0], gamma=0.0), budget=3.0)
        >>> round(in_turn.exact(), 9)  # (1 + 2)^2 / 3
        3.0
        """
        from scipy.optimize import minimize

        n = len(self.project.mean)
        return float(
            minimize(
                lambda x: (self._expected(x[None])[0], self.gradient(x[None])[0]),
                np.full(n, 1 / n),
                jac=True,
                method="SLSQP",
                bounds=[(1e-6, 1.0)] * n,
                constraints={"type": "eq", "fun": lambda x: x.sum() - 1, "jac": np.ones_like},
                options={"ftol": 1e-14, "maxiter": 1000},
            ).fun
        )

    def gradient(self, x: Batch) -> Array:
        """The derivatives of the expected times by the shares, each by itself, ``(n_samples, n)``.

        By a step in the imaginary direction: Squire and Trapp, SIAM Review 40 (1998).
        """
        x, tiny = np.asarray(x, dtype=float), 1e-30
        steps = x[:, None] + 1j * tiny * np.eye(x.shape[1])
        return (self._expected(steps.reshape(-1, x.shape[1])).imag / tiny).reshape(x.shape)

    def checked(self, x: Batch) -> Array:
        """The batch if it holds shares of the budget, positive and of sum 1; else ValueError."""
        x, n = np.asarray(x, dtype=float), len(self.project.mean)
        if x.ndim != 2 or x.shape[1] != n:
            raise ValueError(
                f"expected a share for each of {n} activities, shape (n_samples, {n}); got "
                f"{x.shape}"
            )
        bad = ~((x > 0).all(axis=1) & (np.abs(x.sum(axis=1) - 1) <= 1e-9))
        if bad.any():
            i = int(bad.argmax())
            raise ValueError(
                f"shares must be positive and sum to 1; got {x[i]}, of sum {x[i].sum():g}, at "
                f"index {i}"
            )
        return x

    def _expected(self, x: Batch) -> Batch:
        """The time to go from every state on average, the last one first; that of the start."""
        rate = (self.budget * x * (self.project.stages / self.project.mean)).T
        left = {tuple(self.project.stages.tolist()): np.zeros_like(rate[0])}
        for state, moves in self._chain:
            later = 1 + sum(rate[k] * left[new] for k, new in moves)
            left[state] = later / sum(rate[k] for k, _ in moves)
        return left[(0,) * len(rate)]

    @cached_property
    def _chain(self) -> list[tuple[State, list[Move]]]:
        """The states before the end, each after all that it leads to, and where it leads."""
        ends, stages = self.project.ends.tolist(), self.project.stages.tolist()
        before = [[b for b, (_, j) in enumerate(ends) if j == i] for i, _ in ends]
        moves: dict[State, list[Move]] = {}
        queue = [(0,) * len(ends)]
        while queue:
            state = queue.pop()
            if state in moves:
                continue
            moves[state] = [
                (k, (*state[:k], done + 1, *state[k + 1 :]))
                for k, done in enumerate(state)
                if done < stages[k] and all(state[b] == stages[b] for b in before[k])
            ]
            queue += [new for _, new in moves[state]]
            if len(moves) > MOST_STATES:
                raise ValueError(
                    f"the expected time needs a Markov chain of at most {MOST_STATES} states; this "
                    "project has more: simulate it, by Simulated"
                )
        return [(state, moves[state]) for state in sorted(moves, reverse=True) if moves[state]]


@dataclass(frozen=True, eq=False)
class Simulated:
    """Score: the mean time of ``replications`` simulated projects; its mean is the expected time.

    All samples of an iteration have the same random numbers: durations differ by the shares only.

    >>> noisy = problem(simulated=True)
    >>> equal = np.full((1, 9), 1 / 9)
    >>> noisy.bind(np.random.default_rng(1))(equal).round(1), noisy.mean(equal).round(1)
    (array([6.2]), array([6.3]))
    """

    network: ActivityNetwork
    replications: int = 200

    def __post_init__(self) -> None:
        check_whole("replications", self.replications, 1)

    def bind(self, rng: Generator) -> Callable[[Batch], Vector]:
        """The mean time by durations from ``rng``, the same for all samples."""
        project = self.network.project
        drawn = rng.standard_gamma(project.stages, (self.replications, len(project.mean)))
        return Bound(self.network, drawn * (project.mean / project.stages))

    def bound_at(self, root: SeedSequence, t: int, start: int) -> Callable[[Batch], Vector]:
        """The mean time by the durations of iteration ``t``."""
        del start
        return self.bind(stream(root, Purpose.NOISE, t))

    def mean(self, x: Batch) -> Vector:
        """The expected times, shape ``(n_samples,)``."""
        return self.network(x)

    def nominal(self) -> Dirichlet:
        """That of the network."""
        return self.network.nominal()

    def exact(self) -> float:
        """That of the network."""
        return self.network.exact()

    def report(self, found: Any) -> dict[str, str]:
        """The expected time of the answer, and the interval that should hold it."""
        low, high = found.confidence_interval()
        true = float(self.mean(np.asarray(found.x)[None])[0])
        return {"interval": f"{low:.6g} to {high:.6g}", "expected time": f"{true:.6g}"}


@dataclass(frozen=True, eq=False)
class Bound:
    """The mean time by certain durations, shape ``(replications, n)``, for one unit of budget."""

    network: ActivityNetwork
    durations: Array

    def __call__(self, x: Batch) -> Vector:
        """The means for shares ``x`` of shape ``(n_samples, n)``."""
        return self.network.times(x, self.durations).mean(axis=1)


def problem(
    *, budget: float = 9.0, simulated: bool = False, replications: int = 200
) -> ActivityNetwork | Simulated:
    """The nine activities of `problems.rare_event.pert`: the expected time, or simulated ones.

    >>> round(problem().exact(), 9)
    6.044385617
    """
    network = ActivityNetwork(nine_activities(), budget)
    return Simulated(network, replications) if simulated else network
