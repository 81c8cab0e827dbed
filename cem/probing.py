"""The parts of an event are looked for by gradients, before anything is fitted to one of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.random import Generator

from cem.families.gaussian import standard_normals
from cem.loss import entropy_and_kl
from cem.pooling import Pool, Pooled
from cem.randomness import Purpose, stream
from cem.scores import checked_scores, finite_or_worst
from cem.state import Record, State
from cem.typing import Array, Batch, Vector
from cem.weights import effective_sample_size, normalise

MOST = 48  # hits whose gradients are taken in one iteration
ROUNDS = 4  # iterations that take gradients
STEP = 0.1  # of a difference, in standard deviations
LEFT, AXIS, DISTANCE = "probe.left", "probe.axis", "probe.distance"  # names in the memory


@dataclass(frozen=True, kw_only=True, eq=False)
class Probing(Pooled):
    """Pooled samples whose first fit is to half-spaces around hits of the first batch.

    A smooth indicator follows the score: where an event has two parts, it leads to the one whose
    score rises sooner, and the other is never seen. So the first batch is spread far out, where
    both are hit, and its hits are probed: the gradient of the score, by differences, tells the
    half-space that is the event if the score is linear, and its point nearest to the origin, as in
    a step of Rackwitz and Fiessler (1978). Hits in a half-space that is known tell nothing new; the
    others, the nearest first, are probed in at most four iterations of half a batch each. Then
    ``f(.; v)`` is fitted to points of the half-spaces, and all goes on as in `Pooled`, whose pool
    the probes stay out of. In their records the level and the weights are those of the pool.

    ``nominal`` is the standard normal density. Nothing is probed if the first batch has no hit, or
    enough of them; nor with fewer samples than two for every coordinate.

    >>> from cem.families import AlignedNormals, Normal
    >>> nominal = Normal([0.0] * 4, [1.0] * 4)
    >>> first = AlignedNormals.standard_normal(4, k=4)
    >>> method = Probing(nominal=nominal, first=first, n_samples=4000, gamma=0.0, rng=1)
    >>> state = method.init()
    >>> for _ in range(2):
    ...     x = method.ask(state)
    ...     state, _ = method.tell(state, x, np.maximum(x[:, 0] - 3.0, 9 * x[:, 1] - 27.0))
    >>> len(x), state.v.mean[state.v.weight > 0].max(axis=0).round(1) + 0.0
    (60, array([3.6, 3.6, 0.1, 0. ]))
    """

    def ask(self, state: State) -> Batch:
        """A batch, or the hits that are probed, each a step further in every coordinate."""
        if LEFT not in state.memory:
            return super().ask(state)
        x = Pool.of(state.memory).x[_next(state)]
        d = x.shape[1]
        return (x[:, None] + STEP * np.eye(d)).reshape(-1, d)

    def tell(self, state: State, x: Batch, score: Vector) -> tuple[State, Record]:
        """Refit to all samples so far, or learn half-spaces."""
        if LEFT in state.memory:
            return self._learn(state, x, score)
        new, record = super().tell(state, x, score)
        if state.t == 0 and record.gamma < self.gamma:
            n, d = x.shape
            pool = Pool.of(new.memory)
            nearest = np.argsort(-pool.log_f, kind="stable")
            hits = nearest[pool.score[nearest] >= self.gamma]
            if hits.size and n >= 2 * d:
                probe = {LEFT: hits, AXIS: np.empty((0, d)), DISTANCE: np.empty(0)}
                new = replace(new, memory={**new.memory, **probe})
        return new, record

    def _learn(self, state: State, x: Batch, score: Vector) -> tuple[State, Record]:
        score, n_bad = finite_or_worst(checked_scores(score, len(x)), state.t + 1, hopeless=False)
        pool, at = Pool.of(state.memory), _next(state)
        planes = _half_spaces(pool.x[at], pool.score[at] - self.gamma, score - self.gamma)
        axis, distance = (
            np.concatenate([state.memory[name], one])
            for name, one in zip((AXIS, DISTANCE), planes, strict=True)
        )
        left = state.memory[LEFT][len(at) :]
        left = left[(pool.x[left] @ axis.T < distance).all(axis=1)]
        v, memory = state.v, pool.as_memory()
        if left.size and state.t < ROUNDS:
            memory = {**memory, LEFT: left, AXIS: axis, DISTANCE: distance}
        elif distance.size:
            rng, n = stream(self.root, Purpose.SAMPLE, state.t), int(pool.sizes[0])
            v = v.fit(_points(rng, n, axis, distance), np.full(n, 1 / n))
        best = state.best.or_better(x, score)
        new = replace(state, v=v, t=state.t + 1, nfev=state.nfev + len(x), best=best, memory=memory)
        gamma, log_w = self.select(pool.score, pool.log_w, self.gamma)
        w, log_total = normalise(log_w)
        draw = partial(stream, self.root, Purpose.EXPECTATION, state.t)
        entropy, kl = entropy_and_kl(v, state.v, draw)
        return new, Record.of(
            new,
            score,
            n_bad,
            gamma=gamma,
            n_elite=int(np.count_nonzero(w)),
            log_mass=log_total - math.log(len(w)),
            ess=effective_sample_size(w),
            max_weight=float(w.max()),
            loss=math.nan,
            entropy=entropy,
            kl=kl,
            n_hit=int(np.count_nonzero(score >= self.gamma)),
            variation=pool.variation(v, self.gamma),
        )


def _next(state: State) -> Array:
    """Which samples are probed: as many as half a batch can, 48 at most."""
    n, d = state.memory["pool.x"].shape
    return state.memory[LEFT][: min(MOST, n // (2 * d))]


def _half_spaces(x: Array, score: Vector, nearby: Vector) -> tuple[Array, Vector]:
    """Where ``a . x >= b`` the score, continued as a linear function, is not negative.

    From scores at ``x``, shape ``(m, d)``, and near them, ``(m d,)``: unit vectors ``a``, ``(m,
    d)``, and distances ``b``, less those of scores that do not change or are not finite.
    """
    with np.errstate(over="ignore"):
        slope = (nearby.reshape(x.shape) - score[:, None]) / STEP
        size = np.hypot.reduce(slope, axis=1)
    tells = (size > 0) & np.isfinite(size)
    axis = slope[tells] / size[tells, None]
    return axis, np.einsum("ij,ij->i", axis, x[tells]) - score[tells] / size[tells]


def _points(rng: Generator, n: int, axis: Array, distance: Vector) -> Batch:
    """Draws from the parts of the standard normal density in the half-spaces, nearly.

    The tail is exponential. Near half-spaces have more draws, by the fourth root of the density at
    the nearest point, lest a part that matters has none.
    """
    square = distance**2
    share = np.exp((square.min() - square) / 8)
    j = rng.choice(len(share), n, p=share / share.sum())
    z, a = standard_normals(rng, n, axis.shape[1]), axis[j]
    along = distance[j] + rng.exponential(size=n) / np.maximum(distance[j], 1.0)
    return z + (along - np.einsum("ij,ij->i", a, z))[:, None] * a
