"""What `maximize`, `minimize` and `estimate` have in common around the loop."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cem import checkpoint as files
from cem.callbacks import Checkpoint
from cem.engine import CrossEntropyMethod
from cem.families.parametric import is_family
from cem.intermediate import callbacks_of
from cem.logs import logged
from cem.parallel import CHUNK_SIZE, Evaluation, mapping
from cem.randomness import root_named
from cem.scores import whole_number
from cem.sizes import size_of
from cem.state import History, State
from cem.typing import Callback, Family, Problem


@dataclass(frozen=True, kw_only=True)
class Session:
    """A method ready to run: how to score, where to start, who watches."""

    method: CrossEntropyMethod
    evaluate: Evaluation
    start: tuple[State, History]
    callbacks: tuple[Callback, ...]


@contextmanager
def session(
    problem: Problem,
    method: CrossEntropyMethod,
    *,
    workers: Any,
    evaluation_timeout: float | None,
    chunk_size: int,
    callback: Callback | Iterable[Callback] | None,
    checkpoint: Any,
    start: tuple[State, History] | None,
    **settings: Any,
) -> Iterator[Session]:
    """Open the workers, find where to start, and close the workers again."""
    check_problem(problem)
    size_of(method.n_samples, 0)
    settings["chunk_size"] = chunk_size
    callbacks = (*callbacks_of(callback), logged(problem))
    families = (method.init().v, method.nominal)
    if checkpoint is not None:
        path = Path(checkpoint)
        if path.exists():
            if start is not None:
                raise ValueError(f"start was given, and {path} exists: expected only one of them")
            if method.rng is None:  # any seed will do, so the one in the file does
                made = files.load(path, families).settings
                method = replace(method, rng=root_named(made.get("rng", "")))
            known = files.settings_of(method, **settings)
            start = files.load(path, families, known)[:2]
        known = files.settings_of(method, **settings)
        history = start[1] if start else None
        callbacks = (Checkpoint(path, known, history), *callbacks)
    with mapping(workers, problem, evaluation_timeout) as chunks:
        yield Session(
            method=method,
            evaluate=Evaluation(problem, method.root, chunk_size, chunks),
            start=(start[0], History(start[1])) if start else (method.init(), History()),
            callbacks=callbacks,
        )


def check_problem(problem: Any) -> None:
    """Refuse what cannot be called."""
    if not callable(problem):
        raise TypeError(
            "problem must be a function of a batch, or an object that can be called; got "
            f"{reprlib.repr(problem)} of type {type(problem).__name__}"
        )


def chunk_size_of(problem: Any, chunk_size: int | None, usual: int = CHUNK_SIZE) -> int:
    """The chunk size asked for, or the one that the problem brings, or the usual one."""
    size = getattr(problem, "chunk_size", usual) if chunk_size is None else chunk_size
    return whole_number("chunk_size", size)


def nominal_of(problem: Any, family: Family | None) -> Family:
    """The family asked for, or the one that the problem brings."""
    if family is None:
        nominal: Callable[[], Family] | None = getattr(problem, "nominal", None)
        if nominal is None:
            raise TypeError(
                "a family is needed to sample from: pass one (cem.Bernoulli, cem.Normal, ...) or "
                f"give the problem a method nominal(); got one of type {type(problem).__name__}"
            )
        return nominal()
    if not is_family(family):
        raise TypeError(
            "expected a family with sample, log_density, fit and smooth, such as "
            f"cem.Bernoulli([0.5] * 8); got {reprlib.repr(family)} of type {type(family).__name__}"
            "; for a box write bounds=[(low, high), ...]"
        )
    return family
