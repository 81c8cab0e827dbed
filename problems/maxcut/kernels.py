"""Compiled scoring of packed cuts: carry-save adders count the edges that are cut."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from cem.families.lanes import WORDS, any_bit, fill, full_add, load, store

U = np.uint64
NONE, ONE = U(0), U(1)
EDGES = 8  # that go through the adders at a time
LEVELS = 34  # binary digits of a count


@njit(error_model="numpy", nogil=True, cache=True)
def count_cuts(words: Any, ends: Any, starts: Any, values: Any, out: Any) -> None:
    """Add ``values[c]`` to ``out[i]`` for every edge of class ``c`` that sample ``i`` cuts.

    ``words`` are those of `cem.families.packed.Bits`; ``out`` has a number for each of their bits.
    ``ends[starts[c] : starts[c + 1]]`` are the ends of the edges of class ``c``, one after the
    other, each node number times `WORDS`; their number is a multiple of `EDGES`. 512 samples at a
    time are copied to where they lie next to each other, so that they stay in the cache.
    """
    d, n_words = words.shape
    block = np.zeros(d * WORDS, dtype=np.uint64)
    sums = np.empty(LEVELS * WORDS, dtype=np.uint64)
    waiting = np.empty_like(sums)
    for first in range(0, n_words, WORDS):
        width = min(WORDS, n_words - first)
        for j in range(d):
            for k in range(width):
                block[WORDS * j + k] = words[j, first + k]
        for c in range(len(values)):
            levels = _count(block, ends[starts[c] : starts[c + 1]], sums, waiting)
            _add(sums, levels, width, values[c], out[64 * first :])


@njit(error_model="numpy", nogil=True, cache=True)
def _count(block: Any, ends: Any, sums: Any, waiting: Any) -> Any:
    """How many edges each of 512 samples cuts, binary digit by binary digit, and how many digits.

    Eight edges at a time pass through seven full adders (by Harley and Seal; Warren, Beautiful
    Code, 2007, ch. 10) and leave a carry of weight eight. At every level above, every other carry
    is added to the one that waits there, and a carry of twice the weight goes on.
    """
    sums[:] = NONE
    ones, twos, fours = fill(NONE), fill(NONE), fill(NONE)
    n_steps = len(ends) // (2 * EDGES)
    for step in range(n_steps):
        at = 2 * EDGES * step
        ones, a = full_add(_cut(block, ends, at), _cut(block, ends, at + 2), ones)
        ones, b = full_add(_cut(block, ends, at + 4), _cut(block, ends, at + 6), ones)
        twos, c = full_add(a, b, twos)
        ones, a = full_add(_cut(block, ends, at + 8), _cut(block, ends, at + 10), ones)
        ones, b = full_add(_cut(block, ends, at + 12), _cut(block, ends, at + 14), ones)
        twos, d = full_add(a, b, twos)
        fours, carry = full_add(c, d, fours)
        level = 3
        while (step >> (level - 3)) & 1:
            place = WORDS * level
            total, carry = full_add(load(sums, place), load(waiting, place), carry)
            store(sums, place, total)
            level += 1
        store(waiting, WORDS * level, carry)
    store(sums, 0, ones)
    store(sums, WORDS, twos)
    store(sums, 2 * WORDS, fours)
    levels = 3
    while n_steps >> (levels - 3):
        if (n_steps >> (levels - 3)) & 1:
            _carry_on(sums, levels, load(waiting, WORDS * levels))
        levels += 1
    return levels + 1


@njit(error_model="numpy", nogil=True, cache=True)
def _cut(block: Any, ends: Any, at: Any) -> Any:
    """The samples that cut the edge whose ends stand at ``at`` and after it."""
    return load(block, ends[at]) ^ load(block, ends[at + 1])


@njit(error_model="numpy", nogil=True, cache=True)
def _carry_on(sums: Any, level: Any, carry: Any) -> None:
    while any_bit(carry):
        digit = load(sums, WORDS * level)
        store(sums, WORDS * level, digit ^ carry)
        carry &= digit
        level += 1


@njit(error_model="numpy", nogil=True, cache=True)
def _add(sums: Any, levels: Any, width: Any, value: Any, out: Any) -> None:
    for level in range(levels):
        for k in range(width):
            word, part = sums[WORDS * level + k], out[64 * k : 64 * k + 64]
            for i in range(64):
                part[i] += -np.int64((word >> U(i)) & ONE) & (value << level)
