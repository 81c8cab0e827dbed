"""Divergences between members of different families, where they are simple."""

from __future__ import annotations

import math

import numpy as np

from cem.families.exponential import Exponential
from cem.families.gamma import Gamma, gamma_kl
from cem.families.laplace import Laplace
from cem.families.multivariate_normal import MultivariateNormal, multivariate_normal_kl
from cem.families.normal import LN_2PI, Normal
from cem.families.uniform import Uniform
from cem.families.weibull import Weibull, weibull_kl
from cem.loss.registry import closed_form_kl


def _as_gamma(f: Exponential) -> Gamma:
    return Gamma(np.ones_like(f.mean), 1 / f.mean)


def _as_weibull(f: Exponential) -> Weibull:
    return Weibull(np.ones_like(f.mean), f.mean)


def _as_multivariate(f: Normal) -> MultivariateNormal:
    return MultivariateNormal(f.mean, np.diag(f.std**2))


@closed_form_kl(Exponential, Gamma)
def _exponential_gamma(f: Exponential, g: Gamma) -> float:
    return gamma_kl(_as_gamma(f), g)


@closed_form_kl(Gamma, Exponential)
def _gamma_exponential(f: Gamma, g: Exponential) -> float:
    return gamma_kl(f, _as_gamma(g))


@closed_form_kl(Exponential, Weibull)
def _exponential_weibull(f: Exponential, g: Weibull) -> float:
    return weibull_kl(_as_weibull(f), g)


@closed_form_kl(Weibull, Exponential)
def _weibull_exponential(f: Weibull, g: Exponential) -> float:
    return weibull_kl(f, _as_weibull(g))


@closed_form_kl(Normal, MultivariateNormal)
def _normal_multivariate(f: Normal, g: MultivariateNormal) -> float:
    return multivariate_normal_kl(_as_multivariate(f), g)


@closed_form_kl(MultivariateNormal, Normal)
def _multivariate_normal(f: MultivariateNormal, g: Normal) -> float:
    return multivariate_normal_kl(f, _as_multivariate(g))


@closed_form_kl(Laplace, Normal)
def _laplace_normal(f: Laplace, g: Normal) -> float:
    """``E_f (x - n)^2 = 2 b^2 + (m - n)^2``, so ``ln(t / b)`` and what is left is plain."""
    if not g.std.all():
        return math.inf
    ratio, shift = f.scale / g.std, (f.mean - g.mean) / g.std
    terms = ratio**2 + shift**2 / 2 - np.log(ratio) + 0.5 * math.log(math.pi / 2) - 1
    return float(terms.sum())


@closed_form_kl(Normal, Laplace)
def _normal_laplace(f: Normal, g: Laplace) -> float:
    """``E_f |x - m|`` is that of a folded normal variable: Leone, Nelson, Nottingham (1961)."""
    if not f.std.all():
        return math.inf
    from scipy.special import erf

    ratio, z = f.std / g.scale, (f.mean - g.mean) / f.std
    distance = math.sqrt(2 / math.pi) * np.exp(-(z**2) / 2) + z * erf(z / math.sqrt(2))
    return float((ratio * distance - np.log(ratio) + 0.5 * (math.log(4) - LN_2PI - 1)).sum())


@closed_form_kl(Uniform, Normal)
def _uniform_normal(f: Uniform, g: Normal) -> float:
    if not g.std.all():
        return math.inf
    ratio = (f.high - f.low) / g.std
    shift = ((f.low - g.mean) + (f.high - g.mean)) / 2 / g.std
    return float(((shift**2 + ratio**2 / 12 + LN_2PI) / 2 - np.log(ratio)).sum())


@closed_form_kl(Uniform, Exponential)
def _uniform_exponential(f: Uniform, g: Exponential) -> float:
    if (f.low < 0).any():
        return math.inf
    middle = f.low / 2 + f.high / 2
    return float((middle / g.mean - np.log((f.high - f.low) / g.mean)).sum())
