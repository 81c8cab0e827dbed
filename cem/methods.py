"""Named ways to estimate: what is sampled and fitted on the way to the event, and for how long."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cem import arrival, stopping
from cem.chains import MarkovChains
from cem.engine import CrossEntropyMethod
from cem.families.aligned_normals import AlignedNormals
from cem.families.categorical import Categorical
from cem.families.defended import Defended
from cem.families.likelier import Likelier
from cem.families.mixture import GaussianMixture
from cem.families.multivariate_normal import MultivariateNormal
from cem.families.normal import Normal
from cem.families.parametric import Independent
from cem.families.stretched import Stretched
from cem.families.von_mises_fisher_nakagami import VonMisesFisherNakagami
from cem.indicators import Sharpened, SmoothIndicator, Tempered
from cem.pooling import Pooled
from cem.probing import Probing
from cem.scores import whole_number
from cem.selection import Elite
from cem.smoothing import Constant, Settling
from cem.standard import can_be_standardised, standardised
from cem.state import History
from cem.stopping import Stop
from cem.typing import Problem, Selection, Smoothing, StopRule
from cem.weights import likelihood_ratio

FEW = 12  # coordinates up to which a covariance may be full
COMPONENTS = 12  # of a mixture, at most
ENOUGH = 150.0  # effective samples behind every fit
BLOCK = 1000  # samples per block of a final sample whose size is given
BATCH = 400  # samples per iteration where they are pooled
LARGE = 1000  # and where every sample is used for one fit only
RTOL = 0.05  # relative error asked for where they are, if nothing is said
MARGIN = 0.6  # of the relative error asked for is planned for: it should not be missed by chance
REACH = 3.0  # standard deviations of the distance from the mean that are explored
FAR = 3.5  # a scale at which an event that is six away in some direction is hit
MOST_BATCHES = 20  # iterations on the way, and as many for the final sample


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is asked: an event, and the settings that were given."""

    problem: Problem
    nominal: Any
    gamma: float
    rng: Any
    n_samples: int | None = None
    rho: float | None = None
    alpha: float | None = None
    select: Selection | None = None
    smooth: Smoothing | None = None

    def __post_init__(self) -> None:
        if self.n_samples is not None:
            object.__setattr__(self, "n_samples", whole_number("n_samples", self.n_samples))


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The parts of an estimate that a method chooses."""

    steering: Any  # a `cem.typing.Method` with a root
    nominal: Any  # f(.; u) in the variables that are sampled
    problem: Problem  # in the same variables
    n_samples: int  # per iteration, and per block of the final sample
    n_block: int | None = None  # or per block, if the size of that sample is given
    ends: tuple[StopRule, ...]
    most_iterations: int = 100
    n_final: int | None = None  # size of the final sample, if nothing is said
    rtol: float | None = None  # or the relative error to reach
    most_blocks: int = 0  # of a final sample to that
    foreseen: Callable[[History, float], float] | None = None  # how many samples that takes
    aim: Callable[[History], bool] | None = None  # whether to sample the fitted density, if asked
    steers_nowhere: bool = False  # the nominal density is what is to be sampled
    why: str


def multilevel(case: Case) -> Plan:
    """Levels rise to the event, in the nominal density's own family: de Boer et al. (2005)."""
    select = case.select or Elite(_rho(case))
    steering = _method(case, select, case.smooth or _settling(case))
    return _levels(case, steering, f"levels, in the family {type(case.nominal).__name__}")


def improved(case: Case) -> Plan:
    """A smooth indicator sharpens: Papaioannou, Geyer, Straub (2019), `SmoothIndicator`.

    As there, continuous variables are made standard normal, and one normal density is fitted; any
    others stay in the nominal density's own family.
    """
    _refuse(case, "rho", "alpha", "select", "smooth")
    if can_be_standardised(case.nominal):
        d = case.nominal.n_coordinates
        normal = MultivariateNormal(np.zeros(d), np.eye(d))
        case = replace(case, problem=standardised(case.problem, case.nominal), nominal=normal)
    steering = _method(case, SmoothIndicator(), Settling(case.gamma, 1.0))
    return _levels(case, steering, f"smooth levels, in the family {type(case.nominal).__name__}")


