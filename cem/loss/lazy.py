"""What takes longer to import than all of cem, and is imported on first use."""

from __future__ import annotations

from functools import cache
from typing import Any

LARGE = 1 << 15  # elements from which on it pays to load the compiled kernels
BLOCK = 1 << 15  # elements at a time: what is made on the way fits the second cache
MOST_CLASSES = 64  # that a kernel sums one by one, for many rows at once


@cache
def special() -> Any:
    """The module `scipy.special`.

    >>> float(special().entr(0.0))
    0.0
    """
    import scipy.special

    return scipy.special


@cache
def kernels() -> Any:
    """The module `cem.loss.kernels`, and numba with it."""
    from cem.loss import kernels as compiled

    return compiled
