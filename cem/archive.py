"""Smoothings that remember samples: an elite that competes again, and batches that are pooled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cem.scores import real_number, rounded_up, whole_number
from cem.smoothing import Fit, check_smoothing
from cem.typing import Batch, Memory, Refit, Smoothing, Vector

if TYPE_CHECKING:
    from cem.state import State


@dataclass(frozen=True)
class Keeping:
    """The best ``share`` of the last elite competes with the new batch, then another smoothing.

    As iCEM does, Pinneri et al. (2020), arXiv:2008.06389, with a share of 0.3: of the batch and
    what was kept, as many are elite as the selection chose of the batch; the i-th best has the
    i-th largest of its weights. So a good sample stays until enough better ones are found, and the
    fit to a small batch loses no ground. For optimisation, and selections like `cem.Elite` and
    `cem.Ranked`: what is kept was drawn from another density. A record's level is the batch's.

    >>> from cem.families import Normal
    >>> from cem.smoothing import Constant
    >>> from cem.state import State
    >>> keep, state = Keeping(Constant(1.0), share=0.5), State(Normal([0.0], [1.0]))
    >>> for values in ([9.0, 7.0, 1.0], [8.0, 3.0, 2.0]):
    ...     x, w = np.array(values)[:, None], np.array([0.5, 0.5])
    ...     fit = Fit(x, np.array(values), values[1], x[:2], w, state.v.fit(x[:2], w))
    ...     v, memory = keep(state, fit)
    ...     state = State(v, memory=memory)
    ...     print(v.mean, memory["kept_score"])
    [8.] [9.]
    [8.5] [9.]
    """

    of: Smoothing
    share: float = 0.3

    def __post_init__(self) -> None:
        check_smoothing("Keeping", self.of)
        share = real_number("share, of the elite that is kept,", self.share)
        if not 0 < share <= 1:
            raise ValueError(
                f"share, of the elite that is kept, must lie in (0, 1]; got {self.share!r}"
            )
        object.__setattr__(self, "share", share)

    def __call__(self, state: State, refit: Refit) -> tuple[Any, Memory]:
        """``v_t`` of the other smoothing, for the elite of both; its memory, and what is kept."""
        x, score = _with("kept", state.memory, refit)
        n_elite = len(refit.w)
        top = np.argsort(-score, kind="stable")[:n_elite]
        if "kept" in state.memory:
            w = np.sort(refit.w)[::-1]
            v_hat = state.v.fit(x[top], w)
            refit = Fit(x, score, float(score[top[-1]]), x[top], w, v_hat)
        v, memory = self.of(state, refit)
        best = top[: rounded_up(self.share * n_elite)]
        return v, {**memory, "kept": x[best], "kept_score": score[best]}


@dataclass(frozen=True)
class Face:
    """Batches are pooled at one ``v`` until the level or the best score rises; then it moves on.

    The level is the ``n_elite``-th best score of the pool, and ``v_t`` comes from the fit to these
    samples by another smoothing. So the number of samples of a step adapts itself, in multiples of
    a batch: the fully adaptive cross-entropy method (FACE) of Rubinstein and Kroese (2004), section
    5.3. If ``n_most`` samples or more were pooled in vain, ``v`` moves with the next batch whatever
    that brings, unless the rule `cem.stopping.unreliable` ends the run before;
    `cem.stopping.reliable` is the other one that goes with it. For optimisation. Whatever the
    selection chooses of a batch is not used, and a record's level is the batch's.

    >>> from cem.families import Normal
    >>> from cem.smoothing import Constant
    >>> from cem.state import State
    >>> face, state = Face(Constant(1.0), n_elite=2, n_most=100), State(Normal([0.0], [1.0]))
    >>> for values in ([4.0, 2.0, 1.0], [2.5, 0.0, 0.0], [3.0, 0.0, 0.0]):
    ...     x = np.array(values)[:, None]
    ...     v, memory = face(state, Fit(x, x[:, 0], 0.0, None, None, None))
    ...     state = State(v, memory=memory)
    ...     print(v.mean, memory["pool_score"], memory["risen_to"])
    [3.] [] [2. 4.]
    [3.] [2.5 0.  0. ] [2. 4.]
    [2.75] [] [2.5 4. ]
    """

    of: Smoothing
    n_elite: int
    n_most: int

    def __post_init__(self) -> None:
        check_smoothing("Face", self.of)
        for name in ("n_elite", "n_most"):
            object.__setattr__(self, name, whole_number(name, getattr(self, name)))
        if self.n_elite > self.n_most:
            raise ValueError(
                "n_elite must not exceed n_most, the samples that are pooled; got "
                f"{self.n_elite} and {self.n_most}"
            )

    def __call__(self, state: State, refit: Refit) -> tuple[Any, Memory]:
        """``v_{t-1}`` and the pool, or else ``v_t`` and what the level and best score were."""
        x, score = _with("pool", state.memory, refit)
        top = np.argsort(-score, kind="stable")[: self.n_elite]
        level, best = float(score[top[-1]]), float(score[top[0]])
        before = state.memory.get("risen_to", np.full(2, -np.inf))
        rose = level > before[0] or best > before[1]
        in_vain = len(score) - len(refit.score) >= self.n_most
        if len(score) < self.n_elite or not (rose or in_vain):
            return state.v, {**state.memory, "pool": x, "pool_score": score, "risen_to": before}
        top = top[score[top] > -np.inf]
        w = np.full(len(top), 1 / len(top))
        fit = Fit(x, score, float(score[top[-1]]), x[top], w, state.v.fit(x[top], w))
        v, memory = self.of(state, fit)
        return v, {
            **memory,
            "pool": x[:0],
            "pool_score": score[:0],
            "risen_to": np.array([level, max(best, before[1])]),
        }


def _with(name: str, memory: Memory, refit: Refit) -> tuple[Batch, Vector]:
    """The batch and its scores, followed by those remembered."""
    if name not in memory:
        return refit.x, refit.score
    old: Any = memory
    return (
        np.concatenate([refit.x, old[name]]),
        np.concatenate([refit.score, old[f"{name}_score"]]),
    )
