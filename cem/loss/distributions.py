"""Information, entropy, cross-entropy and divergences of distributions and of families."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cem.loss.approximate import Approximation, Expectation
from cem.loss.checks import distribution, nats_in, pair, probabilities
from cem.loss.lazy import LARGE, kernels, special
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
    found = _compiled("entropies", p, p, axis, normalize)
    if found is None:
        found = _entropy_terms(distribution(p, "p", axis=axis, normalize=normalize)).sum(axis=-1)
    return found / nat


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
    return _sums("cross_entropies", _cross_terms, p, q, axis, normalize) / nat


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
    return _sums("divergences", divergence_terms, p, q, axis, normalize) / nat


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
    a, b = pair(p, q, axis=axis, normalize=normalize)
    return _mean_divergence_terms(_float64(a), _float64(b)).sum(axis=-1) / nats_in(unit)


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


def _mean_divergence_terms(p: Array, q: Array) -> Array:
    """Half of those of p and q from their mean: ``(p + q) (2 s atanh(s) + ln(1 - s^2)) / 4``."""
    total = p + q
    s = np.divide(p - q, total, where=total > 0, out=np.zeros_like(total))
    near = abs(s) < 0.5
    m = 0.5 * total
    far = special().rel_entr(p, m) + special().rel_entr(q, m)
    if not np.count_nonzero(near):
        return np.asarray(0.5 * far)
    s = np.where(near, s, 0.0)
    return np.where(near, m * (s * np.arctanh(s) + 0.5 * np.log1p(-s * s)), 0.5 * far)


def _entropy_terms(p: Array) -> Array:
    return np.asarray(special().entr(_float64(p)))


def _cross_terms(p: Array, q: Array) -> Array:
    return np.asarray(0.0 - special().xlogy(p, q))


def _float64(p: Array) -> Array:
    return p if p.dtype.char == "d" else p.astype(np.float64)


def _sums(  # noqa: PLR0917 - the arguments of its callers
    kernel: str, terms: Callable[[Array, Array], Array], p: Any, q: Any, axis: int, normalize: bool
) -> Any:
    found = _compiled(kernel, p, q, axis, normalize)
    if found is not None:
        return found
    a, b = pair(p, q, axis=axis, normalize=normalize)
    return np.add.reduce(terms(_float64(a), _float64(b)), axis=-1)


def _compiled(kernel: str, p: Any, q: Any, axis: int, normalize: bool) -> Any:
    """The sums over large arrays that lie in memory as a kernel wants them, or None."""
    if normalize or not (_is_large(p, axis) and (q is p or _is_large(q, axis))):
        return None
    if p.shape != q.shape:
        return None
    rows = (-1, p.shape[-1])
    out = np.empty(p.shape[:-1])
    sum_to_one = getattr(kernels(), kernel)(p.reshape(rows), q.reshape(rows), out.reshape(-1))
    return out[()] if sum_to_one else None  # None: the slow way will say what is wrong


def _is_large(a: Any, axis: int) -> bool:
    if not isinstance(a, np.ndarray) or a.size < LARGE or a.dtype.char not in "df":
        return False
    return a.dtype.isnative and a.flags.c_contiguous and axis in {-1, a.ndim - 1}


def _family_only(axis: int, normalize: bool) -> None:
    if axis != -1 or normalize:
        raise TypeError("axis and normalize are for probabilities: a family has no axes")


def _no_method(method: Expectation | None) -> None:
    if method is not None:
        raise TypeError("a method is for families: sums over probabilities are exact")
