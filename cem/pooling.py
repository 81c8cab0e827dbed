"""Every fit rests on all samples so far: adaptive multiple importance sampling."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from cem.engine import CrossEntropyMethod, Gathered
from cem.state import Record, State
from cem.typing import Array, Batch, Memory, Vector


@dataclass(frozen=True, kw_only=True, eq=False)
class Pooled(CrossEntropyMethod):
    """The cross-entropy method that throws no sample away: for estimates, of costly scores.

    All batches so far are one sample of the mixture of the densities that they were drawn from, in
    the proportions of their sizes. Weighted by ``f(x; u)`` over that mixture (the balance heuristic
    of Veach and Guibas, 1995), they are what ``f(.; v_t)`` is fitted to: Cornuet, Marin, Mira and
    Robert (2012). So a batch may be small, and a region that one batch has found is not forgotten
    because the next one does not visit it.

    In a record ``log_mass``, ``ess`` and ``max_weight`` are those of the whole pool. ``variation``
    is the coefficient of variation of ``I{S >= gamma} W`` that the pool foresees under
    ``f(.; v_t)``: an estimate from ``n`` samples of that density will have the relative error
    ``variation / sqrt(n)``. It is infinite while nothing has reached the level.

    >>> from cem.families import Exponential
    >>> from cem.weights import likelihood_ratio
    >>> method = Pooled(nominal=Exponential([1.0]), n_samples=200, gamma=8.0, rng=1)
    >>> state = method.init()
    >>> for _ in range(6):
    ...     x = method.ask(state)
    ...     state, record = method.tell(state, x, x.sum(axis=1))
    >>> record.gamma, record.n, len(state.memory["pool.score"]), round(record.log_mass, 1)
    (8.0, 200, 1200, -8.0)
    """

    def gathered(self, state: State, x: Batch, score: Vector) -> Gathered:
        """All samples so far, weighted as one sample of the mixture of their densities."""
        pool = Pool.of(state.memory).with_batch(self.nominal, state.v, x, score)
        return Gathered(pool.x, pool.score, pool.log_w, pool.as_memory())

    def tell(self, state: State, x: Batch, score: Vector) -> tuple[State, Record]:
        """Refit to the elite of all samples so far."""
        new, record = super().tell(state, x, score)
        variation = Pool.of(new.memory).variation(new.v, self.gamma)
        return new, record._replace(variation=variation)


PLAIN = ("x", "score", "log_f", "log_q", "sizes")
NONE: Vector = np.empty(0)


class Pool(NamedTuple):
    """Samples of several densities, and these densities."""

    x: Any = None
    score: Vector = NONE
    log_f: Vector = NONE  # under the nominal density
    log_q: Vector = NONE  # ln sum_k n_k f(x; v_k)
    sizes: Vector = NONE
    densities: tuple[Memory, ...] = ()  # the parameters of every one

    def with_batch(self, nominal: Any, v: Any, x: Batch, score: Vector) -> Pool:
        """The pool with one more batch, drawn from ``v``."""
        n, log_v = len(x), v.log_density(x)
        log_n = math.log(n)
        earlier = (
            math.log(size) + v.replace(**one).log_density(x)
            for size, one in zip(self.sizes, self.densities, strict=True)
        )
        log_q = np.logaddexp.reduce([log_n + log_v, *earlier], axis=0)
        log_f = nominal.log_density(x)
        if self.x is not None:
            old = np.logaddexp(self.log_q, log_n + v.log_density(self.x))
            log_q = np.concatenate([old, log_q])
            log_f = np.concatenate([self.log_f, log_f])
            score, x = np.concatenate([self.score, score]), np.concatenate([self.x, x])
        sizes = np.append(self.sizes, float(n))
        return Pool(x, score, log_f, log_q, sizes, (*self.densities, v.parameters()))

    @property
    def log_w(self) -> Vector:
        """``ln`` of the nominal density over the mixture."""
        return self.log_f - self.log_q + math.log(len(self.score))

    def variation(self, v: Any, gamma: float) -> float:
        """The coefficient of variation of ``I{S >= gamma} W`` under ``v``, as far as is seen."""
        hit = (self.score >= gamma) & (self.log_f > -np.inf)
        if not hit.any():
            return math.inf
        log_w = self.log_w[hit]
        log_square = log_w + self.log_f[hit] - v.log_density(self.x[hit])
        first, second = np.logaddexp.reduce(log_w), np.logaddexp.reduce(log_square)
        excess = float(second - 2 * first) + math.log(len(self.score))
        return math.sqrt(max(0.0, math.expm1(min(excess, 700.0))))

    def as_memory(self) -> Memory:
        """The pool as named arrays."""
        arrays: dict[str, Array] = {f"pool.{name}": getattr(self, name) for name in PLAIN}
        for k, one in enumerate(self.densities):
            arrays |= {f"pool.{k}.{name}": array for name, array in one.items()}
        return arrays

    @classmethod
    def of(cls, memory: Memory) -> Pool:
        """The pool in a state's memory; an empty one if there is none."""
        if "pool.x" not in memory:
            return cls()
        densities: list[dict[str, Array]] = [{} for _ in memory["pool.sizes"]]
        for name, array in memory.items():
            _, _, rest = name.partition("pool.")
            k, _, parameter = rest.partition(".")
            if k.isdigit():
                densities[int(k)][parameter] = array
        x, score, log_f, log_q, sizes = (memory[f"pool.{name}"] for name in PLAIN)
        return cls(x, score, log_f, log_q, sizes, tuple(densities))
