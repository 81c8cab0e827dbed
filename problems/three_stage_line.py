"""Three machines in series whose rates and buffers are chosen together, for throughput."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.random import Generator, SeedSequence

from cem.answer import Noise
from cem.families import Composition
from cem.families.product import Product
from cem.paired import PairedRace
from cem.randomness import Purpose, stream
from cem.typing import Batch, Vector
from problems import check_whole
from problems.buffer_allocation.line import ProductionLine
from problems.buffer_allocation.simulation import Times, warm_up_of

MACHINES = 3
INDIFFERENCE = 5e-4  # of the rate of a machine if all are alike


@dataclass(frozen=True, eq=False)
class ThreeStageLine:
    """Score of rates and buffers of a line: its throughput, by simulation; noisy, to be maximised.

    Whole rates from 1 on, ``total_rate`` at most in all, and buffers ``b_2 + b_3 = total_places``.
    As in Pichitlamken, Nelson and Hong (2006) a buffer ``b`` counts the place on the machine after
    it, so ``b >= 1``, and a `ProductionLine` calls it ``b - 1`` places.

    A sample is a record: ``more`` is by how much every rate is above 1, and last what of the total
    is not used; ``places`` are the ``b - 1``. All samples of an iteration are simulated with the
    same random times, but for the rates: common random numbers.

    Parameters
    ----------
    total_rate : int
        The most that the rates may sum to, at least 4.
    total_places : int
        What the buffers sum to, at least 3.
    jobs, replications : int
        Jobs counted in each of the replications of a score, each from an empty line.

    >>> line = ThreeStageLine()
    >>> x = line.sample_of([6, 7, 7], [12, 8])
    >>> line.rates_and_buffers(x), round(line.throughput(x), 9)
    (([6, 7, 7], [12, 8]), 5.776121751)
    """

    total_rate: int = 20
    total_places: int = 20
    jobs: int = 400
    replications: int = 4

    def __post_init__(self) -> None:
        check_whole("total_rate", self.total_rate, least=MACHINES + 1)
        check_whole("total_places", self.total_places, least=MACHINES)
        check_whole("jobs", self.jobs, least=1)
        check_whole("replications", self.replications, least=2)

    def __call__(self, x: Batch, /) -> Any:
        """Refused: without a generator there is no score."""
        del x
        raise TypeError(
            "the throughput of a simulated line is random: give it a generator first, as in "
            "problem.bind(rng)(x), or ask for problem.throughput(x) of a sample"
        )

    def bind(self, rng: Generator) -> Simulated:
        """The throughput by times from ``rng``, the same for all samples."""
        warm_up = warm_up_of(ProductionLine([1.0] * MACHINES), [[self.total_places]])
        shape = (warm_up + self.jobs, MACHINES, self.replications)
        return Simulated(self, rng.standard_exponential(shape), warm_up)

    def bound_at(self, root: SeedSequence, t: int, start: int) -> Simulated:
        """The throughput by the times of iteration ``t``."""
        del start
        return self.bind(stream(root, Purpose.NOISE, t))

    def nominal(self) -> Product:
        """All rates about equally likely, and independent of them all buffers."""
        return Product(
            more=Composition.even(MACHINES + 1, self.total_rate - MACHINES),
            places=Composition.even(MACHINES - 1, self.total_places - MACHINES + 1),
        )

    def sample_of(self, rates: Any, buffers: Any) -> Any:
        """The record of rates and of buffers that count the place on the machine.

        Raises ValueError for what is not among the samples.
        """
        more, places = np.asarray(rates) - 1, np.asarray(buffers) - 1
        x = np.zeros(1, self._dtype)
        x["more"] = *more, self.total_rate - MACHINES - more.sum()
        x["places"] = places
        return self.checked(x)[0]

    def rates_and_buffers(self, x: Any) -> tuple[list[int], list[int]]:
        """The rates of a record, and its buffers with the place on the machine after each."""
        return (1 + x["more"][:-1]).tolist(), (1 + x["places"]).tolist()

    def throughput(self, x: Any) -> float:
        """The exact throughput of a record, by the Markov chain of the line."""
        rates, _ = self.rates_and_buffers(x)
        return ProductionLine(rates).exact_throughput(x["places"])

    def neighbours(self, x: Any) -> Batch:
        """The records with a unit of rate moved, or a place, or both."""
        near = [
            (more, places)
            for more, places in product(_moved(x["more"]), _moved(x["places"]))
            if min(*more, *places) >= 0
        ]
        return np.array(near[1:], self._dtype)

    def noise(self) -> Noise:
        """What to do about the noise: a race that goes on until no neighbour is better."""
        indifference = INDIFFERENCE * self.total_rate / MACHINES
        race = PairedRace(indifference, neighbours=self.neighbours, most=4000)
        return Noise(candidates=3, race=race)

    def exact(self) -> float:
        """The largest throughput, from the Markov chains of all lines that may have it.

        It is no more than the smallest rate, and no higher rate lowers it (in the recursion of the
        departures a shorter service makes none later), so all of the total is used.
        """
        total, best = self.total_rate, 0.0
        rates = product(range(1, total), repeat=MACHINES)
        for s in sorted((s for s in rates if sum(s) == total), key=min, reverse=True):
            if min(s) <= best:
                break
            buffers = ((b, self.total_places - b) for b in range(1, self.total_places))
            best = max(best, *(self.throughput(self.sample_of(s, b)) for b in buffers))
        return best

    def report(self, found: Any) -> dict[str, str]:
        """The rates and buffers of the answer, its interval and its exact throughput."""
        rates, buffers = self.rates_and_buffers(found.x)
        low, high = found.confidence_interval()
        return {
            "rates": " ".join(map(str, rates)),
            "buffers, with the place on the machine": " ".join(map(str, buffers)),
            "interval": f"{low:.6g} to {high:.6g}",
            "exact throughput": f"{self.throughput(found.x):.6g}",
        }

    def checked(self, x: Batch) -> Batch:
        """The batch if it holds rates and buffers of these totals; else ValueError."""
        if np.ndim(x) != 1 or getattr(x, "dtype", None) != self._dtype:
            raise ValueError(
                f"expected records of shape (n,) with more and places, {self._dtype}; got shape "
                f"{np.shape(x)} of {getattr(x, 'dtype', type(x).__name__)}"
            )
        totals = {"more": self.total_rate - MACHINES, "places": self.total_places - MACHINES + 1}
        for name, total in totals.items():
            part = x[name]
            if (bad := (part < 0).any(axis=1) | (part.sum(axis=1) != total)).any():
                at = int(bad.argmax())
                raise ValueError(
                    f"{name} must be 0 or more each and sum to {total}; got {part[at]} at index "
                    f"{at}: likely a rate or a buffer below 1, or another total"
                )
        return x

    @property
    def _dtype(self) -> np.dtype[Any]:
        return np.dtype([("more", np.int64, (MACHINES + 1,)), ("places", np.int64, (2,))])


@dataclass(frozen=True, eq=False)
class Simulated:
    """The throughput of rates and buffers by certain random times, in units of the mean ones."""

    problem: ThreeStageLine
    times: Any
    warm_up: int

    def __call__(self, x: Batch, /) -> Vector:
        """The throughputs, shape ``(len(x),)``."""
        x = self.problem.checked(x)
        rates, row = np.unique(1 + x["more"][:, :MACHINES], axis=0, return_inverse=True)
        score = np.empty(len(x))
        for i, rate in enumerate(rates):
            these = row.ravel() == i
            times = Times(self.times / rate[:, None])
            score[these], _ = times.throughput(x["places"][these], self.warm_up)
        return score


def _moved(x: Vector) -> Batch:
    """The vector itself, and with one unit moved from a part to another."""
    one = np.eye(len(x), dtype=np.int64)
    moves = (one[:, None] - one).reshape(-1, len(x))
    return np.vstack([x, x + moves[moves.any(axis=1)]])


problem = ThreeStageLine
