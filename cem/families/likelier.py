"""One of several families, whichever explains the sample best for its number of parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.random import Generator

from cem.typing import Array, Batch, Vector


@dataclass(frozen=True, eq=False, repr=False)
class Likelier:
    """A mixture of one kind or of another: what `fit` finds has the smaller BIC.

    ``kinds`` are mixtures on ``R^d``; ``chosen`` is the number of the one that is the density. A
    fit fits all of them and chooses the one with the least ``n loss + m ln(n) / 2``, for ``m`` free
    parameters and Kish's effective number ``n`` of samples: Schwarz (1978). Its parameters are
    ``chosen``, and those of every kind with the number of that before the name.

    >>> from cem.families import AlignedNormals, GaussianMixture
    >>> full = GaussianMixture.around([0.0] * 3, [1.0] * 3, k=2)
    >>> f = Likelier((full, AlignedNormals.standard_normal(3, k=2)))
    >>> x = np.random.default_rng(1).standard_normal((90, 3)) + [4.0, 0.0, 0.0]
    >>> type(f.fit(x, np.ones(90)).density).__name__
    'AlignedNormals'
    """

    kinds: tuple[Any, ...]
    chosen: int = 0

    @property
    def density(self) -> Any:
        """The family that was chosen, which is the density."""
        return self.kinds[self.chosen]

    @property
    def n_coordinates(self) -> int:
        """``d``, the number of coordinates of a sample."""
        return int(self.density.n_coordinates)

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` samples, shape ``(n, d)``."""
        return self.density.sample(rng, n)

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i)``, shape ``(n,)``."""
        log_f: Vector = self.density.log_density(x)
        return log_f

    def fit(self, x: Batch, weights: Vector) -> Self:
        """Every kind fitted, and the likelier one chosen."""
        fitted = tuple(kind.fit(x, weights) for kind in self.kinds)
        w = weights / weights.sum()
        n = 1 / (w @ w)
        scores = [
            0.5 * _free_parameters(f) * math.log(n) - n * float(w @ f.log_density(x))
            for f in fitted
        ]
        return type(self)(fitted, int(np.argmin(scores)))

    def smooth(self, towards: Self, alpha: float) -> Self:
        """Every kind smoothed; the choice is that of ``towards``."""
        pairs = zip(self.kinds, towards.kinds, strict=True)
        return type(self)(tuple(a.smooth(b, alpha) for a, b in pairs), towards.chosen)

    def no_narrower_than(self, other: Self) -> Self:
        """Every kind no narrower than that of the other."""
        pairs = zip(self.kinds, other.kinds, strict=True)
        return type(self)(tuple(a.no_narrower_than(b) for a, b in pairs), self.chosen)

    def widened(self, factor: float) -> Any:
        """The density with its variances multiplied."""
        return self.density.widened(factor)

    def spread(self) -> Array:
        """The standard deviations of the coordinates."""
        spread: Array = self.density.spread()
        return spread

    def parameters(self) -> dict[str, Array]:
        """``chosen``, and ``"0.mean"`` and so on for every kind."""
        named = {
            f"{j}.{name}": array
            for j, kind in enumerate(self.kinds)
            for name, array in kind.parameters().items()
        }
        chosen = np.array([float(self.chosen)])
        chosen.setflags(write=False)
        return {"chosen": chosen, **named}

    def replace(self, **parameters: Array) -> Self:
        """The same kinds at other parameters."""
        own: list[dict[str, Array]] = [{} for _ in self.kinds]
        chosen = int(parameters.pop("chosen", np.array([self.chosen]))[0])
        for name, array in parameters.items():
            j, _, key = name.partition(".")
            own[int(j)][key] = array
        changed = (kind.replace(**one) for kind, one in zip(self.kinds, own, strict=True))
        return type(self)(tuple(changed), chosen)

    def __repr__(self) -> str:
        return repr(self.density)


def _free_parameters(f: Any) -> int:
    """Those of the components at work; of a covariance matrix one half, and its diagonal."""
    works = int(np.count_nonzero(f.weight))
    shapes = [array.shape[1:] for array in f.parameters().values()]
    return works * sum(math.comb(s[0] + 1, 2) if len(s) == 2 else math.prod(s) for s in shapes) - 1
