"""Information, entropy, cross-entropy and divergences of distributions and of families."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cem.loss.approximate import Approximation, Expectation
from cem.loss.checks import check_rows, distribution, nats_in, outcomes_last, pair, probabilities
from cem.loss.lazy import BLOCK, LARGE, kernels, special
from cem.loss.of_families import cross_entropy_of, entropy_of, is_family, kl_divergence_of
from cem.loss.series import divergence_terms
from cem.typing import Array


def information(p: ArrayLike, *, unit: str = "nats") -> Any:
    """``h = -ln p``, the surprise at an outcome of probability ``p``; elementwise.

    ``information(0)`` is ``inf`` and ``information(1)`` is ``0``; float32 stays float32. Raises
    ValueError for anything outside [0, 1]. Source: Shannon (1948).

    >>> information([0.5, 1.0, 0.0], unit="bits")
    array([ 1.,  0., inf])
    """
    p = probabilities(p, "p")
    with np.errstate(divide="ignore"):
        return (0.0 - np.log(p)) / p.dtype.type(nats_in(unit))


def entropy(
    p: Any,
    *,
    axis: int = -1,
    unit: str = "nats",
    normalize: bool = False,
    method: Expectation | None = None,
) -> Any:
    """``H(p) = -sum_k p_k ln p_k`` of probabilities, or ``-int f ln f`` of a family.

    Parameters
    ----------
    p : array_like or Family
        Probabilities that sum to one along ``axis`` (to within 1e-8; 1e-6 for float32), or a
        density. ``0 ln 0 = 0``.
    axis : int
        The axis that runs over the outcomes; the result has the others. Sums are float64.
    unit : {"nats", "bits", "hartleys"}
        ``nats / ln 2 = bits``, ``nats / ln 10 = hartleys``.
    normalize : bool
        Rescale to a sum of one first. Never done unless asked for.
    method : MonteCarlo or Quadrature, optional
        For a family: how to approximate it, which gives an `Approximation` with its error. By
        default the closed form, and TypeError where there is none. The entropy of a density may
        be negative.

    Raises
    ------
    ValueError, TypeError
        If ``p`` is not what is said above; the message names the index or the row.

    Examples
    --------
    >>> entropy([0.5, 0.25, 0.25], unit="bits")
    np.float64(1.5)
    """
    nat = nats_in(unit)
    if is_family(p):
        _family_only(axis, normalize)
        return entropy_of(p, method) / nat
    _no_method(method)
    a = outcomes_last(p, "p", axis)
    if a.size >= LARGE:
        return _in(_large_sums("entropies", _cross_terms, a, a, axis, normalize), nat)
    terms = special().entr(distribution(a, "p", axis=axis, normalize=normalize))
    return _in(np.add.reduce(terms, axis=-1), nat)


def cross_entropy(
    p: Any,
    q: Any,
    *,
    axis: int = -1,
    unit: str = "nats",
    normalize: bool = False,
    method: Expectation | None = None,
) -> Any:
    """``H(p, q) = -sum_k p_k ln q_k = H(p) + D(p || q)``, for probabilities or families.

    Where ``p_k = 0`` the term is 0; where ``p_k > 0`` and ``q_k = 0`` the result is ``inf``. The
    axes besides ``axis`` are broadcast; along ``axis`` both must have equally many outcomes.
    Arguments and errors are otherwise those of `entropy`.

    >>> p, q = [0.10, 0.40, 0.50], [0.80, 0.15, 0.05]
    >>> round(cross_entropy(p, q, unit="bits"), 3)
    np.float64(3.288)
    """
    nat = nats_in(unit)
    if is_family(p) or is_family(q):
        _family_only(axis, normalize)
        return cross_entropy_of(p, q, method) / nat
    _no_method(method)
    return _in(_sums("cross_entropies", _cross_terms, p, q, axis, normalize), nat)


def kl_divergence(
    p: Any,
    q: Any,
    *,
    axis: int = -1,
    unit: str = "nats",
    normalize: bool = False,
    method: Expectation | None = None,
) -> Any:
    """``D(p || q) = sum_k p_k ln(p_k / q_k)``, never negative, for probabilities or families.

    For ``p`` near ``q`` nothing cancels: the terms are ``p ln(p / q) - p + q``, which differ from
    the above by what the sums differ from each other. It is ``inf`` where ``q`` excludes what
    ``p`` allows. Arguments and errors are those of `cross_entropy`. Source: Kullback and Leibler
    (1951).

    >>> round(kl_divergence([0.10, 0.40, 0.50], [0.80, 0.15, 0.05], unit="bits"), 3)
    np.float64(1.927)
    """
    nat = nats_in(unit)
    if is_family(p) or is_family(q):
        _family_only(axis, normalize)
        return kl_divergence_of(p, q, method) / nat
    _no_method(method)
    return _in(_sums("divergences", divergence_terms, p, q, axis, normalize), nat)


def jensen_shannon(
    p: ArrayLike, q: ArrayLike, *, axis: int = -1, unit: str = "nats", normalize: bool = False
) -> Any:
    """``(D(p || m) + D(q || m)) / 2`` with ``m = (p + q) / 2``: symmetric, at most ``ln 2``.

    It is a divergence; its square root, which SciPy's ``jensenshannon`` returns, is a distance.
    Arguments and errors are those of
    `cross_entropy`. Source: Lin (1991).

    >>> jensen_shannon([1.0, 0.0], [0.0, 1.0], unit="bits")
    np.float64(1.0)
    """
    if is_family(p) or is_family(q):
        raise TypeError(
            "jensen_shannon takes probabilities; the mean of two densities has no closed form"
        )
    return _in(_sums(None, _mean_terms, p, q, axis, normalize), nats_in(unit))


def perplexity(
    p: Any,
    q: Any = None,
    *,
    axis: int = -1,
    normalize: bool = False,
    method: Expectation | None = None,
) -> Any:
    """``exp(H(p))``, or ``exp(H(p, q))``: as many equally likely outcomes would surprise as much.

    Arguments and errors are those of `entropy` and `cross_entropy`.

    >>> perplexity([0.25] * 4)
    np.float64(4.0)
    """
    options: dict[str, Any] = {"axis": axis, "normalize": normalize, "method": method}
    found = entropy(p, **options) if q is None else cross_entropy(p, q, **options)
    if isinstance(found, Approximation):
        return found.exp()
    with np.errstate(over="ignore"):
        return np.exp(found)


def _cross_terms(p: Array, q: Array) -> Array:
    return np.asarray(0.0 - special().xlogy(p, q))


def _mean_terms(p: Array, q: Array) -> Array:
    """Half of those of p and q from their mean: ``(p + q) (2 s atanh(s) + ln(1 - s^2)) / 4``."""
    total = p + q
    some = np.where(total > 0, total, 1.0)
    s = (p - q) / some
    near = abs(s) < 0.5
    far = 0.5 * (special().xlogy(p, 2 * (p / some)) + special().xlogy(q, 2 * (q / some)))
    s = np.where(near, s, 0.0)
    return np.where(near, 0.5 * total * (s * np.arctanh(s) + 0.5 * np.log1p(-s * s)), far)


def _sums(  # noqa: PLR0917 - the arguments of its callers
    kernel: str | None,
    terms: Callable[[Array, Array], Array],
    p: Any,
    q: Any,
    axis: int,
    normalize: bool,
) -> Any:
    a, b = pair(p, q, axis)
    if max(a.size, b.size) >= LARGE:
        return _large_sums(kernel, terms, a, b, axis, normalize)
    a = distribution(a, "p", axis=axis, normalize=normalize)
    b = distribution(b, "q", axis=axis, normalize=normalize)
    return np.add.reduce(terms(a, b), axis=-1)


def _large_sums(  # noqa: PLR0917
    kernel: str | None,
    terms: Callable[[Array, Array], Array],
    a: Array,
    b: Array,
    axis: int,
    normalize: bool,
) -> Any:
    """The sums by a compiled kernel, or some rows at a time: nothing as large as the input."""
    shape = np.broadcast_shapes(a.shape, b.shape)
    out = np.empty(shape[:-1])
    for at in _blocks(a, b, shape, whole=kernel is not None and not normalize):
        x, y = (np.broadcast_to(c, shape)[at] for c in (a, b))
        if normalize:
            x, y = distribution(x, "p", normalize=True), distribution(y, "q", normalize=True)
        fine = _compiled(kernel, x, y, out[at]) if kernel else _plain(terms, x, y, out[at])
        if not fine:  # one of them is no distribution; which, is said here
            check_rows(a, "p", axis=axis)
            check_rows(b, "q", axis=axis)
    return out[()]


def _compiled(kernel: str, x: Array, y: Array, out: Array) -> bool:
    a, b = (np.ascontiguousarray(c).reshape(-1, c.shape[-1]) for c in (x, y))
    return bool(getattr(kernels(), kernel)(a, b, out.reshape(-1)))


def _plain(terms: Callable[[Array, Array], Array], x: Array, y: Array, out: Array) -> bool:
    try:
        a, b = distribution(x, "p"), distribution(y, "q")
    except ValueError:
        return False
    out[...] = np.add.reduce(terms(a, b), axis=-1)
    return True


def _blocks(a: Array, b: Array, shape: tuple[int, ...], *, whole: bool) -> list[Any]:
    """All at once if nothing needs to be copied, or there is but one row; else some rows a time."""
    ready = a.shape == b.shape and a.flags.c_contiguous and b.flags.c_contiguous
    if (ready and whole) or len(shape) == 1:
        return [...]
    step = max(1, BLOCK * shape[0] // math.prod(shape))
    return [slice(i, i + step) for i in range(0, shape[0], step)]


def _in(found: Any, nats: float) -> Any:
    """In another unit, if it is another."""
    return found if nats == 1 else found / nats


def _family_only(axis: int, normalize: bool) -> None:
    if axis != -1 or normalize:
        raise TypeError("axis and normalize are for probabilities: a family has no axes")


def _no_method(method: Expectation | None) -> None:
    if method is not None:
        raise TypeError("a method is for families: sums over probabilities are exact")
