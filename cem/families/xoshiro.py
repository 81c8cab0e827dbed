"""Random words inside compiled kernels: xoshiro256++, seeded from the caller's generator."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.random import Generator

U = np.uint64
SEVENTEEN, NINETEEN, TWENTY_THREE = U(17), U(19), U(23)
FORTY_ONE, FORTY_FIVE, ELEVEN, THIRTY_TWO = U(41), U(45), U(11), U(32)
STEP = 2.0**-53  # between the doubles of `next_double`


def seeds(rng: Generator, k: int = 1) -> Any:
    """The states of ``k`` generators of words, uint64, shape ``(k, 4)``: 256 bits each.

    >>> seeds(np.random.default_rng(0), 2).shape
    (2, 4)
    """
    return rng.integers(0, 2**64, (k, 4), dtype=np.uint64)


@njit(error_model="numpy", nogil=True, cache=True)
def next_word(s: Any) -> Any:
    """The next 64 random bits; moves the state ``s``, shape ``(4,)``, on.

    Source: Blackman and Vigna (2021), Scrambled linear pseudorandom number generators.
    """
    a, b, c, d = s[0], s[1], s[2], s[3]
    total = a + d
    word = ((total << TWENTY_THREE) | (total >> FORTY_ONE)) + a
    shifted = b << SEVENTEEN
    c ^= a
    d ^= b
    s[1] = b ^ c
    s[0] = a ^ d
    s[2] = c ^ shifted
    s[3] = (d << FORTY_FIVE) | (d >> NINETEEN)
    return word


@njit(error_model="numpy", nogil=True, cache=True)
def next_double(s: Any) -> Any:
    """The next number uniform on ``[0, 1)``, a multiple of ``2^-53``."""
    return (next_word(s) >> ELEVEN) * STEP


@njit(error_model="numpy", nogil=True, cache=True)
def next_below(s: Any, n: Any) -> Any:
    """The next whole number from 0 to ``n - 1``, int64; nearly uniform for ``n`` far below 2^32."""
    return np.int64(((next_word(s) >> THIRTY_TWO) * U(n)) >> THIRTY_TWO)
