"""Named ways to set up a search: what is sampled, selected, smoothed, and when to begin anew."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cem import stopping
from cem.archive import Face, Keeping
from cem.engine import CrossEntropyMethod
from cem.evolution import EvolutionPath
from cem.families.bernoulli import Bernoulli
from cem.families.categorical import Categorical
from cem.families.composition import Composition
from cem.families.mirrored_bernoulli import MirroredBernoulli
from cem.families.multivariate_normal import MultivariateNormal
from cem.families.normal import Normal
from cem.families.permutations import Permutations
from cem.families.placements import Placements
from cem.families.symmetric_transitions import SymmetricTransitions
from cem.families.transitions import Transitions
from cem.families.tree import DependencyTree
from cem.restarts import BIPOP, IPOP, never
from cem.selection import Elite, Ranked
from cem.sizes import Decaying
from cem.smoothing import Constant, Margin
from cem.stopping import Stop
from cem.typing import (
    Array,
    Family,
    Memory,
    Refit,
    Restart,
    SampleSize,
    Selection,
    Smoothing,
    StopRule,
)

if TYPE_CHECKING:
    from cem.state import History, State

FULL = 200  # coordinates up to which a search in a box learns a full covariance
MOST = 50_000  # permutations at first: no iteration takes long
K = 10  # elite samples of iCEM


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The parts of a search that a preset chooses; an argument of the driver replaces its part."""

    n_samples: SampleSize
    select: Selection
    smooth: Smoothing
    ends: tuple[StopRule, ...]  # any one ends a search, which may then begin anew
    restart: Restart = never
    restarts: int = 0  # how many at most, where there is no limit and no target
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
        n_samples=_many(family),
        select=Elite(0.1),
        smooth=Constant(0.7),
        ends=(stopping.stalled(), stopping.degenerate()),
    )


def default(family: Family) -> Plan:
    """What does best on the standard benchmarks with the family at hand.

    - `cem.Normal`, `cem.MultivariateNormal`: few samples and `cem.EvolutionPath`; begins anew by
      `cem.BIPOP`.
    - `cem.Bernoulli`, `cem.Categorical`: few samples, of which the best and its ties are elite, and
      a margin that keeps every value possible; begins anew by `Alternating`.
    - `cem.DependencyTree`: twice as many samples as bits, a margin; begins anew by `cem.IPOP`.
    - `cem.MirroredBernoulli`: ten samples for every coordinate, a small elite; begins anew with
      twice as many, by `cem.IPOP`.
    - `cem.Transitions`, `cem.Placements` and their like: five samples for every element of the
      matrix, 50 000 at most, a small elite, slow smoothing; begins anew likewise.
    - Any other: `textbook`.
    """
    plans: Mapping[type, Callable[[Any], Plan]] = {
        Normal: _normal,
        MultivariateNormal: _normal,
        Bernoulli: _choices,
        Categorical: _choices,
        DependencyTree: _tree,
        MirroredBernoulli: _cuts,
        Placements: _orders,
        Transitions: _orders,
        SymmetricTransitions: _orders,
    }
    return plans.get(type(family), textbook)(family)


def _normal(family: Normal | MultivariateNormal) -> Plan:
    d = family.n_coordinates
    n = 4 + int(3 * math.log(d))
    return Plan(
        n_samples=n,
        select=Ranked(0.5),
        smooth=EvolutionPath(),
        ends=(
            stopping.flat(d),
            stopping.stagnant(100 + int(100 * d**1.5 / n)),
            stopping.degenerate(1e-14),
            stopping.beaten(d),
        ),
        restart=BIPOP(),
        most_iterations=100 + int(150 * (d + 3) ** 2 / math.sqrt(n)),
    )


def _choices(family: Bernoulli | Categorical) -> Plan:
    """Two kinds of search in turn: with few samples from nearby, and with many from afar.

    In the first a sample differs from the mode in little more than one coordinate. Were the mode
    always the best of the batch, ``alpha = 1``, it would be the (1, N) evolution strategy; that
    needs some ``2.2 ln d`` samples for its steps up to outweigh those down: Rowe, Sudholt (2014).
    """
    p = family.p
    values = 2 if p.ndim == 1 else p.shape[1]
    free = p.size if p.ndim == 1 else int(np.count_nonzero(p)) - len(p)
    d = 2 + max(1, free)
    n = math.ceil(2.5 * math.log(d))
    return Plan(
        n_samples=n,
        select=Elite(1 / n, at_least=1),
        smooth=InTurn((Margin(Constant(0.5), min(1.2 / d, 0.5 / values)), Constant(0.7))),
        ends=(_stalled(22 * d), stopping.degenerate()),
        restart=Alternating(10 * d),
        restarts=1,
        most_iterations=1000 + d * d // n,
    )


def _tree(family: DependencyTree) -> Plan:
    d = family.n_coordinates
    return Plan(
        n_samples=max(20, 2 * d),
        select=Ranked(0.4),
        smooth=Margin(Constant(0.4), 1 / (d + 2)),
        ends=(_stalled(22 * d), stopping.degenerate()),
        restart=IPOP(),
    )


def _cuts(family: MirroredBernoulli) -> Plan:
    return _growing(max(500, 10 * family.n_coordinates), 0.02, 0.4)


def _orders(family: Permutations) -> Plan:
    return _growing(min(max(500, 5 * family.n_coordinates**2), MOST), 0.01, 0.3)


