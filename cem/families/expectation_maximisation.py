"""Expectation-maximisation for mixtures whose number of components the sample decides."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np

from cem.typing import Array, Vector

CLOSE = 1e-12
COARSE = 0.02  # of the cost of a component: the same, while numbers of components are compared
MOST_STEPS = 500  # EM is slow where components overlap
LEAST = -500.0  # ln of the least share that is not zero: numbers near the least double are slow
CANDIDATES = 32  # for every seed
NEAREST = 1e-9  # mean squared distance to the seeds from which on no more are needed
TINY, EPSILON = np.finfo(float).tiny, np.finfo(float).eps


class Components(Protocol):
    """Densities of one kind; in each of their arrays the first axis counts them."""

    def log_densities(self, x: Any) -> Array:
        """``ln f_j(x_i)``, shape ``(k, n)``."""


C = TypeVar("C", bound=Components)
Refit = Callable[[Any, Array], C]
"""From a sample and the weight of each point in each component, ``(k, n)``, to the components."""


class Joint(NamedTuple):
    """``ln(weight_j f_j(x_i))`` and the share of each component in each point, ``(k, n)``."""

    log_f: Array
    share: Array
    total: Vector  # ln of the sum over the components


class Mixed(NamedTuple, Generic[C]):
    """A mixture on the way: its parts, the joint density, and the cross-entropy."""

    weight: Vector
    components: C
    joint: Joint
    loss: float


def likeliest(
    x: Any, w: Vector, starts: Sequence[Array], refit: Refit[C], *, cost: int, least: float
) -> tuple[Vector, C]:
    """Weights and components of the mixture with the smallest BIC, and as likely as it can be.

    Each of the ``starts`` is ``ln`` of a joint density ``(k, n)``. From there the likelihood is
    maximised, the component that is missed least is taken out, and so on, as long as fewer can be
    better; one that costs more than it gives is taken out at once. Of all these mixtures the one is
    chosen with the least ``n loss + cost k ln(n) / 2``: Schwarz (1978), for
    ``cost`` parameters a component and Kish's effective number ``n`` of samples. A component with
    fewer effective samples than ``least`` is taken out as well, so that none ends on a point.

    The weights ``w`` of the samples sum to one. EM finds a local maximum; an iteration that lowers
    the loss by less than 1e-12 nats ends it, and so do 500 of them.
    """
    n, em = float(1 / (w @ w)), Maximisation(x, w, refit, least)
    price = 0.5 * cost * math.log(n) / n  # of a component, in the units of the loss

    def cost_of(m: Mixed[C]) -> float:
        return m.loss + price * len(m.weight)

    best = em.step(shared(np.zeros((1, w.size))))  # one component is as likely as it can be
    for start in starts:
        for mixed in em.ever_fewer(start, price):
            best = min(best, mixed, key=cost_of)
            if mixed.loss + 2 * price > cost_of(best):  # fewer are no likelier
                break
    last = em.maximised(best, close=CLOSE)
    return last.weight, last.components


class Maximisation(NamedTuple, Generic[C]):
    """The iterations on one sample."""

    x: Any
    w: Vector
    refit: Refit[C]
    least: float

    def ever_fewer(self, log_joint: Array, price: float) -> Iterator[Mixed[C]]:
        """The likeliest mixtures from a start down to two components, but for the needless ones.

        Those have a component without which the loss is higher by less than its price.
        """
        mixed = self.step(shared(log_joint))
        while len(mixed.weight) > 1:
            j, lost = _missed_least(mixed, self.w)
            if lost > price:
                mixed = self.maximised(mixed, close=max(COARSE * price, CLOSE))
                if len(mixed.weight) == 1:
                    return
                yield mixed
                j, _ = _missed_least(mixed, self.w)
            mixed = self.step(shared(np.delete(mixed.joint.log_f, j, axis=0)))

    def maximised(self, mixed: Mixed[C], *, close: float) -> Mixed[C]:
        """Steps until one lowers the loss by less than ``close``; after every second a leap.

        EM: Dempster, Laird, Rubin (1977). The leaps: Varadhan, Roland (2008).
        """
        for _ in range(0, MOST_STEPS, 3):
            if len(mixed.weight) == 1:
                return mixed
            first = self.step(mixed.joint)
            second = self.step(first.joint)
            fewer = len(second.weight) < len(mixed.weight)  # which may be less likely
            if not fewer and first.loss - second.loss < close:
                return second
            mixed = second if fewer else self.leap(mixed, first, second)
        return mixed

    def step(self, joint: Joint) -> Mixed[C]:
        """The components fitted to their shares, without those that are too small."""
        r = _large_enough(joint, self.w, self.least)
        weight, components = r.sum(axis=1), self.refit(self.x, r)
        joint = shared(np.log(weight)[:, None] + components.log_densities(self.x))
        return Mixed(weight, components, joint, -float(self.w @ joint.total))

    def leap(self, start: Mixed[C], first: Mixed[C], second: Mixed[C]) -> Mixed[C]:
        """Ahead to where the two steps lead, if that is likelier than the second of them.

        Extrapolated are the logarithms of the joint densities. In an exponential family they are
        linear in its natural parameters, and from any of them a step ends within the family.
        """
        change = first.joint.log_f - start.joint.log_f
        bend = second.joint.log_f - first.joint.log_f - change
        r = self.w * second.joint.share
        slowing = np.vdot(r * bend, bend) / max(np.vdot(r * change, change), TINY)
        if slowing >= 1:
            return second
        square = 1 / max(slowing, EPSILON)
        ahead = start.joint.log_f + 2 * math.sqrt(square) * change + square * bend
        found = self.step(shared(ahead))
        same = len(found.weight) == len(second.weight)
        return found if same and found.loss < second.loss else second


def _missed_least(mixed: Mixed[C], w: Vector) -> tuple[int, float]:
    """The component without which the others explain the sample best, and the loss of that."""
    log_f, share, total = mixed.joint
    main = share.argmax(axis=0), np.arange(w.size)
    others = log_f.copy()
    others[main] = -np.inf
    kept = np.log1p(-np.minimum(share, 0.5))  # exact but for the main component of a point
    kept[main] = shared(others).total - total
    rise = np.log1p(-mixed.weight) - kept @ w
    j = int(rise.argmin())
    return j, float(rise[j])


def _large_enough(joint: Joint, w: Vector, least: float) -> Array:
    """Weight of each point in each component that has at least so many effective samples.

    Its share of all that there are, or Kish's number of its own if that is less.
    """
    n = 1 / (w @ w)
    while True:
        r = w * joint.share
        weight = r.sum(axis=1)
        size = weight * np.minimum(weight / np.maximum(r @ w, TINY), n)
        if len(r) == 1 or size.min() >= least:
            return r
        joint = shared(np.delete(joint.log_f, size.argmin(), axis=0))


def shared(log_f: Array) -> Joint:
    """What the components have of each point."""
    top = log_f.max(axis=0)
    top = np.where(np.isfinite(top), top, 0.0)
    share = log_f - top
    share[share < LEAST] = -np.inf
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        np.exp(share, out=share)
        total = share.sum(axis=0)
        share /= total
        return Joint(log_f, share, top + np.log(total))


def log_total(log_joint: Array) -> Vector:
    """``ln`` of the sum over the components, shape ``(n,)``; of nothing but zeros ``-inf``."""
    return np.fmax(shared(log_joint).total, -np.inf)  # NaN is nowhere


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
    square, one = np.einsum("ij,ij->i", z, z), np.ones(len(z))
    to, of = np.column_stack([square, one, z]), np.column_stack([one, square, -2 * z]).T
    levels = (np.arange(CANDIDATES) + 0.5) / CANDIDATES
    mass, nearest = v, np.full(len(z), np.inf)
    gaps: list[Array] = []
    while len(gaps) < k and v @ nearest > NEAREST:
        share = mass.cumsum()
        gap = to[np.searchsorted(share, levels * share[-1])] @ of
        best = (np.minimum(gap, nearest) @ v).argmin()
        gaps.append(np.maximum(gap[best], 0.0))
        nearest = np.minimum(nearest, gaps[-1])
        mass = v * nearest
    start = np.empty((len(gaps), len(z)))
    start[:, order] = -np.stack(gaps) * y.shape[1] / 2 / max(v @ nearest, NEAREST)
    return start
