"""Pictures of runs, of estimates and of losses. Nothing else in cem imports matplotlib.

The pictures of a run take a `History`, or a result that has one. Every function draws on the axes
it is given or on new ones; none touches the state of pyplot. A minimised problem is shown in its
own sign: that of a result is known, for a history say ``sign=-1``.
"""

from cem.plot.estimates import convergence, curve
from cem.plot.losses import distributions, loss_curves
from cem.plot.plane import limit_state
from cem.plot.recorded import Recorded
from cem.plot.runs import density, final_sample, levels, overview, weights

__all__ = [
    "Recorded",
    "convergence",
    "curve",
    "density",
    "distributions",
    "final_sample",
    "levels",
    "limit_state",
    "loss_curves",
    "overview",
    "weights",
]
