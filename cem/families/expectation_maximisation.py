"""Expectation-maximisation for mixtures whose number of components the sample decides."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np

from cem.typing import Array, Vector

CLOSE = 1e-12  # nats: an iteration that lowers the loss by less is the last one
COARSE = 1e-2  # nats for all samples together: the same, while numbers of components are compared
MOST_STEPS = 500  # EM is slow where components overlap
CANDIDATES = 32  # for every seed
NEAREST = 1e-9  # mean squared distance to the seeds from which on no more are needed


class Components(Protocol):
    """Densities of one kind; in each of their arrays the first axis counts them."""

    def log_densities(self, x: Any) -> Array:
        """``ln f_j(x_i)``, shape ``(k, n)``."""


C = TypeVar("C", bound=Components)
Refit = Callable[[Any, Array], C]
"""From a sample and the weight of each point in each component, ``(k, n)``, to the components."""


class Mixed(NamedTuple, Generic[C]):
    """A mixture on the way: its parts, ``ln(weight_j f_j(x_i))``, and the cross-entropy."""

    weight: Vector
    components: C
    log_joint: Array
    loss: float


def likeliest(
    x: Any, w: Vector, starts: Sequence[Array], refit: Refit[C], *, cost: int, least: float
) -> tuple[Vector, C]:
    """Weights and components of the mixture with the smallest BIC, and as likely as it can be.

    Each of the ``starts`` is ``ln`` of a joint density ``(k, n)``. From there the likelihood is
    maximised, the component that is missed least is taken out, and so on down to one. Of all these
    mixtures the one is chosen with the least ``n loss + cost k ln(n) / 2``: Schwarz (1978), for
    ``cost`` parameters a component and Kish's effective number ``n`` of samples. A component with
    fewer effective samples than ``least`` is taken out as well, so that none ends on a point.

    The weights ``w`` of the samples sum to one. EM finds a local maximum; an iteration that lowers
    the loss by less than 1e-12 nats ends it, and so do 500 of them.
    """
    n = 1 / (w @ w)
    found = (mixed for start in starts for mixed in _ever_fewer(x, w, start, refit, least))
    best = min(found, key=lambda m: n * m.loss + 0.5 * cost * len(m.weight) * math.log(n))
    last = _maximised(x, w, best.log_joint, refit, least, close=CLOSE)
    return last.weight, last.components


def _ever_fewer(
    x: Any, w: Vector, log_joint: Array, refit: Refit[C], least: float
) -> Iterator[Mixed[C]]:
    while True:
        mixed = _maximised(x, w, log_joint, refit, least, close=COARSE * float(w @ w))
        yield mixed
        if len(mixed.weight) == 1:
            return
        log_joint = np.delete(mixed.log_joint, _missed_least(mixed, w), axis=0)


def _missed_least(mixed: Mixed[C], w: Vector) -> int:
    """The component without which the others explain the sample best."""
    without = [
        w @ log_total(np.delete(mixed.log_joint, j, axis=0)) - np.log1p(-weight)
        for j, weight in enumerate(mixed.weight)
    ]
    return int(np.argmax(without))


def _maximised(
    x: Any,
    w: Vector,
    log_joint: Array,
    refit: Refit[C],
    least: float,
    *,
    close: float,
) -> Mixed[C]:
    """Dempster, Laird, Rubin (1977) until the loss falls by less than ``close``."""
    before = np.inf
    for step in range(1, MOST_STEPS + 1):
        r = _responsibilities(log_joint, w, least)
        if len(r) < len(log_joint):
            before = np.inf  # fewer components may be less likely
        weight, components = r.sum(axis=1), refit(x, r)
        log_joint = np.log(weight)[:, None] + components.log_densities(x)
        loss = -float(w @ log_total(log_joint))
        if before - loss < close or step == MOST_STEPS:
            break
        before = loss
    return Mixed(weight, components, log_joint, loss)


def _responsibilities(log_joint: Array, w: Vector, least: float) -> Array:
    """Weight of each point in each component that has at least so many effective samples.

    Its share of all that there are, or Kish's number of its own if that is less.
    """
    n = 1 / (w @ w)
    while True:
        r: Array = w * np.exp(log_joint - log_total(log_joint))
        weight = r.sum(axis=1)
        size = weight * np.minimum(weight / np.maximum(r @ w, np.finfo(float).tiny), n)
        if len(r) == 1 or size.min() >= least:
            return r
        log_joint = np.delete(log_joint, size.argmin(), axis=0)


def log_total(log_joint: Array) -> Vector:
    """``ln`` of the sum over the components, shape ``(n,)``; of nothing but zeros ``-inf``."""
    total: Vector = np.logaddexp.reduce(log_joint, axis=0)
    return total


def seeded(y: Array, w: Vector, k: int) -> Array:
    """A start from at most ``k`` seeds: round normal densities about points of the sample.

    Arthur, Vassilvitskii (2007): a seed is drawn with probability proportional to its weight times
    its squared distance to the seeds before. Here 32 quantiles of that distribution, in the order
    of the first coordinate, are tried instead, and the one that lowers the mean squared distance
    most is taken: the same for the same sample in any order. ``y`` has shape ``(n, d)`` and a
    width of about one; the result ``(k, n)``.

    >>> seeded(np.array([[0.0], [0.0], [1.0], [1.1]]), np.full(4, 0.25), 2).argmax(axis=0)
    array([1, 1, 0, 0])
    """
    order = np.argsort(y[:, 0], kind="stable")
    z, v = y[order] - w @ y, w[order]
    square = np.einsum("ij,ij->i", z, z)
    levels = (np.arange(CANDIDATES) + 0.5) / CANDIDATES
    mass, nearest = v, np.full(len(z), np.inf)
    gaps: list[Array] = []
    while len(gaps) < k and v @ nearest > NEAREST:
        share = mass.cumsum()
        tried = np.searchsorted(share, levels * share[-1])
        gap = np.maximum(square[tried, None] + square - 2 * z[tried] @ z.T, 0.0)
        gaps.append(gap[(np.minimum(gap, nearest) @ v).argmin()])
        nearest = np.minimum(nearest, gaps[-1])
        mass = v * nearest
    start = np.empty((len(gaps), len(z)))
    start[:, order] = -np.stack(gaps) * y.shape[1] / 2 / max(v @ nearest, NEAREST)
    return start
