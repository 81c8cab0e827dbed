"""How a probability moves with the nominal parameters: derivatives by the score-function method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cem.families.parametric import ROUNDING
from cem.loss.support import support_of
from cem.typing import Array, Batch, Family, Vector

COARSE = 1e-3  # the first step, of the parameter, the spread or 1; it shows what a good one is
CHANGE = 1e-4  # what a good step changes ln f by: curvature adds 1e-8 of it, rounding less
FINEST = 1e-12  # of the parameter: in a smaller step there is nothing but rounding
TIDYING = 1e-6  # of a step: a family that takes out more of it has refused it
MOST_TRIES = 30  # a tenth of the step each time: after them there is no room on one of the sides


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """Derivatives of a probability ``P`` to one parameter; all arrays have its shape.

    Attributes
    ----------
    parameter : Array
        Its value.
    derivative, std_error : Array
        ``dP / d theta`` and its standard error.
    relative, relative_std_error : Array
        ``d ln P / d theta`` and its standard error.
    reasons : dict
        Why an element has no derivative, by index; it is NaN in the arrays.
    """

    parameter: Array
    derivative: Array
    std_error: Array
    relative: Array
    relative_std_error: Array
    reasons: Mapping[tuple[int, ...], str]

    @property
    def elasticity(self) -> Array:
        """``d ln P / d ln theta``: per cent of ``P`` for a per cent of the parameter."""
        return self.parameter * self.relative


class NoDerivative(Exception):  # noqa: N818 - a reason, which is passed on as such
    """Why there is no derivative of ``ln f`` to a parameter."""


def score_function(f: Family, name: str, index: tuple[int, ...], x: Batch) -> Vector:
    """``d ln f(x_i; v) / d v[name][index]`` for every sample, by central differences.

    Where an element cannot move alone, others move with it: ``cov[i, j]`` with ``cov[j, i]``; of
    probabilities that sum to one the others give what it takes, in proportion. The step is the one
    that changes ``ln f`` by about 1e-4.

    Raises NoDerivative if the parameter cannot move in both directions, if the support moves with
    it (so that there is more to the derivative than the score), or if ``ln f`` is not finite.

    >>> from cem.families import Exponential
    >>> score_function(Exponential([2.0]), "mean", (0,), np.array([[2.0], [6.0]])).round(6)
    array([0., 1.])
    """
    value, direction = f.parameters()[name], _direction(f, name, index)
    size, why = abs(float(value[index])), ""
    step = COARSE * max(1.0, size, float(f.spread().max()))
    for _ in range(MOST_TRIES):
        if step < FINEST * size:
            break
        try:
            return _derivative(f, name, step * direction, index, x)
        except ValueError as error:
            step, why = step / 10, why or str(error)
    raise NoDerivative(why)


def _derivative(f: Family, name: str, move: Array, index: tuple[int, ...], x: Batch) -> Vector:
    """The difference quotient, its step made smaller until it is good; else ValueError."""
    while True:
        difference, step = _difference(f, name, move, index, x)
        change = float(np.sqrt(np.mean(difference**2)))
        if change <= 10 * CHANGE:
            return difference / step
        move = move * (CHANGE / change)


def _difference(
    f: Family, name: str, move: Array, index: tuple[int, ...], x: Batch
) -> tuple[Vector, float]:
    """``ln f`` on one side less that on the other, and how far apart the two are."""
    value = f.parameters()[name]
    sides = []
    for there in (value + move, value - move):
        g = f.replace(**{name: there})
        if np.abs(g.parameters()[name] - there).max() > TIDYING * np.abs(move).max():
            raise ValueError(f"{name} cannot be moved by {np.abs(move).max():g}")
        _check_support(f, g, name)
        with np.errstate(over="ignore", invalid="ignore"):  # looked for below
            sides.append(g.log_density(x))
    with np.errstate(invalid="ignore"):
        difference = sides[0] - sides[1]
    if not np.isfinite(difference).all():
        raise ValueError(f"ln f is not finite where {name} is moved by {np.abs(move).max():g}")
    apart = (value[index] + move[index]) - (value[index] - move[index])  # as it was rounded
    return difference, float(apart)


def _check_support(f: Family, g: Family, name: str) -> None:
    old, new = support_of(f), support_of(g)
    if old and new and not (old.within(new) and new.within(old)):
        raise ValueError(
            f"the support moves with {name}, so that the derivative is more than the score's mean"
        )


def _direction(f: Family, name: str, index: tuple[int, ...]) -> Array:
    """How an element moves: alone, with its mirror image, or at the cost of the rest of its row."""
    value = f.parameters()[name]
    alone = np.zeros_like(value)
    alone[index] = 1.0
    if value.ndim > 1 and np.array_equal(value, value.swapaxes(-1, -2)):
        alone[*index[:-2], index[-1], index[-2]] = 1.0
    row = value[index[:-1]]
    shares = row.min() >= 0 and abs(row.sum() - 1) <= ROUNDING and value[index] < 1
    if not shares or any(_can_be(f, name, value + side * alone) for side in (1e-6, -1e-6)):
        return alone
    given = np.zeros_like(value)
    given[index[:-1]] = row / (value[index] - 1)
    given[index] = 1.0
    return given


def _can_be(f: Family, name: str, value: Array) -> bool:
    try:
        f.replace(**{name: value})
    except ValueError:
        return False
    return True


def named(nominal: Family, names: Any) -> Mapping[str, Array]:
    """The parameters of these names, all for None; ValueError for a name that is not one."""
    known = nominal.parameters()
    asked = tuple(known) if names is None else tuple(names)
    if unknown := [name for name in asked if name not in known]:
        raise ValueError(
            f"{type(nominal).__name__} has no parameter {unknown[0]!r}; expected {', '.join(known)}"
        )
    return {name: known[name] for name in asked}
