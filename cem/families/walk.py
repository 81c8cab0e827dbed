"""Random walks that stop: the family for waiting times, dams and the ruin of an insurer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.random import Generator

from cem.families.parametric import real
from cem.families.paths import Paths, paths, weighted_paths
from cem.families.product import Product
from cem.randomness import Purpose, root_of, stream
from cem.scores import positive_number, real_number, whole_number
from cem.typing import Array, Batch, Family, Vector

LEVELS = 10  # between zero and the goal: where the tilting may end


@dataclass(frozen=True, eq=False, repr=False, init=False)
class Walk:
    """``f(x; v, top) = prod_t f(x_t; v)`` for the steps ``x_1, ..., x_T`` of a stopped random walk.

    ``step`` is the family of a single step, and ``rise`` has one number per coordinate of a step:
    the walk is ``S_t = sum_(r <= t) rise . x_r``. It ends at the first time ``T`` when
    ``S_t >= goal`` or ``S_t <= floor``, and after ``most`` steps at the latest. From the first time
    that ``S_t >= top`` on, the steps are those of ``rest``, by default the ``step`` given first:
    the event is reached, and what follows is left as it was. ``top``, by default the goal, is one
    of the ten multiples of ``goal / 10``.

    A batch is `Paths` whose steps are samples of ``step``. The parameters are those of ``step``,
    and ``top``.

    The waiting times in a queue, where a service adds to the walk and a gap between two arrivals
    takes away; among those who wait long, services last longer and gaps are shorter:

    >>> from cem.families import Exponential
    >>> queue = Walk(Exponential([1.0, 2.0]), rise=[1, -1], goal=5.0, most=50)
    >>> x = queue.sample(np.random.default_rng(0), 2000)
    >>> queue.fit(x, (queue.highest(x) >= 5).astype(float)).step.mean.round(1)
    array([2.1, 0.9])
    """

    made_of: bytes  # the types of the steps, and the member that rest is: a checkpoint compares it
    rise: Array
    goal: float
    most: int
    floor: float
    top: Array

    def __init__(
        self,
        step: Family,
        rise: Any,
        goal: float,
        most: int,
        *,
        floor: float = -math.inf,
        top: Any = None,
        rest: Family | None = None,
    ) -> None:
        parts = Product(step=step, rest=step if rest is None else rest)
        numbers = [a.tobytes() for a in parts.parts["rest"].parameters().values()]
        object.__setattr__(self, "_parts", parts)
        object.__setattr__(self, "made_of", b"".join([parts.made_of, *numbers]))
        object.__setattr__(self, "rise", _frozen(rise))
        object.__setattr__(self, "goal", positive_number("goal", goal))
        object.__setattr__(self, "most", whole_number("most", most))
        object.__setattr__(self, "floor", real_number("floor", floor))
        object.__setattr__(self, "top", _frozen([goal] if top is None else top))
        if not self.floor <= 0:
            raise ValueError(f"floor must be zero or below, where the walk begins; got {floor!r}")
        width = columns(step.sample(stream(root_of(0), Purpose.SAMPLE), 1)).shape[1:]
        if self.rise.shape != width:
            raise ValueError(
                f"rise must have one number per coordinate of a step, shape {width}; got shape "
                f"{self.rise.shape}"
            )
        if self.top.shape != (1,) or not np.isclose(self._levels, self.top, rtol=1e-9).any():
            raise ValueError(
                f"top must be one of the {LEVELS} multiples of goal / {LEVELS} = "
                f"{self.goal / LEVELS:g} up to the goal; got {top!r}"
            )

    @property
    def step(self) -> Any:
        """The family of a step before ``top``."""
        return vars(self)["_parts"].parts["step"]

    @property
    def rest(self) -> Any:
        """The family of a step from ``top`` on."""
        return vars(self)["_parts"].parts["rest"]

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` paths, all of them step by step from the stream."""
        at, tilted, going = np.zeros(n), np.ones(n, dtype=bool), np.arange(n)
        drawn: list[Array] = []
        owner: list[Any] = []
        for _ in range(self.most):
            for family, who in (
                (self.step, going[tilted[going]]),
                (self.rest, going[~tilted[going]]),
            ):
                if len(who) > 0 or not drawn:
                    drawn.append(np.asarray(family.sample(rng, len(who))))
                    owner.append(who)
                    at[who] += self._rises(drawn[-1])
            tilted &= at < self.top
            going = going[(at[going] < self.goal) & (at[going] > self.floor)]
            if len(going) == 0:
                break
        owners = np.concatenate(owner)
        return Paths(
            np.concatenate(drawn)[owners.argsort(kind="stable")], np.bincount(owners, minlength=n)
        )

    def log_density(self, x: Batch) -> Vector:
        """The sum of ``ln f(x_t)`` over the steps; ``-inf`` unless it ends when a walk should."""
        x = paths(self, x)
        before, ended = self._walked(x)
        tilted = before < self.top
        log_f = np.empty(len(tilted))
        for family, where in ((self.step, tilted), (self.rest, ~tilted)):
            if where.any():
                log_f[where] = family.log_density(x.steps[where])
        return np.where(ended, x.total(log_f), -np.inf)

    def fit(self, x: Batch, weights: Vector) -> Self:
        """The likeliest ``top`` of all ten, and the fit of ``step`` to the steps before it.

        Raises ValueError for what is no stopped walk, if no weight is positive, and where the
        family of a step does.
        """
        x, w = weighted_paths(self, x, weights)
        before, ended = self._walked(x)
        if not ended.all():
            raise ValueError(
                "Walk.fit: samples of positive weight must end when they are at the goal, at the "
                f"floor, or after {self.most} steps, and not before; got "
                f"{x[int(ended.argmin())].tolist()}"
            )
        left = -w * self.rest.log_density(x.steps)
        fits, losses = [], []
        for level in self._levels:
            tilted = before < level
            steps, share = x.steps[tilted], w[tilted]
            fits.append(self.step.fit(steps, share))
            losses.append(left[~tilted].sum() - share @ fits[-1].log_density(steps))
        best = int(np.argmin(losses))
        return self._with(fits[best], self._levels[[best]])

    def smooth(self, towards: Self, alpha: float) -> Self:
        """The smoothed ``step``, up to the ``top`` of ``towards``."""
        if alpha == 0:
            return self
        return self._with(self.step.smooth(towards.step, alpha), towards.top)

    def no_narrower_than(self, other: Self) -> Self:
        """With a step whose tails are no lighter than those of the other."""
        return self._with(self.step.no_narrower_than(other.step), self.top)

    def spread(self) -> Array:
        """That of a step."""
        return np.asarray(self.step.spread())

    def parameters(self) -> dict[str, Array]:
        """Those of a step, and ``top``."""
        return {**self.step.parameters(), "top": self.top}

    def replace(self, **parameters: Array) -> Self:
        """The same walk at other parameters."""
        top = parameters.pop("top", self.top)
        return self._with(self.step.replace(**parameters), top)

    def highest(self, x: Batch) -> Vector:
        """``max_t S_t`` along every path, shape ``(n,)``."""
        return np.asarray(self._sums(paths(self, x)).max(axis=1))

    @property
    def _levels(self) -> Vector:
        return self.goal * np.arange(1, LEVELS + 1) / LEVELS

    def _with(self, step: Any, top: Array) -> Self:
        member = partial(type(self), step, self.rise, self.goal, self.most)
        return member(floor=self.floor, top=top, rest=self.rest)

    def _rises(self, steps: Any) -> Vector:
        """The rise of every step, to the same bits whatever the batch."""
        return sum(r * c for r, c in zip(self.rise, columns(steps).T, strict=True))

    def _sums(self, x: Paths) -> Array:
        """``S_1, S_2, ...`` in a row for every path; after its end the last one again."""
        return x.padded(self._rises(x.steps)).cumsum(axis=1)

    def _walked(self, x: Paths) -> tuple[Vector, Any]:
        """The largest sum before every step, and which of the paths end when they should."""
        sums, place = self._sums(x), np.arange(1, x.length.max(initial=0) + 1)
        last, drawn = place == x.length[:, np.newaxis], place <= x.length[:, np.newaxis]
        stops = (sums >= self.goal) | (sums <= self.floor) | (place >= self.most)
        ended = ((stops == last) | ~drawn).all(axis=1)
        before = np.maximum.accumulate(sums, axis=1)
        before = np.insert(before, 0, 0.0, axis=1)[:, :-1]
        return np.maximum(before, 0.0)[drawn], ended

    def __reduce__(self) -> tuple[Any, ...]:
        made = (self.step, self.rise, self.goal, self.most)
        return partial(type(self), floor=self.floor, top=self.top, rest=self.rest), made

    def __repr__(self) -> str:
        return (
            f"Walk({self.step!r}, rise={self.rise}, goal={self.goal:g}, most={self.most}, "
            f"floor={self.floor:g}, top={self.top})"
        )


def columns(x: Any) -> Array:
    """The coordinates of samples side by side, shape ``(n, d)``: also of those of a `Product`.

    >>> columns(np.array([([1.0, 2.0], [3])], [("a", float, 2), ("b", int, 1)]))
    array([[1., 2., 3.]])
    """
    x = np.asarray(x)
    return x if x.dtype.names is None else np.hstack([columns(x[name]) for name in x.dtype.names])


def _frozen(numbers: Any) -> Array:
    a = real(np.array(numbers, dtype=float))
    a.setflags(write=False)
    return a
