"""Whether a function takes a batch or one point, found out by a few calls."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np
from numpy.random import SeedSequence, default_rng

from cem.borders import box
from cem.parallel import Each, each, mapping
from cem.typing import Array, Batch
from cem.wrapping import Around


def batched(
    function: Any,
    bounds: Any = None,
    vectorized: bool | None = None,
    workers: Any = 1,
    evaluation_timeout: float | None = None,
    **others: Any,
) -> Any:
    """The function as one of a batch, shape ``(n, d)``, whatever it is one of.

    ``vectorized`` says that it takes a batch already, or (False) one point. With None and bounds it
    is called on three or four points of the box, as a batch and one by one: where the workers are,
    and within their time. It is one of a batch if it returns a number for each of them, the same
    as for each alone where it takes them alone. Two of the points are near the ends of the box,
    where a penalty of one point would show in the others. Objects that are problems, because they
    are noisy or have a method ``nominal()``, are taken as they are. The ``others`` are the
    arguments of `cem.maximize` that have no say in this.

    Raises ValueError if ``vectorized`` is true and a batch does not give a number for each sample.

    >>> from scipy.optimize import rosen
    >>> batched(rosen, [(-2, 2)] * 2)(np.ones((3, 2)))
    array([0., 0., 0.])
    """
    del others
    if not (vectorized is None or isinstance(vectorized, bool)):
        raise TypeError(f"vectorized must be True, False or None; got {vectorized!r}")
    if vectorized is False:
        return function if isinstance(function, Each) else each(function)
    if bounds is None or _is_problem(function):
        return function
    x = _some_points(*box(bounds))
    with mapping(workers, function, evaluation_timeout) as chunks:

        def called(on: list[Array]) -> list[Array | None]:
            addressed = [((SeedSequence(0), 0, 0), a) for a in on]
            try:
                return [*chunks(partial(_called, function), addressed)]
            except (RuntimeError, TimeoutError) as error:
                raise type(error)(
                    "it could not be found out whether the function takes a batch or one point, "
                    f"which vectorized=True or False would tell: {error}"
                ) from error

        (scores,) = called([x])
        if vectorized:
            _check_vectorized(scores, x)
            return function
        if scores is None or scores.shape != (len(x),):
            of_one = any(_numbers(called([point])) for point in x)  # the first may be a bad one
            return each(function) if of_one else function
        alone = _numbers(called([*x]))
    both = len(alone) == len(x)
    return each(function) if both and not _alike(scores, np.array(alone)) else function


def _is_problem(function: Any) -> bool:
    known = isinstance(function, Around | Each) or not callable(function)
    return known or any(hasattr(function, name) for name in ("bind", "bound_at", "nominal"))


def _some_points(low: Array, high: Array) -> Array:
    """Points inside a box, then one near each end: several, but not as many as coordinates."""
    n = 4 if len(low) == 3 else 3
    u = 0.1 + 0.8 * default_rng(len(low)).random((n, len(low)))
    u[-2], u[-1] = 0.02 * u[-2], 1 - 0.02 * u[-1]
    return low + (high - low) * u


def _called(function: Any, addressed: tuple[Any, Batch]) -> Array | None:
    """What the function returns, if that is numbers; None if not, or if it raises."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return np.asarray(function(addressed[1].copy()), dtype=float)
        except Exception:  # noqa: BLE001 - what it is not made for may fail in any way
            return None


def _numbers(scores: list[Array | None]) -> list[float]:
    """Those that are one number each."""
    return [score.item() for score in scores if score is not None and score.size == 1]


def _check_vectorized(scores: Array | None, x: Batch) -> None:
    if scores is not None and scores.shape != (len(x),):
        raise ValueError(
            f"vectorized=True means one number per row of a batch (n, d): expected shape "
            f"({len(x)},) for a batch of shape {x.shape}, got {scores.shape}; if the function "
            "takes the points as columns, as SciPy's vectorized ones do, pass lambda x: f(x.T)"
        )


def _alike(a: Array, b: Array) -> bool:
    """Whether these are the same numbers but for rounding; NaN is like nothing."""
    scale = np.abs(b[np.isfinite(b)]).max(initial=0.0)
    return bool(np.allclose(a, b, rtol=1e-6, atol=1e-9 * scale))
