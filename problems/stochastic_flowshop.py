"""The flow shop with random durations: one order of jobs, done soon on average."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.random import Generator, SeedSequence

from cem.answer import Noise
from cem.families import Placements
from cem.paired import PairedRace
from cem.randomness import Purpose, stream
from cem.typing import Array, Batch, Vector
from problems import check_whole
from problems.orders import checked_orders, table_of

INDIFFERENCE = 1e-4  # of the load of the busiest machine
MOST_SCORES = 400  # of the race, for each job
MOST_STATES = 5000  # of the Markov chain behind `StochasticFlowShop.mean`


@dataclass(frozen=True, eq=False)
class StochasticFlowShop:
    """Score of an order of the jobs: the makespan, by simulation; noisy, to be minimised.

    As in `problems.flowshop.FlowShop` all machines take the jobs in one order. Job ``j`` occupies
    machine ``i`` for a gamma time of mean ``times[j, i]``, shape ``(n_jobs, n_machines)``, and of
    shape ``shape``: 1 for exponential times, more for surer ones. A score is the mean over
    ``replications``. All samples of an iteration have the same times: common random numbers.

    >>> shop = StochasticFlowShop([[1.0, 2.0], [2.0, 1.0]], replications=1000)
    >>> order = np.array([[0, 1]])
    >>> bool(abs(shop.bind(np.random.default_rng(1))(order) - shop.mean(order))[0] < 0.2)
    True
    """

    times: Array
    shape: float = 1.0
    replications: int = 200

    def __post_init__(self) -> None:
        object.__setattr__(self, "times", table_of("times", self.times, positive=True))
        check_whole("replications", self.replications, 1)
        if not 0 < self.shape < math.inf:
            raise ValueError(f"shape must be positive and finite; got {self.shape!r}")

    def __call__(self, x: Batch, /) -> Any:
        """Refused: without a generator there is no score."""
        del x
        raise TypeError(
            "a makespan is random: give it a generator first, as in problem.bind(rng)(x), or ask "
            "for its expectation, problem.mean(x)"
        )

    def bind(self, rng: Generator) -> Simulated:
        """The mean makespan by times from ``rng``, the same for all samples."""
        gamma = rng.standard_gamma(self.shape, (self.replications, *self.times.shape))
        return Simulated(self.times * gamma / self.shape)

    def bound_at(self, root: SeedSequence, t: int, start: int) -> Simulated:
        """The mean makespan by the times of iteration ``t``."""
        del start
        return self.bind(stream(root, Purpose.NOISE, t))

    def mean(self, x: Batch) -> Vector:
        """The expected makespans of exponential times, by the Markov chain of the jobs done.

        A state says how many jobs every machine has done, none more than the one before it. Raises
        ValueError for another ``shape``, and for over 5000 states.

        >>> StochasticFlowShop([[1.0, 2.0], [2.0, 1.0]]).mean(np.array([[0, 1], [1, 0]])).round(4)
        array([5. , 5.5])
        """
        x, (n, m) = checked_orders(x, len(self.times), "jobs"), self.times.shape
        n_states = math.comb(n + m, m)
        if self.shape != 1 or n_states > MOST_STATES:
            raise ValueError(
                f"an expectation needs exponential times, shape=1, and at most {MOST_STATES} "
                f"states; got shape={self.shape:g} and {n_states} states: simulate instead, by "
                "problem.bind(rng)"
            )
        rate = 1 / self.times[x]  # (n_samples, n_jobs, n_machines), by place
        states = combinations_with_replacement(range(n, -1, -1), m)
        left = {next(states): np.zeros(len(x))}  # the expected time to go; none if all is done
        for state in states:
            busy, later = np.zeros(len(x)), np.ones(len(x))
            for i, done in enumerate(state):
                if done < (state[i - 1] if i else n):
                    busy += rate[:, done, i]
                    later += rate[:, done, i] * left[(*state[:i], done + 1, *state[i + 1 :])]
            left[state] = later / busy
        return left[(0,) * m]

    def nominal(self) -> Placements:
        """Every job as likely as any other, at every place."""
        n = len(self.times)
        return Placements(np.full((n, n), 1 / n))

    def neighbours(self, x: Vector) -> Batch:
        """The orders that differ from ``x`` by one exchange of jobs next to each other.

        >>> StochasticFlowShop([[1.0], [1.0], [1.0]]).neighbours(np.array([2, 0, 1]))
        array([[0, 2, 1],
               [2, 1, 0]])
        """
        near = np.repeat(np.asarray(x)[None], len(x) - 1, axis=0)
        each = np.arange(len(near))
        near[each, each], near[each, each + 1] = x[1:], x[:-1]
        return near

    def noise(self) -> Noise:
        """What to do about the noise: a race that goes on until no exchange of neighbours helps."""
        indifference = INDIFFERENCE * float(self.times.sum(axis=0).max())
        race = PairedRace(
            indifference, neighbours=self.neighbours, most=MOST_SCORES * len(self.times)
        )
        return Noise(candidates=3, race=race)

    def talwar(self) -> Batch:
        """The best order for two machines and exponential times: Talwar's rule.

        The jobs by falling difference of their rates ``1 / times[j, 0] - 1 / times[j, 1]``; proven
        by Cunningham and Dutta, Naval Research Logistics Quarterly 20 (1973). Raises ValueError for
        other shops.

        >>> StochasticFlowShop([[2.0, 1.0], [1.0, 2.0], [1.0, 1.0]]).talwar()
        array([1, 2, 0])
        """
        if self.times.shape[1] != 2 or self.shape != 1:
            raise ValueError(
                "Talwar's rule is for two machines and exponential times, shape=1; got "
                f"{self.times.shape[1]} machines and shape={self.shape:g}"
            )
        rate = 1 / self.times
        return np.argsort(rate[:, 1] - rate[:, 0], kind="stable")

    def exact(self) -> float:
        """The least expected makespan; ValueError where `talwar` or `mean` does not know it."""
        return float(self.mean(self.talwar()[None])[0])

    def report(self, found: Any) -> dict[str, str]:
        """The interval of the answer, and its expected makespan where that can be computed."""
        low, high = found.confidence_interval()
        told = {"interval": f"{low:.6g} to {high:.6g}"}
        with suppress(ValueError):
            told["expected makespan"] = f"{self.mean(np.asarray(found.x)[None])[0]:.6g}"
        return told


@dataclass(frozen=True, eq=False)
class Simulated:
    """The mean makespan by certain times, shape ``(replications, n_jobs, n_machines)``."""

    times: Array

    def __call__(self, x: Batch) -> Vector:
        """The means of orders ``x`` of shape ``(n_samples, n_jobs)``."""
        x = checked_orders(x, self.times.shape[1], "jobs")
        done = np.zeros((self.times.shape[2], len(self.times), len(x)))  # when every machine is
        for place in x.T:
            done[0] += self.times[:, place, 0]
            for i in range(1, len(done)):
                done[i] = np.maximum(done[i], done[i - 1]) + self.times[:, place, i]
        return np.ascontiguousarray(done[-1].T).mean(axis=1)  # rounded alike in any batch


def problem(
    *,
    n_jobs: int = 8,
    n_machines: int = 2,
    shape: float = 1.0,
    replications: int = 200,
    seed: int = 1,
) -> StochasticFlowShop:
    """Jobs with mean times drawn evenly between 1 and 10.

    >>> problem(n_jobs=3).times.round(1)
    array([[5.6, 9.6],
           [2.3, 9.5],
           [3.8, 4.8]])
    """
    check_whole("n_jobs", n_jobs, 1)
    check_whole("n_machines", n_machines, 1)
    times = np.random.default_rng(seed).uniform(1, 10, (n_jobs, n_machines))
    return StochasticFlowShop(times, shape, replications)
