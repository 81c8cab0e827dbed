"""Closed forms of H and D for families: one registry, filled by the family files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Entropy = Callable[[Any], float]
Divergence = Callable[[Any, Any], float]
E = TypeVar("E", bound=Entropy)
D = TypeVar("D", bound=Divergence)

_ENTROPY: dict[type, Entropy] = {}
_KL: dict[tuple[type, type], Divergence] = {}
_KNOWN: dict[Any, Callable[..., bool]] = {}  # of forms that not all members have
_OF_FITS: set[type] = set()  # families whose fit has the cross-entropy H(fit) from its sample


def closed_form_entropy(
    family: type, *, of_fits: bool = False, known: Callable[[Any], bool] | None = None
) -> Callable[[E], E]:
    """Register the decorated ``f -> H(f)`` (nats) for a family, or those members where ``known``.

    ``of_fits`` says that the cross-entropy from a weighted sample to the fit to it is the fit's
    entropy, as it is for exponential families whose base measure is constant.
    """

    def register(function: E) -> E:
        _ENTROPY[family] = function
        _KNOWN.update({function: known} if known else {})
        _OF_FITS.update([family] if of_fits else [])
        return function

    return register


def closed_form_kl(
    f: type, g: type, *, known: Callable[[Any, Any], bool] | None = None
) -> Callable[[D], D]:
    """Register the decorated ``(f, g) -> D(f || g)`` (nats) for two families, where ``known``."""

    def register(function: D) -> D:
        _KL[f, g] = function
        _KNOWN.update({function: known} if known else {})
        return function

    return register


def find_entropy(f: Any) -> Entropy | None:
    """The closed form of ``H(f)``, or None."""
    form = _ENTROPY.get(type(f))
    return form if form not in _KNOWN or _KNOWN[form](f) else None


def find_entropy_of_fits(f: Any) -> Entropy | None:
    """The closed form of ``H(f)`` if that is also the cross-entropy from the sample of a fit."""
    return _ENTROPY[type(f)] if type(f) in _OF_FITS else None


def find_kl(f: Any, g: Any) -> Divergence | None:
    """The closed form of ``D(f || g)``, or None."""
    form = _KL.get((type(f), type(g)))
    return form if form not in _KNOWN or _KNOWN[form](f, g) else None
