"""Bernoulli coordinates and their mirror image: the family for cuts, which have no first side."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.random import Generator

from cem.families.bernoulli import Bernoulli, coin_divergence
from cem.families.packed import WORD, Bits
from cem.families.parametric import Independent, inside_margin, parameter, probability
from cem.families.samples import rows
from cem.loss.registry import closed_form_entropy, closed_form_kl
from cem.loss.support import Support
from cem.typing import Array, Batch, Vector

NEGLIGIBLE = 1e-14  # nats
ROUNDING = 1e-12  # of a sum
MOST_ROUNDS = 100  # of turning and averaging; a few are enough
TALLEST = 0.81  # no less than ln(1 + e^-t) / e^(-t/2), whatever t is


@dataclass(frozen=True, eq=False, repr=False)
class MirroredBernoulli(Independent):
    """``f(x; p) = B(x; p) / 2 + B(1 - x; p) / 2`` with the coins ``B`` of `Bernoulli`.

    For problems where ``x`` and its mirror image ``1 - x`` score the same: what one of them
    teaches holds for both, and no average mixes them. ``p`` has shape ``(d,)``; ``p`` and
    ``1 - p`` are the same density. Samples are `Bits`; arrays of 0 and 1 are understood too.

    >>> f = MirroredBernoulli([0.6, 0.6, 0.6])
    >>> f.fit(np.array([[1, 1, 0], [0, 0, 0], [0, 0, 1]]), np.ones(3)).p
    array([1.        , 1.        , 0.33333333])
    """

    p: Array = parameter(probability)

    def sample(self, rng: Generator, n: int) -> Bits:
        """``n`` points of ``{0, 1}^d``, packed; the first 64 binary digits of ``p`` are kept."""
        from cem.families.lanes import WORDS
        from cem.families.packed_kernels import toss
        from cem.families.xoshiro import seeds

        n = int(n)
        words = np.empty((len(self.p), -(-n // WORD)), dtype=np.uint64)
        digits = np.ldexp(np.where(self.p < 1, self.p, 0.0), 64).astype(np.uint64)
        states = np.ascontiguousarray(seeds(rng, WORDS).T).ravel()
        toss(states, digits, self.p == 1, True, words.reshape(-1))
        if n % WORD:
            words[:, -1] &= np.uint64(2 ** (n % WORD) - 1)
        return Bits(words, n)

    def log_density(self, x: Batch) -> Vector:
        """``ln f(x_i; p)``, shape ``(n,)``; ``-inf`` off ``{0, 1}^d`` and where ``p`` forbids."""
        if not isinstance(x, Bits):
            x = rows(self, x)
            inside = ((x == 0) | (x == 1)).all(axis=1)
            log_f = np.full(len(x), -np.inf)
            log_f[inside] = self.log_density(Bits.of(x[inside]))
            return log_f
        x = self._packed(x)
        odds, sure = _log_odds(self.p)
        lean = 2 * x.dot(odds) - odds.sum()  # ln B(x) - ln B(1 - x), but for the sure coordinates
        with np.errstate(divide="ignore"):
            both = (np.log(self.p) + np.log1p(-self.p))[sure == 0].sum()
        log_f = both / 2 - math.log(2) + np.logaddexp(lean / 2, -lean / 2)
        if sure.any():
            agree = 2 * x.dot(sure) - sure.sum()
            possible = np.abs(agree) == np.abs(sure).sum()
            one_sided = both / 2 - math.log(2) + np.sign(agree) * lean / 2
            log_f = np.where(possible, one_sided, -np.inf)
        return log_f

    def fit(self, x: Batch, weights: Vector) -> Self:
        """The mean of the samples, each turned to its likelier image: a hard step of EM, repeated.

        It minimises ``-sum_i w_i ln max(B(x_i; p), B(1 - x_i; p))`` over ``p`` locally: beginning
        with this density, samples are turned and averaged until none is turned any more, and no
        round raises that sum (Celeux and Govaert, 1992). The cross-entropy of ``f`` lies between
        it and ``ln 2`` above. Where all ``p_j = 1/2``, the first round turns the samples towards
        the heaviest one. A sample and its mirror image are the same to the fit. Raises ValueError
        for samples off ``{0, 1}^d``.
        """
        x, weights = self._weighted(x, weights)
        p, towards = self.p, _log_odds(self.p)
        if (p == 0.5).all():
            towards = np.zeros(len(p)), _signs(x[int(weights.argmax())])
        turned = None
        for _ in range(MOST_ROUNDS):
            before, turned = turned, _turned(x, *towards)
            if before is not None and (before == turned).all():
                break
            p = x.mean(weights, turned)
            towards = _log_odds(p)
        return self.replace(p=p)

    def aligned_log_density(self, x: Batch) -> Vector:
        """``ln max(B(x_i; p), B(1 - x_i; p))``: its cross-entropy is what `fit` minimises."""
        coins, x = Bernoulli(self.p), np.asarray(x)
        return np.maximum(coins.log_density(x), coins.log_density(1 - x))

    def within_margin(self, least: float, before: Self) -> Self:
        """No bit surer than ``1 - least``, but those that were sure ``before``."""
        return self.replace(p=inside_margin(self.p, least, before.p))

    def spread(self) -> Array:
        """``sqrt(p_j (1 - p_j))``: of one image; over both images every deviation is 1/2."""
        return np.sqrt(self.p * (1 - self.p))

    def support(self) -> Support | None:
        """0 and 1 in every coordinate, unless some are sure: then it is no box."""
        if ((self.p == 0) | (self.p == 1)).any():
            return None
        return Support(np.zeros(len(self.p)), np.ones(len(self.p)), discrete=True)

    def _packed(self, x: Batch) -> Bits:
        if not isinstance(x, Bits):
            return Bits.of(rows(self, x))
        if x.shape[1] != len(self.p):
            raise ValueError(
                f"MirroredBernoulli needs samples of {len(self.p)} bits; got {x.shape[1]}"
            )
        return x

    def _weighted(self, x: Batch, weights: Vector) -> tuple[Bits, Vector]:
        """The samples of positive weight, packed."""
        counts = weights > 0
        if not counts.any():
            raise ValueError(
                "MirroredBernoulli.fit needs a sample of positive weight; got none of "
                f"{counts.size}"
            )
        if not counts.all():
            x, weights = x[counts], weights[counts]
        try:
            return self._packed(x), weights
        except ValueError as error:
            raise ValueError(f"MirroredBernoulli.fit: samples of positive weight {error}") from None


def _log_odds(p: Array) -> tuple[Array, Array]:
    """``ln(p / (1 - p))``, zero where a coin is sure, and there -1 or 1, zero elsewhere."""
    sure = np.where(p == 1, 1.0, np.where(p == 0, -1.0, 0.0))
    open_p = np.where(sure == 0, p, 0.5)
    return np.log(open_p) - np.log1p(-open_p), sure


def _turned(x: Bits, odds: Array, sure: Array) -> Array:
    """Which samples are less likely than their mirror images; of equals, those with 1 first."""
    turned = np.asarray(Bits(x.words[:1], len(x)))[:, 0] == 1
    for signs in (odds, sure):  # what is sure counts more than any odds
        if signs.any():
            lean = 2 * x.dot(signs) - signs.sum()
            certain = np.abs(lean) > ROUNDING * np.abs(signs).sum()
            turned = np.where(certain, lean < 0, turned)
    return turned


def _signs(x: Array) -> Array:
    """1 and -1; the sign of a sample and of its mirror image are the same: the first is -1."""
    signs = np.where(x == 1, 1.0, -1.0)
    return signs * -signs[0]


def _overlap(f: MirroredBernoulli, g: MirroredBernoulli) -> float:
    """A bound of ``E ln(1 + e^-T)``, ``T = ln B(X; q) - ln B(1 - X; q)`` for ``X ~ B(.; p)``.

    It is ``E ln(1 + e^-T) <= TALLEST * E e^(-T / 2)``, a product over the coordinates.
    """
    p, q = f.p, g.p
    with np.errstate(divide="ignore", invalid="ignore"):
        against = p * np.sqrt((1 - q) / q), (1 - p) * np.sqrt(q / (1 - q))
        mean = np.where(p > 0, against[0], 0.0) + np.where(p < 1, against[1], 0.0)
        return TALLEST * float(np.exp(np.log(mean).sum()))


def _mirror(f: MirroredBernoulli) -> float:
    """The entropy of the mirror's coin, or 0 where both images are the same density."""
    return 0.0 if (f.p == 0.5).all() else math.log(2)


def _entropy_known(f: MirroredBernoulli) -> bool:
    """Are the images the same, or so far apart that no sample may be from both?"""
    return _mirror(f) == 0 or _overlap(f, f) < NEGLIGIBLE


@closed_form_entropy(MirroredBernoulli, known=_entropy_known)
def _entropy(f: MirroredBernoulli) -> float:
    from scipy.special import entr

    return float(entr(f.p).sum() + entr(1 - f.p).sum()) + _mirror(f)


def _kl_known(f: MirroredBernoulli, g: MirroredBernoulli) -> bool:
    if _mirror(g) == 0:
        return _entropy_known(f)
    return _mirror(f) > 0 and _overlap(f, f) < NEGLIGIBLE and _overlap(f, g) < NEGLIGIBLE


@closed_form_kl(MirroredBernoulli, MirroredBernoulli, known=_kl_known)
def _kl(f: MirroredBernoulli, g: MirroredBernoulli) -> float:
    return float(coin_divergence(f.p, g.p).sum()) + _mirror(g) - _mirror(f)
