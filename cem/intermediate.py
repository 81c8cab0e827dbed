"""Callbacks in SciPy's manner: they see an intermediate result, and may end the run."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from cem.state import History, Record, State
from cem.stopping import Stop
from cem.typing import Batch

ASKED = Stop("the callback asked for an end", success=False)


def _as_it_is(x: Batch) -> Batch:
    return x


@dataclass(eq=False)
class Intermediate:
    """A function of one ``intermediate_result``, and the stop rule that goes with it.

    Like SciPy's solvers it ends a run by returning something true, or by raising StopIteration.
    What it sees is a `scipy.optimize.OptimizeResult` with ``x`` (None until a score was finite),
    ``fun`` in the user's sign, ``nit``, ``nfev``, ``success`` and ``message``.
    """

    function: Callable[..., object]
    sign: int = 1  # of the scores of the search, seen from the user
    inside: Callable[[Batch], Batch] = _as_it_is  # from samples to points of the user's box
    ended: bool = False

    def turned(self) -> Intermediate:
        """The same in a search whose scores have their sign turned."""
        return replace(self, sign=-self.sign)

    def __call__(self, state: State, record: Record) -> None:
        """Show the function where the run is, and remember what it says."""
        from scipy.optimize import OptimizeResult

        best = state.best
        result: Any = OptimizeResult()
        result.update(
            x=None if best.x is None else self.inside(best.x.copy()),
            fun=self.sign * best.score,
            nit=record.t,
            nfev=record.nfev,
            success=False,
            message="in progress",
        )
        try:
            self.ended = bool(self.function(intermediate_result=result))
        except StopIteration:
            self.ended = True

    def rule(self, history: History) -> Stop | None:  # noqa: ARG002 - the function has seen it
        """Stop once the function has asked for it."""
        return ASKED if self.ended else None


def callbacks_of(callback: Any) -> tuple[Any, ...]:
    """The callbacks, given one or several; those in SciPy's manner as `Intermediate`."""
    if callback is None:
        return ()
    several = isinstance(callback, Iterable) and not callable(callback)
    callbacks = tuple(callback) if several else (callback,)
    if not all(callable(c) for c in callbacks):
        raise TypeError(
            f"callback must be a function of (state, record), or several of them; got {callback!r}"
        )
    return tuple(map(_understood, callbacks))


def _understood(callback: Any) -> Any:
    try:
        signature = inspect.signature(callback)
    except ValueError:  # of some built-in functions nobody knows
        return callback
    if {*signature.parameters} == {"intermediate_result"}:
        return Intermediate(callback)
    if "convergence" in signature.parameters or not _takes_two(signature):
        raise TypeError(
            f"callback{signature} is not known here: expected a function of "
            "(intermediate_result), as SciPy has it too, or of (state, record)"
        )
    return callback


def _takes_two(signature: inspect.Signature) -> bool:
    try:
        signature.bind("state", "record")
    except TypeError:
        return False
    return True


def watchers(callback: Any) -> tuple[Any, ...]:
    """The callbacks of a job that none of them may end; TypeError if one would."""
    callbacks = callbacks_of(callback)
    if any(isinstance(c, Intermediate) for c in callbacks):
        raise TypeError(
            "a callback of (intermediate_result) is for maximize and minimize: for an estimate "
            "expected a function of (state, record); to end it early give until= a rule"
        )
    return callbacks


def turned(callback: Any) -> tuple[Any, ...]:
    """The callbacks of a search whose scores have their sign turned.

    One that tells scores to people has a method ``turned()``: the same, turning them back.
    """
    return tuple(c.turned() if hasattr(c, "turned") else c for c in callbacks_of(callback))


def within(callback: Any, inside: Callable[[Batch], Batch]) -> tuple[Any, ...]:
    """The callbacks of a search whose samples stand for points ``inside`` a box."""
    return tuple(
        replace(c, inside=inside) if isinstance(c, Intermediate) else c
        for c in callbacks_of(callback)
    )
