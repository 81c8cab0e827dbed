"""Randomness is addressed, not consumed: (root, purpose, index) names a stream."""

from __future__ import annotations

import json
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence


class Purpose(IntEnum):
    """One branch of the seed tree per use, so that no two uses share numbers."""

    SAMPLE = 0  # the batch of iteration t
    FINAL = 1  # the estimator's independent sample: block t
    EXPECTATION = 2  # a Monte Carlo mean under a density: cem.loss, or of iteration t
    RESTART = 3  # where a search begins anew: restart k
    NOISE = 4  # the noise of a score: iteration t, start of the chunk
    REPLICATION = 5  # what an independent replication takes the place of the root with
    REFINE = 6  # the local search on the batch of iteration t


def root_of(rng: Any = None) -> SeedSequence:
    """Root of all randomness of a run, from what SPEC 7 allows for ``rng=``.

    An int, a sequence of ints or a `SeedSequence` names the root, so the run can be repeated. A
    `Generator` gives 128 bits of its own (and moves on, so two runs differ); ``None`` asks the
    operating system.

    >>> stream(root_of(1), Purpose.SAMPLE, 0).random() == stream(root_of(1), 0, 0).random()
    True
    """
    if isinstance(rng, SeedSequence):
        return rng
    if isinstance(rng, Generator):
        return SeedSequence([int(word) for word in rng.integers(2**32, size=4)])
    if rng is None:
        return SeedSequence()
    if isinstance(rng, bool) or not isinstance(rng, int | np.integer | list | tuple):
        raise TypeError(
            "rng must be an int, a sequence of ints, a numpy SeedSequence, a numpy Generator or "
            f"None; got {rng!r} of type {type(rng).__name__}"
        )
    words = rng if isinstance(rng, list | tuple) else [rng]
    if any(isinstance(w, bool) or not isinstance(w, int | np.integer) or w < 0 for w in words):
        raise ValueError(f"rng: a seed is a non-negative int or a sequence of them; got {rng!r}")
    return SeedSequence([int(w) for w in words] if isinstance(rng, list | tuple) else int(rng))


def name_of(root: SeedSequence) -> str:
    """The root in words, for messages and settings: enough to build it again."""
    key = f", spawn_key={tuple(root.spawn_key)}" if root.spawn_key else ""
    entropy: Any = root.entropy
    words = int(entropy) if np.ndim(entropy) == 0 else [int(word) for word in entropy]
    return f"{words}{key}"


def root_named(name: str) -> SeedSequence:
    """The root that `name_of` put into words.

    >>> name_of(root_named("7, spawn_key=(1, 2)"))
    '7, spawn_key=(1, 2)'
    """
    entropy, _, key = name.partition(", spawn_key=")
    spawn_key = [int(word) for word in key.strip("()").split(",") if word.strip()]
    return SeedSequence(json.loads(entropy), spawn_key=spawn_key)


def stream(root: SeedSequence, purpose: int, *index: int) -> Generator:
    """The generator at one address; nothing is stored and nothing is consumed."""
    return Generator(PCG64(branch(root, purpose, *index)))


def branch(root: SeedSequence, purpose: int, *index: int) -> SeedSequence:
    """The seed at one address: a root of its own for a part of a run."""
    return SeedSequence(root.entropy, spawn_key=(*root.spawn_key, int(purpose), *index))
