"""Compiled local searches for cuts: ascent, annealing and tabu, one sample after the other.

A graph is ``start``, ``node`` and ``weight``: the neighbours of node ``i`` and the weights of their
edges stand at ``start[i] : start[i + 1]``. Sides are ``s = 1 - 2 x``, ``-1`` or ``1``; the field
``h[i]`` is the sum of ``weight * s`` over the neighbours of ``i``, so that flipping node ``i`` adds
``s[i] * h[i]`` to the cut. A gain counts if it is more than ``least``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from cem.families.xoshiro import next_below, next_word

BITS = 12  # of the random number of one trial of the annealing
TRIALS = 64 // BITS  # in a random word
LOG_U = np.log((np.arange(2**BITS) + 0.5) / 2**BITS).astype(np.float32)
LOWEST = float(LOG_U[0])
SHIFT, MASK = np.uint64(BITS), np.uint64(2**BITS - 1)
EXTRA = 10  # the most steps that a flipped node rests beyond its tenure


@njit(error_model="numpy", nogil=True, cache=True)
def load(graph: Any, x: Any, s: Any, h: Any) -> None:
    """Sets the sides and fields to those of the sample ``x``."""
    start, node, weight = graph
    for i in range(s.size):
        s[i] = 1 - 2 * x[i]
    for i in range(s.size):
        h[i] = 0
        for k in range(start[i], start[i + 1]):
            h[i] += weight[k] * s[node[k]]


@njit(error_model="numpy", nogil=True, cache=True)
def save(s: Any, x: Any) -> None:
    """Writes the sides into the sample ``x``."""
    for i in range(s.size):
        x[i] = s[i] < 0


@njit(error_model="numpy", nogil=True, cache=True)
def flip(graph: Any, s: Any, h: Any, i: Any) -> Any:
    """Moves node ``i`` to the other side; the cut gains what is returned."""
    start, node, weight = graph
    gain, step = s[i] * h[i], -2 * s[i]
    s[i] = -s[i]
    for k in range(start[i], start[i + 1]):
        h[node[k]] += step * weight[k]
    return gain


@njit(error_model="numpy", nogil=True, cache=True)
def climb(graph: Any, s: Any, h: Any, least: Any) -> Any:
    """First ascent until no flip gains more than ``least``; the gain."""
    total, since, i = 0.0, 0, 0
    while since < s.size:
        if s[i] * h[i] > least:
            total += flip(graph, s, h, i)
            since = 0
        else:
            since += 1
        i = i + 1 if i + 1 < s.size else 0
    return total


@njit(error_model="numpy", nogil=True, cache=True)
def one_flip(graph: Any, x: Any, least: Any) -> Any:
    """Every sample at the local optimum that first ascent reaches from it."""
    out = x.copy()
    s = np.empty(x.shape[1], graph[2].dtype)
    h = np.empty_like(s)
    for row in out:
        load(graph, row, s, h)
        climb(graph, s, h, least)
        save(s, row)
    return out


@njit(error_model="numpy", nogil=True, cache=True)
def anneal(graph: Any, x: Any, least: Any, temperature: Any, states: Any) -> Any:
    """The best cut of one sweep over all nodes at every temperature, from every sample."""
    n, d = x.shape
    out = x.copy()
    s = np.empty(d, graph[2].dtype)
    h = np.empty_like(s)
    for r in range(n):
        load(graph, x[r], s, h)
        value, best = 0.0, 0.0
        word, trials = np.uint64(0), 0
        for t in temperature:
            hopeless = LOWEST * t
            for i in range(d):
                gain = s[i] * h[i]
                if gain < hopeless:
                    continue
                if gain < 0:
                    if trials == 0:
                        word, trials = next_word(states[r]), TRIALS
                    log_u = LOG_U[word & MASK]
                    word >>= SHIFT
                    trials -= 1
                    if gain < log_u * t:
                        continue
                value += flip(graph, s, h, i)
            if value > best + least:
                best = value
                save(s, out[r])
        load(graph, out[r], s, h)
        if climb(graph, s, h, least) > 0:
            save(s, out[r])
    return out


@njit(error_model="numpy", nogil=True, cache=True)
def tabu(graph: Any, x: Any, least: Any, settings: Any, states: Any) -> Any:
    """The best cut among ``steps`` best flips; a flipped node rests ``tenure`` steps or more."""
    steps, tenure = settings
    n, d = x.shape
    out = x.copy()
    s = np.empty(d, graph[2].dtype)
    h = np.empty_like(s)
    until = np.empty(d, np.int64)
    for r in range(n):
        load(graph, x[r], s, h)
        best = value = climb(graph, s, h, least)
        save(s, out[r])
        until[:] = 0
        for t in range(steps):
            first = next_below(states[r], d)  # ties are broken by it
            at, most = first, -np.inf
            for low, high in ((first, d), (0, first)):
                for i in range(low, high):
                    gain = s[i] * h[i]
                    if gain > most and (until[i] <= t or value + gain > best + least):
                        at, most = i, gain
            value += flip(graph, s, h, at)
            until[at] = t + 1 + tenure + next_below(states[r], EXTRA)
            if value > best + least:
                best = value
                save(s, out[r])
    return out
