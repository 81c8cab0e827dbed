"""How a failure probability moves with the marginals of the variables: loc, scale and shapes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from cem.loss.support import Support
from cem.typing import Array, Batch, Vector
from problems.rare_event.limit_state.checks import check_continuous
from problems.rare_event.limit_state.limit_state import LimitState
from problems.rare_event.limit_state.space import StandardSpace, parameters_of


@dataclass(frozen=True, eq=False)
class Marginal:
    """One variable's part of ``ln f(x)``, as a family whose parameters are the distribution's own.

    What the copula adds is ``-(Q z)_j z_j`` to first order in ``z_j``, with ``Q`` the inverse
    correlation less one and ``z_j = Phi^-1(F_j(x_j))``: a batch has the columns ``x_j`` and
    ``(Q z)_j``, the latter as it is at the parameters given. So differences of the log-density are
    right to first order, which is what a derivative needs.

    >>> from scipy import stats
    >>> Marginal.of(stats.norm(4, scale=2)).parameters()
    {'loc': array([4.]), 'scale': array([2.])}
    """

    distribution: Any  # of scipy.stats, not frozen
    values: dict[str, float]

    @classmethod
    def of(cls, frozen: Any) -> Self:
        """The variable with a frozen distribution; loc and scale are there, given or not."""
        return cls(frozen.dist, parameters_of(frozen))

    def parameters(self) -> dict[str, Array]:
        """Shapes, loc and scale, each an array of one number."""
        return {name: np.array([value]) for name, value in self.values.items()}

    def replace(self, **parameters: Array) -> Self:
        """The variable at other parameters; ValueError if the distribution has none there."""
        new = {name: float(value[0]) for name, value in parameters.items()}
        other = type(self)(self.distribution, self.values | new)
        if np.isnan(other.frozen.support()).any():
            raise ValueError(f"{self.distribution.name} is not defined at {new}")
        return other

    @property
    def frozen(self) -> Any:
        """The frozen distribution."""
        return self.distribution(**self.values)

    def log_density(self, batch: Batch) -> Vector:
        """``ln f_j(x_j) - (Q z)_j z_j``, shape ``(n,)``."""
        x, pull = batch[:, 0], batch[:, 1]
        log_f = self.frozen.logpdf(x)
        if pull.any():
            log_f = log_f - pull * StandardSpace.of([self.frozen]).to_standard(x[:, None])[:, 0]
        return log_f

    def spread(self) -> Array:
        """The scale: the standard deviation may not exist."""
        return np.array([self.values["scale"]])

    def support(self) -> Support:
        """The interval of the distribution."""
        low, high = self.frozen.support()
        return Support(np.array([low]), np.array([high]))


def marginal_sensitivities(limit_state: LimitState, sample: Any) -> list[dict[str, Any]]:
    """``dP / d theta`` for the parameters of every marginal: a dict for each, by name.

    ``sample`` is the `cem.weighted.WeightedSample` of an estimate for this limit state, in standard
    normal space; the figures are `cem.sensitivity.Sensitivity`, with arrays of one number. The
    names are those of scipy.stats (``loc``, ``scale``, and the shapes of the distribution). The
    copula, if there is one, stays as it is. A parameter that moves the support (both of a uniform
    variable) has NaN and a reason. No call of the limit state is made.

    Raises TypeError for discrete marginals.

    >>> from scipy import stats
    >>> from cem.weighted import WeightedSample
    >>> margin = LimitState(lambda x: x[:, 0] - x[:, 1], [stats.norm(4, 1), stats.norm(2, 1)])
    >>> u = np.random.default_rng(0).normal(size=(1000, 2))
    >>> sample = WeightedSample(u, margin(u), np.zeros(1000), margin.nominal(), margin.gamma)
    >>> strength, load = marginal_sensitivities(margin, sample)
    >>> bool(strength["loc"].derivative < 0 < load["loc"].derivative)
    True
    """
    check_continuous(limit_state.marginals, "marginal_sensitivities")
    x = limit_state.to_physical(sample.x)
    pull = np.zeros_like(x)
    if limit_state.correlation is not None:
        root = np.linalg.cholesky(limit_state.correlation)
        z = sample.x @ root.T
        pull = np.linalg.solve(root.T, sample.x.T).T - z  # Q z, for z = L u
    found = []
    for j, frozen in enumerate(limit_state.marginals):
        batch = np.stack([x[:, j], pull[:, j]], axis=1)
        found.append(replace(sample, x=batch, nominal=Marginal.of(frozen)).sensitivities())
    return found
