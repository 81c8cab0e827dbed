"""Named ways to set up a search: what is sampled, selected, smoothed, and when to begin anew."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from cem import stopping
from cem.evolution import EvolutionPath
from cem.families.multivariate_normal import MultivariateNormal
from cem.families.normal import Normal
from cem.restarts import BIPOP, never
from cem.selection import Elite, Ranked
from cem.smoothing import Constant
from cem.typing import Array, Family, Restart, SampleSize, Selection, Smoothing, StopRule

FULL = 200  # coordinates up to which a search in a box learns a full covariance


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The parts of a search that a preset chooses; an argument of the driver replaces its part."""

    n_samples: SampleSize
    select: Selection
    smooth: Smoothing
    ends: tuple[StopRule, ...]  # any one ends a search, which may then begin anew
    restart: Restart = never
    most_iterations: int = 1000  # of a search, where there is no other limit


@dataclass(frozen=True)
class Preset:
    """How to plan a search from a density, and from which density to search a box."""

    plan: Callable[[Family], Plan]
    start: Callable[[Array, Array], Family]


def textbook(family: Family) -> Plan:
    """The method as it is taught: de Boer et al. (2005). For any family.

    Many samples, the best tenth, constant smoothing: robust, and wasteful.
    """
    return Plan(
        n_samples=max(100, 5 * _n_parameters(family)),
        select=Elite(0.1),
        smooth=Constant(0.7),
        ends=(stopping.stalled(), stopping.degenerate()),
    )


def default(family: Family) -> Plan:
    """What does best on the standard benchmarks with the family at hand.

    Normal densities take few samples and `cem.EvolutionPath`, and begin anew by `cem.BIPOP`. For
    other families it is `textbook`.
    """
    if type(family) not in {Normal, MultivariateNormal}:
        return textbook(family)
    d = len(family.parameters()["mean"])
    n = 4 + int(3 * math.log(d))
    return Plan(
        n_samples=n,
        select=Ranked(0.5),
        smooth=EvolutionPath(),
        ends=(
            stopping.flat(),
            stopping.stalled(patience=100 + 100 * d // n),
            stopping.degenerate(1e-14),
            stopping.beaten(),
        ),
        restart=BIPOP(),
        most_iterations=100 + int(150 * (d + 3) ** 2 / math.sqrt(n)),
    )


def _wide(low: Array, high: Array) -> Normal:
    """Half of the box in a standard deviation, to all sides."""
    return Normal((low + high) / 2, (high - low) / 2)


def _within(low: Array, high: Array) -> Normal | MultivariateNormal:
    """A third of the box in a standard deviation; correlated where that can be afforded."""
    mean, std = (low + high) / 2, 0.3 * (high - low)
    if len(mean) > FULL:
        return Normal(mean, std)
    return MultivariateNormal(mean, np.diag(std**2))


def _n_parameters(family: Family) -> int:
    return sum(a.size for a in family.parameters().values())


PRESETS: Mapping[str, Preset] = {
    "default": Preset(default, _within),
    "textbook": Preset(textbook, _wide),
}


def preset_of(named: str | Preset) -> Preset:
    """The preset of that name, or itself."""
    if isinstance(named, Preset):
        return named
    if named not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}; got {named!r}")
    return PRESETS[named]