def markov_chains(case: Case) -> Plan:
    """Levels climbed by Markov chains, in the nominal density's own family: `MarkovChains`."""
    _refuse(case, "alpha", "select", "smooth")
    n = case.n_samples or LARGE
    steering = MarkovChains(
        nominal=case.nominal, n_samples=n, gamma=case.gamma, rho=case.rho or 0.2, rng=case.rng
    )
    why = f"Markov chains, in the family {type(case.nominal).__name__}"
    return _levels(case, steering, why, patience=10 * steering.moves)


def crude(case: Case) -> Plan:
    """Crude Monte Carlo: the nominal density itself is sampled."""
    _refuse(case, "rho", "alpha", "select", "smooth")
    steering = _method(case, Elite(), Constant(1.0))
    at_once = Stop("crude Monte Carlo", success=True)
    plan = _levels(case, steering, "the nominal density itself is sampled")
    return replace(plan, ends=(lambda history: at_once,), steers_nowhere=True)  # noqa: ARG005


def tempered(case: Case) -> Plan:
    """Powers of an integrand rise to one, in the nominal density's own family: `Tempered`."""
    steering = _method(case, Tempered(_rho(case)), _settling(case))
    why = f"powers of H, in the family {type(case.nominal).__name__}"
    return _levels(case, steering, why, what="power")


def _rho(case: Case) -> float:
    return 0.1 if case.rho is None else case.rho


def _settling(case: Case) -> Settling:
    return Settling(case.gamma, 0.9 if case.alpha is None else case.alpha, case.nominal)


def _method(case: Case, select: Selection, smooth: Smoothing) -> CrossEntropyMethod:
    return CrossEntropyMethod(
        nominal=case.nominal,
        n_samples=case.n_samples or LARGE,
        select=select,
        smooth=smooth,
        gamma=case.gamma,
        log_weight=likelihood_ratio,
        rng=case.rng,
    )


def _levels(
    case: Case, steering: Any, why: str, *, what: str = "level", patience: int = 10
) -> Plan:
    return Plan(
        steering=steering,
        nominal=case.nominal,
        problem=case.problem,
        n_samples=steering.n_samples,
        ends=(
            arrival.level_settled(case.gamma, what=what),
            stopping.mostly_bad,
            stopping.degenerate(),
            arrival.level_stuck(case.gamma, patience, what=what),
        ),
        n_final=10 * steering.n_samples,
        why=why,
    )


@dataclass(frozen=True)
class Exploring:
    """Far and near in all directions first, then mixtures fitted to all samples so far.

    For continuous variables, in the standard normal ones that they are functions of. ``fitted``
    makes the family of their number. The first batch is of a `Stretched` density, which keeps a
    tenth of the samples to the end: see `Defended`. Its hits tell where the parts of the event are:
    see `Probing`. The final sample is as large as its relative error takes: .05, or as asked for.
    """

    fitted: Callable[[int], Any]
    said: str
    least: int = 1  # variables that it needs

    def __call__(self, case: Case) -> Plan:
        """The plan, or ValueError if the variables are no functions of standard normal ones."""
        if not can_be_standardised(case.nominal):
            raise ValueError(
                "this method needs a nominal density of continuous variables with a method "
                "at_normal, such as that of a LimitState, cem.Normal or cem.Exponential; got "
                f"{case.nominal!r}"
            )
        d = case.nominal.n_coordinates
        if d < self.least:
            raise ValueError(
                f"this method has a direction for every mean and needs {self.least} variables or "
                'more; got 1: choose method="mixture"'
            )
        one, scale = Normal(np.zeros(d), np.ones(d)), _scales(d)
        wide = Stretched(one.mean, one.std, scale, np.full(scale.size, 1 / scale.size))
        standard = replace(case, problem=standardised(case.problem, case.nominal), nominal=one)
        why = f"{self.said}, for {d} standard normal variable{'s' * (d > 1)}"
        first, n = Defended.by(wide, self.fitted(d)), max(BATCH, 4 * d)
        return _pooled(standard, first, Probing, n=n, ess=max(ENOUGH, d), why=why)


def pooled(case: Case) -> Plan:
    """Smooth levels of the nominal density's own family, fitted to all samples so far.

    The nominal density keeps a tenth of the samples to the end, so no weight exceeds ten.
    """
    n_parameters = sum(a.size for a in case.nominal.parameters().values())
    return _pooled(
        case,
        Defended.by(case.nominal, case.nominal),
        Pooled,
        n=max(LARGE, 10 * n_parameters),
        ess=max(200.0, 2.0 * n_parameters),
        why=f"pooled samples, in the family {type(case.nominal).__name__}",
    )