def _growing(n: int, rho: float, alpha: float) -> Plan:
    """Many cheap samples and a small elite; then twice as many, and so on, up to eight times."""
    return Plan(
        n_samples=n,
        select=Elite(rho, at_least=20),
        smooth=Constant(alpha),
        ends=(stopping.stalled(), stopping.degenerate()),
        restart=IPOP(most=8),
    )


def noisy(family: Family) -> Plan:
    """Where scores are noisy, and a race is to follow: `textbook`, but for `cem.Composition`.

    With a composition it is fewer samples, 10 for every part, and an end as soon as the density is
    no wider than ten compositions, for these can race.
    """
    plan = textbook(family)
    if not isinstance(family, Composition):
        return plan
    return replace(plan, n_samples=max(100, 10 * family.n_coordinates), ends=(_narrow(10),))


def face(family: Family) -> Plan:
    """Fully adaptive: a batch grows until it helps, and the run says whether to rely on it.

    FACE of Rubinstein and Kroese (2004), section 5.3: `cem.Face`. For any family; made for scores
    that are whole numbers, since it ends well once the level is the best score.
    """
    n = _many(family)
    return Plan(
        n_samples=n,
        select=Elite(0.1),
        smooth=Face(Constant(0.7), n_elite=math.ceil(n / 10), n_most=20 * n),
        ends=(stopping.reliable(), stopping.unreliable(20 * n), stopping.degenerate()),
    )


def icem(family: Family) -> Plan:
    """For sequences of actions in few evaluations, with `cem.ColouredNormal` or `cem.Normal`.

    iCEM of Pinneri et al. (2020), arXiv:2008.06389: ever fewer samples, ten of them elite, of which
    three compete again; and a mean that keeps a tenth of the old one.
    """
    return Plan(
        n_samples=Decaying(max(100, family.spread().size), least=2 * K),
        select=Elite(0.1, at_least=K, at_most=K),
        smooth=Keeping(Constant(0.9), 0.3),
        ends=(stopping.stalled(), stopping.degenerate()),
    )


@dataclass(frozen=True)
class Alternating:
    """Every second search has ``n`` samples, twice, four times as many ...; the others as given.

    >>> method = CrossEntropyMethod(nominal=Bernoulli([0.5]), n_samples=5, rng=1)
    >>> [Alternating(100)(method, (), k).n_samples for k in range(6)]
    [5, 100, 5, 200, 5, 400]
    """

    n: int

    def __call__(self, method: CrossEntropyMethod, history: History, k: int) -> CrossEntropyMethod:
        """The method of the ``k``-th restart."""
        del history
        return replace(method, n_samples=self.n * 2 ** (k // 2)) if k % 2 else method


@dataclass(frozen=True)
class InTurn:
    """Several smoothings: the next one whenever the search begins anew.

    >>> from cem.state import State
    >>> class Fit:
    ...     v_hat = Bernoulli([1.0])
    >>> turns = InTurn((Constant(0.5), Constant(1.0)))
    >>> [turns(State(Bernoulli([0.5]), restart=k), Fit)[0].p.item() for k in range(3)]
    [0.75, 1.0, 0.75]
    """

    of: tuple[Smoothing, ...]

    def __call__(self, state: State, refit: Refit) -> tuple[Any, Memory]:
        """``v_t`` of the smoothing whose turn it is, and what that one remembers."""
        return self.of[state.restart % len(self.of)](state, refit)


def _stalled(n_samples: int) -> StopRule:
    """`cem.stopping.stalled`, but after no less than so many samples in vain."""

    def rule(history: History) -> Stop | None:
        if not history:
            return None
        n = math.ceil(n_samples / history[-1].n)
        return stopping.stalled(max(5, n), patience=max(50, n))(history)

    return rule


def _narrow(n: int) -> StopRule:
    """Stop once the density is no wider than ``n`` equally likely points, by its entropy."""

    def rule(history: History) -> Stop | None:
        if not history or history[-1].entropy > math.log(n):
            return None
        return Stop(f"converged: the density is no wider than {n} points", success=True)

    return rule


def _wide(low: Array, high: Array) -> Normal:
    """Half of the box in a standard deviation, to all sides."""
    return Normal((low + high) / 2, (high - low) / 2)


def _within(low: Array, high: Array) -> Normal | MultivariateNormal:
    """A third of the box in a standard deviation; correlated where that can be afforded."""
    mean, std = (low + high) / 2, 0.3 * (high - low)
    limits = np.finfo(float)
    fits = math.sqrt(limits.tiny) < std.min() and std.max() < math.sqrt(limits.max)
    if len(mean) > FULL or not fits:
        return Normal(mean, std)
    return MultivariateNormal(mean, np.diag(std**2))


def _many(family: Family) -> int:
    """Samples enough to fit every parameter to the best tenth of them."""
    return max(100, 5 * sum(a.size for a in family.parameters().values()))


PRESETS: Mapping[str, Preset] = {
    "default": Preset(default, _within),
    "textbook": Preset(textbook, _wide),
    "noisy": Preset(noisy, _wide),
    "face": Preset(face, _wide),
    "icem": Preset(icem, _wide),
}


def preset_of(named: str | Preset) -> Preset:
    """The preset of that name, or itself."""
    if isinstance(named, Preset):
        return named
    if named not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}; got {named!r}")
    return PRESETS[named]
