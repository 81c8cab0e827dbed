"""A fitted density that cannot miss the rest: heavier tails, and a share of a wide density."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.random import Generator

from cem.families.expectation_maximisation import log_total
from cem.families.mixing import proportions
from cem.typing import Array, Batch, Family, Vector

WIDE, HEAVY = 0.1, 0.2  # shares: of the wide density; of the heavy tails in the rest
VARIANCES = (1.4, 6.0)  # of the fitted density as it is sampled, and of its heavy tails


@dataclass(frozen=True, eq=False, repr=False)
class Defended:
    """``f(x) = s_1 g(x; 1.4 C) + s_2 g(x; 6 C) + s_3 h(x)``: a sampling density for estimates.

    ``g``, called ``of``, is what is fitted; its variances ``C`` are raised a little, and for some
    samples sixfold, because a fit to few of them is too sure of itself and a likelihood
    ratio punishes tails that are too light. ``h``, called ``wide``, stays as it is: a defensive
    share (Hesterberg, 1995) that bounds the weights and keeps looking elsewhere. The parameters are
    ``share``, three numbers that sum to one, and those of ``g``. A fit sets the shares to .72,
    .18 and .1; before the first one, all of it may be ``h``. ``of`` needs a method
    ``widened(factor)`` besides those of a family.

    >>> from cem.families import GaussianMixture, Stretched
    >>> wide = Stretched([0.0], [1.0], [1.0, 2.0, 4.0], [1 / 3] * 3)
    >>> f = Defended.by(wide, GaussianMixture.around([0.0], [1.0], k=4))
    >>> f.share, f.fit(np.linspace(4, 5, 50)[:, None], np.ones(50)).share
    (array([0., 0., 1.]), array([0.72, 0.18, 0.1 ]))
    """

    share: Array
    of: Any
    wide: Family

    def __post_init__(self) -> None:
        share = proportions(np.array(self.share, dtype=float))
        if share.shape != (3,):
            raise ValueError(f"Defended.share must hold three numbers; got shape {share.shape}")
        share.setflags(write=False)
        object.__setattr__(self, "share", share)

    @classmethod
    def by(cls, wide: Family, of: Any) -> Self:
        """Nothing but the wide density, with ``of`` to be fitted."""
        return cls(np.array([0.0, 0.0, 1.0]), of, wide)

    @property
    def n_coordinates(self) -> int:
        """``d``, the number of coordinates of a sample."""
        return int(self.of.n_coordinates)

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` samples, shape ``(n, d)``."""
        label = rng.choice(3, n, p=self.share)
        sizes = np.bincount(label, minlength=3)
        x = np.concatenate([f.sample(rng, n) for f, n in zip(self.parts, sizes, strict=True)])
        x[np.argsort(label, kind="stable")] = x.copy()
        return x

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i)``, shape ``(n,)``."""
        log_f = [
            math.log(share) + part.log_density(x)
            for share, part in zip(self.share, self.parts, strict=True)
            if share > 0
        ]
        return log_total(np.stack(log_f))

    def fit(self, x: Batch, weights: Vector) -> Self:
        """``of`` fitted to the sample, and the shares as they are meant to be."""
        share = np.array([(1 - WIDE) * (1 - HEAVY), (1 - WIDE) * HEAVY, WIDE])
        return type(self)(share, self.of.fit(x, weights), self.wide)

    def smooth(self, towards: Self, alpha: float) -> Self:
        """The shares and the fitted density, each smoothed."""
        share = alpha * towards.share + (1 - alpha) * self.share
        return type(self)(share, self.of.smooth(towards.of, alpha), self.wide)

    def no_narrower_than(self, other: Self) -> Self:  # noqa: ARG002 - its tails are wide as it is
        """Itself."""
        return self

    def spread(self) -> Array:
        """The standard deviations of the coordinates of ``of``."""
        spread: Array = self.of.spread()
        return spread

    def parameters(self) -> dict[str, Array]:
        """``share``, and the parameters of the fitted density."""
        return {"share": self.share, **self.of.parameters()}

    def replace(self, **parameters: Array) -> Self:
        """The same families at other parameters."""
        share = parameters.pop("share", self.share)
        return type(self)(share, self.of.replace(**parameters), self.wide)

    @cached_property
    def parts(self) -> tuple[Any, ...]:
        """The three densities that are mixed: of use to many, so kept."""
        return *(self.of.widened(factor) for factor in VARIANCES), self.wide

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.share, self.of, self.wide)  # a copy from a pickle is frozen too

    def __repr__(self) -> str:
        return f"Defended({self.of!r})"
