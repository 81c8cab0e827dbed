"""SciPy's special functions, imported on first use: that takes longer than all of cem."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def special() -> Any:
    """The module `scipy.special`.

    >>> float(special().entr(0.0))
    0.0
    """
    import scipy.special

    return scipy.special
