"""Entropy and divergences of families: a closed form, or an expectation asked for by name."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from cem.loss.approximate import Approximation, Expectation
from cem.loss.registry import find_entropy, find_kl
from cem.loss.support import support_of
from cem.typing import Family

Found = float | Approximation


def is_family(p: Any) -> bool:
    """Is it a density, and not an array of probabilities?"""
    return hasattr(p, "log_density")


def entropy_of(f: Family, method: Expectation | None) -> Found:
    """``H(f)`` in nats."""
    return _found("entropy", find_entropy(f), method, f)


def kl_divergence_of(f: Family, g: Family, method: Expectation | None) -> Found:
    """``D(f || g)`` in nats."""
    _check_pair(f, g)
    if _excludes(g, f):
        return _infinite(method)
    return _found("kl_divergence", find_kl(f, g), method, f, g)


def cross_entropy_of(f: Family, g: Family, method: Expectation | None) -> Found:
    """``H(f, g) = H(f) + D(f || g)`` in nats."""
    _check_pair(f, g)
    if _excludes(g, f):
        return _infinite(method)
    own, kl = find_entropy(f), find_kl(f, g)
    both = None if own is None or kl is None else (lambda f, g: _sum(own(f), kl(f, g), f))
    return _found("cross_entropy", both, method, f, g)


def _found(
    what: str,
    closed_form: Callable[..., float] | None,
    method: Expectation | None,
    *families: Family,
) -> Found:
    if method is not None:
        found: Approximation = getattr(_checked(method), what)(*families)
        return found
    if closed_form is None:
        names = " to ".join(type(f).__name__ for f in families)
        raise TypeError(
            f"no closed form of the {what.replace('_', ' ')} of {names} is known; ask for an "
            "estimate: method=cem.loss.Quadrature() in one dimension, else "
            "method=cem.loss.MonteCarlo(n)"
        )
    return np.float64(closed_form(*families))


def _checked(method: Any) -> Expectation:
    if not isinstance(method, Expectation):
        raise TypeError(
            f"method must be cem.loss.MonteCarlo(n) or cem.loss.Quadrature(); got {method!r}"
        )
    return method


def _check_pair(f: Any, g: Any) -> None:
    for h in (f, g):
        if not is_family(h):
            raise TypeError(f"expected two families or two arrays of probabilities; got {h!r}")
    n, m = f.spread().shape, g.spread().shape
    if n != m:
        raise ValueError(f"two families must have equally many coordinates; got {n} and {m}")


def _excludes(g: Family, f: Family) -> bool:
    """Has ``f`` mass where ``g`` is known to have none?"""
    a, b = support_of(f), support_of(g)
    return a is not None and b is not None and not a.within(b)


def _infinite(method: Expectation | None) -> Found:
    return math.inf if method is None else Approximation(math.inf, 0.0, 0)


def _sum(entropy: float, kl: float, f: Family) -> float:
    if math.isnan(entropy + kl):
        raise ValueError(
            f"{type(f).__name__} has collapsed to a point: its entropy is -inf and its divergence "
            "inf, and their sum says nothing"
        )
    return entropy + kl
