"""What mixtures have in common: components that may be idle, their smoothing, their density."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.random import Generator

from cem.families.expectation_maximisation import log_total
from cem.families.parametric import ROUNDING, Parametric, parameter, probability
from cem.families.samples import rows
from cem.typing import Array, Batch, Vector


def proportions(a: Array) -> Array:
    """Numbers in [0, 1] that sum to one."""
    a = probability(a)
    if abs(a.sum() - 1) > ROUNDING:
        raise ValueError(f"must sum to 1; got {a.sum():g}")
    return a


@dataclass(frozen=True, eq=False, repr=False)
class Mixture(Parametric):
    """Base of ``f(x) = sum_j weight_j f_j(x)``: ``weight`` has shape ``(k,)``.

    Every other parameter has the first axis ``k`` too, so a member keeps its shape whatever number
    of components a fit chooses: the rest have weight zero and are idle. A subclass names its
    ``kind`` of components, a named tuple of the other parameters, with the densities, entropies
    and mergers of all of them at once.
    """

    kind: ClassVar[Any]

    weight: Array = parameter(proportions)

    def __post_init__(self) -> None:
        super().__post_init__()
        lengths = {name: len(array) for name, array in self.parameters().items()}
        if len(set(lengths.values())) > 1:
            found = ", ".join(f"{name} has {length}" for name, length in lengths.items())
            raise ValueError(
                f"{type(self).__name__} needs as many of each parameter as components; {found}"
            )

    @property
    def n_coordinates(self) -> int:
        """``d``, the number of coordinates of a sample."""
        return int(getattr(self, self.kind._fields[0]).shape[1])

    def log_density(self, x: Batch) -> Vector:
        """``ln sum_j weight_j f_j(x_i)``, shape ``(n,)``."""
        return log_total(self._log_joint(self._read(rows(self, x, float))))

    def smooth(self, towards: Self, alpha: float) -> Self:
        """``alpha`` of the one density and ``1 - alpha`` of the other, within ``k`` components.

        Components have no order, so their parameters cannot be averaged one by one: it is the
        densities that are. If that makes more than ``k`` components, pairs are merged, each into
        the component with the same moments, and first those that lose least by it, by the bound
        of Runnalls (2007) on the divergence; for exponential families: Ardeshiri, Ozkan, Orguner
        (2014). For normal components the mean and covariance of the whole are exactly kept.
        """
        if alpha in {0, 1}:
            return towards if alpha == 1 else self
        (v, own), (w, other) = self._working(), towards._working()
        both = (np.concatenate(pair) for pair in zip(own, other, strict=True))
        weight, components = np.concatenate([(1 - alpha) * v, alpha * w]), self.kind(*both)
        while len(weight) > self.weight.size:
            weight, components = _with_a_pair_merged(weight, components)
        return self._of(weight, components)

    def _working(self) -> tuple[Vector, Any]:
        """Weights and components without the idle ones."""
        works = self.weight > 0
        return self.weight[works], _chosen(self._components(), works)

    def _components(self) -> Any:
        return self.kind(*(getattr(self, name) for name in self.kind._fields))

    def _of(self, weight: Vector, components: Any) -> Self:
        """A member with these components, the heaviest first; the idle ones look like that."""
        order = (-weight).argsort(kind="stable")
        idle = self.weight.size - len(order)
        shown = _chosen(components, np.concatenate([order, np.full(idle, order[0])]))
        weight = np.concatenate([weight[order] / weight.sum(), np.zeros(idle)])
        return self.replace(weight=weight, **shown._asdict())

    def _read(self, x: Array) -> Any:
        """The batch as the components take it."""
        return x

    def _log_joint(self, x: Any) -> Array:
        weight, components = self._working()
        joint: Array = np.log(weight)[:, None] + components.log_densities(x)
        return joint

    def _labels(self, rng: Generator, n: int) -> Array:
        """The components that ``n`` samples come from."""
        works = np.flatnonzero(self.weight)
        share = self.weight[works] / self.weight.sum()
        return np.asarray(works[rng.choice(works.size, n, p=share)])


def _chosen(components: Any, which: Any) -> Any:
    return type(components)(*(array[which] for array in components))


def _with_a_pair_merged(weight: Vector, components: Any) -> tuple[Vector, Any]:
    """One component less: the pair is merged whose entropy grows least by it, for its weight."""
    i, j = np.triu_indices(len(weight), 1)
    both, entropy = weight[i] + weight[j], components.entropies()
    share = weight[i] / both
    merged = components.merged(i, j, share)
    own = share * entropy[i] + (1 - share) * entropy[j]
    pair = (both * (merged.entropies() - own)).argmin()
    others = np.delete(np.arange(len(weight)), [i[pair], j[pair]])
    arrays = (
        np.concatenate([a[others], new[[pair]]]) for a, new in zip(components, merged, strict=True)
    )
    return np.append(weight[others], both[pair]), type(components)(*arrays)
