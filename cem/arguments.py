"""Names of arguments: one that is not known is answered with the one that was likely meant."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeVar

Driver = TypeVar("Driver", bound=Callable[..., Any])

ELSEWHERE = {  # what SciPy, scikit-learn, Optuna and others call it
    "args": "functools.partial(f, ...)",
    "disp": "callback=cem.Progress()",
    "elite_frac": "rho",
    "maxfev": "max_evaluations",
    "maxfun": "max_evaluations",
    "maxiter": "max_iterations",
    "n_jobs": "workers",
    "n_trials": "max_evaluations",
    "options": "each of them by its own name",
    "popsize": "n_samples",
    "random_state": "rng",
    "seed": "rng",
    "sigma0": "a family to start from, such as cem.Normal(mean, std)",
    "timeout": "time_limit",
    "tol": "until, with a rule of cem.stopping",
    "verbose": "callback=cem.Progress()",
    "x0": "a family to start from, such as cem.Normal(mean, std)",
}


def answered(*like: Callable[..., Any]) -> Callable[[Driver], Driver]:
    """The driver, with an answer to keywords that neither it nor those like it know.

    >>> @answered()
    ... def minimize(problem, *, max_iterations=None): ...
    >>> minimize(None, maxiter=3)
    Traceback (most recent call last):
    TypeError: minimize() has no argument 'maxiter': expected max_iterations
    """

    def decorate(driver: Driver) -> Driver:
        known = set(_names(driver)).union(*map(_names, like))

        @wraps(driver)
        def checked(*args: Any, **keywords: Any) -> Any:
            if unknown := sorted(keywords.keys() - known):
                raise TypeError(f"{driver.__name__}() has no argument {_meant(unknown[0], known)}")
            return driver(*args, **keywords)

        return checked  # type: ignore[return-value] # the same arguments

    return decorate


def _names(of: Callable[..., Any]) -> list[str]:
    parameters = inspect.signature(of).parameters
    return [name for name, p in parameters.items() if p.kind is not p.VAR_KEYWORD]


def _meant(name: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    if name in ELSEWHERE:
        return f"{name!r}: expected {ELSEWHERE[name]}"
    if near := get_close_matches(name, known, 1):
        return f"{name!r}; did you mean {near[0]!r}?"
    return f"{name!r}; it has {', '.join(sorted(known))}"