def _pooled(
    case: Case, first: Defended, steered: type[Pooled], *, n: int, ess: float, why: str
) -> Plan:
    _refuse(case, "rho", "alpha", "select", "smooth")
    n = case.n_samples or n
    steering = steered(
        nominal=case.nominal,
        n_samples=n,
        select=Sharpened(ess),
        smooth=Constant(1.0),
        gamma=case.gamma,
        log_weight=likelihood_ratio,
        rng=case.rng,
        first=first,
    )
    return Plan(
        steering=steering,
        nominal=case.nominal,
        problem=case.problem,
        n_samples=n,
        n_block=None if case.n_samples else max(n, BLOCK),
        ends=(
            arrival.well_aimed(case.gamma, n),
            stopping.mostly_bad,
            arrival.level_stuck(case.gamma),
        ),
        most_iterations=MOST_BATCHES,
        rtol=RTOL,
        most_blocks=MOST_BATCHES,
        foreseen=_foreseen,
        aim=_is_better_than_crude,
        why=why,
    )


def _refuse(case: Case, *names: str) -> None:
    """Say which settings a method has no use for."""
    given = [name for name in names if getattr(case, name) is not None]
    if given:
        raise ValueError(
            f"this method has no use for {', '.join(given)}: leave it out, or choose "
            'method="multilevel"'
        )


def _scales(d: int) -> Any:
    """Scales whose distances from the mean reach ``REACH`` beyond the usual ones, and below."""
    step = REACH / 2 / math.sqrt(d)
    return np.array([s for s in (1 - step, 1.0, 1 + step, max(1 + 2 * step, FAR)) if s > 0.5])


def _foreseen(levels: History, rtol: float) -> float:
    """How many samples a relative error will take, with a margin: it should not be missed."""
    return (levels[-1].variation / (MARGIN * rtol)) ** 2 if levels else 0.0


def _is_better_than_crude(levels: History) -> bool:
    """Whether the event is rare, and the fitted density foreseen to need fewer samples for it."""
    if levels[-1].log_mass > -math.log(2):
        return False
    return levels[-1].variation ** 2 < math.expm1(min(-levels[-1].log_mass, 700.0))


def auto(case: Case) -> Plan:
    """What suits the nominal density, unless a selection or a smoothing says how to go about it.

    Continuous variables are made standard normal and explored far out, with mixtures of normal
    densities: aligned with their means or, up to 12 coordinates, of full covariance, whichever is
    the likelier. Whole numbers and choices stay in their own family, and so do all samples. Any
    other density steers itself level by level.
    """
    given = (case.rho, case.alpha, case.select, case.smooth)
    if any(part is not None for part in given):
        return multilevel(case)
    if can_be_standardised(case.nominal):
        return METHODS["mixture"](case)
    return (pooled if isinstance(case.nominal, Independent | Categorical) else multilevel)(case)


def _full(k: int) -> Callable[[int], GaussianMixture]:
    return lambda d: GaussianMixture.around(np.zeros(d), np.ones(d), k)


def _aligned(d: int) -> AlignedNormals:
    return AlignedNormals.standard_normal(d, COMPONENTS)


def _mixture(d: int) -> Any:
    """What can be: in one coordinate there is no direction, in many no full covariance."""
    if d == 1:
        return _full(COMPONENTS)(d)
    return _aligned(d) if d > FEW else Likelier((_full(COMPONENTS)(d), _aligned(d)))


METHODS: Mapping[str, Callable[[Case], Plan]] = {
    "auto": auto,
    "multilevel": multilevel,
    "pooled": pooled,
    "improved": improved,
    "gaussian": Exploring(_full(1), "one normal density"),
    "mixture": Exploring(_mixture, "a mixture of normal densities"),
    "aligned": Exploring(_aligned, "normal densities aligned with their means", least=2),
    "directions": Exploring(
        lambda d: VonMisesFisherNakagami.standard_normal(d, COMPONENTS),
        "von Mises-Fisher-Nakagami densities of direction and distance",
        least=2,
    ),
    "markov-chains": markov_chains,
    "crude": crude,
}


def method_of(named: str | Callable[[Case], Plan]) -> Callable[[Case], Plan]:
    """The method of that name, or itself."""
    if callable(named):
        return named
    if named not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}; got {named!r}")
    return METHODS[named]
