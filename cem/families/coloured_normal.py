"""Normal sequences whose noise is coloured in time: smooth plans for a controller to try."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.random import Generator

from cem.families.multivariate_normal import MultivariateNormal, multivariate_normal_kl
from cem.families.newton import MOST_STEPS
from cem.families.normal import LN_2PI, Normal, normal_entropy, normal_kl
from cem.families.parametric import constant, non_negative, real, whole
from cem.families.samples import centred, checked_sample, deviation, rows
from cem.loss.registry import closed_form_entropy, closed_form_kl
from cem.loss.series import divergence_terms
from cem.typing import Array, Batch, Vector

MOST_COLOUR = 1e10  # between the powers at the lowest and the highest frequency
CLOSE = 1e-10  # a Newton decrement as small as this leaves rounding only, after its own step


@dataclass(frozen=True, eq=False, repr=False)
class ColouredNormal(Normal):
    """``x = mean + std * noise``, where the power spectrum of the noise in time is ``1 / f^beta``.

    A sample is a sequence of ``horizon`` actions, one after the other: with ``a`` numbers to an
    action ``mean`` and ``std`` have shape ``(horizon * a,)``, and ``x[i].reshape(horizon, a)`` is
    the i-th sequence. The noise has variance one everywhere; the numbers of one action are
    independent. ``beta`` and the horizon are not fitted. With ``beta = 0`` the noise is white and
    the density `Normal`; at 2 it is nearly a random walk, and most of it is in the slow waves.

    Source: Pinneri et al. (2020), iCEM, arXiv:2008.06389. The noise is a sum of the waves that fit
    into the horizon, with normal coefficients; the power at frequency zero is that of the longest
    wave. So the last action is a neighbour of the first, the correlation ``C`` is a circulant
    matrix, and the waves are its eigenvectors.

    >>> f = ColouredNormal(np.zeros(8), np.ones(8), beta=2.0, horizon=8)
    >>> f.correlation[0].round(3)
    array([ 1.   ,  0.58 ,  0.149, -0.084, -0.174, -0.084,  0.149,  0.58 ])
    """

    beta: Array = constant(non_negative, ndim=0)
    horizon: Array = constant(whole(1), ndim=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mean.size % self.horizon:
            raise ValueError(
                "ColouredNormal.mean must hold equally many numbers for every action of the "
                f"horizon, {self.horizon:g}; got {self.mean.size} numbers"
            )
        if self.beta * math.log(max(self.shape[0] // 2, 1)) > math.log(MOST_COLOUR):
            raise ValueError(
                f"ColouredNormal.beta must leave the highest frequency 1 / {MOST_COLOUR:g} of the "
                f"power of the lowest, (2 / horizon)^beta; got beta = {self.beta:g} and horizon = "
                f"{self.horizon:g}, noise that is constant but for rounding"
            )

    @cached_property
    def correlation(self) -> Array:
        """``C``, the correlation of the noise between two times; shape ``(horizon, horizon)``."""
        return self._circulant(1.0)

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` sequences, shape ``(n, d)``: white noise filtered by the root of ``C``."""
        x = self._filtered(rng.standard_normal((n, self.mean.size)), 0.5)
        x *= self.std
        x += self.mean
        return x

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i; mean, std)``, shape ``(n,)``, from the noise turned white."""
        x = rows(self, x)
        if not self.std.all():
            return self._log_density_of_a_collapsed_one(x)
        with np.errstate(invalid="ignore"):  # infinity is nowhere, as NaN is
            z = self._filtered((x - self.mean) / self.std, -0.5)
        square = np.einsum("ij,ij->i", z, z)
        log_size = np.log(self.std).sum() + self._log_volume
        return np.fmax(-0.5 * (square + self.mean.size * LN_2PI) - log_size, -np.inf)

    def fit(self, x: Batch, weights: Vector) -> Self:
        """The weighted mean, and the ``std`` of the largest likelihood with this colour.

        For white noise that is the standard deviation; for others it is not closed: with the
        weighted covariance ``S`` and ``P_ij = S_ij C^-1_ij``, ``u = 1 / std`` is the minimum of the
        convex ``u P u / 2 - sum_i ln u_i``. A sample that is smoother than the noise thereby has a
        smaller ``std``, a rougher one a larger. Raises ValueError for samples that are not finite.
        """
        x, w = checked_sample(self, x, weights, real)
        mean, z = centred(x, w)
        scale = deviation(z, w)
        z /= np.where(scale > 0, scale, 1.0)
        z = self._in_time(z).transpose(2, 0, 1)
        p = (z * w[:, None]).transpose(0, 2, 1) @ z * self._circulant(-1.0)
        at = np.arange(p.shape[1])
        p[:, at, at] += self._in_time(scale == 0).T  # a point depends on no other
        return self.replace(mean=mean, std=scale / _scaling(p).T.ravel())

    def no_narrower_than(self, other: Self) -> Self:
        """Every ``std`` is raised to the other's, and all together until no direction is narrower.

        Where ``std`` rises by different factors, the sums of neighbours may else vary less.
        """
        std = np.maximum(self.std, other.std)
        ratio = self._in_time(other.std / np.where(std > 0, std, 1.0)).T[:, :, None]
        root, inverse = other._circulant(0.5), self._circulant(-0.5)
        widest = np.linalg.norm(inverse @ (ratio * root), ord=2, axis=(1, 2)).max()
        return self.replace(std=std * max(1.0, float(widest)))

    def as_multivariate(self) -> MultivariateNormal:
        """The same density with its covariance matrix written out."""
        c = np.kron(self.correlation, np.eye(self.shape[1]))
        return MultivariateNormal(self.mean, self.std[:, None] * c * self.std)

    @property
    def shape(self) -> tuple[int, int]:
        """Actions in a sequence, and numbers in an action."""
        horizon = int(self.horizon)
        return horizon, self.mean.size // horizon

    @cached_property
    def _power(self) -> Array:
        """The eigenvalues of ``C``: the power at the frequencies ``0, 1/h, ..., (h - 1)/h``."""
        h = self.shape[0]
        waves = np.minimum(np.arange(h), h - np.arange(h))  # that fit into the horizon
        power = np.maximum(waves, 1.0) ** -self.beta
        return np.asarray(power / power.mean())

    @property
    def _log_volume(self) -> float:
        """``ln det C / 2``, once for every number of an action."""
        return float(0.5 * np.log(self._power).sum() * self.shape[1])

    def _in_time(self, x: Array) -> Array:
        """Every row as a sequence: the last axis becomes two, ``(horizon, a)``."""
        return x.reshape(*x.shape[:-1], *self.shape)

    def _filtered(self, z: Array, exponent: float) -> Array:
        """``C^exponent`` times every row."""
        h = self.shape[0]
        waves = np.fft.rfft(self._in_time(z), axis=-2)
        waves *= self._power[: h // 2 + 1, None] ** exponent
        return np.fft.irfft(waves, h, axis=-2).reshape(z.shape)

    def _circulant(self, exponent: float) -> Array:
        """``C^exponent``, shape ``(horizon, horizon)``."""
        h = self.shape[0]
        column = np.fft.irfft(self._power[: h // 2 + 1] ** exponent, h)
        return np.asarray(column[np.subtract.outer(np.arange(h), np.arange(h)) % h])


def _scaling(p: Array) -> Array:
    """``u > 0`` with ``u_i (p u)_i = 1`` for every matrix of ``(a, h, h)``, shape ``(a, h)``.

    That there is one: Marshall, Olkin (1967), Scaling of matrices to achieve specified column and
    row sums. What it minimises is self-concordant, so that Newton's steps, damped by ``1 / (1 +
    decrement)``, cannot fail.

    >>> _scaling(np.array([[[4.0, 0.0], [0.0, 1.0]]]))
    array([[0.5, 1. ]])
    """
    u = np.ones(p.shape[:2])
    at = np.arange(p.shape[1])
    for _ in range(MOST_STEPS):
        slope = (p @ u[:, :, None])[:, :, 0] - 1 / u
        bend = p.copy()
        bend[:, at, at] += 1 / u**2
        step = np.linalg.solve(bend, -slope[:, :, None])[:, :, 0]
        decrement = np.sqrt(np.maximum(-(slope * step).sum(axis=1, keepdims=True), 0.0))
        u = u + step / (1 + decrement)
        if (decrement <= CLOSE).all():
            return u
    raise RuntimeError(f"the fit of a coloured normal density took over {MOST_STEPS} steps")


@closed_form_entropy(ColouredNormal, of_fits=True)
def _entropy(f: ColouredNormal) -> float:
    """That of `Normal` and ``ln det C / 2``."""
    return normal_entropy(f) + f._log_volume  # noqa: SLF001 - the closed forms belong to the class


@closed_form_kl(ColouredNormal, ColouredNormal)
def _kl(f: ColouredNormal, g: ColouredNormal) -> float:
    """For one colour ``e (C * C^-1) e / 2 + sum_j [e_j - ln(1 + e_j)] + |C^-1/2 shift|^2 / 2``.

    ``1 + e`` is the ratio of the deviations and ``*`` goes element by element: the rows of that
    product sum to one, so for near members nothing cancels.
    """
    if not (f.std.all() and g.std.all()):
        return normal_kl(f, g)
    if (f.beta, f.horizon) != (g.beta, g.horizon):
        return multivariate_normal_kl(f.as_multivariate(), g.as_multivariate())
    e = f._in_time((f.std - g.std) / g.std)  # noqa: SLF001
    rise = (e * (f.correlation * f._circulant(-1.0) @ e)).sum()  # noqa: SLF001
    shift = f._filtered((f.mean - g.mean) / g.std, -0.5)  # noqa: SLF001
    own = (divergence_terms(g.std, f.std) / g.std).sum()
    return float(own + 0.5 * (rise + shift @ shift))
