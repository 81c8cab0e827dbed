"""Where the run is (`State`), what one iteration did (`Record`), all of them (`History`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from cem.typing import Array, Batch, Memory, Vector

ENOUGH = 100  # failed scores after which nothing more is expected of a problem


class Best(NamedTuple):
    """The best sample seen so far; nothing yet is worse than anything."""

    x: Batch | None = None
    score: float = -np.inf

    def or_better(self, x: Batch, score: Vector) -> Best:
        """The top of a batch if that is better, else unchanged; a failed score is ``-inf``."""
        top = int(score.argmax())
        return Best(x[top].copy(), float(score[top])) if score[top] > self.score else self


@dataclass(frozen=True, eq=False)
class State:
    """Everything the next iteration needs, and nothing else."""

    v: Any  # the sampling density f(.; v_t), a Family
    t: int = 0  # iterations done
    nfev: int = 0  # samples scored
    best: Best = Best()
    memory: Memory = field(
        default_factory=dict
    )  # plain arrays, owned by the strategies that need them
    restart: int = 0  # how often the search has begun anew
    began: int = 0  # iterations done when it last did

    def found_nothing_in(self, more: int) -> bool:
        """Whether `ENOUGH` samples were scored in vain, counting so many more."""
        return self.best.x is None and self.nfev + more >= ENOUGH

    @property
    def age(self) -> int:
        """Iterations since the search last began: what a schedule goes by."""
        return self.t - self.began


class Record(NamedTuple):
    """The numbers of one iteration, so that a history is a plain table.

    Natural logarithms; entropies in nats. ``nan`` stands where a number was not computed. Where a
    density has collapsed its entropy is ``-inf``, and so is the loss of a fit that has; the
    divergence of a collapsed density from another is ``inf``.
    """

    t: int  # iteration, from 1
    restart: int  # how often the search had begun anew
    nfev: int  # samples scored so far
    n: int  # samples scored in this iteration
    n_bad: int  # of these, how many scores were NaN or infinite
    gamma: float  # the level gamma_t
    top: float  # best score of this batch
    best: float  # best score so far
    n_elite: int  # samples at the level or above
    log_mass: float  # ln of the batch's own estimate of P(S(X) >= gamma_t)
    ess: float  # effective number of elite samples
    max_weight: float  # largest share of one sample in the elite's weight
    loss: float  # the cross-entropy that the refit minimised
    entropy: float  # H(f(.; v_t))
    kl: float  # D(f(.; v_t) || f(.; v_{t-1})), how far the density moved
    spread: float  # largest standard deviation of a coordinate under v_t
    n_hit: int = 0  # samples of this iteration at the level asked for, or above
    variation: float = np.nan  # of the weights of an estimate: sd over mean, found or foreseen

    @classmethod
    def of(cls, new: State, score: Vector, n_bad: int, **own: Any) -> Record:
        """The record of the iteration that led to ``new``; a method's ``own`` numbers by name."""
        return cls(
            t=new.t,
            restart=new.restart,
            nfev=new.nfev,
            n=len(score),
            n_bad=n_bad,
            top=float(score.max()),
            best=new.best.score,
            spread=float(new.v.spread().max()),
            **own,
        )


class History(tuple[Record, ...]):
    """The records in order, oldest first.

    >>> History().append(Record(*range(18))).column("gamma")
    array([5.])
    """

    __slots__ = ()

    def append(self, record: Record) -> History:
        """A longer history; this one stays as it is."""
        return History((*self, record))

    def table(
        self,
        *names: str,
    ) -> str:
        """Columns of numbers, aligned; by default what tells whether an estimate was well steered.

        >>> print(History().append(Record(*range(18))).table("t", "nfev", "gamma", "n_hit"))
        t  nfev  gamma  n_hit
        0     2      5     16
        """
        names = names or ("t", "nfev", "gamma", "n_hit", "ess", "max_weight", "variation")
        columns = [[name, *(f"{x:.4g}" for x in self.column(name))] for name in names]
        width = [max(map(len, column)) for column in columns]
        rows = zip(*columns, strict=True)
        return "\n".join(
            "  ".join(cell.rjust(w) for cell, w in zip(row, width, strict=True)) for row in rows
        )

    def column(self, name: str) -> Array:
        """One number of every record, shape ``(len(history),)``."""
        if name not in Record._fields:
            known = ", ".join(Record._fields)
            raise ValueError(f"a record has no {name!r}; expected one of {known}")
        at = Record._fields.index(name)
        return np.array([record[at] for record in self], dtype=float)
