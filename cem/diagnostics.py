"""Questions to a finished run: are the weights heavy-tailed? which coordinate is still open?"""

from __future__ import annotations

import math

import numpy as np

from cem.state import History
from cem.tally import Tally
from cem.typing import Array, Family

ENOUGH = 100.0  # effective samples that an error bar should rest on
ODD = 4.0  # standard errors that are no chance
MORE = 1.2  # times as much as the final sample tells, that is no rounding
HEAVY = 0.1  # a share of one sample in an estimate that is too much


def weight_warnings(tally: Tally) -> list[str]:
    """What the weights of a final sample say against its estimate, in sentences.

    >>> weight_warnings(Tally(n=1000.0))
    ['no sample reached the level: the estimate is 0, and only its interval says much']
    """
    if tally.hits == 0:
        return ["no sample reached the level: the estimate is 0, and only its interval says much"]
    warnings = []
    if tally.ess < ENOUGH:
        warnings.append(
            f"the estimate rests on {tally.ess:.3g} effective samples of {int(tally.n)}: its "
            "error bar is rough; raise n_final"
        )
    if tally.max_weight > HEAVY and not tally.plain:  # crude samples all weigh the same
        warnings.append(
            f"one sample carries {tally.max_weight:.0%} of the estimate: the weights are "
            "heavy-tailed, and an unseen sample may outweigh them all; raise n_samples and n_final"
        )
    return warnings


def disagreement(levels: History, tally: Tally, gamma: float) -> list[str]:
    """Whether the steering tells a larger probability than the final sample, in a sentence.

    The samples of the last fit at the level are independent of the final ones, and where batches
    are pooled they have seen more: what only they know of is missing from the final figure. That
    they tell less is no news: in many dimensions the weights of early batches are.
    """
    there = [record for record in levels[-1:] if record.gamma >= gamma and record.ess > 0]
    if not there or tally.hits == 0:
        return []
    log_other = there[0].log_mass
    error = math.hypot(tally.relative_error, 1 / math.sqrt(there[0].ess))
    if log_other - tally.log_probability < max(ODD * error, math.log(MORE)):
        return []
    warning = (
        f"the samples of the steering tell {math.exp(log_other):.3g}, the final ones "
        f"{tally.probability:.3g}, and that is no chance: a part of the event is likely missing "
        "from these; raise n_samples, and compare other seeds"
    )
    return [warning]


def open_coordinates(family: Family, share: float = 0.05) -> Array:
    """Indices of the coordinates whose spread is more than ``share`` of the widest one's.

    After an optimisation these are the decisions that the density has not made, widest first.

    >>> from cem.families import Bernoulli
    >>> open_coordinates(Bernoulli([1.0, 0.5, 0.0, 0.9]))
    array([1, 3])
    """
    spread = family.spread()
    widest_first = np.argsort(-spread, kind="stable")
    return widest_first[spread[widest_first] > share * spread.max()]
