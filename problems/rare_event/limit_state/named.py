"""The limit states of the literature by name, with their probabilities of failure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from problems import check_whole, nearest
from problems.rare_event.limit_state import planar, sums, systems
from problems.rare_event.limit_state.limit_state import LimitState

CASES = planar.CASES | systems.CASES | sums.CASES


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class NamedLimitState(LimitState):
    """A limit state of the literature; ``name`` and ``settings`` say which, `problem` makes it.

    >>> problem("r_s")
    NamedLimitState('r_s')
    """

    name: str
    settings: dict[str, float]

    def exact(self) -> float:
        """The probability of failure: a closed form, a quadrature, or the known value."""
        probability = CASES[self.name].probability
        return probability(**self.settings) if callable(probability) else probability

    def __repr__(self) -> str:
        given = "".join(f", {key}={value!r}" for key, value in self.settings.items())
        return f"{type(self).__name__}({self.name!r}{given})"


def problem(
    name: str = "four_branch",
    *,
    n: int | None = None,
    beta: float | None = None,
    r: float | None = None,
    level: float | None = None,
) -> NamedLimitState:
    """The limit state of that name; each takes some of the other settings, or none.

    In the plane: ``axial_stressed_beam``, ``four_branch``, ``four_branch_6``, ``metaball``,
    ``parabola``, ``parallel(beta)``, ``r_s``, ``ring(r)``, ``rp24``, ``rp25``, ``rp35``, ``rp53``,
    ``rp57``, ``rp89``, ``rp111``, ``two_branch``. Of more variables: ``linear(n, beta)``, ``rp8``,
    ``rp14``, ``rp38``, ``rp63``, ``rp77``, ``shell(n, r)``, ``sphere(n, r)``,
    ``twosided(n, beta)``, ``twosided_x1(n, beta)``. Sums and paths: ``bridge5_exp(level)``,
    ``gammasum(n, level)``, ``lognormal_sum(level)``, ``rp54``, ``weibull_sum(level)``.

    What each is, what makes it hard and where it is from is said by its function, in
    ``problems.rare_event.limit_state``: ``planar``, ``systems`` and ``sums``.

    Raises ValueError for an unknown name and for a setting that the limit state does not take.

    >>> problem("ring", r=3.0), f"{problem('ring', r=3.0).exact():.12f}"
    (NamedLimitState('ring', r=3.0), '0.011108996538')
    """
    if name not in CASES:
        raise ValueError(f"there is no limit state {name!r}" + nearest(name, sorted(CASES)))
    case = CASES[name]
    asked = {"n": n, "beta": beta, "r": r, "level": level}
    given = {key: value for key, value in asked.items() if value is not None}
    for key, value in given.items():
        if key not in case.defaults:
            raise ValueError(
                f"the limit state {name!r} has no setting {key!r}; it has "
                + (", ".join(case.defaults) or "none")
            )
        _check(key, value)
    settings = case.defaults | given
    of_g = {key: value for key, value in settings.items() if key != "n"}
    return NamedLimitState(
        g=partial(case.g, **of_g) if of_g else case.g,
        marginals=case.marginals(settings["n"]) if "n" in settings else case.marginals(),
        name=name,
        settings=settings,
    )


def _check(key: str, value: Any) -> None:
    if key == "n":
        check_whole(key, value, 1)
    elif isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise TypeError(f"{key} must be a number; got {value!r}")
    elif not 0 < value < np.inf:
        raise ValueError(f"{key} must be positive and finite; got {value!r}")
