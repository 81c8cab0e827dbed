"""A problem in continuous variables, seen in standard normal ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cem.families.multivariate_normal import MultivariateNormal
from cem.families.normal import Normal
from cem.typing import Batch
from cem.wrapping import Around


@dataclass(frozen=True, eq=False)
class Standardised(Around):
    """The problem at the points that stand where standard normal ``u`` stand, ``(n, d)``.

    ``density`` has a method ``at_normal(u)``, which gives them: for independent coordinates those
    with the same values of the distribution functions, in both tails to the last digits.

    >>> from cem.families import Exponential
    >>> problem = Standardised(lambda x: x.sum(axis=1), Exponential([1.0, 2.0]))
    >>> problem(np.zeros((1, 2))) / np.log(2)
    array([3.])
    """

    problem: Any
    density: Any

    def __call__(self, u: Batch) -> Any:
        """The scores of the points that these stand for."""
        return self.problem(self.outward(u))

    def outward(self, u: Batch) -> Batch:
        """The points that these stand for, shape ``(n, d)``."""
        return self.density.at_normal(u)


def standardised(problem: Any, density: Any) -> Any:
    """The problem in standard normal variables; itself if these are its own.

    >>> problem = len
    >>> standardised(problem, Normal([0.0], [1.0])) is problem
    True
    """
    return problem if _is_standard(density) else Standardised(problem, density)


def can_be_standardised(density: Any) -> bool:
    """Whether its samples are functions of as many standard normal variables, with a density."""
    if isinstance(density, MultivariateNormal):
        return density.root is not None
    return hasattr(density, "at_normal") and bool(density.spread().min() > 0)


def _is_standard(density: Any) -> bool:
    if density.mean.any() if isinstance(density, Normal | MultivariateNormal) else True:
        return False
    if isinstance(density, Normal):
        return bool((density.std == 1).all())
    return np.array_equal(density.cov, np.eye(density.n_coordinates))
