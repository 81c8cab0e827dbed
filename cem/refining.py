"""Hybrids: every sample is improved by a local search; and the searches to compare them with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cem import stopping
from cem.presets import Plan, Preset
from cem.randomness import Purpose, stream
from cem.restarts import IPOP
from cem.selection import Elite
from cem.smoothing import Constant, Still
from cem.state import History, State
from cem.stopping import Stop
from cem.typing import Array, Batch, Family, Refine
from cem.wrapping import AroundMethod


@dataclass(frozen=True, eq=False)
class Refined(AroundMethod):
    """A method whose samples are improved by a local search before they are scored.

    The density is fitted to what the search found, so that the next samples start it where that
    was good. Only what is scored counts as an evaluation, not what the local search looks at.
    """

    refine: Refine = field(kw_only=True)

    def ask(self, state: State) -> Batch:
        """The samples, improved; asking twice gives them twice."""
        x = np.asarray(self.method.ask(state))
        better = np.asarray(self.refine(x, stream(self.root, Purpose.REFINE, state.t)))
        if better.shape != x.shape:
            raise ValueError(
                f"refine must return as many samples as it takes, shape {x.shape}; got shape "
                f"{better.shape}"
            )
        return better


def hybrid(family: Family) -> Plan:  # noqa: ARG001 - for any
    """CE with a local search: few samples, since each of them is a good one already.

    Once all the elite are alike it begins anew, as long as there is a limit that ends it.
    """
    return Plan(
        n_samples=20,
        select=Elite(0.3),
        smooth=Constant(0.4),
        ends=(_settled, stopping.degenerate()),
        restart=IPOP(1.0),
    )


def _settled(history: History) -> Stop | None:
    """`cem.stopping.stalled`, where local searches that all end alike have found what there is."""
    stop = stopping.stalled()(history)
    if stop is stopping.NOTHING_LEARNT:
        return Stop("converged: every local search ended with the same score", success=True)
    return stop


def multistart(family: Family) -> Plan:  # noqa: ARG001 - for any
    """The control that learns nothing: the local search from samples of the first density."""
    return Plan(n_samples=20, select=Elite(0.3), smooth=Still(), ends=())


def iterated(family: Family) -> Plan:  # noqa: ARG001 - for any
    """Iterated local search (ILS): the one sample is its own elite, and the next one begins there.

    The local search must leave the local optimum it is given, by kicks or by going down: of those
    of a problem it is the first that says so by an attribute ``leaves``.
    """
    return Plan(n_samples=1, select=Elite(1 / 2, at_least=1), smooth=Constant(1.0), ends=())


METHODS: Mapping[str, Callable[[Family], Plan]] = {
    "ce+refine": hybrid,
    "multistart": multistart,
    "ils": iterated,
}
DEFINING: Mapping[str, set[str]] = {  # parts without which a control is none
    "multistart": {"select", "smooth"},
    "ils": {"n_samples", "select", "smooth"},
}


@dataclass(frozen=True)
class Plain:
    """No local search. `Hybrid` has the same parts."""

    preset: Preset | None = field(default=None, repr=False)

    @property
    def identity(self) -> str:
        """What decides the bits, in words."""
        return "ce"

    def check(self, given: Mapping[str, Any]) -> None:
        """Any part may be chosen."""

    def around(self, method: Any) -> Any:
        """The method as it is."""
        return method

    def warm(self, problem: Any, family: Family) -> None:
        """Nothing is to be made ready."""


@dataclass(frozen=True)
class Hybrid(Plain):
    """A local search, and the plan of a search that makes use of it."""

    refine: Refine = field(kw_only=True)
    name: str = field(kw_only=True)
    own: bool = field(kw_only=True)  # whether the local search is the problem's

    @property
    def identity(self) -> str:
        """The method and its local search."""
        return f"{self.name} by {getattr(self.refine, '__qualname__', repr(self.refine))}"

    def check(self, given: Mapping[str, Any]) -> None:
        """Refuse parts that would make something else of a control."""
        if taken := sorted(DEFINING.get(self.name, set()) & given.keys()):
            raise TypeError(
                f"method={self.name!r} is what it is by its {', '.join(taken)}: leave that out "
                '(rho makes a select, alpha a smooth), or choose method="ce+refine"'
            )

    def around(self, method: Any) -> Any:
        """The method with its samples improved."""
        return Refined(method, refine=self.refine)

    def warm(self, problem: Any, family: Family) -> None:
        """Refine one sample, so that no clock counts what is compiled for the first one.

        Raises ValueError if the problem's own search makes it worse: that searches the other way.
        """
        x: Array = np.asarray(family.sample(np.random.default_rng(0), 1))
        better = self.refine(x, np.random.default_rng(0))
        if not self.own:
            return
        before, after = problem(x)[0], problem(better)[0]
        if after < before:
            raise ValueError(
                f"the local searches of this problem make its score worse here, {before:g} to "
                f"{after:g}: minimize what is to be minimised, maximize the rest"
            )


def search_of(problem: Any, method: str | None, refine: Refine | str | None) -> Plain:
    """The search by that name, with its local search: given, named, or the problem's own.

    Raises ValueError for a name that neither this module nor the problem knows, TypeError where a
    problem has no local search and none is given.
    """
    if method is None:
        method = "ce" if refine is None else "ce+refine"
    if method not in ("ce", *METHODS):
        raise ValueError(f"method must be one of ce, {', '.join(METHODS)}; got {method!r}")
    if method == "ce":
        if refine is not None:
            raise ValueError('method="ce" has no use for refine: leave it out, or say "ce+refine"')
        return Plain()
    own = not callable(refine)
    if not callable(refine):
        refine = _named(problem, method, refine)
    return Hybrid(Preset(METHODS[method], _no_box), refine=refine, name=method, own=own)


def _named(problem: Any, method: str, name: str | None) -> Refine:
    known: Mapping[str, Refine] = getattr(problem, "refines", dict)()
    if not known:
        raise TypeError(
            f"method={method!r} needs a local search: pass refine=, a function of a batch and a "
            f"generator; a {type(problem).__name__} has none of its own"
        )
    if name is None:
        fit = [k for k, one in known.items() if method != "ils" or getattr(one, "leaves", False)]
        if not fit:
            raise TypeError(
                f"method='ils' needs a local search that leaves a local optimum; those of a "
                f"{type(problem).__name__}, {', '.join(known)}, end there: choose multistart"
            )
        name = fit[0]
    if name not in known:
        raise ValueError(f"refine must be a function or one of {', '.join(known)}; got {name!r}")
    return known[name]


def _no_box(low: Array, high: Array) -> Family:
    raise TypeError(
        "a local search improves samples of the problem's family: pass a family instead of "
        f"bounds; got a box of {len(low)} coordinates up to {high.max():g}"
    )
