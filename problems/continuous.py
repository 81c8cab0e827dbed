"""Standard functions of a real vector, to be minimised, whose least value is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cem.families import MultivariateNormal, Normal
from cem.typing import Array, Batch, Vector
from problems import nearest


@dataclass(frozen=True)
class Function:
    """``value`` takes ``(n, d)`` to ``(n,)``; it is least, ``minimum``, where all ``x_j = at``.

    ``box`` is where every coordinate is usually looked for.
    """

    value: Callable[[Batch], Vector]
    box: tuple[float, float]
    at: float = 0.0
    minimum: float = 0.0
    least_d: int = 1


@dataclass(frozen=True)
class Continuous:
    """Score: a standard function ``f(x - shift)`` of ``x`` in ``R^d``, to be minimised.

    ``function`` is one of `FUNCTIONS`. The start is at the middle of its usual box, for many the
    very optimum; ``shift`` moves the function, every coordinate alike, and not the start.

    >>> rosenbrock = Continuous("rosenbrock", d=2, shift=3.0)
    >>> rosenbrock(np.array([[4.0, 4.0], [3.0, 3.0]]))
    array([0., 1.])
    >>> rosenbrock.x_best, rosenbrock.minimum
    (array([4., 4.]), 0.0)
    """

    function: str = "rosenbrock"
    d: int = 10
    shift: float = 0.0

    def __post_init__(self) -> None:
        if self.function not in FUNCTIONS:
            raise ValueError(
                f"there is no function {self.function!r}" + nearest(self.function, list(FUNCTIONS))
            )
        if isinstance(self.d, bool) or not isinstance(self.d, int | np.integer):
            raise TypeError(f"d, the number of coordinates, must be whole; got {self.d!r}")
        if self.d < (least := self._standard.least_d):
            raise ValueError(f"the function {self.function} needs d >= {least}; got d={self.d}")
        if not np.isfinite(self.shift):
            raise ValueError(f"shift must be finite; got {self.shift!r}")

    def __call__(self, x: Batch) -> Vector:
        """The values at points ``x`` of shape ``(n, d)``."""
        x = np.asarray(x, dtype=float)
        if x.ndim != 2 or x.shape[1] != self.d:
            raise ValueError(f"expected points of shape (n, {self.d}); got {x.shape}")
        return self._standard.value(x - self.shift)

    def nominal(self) -> MultivariateNormal | Normal:
        """Normal at the middle of the usual box, its standard deviations half the width.

        Up to ``d = 200`` it can learn which coordinates go together.
        """
        low, high = self._standard.box
        mean, std = np.full(self.d, (low + high) / 2), np.full(self.d, (high - low) / 2)
        return MultivariateNormal(mean, np.diag(std**2)) if self.d <= 200 else Normal(mean, std)

    @property
    def minimum(self) -> float:
        """The least value."""
        return self._standard.minimum

    @property
    def x_best(self) -> Vector:
        """Where the least value is taken, and nowhere else."""
        return np.full(self.d, self._standard.at + self.shift)

    def exact(self) -> float:
        """The known answer to compare a result with: the minimum."""
        return self.minimum

    @property
    def _standard(self) -> Function:
        return FUNCTIONS[self.function]


def sphere(x: Batch) -> Vector:
    """``sum_i x_i^2``.

    >>> sphere(np.array([[1.0, 2.0]]))
    array([5.])
    """
    return np.square(x).sum(axis=1)


def ellipsoid(x: Batch) -> Vector:
    """``sum_i 10^(6 (i - 1) / (d - 1)) x_i^2``: axes of condition number ``10^6``.

    >>> ellipsoid(np.array([[1.0, 2.0]]))
    array([4000001.])
    """
    return np.square(x) @ np.logspace(0, 6, x.shape[1])


def schwefel(x: Batch) -> Vector:
    """``sum_i (x_1 + ... + x_i)^2``, Schwefel's problem 1.2: not separable.

    >>> schwefel(np.array([[1.0, 2.0]]))
    array([10.])
    """
    return sphere(np.cumsum(x, axis=1))


def rosenbrock(x: Batch) -> Vector:
    """``sum_i 100 (x_(i+1) - x_i^2)^2 + (1 - x_i)^2``: a long curved valley.

    >>> rosenbrock(np.array([[0.0, 2.0]]))
    array([401.])
    """
    rise, rest = x[:, 1:] - np.square(x[:, :-1]), 1 - x[:, :-1]
    return 100 * sphere(rise) + sphere(rest)


def rastrigin(x: Batch) -> Vector:
    """``sum_i x_i^2 + 10 (1 - cos 2 pi x_i)``: a sphere with a pit near every whole number.

    >>> rastrigin(np.array([[1.0, 0.5]]))
    array([21.25])
    """
    return sphere(x) + 20 * _dips(x).sum(axis=1)


def ackley(x: Batch) -> Vector:
    """``20 (1 - exp(-|x| / (5 sqrt d))) + e - exp(mean cos 2 pi x_i)``: a pit on a rippled plain.

    >>> ackley(np.array([[0.0, 0.0], [1.0, 1.0]])).round(6)
    array([0.      , 3.625385])
    """
    far = np.sqrt(np.square(x).mean(axis=1))
    return -20 * np.expm1(-far / 5) - np.e * np.expm1(-2 * _dips(x).mean(axis=1))


def griewank(x: Batch) -> Vector:
    """``1 + sum_i x_i^2 / 4000 - prod_i cos(x_i / sqrt i)``.

    >>> griewank(np.array([[2 * np.pi, 0.0]])).round(6)
    array([0.00987])
    """
    waves = np.cos(x / np.sqrt(np.arange(1, x.shape[1] + 1)))
    return sphere(x) / 4000 + (1 - waves.prod(axis=1))


def levy(x: Batch) -> Vector:
    """Levy's function of ``w_i = 1 + (x_i - 1) / 4``, least at ``x_i = 1``.

    ``sin^2(pi w_1) + sum_(i<d) (w_i - 1)^2 (1 + 10 sin^2(pi w_i + 1))
    + (w_d - 1)^2 (1 + sin^2(2 pi w_d))``.

    >>> levy(np.array([[1.0, 1.0], [1.0, 5.0]])).round(6)
    array([0., 1.])
    """
    u = (x - 1) / 4  # w - 1; pi more turns no square of a sine
    inner, last = u[:, :-1], u[:, -1]
    ripples = np.square(inner) * (1 + 10 * np.square(np.sin(np.pi * inner + 1)))
    end = np.square(last) * (1 + _dips(2 * last))
    return _dips(u[:, 0]) + ripples.sum(axis=1) + end


def trigonometric(x: Batch) -> Vector:
    """``1 + sum_i 8 sin^2(7 z_i^2) + 6 sin^2(14 z_i^2) + z_i^2`` with ``z_i = x_i - 0.9``.

    Source: Kroese, Porotsky and Rubinstein, Methodology and Computing in Applied Probability 8
    (2006), there with ``eta = 7`` and ``mu = 1``.

    >>> trigonometric(np.array([[0.9, 0.9]]))
    array([1.])
    """
    square = np.square(x - 0.9)
    waves = 8 * np.square(np.sin(7 * square)) + 6 * np.square(np.sin(14 * square))
    return 1 + (waves + square).sum(axis=1)


def _dips(x: Array) -> Array:
    """``sin^2(pi x) = (1 - cos(2 pi x)) / 2``, without the loss of digits near whole numbers."""
    return np.square(np.sin(np.pi * x))


FUNCTIONS = {
    "sphere": Function(sphere, (-5.12, 5.12)),
    "ellipsoid": Function(ellipsoid, (-5.0, 5.0)),
    "schwefel": Function(schwefel, (-100.0, 100.0)),
    "rosenbrock": Function(rosenbrock, (-5.0, 5.0), at=1.0, least_d=2),
    "rastrigin": Function(rastrigin, (-5.12, 5.12)),
    "ackley": Function(ackley, (-32.768, 32.768)),
    "griewank": Function(griewank, (-600.0, 600.0)),
    "levy": Function(levy, (-10.0, 10.0), at=1.0),
    "trigonometric": Function(trigonometric, (-5.0, 5.0), at=0.9, minimum=1.0),
}

problem = Continuous
