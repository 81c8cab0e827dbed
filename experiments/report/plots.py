"""What there is to draw of one run: its levels, and the estimate as its final sample grows."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from cem.state import History, Record
from cem.tally import relative_error
from experiments.report.sketch import Line, Rule, Sketch
from experiments.show import in_own_sign
from experiments.store import Run

BAND = 1.96  # standard errors on either side


def sketches(run: Run, history: History) -> list[Sketch]:
    """The small plots of a run; none before its first iteration."""
    history = in_own_sign(history, run.job)
    n = len(history)
    while n and math.isnan(history[n - 1].loss) and math.isnan(history[n - 1].entropy):
        n -= 1  # the blocks of a final sample fit nothing
    drawn = [_levels(run, history[:n])] if n else []
    estimated = run.job in {"estimate", "expectation"}
    return drawn + ([_estimate(run, history[n:])] if estimated and history[n:] else [])


def _levels(run: Run, steering: Sequence[Record]) -> Sketch:
    level = Line("level", "level", [(r.nfev, r.gamma) for r in steering])
    if run.job == "expectation":
        return Sketch("evaluations", "power of H", (level,))
    if run.job == "estimate":
        asked = run.settings.get("gamma")
        rules = (Rule(f"asked for: {asked:g}", asked),) if asked is not None else ()
        return Sketch("evaluations", "level", (level,), rules)
    answer = (run.result or {}).get("fun")  # under noise it was judged anew
    name = "best so far" if answer in {None, steering[-1].best} else "luckiest so far"
    best = Line(name, "best", [(r.nfev, r.best) for r in steering])
    return Sketch("evaluations", "score", (level, best), _known(run))


def _estimate(run: Run, final: Sequence[Record]) -> Sketch:
    n = np.array([record.nfev for record in final], dtype=float) - (final[0].nfev - final[0].n)
    figure = np.exp([record.log_mass for record in final])
    with np.errstate(divide="ignore", invalid="ignore"):  # no hit yet, or a single sample
        wide = BAND * figure * relative_error([record.ess for record in final], n)
    low, high = (
        list(zip(n, edge, strict=True)) for edge in (np.maximum(0, figure - wide), figure + wide)
    )
    what = "mean" if run.job == "expectation" else "probability"
    line = Line("estimate, ± 1.96 standard errors", "level", list(zip(n, figure, strict=True)))
    return Sketch("final samples", what, (line,), _known(run), (low, high))


def _known(run: Run) -> tuple[Rule, ...]:
    known = (run.result or {}).get("known")
    return () if known is None else (Rule(f"known: {known:.6g}", known),)
