"""Standard functions of n bits, to be maximised, whose largest value is known."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from cem.families import Bernoulli
from cem.typing import Array, Batch, Vector
from problems import check_whole, nearest


@dataclass(frozen=True)
class Bits(ABC):
    """Base of the functions of ``n`` bits: a score from 0 to ``n``, which is the ``optimum``."""

    n: int = 100

    def __post_init__(self) -> None:
        check_whole("n, the number of bits,", self.n, 1)

    def __call__(self, x: Batch) -> Vector:
        """The scores of bits ``x`` of shape ``(n_samples, n)``."""
        return self.score(_checked(x, self.n))

    def nominal(self) -> Bernoulli:
        """A fair coin for every bit."""
        return Bernoulli(np.full(self.n, 0.5))

    @property
    def optimum(self) -> float:
        """The largest score."""
        return float(self.n)

    @abstractmethod
    def score(self, x: Array) -> Vector:
        """The scores of a checked batch."""


@dataclass(frozen=True)
class OneMax(Bits):
    """Score: the number of ones.

    >>> OneMax(4)(np.array([[1, 0, 1, 1]]))
    array([3.])
    """

    def score(self, x: Array) -> Vector:
        """Count the ones."""
        return x.sum(axis=1, dtype=float)


@dataclass(frozen=True)
class LeadingOnes(Bits):
    """Score: the number of ones before the first zero; a bit counts only if all before it do.

    >>> LeadingOnes(4)(np.array([[1, 1, 0, 1], [0, 1, 1, 1]]))
    array([2., 0.])
    """

    def score(self, x: Array) -> Vector:
        """Count the ones that only ones stand before."""
        return np.logical_and.accumulate(x == 1, axis=1).sum(axis=1, dtype=float)


@dataclass(frozen=True)
class Trap(Bits):
    """Score: a sum over blocks of ``k`` bits, each deceptive: ``k`` for all ones, the best.

    A block of ``u < k`` ones has ``k - 1 - u``: one bit at a time, all leads to zeros.

    >>> Trap(6, k=3)(np.array([[1, 1, 1, 0, 0, 0], [0, 1, 1, 0, 0, 1]]))
    array([5., 1.])
    """

    k: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole("k, the bits of a block,", self.k, 2)
        if self.n % self.k:
            raise ValueError(
                f"n must be a multiple of k, whole blocks; got n={self.n} and k={self.k}"
            )

    def score(self, x: Array) -> Vector:
        """Add up the blocks."""
        ones = x.reshape(len(x), -1, self.k).sum(axis=2, dtype=float)
        return np.where(ones == self.k, self.k, self.k - 1 - ones).sum(axis=1)


@dataclass(frozen=True)
class IsingRing(Bits):
    """Score: the number of neighbours on a ring of ``n`` spins that agree.

    All ones and all zeros are best. No bit alone says anything: every mean score is ``n / 2``.

    >>> IsingRing(4)(np.array([[1, 1, 0, 0], [0, 0, 0, 0]]))
    array([2., 4.])
    """

    def score(self, x: Array) -> Vector:
        """Compare every spin with the next, the last with the first."""
        return (x == np.roll(x, -1, axis=1)).sum(axis=1, dtype=float)


@dataclass(frozen=True)
class Knapsack:
    """Score: the value packed, or minus the weight in excess of ``capacity``.

    ``weight`` and ``value`` have one positive number per item; ``optimum`` is the best value, where
    it is known.

    >>> Knapsack(weight=(2, 3), value=(5, 6), capacity=4)(np.array([[0, 1], [1, 1]]))
    array([ 6., -1.])
    """

    weight: tuple[float, ...]
    value: tuple[float, ...]
    capacity: float
    optimum: float | None = None

    def __post_init__(self) -> None:
        if len(self.weight) != len(self.value) or not self.weight:
            raise ValueError(
                "expected one weight and one value per item, at least one item; got "
                f"{len(self.weight)} weights and {len(self.value)} values"
            )
        for name in ("weight", "value"):
            numbers = np.array(getattr(self, name), dtype=float)
            if (bad := ~((numbers > 0) & (numbers < np.inf))).any():
                raise ValueError(
                    f"every {name} must be positive and finite; got {numbers[bad][0]} for item "
                    f"{int(bad.argmax())}"
                )
        if not 0 <= self.capacity < np.inf:
            raise ValueError(f"capacity must be at least 0 and finite; got {self.capacity!r}")

    def __call__(self, x: Batch) -> Vector:
        """The scores of packings ``x``, 0 or 1 per item, of shape ``(n_samples, n_items)``."""
        x = _checked(x, len(self.weight))
        excess = x @ np.array(self.weight, dtype=float) - self.capacity
        return np.where(excess > 0, -excess, x @ np.array(self.value, dtype=float))

    def nominal(self) -> Bernoulli:
        """A fair coin for every item."""
        return Bernoulli(np.full(len(self.weight), 0.5))


# fmt: off
KNAPSACK_OF_24 = Knapsack(  # people.sc.fsu.edu/~jburkardt/datasets/knapsack_01, P08
    weight=(
        382745, 799601, 909247, 729069, 467902, 44328, 34610, 698150,
        823460, 903959, 853665, 551830, 610856, 670702, 488960, 951111,
        323046, 446298, 931161, 31385, 496951, 264724, 224916, 169684,
    ),
    value=(
        825594, 1677009, 1676628, 1523970, 943972, 97426, 69666, 1296457,
        1679693, 1902996, 1844992, 1049289, 1252836, 1319836, 953277, 2067538,
        675367, 853655, 1826027, 65731, 901489, 577243, 466257, 369261,
    ),
    capacity=6404180,
    optimum=13549094.0,
)
# fmt: on
NAMES = ("onemax", "leading-ones", "trap", "ising-ring", "knapsack")


def problem(function: str = "onemax", *, n: int | None = None, k: int = 5) -> Bits | Knapsack:
    """The function of that name of ``n`` bits (100); ``k`` is the size of the trap's blocks.

    The knapsack is `KNAPSACK_OF_24`, whose items are its bits: it takes no other ``n``.

    >>> problem("trap", n=12, k=4).optimum, problem("knapsack").optimum
    (12.0, 13549094.0)
    """
    if function not in NAMES:
        raise ValueError(f"there is no function {function!r}" + nearest(function, list(NAMES)))
    if function == "knapsack":
        if n not in {None, len(KNAPSACK_OF_24.weight)}:
            raise ValueError(f"the knapsack has 24 items, and so n=24; got n={n}")
        return KNAPSACK_OF_24
    n = 100 if n is None else n
    if function == "trap":
        return Trap(n, k)
    return {"onemax": OneMax, "leading-ones": LeadingOnes, "ising-ring": IsingRing}[function](n)


def _checked(x: Batch, n: int) -> Array:
    x = np.asarray(x)
    if x.ndim != 2 or x.shape[1] != n:
        raise ValueError(f"expected bits of shape (n_samples, {n}); got {x.shape}")
    return x
