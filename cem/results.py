"""What every finished run tells: where it ended, why, and whether that was what was wanted."""

from __future__ import annotations

from collections.abc import Iterator, KeysView
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from cem.state import History, State

LONG = 120  # characters that a value may have in the text of a result


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Result:
    """The part that `cem.optimize.Optimum` and `cem.estimate.Estimate` share; SciPy's names.

    Attributes
    ----------
    nit, nfev : int
        Iterations done and samples scored.
    success : bool
        Whether the run ended as it was meant to: a search by converging or at its target, not at a
        limit. That the best of all was found it cannot know.
    message : str
        Why it ended, in a sentence.
    family : Family
        The final sampling density ``f(.; v_T)``.
    history : History
        One record per iteration.
    state : State
        Where the run is; with ``history`` it is what a checkpoint holds.
    seed : str
        The root of the run's randomness, in words.
    """

    nit: int
    nfev: int
    success: bool
    message: str
    family: Any
    history: History = field(repr=False)
    state: State = field(repr=False)
    seed: str

    def __getitem__(self, name: str) -> Any:
        """The attribute of that name: SciPy's results can be read in this way too."""
        if name not in vars(self):
            raise KeyError(f"a result has no {name!r}; expected one of {', '.join(vars(self))}")
        return vars(self)[name]

    def __contains__(self, name: object) -> bool:
        """Whether there is an attribute of that name."""
        return name in vars(self)

    def __iter__(self) -> Iterator[str]:
        return iter(vars(self))

    def keys(self) -> KeysView[str]:
        """The names of the attributes, so that ``dict(found)`` has them all."""
        return vars(self).keys()

    def __repr__(self) -> str:
        shown = [f.name for f in fields(self) if f.repr]
        width = max(map(len, shown))
        rows = (f"{name:>{width}}: {_short(getattr(self, name))}" for name in shown)
        return "\n".join(rows)


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return np.array2string(value, threshold=12, edgeitems=4).replace("\n", "")
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, str | tuple):
        return str(value)
    text = " ".join(repr(value).split())  # a family may have many parameters
    return text if len(text) <= LONG else f"{text[: LONG - 4]} ..."


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Optimum(Result):
    """The best that was found; the other attributes are those of `cem.results.Result`.

    Attributes
    ----------
    x : Batch
        The best sample.
    fun : float
        Its score, in the problem's own sign.
    """

    x: Any
    fun: float
