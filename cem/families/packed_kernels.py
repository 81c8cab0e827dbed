"""Compiled work on packed bits: sampling coins, sums over the set bits, and picking samples."""

# mypy: ignore-errors
# numba finds the types of what it compiles by itself
from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from cem.families.lanes import WORDS, any_bit, fill, load, raised, rotated, store

U = np.uint64
NONE, ONE, ALL = U(0), U(1), U(2**64 - 1)
TOP = U(63)
SEVENTEEN, TWENTY_THREE, FORTY_FIVE = U(17), U(23), U(45)
PAIRS, FOURS, BYTES = U(0x5555555555555555), U(0x3333333333333333), U(0x0F0F0F0F0F0F0F0F)
EACH_BYTE = U(0x0101010101010101)
TWO, FOUR, TOP_BYTE = U(2), U(4), U(56)


@njit(error_model="numpy", nogil=True, cache=True)
def _next(a: Any, b: Any, c: Any, d: Any) -> Any:
    """xoshiro256++ eight times side by side, see `cem.families.xoshiro`: the words, the states."""
    words = rotated(a + d, TWENTY_THREE) + a
    shifted = raised(b, SEVENTEEN)
    c ^= a
    d ^= b
    return words, a ^ d, b ^ c, c ^ shifted, rotated(d, FORTY_FIVE)


@njit(error_model="numpy", nogil=True, cache=True)
def toss(states: Any, digits: Any, sure: Any, mirrored: Any, words: Any) -> None:
    """Fill the rows of ``words``, shape ``(d * n_words,)``, with coins; ``states`` are 32 words.

    ``digits[j]`` are the first 64 binary digits of the probability of a one in row ``j``. A lane's
    number is drawn digit by digit and compared, until it differs from that of ``p`` in every lane;
    the digits not drawn do not matter. ``sure`` rows are all ones. If ``mirrored``, every sample is
    turned with probability 1/2.
    """
    a, b, c, d = load(states, 0), load(states, 8), load(states, 16), load(states, 24)
    tail = np.empty(WORDS, dtype=np.uint64)
    n_words = len(words) // len(digits)
    for first in range(0, n_words, WORDS):
        turned = fill(NONE)
        if mirrored:
            turned, a, b, c, d = _next(a, b, c, d)
        for j in range(len(digits)):
            ones = fill(ALL) if sure[j] else fill(NONE)
            equal = fill(ALL)
            left = digits[j]
            while left != NONE and any_bit(equal):
                drawn, a, b, c, d = _next(a, b, c, d)
                digit = fill(NONE - (left >> TOP))
                differs = drawn ^ digit
                ones |= equal & differs & digit
                equal &= differs ^ fill(ALL)
                left <<= ONE
            ones ^= turned
            at = j * n_words + first
            if first + WORDS <= n_words:
                store(words, at, ones)
            else:
                store(tail, 0, ones)
                for k in range(n_words - first):
                    words[at + k] = tail[k]


@njit(error_model="numpy", nogil=True, cache=True)
def pick(words: Any, index: Any, out: Any) -> None:
    """Put the samples of that ``index`` side by side into ``out``."""
    for j in range(len(words)):
        row = words[j]
        for begin in range(0, len(index), 64):
            word = NONE
            for k in range(min(64, len(index) - begin)):
                i = U(index[begin + k])
                word |= ((row[i >> U(6)] >> (i & TOP)) & ONE) << U(k)
            out[j, begin >> 6] = word


@njit(error_model="numpy", nogil=True, cache=True)
def count_ones(words: Any, flip: Any, out: Any) -> None:
    """``out[j]`` is the number of bits set in row ``j`` of ``words ^ flip``."""
    for j in range(len(words)):
        total = NONE
        for k in range(words.shape[1]):
            x = words[j, k] ^ flip[k]
            x -= (x >> ONE) & PAIRS
            x = (x & FOURS) + ((x >> TWO) & FOURS)
            x = (x + (x >> FOUR)) & BYTES
            total += (x * EACH_BYTE) >> TOP_BYTE
        out[j] = total


@njit(error_model="numpy", nogil=True, cache=True)
def add_over_rows(words: Any, values: Any, out: Any) -> None:
    """Add the ``values[j]`` of the rows where sample ``i`` has a one to ``out[i]``."""
    for k in range(words.shape[1]):
        part = out[64 * k : 64 * k + 64]
        for j in range(len(words)):
            word, value = words[j, k], values[j]
            for i in range(64):
                part[i] += value * ((word >> U(i)) & ONE)


@njit(error_model="numpy", nogil=True, cache=True)
def add_over_samples(words: Any, flip: Any, weights: Any, out: Any) -> None:
    """Add the weights of the samples with a one in row ``j`` of ``words ^ flip`` to ``out[j]``."""
    part = np.empty(64)
    for j in range(len(words)):
        part[:] = 0.0
        for k in range(words.shape[1]):
            word = words[j, k] ^ flip[k]
            for i in range(64):
                part[i] += weights[64 * k + i] * ((word >> U(i)) & ONE)
        out[j] = part.sum()
