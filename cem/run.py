"""THE loop: sample, score, select, refit, record, until a rule says why to stop."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cem.state import History, Record, State
from cem.stopping import Stop
from cem.typing import Batch, Method, StopRule, Vector
from cem.typing import Callback as Watcher


def run(
    method: Method,
    evaluate: Callable[[Batch, int], Vector],
    *,
    until: Iterable[StopRule],
    start: tuple[State, History] | None = None,
    callbacks: Iterable[Watcher] = (),
) -> tuple[State, History, Stop]:
    """Iterate until a rule gives its reason; return where we are, the way there, and why."""
    state, history = start or (method.init(), History())
    until, callbacks = checked(until), tuple(callbacks)
    while not (reasons := [stop for rule in until if (stop := rule(history))]):
        state, record = iterated(method, evaluate, state)
        history = history.append(record)
        for callback in callbacks:
            callback(state, record)
    return state, history, reasons[0]


def iterated(
    method: Method, evaluate: Callable[[Batch, int], Vector], state: State
) -> tuple[State, Record]:
    """One iteration: when it returns, its batch is gone before the next is drawn."""
    x = method.ask(state)
    return method.tell(state, x, evaluate(x, state.t))


def checked(until: Iterable[StopRule]) -> tuple[StopRule, ...]:
    """The stop rules, or an error if something else is among them."""
    until = tuple(until)
    if not all(callable(rule) for rule in until):
        raise TypeError(f"until must hold stop rules, functions of the history; got {until!r}")
    return until
